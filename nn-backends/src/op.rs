//! The operations of the graph: few, with every parameter resolved when the model is loaded.
//!
//! An ONNX operator becomes one or several of them. Convolutions and pooling have two spatial
//! dimensions (one-dimensional ones get a height of 1), reductions keep their axes as 1.

use crate::format::Format;
use crate::kernels::ConvShape;
use crate::tensor::ElementType;

/// What a node computes. Operands are listed in the order of the node's inputs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The same elements in another shape.
    Reshape(Vec<usize>),
    /// Axis `i` of the result is axis `perm[i]` of the operand.
    Transpose(Vec<usize>),
    /// Repeats axes of length 1 to the given shape.
    Expand(Vec<usize>),
    /// Operands one after the other along an axis.
    Concat(usize),
    /// For each axis: first index, step (not 0) and number of elements.
    Slice(Vec<(usize, isize, usize)>),
    /// Operands `x`, `indices`: slices of `x` along an axis. Negative indices count from the end.
    Gather(usize),
    /// Operands `x`, `indices`: elements of `x`, indexed along an axis.
    GatherElements(usize),
    /// Operands `x` and, for [`PadMode::Constant`], a scalar: (before, after) for each axis; negative
    /// numbers cut.
    Pad(Vec<(isize, isize)>, PadMode),
    /// Converts to another element type.
    Cast(ElementType),
    /// The same bits as elements of another type of the same size.
    BitCast(ElementType),
    /// Rounds `f32` elements to the numbers of a narrower format; beyond its greatest number to that
    /// number (`true`), or else to infinity or NaN.
    Narrow(Format, bool),
    /// Sum or product of the elements up to each along an axis.
    Cumulate {
        /// Product rather than sum.
        product: bool,
        /// Axis.
        axis: usize,
        /// Without the element itself.
        exclusive: bool,
        /// From the end.
        reverse: bool,
    },
    /// The `k` greatest or least elements along an axis, best first, of equals the first; results: the
    /// elements and their indices (`i64`). NaN counts as greater than every number.
    TopK {
        /// Axis.
        axis: usize,
        /// How many.
        k: usize,
        /// Greatest rather than least.
        largest: bool,
    },
    /// Operands `x`, `indices` `[…, d]`: the slices of `x` that rows of `d` indices name, after a number of
    /// axes that both share.
    GatherNd(usize),
    /// Operands `x`, `indices`, `updates`: `x` with elements changed, indexed along an axis, in order.
    ScatterElements(usize, Scatter),
    /// Operands `x`, `indices` `[…, d]`, `updates`: `x` with the slices changed that rows of `d` indices
    /// name, in order.
    ScatterNd(Scatter),
    /// For each window of `[n, c, h, w]` the index (`i64`) of its greatest element, the first of equals, in
    /// the whole operand; in planes that run down their columns if `true`.
    PoolIndices(Window, bool),
    /// Operands `condition`, `x`, `y`, broadcast.
    Where,
    /// One operand, element by element.
    Unary(Unary),
    /// Two operands, broadcast, element by element.
    Binary(Binary),
    /// Any function from one 8-bit type to another: element `i` of the table is the result's bits for
    /// the operand's bits `i`.
    Table(Box<[u8; 256]>, ElementType),
    /// Combines the elements along axes (ascending), which stay with length 1.
    Reduce(Reduce, Vec<usize>),
    /// Index (`i64`) of the greatest or least element along an axis, which stays with length 1.
    ArgReduce {
        /// Greatest rather than least.
        max: bool,
        /// Axis.
        axis: usize,
        /// The last of equal elements rather than the first.
        last: bool,
    },
    /// eˣ⁻ᵐᵃˣ over their sum along the last axis.
    Softmax,
    /// Operands `a`, `b`: matrix products of the last two axes, the others broadcast.
    MatMul,
    /// Operands `x`, `weights`, optional `bias`.
    Conv(ConvShape),
    /// Operands `a`, `b`, optional zero points of both; 32-bit accumulators.
    MatMulInteger,
    /// Operands `x`, `weights`, optional zero points of both; 32-bit accumulators.
    ConvInteger(ConvShape),
    /// Operands `a`, `b`, optional zero points of both, optional `i32` bias: an integer product,
    /// requantised, one scale or one for each column.
    QMatMul(Requantize),
    /// Operands `x`, `weights`, optional zero points of both, optional `i32` bias: an integer
    /// convolution, requantised, one scale or one for each output channel.
    QConv(ConvShape, Requantize),
    /// Two 8-bit operands, broadcast: saturate(zero + RNE((a − a_zero)·a_scale + (b − b_zero)·b_scale)).
    QAdd {
        /// Zero points of the operands.
        zeros: [i32; 2],
        /// Scale of each operand over the result's.
        scales: [f32; 2],
        /// Zero point of the result.
        zero: i32,
        /// Type of the result.
        ty: ElementType,
    },
    /// Two 8-bit operands, broadcast: (a − a_zero)·(b − b_zero), requantised.
    QMul {
        /// Zero points of the operands.
        zeros: [i32; 2],
        /// How the product becomes 8 bits.
        requantize: Requantize,
    },
    /// Mean over windows of an 8-bit operand `[n, c, h, w]`: the sum less the zero points,
    /// requantised with scale ÷ count.
    QAveragePool {
        /// Windows.
        window: Window,
        /// Padding counts as elements.
        count_padding: bool,
        /// Zero point of the operand.
        x_zero: i32,
        /// How the sum becomes 8 bits; the scale is for a count of 1.
        requantize: Requantize,
    },
    /// Operands `x`, `scale`, optional zero point: saturate(RNE(x ÷ scale) + zero), along an axis where
    /// the scale is no scalar.
    Quantize {
        /// Axis of the scales.
        axis: usize,
        /// Type of the result.
        ty: ElementType,
    },
    /// Operands `x`, `scale`, optional zero point: (x − zero) · scale.
    Dequantize {
        /// Axis of the scales.
        axis: usize,
    },
    /// Operand `x`; results: `u8` elements, their scale, their zero point.
    DynamicQuantize,
    /// Greatest element or mean over windows of `[n, c, h, w]`.
    Pool {
        /// Mean rather than greatest element.
        average: bool,
        /// Padding counts as elements of a mean.
        count_padding: bool,
        /// Windows.
        window: Window,
    },
}

/// How accumulators become 8-bit elements: see [`Requantizer`](crate::kernels::Requantizer).
#[derive(Clone, Debug, PartialEq)]
pub struct Requantize {
    /// One scale, or one for each channel.
    pub scales: Vec<f32>,
    /// Zero point of the result.
    pub zero: i32,
    /// Type of the result.
    pub ty: ElementType,
}

/// Windows over the last two axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width of a window.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub strides: [usize; 2],
    /// Steps within a window.
    pub dilations: [usize; 2],
    /// Rows and columns added at the top and left.
    pub pads: [usize; 2],
    /// Rows and columns added at the bottom and right, for the count of padded means.
    pub end_pads: [usize; 2],
    /// Height and width of the result.
    pub output: [usize; 2],
}

/// What becomes of an element that is scattered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scatter {
    Replace,
    Add,
    Mul,
    Max,
    Min,
}

/// What a pad consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadMode {
    /// A constant.
    Constant,
    /// The nearest element.
    Edge,
    /// Mirrored, without repeating the edge.
    Reflect,
    /// Periodic.
    Wrap,
}

/// Functions of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Unary {
    Neg,
    Abs,
    Sign,
    Not,
    BitNot,
    Floor,
    Ceil,
    /// To nearest, ties to even.
    Round,
    Sqrt,
    Reciprocal,
    Exp,
    Log,
    Erf,
    Tanh,
    Sigmoid,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
}

/// Functions of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Binary {
    Add,
    Sub,
    Mul,
    /// Integers: towards zero; division by zero is refused.
    Div,
    /// Remainder with the sign of the divisor.
    Mod,
    /// Remainder with the sign of the dividend.
    Fmod,
    Min,
    Max,
    /// Integers: modulo 2ⁿ; negative powers are cut to whole numbers, and 0 has none.
    Pow,
    And,
    Or,
    Xor,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Binary {
    /// Whether the result is boolean whatever the operands are.
    pub fn compares(self) -> bool {
        matches!(
            self,
            Binary::Equal
                | Binary::Less
                | Binary::LessOrEqual
                | Binary::Greater
                | Binary::GreaterOrEqual
        )
    }
}

/// How elements are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reduce {
    Sum,
    Mean,
    Max,
    Min,
    Prod,
}

impl Op {
    /// Short name of the operation, in kebab case; stable.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Reshape(_) => "reshape",
            Op::Transpose(_) => "transpose",
            Op::Expand(_) => "expand",
            Op::Concat(_) => "concat",
            Op::Slice(_) => "slice",
            Op::Gather(_) => "gather",
            Op::GatherElements(_) => "gather-elements",
            Op::Pad(..) => "pad",
            Op::Cast(_) => "cast",
            Op::BitCast(_) => "bit-cast",
            Op::Narrow(..) => "narrow",
            Op::Cumulate { .. } => "cumulate",
            Op::TopK { .. } => "top-k",
            Op::GatherNd(_) => "gather-nd",
            Op::ScatterElements(..) => "scatter-elements",
            Op::ScatterNd(_) => "scatter-nd",
            Op::PoolIndices(..) => "pool-indices",
            Op::Where => "where",
            Op::Unary(_) => "unary",
            Op::Binary(_) => "binary",
            Op::Table(..) => "table",
            Op::Reduce(..) => "reduce",
            Op::ArgReduce { .. } => "arg-reduce",
            Op::Softmax => "softmax",
            Op::MatMul => "mat-mul",
            Op::Conv(_) => "conv",
            Op::MatMulInteger => "mat-mul-integer",
            Op::ConvInteger(_) => "conv-integer",
            Op::QMatMul(_) => "q-mat-mul",
            Op::QConv(..) => "q-conv",
            Op::QAdd { .. } => "q-add",
            Op::QMul { .. } => "q-mul",
            Op::QAveragePool { .. } => "q-average-pool",
            Op::Quantize { .. } => "quantize",
            Op::Dequantize { .. } => "dequantize",
            Op::DynamicQuantize => "dynamic-quantize",
            Op::Pool { .. } => "pool",
        }
    }
}
