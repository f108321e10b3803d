//! One module for each family of operators.

mod attention;
mod composite;
mod constant;
mod contraction;
mod einsum;
mod indexing;
mod loss;
mod math;
mod movement;
mod normalise;
mod quantize;
mod recurrent;
mod reduce;
mod resize;
mod signal;
mod window;

pub(crate) use movement::part;
pub(crate) use quantize::{all_bytes, whole_plane};

use crate::error::NodeError;
use crate::import::context::{Context, Lowered};

/// Operators that are today what they were in operator set 1.
const UNCHANGED: [&str; 8] = [
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Identity",
    "LRN",
    "Not",
    "Softplus",
    "Softsign",
    "Transpose",
];

/// Lowers the context's node.
pub(crate) fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    match (c.node.domain, c.node.op_type) {
        // Before operator set 7 broadcasting was asked for by attributes, and much else was different.
        ("", op) if c.opset < 7 && !UNCHANGED.contains(&op) => Err(NodeError::Operator),
        ("", op) => match op {
            "Identity" | "Dropout" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze"
            | "Transpose" | "Concat" | "Split" | "Slice" | "Gather" | "GatherElements"
            | "Expand" | "Tile" | "Pad" | "DepthToSpace" | "SpaceToDepth" => movement::lower(c),
            "Shape" | "Size" | "Constant" | "ConstantOfShape" | "Range" => constant::lower(c),
            "MatMul" | "Gemm" | "Conv" | "MatMulInteger" | "ConvInteger" => contraction::lower(c),
            "QuantizeLinear"
            | "DequantizeLinear"
            | "DynamicQuantizeLinear"
            | "QLinearMatMul"
            | "QLinearConv" => quantize::lower(c),
            "MaxPool" | "AveragePool" | "GlobalAveragePool" | "GlobalMaxPool" | "LpPool"
            | "MaxUnpool" | "LRN" => window::lower(c),
            "Softmax"
            | "LogSoftmax"
            | "Hardmax"
            | "LayerNormalization"
            | "BatchNormalization"
            | "InstanceNormalization"
            | "GroupNormalization"
            | "LpNormalization"
            | "MeanVarianceNormalization" => normalise::lower(c),
            "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1"
            | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceSumSquare" | "ArgMax"
            | "ArgMin" => reduce::lower(c),
            "ConvTranspose" | "Trilu" | "CenterCropPad" | "Col2Im" => composite::lower(c),
            "Resize" | "Upsample" => Ok(vec![resize::resize(c)?]),
            "RNN" | "LSTM" | "GRU" => recurrent::lower(c),
            "Einsum" => Ok(vec![einsum::einsum(c)?]),
            "TopK" | "GatherND" | "ScatterElements" | "Scatter" | "ScatterND" | "CumSum"
            | "CumProd" | "OneHot" | "EyeLike" | "Compress" | "NonZero" | "Unique"
            | "ReverseSequence" | "TensorScatter" => indexing::lower(c),
            "Attention"
            | "RMSNormalization"
            | "RotaryEmbedding"
            | "CausalConvWithState"
            | "LinearAttention" => attention::lower(c),
            "NegativeLogLikelihoodLoss" | "SoftmaxCrossEntropyLoss" => loss::lower(c),
            "HannWindow" | "HammingWindow" | "BlackmanWindow" | "MelWeightMatrix" | "DFT"
            | "STFT" | "AffineGrid" => signal::lower(c),
            "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike"
            | "Multinomial" | "Bernoulli" => Err(NodeError::Random),
            _ => math::lower(c),
        },
        ("com.microsoft", _) => quantize::lower(c),
        _ => Err(NodeError::Operator),
    }
}
