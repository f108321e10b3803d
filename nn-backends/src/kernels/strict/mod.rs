//! Strict single precision: the same bits on every processor, in every vector width, on any number of threads.
//!
//! IEEE 754 leaves nothing open about `+ − × ÷ √` once the order of operations is fixed. So:
//! * every output has one accumulator, and products are added to it in ascending order of the reduced index;
//! * a product is rounded before it is added: multiplication and addition are never fused;
//! * vectors run across outputs, never along a reduction; [`sum`] has sixteen accumulators whatever the processor has;
//! * functions are polynomials in those operations ([`exp`], [`log`], [`tanh`], [`erf`], [`sigmoid`]), not the libm's;
//! * rounding to nearest and gradual underflow are set on entry and the caller's mode is restored;
//! * every NaN leaves as `0x7fc00000` and every zero as `+0`.

mod conv;
mod environment;
mod gemm;
mod kernel;
mod map;
mod math;
#[cfg(test)]
mod tests;

pub use conv::{PackedConvF32, conv_reference};
pub use environment::with_default_environment;
pub use gemm::{PackedF32, gemm, gemm_reference};
pub use map::{any_nan, canonicalise, map, softmax, sum, zip};
pub use math::{canonical, erf, exp, log, sigmoid, tanh};
