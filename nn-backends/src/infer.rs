//! Types and shapes of an operation's results from those of its operands.

use crate::error::NodeError;
use crate::graph::Info;
use crate::op::{Op, PadMode, Unary};
use crate::tensor::ElementType as T;

mod indexing;

fn shape(reason: &'static str) -> NodeError {
    NodeError::Shape(reason)
}

/// Shape that two shapes broadcast to.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, NodeError> {
    let rank = a.len().max(b.len());
    let dim = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |i| s[i]);
    (0..rank)
        .map(|i| match (dim(a, i), dim(b, i)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(shape("operands do not broadcast")),
        })
        .collect()
}

/// Shape of a matrix product: the last two axes multiply, the others broadcast.
fn product(a: &[usize], b: &[usize]) -> Result<Vec<usize>, NodeError> {
    let ([batch_a @ .., m, k], [batch_b @ .., l, n]) = (a, b) else {
        return Err(shape("a matrix product needs matrices"));
    };
    if k != l {
        return Err(shape("inner dimensions differ"));
    }
    let mut out = broadcast(batch_a, batch_b)?;
    out.extend([*m, *n]);
    Ok(out)
}

fn convolution(c: &crate::kernels::ConvShape, x: &Info, w: &Info) -> Result<Vec<usize>, NodeError> {
    let fits = x.rank() == 4
        && x.shape[1] == c.channels_in
        && x.shape[2..] == c.input
        && c.groups > 0
        && w.shape
            == [
                c.channels_out,
                c.channels_in / c.groups,
                c.kernel[0],
                c.kernel[1],
            ];
    if !fits {
        return Err(shape("the convolution's operands do not fit it"));
    }
    let [h, w] = c.output().map_err(|_| shape("invalid convolution"))?;
    Ok(vec![x.shape[0], c.channels_out, h, w])
}

fn per_channel(what: Option<&Info>, channels: usize) -> Result<(), NodeError> {
    match what {
        Some(info) if info.elements() != 1 && info.shape != [channels] => {
            Err(shape("one parameter, or one for each channel"))
        }
        _ => Ok(()),
    }
}

/// An axis parameter (scale or zero point) is a scalar or fits its axis.
fn along(what: &Info, x: &Info, axis: usize) -> Result<(), NodeError> {
    let fits =
        what.elements() == 1 || (what.rank() == 1 && x.shape.get(axis) == what.shape.first());
    fits.then_some(())
        .ok_or(shape("scale or zero point does not fit its axis"))
}

/// The operands by position.
pub(crate) struct Operands<'a>(pub Vec<Option<&'a Info>>);

impl<'a> Operands<'a> {
    fn get(&self, i: usize) -> Result<&'a Info, NodeError> {
        self.optional(i).ok_or(NodeError::MissingInput(i))
    }

    pub fn optional(&self, i: usize) -> Option<&'a Info> {
        self.0.get(i).copied().flatten()
    }

    fn typed(&self, i: usize, allowed: &[T]) -> Result<&'a Info, NodeError> {
        let info = self.get(i)?;
        if !allowed.contains(&info.ty) {
            return Err(NodeError::ElementType {
                input: i,
                ty: info.ty,
            });
        }
        Ok(info)
    }

    /// Two operands of the same type.
    fn pair(&self, a: usize, b: usize) -> Result<(&'a Info, &'a Info), NodeError> {
        let (x, y) = (self.get(a)?, self.get(b)?);
        if x.ty != y.ty {
            return Err(NodeError::ElementType { input: b, ty: y.ty });
        }
        Ok((x, y))
    }

    /// The 8-bit operands and zero points of an integer contraction.
    fn contraction(&self) -> Result<(&'a Info, &'a Info), NodeError> {
        let (a, b) = (self.typed(0, BYTES)?, self.typed(1, BYTES)?);
        for (i, operand) in [(2, a), (3, b)] {
            if let Some(zero) = self.optional(i)
                && zero.ty != operand.ty
            {
                return Err(NodeError::ElementType {
                    input: i,
                    ty: zero.ty,
                });
            }
        }
        Ok((a, b))
    }

    fn bias(&self, i: usize, ty: T, channels: usize) -> Result<(), NodeError> {
        match self.optional(i) {
            Some(bias) if bias.ty != ty => Err(NodeError::ElementType {
                input: i,
                ty: bias.ty,
            }),
            Some(bias) if bias.shape != [channels] => Err(shape("one bias for each channel")),
            _ => Ok(()),
        }
    }
}

const BYTES: &[T] = &[T::U8, T::I8];
#[rustfmt::skip]
const NUMBERS: &[T] = &[
    T::U8, T::I8, T::I16, T::I32, T::I64, T::F32, T::U16, T::U32, T::U64, T::F64,
];
#[rustfmt::skip]
const ALL: &[T] = &[
    T::U8, T::I8, T::I16, T::I32, T::I64, T::F32, T::U16, T::U32, T::U64, T::F64, T::Bool,
];
#[rustfmt::skip]
const INTEGERS: &[T] = &[
    T::U8, T::I8, T::I16, T::I32, T::I64, T::U16, T::U32, T::U64,
];
const UNSIGNED: &[T] = &[T::U8, T::U16, T::U32, T::U64];
/// Of the operations that have kernels, and of all others.
const SINGLE: &[T] = &[T::F32];
const FLOATS: &[T] = &[T::F32, T::F64];
const INDICES: &[T] = &[T::I32, T::I64];

/// Types and shapes of the results of `op`.
pub(crate) fn infer(op: &Op, operands: &Operands<'_>) -> Result<Vec<Info>, NodeError> {
    let x = operands.get(0)?;
    let one = |ty, shape: Vec<usize>| Ok(vec![Info::new(ty, shape)]);
    match op {
        Op::Reshape(to) => {
            if Info::new(x.ty, to.clone()).elements() != x.elements() {
                return Err(shape("a reshape keeps the number of elements"));
            }
            one(x.ty, to.clone())
        }
        Op::Transpose(perm) => {
            let mut seen = vec![false; x.rank()];
            for &axis in perm {
                match seen.get_mut(axis) {
                    Some(seen @ false) => *seen = true,
                    _ => return Err(shape("not a permutation of the axes")),
                }
            }
            if perm.len() != x.rank() {
                return Err(shape("not a permutation of the axes"));
            }
            one(x.ty, perm.iter().map(|&axis| x.shape[axis]).collect())
        }
        Op::Expand(to) => {
            if &broadcast(&x.shape, to)? != to {
                return Err(shape("the operand does not broadcast to the shape"));
            }
            one(x.ty, to.clone())
        }
        Op::Concat(axis) => {
            let mut out = x.shape.clone();
            let length = out.get_mut(*axis).ok_or(shape("axis out of range"))?;
            *length = 0;
            for i in 0..operands.0.len() {
                let (_, y) = operands.pair(0, i)?;
                let fits = y.rank() == out.len()
                    && (0..out.len()).all(|d| d == *axis || y.shape[d] == x.shape[d]);
                if !fits {
                    return Err(shape("operands differ in more than the axis"));
                }
                out[*axis] = out[*axis]
                    .checked_add(y.shape[*axis])
                    .ok_or(shape("too large"))?;
            }
            one(x.ty, out)
        }
        Op::Slice(axes) => {
            if axes.len() != x.rank() {
                return Err(shape("one slice for each axis"));
            }
            for (&(start, step, len), &dim) in axes.iter().zip(&x.shape) {
                let last = (start as i128) + (step as i128) * (len as i128 - 1);
                if len > 0 && (start >= dim || !(0..dim as i128).contains(&last)) {
                    return Err(shape("slice out of range"));
                }
            }
            one(x.ty, axes.iter().map(|a| a.2).collect())
        }
        Op::Gather(axis) => {
            let indices = operands.typed(1, INDICES)?;
            if *axis >= x.rank() {
                return Err(shape("axis out of range"));
            }
            let mut out = x.shape[..*axis].to_vec();
            out.extend(&indices.shape);
            out.extend(&x.shape[*axis + 1..]);
            one(x.ty, out)
        }
        Op::GatherElements(axis) => {
            let indices = operands.typed(1, INDICES)?;
            let fits = *axis < x.rank()
                && indices.rank() == x.rank()
                && (0..x.rank()).all(|d| d == *axis || indices.shape[d] <= x.shape[d]);
            if !fits {
                return Err(shape("the indices do not fit"));
            }
            one(x.ty, indices.shape.clone())
        }
        Op::Pad(pads, mode) => {
            if pads.len() != x.rank() {
                return Err(shape("one pad for each axis"));
            }
            if *mode == PadMode::Constant {
                let (_, value) = operands.pair(0, 1)?;
                if value.elements() != 1 {
                    return Err(shape("the pad's value is a scalar"));
                }
            }
            let mut out = Vec::with_capacity(pads.len());
            for (&(before, after), &dim) in pads.iter().zip(&x.shape) {
                let len = (dim as i128) + (before as i128) + (after as i128);
                let max = match mode {
                    PadMode::Reflect => dim.saturating_sub(1),
                    PadMode::Constant => usize::MAX,
                    _ if dim == 0 => 0,
                    _ => usize::MAX,
                };
                if before.max(0) as usize > max || after.max(0) as usize > max {
                    return Err(shape("the pad is larger than its axis allows"));
                }
                out.push(usize::try_from(len).map_err(|_| shape("invalid pad"))?);
            }
            one(x.ty, out)
        }
        Op::Cast(ty) => one(*ty, x.shape.clone()),
        Op::BitCast(_)
        | Op::Narrow(..)
        | Op::Cumulate { .. }
        | Op::TopK { .. }
        | Op::GatherNd(_)
        | Op::ScatterElements(..)
        | Op::ScatterNd(_) => indexing::infer(op, operands),
        Op::PoolIndices(window, _) => {
            operands.typed(0, NUMBERS)?;
            one(T::I64, windows(window, x)?)
        }
        Op::Where => {
            let condition = operands.typed(0, &[T::Bool])?;
            let (a, b) = operands.pair(1, 2)?;
            let out = broadcast(&broadcast(&condition.shape, &a.shape)?, &b.shape)?;
            one(a.ty, out)
        }
        Op::Unary(f) => {
            let allowed = match f {
                Unary::Neg | Unary::Sign | Unary::Abs => NUMBERS,
                Unary::Not => &[T::Bool],
                Unary::BitNot => INTEGERS,
                _ => FLOATS,
            };
            operands.typed(0, allowed)?;
            one(x.ty, x.shape.clone())
        }
        Op::Binary(f) => {
            use crate::op::Binary as B;
            let (a, b) = operands.pair(0, 1)?;
            let allowed = match f {
                B::And | B::Or | B::Xor => &[T::Bool][..],
                B::Equal => ALL,
                B::BitAnd | B::BitOr | B::BitXor | B::Mod => INTEGERS,
                B::ShiftLeft | B::ShiftRight => UNSIGNED,
                _ => NUMBERS,
            };
            operands.typed(0, allowed)?;
            let ty = if f.compares() { T::Bool } else { a.ty };
            one(ty, broadcast(&a.shape, &b.shape)?)
        }
        Op::Table(_, ty) => {
            operands.typed(0, BYTES)?;
            one(*ty, x.shape.clone())
        }
        Op::Reduce(_, axes) => {
            operands.typed(0, NUMBERS)?;
            let mut out = x.shape.clone();
            for &axis in axes {
                *out.get_mut(axis).ok_or(shape("axis out of range"))? = 1;
            }
            one(x.ty, out)
        }
        Op::ArgReduce { axis, .. } => {
            operands.typed(0, NUMBERS)?;
            let mut out = x.shape.clone();
            let dim = out.get_mut(*axis).ok_or(shape("axis out of range"))?;
            if *dim == 0 {
                return Err(shape("nothing to reduce"));
            }
            *dim = 1;
            one(T::I64, out)
        }
        Op::Softmax => {
            operands.typed(0, SINGLE)?;
            if x.shape.last().is_none_or(|n| *n == 0) {
                return Err(shape("softmax needs a non-empty last axis"));
            }
            one(x.ty, x.shape.clone())
        }
        Op::MatMul => {
            operands.typed(0, SINGLE)?;
            let (a, b) = operands.pair(0, 1)?;
            one(T::F32, product(&a.shape, &b.shape)?)
        }
        Op::Conv(c) => {
            operands.typed(0, SINGLE)?;
            let (x, w) = operands.pair(0, 1)?;
            operands.bias(2, T::F32, c.channels_out)?;
            one(T::F32, convolution(c, x, w)?)
        }
        Op::MatMulInteger | Op::QMatMul(_) => {
            let (a, b) = operands.contraction()?;
            let out = product(&a.shape, &b.shape)?;
            let (m, n) = (a.shape[a.rank() - 2], b.shape[b.rank() - 1]);
            per_channel(operands.optional(2), m)?;
            per_channel(operands.optional(3), n)?;
            let ty = if let Op::QMatMul(requantize) = op {
                operands.bias(4, T::I32, n)?;
                channels(requantize.scales.len(), n)?;
                requantize.ty
            } else {
                T::I32
            };
            one(ty, out)
        }
        Op::ConvInteger(c) | Op::QConv(c, _) => {
            let (x, w) = operands.contraction()?;
            if operands.optional(2).is_some_and(|z| z.elements() != 1) {
                return Err(shape("the input's zero point is a scalar"));
            }
            per_channel(operands.optional(3), c.channels_out)?;
            let ty = if let Op::QConv(_, requantize) = op {
                operands.bias(4, T::I32, c.channels_out)?;
                channels(requantize.scales.len(), c.channels_out)?;
                requantize.ty
            } else {
                T::I32
            };
            one(ty, convolution(c, x, w)?)
        }
        Op::QAdd { ty, .. } => {
            let (a, b) = (operands.typed(0, BYTES)?, operands.typed(1, BYTES)?);
            one(*ty, broadcast(&a.shape, &b.shape)?)
        }
        Op::QMul { requantize, .. } => {
            let (a, b) = (operands.typed(0, BYTES)?, operands.typed(1, BYTES)?);
            channels(requantize.scales.len(), 1)?;
            one(requantize.ty, broadcast(&a.shape, &b.shape)?)
        }
        Op::Quantize { axis, ty } => {
            operands.typed(0, &[T::F32, T::I32])?;
            along(operands.typed(1, SINGLE)?, x, *axis)?;
            if operands.optional(2).is_some() {
                along(operands.typed(2, &[*ty])?, x, *axis)?;
            }
            one(*ty, x.shape.clone())
        }
        Op::Dequantize { axis } => {
            operands.typed(0, &[T::U8, T::I8, T::I16, T::I32, T::U16])?;
            along(operands.typed(1, SINGLE)?, x, *axis)?;
            if operands.optional(2).is_some() {
                along(operands.typed(2, &[x.ty])?, x, *axis)?;
            }
            one(T::F32, x.shape.clone())
        }
        Op::DynamicQuantize => {
            operands.typed(0, SINGLE)?;
            Ok(vec![
                Info::new(T::U8, x.shape.clone()),
                Info::new(T::F32, []),
                Info::new(T::U8, []),
            ])
        }
        Op::Pool {
            average, window, ..
        } => {
            let greatest: Vec<T> = NUMBERS.iter().copied().filter(|t| *t != T::F64).collect();
            operands.typed(0, if *average { SINGLE } else { &greatest })?;
            one(x.ty, windows(window, x)?)
        }
        Op::QAveragePool {
            window, requantize, ..
        } => {
            operands.typed(0, BYTES)?;
            one(requantize.ty, windows(window, x)?)
        }
    }
}

fn channels(scales: usize, channels: usize) -> Result<(), NodeError> {
    (scales == 1 || scales == channels)
        .then_some(())
        .ok_or(shape("one scale, or one for each channel"))
}

fn windows(w: &crate::op::Window, x: &Info) -> Result<Vec<usize>, NodeError> {
    let [n, c, height, width] = x.shape[..] else {
        return Err(shape("pooling needs [n, c, h, w]"));
    };
    if w.kernel[0].saturating_mul(w.kernel[1]) > 1 << 20 {
        return Err(shape("the pooling window is too large"));
    }
    for (axis, dim) in [height, width].into_iter().enumerate() {
        let valid = w.kernel[axis] > 0
            && w.strides[axis] > 0
            && w.dilations[axis] > 0
            && w.pads[axis] <= (w.kernel[axis] - 1).saturating_mul(w.dilations[axis])
            && w.output[axis] > 0
            && (w.output[axis] - 1).saturating_mul(w.strides[axis])
                < dim.saturating_add(w.pads[axis]);
        if !valid || dim == 0 {
            return Err(shape("invalid pooling window"));
        }
    }
    Ok(vec![n, c, w.output[0], w.output[1]])
}
