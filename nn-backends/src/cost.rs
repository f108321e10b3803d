//! What running a graph costs, from types and shapes alone.

use aivm_gas::NnPrices;

use crate::graph::{Graph, Info, Node};
use crate::infer::Operands;
use crate::kernels::ConvShape;
use crate::memory;
use crate::op::{Binary, Op, Unary, Window};

/// How a model is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Integer arithmetic only.
    Integer,
    /// Some operations run in strict 32-bit floating point.
    StrictF32,
}

/// What one operation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Multiply-accumulates of 8-bit integers.
    pub mac_int8: u64,
    /// Multiply-accumulates of `f32`.
    pub mac_f32: u64,
    /// Multiply-accumulates of 8-bit integers for which there was time beside those: the vectors were filled in part.
    pub idle_int8: u64,
    /// The same of `f32`.
    pub idle_f32: u64,
    /// Integer operations on elements, comparisons and table look-ups.
    pub element_int: u64,
    /// Elements requantised.
    pub requantize: u64,
    /// `f32` additions, multiplications, comparisons and conversions.
    pub element_f32: u64,
    /// `f32` divisions and square roots.
    pub divide_f32: u64,
    /// `f32` exp, log, tanh, erf and sigmoid.
    pub transcendental_f32: u64,
    /// Bytes moved.
    pub moved: u64,
    /// Bytes of the results.
    pub memory: u64,
}

impl Counts {
    /// Multiply-accumulates of any type.
    pub fn macs(&self) -> u64 {
        self.mac_int8.saturating_add(self.mac_f32)
    }

    /// Thousandths of gas.
    fn milligas(&self, p: &NnPrices) -> u64 {
        [
            (self.mac_int8, p.mac_int8_milligas),
            (self.mac_f32, p.mac_f32_milligas),
            (self.idle_int8, p.mac_int8_milligas),
            (self.idle_f32, p.mac_f32_milligas),
            (self.element_int, p.element_int_milligas),
            (self.requantize, p.requantize_milligas),
            (self.element_f32, p.element_f32_milligas),
            (self.divide_f32, p.divide_f32_milligas),
            (self.transcendental_f32, p.transcendental_f32_milligas),
            (self.moved, p.byte_moved_milligas),
            (self.memory, p.byte_memory_milligas),
        ]
        .iter()
        .fold(0, |sum, (n, price)| {
            sum.saturating_add(n.saturating_mul(*price))
        })
    }
}

/// The cost of one operation of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpCost {
    /// Name of the node in the model file.
    pub node: String,
    /// Short name of the operation.
    pub op: &'static str,
    /// Thousandths of gas.
    pub milligas: u64,
    /// What is charged for.
    pub counts: Counts,
}

/// What an inference costs. The quote is the charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Gas, rounded up once.
    pub gas: u64,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Memory high-water mark in bytes, a bound that holds on every backend: weights, as they are and packed, all
    /// tensors alive at once, and room to work in.
    pub memory: u64,
    /// How the model is computed.
    pub profile: Profile,
    /// Thousandths of gas for what crosses the border: inputs and outputs are copied.
    pub border_milligas: u64,
    /// Every operation in order.
    pub per_op: Vec<OpCost>,
}

/// Element operations that a product of its own takes beside its size: an entry of a batch, a group, a row of a softmax.
const PRODUCT: u64 = 128;

/// Multiply-accumulates that `products` products of `m` × `k` with `k` × `n` take the time of. Vectors that are filled in
/// part take as long as full ones; sums in single precision have an order, so that few columns take the longest.
fn product(products: u64, (m, k, n): (u64, u64, u64), float: bool) -> u64 {
    let (rows, columns) = match float {
        false => (4, 16),
        true if m <= 8 => (1, 32),
        true => (1, 8),
    };
    [m.max(rows), k, n.max(columns)]
        .into_iter()
        .fold(products, u64::saturating_mul)
}

/// As [`product`], of matrices that give a result of `n` elements.
fn matrices(c: &mut Counts, x: Option<&Info>, result: Option<&Info>, float: bool) {
    let n = result.map_or(0, Info::elements);
    let k = x.map_or(1, |x| x.shape.last().copied().unwrap_or(1) as u64);
    let side = |from_end: usize| {
        let shape = result.map_or(&[][..], |r| &r.shape);
        let place = shape.len().checked_sub(from_end);
        place.map_or(1, |place| shape[place] as u64)
    };
    let (rows, columns) = (side(2), side(1));
    let products = n / rows.saturating_mul(columns).max(1);
    let macs = n.saturating_mul(k);
    let idle = product(products, (rows, k, columns), float).saturating_sub(macs);
    let more = products.saturating_sub(1).saturating_mul(PRODUCT);
    match float {
        true => (c.mac_f32, c.idle_f32, c.element_f32) = (macs, idle, more),
        false => (c.mac_int8, c.idle_int8, c.element_int) = (macs, idle, n.saturating_add(more)),
    }
}

/// As [`product`], of convolutions that give `n` elements in batches of `batch`.
fn convolutions(c: &mut Counts, shape: &ConvShape, batch: u64, n: u64, float: bool) {
    let depth = shape.depth() as u64;
    let products = batch.saturating_mul(shape.groups as u64);
    let more = products.saturating_sub(1).saturating_mul(PRODUCT);
    let macs = n.saturating_mul(depth);
    let rows = (shape.channels_out / shape.groups.max(1)) as u64;
    let positions = n / products.saturating_mul(rows).max(1);
    // Where taps lie far apart, one after the other.
    let (time, each) = match (shape.is_sparse(), float) {
        (true, true) => (macs.saturating_mul(16), 20),
        (true, false) => (macs.saturating_mul(160), 20),
        (false, true) => (macs, 1),
        (false, false) => (product(products, (positions, depth, rows), false), 1),
    };
    let idle = time.saturating_sub(macs);
    let elements = n.saturating_mul(each).saturating_add(more);
    match float {
        true => (c.mac_f32, c.idle_f32, c.element_f32) = (macs, idle, elements),
        false => (c.mac_int8, c.idle_int8, c.element_int) = (macs, idle, elements),
    }
}

/// Operations of a pool of `n` results, one for each tap of each.
fn taps(window: &Window, n: u64) -> u64 {
    let far = |axis: usize| {
        let reach = window.kernel[axis]
            .saturating_sub(1)
            .saturating_mul(window.dilations[axis]);
        reach > window.output[axis].saturating_mul(8)
    };
    let each = if far(0) || far(1) { 80 } else { 1 };
    n.saturating_mul((window.kernel[0] * window.kernel[1]) as u64)
        .saturating_mul(each)
}

/// Whether an operand of more than four dimensions is repeated along some.
fn repeated(operand: &Info, results: &[Info]) -> bool {
    let result = results.first();
    result.is_some_and(|r| r.shape.len() > 4 && r.shape != operand.shape)
}

/// What `op` does, for operands and results of these types and shapes.
pub(crate) fn counts(op: &Op, operands: &Operands<'_>, results: &[Info]) -> Counts {
    let x = operands.0.first().copied().flatten();
    let n = results
        .iter()
        .map(Info::elements)
        .fold(0, u64::saturating_add);
    let bytes = results.iter().map(Info::bytes).fold(0, u64::saturating_add);
    let read = x.map_or(0, Info::elements);
    let float =
        results.first().is_some_and(|r| r.ty.is_float()) || x.is_some_and(|x| x.ty.is_float());
    let inner = |shape: &[usize]| shape.last().copied().unwrap_or(1) as u64;
    let mut c = Counts {
        memory: bytes,
        ..Counts::default()
    };
    let elements = |c: &mut Counts, n: u64| {
        if float {
            c.element_f32 = n;
        } else {
            c.element_int = n;
        }
    };
    match op {
        Op::Reshape(_) | Op::Transpose(_) | Op::Expand(_) | Op::Slice(_) => {
            c.moved = bytes;
        }
        // Each operand gives a piece for each place before the axis.
        Op::Concat(axis) => {
            c.moved = bytes;
            let before = results.first().map_or(&[][..], |r| &r.shape);
            let before = before.iter().take(*axis).map(|d| *d as u64);
            let pieces = before.fold(operands.0.len() as u64, u64::saturating_mul);
            c.element_int = pieces.saturating_mul(5);
        }
        Op::Gather(_) | Op::GatherElements(_) => {
            c.moved = bytes;
            let indices = operands.optional(1).map_or(0, Info::elements);
            c.element_int = indices.saturating_mul(8);
        }
        Op::Pad(..) => c.moved = bytes.saturating_mul(3),
        Op::BitCast(_) => c.moved = bytes,
        Op::Narrow(..) => c.element_f32 = n.saturating_mul(2),
        Op::Cumulate { .. } => elements(&mut c, n.saturating_mul(5)),
        // Sorted by comparisons: as many for each element as its axis' length has bits, and two to begin with.
        Op::TopK { axis, .. } => {
            let len = x.and_then(|x| x.shape.get(*axis)).copied().unwrap_or(1) as u64;
            let bits = u64::from(u64::BITS - len.leading_zeros()) + 2;
            c.element_int = read.saturating_mul(bits);
            c.moved = bytes;
        }
        Op::GatherNd(_) | Op::ScatterElements(..) | Op::ScatterNd(_) => {
            c.moved = bytes.saturating_add(operands.optional(2).map_or(0, Info::bytes));
            c.element_int = operands.optional(1).map_or(0, Info::elements);
            c.element_int = c.element_int.saturating_mul(4);
            if matches!(op, Op::ScatterElements(..) | Op::ScatterNd(_)) {
                let updates = operands.optional(2).map_or(0, Info::elements);
                c.element_f32 = if float { updates } else { 0 };
                c.element_int = c
                    .element_int
                    .saturating_add(if float { 0 } else { updates });
            }
        }
        Op::PoolIndices(window, _) => c.element_int = taps(window, n),
        Op::Cast(_) => elements(&mut c, n),
        Op::Where => c.element_int = n.saturating_mul(3),
        Op::Unary(f) if float => match f {
            Unary::Sqrt | Unary::Reciprocal => c.divide_f32 = n,
            Unary::Neg
            | Unary::Abs
            | Unary::Sign
            | Unary::Floor
            | Unary::Ceil
            | Unary::Round
            | Unary::Not
            | Unary::BitNot => c.element_f32 = n,
            // Those of the last line run in double precision or in scalar code.
            Unary::Exp | Unary::Log | Unary::Erf | Unary::Tanh | Unary::Sigmoid => {
                c.transcendental_f32 = n;
            }
            _ => c.transcendental_f32 = n.saturating_mul(4),
        },
        Op::Binary(Binary::Div) if float => c.divide_f32 = n,
        Op::Binary(Binary::Fmod) if float => c.divide_f32 = n.saturating_mul(4),
        Op::Binary(Binary::Div | Binary::Mod | Binary::Fmod) if !float => {
            c.element_int = n.saturating_mul(5);
        }
        Op::Binary(Binary::Pow) if float => c.transcendental_f32 = n.saturating_mul(4),
        // Squares and products for each bit of the exponent.
        Op::Binary(Binary::Pow) => c.element_int = n.saturating_mul(128),
        // Operands of many dimensions that are repeated are read one element at a time.
        Op::Binary(_) if operands.0.iter().flatten().any(|o| repeated(o, results)) => {
            elements(&mut c, n.saturating_mul(4));
        }
        Op::Unary(_) | Op::Binary(_) => elements(&mut c, n),
        Op::Table(..) => c.element_int = n,
        Op::Reduce(..) | Op::ArgReduce { .. } => {
            elements(&mut c, read.saturating_mul(4));
            if float {
                c.divide_f32 = n;
            }
        }
        Op::Softmax => {
            let rows = n / x.map_or(1, |x| inner(&x.shape)).max(1);
            c.element_f32 = n
                .saturating_mul(3)
                .saturating_add(rows.saturating_mul(PRODUCT));
            c.transcendental_f32 = n;
            c.divide_f32 = n;
        }
        Op::MatMul => matrices(&mut c, x, results.first(), true),
        Op::MatMulInteger | Op::QMatMul(_) => {
            matrices(&mut c, x, results.first(), false);
            if matches!(op, Op::QMatMul(_)) {
                c.requantize = n;
            }
        }
        Op::Conv(shape) | Op::ConvInteger(shape) | Op::QConv(shape, _) => {
            let batch = x
                .and_then(|x| x.shape.first())
                .map_or(1, |batch| *batch as u64);
            convolutions(&mut c, shape, batch, n, matches!(op, Op::Conv(_)));
            if matches!(op, Op::QConv(..)) {
                c.requantize = n;
            }
        }
        Op::QAdd { .. } => c.requantize = n.saturating_mul(2),
        Op::QMul { .. } => c.requantize = n,
        Op::QAveragePool { window, .. } => {
            c.element_int = taps(window, n);
            c.requantize = n;
        }
        Op::Quantize { .. } => {
            c.divide_f32 = n;
            c.element_f32 = n.saturating_mul(4);
        }
        Op::Dequantize { .. } => c.element_f32 = n.saturating_mul(4),
        Op::DynamicQuantize => {
            c.element_f32 = read.saturating_mul(3);
            c.divide_f32 = read;
        }
        Op::Pool {
            window, average, ..
        } => {
            // A mean is added up one tap at a time.
            let each = if float && *average { 6 } else { 1 };
            elements(&mut c, taps(window, n).saturating_mul(each));
            if float {
                c.divide_f32 = n;
            }
        }
    }
    c
}

/// Steps that folding this operation takes.
pub(crate) fn work(op: &Op, operands: &Operands<'_>, results: &[Info]) -> u64 {
    let c = counts(op, operands, results);
    [
        c.macs(),
        c.idle_int8,
        c.idle_f32,
        c.element_int,
        c.element_f32,
        c.divide_f32,
        c.transcendental_f32.saturating_mul(8),
        c.moved,
        c.memory,
    ]
    .into_iter()
    .fold(1, u64::saturating_add)
}

/// Whether any value is a float.
pub(crate) fn profile(graph: &Graph) -> Profile {
    if graph.values.iter().any(|v| v.ty.is_float()) {
        Profile::StrictF32
    } else {
        Profile::Integer
    }
}

/// For each value, the index of the last node that uses it; outputs live past the end.
pub(crate) fn last_uses(graph: &Graph) -> Vec<usize> {
    let mut last = vec![0; graph.values.len()];
    for (i, node) in graph.nodes.iter().enumerate() {
        for id in node.inputs.iter().flatten().chain(&node.outputs) {
            last[id.index()] = i;
        }
    }
    for id in &graph.outputs {
        last[id.index()] = usize::MAX;
    }
    last
}

/// What each operation does.
fn each(graph: &Graph) -> impl Iterator<Item = (&Node, Counts)> {
    graph.nodes.iter().map(|node| {
        let operands = Operands(
            node.inputs
                .iter()
                .map(|id| id.map(|id| graph.info(id)))
                .collect(),
        );
        let results: Vec<Info> = node
            .outputs
            .iter()
            .map(|id| graph.info(*id).clone())
            .collect();
        (node, counts(&node.op, &operands, &results))
    })
}

/// Multiply-accumulates of one inference.
pub(crate) fn macs(graph: &Graph) -> u64 {
    each(graph).fold(0, |sum, (_, counts)| sum.saturating_add(counts.macs()))
}

/// The price of one inference.
/// Element operations that a tensor takes on its way in or out beside its bytes.
const TENSOR: u64 = 256;

/// What it takes to bring the inputs in and the outputs out.
fn border(graph: &Graph) -> Counts {
    let ends = || graph.inputs.iter().chain(&graph.outputs);
    let bytes = ends().map(|id| graph.info(*id).bytes());
    Counts {
        moved: bytes.fold(0, u64::saturating_add),
        element_int: (ends().count() as u64).saturating_mul(TENSOR),
        ..Counts::default()
    }
}

pub(crate) fn quote(graph: &Graph, prices: &NnPrices) -> Quote {
    let mut total = 0u64;
    let mut per_op = Vec::with_capacity(graph.nodes.len());
    for (node, counts) in each(graph) {
        let milligas = counts
            .milligas(prices)
            .saturating_add(prices.node_base.saturating_mul(1000));
        total = total.saturating_add(milligas);
        per_op.push(OpCost {
            node: node.name.clone(),
            op: node.op.name(),
            milligas,
            counts,
        });
    }
    let border = border(graph).milligas(prices);
    total = total.saturating_add(border);
    Quote {
        gas: prices.infer_base.saturating_add(total.div_ceil(1000)),
        border_milligas: border,
        macs: macs(graph),
        memory: memory::memory(graph),
        profile: profile(graph),
        per_op,
    }
}
