//! Compiler from SynQ, a contract language with post-quantum types and neural networks,
//! to WebAssembly.
//!
//! Source text flows one way: [`syntax`] (tokens, syntax tree) → names and types →
//! WebAssembly. [`compile`] runs all of it; [`syntax::parse`] gives the tree alone, for tools.
#![forbid(unsafe_code)]

mod abi;
mod codegen;
mod compile;
pub mod diagnostics;
pub mod fmt;
mod ir;
mod profile;
mod sema;
mod solidity;
pub mod source;
pub mod syntax;

pub use compile::{
    Artifact, LANGUAGE_VERSION, MAX_SOURCE, ModelUse, Options, Output, Twin, check, compile, twins,
};
pub use diagnostics::{Diagnostic, Diagnostics, Label, Severity, Suggestion};
pub use profile::{ChainProfile, ProfileError};
pub use source::{FileId, FolderLoader, MemoryLoader, SourceLoader, Sources, Span};
