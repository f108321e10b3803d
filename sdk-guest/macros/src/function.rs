//! A function's signature, as the ABI sees it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{FnArg, GenericArgument, Ident, Pat, PathArguments, ReturnType, Signature, Type};

use crate::names::bare;

/// A function that can be called from outside.
pub struct Function {
    pub ident: Ident,
    /// Name in the ABI.
    pub name: String,
    pub arguments: Vec<(Ident, Type)>,
    /// Type of the result, `Result` taken off.
    pub gives: Type,
    pub view: bool,
    pub payable: bool,
}

impl Function {
    /// Reads a signature.
    pub fn new(signature: &Signature, name: String) -> syn::Result<Self> {
        if let Some(token) = &signature.asyncness {
            return Err(syn::Error::new(
                token.span,
                "functions of contracts are not async",
            ));
        }
        if !signature.generics.params.is_empty() {
            return Err(syn::Error::new_spanned(
                &signature.generics,
                "functions of contracts have no type parameters: the ABI needs one signature",
            ));
        }
        let mut arguments = Vec::new();
        for argument in &signature.inputs {
            let FnArg::Typed(argument) = argument else {
                continue;
            };
            let Pat::Ident(pattern) = &*argument.pat else {
                return Err(syn::Error::new_spanned(&argument.pat, "expected a name"));
            };
            if let Type::Reference(ty) = &*argument.ty {
                return Err(syn::Error::new_spanned(
                    ty,
                    "arguments of contracts are owned: use `String`, `Bytes` or `Vec<T>`",
                ));
            }
            arguments.push((pattern.ident.clone(), (*argument.ty).clone()));
        }
        if arguments.len() > 10 {
            return Err(syn::Error::new_spanned(
                &signature.inputs,
                "at most ten arguments: put some into a struct with `#[derive(AbiType)]`",
            ));
        }
        Ok(Self {
            ident: signature.ident.clone(),
            name,
            arguments,
            gives: result(&signature.output),
            view: false,
            payable: false,
        })
    }

    /// The arguments as one tuple type.
    pub fn tuple(&self) -> TokenStream {
        let types = self.arguments.iter().map(|(_, ty)| ty);
        quote!((#(#types,)*))
    }

    /// Constant expression of the selector.
    pub fn selector(&self) -> TokenStream {
        let (name, tuple) = (&self.name, self.tuple());
        quote! {
            ::aivm_sdk::Name::new(#name)
                .and(&<#tuple as ::aivm_sdk::abi::AbiType>::NAME)
                .selector()
        }
    }

    /// The function that builds a typed call of it.
    pub fn call_builder(&self, constructor: bool) -> TokenStream {
        let (names, types): (Vec<_>, Vec<_>) = self.arguments.iter().cloned().unzip();
        let (tuple, selector) = (self.tuple(), self.selector());
        let gives = &self.gives;
        let (ident, gives, input) = match constructor {
            true => (
                format_ident!("construct"),
                quote!(()),
                quote!(::aivm_sdk::abi::encode::<#tuple>(&(#(#names,)*))),
            ),
            false => (
                self.ident.clone(),
                quote!(#gives),
                quote!({
                    const SELECTOR: [u8; 4] = #selector;
                    ::aivm_sdk::abi::encode_call::<#tuple>(SELECTOR, &(#(#names,)*))
                }),
            ),
        };
        let doc = format!("A call of `{}`.", self.name);
        quote! {
            #[doc = #doc]
            #[allow(clippy::too_many_arguments, reason = "those of the function")]
            pub fn #ident(#(#names: #types),*) -> ::aivm_sdk::call::Call<#gives> {
                ::aivm_sdk::call::Call::new(#input)
            }
        }
    }

    /// Expression of the ABI's parameters.
    pub fn parameters(&self) -> TokenStream {
        let entries = self.arguments.iter().map(|(name, ty)| {
            let name = bare(name);
            quote!(::aivm_sdk::describe::Parameter::new(#name, <#ty as ::aivm_sdk::abi::AbiType>::describe()))
        });
        quote!(::aivm_sdk::prelude::vec![#(#entries),*])
    }

    /// Expression of the function's entry in the ABI.
    pub fn entry(&self) -> TokenStream {
        let (name, inputs, gives) = (&self.name, self.parameters(), &self.gives);
        let several = matches!(gives, Type::Tuple(_));
        let mutability = match (self.payable, self.view) {
            (true, _) => "payable",
            (_, true) => "view",
            _ => "nonpayable",
        };
        quote! {
            ::aivm_sdk::describe::Entry::Function {
                name: ::aivm_sdk::prelude::String::from(#name),
                inputs: #inputs,
                outputs: ::aivm_sdk::describe::outputs(
                    <#gives as ::aivm_sdk::abi::AbiType>::describe(), #several),
                mutability: #mutability,
            }
        }
    }
}

/// The type of the result; of `Result<T, E>` it is `T`.
fn result(output: &ReturnType) -> Type {
    let ReturnType::Type(_, ty) = output else {
        return syn::parse_quote!(());
    };
    if let Type::Path(path) = &**ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Result"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(value)) = arguments.args.first()
    {
        return value.clone();
    }
    (**ty).clone()
}
