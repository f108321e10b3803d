//! `#[contract]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{FnArg, ImplItem, ItemImpl, Path, Token, Type, Visibility, parenthesized};

use crate::function::Function;
use crate::names::{camel, take_flag, take_name};

/// `events(A, B), errors(E)`.
#[derive(Default)]
pub struct Arguments {
    events: Vec<Path>,
    errors: Vec<Path>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self::default();
        while !input.is_empty() {
            let key: syn::Ident = input.parse()?;
            let inner;
            parenthesized!(inner in input);
            let paths = Punctuated::<Path, Token![,]>::parse_terminated(&inner)?;
            match key.to_string().as_str() {
                "events" => arguments.events.extend(paths),
                "errors" => arguments.errors.extend(paths),
                _ => return Err(syn::Error::new(key.span(), "expected `events` or `errors`")),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

/// A constructor, if there is one, and the functions.
fn collect(block: &mut ItemImpl) -> syn::Result<(Option<Function>, Vec<Function>)> {
    let mut constructor = None;
    let mut functions: Vec<Function> = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(item) = item else {
            continue;
        };
        let constructs = take_flag(&mut item.attrs, "constructor");
        let payable = take_flag(&mut item.attrs, "payable");
        let named = take_name(&mut item.attrs)?;
        let public = matches!(item.vis, Visibility::Public(_));
        if !constructs && !public {
            if payable || named.is_some() {
                return Err(syn::Error::new_spanned(
                    &item.sig.ident,
                    "only a `pub` function can be called from outside",
                ));
            }
            continue;
        }
        let name = named.unwrap_or_else(|| camel(&item.sig.ident));
        let mut function = Function::new(&item.sig, name)?;
        let Some(FnArg::Receiver(receiver)) = item.sig.inputs.first() else {
            return Err(syn::Error::new_spanned(
                &item.sig,
                "functions of contracts take `&self` or `&mut self`",
            ));
        };
        if receiver.reference.is_none() {
            return Err(syn::Error::new_spanned(
                receiver,
                "expected `&self` or `&mut self`",
            ));
        }
        function.view = receiver.mutability.is_none();
        function.payable = payable;
        if constructs {
            if constructor.replace(function).is_some() {
                return Err(syn::Error::new_spanned(
                    &item.sig,
                    "there is a constructor already",
                ));
            }
            continue;
        }
        if function.ident == "construct" {
            return Err(syn::Error::new_spanned(
                &item.sig.ident,
                "`construct` is the name of the constructor's call; choose another",
            ));
        }
        functions.push(function);
    }
    Ok((constructor, functions))
}

/// Decodes the arguments in `input`, calls the function and encodes its result.
fn run(contract: &Type, function: &Function, input: &TokenStream) -> TokenStream {
    let check = (!function.payable).then(|| quote!(::aivm_sdk::no_value()?;));
    let (tuple, ident) = (function.tuple(), &function.ident);
    let names: Vec<_> = function.arguments.iter().map(|(name, _)| name).collect();
    quote! {
        #check
        let (#(#names,)*): #tuple = ::aivm_sdk::arguments(#input)?;
        #[allow(unused_mut, reason = "views do not need it")]
        let mut contract = <#contract as ::aivm_sdk::state::State>::at(
            ::aivm_sdk::state::Slot::FIRST);
        ::aivm_sdk::IntoReply::into_reply(contract.#ident(#(#names),*))
    }
}

pub fn expand(arguments: &Arguments, mut block: ItemImpl) -> syn::Result<TokenStream> {
    if let Some((_, of, _)) = &block.trait_ {
        return Err(syn::Error::new_spanned(
            of,
            "expected an `impl` block without a trait",
        ));
    }
    let (constructor, functions) = collect(&mut block)?;
    // A constructor sets up the state that is there, whatever its name.
    block
        .attrs
        .push(syn::parse_quote!(#[allow(clippy::new_ret_no_self)]));
    let contract = &*block.self_ty;
    let Some(ident) = (match contract {
        Type::Path(path) => path.path.get_ident(),
        _ => None,
    }) else {
        return Err(syn::Error::new_spanned(
            contract,
            "expected the name of a struct",
        ));
    };

    let construct = match &constructor {
        Some(function) => run(contract, function, &quote!(input)),
        None => quote!(::aivm_sdk::no_value()?; Ok(::aivm_sdk::prelude::Vec::new())),
    };
    let (mut selectors, mut arms) = (Vec::new(), Vec::new());
    for (i, function) in functions.iter().enumerate() {
        let constant = format_ident!("SELECTOR_{i}");
        let selector = function.selector();
        let body = run(contract, function, &quote!(arguments));
        selectors.push(quote!(const #constant: [u8; 4] = #selector;));
        arms.push(quote!(#constant => { #body }));
    }
    let no_constructor: syn::ItemFn = syn::parse_quote!(
        fn construct() {}
    );
    let no_constructor = Function::new(&no_constructor.sig, String::new())?;
    let built = constructor.as_ref().unwrap_or(&no_constructor);
    let builders = functions
        .iter()
        .map(|function| function.call_builder(false));
    let build_constructor = built.call_builder(true);
    let calls = format_ident!("{ident}Call");
    let doc = format!("Typed calls of `{ident}`.");

    let constructor_entry = constructor.as_ref().map(|function| {
        let (inputs, payable) = (function.parameters(), function.payable);
        quote!(entries.push(::aivm_sdk::describe::Entry::Constructor { inputs: #inputs, payable: #payable });)
    });
    let entries = functions.iter().map(Function::entry);
    let (events, errors) = (&arguments.events, &arguments.errors);

    Ok(quote! {
        #block

        impl ::aivm_sdk::Contract for #contract {
            fn construct(input: &[u8]) -> ::aivm_sdk::Reply {
                #construct
            }

            fn call(input: &[u8]) -> ::aivm_sdk::Reply {
                #(#selectors)*
                let Some((selector, arguments)) = input.split_first_chunk::<4>() else {
                    return Err(::aivm_sdk::prelude::Vec::new());
                };
                match *selector {
                    #(#arms)*
                    _ => Err(::aivm_sdk::prelude::Vec::new()),
                }
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn abi() -> ::aivm_sdk::prelude::String {
                let mut entries = ::aivm_sdk::prelude::Vec::new();
                #constructor_entry
                entries.extend([#(#entries),*]);
                #(entries.push(<#events as ::aivm_sdk::Event>::describe());)*
                #(entries.extend(<#errors as ::aivm_sdk::Revert>::describe());)*
                ::aivm_sdk::describe::json(&entries)
            }
        }

        #[doc = #doc]
        #[derive(Clone, Copy, Debug)]
        pub struct #calls;

        impl #calls {
            #build_constructor
            #(#builders)*
        }

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            ::aivm_sdk::export_contract!(#contract);
        };
    })
}
