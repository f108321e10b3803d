//! How much memory an inference needs at most, on whatever backend: a bound from types and shapes alone.
//!
//! Besides the tensors that are alive, an operation needs room to work in: packed weights, a padded input, lists of
//! offsets. What that is differs from one backend to the next, and the number must not; so each term below is a bound
//! over all of them, which `tests/memory.rs` checks against an allocator that counts.

use crate::cost::last_uses;
use crate::graph::{Graph, Info, Node};
use crate::kernels::ConvShape;
use crate::op::Op;

/// Scratch memory of a thread before any operation asks for more.
const BASE: u64 = 64 << 10;
/// What a node needs for itself: its description, its operands' places, its results' headers.
const NODE: u64 = 2 << 10;
/// Widest panel of columns that any kernel has.
const PANEL: u64 = 64;
/// Rows of a left factor that are converted at a time.
const ROWS: u64 = 240;

fn product(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |n, f| n.saturating_mul(*f))
}

fn sum(terms: &[u64]) -> u64 {
    terms.iter().fold(0, |n, t| n.saturating_add(*t))
}

fn panels(n: u64) -> u64 {
    n.saturating_add(PANEL)
}

/// Rows and columns of a matrix, the last two axes.
fn matrix(info: &Info) -> (u64, u64) {
    match info.shape[..] {
        [.., k, n] => (k as u64, n as u64),
        _ => (1, info.elements()),
    }
}

/// Bytes of a `k` × `n` matrix packed into panels, with what goes with each column: elements of one byte, or of four.
fn packed_matrix(k: u64, n: u64, size: u64) -> u64 {
    let columns = panels(n);
    sum(&[
        product(&[k.saturating_add(4), columns, size]),
        product(&[columns, 16]),
    ])
}

/// Bytes of packed weights: as rows, widened to two bytes where that is one, and as columns.
fn packed_conv(shape: &ConvShape, size: u64) -> u64 {
    let (rows, depth) = (shape.channels_out as u64, shape.depth() as u64);
    sum(&[
        product(&[
            rows.saturating_add(64),
            depth.saturating_add(4),
            size.max(2),
        ]),
        packed_matrix(depth, rows, size),
        product(&[depth, 16]),
        product(&[rows, 32]),
    ])
}

/// What an operation keeps from the moment the model is prepared.
fn packed(graph: &Graph, node: &Node) -> u64 {
    let weights = node.inputs.get(1).copied().flatten();
    let constant = |id| graph.constant(id).is_some();
    let weights = match weights.filter(|id| constant(*id)) {
        Some(id) => graph.info(id),
        None => return 0,
    };
    let size = weights.ty.size() as u64;
    let (k, n) = matrix(weights);
    match &node.op {
        // Multipliers of a requantisation, five numbers each, repeated for the widest vector.
        Op::QMatMul(_) => sum(&[packed_matrix(k, n, size), product(&[panels(n), 64])]),
        Op::MatMul | Op::MatMulInteger => packed_matrix(k, n, size),
        Op::Conv(shape) | Op::ConvInteger(shape) => packed_conv(shape, size),
        Op::QConv(shape, _) => sum(&[
            packed_conv(shape, size),
            product(&[panels(shape.channels_out as u64), 64]),
        ]),
        _ => 0,
    }
}

/// What an operation needs while it runs, besides operands and results.
fn workspace(graph: &Graph, node: &Node) -> u64 {
    let elements = |info: &Info| info.elements();
    let results = node.outputs.iter().map(|id| elements(graph.info(*id)));
    let results = results.fold(0, u64::saturating_add);
    let operands = node.inputs.iter().flatten();
    let operands = operands.filter(|id| graph.constant(**id).is_none());
    let operands = operands.map(|id| elements(graph.info(*id)));
    let operands = operands.fold(0, u64::saturating_add);
    // Offsets of elements, widened elements, accumulators.
    let general = sum(&[product(&[results, 64]), product(&[operands, 16])]);
    let own = match &node.op {
        Op::MatMul | Op::MatMulInteger | Op::QMatMul(_) => {
            let right = node.inputs.get(1).copied().flatten();
            let (k, n) = right.map_or((0, 0), |id| matrix(graph.info(id)));
            let variable = right.is_some_and(|id| graph.constant(id).is_none());
            sum(&[
                product(&[ROWS, k.saturating_add(4), 4]),
                product(&[panels(k), 256]),
                product(&[panels(n), 4]),
                if variable { packed_matrix(k, n, 4) } else { 0 },
            ])
        }
        Op::Conv(shape) | Op::ConvInteger(shape) | Op::QConv(shape, _) => {
            let extent = |axis: usize| {
                let padded = sum(&[
                    shape.input[axis] as u64,
                    shape.pads[axis] as u64,
                    shape.pads[axis + 2] as u64,
                ]);
                padded.saturating_add(2 * shape.strides[axis] as u64)
            };
            let channels = (shape.channels_in / shape.groups.max(1)) as u64;
            let right = node.inputs.get(1).copied().flatten();
            let variable = right.is_some_and(|id| graph.constant(id).is_none());
            let size = right.map_or(1, |id| graph.info(id).ty.size() as u64);
            sum(&[
                if variable {
                    packed_conv(shape, size)
                } else {
                    0
                },
                product(&[channels, extent(0), extent(1), 8]),
                product(&[panels(shape.depth() as u64), 2 * PANEL * 4]),
                product(&[ROWS, shape.depth() as u64 + 4, 4]),
                product(&[panels(shape.channels_out as u64), 128]),
            ])
        }
        _ => 0,
    };
    sum(&[general, own])
}

/// Bytes of weights, as they are and packed.
pub(crate) fn held(graph: &Graph) -> u64 {
    let weights = graph.constants.keys().map(|id| graph.info(*id).bytes());
    let weights = weights.fold(0, u64::saturating_add);
    let nodes = graph.nodes.iter();
    let packed = nodes.map(|node| packed(graph, node).saturating_add(NODE));
    packed.fold(weights, u64::saturating_add)
}

/// The bound in bytes: weights as they are and packed, and the worst moment of tensors alive and room to work in.
pub(crate) fn memory(graph: &Graph) -> u64 {
    let held = held(graph);
    // Outputs leave as copies in the border's form.
    let outputs = graph.outputs.iter().map(|id| graph.info(*id).bytes());
    let outputs = outputs.fold(0, u64::saturating_add).saturating_mul(2);

    let last = last_uses(graph);
    let inputs = graph.inputs.iter().map(|id| graph.info(*id).bytes());
    let mut alive = inputs.fold(0, u64::saturating_add);
    // Scratch memory stays with its thread: the largest of all operations counts from the start.
    let mut room = 0;
    let mut peak = alive;
    for (i, node) in graph.nodes.iter().enumerate() {
        for id in &node.outputs {
            alive = alive.saturating_add(graph.info(*id).bytes());
        }
        peak = peak.max(alive);
        room = room.max(workspace(graph, node));
        let mut ended: Vec<_> = node
            .inputs
            .iter()
            .flatten()
            .chain(&node.outputs)
            .filter(|id| last[id.index()] == i && graph.constant(**id).is_none())
            .collect();
        ended.sort();
        ended.dedup();
        for id in ended {
            alive = alive.saturating_sub(graph.info(*id).bytes());
        }
    }
    sum(&[BASE, held, peak, room, outputs])
}
