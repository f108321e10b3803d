//! Contracts under `cargo test`, without Wasm.
//!
//! A test is a function of a [`Chain`]. [`Native`] runs contracts as Rust code in the test's own
//! process; `InVm` of the crate `aivm-sdk-testing` runs the compiled Wasm in the VM. Both give the
//! same results, events and reverts; only the VM counts gas.

mod chain;
pub(crate) mod host;
mod native;
mod world;

pub use chain::{ArrivedMessage, CHAIN_ID, Chain, EventRecord, Failure, SentMessage};
pub use native::Native;
