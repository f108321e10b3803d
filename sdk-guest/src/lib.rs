//! Write AIVM contracts in Rust.
//!
//! ```
//! use aivm_sdk::prelude::*;
//!
//! #[derive(State)]
//! pub struct Counter {
//!     count: Value<u64>,
//! }
//!
//! #[contract]
//! impl Counter {
//!     pub fn increment(&mut self) -> u64 {
//!         let count = self.count.get() + 1;
//!         self.count.set(count);
//!         count
//!     }
//!
//!     pub fn count(&self) -> u64 {
//!         self.count.get()
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! - [`contract`]: functions, constructor and call data, with the same Solidity ABI as SynQ;
//!   [`interface`] for contracts that live elsewhere.
//! - [`state`]: values, maps and lists, in the same layout as SynQ.
//! - [`Event`], [`Revert`]: events with topics, custom errors. A panic is a revert with its message.
//! - [`mod@env`]: the message, the block, the contract itself.
//! - [`messages`]: messages to and from contracts on other chains.
//! - [`model`], `model!`: neural networks with checked types (feature `nn`).
//! - [`abi`], [`U256`], [`I256`], [`Address`], [`Bytes`], [`FixedBytes`]: values.
//! - `testing`: contracts under `cargo test` without Wasm (not on `wasm32`).
//!
//! Below that are the bindings of the WIT package `synergy:aivm`, a module for each interface
//! ([`storage`], [`events`], [`nn`], …), with [`Guest`] and [`export!`] for contracts that want
//! nothing else.
//!
//! Contracts are `cdylib`s for `wasm32-unknown-unknown`. With the feature `runtime` (default) the
//! crate brings an allocator and the panic handler, so contracts are `no_std`.

#![cfg_attr(target_arch = "wasm32", no_std)]
extern crate alloc;
// The macros name this crate; so do its own tests and examples.
extern crate self as aivm_sdk;

pub mod abi;
mod address;
mod bytes;
pub mod call;
mod contracts;
#[cfg(not(target_arch = "wasm32"))]
pub mod describe;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod entry;
pub mod env;
mod event;
mod i256;
mod keccak;
pub mod messages;
pub mod model;
mod name;
pub mod prelude;
mod revert;
#[cfg(all(target_arch = "wasm32", feature = "runtime"))]
mod runtime;
pub mod state;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod u256;

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        world: "contract",
        path: "wit",
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "aivm_sdk",
    });
}

pub use address::Address;
#[cfg(feature = "nn")]
pub use aivm_sdk_macros::model;
pub use aivm_sdk_macros::{contract, interface};
pub use bindings::synergy::aivm::types::Word;
#[cfg(target_arch = "wasm32")]
pub use bindings::synergy::aivm::{
    accounts, calls, context, crypto, events, ext, journal, log, math, messaging, nn, storage,
};
pub use bindings::*;
pub use bytes::{Bytes, FixedBytes};
pub use contracts::{Contract, IntoReply, Reply, arguments, no_value};
pub use event::{Event, Topic, Topics};
pub use i256::I256;
pub use keccak::keccak256;
pub use name::Name;
pub use revert::Revert;
#[cfg(not(target_arch = "wasm32"))]
pub use testing::host::{
    accounts, calls, context, crypto, events, ext, journal, log, math, messaging, nn, storage,
};
pub use u256::U256;
