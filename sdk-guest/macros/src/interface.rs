//! `#[interface]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{ItemTrait, TraitItem};

use crate::function::Function;
use crate::names::{camel, take_name};

pub fn expand(block: &ItemTrait) -> syn::Result<TokenStream> {
    let mut builders = Vec::new();
    for item in &block.items {
        let TraitItem::Fn(item) = item else {
            return Err(syn::Error::new_spanned(item, "expected a function"));
        };
        if item.default.is_some() {
            return Err(syn::Error::new_spanned(
                item,
                "the other contract has the body",
            ));
        }
        let name = take_name(&mut item.attrs.clone())?;
        let name = name.unwrap_or_else(|| camel(&item.sig.ident));
        builders.push(Function::new(&item.sig, name)?.call_builder(false));
    }
    let (visibility, ident) = (&block.vis, format_ident!("{}Call", block.ident));
    let doc = format!("Typed calls of `{}`.", block.ident);
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug)]
        #visibility struct #ident;
        impl #ident {
            #(#builders)*
        }
    })
}
