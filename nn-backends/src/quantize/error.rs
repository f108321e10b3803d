//! Why a model cannot be quantised.

use crate::error::{ModelError, RunError};

/// Why a model cannot be quantised.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// There is nothing to take ranges from.
    #[error("no calibration inputs were given")]
    NoCalibration,
    /// The model has quantised operators already.
    #[error("the model is quantised already: node `{0}`")]
    AlreadyQuantized(String),
    /// The model has no convolution or product with weights outside of branches and loops.
    #[error(
        "the main graph has no convolution or matrix product in f32 that integers could compute"
    )]
    Nothing,
    /// A tensor has elements without a range.
    #[error("`{tensor}` is NaN or infinite for calibration input {sample}")]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// Number of the calibration input, from 0.
        sample: usize,
    },
    /// A weight has elements without a range.
    #[error("the weight `{0}` has an element that is NaN or infinite")]
    Weight(String),
    /// A range that was given is none.
    #[error("the range of `{tensor}`, {low} to {high}, is not finite and ascending")]
    Range {
        /// Name of the tensor.
        tensor: String,
        /// Least element.
        low: f32,
        /// Greatest element.
        high: f32,
    },
    /// A range was given for what is no activation of the model.
    #[error(
        "a range was given for `{0}`, but no operator of the model takes or gives an f32 tensor of that name"
    )]
    UnknownTensor(String),
    /// Half precision has no integer form here.
    #[error("`{0}` has half precision; convert the model to float32 first")]
    HalfPrecision(String),
    /// The operator set lacks scales by channel and cannot simply be raised.
    #[error(
        "operator set {opset} has no scales by channel, and `{operator}` changed before the one that has (13): convert the model with onnx.version_converter"
    )]
    Opset {
        /// The file's operator set.
        opset: i64,
        /// An operator that changed.
        operator: String,
    },
    /// The model, or the quantised one, is refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model could not run on a calibration input.
    #[error("calibration input {sample}: {source}")]
    Run {
        /// Number of the calibration input, from 0.
        sample: usize,
        /// Why.
        source: RunError,
    },
    /// An error of this library.
    #[error("internal error: {0}")]
    Internal(&'static str),
}
