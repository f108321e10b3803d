//! Fields of structs and variants.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Fields, Ident, Type};

use crate::names::{bare, camel};

/// A field.
pub struct Field {
    /// A name to bind it to.
    pub binding: Ident,
    /// Name in the ABI; empty in tuple structs.
    pub name: String,
    pub ty: Type,
    pub indexed: bool,
    named: bool,
    index: usize,
}

/// The fields in order.
pub fn fields(fields: &Fields) -> Vec<Field> {
    let is = |attributes: &[Attribute]| attributes.iter().any(|a| a.path().is_ident("indexed"));
    fields
        .iter()
        .enumerate()
        .map(|(index, field)| Field {
            binding: format_ident!("field_{index}"),
            name: field
                .ident
                .as_ref()
                .map(|ident| match ident.to_string().contains('_') {
                    true => camel(ident),
                    false => bare(ident),
                })
                .unwrap_or_default(),
            ty: field.ty.clone(),
            indexed: is(&field.attrs),
            named: field.ident.is_some(),
            index,
        })
        .collect()
}

/// A pattern, or a constructor, of all fields.
pub fn pattern(path: &TokenStream, fields: &Fields, list: &[Field]) -> TokenStream {
    let bindings = list.iter().map(|field| &field.binding);
    match fields {
        Fields::Named(named) => {
            let names = named.named.iter().map(|field| &field.ident);
            quote!(#path { #(#names: #bindings),* })
        }
        Fields::Unnamed(_) => quote!(#path(#(#bindings),*)),
        Fields::Unit => quote!(#path),
    }
}

/// The types as one tuple type.
pub fn tuple<'a>(list: impl Iterator<Item = &'a Field>) -> TokenStream {
    let types = list.map(|field| &field.ty);
    quote!((#(#types,)*))
}

impl Field {
    /// How it stands in an error message.
    pub fn place(&self) -> String {
        match self.named {
            true => self.name.clone(),
            false => self.index.to_string(),
        }
    }
}
