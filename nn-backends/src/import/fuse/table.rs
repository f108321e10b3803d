//! Functions of a single 8-bit tensor, as tables.

use super::{Fuser, MAX_DEPTH, Params};
use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::ops::all_bytes;
use crate::op::Op;
use crate::reference;

impl Fuser<'_> {
    /// `id` as a function of one 8-bit tensor of the same shape: every input's result, quantised.
    pub(super) fn table(&mut self, id: ValueId, p: Params) -> Option<ValueId> {
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
    pub(super) fn evaluate(
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
