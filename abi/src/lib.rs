//! What crosses the border between AIVM guests and hosts.
//!
//! - [`host`]: one trait per WIT interface, with its types; a VM implements them.
//! - [`glue`] and [`for_each_import!`]: engine-neutral functions that lift arguments from guest
//!   memory, call the traits and lower the results.
//! - [`IMPORTS`], [`EXPORTS`]: the same interface as tables, for compilers and validators.
//! - [`Guest`], [`Meter`]: what an engine supplies; [`Exit`] and [`TrapCode`]: how calls end.
//! - [`mod@export`]: calling what a guest exports.
//! - [`calldata`]: calls, results, reverts and events in the Solidity ABI.
//! - [`Transcript`]: the running hash of every host call.
//! - [`receipt`]: what a transaction did, in canonical bytes.
//! - [`transaction`]: signed deployments and calls, in canonical bytes.
//! - [`LineTable`]: the section of a module that names source lines.
//! - [`Address`], [`Word`], [`Digest`]: the values that all of it is made of.
//!
//! `host`, `glue` and the tables are generated from the WIT files at build time.
#![forbid(unsafe_code)]

mod address;
pub mod calldata;
pub mod canonical;
mod codec;
mod digest;
mod exit;
pub mod export;
mod generated;
mod guest;
mod lines;
pub mod receipt;
mod table;
mod text;
pub mod transaction;
mod transcript;
mod word;

pub use address::{Address, AddressError, DEFAULT_PREFIX};
pub use codec::DecodeError;
pub use digest::{BadDigest, Digest};
pub use exit::{Exit, TrapCode, UnknownTrapCode};
pub use generated::{EXPORTS, HostFunctions, IMPORTS, WIT_PACKAGE, glue, host};
pub use guest::{Guest, Meter};
pub use lines::{LINES_SECTION, LineTable, SourceLine};
pub use table::{Area, CoreType, Export, FuncId, Import, export, import, import_by_module};
pub use text::Printable;
pub use transcript::{Bisect, Entry, EntryKind, Transcript, TranscriptFile, bisect};
pub use word::{BadWord, Word};
