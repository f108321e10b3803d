//! Write AIVM contracts in Rust.
//!
//! The host interface is generated from the WIT package `synergy:aivm`; each interface is a module
//! here ([`storage`], [`events`], [`nn`], …). A contract implements [`Guest`] and exports it:
//!
//! ```ignore
//! use aivm_sdk::{Guest, Word, storage};
//!
//! struct Counter;
//!
//! impl Guest for Counter {
//!     fn construct(_input: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
//!         Ok(Vec::new())
//!     }
//!     fn call(_input: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
//!         let slot = Word { l0: 0, l1: 0, l2: 0, l3: 0 };
//!         let mut count = storage::load(slot);
//!         count.l0 += 1;
//!         storage::store(slot, count);
//!         Ok(count.l0.to_be_bytes().to_vec())
//!     }
//!     fn query(_input: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
//!         let slot = Word { l0: 0, l1: 0, l2: 0, l3: 0 };
//!         Ok(storage::load(slot).l0.to_be_bytes().to_vec())
//!     }
//! }
//!
//! aivm_sdk::export!(Counter with_types_in aivm_sdk);
//! ```
//!
//! Build with `--target wasm32-unknown-unknown` as a `cdylib`.

#![no_std]
extern crate alloc;

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

pub use bindings::synergy::aivm::types::Word;
pub use bindings::synergy::aivm::{
    accounts, calls, context, crypto, events, ext, journal, log, math, nn, storage,
};
pub use bindings::*;
