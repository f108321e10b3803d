//! The processor backend: weights are packed once for the instruction set at hand.
//!
//! Contractions run on the crate's kernels, which give the reference's bits on every instruction set and
//! number of threads, and so do operations on single elements, sums and windows; the rest runs as the reference
//! defines it.

mod pointwise;
mod reduce;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::{Graph, Info, Node, ValueId};
use crate::kernels::{
    ConvOutput, ConvShape, Isa, KernelError, Order, PackedB, PackedConv, Requantizer, gemm, small,
    strict,
};
use crate::op::{Op, Requantize};
use crate::reference::contraction::{Batches, bytes, part, zero_points, zeros};
use crate::reference::{self, OPERANDS, Operands};
use crate::run::Executor;

/// Weights of one node in the form its kernel reads.
enum Packed {
    /// The reference runs this node.
    No,
    /// One matrix, with the requantisation if the operation has one.
    Product(Arc<PackedB>, Option<Box<Requantizer>>),
    Conv(Arc<PackedConv>, Option<Box<Requantizer>>),
    ProductF32(Arc<strict::PackedF32>),
    ConvF32(Arc<strict::PackedConvF32>),
}

/// A model's weights, packed for one instruction set.
pub struct Cpu {
    isa: Isa,
    threads: usize,
    packed: Vec<Packed>,
}

impl std::fmt::Debug for Cpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cpu({}, {} threads)", self.isa.name(), self.threads)
    }
}

fn kernel(_: KernelError) -> RunError {
    RunError::Internal("a kernel refused its operands")
}

impl Cpu {
    /// Packs the weights of `graph` for `isa`; `threads` changes the time and nothing else.
    ///
    /// # Errors
    /// When this machine lacks `isa`.
    pub fn new(graph: &Graph, isa: Isa, threads: usize) -> Result<Self, RunError> {
        Self::for_nodes(graph, isa, threads, |_| true)
    }

    /// As [`Cpu::new`], for the nodes that `wanted` says will run here.
    pub(crate) fn for_nodes(
        graph: &Graph,
        isa: Isa,
        threads: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Self, RunError> {
        if !isa.is_available() {
            return Err(RunError::Internal("the instruction set is not available"));
        }
        let mut packer = Packer::new(graph, isa);
        let packed = graph
            .nodes()
            .iter()
            .enumerate()
            .map(|(index, node)| match wanted(index) {
                true => packer.pack(node),
                false => Ok(Packed::No),
            })
            .collect::<Result<_, _>>()?;
        Ok(Cpu {
            isa,
            threads,
            packed,
        })
    }

    /// Instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    fn contraction(
        &self,
        packed: &Packed,
        x: Operands<'_>,
        result: &Info,
    ) -> Result<Data, RunError> {
        let bias = match x.optional(4).map(|b| &b.data) {
            Some(Data::I32(bias)) => Some(bias.as_slice()),
            Some(_) => return Err(OPERANDS),
            None => None,
        };
        match packed {
            Packed::Product(b, requantizer) => {
                let a = x.get(0)?;
                let rows = a.len().checked_div(b.k()).unwrap_or(0);
                let a_zero = zero_points(x.optional(2))?;
                let mut acc = vec![0; result.elements() as usize];
                let a = bytes(a)?;
                gemm(a, zeros(&a_zero), rows, b, bias, &mut acc, self.threads).map_err(kernel)?;
                let Some(requantizer) = requantizer else {
                    return Ok(Data::I32(acc));
                };
                let mut out = vec![0; acc.len()];
                requantizer.rows(self.isa, &acc, &mut out).map_err(kernel)?;
                Data::from_le_bytes(result.ty, &out).ok_or(OPERANDS)
            }
            Packed::Conv(conv, requantizer) => {
                let batch = x.get(0)?.shape.first().copied().unwrap_or_default();
                let zero = zero_points(x.optional(2))?;
                let zero = zero.first().copied().unwrap_or_default();
                let input = bytes(x.get(0)?)?;
                let len = result.elements() as usize;
                match requantizer {
                    None => {
                        let mut acc = vec![0; len];
                        let out = ConvOutput::Accumulators(&mut acc);
                        conv.run(input, zero, bias, batch, out, self.threads)
                            .map_err(kernel)?;
                        Ok(Data::I32(acc))
                    }
                    Some(requantizer) => {
                        let mut out = vec![0; len];
                        let to = ConvOutput::Bytes(requantizer, &mut out);
                        conv.run(input, zero, bias, batch, to, self.threads)
                            .map_err(kernel)?;
                        Data::from_le_bytes(result.ty, &out).ok_or(OPERANDS)
                    }
                }
            }
            Packed::ProductF32(b) => {
                let a = x.f32(0)?;
                let rows = a.len().checked_div(b.k()).unwrap_or(0);
                let mut out = vec![0.0; result.elements() as usize];
                strict::gemm(a, rows, b, None, &mut out, self.threads).map_err(kernel)?;
                Ok(Data::F32(out))
            }
            Packed::ConvF32(conv) => {
                let batch = x.get(0)?.shape.first().copied().unwrap_or_default();
                let bias = match x.optional(2) {
                    Some(bias) => Some(bias.as_f32().ok_or(OPERANDS)?),
                    None => None,
                };
                let mut out = vec![0.0; result.elements() as usize];
                conv.run(x.f32(0)?, bias, batch, &mut out, self.threads)
                    .map_err(kernel)?;
                Ok(Data::F32(out))
            }
            Packed::No => Err(OPERANDS),
        }
    }

    /// Products of which both sides are computed at run time: each right side is packed for its one use.
    fn product(&self, op: &Op, x: Operands<'_>, result: &Info) -> Result<Option<Data>, RunError> {
        let (a, b) = (x.get(0)?, x.get(1)?);
        let batches = Batches::new(&a.shape, &b.shape, &result.shape)?;
        let (m, k, n) = (batches.m, batches.k, batches.n);
        let len = result.elements() as usize;
        if m == 0 || k == 0 || n == 0 {
            return Ok(None);
        }
        Ok(match op {
            Op::MatMul => {
                let (a, b) = (x.f32(0)?, x.f32(1)?);
                let mut out = vec![0.0; len];
                for ((i, j), out) in batches.pairs.into_iter().zip(out.chunks_mut(m * n)) {
                    let a = a.get(i * m * k..(i + 1) * m * k).ok_or(OPERANDS)?;
                    let b = b.get(j * k * n..(j + 1) * k * n).ok_or(OPERANDS)?;
                    if small::is_small_single((m, k, n)) {
                        small::single(self.isa, a, b, (m, k, n), out).map_err(kernel)?;
                        continue;
                    }
                    let b = strict::PackedF32::new(self.isa, b, (k, n), Order::RowMajor)
                        .map_err(kernel)?;
                    strict::gemm(a, m, &b, None, out, self.threads).map_err(kernel)?;
                }
                Some(Data::F32(out))
            }
            Op::MatMulInteger | Op::QMatMul(_) => {
                let (a_zero, b_zero) = (zero_points(x.optional(2))?, zero_points(x.optional(3))?);
                let mut out = vec![0; len];
                for ((i, j), out) in batches.pairs.into_iter().zip(out.chunks_mut(m * n)) {
                    let a = part(a, i * m * k..(i + 1) * m * k)?;
                    let b = part(b, j * k * n..(j + 1) * k * n)?;
                    if small::is_small_integer((m, k, n)) {
                        let (a, b) = ((a, zeros(&a_zero)), (b, zeros(&b_zero)));
                        small::integer(self.isa, a, b, (m, k, n), out).map_err(kernel)?;
                        continue;
                    }
                    let b = PackedB::new(self.isa, b, zeros(&b_zero), (k, n), Order::RowMajor)
                        .map_err(kernel)?;
                    gemm(a, zeros(&a_zero), m, &b, None, out, self.threads).map_err(kernel)?;
                }
                let Op::QMatMul(requantize) = op else {
                    return Ok(Some(Data::I32(out)));
                };
                reference::contraction::add_bias(&mut out, x.optional(4), 1)?;
                let mut bits = vec![0; len];
                let requantizer = requantize.kernel()?;
                requantizer
                    .rows(self.isa, &out, &mut bits)
                    .map_err(kernel)?;
                Data::from_le_bytes(result.ty, &bits)
            }
            _ => None,
        })
    }

    /// Convolutions whose weights are computed at run time: they are packed for their one use.
    fn convolution(
        &self,
        op: &Op,
        x: Operands<'_>,
        result: &Info,
    ) -> Result<Option<Data>, RunError> {
        let packed = match op {
            Op::ConvInteger(shape) | Op::QConv(shape, _) if !shape.is_sparse() => {
                let (weights, zero) = (bytes(x.get(1)?)?, zero_points(x.optional(3))?);
                let conv = PackedConv::new(self.isa, weights, zeros(&zero), *shape);
                let requantizer = Requantize::optional(op)?;
                Packed::Conv(Arc::new(conv.map_err(kernel)?), requantizer)
            }
            Op::Conv(shape) if !shape.is_sparse() => {
                let conv = strict::PackedConvF32::new(self.isa, x.f32(1)?, *shape);
                Packed::ConvF32(Arc::new(conv.map_err(kernel)?))
            }
            _ => return Ok(None),
        };
        self.contraction(&packed, x, result).map(Some)
    }
}

impl Requantize {
    fn optional(op: &Op) -> Result<Option<Box<Requantizer>>, RunError> {
        match op {
            Op::QMatMul(r) | Op::QConv(_, r) => Ok(Some(Box::new(r.kernel()?))),
            _ => Ok(None),
        }
    }
}

/// Weights and their zero points.
type Key = (ValueId, Option<ValueId>);

/// Packs weights; what several nodes use in the same way is packed once.
struct Packer<'g> {
    graph: &'g Graph,
    isa: Isa,
    products: BTreeMap<Key, Arc<PackedB>>,
    convolutions: BTreeMap<Key, Vec<(ConvShape, Arc<PackedConv>)>>,
    products_f32: BTreeMap<ValueId, Arc<strict::PackedF32>>,
    convolutions_f32: BTreeMap<ValueId, Vec<(ConvShape, Arc<strict::PackedConvF32>)>>,
}

/// The value that belongs to `key` in a list, made where it is not there yet.
fn shared<T>(
    list: &mut Vec<(ConvShape, Arc<T>)>,
    key: ConvShape,
    make: impl FnOnce() -> Result<T, RunError>,
) -> Result<Arc<T>, RunError> {
    if let Some((_, found)) = list.iter().find(|(shape, _)| *shape == key) {
        return Ok(found.clone());
    }
    let made = Arc::new(make()?);
    list.push((key, made.clone()));
    Ok(made)
}

impl<'g> Packer<'g> {
    fn new(graph: &'g Graph, isa: Isa) -> Self {
        Packer {
            graph,
            isa,
            products: BTreeMap::new(),
            convolutions: BTreeMap::new(),
            products_f32: BTreeMap::new(),
            convolutions_f32: BTreeMap::new(),
        }
    }

    /// Packs the node's weights if they and their zero points are constant.
    fn pack(&mut self, node: &Node) -> Result<Packed, RunError> {
        let (graph, isa) = (self.graph, self.isa);
        let input = |i: usize| -> Option<ValueId> { node.inputs.get(i).copied().flatten() };
        let constant = |i: usize| input(i).and_then(|id| graph.constant(id)).map(|a| &**a);
        let (Some(id), Some(weights)) = (input(1), constant(1)) else {
            return Ok(Packed::No);
        };
        let empty = weights.is_empty();
        match &node.op {
            Op::MatMulInteger | Op::QMatMul(_) | Op::ConvInteger(_) | Op::QConv(..)
                if input(3).is_some() != constant(3).is_some() =>
            {
                Ok(Packed::No)
            }
            // A zero point for each row belongs to one matrix of a batch, not to all of them.
            Op::MatMulInteger | Op::QMatMul(_)
                if input(2).is_some_and(|z| graph.info(z).elements() != 1) =>
            {
                Ok(Packed::No)
            }
            Op::MatMulInteger | Op::QMatMul(_) => {
                let ([k, n], false) = (&weights.shape[..], empty) else {
                    return Ok(Packed::No);
                };
                let b = match self.products.entry((id, input(3))) {
                    Entry::Occupied(found) => found.get().clone(),
                    Entry::Vacant(place) => {
                        let zero = zero_points(constant(3))?;
                        let (b, order) = (bytes(weights)?, Order::RowMajor);
                        let b =
                            PackedB::new(isa, b, zeros(&zero), (*k, *n), order).map_err(kernel)?;
                        place.insert(Arc::new(b)).clone()
                    }
                };
                Ok(Packed::Product(b, Requantize::optional(&node.op)?))
            }
            Op::ConvInteger(shape) | Op::QConv(shape, _) | Op::Conv(shape) if shape.is_sparse() => {
                Ok(Packed::No)
            }
            Op::ConvInteger(shape) | Op::QConv(shape, _) => {
                let list = self.convolutions.entry((id, input(3))).or_default();
                let conv = shared(list, *shape, || {
                    let zero = zero_points(constant(3))?;
                    PackedConv::new(isa, bytes(weights)?, zeros(&zero), *shape).map_err(kernel)
                })?;
                Ok(Packed::Conv(conv, Requantize::optional(&node.op)?))
            }
            Op::MatMul => {
                let ([k, n], Some(data), false) = (&weights.shape[..], weights.as_f32(), empty)
                else {
                    return Ok(Packed::No);
                };
                let b = match self.products_f32.entry(id) {
                    Entry::Occupied(found) => found.get().clone(),
                    Entry::Vacant(place) => {
                        let b = strict::PackedF32::new(isa, data, (*k, *n), Order::RowMajor);
                        place.insert(Arc::new(b.map_err(kernel)?)).clone()
                    }
                };
                Ok(Packed::ProductF32(b))
            }
            Op::Conv(shape) => {
                let list = self.convolutions_f32.entry(id).or_default();
                let conv = shared(list, *shape, || {
                    let data = weights.as_f32().ok_or(OPERANDS)?;
                    strict::PackedConvF32::new(isa, data, *shape).map_err(kernel)
                })?;
                Ok(Packed::ConvF32(conv))
            }
            _ => Ok(Packed::No),
        }
    }
}

impl Executor for Cpu {
    fn node(
        &self,
        index: usize,
        node: &Node,
        inputs: &[Option<&Array>],
        results: &[Info],
    ) -> Result<Vec<Array>, RunError> {
        let x = Operands(inputs);
        let result = results.first().ok_or(OPERANDS)?;
        let data = match (self.packed.get(index).unwrap_or(&Packed::No), &node.op) {
            (Packed::No, op @ (Op::MatMul | Op::MatMulInteger | Op::QMatMul(_))) => {
                self.product(op, x, result)?
            }
            (Packed::No, op @ (Op::Conv(_) | Op::ConvInteger(_) | Op::QConv(..))) => {
                self.convolution(op, x, result)?
            }
            (Packed::No, Op::Softmax) => {
                let mut out = x.f32(0)?.to_vec();
                let columns = result.shape.last().copied().ok_or(OPERANDS)?;
                strict::softmax(self.isa, &mut out, columns).map_err(kernel)?;
                Some(Data::F32(out))
            }
            (Packed::No, Op::DynamicQuantize) => return pointwise::dynamic(self.isa, x.get(0)?),
            (Packed::No, op) => match pointwise::run(self.isa, op, x, result)? {
                None => reduce::run(self.isa, op, x, result)?,
                found => found,
            },
            (packed, _) => Some(self.contraction(packed, x, result)?),
        };
        match data {
            Some(data) if data.len() as u64 == result.elements() => Ok(vec![Array {
                shape: result.shape.clone(),
                data,
            }]),
            Some(_) => Err(OPERANDS),
            None => reference::run(&node.op, x, results),
        }
    }
}
