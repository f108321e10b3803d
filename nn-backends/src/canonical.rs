//! The canonical form of a model, and its hash.
//!
//! Numbers are 8 bytes, little-endian; lists start with their length; an operation is its name and its
//! parameters. Names of nodes, documentation and the order in which the file lists its weights leave no
//! trace; names of inputs and outputs do.

use crate::array::Array;
use crate::graph::{Graph, ValueId};
use crate::kernels::ConvShape;
use crate::op::{Binary, Op, PadMode, Reduce, Requantize, Scatter, Unary, Window};
use crate::tensor::{ElementType, TensorInfo};

/// First bytes of every canonical form; raised when the meaning of an operation changes.
const VERSION: &[u8] = b"aivm-nn model 1";

/// Where bytes go: the hash never holds the whole form in memory.
struct Encoder<W: FnMut(&[u8])>(W);

/// BLAKE3 of the canonical form.
pub(crate) fn hash(graph: &Graph, inputs: &[TensorInfo], outputs: &[TensorInfo]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    encode(graph, inputs, outputs, |bytes| {
        hasher.update(bytes);
    });
    *hasher.finalize().as_bytes()
}

fn encode(graph: &Graph, inputs: &[TensorInfo], outputs: &[TensorInfo], sink: impl FnMut(&[u8])) {
    let mut e = Encoder(sink);
    e.bytes(VERSION);
    for (list, ids) in [(inputs, &graph.inputs), (outputs, &graph.outputs)] {
        e.num(list.len());
        for (info, id) in list.iter().zip(ids) {
            e.bytes(info.name.as_bytes());
            e.ty(info.ty);
            e.list(info.shape.iter().map(|d| *d as usize));
            e.id(*id);
        }
    }
    e.num(graph.constants.len());
    for (id, array) in &graph.constants {
        e.id(*id);
        e.array(array);
    }
    e.num(graph.nodes.len());
    for node in &graph.nodes {
        e.op(&node.op);
        e.num(node.inputs.len());
        for id in &node.inputs {
            match id {
                None => e.num(0),
                Some(id) => e.num(id.index() + 1),
            }
        }
        e.list(node.outputs.iter().map(|id| id.index()));
    }
}

impl<W: FnMut(&[u8])> Encoder<W> {
    fn num(&mut self, n: usize) {
        (self.0)(&(n as u64).to_le_bytes());
    }

    fn signed(&mut self, n: i64) {
        (self.0)(&n.to_le_bytes());
    }

    fn float(&mut self, x: f32) {
        (self.0)(&x.to_bits().to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.num(bytes.len());
        (self.0)(bytes);
    }

    fn ty(&mut self, ty: ElementType) {
        (self.0)(&[ty.code()]);
    }

    fn id(&mut self, id: ValueId) {
        self.num(id.index());
    }

    fn list(&mut self, items: impl ExactSizeIterator<Item = usize>) {
        self.num(items.len());
        for item in items {
            self.num(item);
        }
    }

    fn array(&mut self, array: &Array) {
        self.ty(array.ty());
        self.list(array.shape.iter().copied());
        self.bytes(&array.data.le_bytes());
    }

    fn conv(&mut self, c: &ConvShape) {
        let ConvShape {
            channels_in,
            channels_out,
            groups,
            input,
            kernel,
            strides,
            dilations,
            pads,
        } = c;
        for n in [channels_in, channels_out, groups] {
            self.num(*n);
        }
        for n in input
            .iter()
            .chain(kernel)
            .chain(strides)
            .chain(dilations)
            .chain(pads)
        {
            self.num(*n);
        }
    }

    fn requantize(&mut self, r: &Requantize) {
        self.num(r.scales.len());
        for scale in &r.scales {
            self.float(*scale);
        }
        self.signed(r.zero.into());
        self.ty(r.ty);
    }

    fn window(&mut self, w: &Window) {
        let Window {
            kernel,
            strides,
            dilations,
            pads,
            end_pads,
            output,
        } = w;
        for n in [kernel, strides, dilations, pads, end_pads, output]
            .into_iter()
            .flatten()
        {
            self.num(*n);
        }
    }

    fn op(&mut self, op: &Op) {
        self.bytes(op.name().as_bytes());
        match op {
            Op::Reshape(list) | Op::Transpose(list) | Op::Expand(list) => {
                self.list(list.iter().copied());
            }
            Op::Concat(axis) | Op::Gather(axis) | Op::GatherElements(axis) => self.num(*axis),
            Op::Slice(axes) => {
                self.num(axes.len());
                for (start, step, len) in axes {
                    self.num(*start);
                    self.signed(*step as i64);
                    self.num(*len);
                }
            }
            Op::Pad(pads, mode) => {
                self.num(pads.len());
                for (before, after) in pads {
                    self.signed(*before as i64);
                    self.signed(*after as i64);
                }
                self.num(match mode {
                    PadMode::Constant => 0,
                    PadMode::Edge => 1,
                    PadMode::Reflect => 2,
                    PadMode::Wrap => 3,
                });
            }
            Op::Cast(ty) => self.ty(*ty),
            Op::Unary(f) => self.bytes(unary(*f).as_bytes()),
            Op::Binary(f) => self.bytes(binary(*f).as_bytes()),
            Op::Table(table, ty) => {
                (self.0)(&table[..]);
                self.ty(*ty);
            }
            Op::Reduce(kind, axes) => {
                self.bytes(reduce(*kind).as_bytes());
                self.list(axes.iter().copied());
            }
            Op::ArgReduce { max, axis, last } => {
                self.num(usize::from(*max));
                self.num(*axis);
                self.num(usize::from(*last));
            }
            Op::Conv(c) | Op::ConvInteger(c) => self.conv(c),
            Op::QMatMul(r) => self.requantize(r),
            Op::QConv(c, r) => {
                self.conv(c);
                self.requantize(r);
            }
            Op::QAdd {
                zeros,
                scales,
                zero,
                ty,
            } => {
                zeros.iter().for_each(|z| self.signed((*z).into()));
                scales.iter().for_each(|s| self.float(*s));
                self.signed((*zero).into());
                self.ty(*ty);
            }
            Op::QMul { zeros, requantize } => {
                zeros.iter().for_each(|z| self.signed((*z).into()));
                self.requantize(requantize);
            }
            Op::QAveragePool {
                window,
                count_padding,
                x_zero,
                requantize,
            } => {
                self.window(window);
                self.num(usize::from(*count_padding));
                self.signed((*x_zero).into());
                self.requantize(requantize);
            }
            Op::Quantize { axis, ty } => {
                self.num(*axis);
                self.ty(*ty);
            }
            Op::Dequantize { axis } => self.num(*axis),
            Op::Pool {
                average,
                count_padding,
                window,
            } => {
                self.num(usize::from(*average));
                self.num(usize::from(*count_padding));
                self.window(window);
            }
            Op::BitCast(ty) => self.ty(*ty),
            Op::Narrow(format, saturate) => {
                self.bytes(format.name().as_bytes());
                self.num(usize::from(*saturate));
            }
            Op::Cumulate {
                product,
                axis,
                exclusive,
                reverse,
            } => {
                self.num(*axis);
                for flag in [product, exclusive, reverse] {
                    self.num(usize::from(*flag));
                }
            }
            Op::TopK { axis, k, largest } => {
                self.num(*axis);
                self.num(*k);
                self.num(usize::from(*largest));
            }
            Op::GatherNd(batch) => self.num(*batch),
            Op::ScatterElements(axis, how) => {
                self.num(*axis);
                self.bytes(scatter(*how).as_bytes());
            }
            Op::ScatterNd(how) => self.bytes(scatter(*how).as_bytes()),
            Op::PoolIndices(window, columns) => {
                self.window(window);
                self.num(usize::from(*columns));
            }
            Op::Where | Op::Softmax | Op::MatMul | Op::MatMulInteger | Op::DynamicQuantize => {}
        }
    }
}

fn unary(f: Unary) -> &'static str {
    match f {
        Unary::Neg => "neg",
        Unary::Abs => "abs",
        Unary::Sign => "sign",
        Unary::Not => "not",
        Unary::BitNot => "bit-not",
        Unary::Floor => "floor",
        Unary::Ceil => "ceil",
        Unary::Round => "round",
        Unary::Sqrt => "sqrt",
        Unary::Reciprocal => "reciprocal",
        Unary::Exp => "exp",
        Unary::Log => "log",
        Unary::Erf => "erf",
        Unary::Tanh => "tanh",
        Unary::Sigmoid => "sigmoid",
        Unary::Sin => "sin",
        Unary::Cos => "cos",
        Unary::Tan => "tan",
        Unary::Asin => "asin",
        Unary::Acos => "acos",
        Unary::Atan => "atan",
        Unary::Sinh => "sinh",
        Unary::Cosh => "cosh",
        Unary::Asinh => "asinh",
        Unary::Acosh => "acosh",
        Unary::Atanh => "atanh",
    }
}

fn binary(f: Binary) -> &'static str {
    match f {
        Binary::Add => "add",
        Binary::Sub => "sub",
        Binary::Mul => "mul",
        Binary::Div => "div",
        Binary::Mod => "mod",
        Binary::Fmod => "fmod",
        Binary::Min => "min",
        Binary::Max => "max",
        Binary::Pow => "pow",
        Binary::And => "and",
        Binary::Or => "or",
        Binary::Xor => "xor",
        Binary::BitAnd => "bit-and",
        Binary::BitOr => "bit-or",
        Binary::BitXor => "bit-xor",
        Binary::ShiftLeft => "shift-left",
        Binary::ShiftRight => "shift-right",
        Binary::Equal => "equal",
        Binary::Less => "less",
        Binary::LessOrEqual => "less-or-equal",
        Binary::Greater => "greater",
        Binary::GreaterOrEqual => "greater-or-equal",
    }
}

fn scatter(how: Scatter) -> &'static str {
    match how {
        Scatter::Replace => "replace",
        Scatter::Add => "add",
        Scatter::Mul => "mul",
        Scatter::Max => "max",
        Scatter::Min => "min",
    }
}

fn reduce(kind: Reduce) -> &'static str {
    match kind {
        Reduce::Sum => "sum",
        Reduce::Mean => "mean",
        Reduce::Max => "max",
        Reduce::Min => "min",
        Reduce::Prod => "prod",
    }
}
