//! Reductions.

use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, normalise_all};
use crate::op::{Binary, Op, Reduce, Unary};
use crate::tensor::ElementType;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.input(0)?;
    let rank = c.rank(x);
    let keep = c.int_or("keepdims", 1)? != 0;
    if let "ArgMax" | "ArgMin" = c.node.op_type {
        let op = Op::ArgReduce {
            max: c.node.op_type == "ArgMax",
            axis: c.axis("axis", 0, rank)?,
            last: c.flag("select_last_index")?,
        };
        let axis = c.axis("axis", 0, rank)?;
        let y = c.emit(op, &[x])?;
        return Ok(vec![if keep { y } else { drop_axes(c, y, &[axis])? }]);
    }
    // `ReduceSum` took its axes as an input from 13 on, the others from 18 on.
    let since = if c.node.op_type == "ReduceSum" {
        13
    } else {
        18
    };
    let axes = if c.opset < since {
        c.ints("axes")?.map(<[i64]>::to_vec)
    } else {
        c.constant_ints(1)?
    };
    let axes = match axes {
        Some(axes) if !axes.is_empty() => normalise_all(&axes, rank)?,
        _ if c.flag("noop_with_empty_axes")? => return Ok(vec![x]),
        _ => (0..rank).collect(),
    };
    // Booleans are compared as numbers.
    let boolean = c.ty(x) == ElementType::Bool;
    let x = if boolean {
        c.emit(Op::Cast(ElementType::U8), &[x])?
    } else {
        x
    };
    let sum = |c: &mut Context<'_, '_, '_>, x| c.emit(Op::Reduce(Reduce::Sum, axes.clone()), &[x]);
    let y = match c.node.op_type {
        "ReduceSum" => sum(c, x)?,
        "ReduceMean" => c.emit(Op::Reduce(Reduce::Mean, axes.clone()), &[x])?,
        "ReduceMax" => c.emit(Op::Reduce(Reduce::Max, axes.clone()), &[x])?,
        "ReduceMin" => c.emit(Op::Reduce(Reduce::Min, axes.clone()), &[x])?,
        "ReduceProd" => c.emit(Op::Reduce(Reduce::Prod, axes.clone()), &[x])?,
        "ReduceL1" => {
            let y = c.emit(Op::Unary(Unary::Abs), &[x])?;
            sum(c, y)?
        }
        "ReduceL2" => {
            let y = c.binary(Binary::Mul, x, x)?;
            let y = sum(c, y)?;
            c.emit(Op::Unary(Unary::Sqrt), &[y])?
        }
        "ReduceSumSquare" => {
            let y = c.binary(Binary::Mul, x, x)?;
            sum(c, y)?
        }
        "ReduceLogSum" => {
            let y = sum(c, x)?;
            c.emit(Op::Unary(Unary::Log), &[y])?
        }
        "ReduceLogSumExp" => {
            let greatest = c.emit(Op::Reduce(Reduce::Max, axes.clone()), &[x])?;
            let y = c.binary(Binary::Sub, x, greatest)?;
            let y = c.emit(Op::Unary(Unary::Exp), &[y])?;
            let y = sum(c, y)?;
            let y = c.emit(Op::Unary(Unary::Log), &[y])?;
            c.binary(Binary::Add, y, greatest)?
        }
        _ => return Err(NodeError::Operator),
    };
    let y = match c.node.op_type {
        "ReduceMax" | "ReduceMin" if boolean => c.emit(Op::Cast(ElementType::Bool), &[y])?,
        _ if boolean => {
            return Err(NodeError::ElementType {
                input: 0,
                ty: ElementType::Bool,
            });
        }
        _ => y,
    };
    Ok(vec![if keep { y } else { drop_axes(c, y, &axes)? }])
}

fn drop_axes(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    axes: &[usize],
) -> Result<ValueId, NodeError> {
    let shape = c.shape(x);
    let shape = (0..shape.len())
        .filter(|i| !axes.contains(i))
        .map(|i| shape[i])
        .collect();
    c.reshape(x, shape)
}
