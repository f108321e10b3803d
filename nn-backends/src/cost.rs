//! What running a graph costs, from types and shapes alone.

use aivm_gas::NnPrices;

use crate::graph::{Graph, Info, Node};
use crate::infer::Operands;
use crate::memory;
use crate::op::{Binary, Op, Unary};

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
    /// Every operation in order.
    pub per_op: Vec<OpCost>,
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
        Op::Reshape(_) | Op::Transpose(_) | Op::Expand(_) | Op::Concat(_) | Op::Slice(_) => {
            c.moved = bytes;
        }
        Op::Gather(_) | Op::GatherElements(_) => {
            c.moved = bytes;
            c.element_int = operands
                .0
                .get(1)
                .copied()
                .flatten()
                .map_or(0, Info::elements);
        }
        Op::Pad(..) => c.moved = bytes.saturating_mul(2),
        Op::BitCast(_) => c.moved = bytes,
        Op::Narrow(..) => c.element_f32 = n.saturating_mul(2),
        Op::Cumulate { .. } => elements(&mut c, n),
        // Sorted by comparisons: as many for each element as its axis' length has bits.
        Op::TopK { axis, .. } => {
            let len = x.and_then(|x| x.shape.get(*axis)).copied().unwrap_or(1) as u64;
            let bits = u64::from(u64::BITS - len.leading_zeros());
            c.element_int = read.saturating_mul(bits);
            c.moved = bytes;
        }
        Op::GatherNd(_) | Op::ScatterElements(..) | Op::ScatterNd(_) => {
            c.moved = bytes.saturating_add(operands.optional(2).map_or(0, Info::bytes));
            c.element_int = operands.optional(1).map_or(0, Info::elements);
            if matches!(op, Op::ScatterElements(..) | Op::ScatterNd(_)) {
                let updates = operands.optional(2).map_or(0, Info::elements);
                c.element_f32 = if float { updates } else { 0 };
                c.element_int = c
                    .element_int
                    .saturating_add(if float { 0 } else { updates });
            }
        }
        Op::PoolIndices(window, _) => {
            c.element_int = n.saturating_mul((window.kernel[0] * window.kernel[1]) as u64);
        }
        Op::Cast(_) => elements(&mut c, n),
        Op::Where => c.element_int = n,
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
        Op::Binary(Binary::Div | Binary::Fmod) if float => c.divide_f32 = n,
        Op::Binary(Binary::Pow) if float => c.transcendental_f32 = n.saturating_mul(4),
        // Squares and products for each bit of the exponent.
        Op::Binary(Binary::Pow) => c.element_int = n.saturating_mul(128),
        Op::Unary(_) | Op::Binary(_) => elements(&mut c, n),
        Op::Table(..) => c.element_int = n,
        Op::Reduce(..) | Op::ArgReduce { .. } => {
            elements(&mut c, read);
            if float {
                c.divide_f32 = n;
            }
        }
        Op::Softmax => {
            c.element_f32 = n.saturating_mul(3);
            c.transcendental_f32 = n;
            c.divide_f32 = n;
        }
        Op::MatMul => c.mac_f32 = n.saturating_mul(x.map_or(0, |x| inner(&x.shape))),
        Op::Conv(shape) => {
            c.mac_f32 = n.saturating_mul(shape.depth() as u64);
            c.element_f32 = n;
        }
        Op::MatMulInteger | Op::QMatMul(_) => {
            c.mac_int8 = n.saturating_mul(x.map_or(0, |x| inner(&x.shape)));
            c.element_int = n;
            if matches!(op, Op::QMatMul(_)) {
                c.requantize = n;
            }
        }
        Op::ConvInteger(shape) | Op::QConv(shape, _) => {
            c.mac_int8 = n.saturating_mul(shape.depth() as u64);
            c.element_int = n;
            if matches!(op, Op::QConv(..)) {
                c.requantize = n;
            }
        }
        Op::QAdd { .. } => c.requantize = n.saturating_mul(2),
        Op::QMul { .. } => c.requantize = n,
        Op::QAveragePool { window, .. } => {
            c.element_int = n.saturating_mul((window.kernel[0] * window.kernel[1]) as u64);
            c.requantize = n;
        }
        Op::Quantize { .. } => {
            c.divide_f32 = n;
            c.element_f32 = n;
        }
        Op::Dequantize { .. } => c.element_f32 = n.saturating_mul(2),
        Op::DynamicQuantize => {
            c.element_f32 = read.saturating_mul(3);
            c.divide_f32 = read;
        }
        Op::Pool { window, .. } => {
            elements(
                &mut c,
                n.saturating_mul((window.kernel[0] * window.kernel[1]) as u64),
            );
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
    Quote {
        gas: prices.infer_base.saturating_add(total.div_ceil(1000)),
        macs: macs(graph),
        memory: memory::memory(graph),
        profile: profile(graph),
        per_op,
    }
}
