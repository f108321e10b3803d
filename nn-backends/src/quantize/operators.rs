//! What the operators of ONNX are to a quantiser.

use crate::onnx::schema::{Attribute, NodeProto};

/// How an operator can be computed on 8-bit integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `Conv`, `Gemm`, `MatMul`: the reason to quantise at all.
    Contraction,
    /// A function of each element of one tensor.
    Function,
    /// A sum, product, maximum or minimum of two tensors, element by element.
    Pair,
    /// Another function of two tensors: only with a constant.
    FunctionOfTwo,
    /// Moves elements, or takes the greatest: the result has its operand's scale.
    Movement,
    /// Joins or averages: the result has a scale of its own.
    Joining,
    /// Nothing of that.
    None,
}

pub(super) fn kind(node: &NodeProto<'_>) -> Kind {
    if !node.domain.is_empty() {
        return Kind::None;
    }
    match node.op_type {
        "Conv" | "Gemm" | "MatMul" => Kind::Contraction,
        "Relu" | "LeakyRelu" | "Sigmoid" | "Tanh" | "HardSigmoid" | "HardSwish" | "Elu"
        | "Selu" | "Celu" | "Softplus" | "Softsign" | "ThresholdedRelu" | "Erf" | "Gelu"
        | "Mish" | "Swish" | "Abs" | "Neg" | "Exp" | "Log" | "Sqrt" | "Reciprocal" | "Sin"
        | "Cos" | "Atan" | "Floor" | "Ceil" | "Round" | "Sign" | "Clip" => Kind::Function,
        "Add" | "Mul" | "Max" | "Min" => Kind::Pair,
        "Sub" | "Div" | "Pow" => Kind::FunctionOfTwo,
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Slice" | "Identity"
        | "Dropout" | "Gather" | "MaxPool" | "GlobalMaxPool" | "Expand" | "ReduceMax"
        | "ReduceMin" | "DepthToSpace" | "SpaceToDepth" | "Split" | "Tile" => Kind::Movement,
        "Concat" | "Pad" | "AveragePool" | "GlobalAveragePool" | "ReduceMean" => Kind::Joining,
        "Resize" if nearest(node) => Kind::Movement,
        _ => Kind::None,
    }
}

fn nearest(node: &NodeProto<'_>) -> bool {
    match node.attributes.get("mode") {
        None => true,
        Some(Attribute::String(mode)) => *mode == b"nearest",
        Some(_) => false,
    }
}

/// Whether the operator says that the model is quantised.
pub(super) fn is_quantized(node: &NodeProto<'_>) -> bool {
    let op = node.op_type;
    op.starts_with("QLinear")
        || matches!(
            op,
            "QuantizeLinear"
                | "DequantizeLinear"
                | "DynamicQuantizeLinear"
                | "MatMulInteger"
                | "ConvInteger"
                | "QGemm"
                | "DynamicQuantizeMatMul"
                | "MatMulIntegerToFloat"
        )
}

/// First operator set with scales by channel.
pub(super) const OPSET: i64 = 13;

/// Whether a node of operator set 11 or 12 means the same in 13. `rank` is that of its first operand.
pub(super) fn same_in_13(node: &NodeProto<'_>, rank: Option<usize>) -> bool {
    match node.op_type {
        // Parameters became operands.
        "Squeeze" | "Unsqueeze" | "Split" | "ReduceSum" | "Dropout" => false,
        "Resize" | "If" | "Loop" | "Scan" | "Celu" | "GatherND" => false,
        // One axis since 13; before, that axis and all behind it.
        "Softmax" | "LogSoftmax" | "Hardmax" => rank.is_some_and(|rank| {
            let last = rank as i64 - 1;
            let axis = match node.attributes.get("axis") {
                Some(Attribute::Int(axis)) => *axis,
                _ => 1,
            };
            axis == last || (axis == -1 && node.attributes.contains_key("axis"))
        }),
        _ => node.domain.is_empty(),
    }
}
