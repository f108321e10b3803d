//! Operations that only move elements: run on the elements' numbers, which then say what to pick.

use std::ops::Range;

use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::Info;
use crate::op::{Op, PadMode};
use crate::reference::{self, OPERANDS, Operands};
use crate::tensor::ElementType;

/// Bits of a number that tell the element; those above tell the operand.
const SHIFT: u32 = 40;

/// The operand's elements by number.
fn numbers(operand: usize, x: &Array) -> Array {
    let first = (operand as i64) << SHIFT;
    Array {
        shape: x.shape.clone(),
        data: Data::I64((first..first + x.len() as i64).collect()),
    }
}

/// Elements `range` of the result of an operation that only moves elements; none for other operations.
pub(super) fn part(
    op: &Op,
    x: Operands<'_>,
    result: &Info,
    range: Range<usize>,
) -> Result<Option<(Data, u64)>, RunError> {
    // Operands whose elements go into the result; the others say where to.
    let moved = match op {
        Op::Reshape(_) => {
            return Ok(Some((
                x.get(0)?.data.pick(range.clone())?,
                range.len() as u64,
            )));
        }
        Op::Transpose(_) | Op::Expand(_) | Op::Slice(_) => 1,
        Op::Gather(_) | Op::GatherElements(_) => 1,
        Op::Pad(_, PadMode::Constant) => 2,
        Op::Pad(..) => 1,
        Op::Concat(_) => x.0.len(),
        _ => return Ok(None),
    };
    let mut operands = Vec::with_capacity(x.0.len());
    let mut read = range.len() as u64;
    for (i, operand) in x.0.iter().enumerate() {
        operands.push(match operand {
            Some(array) if i < moved => Some(numbers(i, array)),
            Some(array) => {
                read += array.len() as u64;
                Some(Array::clone(array))
            }
            None => None,
        });
    }
    let operands: Vec<Option<&Array>> = operands.iter().map(Option::as_ref).collect();
    let info = Info::new(ElementType::I64, result.shape.clone());
    let out = reference::run(op, Operands(&operands), &[info])?;
    let Data::I64(numbers) = &out.first().ok_or(OPERANDS)?.data else {
        return Err(OPERANDS);
    };
    let numbers = numbers.get(range).ok_or(OPERANDS)?;
    // The elements of one operand at a time, so that they may be of any type.
    let mut bytes = vec![0; numbers.len() * result.ty.size()];
    for operand in 0..moved {
        let mine = |n: &i64| n >> SHIFT == operand as i64;
        let at = numbers.iter().filter(|n| mine(n));
        let at = at.map(|n| (n & ((1 << SHIFT) - 1)) as usize);
        let Some(array) = x.optional(operand) else {
            continue;
        };
        let picked = array.data.pick(at)?;
        let picked = picked.le_bytes();
        let places = bytes.chunks_exact_mut(result.ty.size());
        let places = places.zip(numbers).filter(|(_, n)| mine(n));
        for ((place, _), element) in places.zip(picked.chunks_exact(result.ty.size())) {
            place.copy_from_slice(element);
        }
    }
    let data = Data::from_le_bytes(result.ty, &bytes).ok_or(OPERANDS)?;
    Ok(Some((data, read)))
}
