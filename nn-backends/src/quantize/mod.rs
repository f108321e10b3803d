//! Static quantisation after training: an `f32` model and inputs for calibration to a model of 8-bit integers.
//!
//! The rules, all of them deterministic:
//!
//! * weights of convolutions and products become `int8`, symmetric, with one scale for each output channel;
//! * activations become `uint8` with one scale and zero point, from the least and the greatest element that the
//!   strict `f32` executor gives for the calibration inputs, zero always included;
//! * biases become `int32` in units of the product of both scales;
//! * batch normalisations and constant sums behind a convolution go into its weights;
//! * a chain of functions of one tensor is left whole, so that it becomes one table.
//!
//! The result is written as ONNX in QDQ form, `QuantizeLinear` and `DequantizeLinear` around operators that still are
//! ordinary ones: other runtimes read it as well. It is then loaded by this library, and an operator counts as
//! quantised only where the loaded model computes it on integers; others are taken out again and stay in `f32`.

mod calibrate;
mod driver;
mod error;
mod network;
mod operators;
mod params;
mod plan;
mod report;
mod rewrite;

pub use driver::quantize;
pub use error::QuantizeError;
pub use report::{
    BoundaryTensor, FloatReason, Operator, Outcome, OutputDifference, QuantizeOptions, Quantized,
};
