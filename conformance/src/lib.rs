//! Vectors that say what any AIVM node must compute, and what runs them.
//!
//! - [`vector`]: the format: [`VectorFile`], [`Vector`], [`Step`]; [`action`]: what is done;
//!   [`outcome`]: what comes of it.
//! - [`suite`]: reading and writing files of vectors.
//! - [`Adapter`]: an implementation under test: [`Machine`] is the VM of this repository,
//!   [`Interpreter`] a second one on wasmi, [`Process`] any program.
//! - [`runner`]: runs vectors and compares; [`report`]: shows what came of it.
//! - [`commands`]: what a whole node does the same: digests, the determinism matrix, load, soak.
//! - [`output`] prints.
//! - [`bless`]: writes outcomes into vectors, unless they contradict what a vector claims.
#![forbid(unsafe_code)]

pub mod action;
mod adapter;
pub mod bless;
pub mod commands;
mod digest;
mod interpreter;
mod load;
mod machine;
mod matrix;
mod memory;
pub mod outcome;
pub mod output;
mod overlay;
mod process;
pub mod report;
pub mod runner;
mod setup;
mod soak;
pub mod suite;
mod traffic;
pub mod vector;

pub use adapter::{Adapter, AdapterError, Answer, Case, Results, serve};
pub use interpreter::{Fault, Interpreter};
pub use machine::Machine;
pub use process::Process;
pub use setup::{Setup, SetupError, Vms};
pub use vector::{Chain, Source, Step, Vector, VectorFile};
