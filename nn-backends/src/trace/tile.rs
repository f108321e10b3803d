//! Recomputes a part of one operation's result from the operands that the part needs.
//!
//! The operation is made smaller – one row of a product, one window of a convolution, some elements of a sum – and
//! given to the reference, which defines it. An operation that has no smaller form is computed as a whole.

mod local;
mod movement;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::commit::{Place, commits_to};
use super::error::TraceError;
use super::file::TraceFile;
use super::tree::TILE;
use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::{Info, Node, ValueId};
use crate::kernels::strict::with_default_environment;
use crate::model::Model;
use crate::op::Op;
use crate::reference::{self, OPERANDS, Operands};

/// A recomputed tile.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recomputed {
    /// The tile's bytes, as the model's definition gives them.
    pub bytes: Vec<u8>,
    /// Elements of operands that were needed, an element counted as often as it was used.
    pub read: u64,
    /// Elements that all operands have.
    pub operands: u64,
}

/// An operation on some of the operands' elements, and which of its results belong to the part.
struct Piece {
    op: Op,
    operands: Vec<Option<Array>>,
    result: Info,
    take: Range<usize>,
}

/// Recomputes a tile of a result from the tensors in `trace`, which must be a trace of `model`. Operands that a trace
/// does not have are computed from those that it has; no convolution and no product is computed for them.
///
/// # Errors
/// When the model or the trace lacks what is asked for, or the trace's operands cannot be computed with.
pub fn recompute(
    model: &Model,
    trace: &TraceFile<'_>,
    node: u32,
    output: u16,
    tile: usize,
) -> Result<Recomputed, TraceError> {
    if model.hash() != trace.model {
        return Err(TraceError::Model);
    }
    let graph = model.graph();
    let missing = |what| TraceError::Missing(what);
    let operation = graph.nodes().get(node as usize);
    let operation = operation.ok_or(missing("operation"))?;
    let id = operation.outputs.get(usize::from(output));
    let info = graph.info(*id.ok_or(missing("output"))?);
    let size = info.ty.size();
    let start = tile.checked_mul(TILE / size).ok_or(missing("tile"))?;
    let elements = info.elements() as usize;
    if start >= elements {
        return Err(missing("tile"));
    }
    if !commits_to(model, node as usize) {
        return Err(TraceError::NotCommitted(node));
    }
    let operands = with_default_environment(|| operands(model, trace, node as usize))?;
    let results: Vec<Info> = operation
        .outputs
        .iter()
        .map(|id| graph.info(*id).clone())
        .collect();
    let operands: Vec<Option<&Array>> = operands.iter().map(Option::as_deref).collect();
    let range = start..elements.min(start + TILE / size);
    let (data, read) = with_default_environment(|| {
        part(operation, &operands, &results, usize::from(output), range)
    })?;
    Ok(Recomputed {
        bytes: data.le_bytes().into_owned(),
        read,
        operands: operands.iter().flatten().map(|x| x.len() as u64).sum(),
    })
}

/// The operands of a node: constants, tensors of the trace, and what follows from these.
fn operands(
    model: &Model,
    trace: &TraceFile<'_>,
    node: usize,
) -> Result<Vec<Option<Arc<Array>>>, TraceError> {
    let graph = model.graph();
    let lost = || TraceError::Missing("operand");
    let wanted = &graph.nodes().get(node).ok_or_else(lost)?.inputs;
    // Backwards: what is needed and not in the trace. A node's operands come before it.
    let mut needed: BTreeSet<ValueId> = wanted.iter().flatten().copied().collect();
    let mut between = Vec::new();
    for (index, earlier) in graph.nodes().iter().enumerate().take(node).rev() {
        let used = earlier.outputs.iter().any(|id| needed.contains(id));
        if used && !commits_to(model, index) {
            needed.extend(earlier.inputs.iter().flatten());
            between.push(earlier);
        }
    }
    let computed: BTreeSet<ValueId> = between
        .iter()
        .flat_map(|node| node.outputs.iter().copied())
        .collect();
    let mut values: BTreeMap<ValueId, Arc<Array>> = BTreeMap::new();
    for id in needed.difference(&computed) {
        let array = match graph.constant(*id) {
            Some(array) => array.clone(),
            None => {
                let place = place(model, *id).ok_or_else(lost)?;
                let array = trace.tensor(trace.find(place).ok_or_else(lost)?)?;
                let info = graph.info(*id);
                if array.ty() != info.ty || array.shape != info.shape {
                    return Err(TraceError::Run(OPERANDS));
                }
                Arc::new(array)
            }
        };
        values.insert(*id, array);
    }
    let select = |values: &BTreeMap<ValueId, Arc<Array>>, inputs: &[Option<ValueId>]| {
        let pick = |id: &Option<ValueId>| match id {
            None => Ok(None),
            Some(id) => values.get(id).cloned().map(Some).ok_or_else(lost),
        };
        inputs.iter().map(pick).collect::<Result<Vec<_>, _>>()
    };
    for node in between.into_iter().rev() {
        let operands = select(&values, &node.inputs)?;
        let operands: Vec<Option<&Array>> = operands.iter().map(Option::as_deref).collect();
        let infos: Vec<Info> = node
            .outputs
            .iter()
            .map(|id| graph.info(*id).clone())
            .collect();
        let results = reference::run(&node.op, Operands(&operands), &infos)?;
        let results = results.into_iter().map(Arc::new);
        values.extend(node.outputs.iter().copied().zip(results));
    }
    select(&values, wanted)
}

/// Where a value comes from.
fn place(model: &Model, id: ValueId) -> Option<Place> {
    let graph = model.graph();
    if let Some(i) = graph.inputs().iter().position(|input| *input == id) {
        return Some(Place::Input(i as u32));
    }
    graph.nodes().iter().enumerate().find_map(|(node, n)| {
        let output = n.outputs.iter().position(|output| *output == id)?;
        Some(Place::Result {
            node: node as u32,
            output: output as u16,
        })
    })
}

/// Elements `range` of a result, and how many elements of the operands were used.
fn part(
    node: &Node,
    operands: &[Option<&Array>],
    results: &[Info],
    output: usize,
    range: Range<usize>,
) -> Result<(Data, u64), RunError> {
    let result = results.get(output).ok_or(OPERANDS)?;
    let x = Operands(operands);
    if let Some(found) = movement::part(&node.op, x, result, range.clone())? {
        return Ok(found);
    }
    let Some(pieces) = local::pieces(&node.op, x, result, range.clone())? else {
        let whole = reference::run(&node.op, x, results)?;
        let data = &whole.get(output).ok_or(OPERANDS)?.data;
        let read = operands.iter().flatten().map(|x| x.len() as u64).sum();
        return Ok((data.pick(range)?, read));
    };
    let (mut bytes, mut read) = (Vec::new(), 0u64);
    for piece in pieces {
        let piece = piece?;
        let operands: Vec<Option<&Array>> = piece.operands.iter().map(Option::as_ref).collect();
        read += operands
            .iter()
            .flatten()
            .map(|x| x.len() as u64)
            .sum::<u64>();
        let out = reference::run(&piece.op, Operands(&operands), &[piece.result])?;
        let data = out.first().ok_or(OPERANDS)?.data.pick(piece.take)?;
        bytes.extend_from_slice(&data.le_bytes());
    }
    let data = Data::from_le_bytes(result.ty, &bytes).ok_or(OPERANDS)?;
    match data.len() == range.len() {
        true => Ok((data, read)),
        false => Err(OPERANDS),
    }
}

impl Data {
    /// The elements at some places.
    fn pick(&self, at: impl IntoIterator<Item = usize>) -> Result<Data, RunError> {
        fn collect<T: Copy>(
            v: &[T],
            at: impl IntoIterator<Item = usize>,
        ) -> Result<Vec<T>, RunError> {
            at.into_iter()
                .map(|i| v.get(i).copied().ok_or(OPERANDS))
                .collect()
        }
        Ok(crate::array::map_each!(self, v => collect(v, at)?))
    }
}

#[cfg(test)]
mod tests;
