//! The only place that knows which engine runs the code.
//!
//! Everything above it speaks of compiled modules, invocations and outcomes, so another
//! engine can be put here.

mod compile;
mod guest;
mod image;
mod images;
mod imports;
mod instance;
mod mapping;
mod memory;
mod pagemap;
mod places;
mod pool;
mod reuse;
mod run;
mod target;
mod tunables;
mod written;

pub(crate) use compile::{CompileError, Compiled, EngineConfig};
pub(crate) use guest::panic_text;
pub(crate) use pool::IdleInstances;
pub(crate) use run::{Entry, Outcome, run};
pub use target::CodeTarget;
/// Runs what may need much stack, or is not ours, off the guest's stack.
pub(crate) use wasmer::sys::vm::on_host_stack;
