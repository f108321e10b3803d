//! Softmax and normalisations, composed in a fixed order.

use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::op::{Binary, Op, Reduce, Unary};

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.input(0)?;
    let rank = c.rank(x);
    let id = match c.node.op_type {
        "Softmax" | "LogSoftmax" | "Hardmax" => softmax(c, x)?,
        "LayerNormalization" => {
            let axis = c.axis("axis", -1, rank)?;
            let epsilon = c.float_or("epsilon", 1e-5)?;
            let axes: Vec<usize> = (axis..rank).collect();
            let (y, mean, deviation) = moments(c, x, &axes, epsilon)?;
            let scale = c.input(1)?;
            let y = c.binary(Binary::Mul, y, scale)?;
            let y = match c.optional(2) {
                Some(bias) => c.binary(Binary::Add, y, bias)?,
                None => y,
            };
            return Ok(vec![
                y,
                mean,
                c.emit(Op::Unary(Unary::Reciprocal), &[deviation])?,
            ]);
        }
        "MeanVarianceNormalization" => {
            let axes = match c.ints("axes")? {
                Some(axes) => crate::import::context::normalise_all(axes, rank)?,
                None if rank == 4 => vec![0, 2, 3],
                None => return Err(bad("axes")),
            };
            standardise(c, x, &axes, 1e-9)?
        }
        "InstanceNormalization" => {
            let epsilon = c.float_or("epsilon", 1e-5)?;
            let axes: Vec<usize> = (2..rank).collect();
            let y = standardise(c, x, &axes, epsilon)?;
            let (scale, bias) = (c.input(1)?, c.input(2)?);
            affine(c, y, scale, bias)?
        }
        "GroupNormalization" => group(c, x)?,
        "BatchNormalization" => {
            if c.flag("training_mode")? {
                return Err(bad("training_mode"));
            }
            let epsilon = c.float_or("epsilon", 1e-5)?;
            let (scale, bias) = (c.input(1)?, c.input(2)?);
            let (mean, variance) = (c.input(3)?, c.input(4)?);
            let epsilon = c.float_constant(epsilon);
            let v = c.binary(Binary::Add, variance, epsilon)?;
            let deviation = c.emit(Op::Unary(Unary::Sqrt), &[v])?;
            // One multiplication and one addition for each element; the rest is folded at load.
            let factor = c.binary(Binary::Div, scale, deviation)?;
            let shift = c.binary(Binary::Mul, mean, factor)?;
            let shift = c.binary(Binary::Sub, bias, shift)?;
            affine(c, x, factor, shift)?
        }
        "LpNormalization" => {
            let axis = c.axis("axis", -1, rank)?;
            let norm = match c.int_or("p", 2)? {
                1 => {
                    let y = c.emit(Op::Unary(Unary::Abs), &[x])?;
                    c.emit(Op::Reduce(Reduce::Sum, vec![axis]), &[y])?
                }
                2 => {
                    let y = c.binary(Binary::Mul, x, x)?;
                    let y = c.emit(Op::Reduce(Reduce::Sum, vec![axis]), &[y])?;
                    c.emit(Op::Unary(Unary::Sqrt), &[y])?
                }
                _ => return Err(bad("p")),
            };
            // A vector of zeros stays one.
            let y = c.binary(Binary::Div, x, norm)?;
            let zero = c.float_constant(0.0);
            let nothing = c.binary(Binary::Equal, norm, zero)?;
            c.emit(Op::Where, &[nothing, zero, y])?
        }
        _ => return Err(NodeError::Operator),
    };
    Ok(vec![id])
}

fn softmax(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    along_axis(c, x, c.opset, last_axis)
}

/// What `on_last` gives along the node's axis, as operator set `opset` understands that.
pub(super) fn along_axis(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    opset: i64,
    on_last: fn(&mut Context<'_, '_, '_>, ValueId) -> Value,
) -> Value {
    let shape = c.shape(x);
    let rank = shape.len();
    if opset < 13 {
        // The axes from `axis` on were one.
        let axis = c.axis("axis", 1, rank)?;
        let (a, b) = shape.split_at(axis);
        let y = c.reshape(x, vec![a.iter().product(), b.iter().product()])?;
        let y = on_last(c, y)?;
        return c.reshape(y, shape);
    }
    let axis = c.axis("axis", -1, rank)?;
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(axis, rank - 1);
    let y = c.emit(Op::Transpose(perm.clone()), &[x])?;
    let y = on_last(c, y)?;
    c.emit(Op::Transpose(perm), &[y])
}

fn last_axis(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let axis = c.rank(x).checked_sub(1).ok_or_else(|| bad("axis"))?;
    match c.node.op_type {
        "Softmax" => c.emit(Op::Softmax, &[x]),
        "LogSoftmax" => {
            let greatest = c.emit(Op::Reduce(Reduce::Max, vec![axis]), &[x])?;
            let y = c.binary(Binary::Sub, x, greatest)?;
            let e = c.emit(Op::Unary(Unary::Exp), &[y])?;
            let sum = c.emit(Op::Reduce(Reduce::Sum, vec![axis]), &[e])?;
            let log = c.emit(Op::Unary(Unary::Log), &[sum])?;
            c.binary(Binary::Sub, y, log)
        }
        _ => {
            let op = Op::ArgReduce {
                max: true,
                axis,
                last: false,
            };
            let best = c.emit(op, &[x])?;
            let n = c.shape(x)[axis];
            c.builder.may_make(n as u64)?;
            let index = c.builder.keep(crate::Array {
                shape: vec![n],
                data: crate::Data::I64((0..n as i64).collect()),
            });
            let hit = c.binary(Binary::Equal, index, best)?;
            c.emit(Op::Cast(crate::ElementType::F32), &[hit])
        }
    }
}

/// (x − mean) ÷ √(variance + ε) over axes.
fn standardise(c: &mut Context<'_, '_, '_>, x: ValueId, axes: &[usize], epsilon: f32) -> Value {
    Ok(moments(c, x, axes, epsilon)?.0)
}

/// The same, with the mean and √(variance + ε).
fn moments(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    axes: &[usize],
    epsilon: f32,
) -> Result<(ValueId, ValueId, ValueId), NodeError> {
    let mean = c.emit(Op::Reduce(Reduce::Mean, axes.to_vec()), &[x])?;
    let d = c.binary(Binary::Sub, x, mean)?;
    let v = c.binary(Binary::Mul, d, d)?;
    let v = c.emit(Op::Reduce(Reduce::Mean, axes.to_vec()), &[v])?;
    let epsilon = c.float_constant(epsilon);
    let v = c.binary(Binary::Add, v, epsilon)?;
    let deviation = c.emit(Op::Unary(Unary::Sqrt), &[v])?;
    Ok((c.binary(Binary::Div, d, deviation)?, mean, deviation))
}

/// x · scale + bias, one of each for each channel of `[n, c, …]`.
fn affine(c: &mut Context<'_, '_, '_>, x: ValueId, scale: ValueId, bias: ValueId) -> Value {
    let rank = c.rank(x);
    let channels = *c.shape(x).get(1).ok_or(NodeError::Shape("no channels"))?;
    let mut shape = vec![1; rank.saturating_sub(1)];
    if let Some(first) = shape.first_mut() {
        *first = channels;
    }
    let scale = c.reshape(scale, shape.clone())?;
    let bias = c.reshape(bias, shape)?;
    let y = c.binary(Binary::Mul, x, scale)?;
    c.binary(Binary::Add, y, bias)
}

fn group(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let shape = c.shape(x);
    let groups = usize::try_from(c.int_or("num_groups", 0)?).map_err(|_| bad("num_groups"))?;
    let epsilon = c.float_or("epsilon", 1e-5)?;
    let (n, channels) = match shape[..] {
        [n, channels, ..] if groups > 0 && channels % groups == 0 => (n, channels),
        _ => return Err(bad("num_groups")),
    };
    let rest: usize = shape[2..].iter().product();
    let y = c.reshape(x, vec![n, groups, channels / groups * rest])?;
    let y = standardise(c, y, &[2], epsilon)?;
    let (scale, bias) = (c.input(1)?, c.input(2)?);
    // Before operator set 21 there was one parameter for each group.
    if c.shape(scale) == [channels] && c.opset >= 21 {
        let y = c.reshape(y, shape)?;
        affine(c, y, scale, bias)
    } else {
        let y = affine(c, y, scale, bias)?;
        c.reshape(y, shape)
    }
}
