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

use std::collections::BTreeMap;

use crate::array::{Array, Data};
use crate::error::{NodeError, Refusal};
use crate::graph::{Graph, Node, ValueId};
use crate::import::builder::Builder;
use crate::import::ops::{all_bytes, whole_plane};
use crate::op::{Binary, Op, PadMode, Reduce, Requantize};
use crate::reference;
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
    let limits = builder.limits;
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
    rebuild(&graph.pruned(), limits)
}

/// Adds every node again, folding constants.
fn rebuild(graph: &Graph, limits: &crate::ModelLimits) -> Result<Graph, Refusal> {
    let mut builder = Builder::new(limits);
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

    fn convolution(
        &mut self,
        node: &Node,
        shape: &crate::kernels::ConvShape,
        p: Params,
    ) -> Option<ValueId> {
        let (x, x_params) = self.byte_source(node.inputs[0]?, 0)?;
        let (w, scales, zero) = self.weights(node.inputs[1]?, 0)?;
        let bias = match node.inputs.get(2).copied().flatten() {
            Some(bias) => Some(self.bias(bias, x_params.scale, &scales, shape.channels_out)?),
            None => None,
        };
        let requantize = Requantize::contraction(x_params.scale, &scales, p.scale, p.zero, p.ty);
        let x_zero = self.byte_constant(x_params.zero, x_params.ty)?;
        let op = Op::QConv(*shape, requantize);
        self.emit(op, &[Some(x), Some(w), Some(x_zero), zero, bias])
    }

    /// An 8-bit weight with its scales, one for each index of `axis`, and zero points.
    fn weights(
        &mut self,
        id: ValueId,
        axis: usize,
    ) -> Option<(ValueId, Vec<f32>, Option<ValueId>)> {
        if let Some(d) = self.dequantized(id) {
            let one = d.scales.len() == 1;
            let info = self.builder.info(d.x);
            if !info.ty.is_8bit() || !(one || d.axis == axis) {
                return None;
            }
            return Some((d.x, d.scales, d.zero));
        }
        let node = self.node_of(id)?;
        match &node.op {
            Op::Transpose(perm) => {
                let axis = *perm.get(axis)?;
                let (x, scales, zero) = self.weights(node.inputs[0]?, axis)?;
                let x = self.emit(node.op.clone(), &[Some(x)])?;
                Some((x, scales, zero))
            }
            // Reshapes that keep the channels in front, as between one and two spatial axes.
            Op::Reshape(to) => {
                let from = self.builder.info(node.inputs[0]?).shape.clone();
                if axis != 0 || from.first() != to.first() {
                    return None;
                }
                let (x, scales, zero) = self.weights(node.inputs[0]?, axis)?;
                let x = self.emit(node.op.clone(), &[Some(x)])?;
                Some((x, scales, zero))
            }
            _ => None,
        }
    }

    /// The bias as accumulators: as it was quantised if that was with the product of the scales, else
    /// divided by it and rounded.
    fn bias(
        &mut self,
        id: ValueId,
        x_scale: f32,
        w_scales: &[f32],
        channels: usize,
    ) -> Option<ValueId> {
        let product: Vec<f32> = w_scales.iter().map(|w| x_scale * w).collect();
        let scale = |list: &[f32], i: usize| list.get(i).or(list.first()).copied();
        let mut accumulators: Vec<i32> = Vec::new();
        if let Some(d) = self.dequantized(id) {
            let array = self.builder.constant(d.x)?.clone();
            let zero = self.scalar_int(d.zero)?;
            if array.ty() != ElementType::I32 {
                return None;
            }
            for (i, q) in array.to_i64()?.into_iter().enumerate() {
                let q = i32::try_from(q - i64::from(zero)).ok()?;
                let (from, to) = (scale(&d.scales, i)?, scale(&product, i)?);
                accumulators.push(if from == to {
                    q
                } else {
                    rounded(q as f32 * from / to)?
                });
            }
        } else {
            let array = self.builder.constant(id)?.clone();
            for (i, b) in array.as_f32()?.iter().enumerate() {
                accumulators.push(rounded(b / scale(&product, i)?)?);
            }
        }
        if accumulators.len() == 1 {
            accumulators = vec![accumulators[0]; channels];
        }
        (accumulators.len() == channels).then(|| {
            self.builder.graph.add_constant(Array {
                shape: vec![channels],
                data: Data::I32(accumulators),
            })
        })
    }

    fn product(&mut self, id: ValueId, bias: Option<ValueId>, p: Params) -> Option<ValueId> {
        let node = self.node_of(id)?;
        if node.op != Op::MatMul {
            return None;
        }
        let (a, a_params) = self.byte_source(node.inputs[0]?, 0)?;
        let b_shape = self.builder.info(node.inputs[1]?).shape.clone();
        let columns = *b_shape.last()?;
        let (b, scales, zero) = self.weights(node.inputs[1]?, b_shape.len() - 1)?;
        let bias = match bias {
            Some(bias) => {
                let info = self.builder.info(bias).clone();
                if info.elements() != columns as u64 && info.elements() != 1 {
                    return None;
                }
                // `[1, n]` and `[n]` are the same bias.
                if info.shape.last() != Some(&columns) && info.elements() != 1 {
                    return None;
                }
                Some(self.bias(bias, a_params.scale, &scales, columns)?)
            }
            None => None,
        };
        let requantize = Requantize::contraction(a_params.scale, &scales, p.scale, p.zero, p.ty);
        let a_zero = self.byte_constant(a_params.zero, a_params.ty)?;
        let op = Op::QMatMul(requantize);
        self.emit(op, &[Some(a), Some(b), Some(a_zero), zero, bias])
    }

    fn pointwise(
        &mut self,
        f: Binary,
        (a, ap): (ValueId, Params),
        (b, bp): (ValueId, Params),
        p: Params,
    ) -> Option<ValueId> {
        let zeros = [ap.zero, bp.zero];
        let op = if f == Binary::Add {
            Op::QAdd {
                zeros,
                scales: [ap.scale / p.scale, bp.scale / p.scale],
                zero: p.zero,
                ty: p.ty,
            }
        } else {
            Op::QMul {
                zeros,
                requantize: Requantize::contraction(ap.scale, &[bp.scale], p.scale, p.zero, p.ty),
            }
        };
        self.emit(op, &[Some(a), Some(b)])
    }

    fn mean(
        &mut self,
        x: ValueId,
        window: crate::op::Window,
        count_padding: bool,
        p: Params,
        depth: usize,
    ) -> Option<ValueId> {
        let (x, xp) = self.byte_source(x, depth)?;
        let shape = self.builder.info(x).shape.clone();
        let [n, c, ref plane @ ..] = shape[..] else {
            return None;
        };
        let (h, w) = match plane {
            [w] => (1, *w),
            [h, w] => (*h, *w),
            _ => return None,
        };
        let x = self.emit(Op::Reshape(vec![n, c, h, w]), &[Some(x)])?;
        let op = Op::QAveragePool {
            window,
            count_padding,
            x_zero: xp.zero,
            requantize: Requantize {
                scales: vec![xp.scale / p.scale],
                zero: p.zero,
                ty: p.ty,
            },
        };
        self.emit(op, &[Some(x)])
    }

    /// `id` as a function of one 8-bit tensor of the same shape: every input's result, quantised.
    fn table(&mut self, id: ValueId, p: Params) -> Option<ValueId> {
        let mut steps = 256;
        let mut source = None;
        let values = self.evaluate(id, &mut source, &mut steps, 0)?;
        let source = source?;
        if self.builder.info(source).shape != self.builder.info(id).shape {
            return None;
        }
        let scale = Array {
            shape: vec![],
            data: Data::F32(vec![p.scale]),
        };
        let zero = self.byte_constant(p.zero, p.ty)?;
        let zero = self.builder.constant(zero)?.clone();
        let op = Op::Quantize { axis: 0, ty: p.ty };
        let bits = run(&op, &[Some(&values), Some(&scale), Some(&zero)])?;
        let bits = <[u8; 256]>::try_from(bits.data.to_le_bytes()).ok()?;
        self.emit(Op::Table(Box::new(bits), p.ty), &[Some(source)])
    }

    /// What `id` is for each of the 256 elements that `source` can have; scalars stay scalars.
    fn evaluate(
        &self,
        id: ValueId,
        source: &mut Option<ValueId>,
        steps: &mut u32,
        depth: usize,
    ) -> Option<Array> {
        *steps = steps.checked_sub(1)?;
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(array) = self.builder.constant(id) {
            return (array.len() == 1).then(|| Array {
                shape: vec![1],
                data: array.data.clone(),
            });
        }
        if let Some(d) = self.dequantized(id) {
            let ty = self.builder.info(d.x).ty;
            let one = d.scales.len() == 1 && ty.is_8bit();
            if !one || source.is_some_and(|s| s != d.x) {
                return None;
            }
            *source = Some(d.x);
            let scale = Array {
                shape: vec![],
                data: Data::F32(d.scales),
            };
            let zero = match d.zero {
                Some(zero) => Some(self.builder.constant(zero)?.clone()),
                None => None,
            };
            let op = Op::Dequantize { axis: 0 };
            return run(&op, &[Some(&all_bytes(ty)), Some(&scale), zero.as_deref()]);
        }
        let node = self.node_of(id)?;
        match &node.op {
            Op::Unary(_) | Op::Binary(_) | Op::Where | Op::Cast(_) => {
                let mut arrays = Vec::with_capacity(node.inputs.len());
                for input in &node.inputs {
                    arrays.push(self.evaluate((*input)?, source, steps, depth + 1)?);
                }
                let operands: Vec<Option<&Array>> = arrays.iter().map(Some).collect();
                run(&node.op, &operands)
            }
            _ => None,
        }
    }
}

fn rounded(x: f32) -> Option<i32> {
    let x = x.round_ties_even();
    (x.abs() < 2_147_483_648.0).then_some(x as i32)
}

/// Runs one operation on arrays.
fn run(op: &Op, inputs: &[Option<&Array>]) -> Option<Array> {
    let infos: Vec<_> = inputs
        .iter()
        .map(|a| a.map(|a| crate::graph::Info::new(a.ty(), a.shape.clone())))
        .collect();
    let operands = crate::infer::Operands(infos.iter().map(Option::as_ref).collect());
    let results: Result<_, NodeError> = crate::infer::infer(op, &operands);
    reference::run(op, reference::Operands(inputs), &results.ok()?)
        .ok()?
        .into_iter()
        .next()
}
