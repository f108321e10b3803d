//! Exact, metered neural-network inference.
//!
//! A model is read from untrusted ONNX bytes, verified, and brought into a small graph whose every
//! shape is known; its identity is the BLAKE3 hash of that graph. The same model and input give the
//! same bytes on every machine.

#![deny(unsafe_code)]

mod array;
mod error;
mod import;
#[allow(
    unsafe_code,
    reason = "SIMD kernels; all unsafe code of the crate is below this module"
)]
pub mod kernels;
mod limits;
mod model;
mod onnx;
mod tensor;

pub use array::{Array, Data};
pub use error::{ModelError, NodeError, Refusal, RunError, TensorError, TensorReason};
pub use limits::ModelLimits;
pub use model::{Bindings, Model};
pub use onnx::wire::WireError;
pub use tensor::{ElementType, Tensor, TensorInfo};
