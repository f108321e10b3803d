//! Exact, metered neural-network inference.
//!
//! A model is read from untrusted ONNX bytes, verified, and brought into a small graph whose every
//! shape is known; its identity is the BLAKE3 hash of that graph. The same model and input give the
//! same bytes on every machine.

#![deny(unsafe_code)]

mod array;
mod canonical;
mod cost;
#[cfg(feature = "cpu")]
mod cpu;
mod error;
mod format;
#[cfg(feature = "wgpu")]
pub mod gpu;
mod graph;
mod import;
mod infer;
#[allow(
    unsafe_code,
    reason = "SIMD kernels; all unsafe code of the crate is below this module"
)]
pub mod kernels;
mod limits;
mod manifest;
mod memory;
mod model;
mod onnx;
mod op;
mod placement;
mod prepared;
mod reference;
mod run;
mod tensor;
pub mod trace;

pub use array::{Array, Data};
pub use cost::{Counts, OpCost, Profile, Quote};
#[cfg(feature = "cpu")]
pub use cpu::Cpu;
pub use error::{ModelError, NodeError, Refusal, RunError, TensorError, TensorReason};
pub use format::Format;
pub use graph::{Graph, Info, Node, ValueId};
pub use limits::ModelLimits;
pub use manifest::{About, Constant, Fixed, Manifest, ManifestError, Mismatch, Port, Resources};
pub use model::{Bindings, Model};
pub use onnx::wire::WireError;
pub use op::{Binary, Op, PadMode, Reduce, Requantize, Scatter, Unary, Window};
pub use placement::{CpuReason, Placement};
pub use prepared::{Backend, Prepared, prepare};
pub use run::{Executor, Observer, Reference, run};
pub use tensor::{ElementType, Tensor, TensorInfo};
