//! Recognises quantised patterns and puts integer operations in their place.
//!
//! A model in QDQ form computes on floats between a `DequantizeLinear` and a `QuantizeLinear`. For every
//! quantisation with constant parameters this pass walks back through what produces its operand:
//!
//! * movement, maxima and concatenation commute with quantisation, which is monotone;
//! * a convolution or product of dequantised operands becomes an integer one, requantised;
//! * sums, products and means likewise;
//! * any function of a single 8-bit tensor becomes a table of 256 entries.
//!
//! What is not recognised stays in strict `f32`.

use std::cell::Cell;
use std::collections::BTreeMap;

mod contraction;
mod table;

use crate::array::Data;
use crate::error::Refusal;
use crate::graph::{Graph, Node, ValueId};
use crate::import::builder::Builder;
use crate::import::ops::whole_plane;
use crate::op::{Binary, Op, PadMode, Reduce};
use crate::tensor::ElementType;

/// How far the walk goes back.
const MAX_DEPTH: usize = 32;

/// Parameters of a quantisation by one scale.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Params {
    scale: f32,
    zero: i32,
    ty: ElementType,
}

type Key = (ValueId, u32, i32, ElementType);

struct Fuser<'l> {
    builder: Builder<'l>,
    old: Vec<Node>,
    /// Index of the node that gives a value.
    producer: BTreeMap<ValueId, usize>,
    /// Results of `quantized`.
    memo: BTreeMap<Key, Option<ValueId>>,
    name: String,
}

/// The graph with patterns replaced, unused parts dropped and constants folded.
pub(crate) fn fuse(mut builder: Builder<'_>) -> Result<Graph, Refusal> {
    let (limits, work) = (builder.limits, builder.work);
    let old = std::mem::take(&mut builder.graph.nodes);
    let producer = old
        .iter()
        .enumerate()
        .flat_map(|(i, node)| node.outputs.iter().map(move |id| (*id, i)))
        .collect();
    let mut fuser = Fuser {
        builder,
        old,
        producer,
        memo: BTreeMap::new(),
        name: String::new(),
    };
    let mut replaced: BTreeMap<ValueId, ValueId> = BTreeMap::new();
    for i in 0..fuser.old.len() {
        let node = fuser.old[i].clone();
        if matches!(node.op, Op::Quantize { .. }) {
            fuser.name.clone_from(&node.name);
            let params = fuser.quantize_params(&node);
            if let (Some(params), Some(Some(x))) = (params, node.inputs.first())
                && let Some(id) = fuser.quantized(*x, params, 0)
            {
                replaced.insert(node.outputs[0], id);
                continue;
            }
        }
        fuser.builder.graph.nodes.push(node);
    }
    let mut graph = fuser.builder.graph;
    // The walk looks at the old nodes, so its results may use replaced values as well.
    let resolve = |mut id: ValueId| {
        while let Some(new) = replaced.get(&id) {
            id = *new;
        }
        id
    };
    for node in &mut graph.nodes {
        for id in node.inputs.iter_mut().flatten() {
            *id = resolve(*id);
        }
    }
    for id in &mut graph.outputs {
        *id = resolve(*id);
    }
    rebuild(&graph.pruned(), limits, work)
}

/// Adds every node again, folding constants.
fn rebuild(graph: &Graph, limits: &crate::ModelLimits, work: &Cell<u64>) -> Result<Graph, Refusal> {
    let mut builder = Builder::new(limits, work);
    builder.fold_dequantize = true;
    let mut renamed: BTreeMap<ValueId, ValueId> = BTreeMap::new();
    for id in &graph.inputs {
        let new = builder.graph.value(graph.info(*id).clone());
        builder.graph.inputs.push(new);
        renamed.insert(*id, new);
    }
    for (id, array) in &graph.constants {
        let new = builder.graph.value(graph.info(*id).clone());
        builder.graph.constants.insert(new, array.clone());
        renamed.insert(*id, new);
    }
    for node in &graph.nodes {
        let inputs: Vec<Option<ValueId>> = node
            .inputs
            .iter()
            .map(|id| id.and_then(|id| renamed.get(&id).copied()))
            .collect();
        let outputs = builder
            .emit(&node.name, node.op.clone(), &inputs)
            .map_err(|reason| Refusal {
                node: node.name.clone(),
                operator: node.op.name().to_owned(),
                reason,
            })?;
        renamed.extend(node.outputs.iter().copied().zip(outputs));
    }
    builder.graph.outputs = graph
        .outputs
        .iter()
        .filter_map(|id| renamed.get(id).copied())
        .collect();
    Ok(builder.graph.pruned())
}

/// A dequantisation: its operand, scales, zero points and axis.
struct Dequantized {
    x: ValueId,
    scales: Vec<f32>,
    zero: Option<ValueId>,
    axis: usize,
}

impl Fuser<'_> {
    fn node_of(&self, id: ValueId) -> Option<Node> {
        self.producer.get(&id).map(|i| self.old[*i].clone())
    }

    fn scalar_int(&self, id: Option<ValueId>) -> Option<i32> {
        match id {
            None => Some(0),
            Some(id) => match self.builder.constant(id)?.to_i64()?[..] {
                [z] => Some(z as i32),
                // One zero point for each channel, all the same.
                [z, ref rest @ ..] if rest.iter().all(|y| *y == z) => Some(z as i32),
                _ => None,
            },
        }
    }

    fn quantize_params(&self, node: &Node) -> Option<Params> {
        let Op::Quantize { ty, .. } = node.op else {
            return None;
        };
        let scale = self
            .builder
            .constant(node.inputs.get(1).copied().flatten()?)?;
        let [scale] = scale.as_f32()? else {
            return None;
        };
        let zero = self.scalar_int(node.inputs.get(2).copied().flatten())?;
        ty.is_8bit().then_some(Params {
            scale: *scale,
            zero,
            ty,
        })
    }

    fn dequantized(&self, id: ValueId) -> Option<Dequantized> {
        let node = self.node_of(id)?;
        let Op::Dequantize { axis } = node.op else {
            return None;
        };
        let scale = node.inputs.get(1).copied().flatten()?;
        Some(Dequantized {
            x: node.inputs.first().copied().flatten()?,
            scales: self.builder.constant(scale)?.as_f32()?.to_vec(),
            zero: node.inputs.get(2).copied().flatten(),
            axis,
        })
    }

    /// An 8-bit value and its parameters, if `id` is its dequantisation by one scale. Shape changes in
    /// between are done on the 8 bits.
    fn byte_source(&mut self, id: ValueId, depth: usize) -> Option<(ValueId, Params)> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(d) = self.dequantized(id) {
            let ty = self.builder.info(d.x).ty;
            let [scale] = d.scales[..] else { return None };
            let zero = self.scalar_int(d.zero)?;
            return ty.is_8bit().then_some((d.x, Params { scale, zero, ty }));
        }
        let node = self.node_of(id)?;
        match &node.op {
            Op::Reshape(_) | Op::Transpose(_) | Op::Slice(_) | Op::Expand(_) => {
                let (x, params) = self.byte_source(node.inputs[0]?, depth + 1)?;
                let x = self.emit(node.op.clone(), &[Some(x)])?;
                Some((x, params))
            }
            _ => None,
        }
    }

    fn emit(&mut self, op: Op, inputs: &[Option<ValueId>]) -> Option<ValueId> {
        let name = self.name.clone();
        self.builder.one(&name, op, inputs).ok()
    }

    fn byte_constant(&mut self, value: i32, ty: ElementType) -> Option<ValueId> {
        let data = match ty {
            ElementType::U8 => Data::U8(vec![u8::try_from(value).ok()?]),
            ElementType::I8 => Data::I8(vec![i8::try_from(value).ok()?]),
            _ => return None,
        };
        Some(self.builder.scalar(data))
    }

    /// The 8-bit value that quantising `id` gives, computed without floats.
    fn quantized(&mut self, id: ValueId, p: Params, depth: usize) -> Option<ValueId> {
        if depth > MAX_DEPTH {
            return None;
        }
        let key = (id, p.scale.to_bits(), p.zero, p.ty);
        if let Some(known) = self.memo.get(&key) {
            return *known;
        }
        let result = self.walk(id, p, depth);
        self.memo.insert(key, result);
        result
    }

    fn quantize_constant(&mut self, id: ValueId, p: Params) -> Option<ValueId> {
        let scale = self.builder.scalar(Data::F32(vec![p.scale]));
        let zero = self.byte_constant(p.zero, p.ty)?;
        let op = Op::Quantize { axis: 0, ty: p.ty };
        let id = self.emit(op, &[Some(id), Some(scale), Some(zero)])?;
        self.builder.constant(id).is_some().then_some(id)
    }

    fn walk(&mut self, id: ValueId, p: Params, depth: usize) -> Option<ValueId> {
        if self.builder.constant(id).is_some() {
            return self.quantize_constant(id, p);
        }
        if let Some(d) = self.dequantized(id) {
            let ty = self.builder.info(d.x).ty;
            if let ([scale], Some(zero)) = (&d.scales[..], self.scalar_int(d.zero))
                && *scale == p.scale
                && zero == p.zero
                && ty == p.ty
            {
                return Some(d.x);
            }
        }
        let node = self.node_of(id)?;
        let input = |i: usize| node.inputs.get(i).copied().flatten();
        match &node.op {
            Op::Reshape(_) | Op::Transpose(_) | Op::Slice(_) | Op::Expand(_) => {
                let x = self.quantized(input(0)?, p, depth + 1)?;
                return self.emit(node.op.clone(), &[Some(x)]);
            }
            Op::Gather(_) | Op::GatherElements(_) => {
                let x = self.quantized(input(0)?, p, depth + 1)?;
                return self.emit(node.op.clone(), &[Some(x), input(1)]);
            }
            Op::Pool { average: false, .. } | Op::Reduce(Reduce::Max | Reduce::Min, _) => {
                let x = self.quantized(input(0)?, p, depth + 1)?;
                return self.emit(node.op.clone(), &[Some(x)]);
            }
            Op::Concat(_) => {
                let mut parts = Vec::with_capacity(node.inputs.len());
                for part in node.inputs.iter().flatten() {
                    parts.push(Some(self.quantized(*part, p, depth + 1)?));
                }
                return self.emit(node.op.clone(), &parts);
            }
            Op::Pad(_, mode) => {
                let mut inputs = vec![Some(self.quantized(input(0)?, p, depth + 1)?)];
                if *mode == PadMode::Constant {
                    inputs.push(Some(self.quantized(input(1)?, p, depth + 1)?));
                }
                return self.emit(node.op.clone(), &inputs);
            }
            Op::Binary(f @ (Binary::Max | Binary::Min)) => {
                // Quantisation is monotone, and so is a bound: it may be drawn on either side.
                let x = self.quantized(input(0)?, p, depth + 1);
                let y = self.quantized(input(1)?, p, depth + 1);
                if let (Some(x), Some(y)) = (x, y) {
                    if let Some(x) = self.drop_bound(*f, x, y, p) {
                        return Some(x);
                    }
                    return self.emit(Op::Binary(*f), &[Some(x), Some(y)]);
                }
            }
            Op::Conv(shape) => return self.convolution(&node, shape, p),
            Op::MatMul => return self.product(id, None, p),
            _ => {}
        }
        if let Op::Binary(Binary::Add) = node.op {
            for (sum, bias) in [(input(0)?, input(1)?), (input(1)?, input(0)?)] {
                if let Some(y) = self.product(sum, Some(bias), p) {
                    return Some(y);
                }
            }
        }
        if let Some(table) = self.table(id, p) {
            return Some(table);
        }
        match &node.op {
            Op::Binary(f @ (Binary::Add | Binary::Mul)) => {
                let (a, b) = (
                    self.byte_source(input(0)?, depth)?,
                    self.byte_source(input(1)?, depth)?,
                );
                self.pointwise(*f, a, b, p)
            }
            Op::Pool {
                average: true,
                count_padding,
                window,
            } => self.mean(input(0)?, window.clone(), *count_padding, p, depth),
            Op::Reduce(Reduce::Mean, axes) => {
                let shape = self.builder.info(input(0)?).shape.clone();
                if shape.len() < 3 || !axes.iter().copied().eq(2..shape.len()) {
                    return None;
                }
                let window = whole_plane(&shape).ok()?;
                let y = self.mean(input(0)?, window, false, p, depth)?;
                let mut out = vec![1; shape.len()];
                out[..2].copy_from_slice(&shape[..2]);
                self.emit(Op::Reshape(out), &[Some(y)])
            }
            _ => None,
        }
    }

    /// A bound that the 8-bit type draws already.
    fn drop_bound(&self, f: Binary, x: ValueId, y: ValueId, p: Params) -> Option<ValueId> {
        let bound = self.scalar_int(self.builder.constant(y).map(|_| y))?;
        self.builder.constant(y)?;
        let (low, high) = if p.ty == ElementType::U8 {
            (0, 255)
        } else {
            (-128, 127)
        };
        let edge = if f == Binary::Max { low } else { high };
        let fits = self.builder.info(y).elements() == 1 && self.builder.info(y).rank() == 0;
        (bound == edge && fits).then_some(x)
    }
}
