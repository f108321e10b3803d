//! Procedural macros of `aivm-sdk`; they are documented where that crate re-exports them.
#![forbid(unsafe_code)]

mod contract;
mod fields;
mod function;
mod interface;
#[cfg(feature = "nn")]
mod model;
mod names;
mod values;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a contract of an `impl` block.
///
/// - `pub fn` with `&mut self` or `&self` can be called from outside; `&self` makes it `view` in
///   the ABI. Other functions are internal.
/// - `#[constructor]` on one function with `&mut self`: runs at deployment.
/// - `#[payable]`: takes native value; without it the call reverts when value is sent.
/// - `#[name("…")]`: name in the ABI; else the Rust name in camel case (`balance_of` is `balanceOf`).
/// - Results are values of the ABI or `Result` of one, with an error that is `Revert`. A tuple is
///   several results.
/// - `#[contract(events(A, B), errors(E))]` puts events and errors into the ABI JSON.
///
/// For a contract `Token` it also makes `TokenCall`, with a function for each of the contract's that
/// builds a typed call: `TokenCall::transfer(to, amount)`.
#[proc_macro_attribute]
pub fn contract(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as contract::Arguments);
    let block = parse_macro_input!(item as syn::ItemImpl);
    finish(contract::expand(&arguments, block))
}

/// Makes typed calls of a contract that lives elsewhere. For `trait Token` it makes `TokenCall`,
/// as `#[contract]` does.
///
/// ```ignore
/// #[interface]
/// pub trait Token {
///     fn transfer(to: Address, amount: U256) -> bool;
/// }
/// let done = TokenCall::transfer(bob, U256::ONE).call(token);
/// ```
#[proc_macro_attribute]
pub fn interface(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    let block = parse_macro_input!(item as syn::ItemTrait);
    finish(interface::expand(&block))
}

/// Makes a struct of places in state a place in state: its fields take their slots in order.
#[proc_macro_derive(State)]
pub fn state(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    finish(values::state(&input))
}

/// Makes a struct a tuple of the ABI.
#[proc_macro_derive(AbiType)]
pub fn abi_type(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    finish(values::abi_type(&input))
}

/// Makes a struct an event. `#[indexed]` makes a field a topic; there can be three.
#[proc_macro_derive(Event, attributes(indexed))]
pub fn event(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    finish(values::event(&input))
}

/// Makes a struct, or each variant of an enum, a custom error of Solidity.
#[proc_macro_derive(Revert)]
pub fn revert(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    finish(values::revert(&input))
}

/// A model with its types, from an ONNX file: `model!("models/digits.onnx")`. The path counts from the
/// package's folder.
///
/// The file is opened and verified at compile time; what the contract keeps is the content address. The
/// type of the result has the model's shapes in it, so a wrong one is a compile error that shows both:
///
/// ```ignore
/// const DIGITS: Model<[[u8; 64]; 1], [[i8; 10]; 1]> = model!("models/digits.onnx");
/// ```
#[cfg(feature = "nn")]
#[proc_macro]
pub fn model(item: TokenStream) -> TokenStream {
    let path = parse_macro_input!(item as syn::LitStr);
    finish(model::expand(&path))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
