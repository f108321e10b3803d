//! What to quantise how, and what came of it.

use std::collections::BTreeMap;

use crate::cost::Profile;
use crate::limits::ModelLimits;
use crate::model::{Bindings, Model};

/// How to quantise.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct QuantizeOptions {
    /// Limits for reading both models. Calibration keeps all activations at once, up to eight times
    /// [`ModelLimits::memory`].
    pub limits: ModelLimits,
    /// What the file leaves open. The quantised file leaves it open as well.
    pub bindings: Bindings,
    /// Ranges of tensors by name, in place of what calibration finds: for instance 0 to 255 for an input of bytes,
    /// whose scale then is 1.
    pub ranges: BTreeMap<String, (f32, f32)>,
    /// Keep inputs and outputs in `f32`. Without it, those that integer operators take or give become `uint8`.
    pub float_boundary: bool,
}

/// A quantised model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Quantized {
    /// The model as an ONNX file. The same file, calibration inputs and options give the same bytes everywhere.
    pub onnx: Vec<u8>,
    /// The file as this library loads it.
    pub model: Model,
    /// Bytes of the weights before and after.
    pub weight_bytes: (u64, u64),
    /// Profile of the quantised model.
    pub profile: Profile,
    /// Every operator of the file that depends on an input, in order.
    pub operators: Vec<Operator>,
    /// Inputs that are `uint8` now.
    pub inputs: Vec<BoundaryTensor>,
    /// Outputs that are `uint8` now.
    pub outputs: Vec<BoundaryTensor>,
    /// How far each output in `f32` is from what it was, on the calibration inputs.
    pub differences: Vec<OutputDifference>,
}

/// An operator of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operator {
    /// Name of the node, or of its first output.
    pub node: String,
    /// Name of the operator.
    pub operator: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is computed on 8-bit integers.
    Quantized,
    /// It went into the weights of this node.
    Folded(String),
    /// It computes in `f32` as before.
    Float(FloatReason),
    /// It has no `f32` operands or results.
    Unchanged,
}

/// Why an operator stays in `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FloatReason {
    /// No integer operator does the same.
    #[error("no integer operator does the same")]
    Operator,
    /// It combines two activations otherwise than by a sum, a product or a bound.
    #[error("only sums, products, minima and maxima of two activations have an integer form")]
    TwoActivations,
    /// An operand that must be a constant depends on inputs or shapes.
    #[error("an operand depends on the inputs or on their shapes")]
    Operand,
    /// All that is before it, or all that is behind it, stays in `f32`, or it is far from any convolution or product.
    #[error("what is before it or behind it stays in f32")]
    Alone,
    /// The loaded model would compute it in `f32` all the same.
    #[error("these shapes or parameters have no integer form")]
    Form,
}

/// An input or output that is `uint8` now: `real = scale · (byte − zero_point)`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BoundaryTensor {
    /// Its name.
    pub name: String,
    /// What a step of one means.
    pub scale: f32,
    /// The byte for 0.0.
    pub zero_point: u8,
}

/// How far an output is from what it was.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutputDifference {
    /// Name of the output.
    pub name: String,
    /// Largest difference of an element on any calibration input.
    pub largest: f32,
    /// Least and greatest element before, for comparison.
    pub range: (f32, f32),
}
