//! Casts and operations that select by position.

use super::{INDICES, NUMBERS, Operands, SINGLE, T, shape};
use crate::error::NodeError;
use crate::graph::Info;
use crate::op::{Op, Scatter};

/// The type of `x` and `updates` of a scattering.
fn scattered(operands: &Operands<'_>, how: Scatter) -> Result<(), NodeError> {
    let (x, _) = operands.pair(0, 2)?;
    if how != Scatter::Replace && x.ty == T::Bool {
        return Err(NodeError::ElementType { input: 0, ty: x.ty });
    }
    Ok(())
}

/// Depth of the rows of indices, and the shape of what they name.
fn rows<'a>(x: &'a Info, indices: &Info, batch: usize) -> Result<(usize, &'a [usize]), NodeError> {
    let depth = *indices.shape.last().ok_or(shape("indices have no axis"))?;
    let fits = batch < indices.rank()
        && batch <= x.rank()
        && x.shape[..batch] == indices.shape[..batch]
        && depth >= 1
        && depth <= x.rank() - batch;
    if !fits {
        return Err(shape("the indices do not fit"));
    }
    Ok((depth, &x.shape[batch + depth..]))
}

pub(super) fn infer(op: &Op, operands: &Operands<'_>) -> Result<Vec<Info>, NodeError> {
    let x = operands.get(0)?;
    let one = |ty, shape: Vec<usize>| Ok(vec![Info::new(ty, shape)]);
    match op {
        Op::BitCast(ty) => {
            if ty.size() != x.ty.size() || *ty == T::Bool {
                return Err(NodeError::ElementType { input: 0, ty: x.ty });
            }
            one(*ty, x.shape.clone())
        }
        Op::Narrow(..) => {
            operands.typed(0, SINGLE)?;
            one(x.ty, x.shape.clone())
        }
        Op::Cumulate { axis, .. } => {
            operands.typed(0, NUMBERS)?;
            if *axis >= x.rank() {
                return Err(shape("axis out of range"));
            }
            one(x.ty, x.shape.clone())
        }
        Op::TopK { axis, k, .. } => {
            operands.typed(0, NUMBERS)?;
            let mut out = x.shape.clone();
            let dim = out.get_mut(*axis).ok_or(shape("axis out of range"))?;
            if *k > *dim {
                return Err(shape("more elements than the axis has"));
            }
            *dim = *k;
            Ok(vec![Info::new(x.ty, out.clone()), Info::new(T::I64, out)])
        }
        Op::GatherNd(batch) => {
            let indices = operands.typed(1, INDICES)?;
            let (_, inner) = rows(x, indices, *batch)?;
            let mut out = indices.shape[..indices.rank() - 1].to_vec();
            out.extend(inner);
            one(x.ty, out)
        }
        Op::ScatterElements(axis, how) => {
            let indices = operands.typed(1, INDICES)?;
            scattered(operands, *how)?;
            let fits = *axis < x.rank()
                && indices.rank() == x.rank()
                && operands.get(2)?.shape == indices.shape
                && (0..x.rank()).all(|d| d == *axis || indices.shape[d] <= x.shape[d]);
            if !fits {
                return Err(shape("the indices do not fit"));
            }
            one(x.ty, x.shape.clone())
        }
        Op::ScatterNd(how) => {
            let indices = operands.typed(1, INDICES)?;
            scattered(operands, *how)?;
            let (_, inner) = rows(x, indices, 0)?;
            let updates = &operands.get(2)?.shape;
            let expected = indices.shape[..indices.rank() - 1].iter().chain(inner);
            if !updates.iter().eq(expected) {
                return Err(shape("the updates do not fit"));
            }
            one(x.ty, x.shape.clone())
        }
        _ => Err(NodeError::Operator),
    }
}
