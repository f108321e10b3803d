//! An embeddable virtual machine for blockchains: deterministic, metered WebAssembly
//! with neural networks and post-quantum cryptography as host functions.
//!
//! - [`Vm`]: validates, instruments, compiles, caches and runs contracts.
//! - [`Host`]: the one trait that a chain implements; [`MemoryHost`] keeps a chain in
//!   memory, and `RedbHost` (cargo feature `redb`) in a file.
//! - [`Call`], [`Deploy`]: what one asks for; [`Receipt`]: what one gets.
//! - [`Error`]: why there is no receipt.
//! - [`inspect`]: call trees, profiles and flame graphs of a call.
//! - [`testing`]: contracts that test contracts.
//! - `VmBuilder::metrics` (cargo feature `metrics`): measurements for Prometheus.
//!
//! How a call can end, and what that means, is in three parts that never mix: a contract
//! returns or reverts, the sandbox traps, or the machine fails. The first two are
//! receipts; the last is an [`Error`] and leaves the state as it was.
#![deny(unsafe_op_in_unsafe_fn)]

mod block;
mod cache;
mod check;
mod delta;
mod engine;
mod error;
mod exec;
mod hash;
mod host;
pub mod inspect;
mod journal;
mod log;
mod math;
mod memory_host;
mod metrics;
#[cfg(feature = "redb")]
mod redb_host;
mod request;
mod schedules;
mod slots;
pub mod testing;
mod transact;
mod vm;

pub use aivm_abi::receipt::{Event, GasUsed, OutboxMessage, OutboxProof, Receipt, Status};
pub use aivm_abi::{Address, Digest, Transcript, TrapCode, Word};
pub use aivm_gas::{GasSchedule, ScheduleSet};
pub use block::BlockPqGas;
pub use cache::{CacheStats, DiskCache};
pub use check::CheckError;
pub use delta::StateDelta;
pub use engine::CodeTarget;
pub use error::Error;
pub use host::{
    BlockContext, ExtensionCall, ExtensionResult, Hash, Host, HostError, InboxMessage, Peeked,
    StorageEntry,
};
pub use memory_host::MemoryHost;
#[cfg(feature = "redb")]
pub use redb_host::RedbHost;
pub use request::{Call, DEFAULT_GAS_LIMIT, Deploy, code_hash};
pub use vm::{Deployed, Estimate, Registered, Uploaded, Vm, VmBuilder};

/// The examples of the README and the book, compiled as documentation tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/embedding.md")]
    struct Embedding;
    #[cfg(feature = "metrics")]
    #[doc = include_str!("../../docs/operations.md")]
    struct Operations;
}
