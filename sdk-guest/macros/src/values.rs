//! The derives.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Ident};

use crate::fields::{Field, fields, pattern, tuple};
use crate::names::bare;

fn structure(input: &DeriveInput) -> syn::Result<&Fields> {
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "expected no type parameters",
        ));
    }
    match &input.data {
        Data::Struct(data) => Ok(&data.fields),
        _ => Err(syn::Error::new_spanned(&input.ident, "expected a struct")),
    }
}

fn some(input: &DeriveInput, list: &[Field]) -> syn::Result<()> {
    match list.len() {
        1..=10 => Ok(()),
        _ => Err(syn::Error::new_spanned(
            &input.ident,
            "expected one to ten fields",
        )),
    }
}

pub fn state(input: &DeriveInput) -> syn::Result<TokenStream> {
    let shape = structure(input)?;
    let list = fields(shape);
    let ident = &input.ident;
    let all = pattern(&quote!(Self), shape, &list);
    let (bindings, types): (Vec<_>, Vec<_>) = list.iter().map(|f| (&f.binding, &f.ty)).unzip();
    Ok(quote! {
        impl ::aivm_sdk::state::State for #ident {
            const SLOTS: u64 = 0 #(+ <#types as ::aivm_sdk::state::State>::SLOTS)*;
            fn at(slot: ::aivm_sdk::state::Slot) -> Self {
                #(
                    let #bindings = <#types as ::aivm_sdk::state::State>::at(slot);
                    let slot = slot.plus(<#types as ::aivm_sdk::state::State>::SLOTS);
                )*
                let _ = slot;
                #all
            }
        }
    })
}

pub fn abi_type(input: &DeriveInput) -> syn::Result<TokenStream> {
    let shape = structure(input)?;
    let list = fields(shape);
    some(input, &list)?;
    let ident = &input.ident;
    let all = pattern(&quote!(Self), shape, &list);
    let types: Vec<_> = list.iter().map(|field| &field.ty).collect();
    let bindings: Vec<_> = list.iter().map(|field| &field.binding).collect();
    let names = list.iter().map(|field| &field.name);
    let tuple = tuple(list.iter());
    Ok(quote! {
        impl ::aivm_sdk::abi::AbiType for #ident {
            const NAME: ::aivm_sdk::Name = <#tuple as ::aivm_sdk::abi::AbiType>::NAME;
            const DYNAMIC: bool = <#tuple as ::aivm_sdk::abi::AbiType>::DYNAMIC;
            const HEAD: usize = <#tuple as ::aivm_sdk::abi::AbiType>::HEAD;
            const MIN: usize = <#tuple as ::aivm_sdk::abi::AbiType>::MIN;
            const DEPTH: usize = <#tuple as ::aivm_sdk::abi::AbiType>::DEPTH;
            fn encode(&self, to: &mut ::aivm_sdk::abi::Encoder) {
                let #all = self;
                let fields = |to: &mut ::aivm_sdk::abi::Encoder| {
                    #(<#types as ::aivm_sdk::abi::AbiType>::encode(#bindings, to);)*
                };
                to.tuple(Self::DYNAMIC, <#tuple as ::aivm_sdk::abi::AbiType>::TOP, fields);
            }
            fn decode(from: &mut ::aivm_sdk::abi::Decoder<'_>) -> Self {
                let (#(#bindings,)*) = <#tuple as ::aivm_sdk::abi::AbiType>::decode(from);
                #all
            }
            #[cfg(not(target_arch = "wasm32"))]
            fn describe() -> ::aivm_sdk::describe::Type {
                ::aivm_sdk::describe::Type::tuple(&[
                    #((#names, <#types as ::aivm_sdk::abi::AbiType>::describe())),*
                ])
            }
        }
    })
}

pub fn event(input: &DeriveInput) -> syn::Result<TokenStream> {
    let shape = structure(input)?;
    let list = fields(shape);
    let (topics, data): (Vec<_>, Vec<_>) = list.iter().partition(|field| field.indexed);
    if let Some(fourth) = topics.get(3) {
        return Err(syn::Error::new_spanned(
            &input.ident,
            format!(
                "at most three fields are indexed; `{}` is the fourth",
                fourth.place()
            ),
        ));
    }
    if data.len() > 10 {
        return Err(syn::Error::new_spanned(
            &input.ident,
            "at most ten fields without a topic",
        ));
    }
    let ident = &input.ident;
    let name = bare(ident);
    let all = pattern(&quote!(Self), shape, &list);
    let signature = signature(&name, &list);
    let topics = topics.iter().map(|field| &field.binding);
    let data_tuple = tuple(data.iter().copied());
    let data_types: Vec<_> = data.iter().map(|field| &field.ty).collect();
    let data: Vec<_> = data.iter().map(|field| &field.binding).collect();
    let parameters = list.iter().map(|field| {
        let (name, ty, indexed) = (&field.name, &field.ty, field.indexed);
        quote!(::aivm_sdk::describe::Parameter::field(
            #name, <#ty as ::aivm_sdk::abi::AbiType>::describe(), #indexed))
    });
    Ok(quote! {
        impl ::aivm_sdk::Event for #ident {
            const SIGNATURE: &'static str = {
                const NAME: &::aivm_sdk::Name = &#signature;
                NAME.as_str()
            };
            fn parts(&self) -> (::aivm_sdk::Topics, ::aivm_sdk::prelude::Vec<u8>) {
                const HASH: ::aivm_sdk::U256 = ::aivm_sdk::U256::from_be_bytes(#signature.hash());
                let #all = self;
                let topics = ::aivm_sdk::Topics::new(HASH)#(.with(#topics))*;
                let mut data = ::aivm_sdk::abi::Encoder::with_head(
                    <#data_tuple as ::aivm_sdk::abi::AbiType>::TOP);
                #(<#data_types as ::aivm_sdk::abi::AbiType>::encode(#data, &mut data);)*
                (topics, data.finish())
            }
            #[cfg(not(target_arch = "wasm32"))]
            fn describe() -> ::aivm_sdk::describe::Entry {
                ::aivm_sdk::describe::Entry::Event {
                    name: ::aivm_sdk::prelude::String::from(#name),
                    inputs: ::aivm_sdk::prelude::vec![#(#parameters),*],
                }
            }
        }
    })
}

/// Constant expression of `Name(types)`.
fn signature(name: &str, list: &[Field]) -> TokenStream {
    let mut out = quote!(::aivm_sdk::Name::new(#name).with("("));
    for (i, field) in list.iter().enumerate() {
        let ty = &field.ty;
        let comma = (i > 0).then(|| quote!(.with(",")));
        out = quote!(#out #comma .and(&<#ty as ::aivm_sdk::abi::AbiType>::NAME));
    }
    quote!(#out.with(")"))
}

/// How one error is encoded, and its entry in the ABI.
fn error(path: &TokenStream, ident: &Ident, shape: &Fields) -> (TokenStream, TokenStream) {
    let list = fields(shape);
    let name = bare(ident);
    let (all, signature) = (pattern(path, shape, &list), signature(&name, &list));
    let tuple = tuple(list.iter());
    let types: Vec<_> = list.iter().map(|field| &field.ty).collect();
    let bindings = list.iter().map(|field| &field.binding);
    let names = list.iter().map(|field| &field.name);
    let encode = quote! {
        #all => {
            const SELECTOR: [u8; 4] = #signature.selector();
            let mut data = ::aivm_sdk::abi::Encoder::after(
                SELECTOR, <#tuple as ::aivm_sdk::abi::AbiType>::TOP);
            #(<#types as ::aivm_sdk::abi::AbiType>::encode(#bindings, &mut data);)*
            data.finish()
        }
    };
    let entry = quote! {
        ::aivm_sdk::describe::Entry::Error {
            name: ::aivm_sdk::prelude::String::from(#name),
            inputs: ::aivm_sdk::prelude::vec![#(::aivm_sdk::describe::Parameter::new(
                #names, <#types as ::aivm_sdk::abi::AbiType>::describe())),*],
        }
    };
    (encode, entry)
}

pub fn revert(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let (arms, entries): (Vec<_>, Vec<_>) = match &input.data {
        Data::Struct(data) => vec![error(&quote!(Self), ident, &data.fields)],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let name = &variant.ident;
                error(&quote!(Self::#name), name, &variant.fields)
            })
            .collect(),
        Data::Union(_) => {
            return Err(syn::Error::new_spanned(
                ident,
                "expected a struct or an enum",
            ));
        }
    }
    .into_iter()
    .unzip();
    if arms.is_empty() {
        return Err(syn::Error::new_spanned(
            ident,
            "expected at least one variant",
        ));
    }
    Ok(quote! {
        impl ::aivm_sdk::Revert for #ident {
            fn revert_data(&self) -> ::aivm_sdk::prelude::Vec<u8> {
                match self {
                    #(#arms)*
                }
            }
            #[cfg(not(target_arch = "wasm32"))]
            fn describe() -> ::aivm_sdk::prelude::Vec<::aivm_sdk::describe::Entry> {
                ::aivm_sdk::prelude::vec![#(#entries),*]
            }
        }
    })
}
