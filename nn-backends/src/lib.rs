//! Exact, metered neural-network inference.
//!
//! A model is read from untrusted ONNX bytes, verified, and brought into a small graph whose every
//! shape is known; its identity is the BLAKE3 hash of that graph. The same model and input give the
//! same bytes on every machine.
//!
//! ```
//! use std::sync::Arc;
//!
//! use aivm_gas::GasSchedule;
//! use aivm_nn::{Backend, ElementType, Model, ModelLimits, Tensor, prepare};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = std::fs::read("models/digits.onnx")?;
//! let model = Model::from_onnx(&bytes, &ModelLimits::default())?;
//! let quote = model.quote(&GasSchedule::v1().nn); // before anything runs
//! assert!(quote.gas > 0);
//!
//! let image = Tensor::new(ElementType::U8, vec![1, 64], vec![0; 64])?;
//! let outputs = prepare(Arc::new(model), Backend::default())?.run(&[image])?;
//! assert_eq!(outputs[0].shape, [1, 10]);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Model`], [`ModelLimits`], [`Bindings`]: ONNX bytes to a verified [`Graph`] and its hash;
//!   [`ModelError`] says which node was refused and why.
//! - [`Quote`], [`Profile`]: gas, multiply-accumulates and memory of an inference, from shapes alone.
//! - [`prepare`], [`Prepared`], [`Backend`]: a model made ready for the processor (feature `cpu`) or a
//!   GPU (`gpu`, feature `wgpu`), and run. [`Reference`] is the definition that each has to equal.
//! - [`mod@trace`]: a root over every tensor, and disputes down to a tile.
//! - [`Manifest`]: what a model is, for registries and people.
//! - [`kernels`]: instruction sets, each tested against the scalar form.

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
pub mod quantize;
mod reference;
mod run;
mod tensor;
pub mod trace;

pub use array::{Array, Data};
pub use cost::{Counts, OpCost, Profile, Quote};
#[cfg(feature = "cpu")]
pub use cpu::Cpu;
pub use error::{Bound, ModelError, NodeError, Refusal, RunError, TensorError, TensorReason};
pub use format::Format;
pub use graph::{Graph, Info, Node, ValueId};
pub use limits::ModelLimits;
pub use manifest::{About, Constant, Fixed, Manifest, ManifestError, Mismatch, Port, Resources};
pub use model::{Bindings, Model};
pub use onnx::wire::WireError;
pub use op::{Binary, Op, PadMode, Reduce, Requantize, Scatter, Unary, Window};
pub use placement::{CpuReason, Placement};
pub use prepared::{Backend, Prepared, prepare, prepare_on_gpu};
pub use run::{Executor, Observer, Reference, run};
pub use tensor::{ElementType, Tensor, TensorInfo};
