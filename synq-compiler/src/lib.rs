//! Compiler from SynQ, a contract language with post-quantum types and neural networks,
//! to WebAssembly.
//!
//! Source text flows one way: [`syntax`] (tokens, syntax tree) → names and types →
//! WebAssembly. [`compile`] runs all of it; [`syntax::parse`] gives the tree alone, for tools.
//!
//! ```
//! use synq_compiler::{MemoryLoader, Options, compile};
//!
//! let source = "contract Counter { n: UInt256 public; @public function up() { n += 1; } }";
//! let files = MemoryLoader::new().with_source("Counter.synq", source);
//! let output = compile("Counter.synq", &files, &Options::new()).expect("it compiles");
//! assert!(output.contracts[0].wasm.starts_with(b"\0asm"));
//! ```
//!
//! - [`compile`], [`check`], [`Output`], [`Artifact`]: sources to modules, ABI and manifests.
//! - [`SourceLoader`]: where sources and models come from: [`FolderLoader`], [`MemoryLoader`].
//! - [`Diagnostics`]: errors and warnings with places and suggestions, as text or JSON.
//! - [`ChainProfile`]: functions that the host chain adds to the language.
//! - [`fmt`]: the one canonical style. [`twins`]: the same contracts in Solidity.
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
