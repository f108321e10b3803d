//! Exact kernels on plain slices.
//!
//! Every kernel has a short scalar definition; the SIMD forms must give the same bits, and the tests say so for each
//! instruction set that the machine has. Nothing here knows tensors or graphs, and all unsafe code of the crate
//! is below this module.

pub mod binary;
mod buffer;
pub mod columns;
pub mod conv;
mod error;
pub mod gemm;
mod isa;
pub mod lut;
mod multiversion;
mod parallel;
mod plain;
pub mod pointwise;
pub mod pool;
pub mod quantize;
pub mod requantize;
pub(crate) mod small;
pub mod strict;

pub use conv::{ConvOutput, ConvShape, PackedConv};
pub use error::KernelError;
pub use gemm::{Bytes, Order, PackedB, ZeroPoints, gemm};
pub use isa::Isa;
pub(crate) use plain::bytes_of;
pub use requantize::{ByteType, Multiplier, Requantizer};
