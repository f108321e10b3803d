//! Exact inference on a GPU: the integer profile in 32-bit integer kernels, whole graphs at a time.
//!
//! A device is opened by naming its interface, and tested before it is used. A graph's values stay on the device from
//! node to node; weights are uploaded once. Bits are those of the scalar definition: nothing here computes in floating
//! point, and operations that need it run on the processor.

mod api;
mod device;
mod error;
mod lower;
mod plan;
mod program;
mod run;
mod selftest;
mod shader;
#[cfg(test)]
mod tests;

pub use api::GpuApi;
pub use device::{Gpu, GpuInfo, GpuOptions};
pub use error::GpuError;
pub(crate) use program::Program;
