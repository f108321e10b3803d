//! One module for each family of operators.

mod composite;
mod contraction;
mod math;
mod movement;
mod normalise;
mod quantize;
mod reduce;
mod window;

pub(crate) use quantize::{all_bytes, whole_plane};

use crate::error::NodeError;
use crate::import::context::{Context, Lowered};

/// Lowers the context's node.
pub(crate) fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    match (c.node.domain, c.node.op_type) {
        ("", op) => match op {
            "Identity" | "Dropout" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze"
            | "Transpose" | "Concat" | "Split" | "Slice" | "Gather" | "GatherElements"
            | "Expand" | "Tile" | "Pad" | "DepthToSpace" | "SpaceToDepth" | "Shape" | "Size"
            | "Constant" | "ConstantOfShape" | "Range" => movement::lower(c),
            "MatMul" | "Gemm" | "Conv" | "MatMulInteger" | "ConvInteger" => contraction::lower(c),
            "QuantizeLinear"
            | "DequantizeLinear"
            | "DynamicQuantizeLinear"
            | "QLinearMatMul"
            | "QLinearConv" => quantize::lower(c),
            "MaxPool" | "AveragePool" | "GlobalAveragePool" | "GlobalMaxPool" => window::lower(c),
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
            "ConvTranspose" | "Resize" | "LSTM" | "GRU" | "Trilu" => composite::lower(c),
            "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike"
            | "Multinomial" | "Bernoulli" => Err(NodeError::Random),
            _ => math::lower(c),
        },
        ("com.microsoft", _) => quantize::lower(c),
        _ => Err(NodeError::Operator),
    }
}
