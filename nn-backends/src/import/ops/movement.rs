//! Operators that move elements.

use crate::array::Data;
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad, normalise, normalise_all};
use crate::op::{Op, PadMode};

/// A shape of non-negative numbers.
pub fn dims(values: &[i64]) -> Result<Vec<usize>, NodeError> {
    values
        .iter()
        .map(|v| {
            u32::try_from(*v)
                .map(|v| v as usize)
                .map_err(|_| NodeError::Value("a dimension is out of range"))
        })
        .collect()
}

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let id = match c.node.op_type {
        "Identity" => c.input(0)?,
        "Dropout" => return dropout(c),
        "Reshape" => reshape(c)?,
        "Flatten" => {
            let x = c.input(0)?;
            let shape = c.shape(x);
            let axis = c.int_or("axis", 1)?;
            let axis = if axis == shape.len() as i64 {
                shape.len()
            } else {
                normalise(axis, shape.len()).ok_or_else(|| bad("axis"))?
            };
            let (a, b) = shape.split_at(axis);
            c.reshape(x, vec![a.iter().product(), b.iter().product()])?
        }
        "Squeeze" => {
            let x = c.input(0)?;
            let shape = c.shape(x);
            let axes = match axes(c)? {
                Some(axes) => normalise_all(&axes, shape.len())?,
                None => (0..shape.len()).filter(|i| shape[*i] == 1).collect(),
            };
            if axes.iter().any(|axis| shape[*axis] != 1) {
                return Err(NodeError::Shape("only axes of length 1 can be squeezed"));
            }
            let shape = (0..shape.len())
                .filter(|i| !axes.contains(i))
                .map(|i| shape[i])
                .collect();
            c.reshape(x, shape)?
        }
        "Unsqueeze" => {
            let x = c.input(0)?;
            let shape = c.shape(x);
            let axes = axes(c)?.ok_or_else(|| bad("axes"))?;
            let rank = shape.len() + axes.len();
            let axes = normalise_all(&axes, rank)?;
            let mut rest = shape.into_iter();
            let shape = (0..rank)
                .map(|i| {
                    if axes.contains(&i) {
                        1
                    } else {
                        rest.next().unwrap_or(1)
                    }
                })
                .collect();
            c.reshape(x, shape)?
        }
        "Transpose" => {
            let x = c.input(0)?;
            let rank = c.rank(x);
            let perm = match c.ints("perm")? {
                Some(perm) => dims(perm)?,
                None => (0..rank).rev().collect(),
            };
            c.emit(Op::Transpose(perm), &[x])?
        }
        "Concat" => {
            let inputs = c
                .inputs
                .iter()
                .map(|id| id.ok_or(NodeError::MissingInput(0)))
                .collect::<Result<Vec<_>, _>>()?;
            let first = c.input(0)?;
            let axis = c.int("axis")?.ok_or_else(|| bad("axis"))?;
            let axis = normalise(axis, c.rank(first)).ok_or_else(|| bad("axis"))?;
            c.emit(Op::Concat(axis), &inputs)?
        }
        "Split" => return split(c),
        "Slice" => slice(c)?,
        "Gather" => {
            let (x, indices) = (c.input(0)?, c.input(1)?);
            let axis = c.axis("axis", 0, c.rank(x))?;
            c.emit(Op::Gather(axis), &[x, indices])?
        }
        "GatherElements" => {
            let (x, indices) = (c.input(0)?, c.input(1)?);
            let axis = c.axis("axis", 0, c.rank(x))?;
            c.emit(Op::GatherElements(axis), &[x, indices])?
        }
        "Expand" => {
            let x = c.input(0)?;
            let to = dims(&c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?)?;
            let to = crate::infer::broadcast(&c.shape(x), &to)?;
            c.emit(Op::Expand(to), &[x])?
        }
        "Tile" => {
            let x = c.input(0)?;
            let repeats = dims(&c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?)?;
            let shape = c.shape(x);
            if repeats.len() != shape.len() {
                return Err(NodeError::Shape("one repetition for each axis"));
            }
            let mut x = x;
            for (axis, n) in repeats.into_iter().enumerate() {
                x = repeat(c, x, axis, n)?;
            }
            x
        }
        "Pad" => pad(c)?,
        "DepthToSpace" => depth_to_space(c)?,
        "SpaceToDepth" => space_to_depth(c)?,
        _ => return Err(NodeError::Operator),
    };
    Ok(vec![id])
}

/// At inference nothing is dropped; the mask, where it is asked for, is all true.
fn dropout(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.input(0)?;
    if c.constant_ints(2)?.is_some_and(|training| training != [0]) {
        return Err(NodeError::Random);
    }
    let shape = c.shape(x);
    let mask = c.builder.scalar(Data::Bool(vec![true]));
    let mask = c.reshape(mask, vec![1; shape.len()])?;
    Ok(vec![x, c.emit(Op::Expand(shape), &[mask])?])
}

/// `axes`, an attribute before operator set 13 and input 1 from then on.
fn axes(c: &Context<'_, '_, '_>) -> Result<Option<Vec<i64>>, NodeError> {
    if c.opset < 13 {
        Ok(c.ints("axes")?.map(<[i64]>::to_vec))
    } else {
        c.constant_ints(1)
    }
}

fn reshape(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let x = c.input(0)?;
    let from = c.shape(x);
    let wanted = c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?;
    let allow_zero = c.flag("allowzero")?;
    let mut shape = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (i, dim) in wanted.iter().enumerate() {
        shape.push(match dim {
            -1 if open.is_none() => {
                open = Some(i);
                1
            }
            0 if !allow_zero => *from
                .get(i)
                .ok_or(NodeError::Shape("no dimension to copy"))?,
            dim => u32::try_from(*dim)
                .map_err(|_| NodeError::Value("a dimension is out of range"))?
                as usize,
        });
    }
    if let Some(i) = open {
        let total: usize = from.iter().product();
        let rest = shape
            .iter()
            .try_fold(1usize, |n, d| n.checked_mul(*d))
            .filter(|n| *n > 0 && total.is_multiple_of(*n))
            .ok_or(NodeError::Shape("the open dimension has no value"))?;
        shape[i] = total / rest;
    }
    c.reshape(x, shape)
}

fn split(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.input(0)?;
    let shape = c.shape(x);
    let axis = c.axis("axis", 0, shape.len())?;
    let outputs = c.node.outputs.len();
    let sizes = if c.opset < 13 {
        c.ints("split")?.map(<[i64]>::to_vec)
    } else {
        c.constant_ints(1)?
    };
    let sizes = match sizes {
        Some(sizes) => dims(&sizes)?,
        None => {
            let n = match c.int("num_outputs")? {
                Some(n) => usize::try_from(n).map_err(|_| bad("num_outputs"))?,
                None => outputs,
            };
            if n == 0 || n > outputs {
                return Err(bad("num_outputs"));
            }
            let size = shape[axis].div_ceil(n);
            (0..n)
                .map(|i| size.min(shape[axis].saturating_sub(i * size)))
                .collect()
        }
    };
    let total = sizes.iter().try_fold(0usize, |n, s| n.checked_add(*s));
    if total != Some(shape[axis]) || sizes.len() != outputs {
        return Err(NodeError::Shape("the parts do not make up the axis"));
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(sizes.len());
    for size in sizes {
        parts.push(part(c, x, axis, start, size)?);
        start += size;
    }
    Ok(parts)
}

/// `size` elements of an axis from `start` on.
pub fn part(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    axis: usize,
    start: usize,
    size: usize,
) -> Result<ValueId, NodeError> {
    let axes = c
        .shape(x)
        .into_iter()
        .enumerate()
        .map(|(i, dim)| {
            if i == axis {
                (start, 1, size)
            } else {
                (0, 1, dim)
            }
        })
        .collect();
    c.emit(Op::Slice(axes), &[x])
}

fn slice(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let x = c.input(0)?;
    let shape = c.shape(x);
    let starts = c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?;
    let ends = c.constant_ints(2)?.ok_or(NodeError::MissingInput(2))?;
    let axes = match c.constant_ints(3)? {
        Some(axes) => axes,
        None => (0..starts.len() as i64).collect(),
    };
    let steps = c.constant_ints(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(NodeError::Shape(
            "starts, ends, axes and steps differ in length",
        ));
    }
    let mut ranges: Vec<(usize, isize, usize)> = shape.iter().map(|dim| (0, 1, *dim)).collect();
    for i in 0..starts.len() {
        let axis = normalise(axes[i], shape.len()).ok_or(NodeError::Shape("axis out of range"))?;
        let len = shape[axis] as i64;
        let step = steps[i].clamp(-(1 << 40), 1 << 40);
        let from_end = |v: i64| if v < 0 { v.saturating_add(len) } else { v };
        let (start, count) = if step > 0 {
            let start = from_end(starts[i]).clamp(0, len);
            let end = from_end(ends[i]).clamp(0, len);
            (start, ((end - start).max(0) + step - 1) / step)
        } else if step < 0 {
            let start = from_end(starts[i]).clamp(-1, len - 1);
            let end = from_end(ends[i]).clamp(-1, len - 1);
            (start, ((start - end).max(0) - step - 1) / -step)
        } else {
            return Err(NodeError::Value("a step of zero"));
        };
        let start = if count == 0 { 0 } else { start };
        ranges[axis] = (start.max(0) as usize, step as isize, count as usize);
    }
    c.emit(Op::Slice(ranges), &[x])
}

fn repeat(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    axis: usize,
    n: usize,
) -> Result<ValueId, NodeError> {
    if n == 1 {
        return Ok(x);
    }
    let shape = c.shape(x);
    let mut with_axis = shape.clone();
    with_axis.insert(axis, 1);
    let y = c.reshape(x, with_axis.clone())?;
    with_axis[axis] = n;
    let y = c.emit(Op::Expand(with_axis), &[y])?;
    let mut shape = shape;
    shape[axis] = shape[axis]
        .checked_mul(n)
        .ok_or(NodeError::Limit("elements"))?;
    c.reshape(y, shape)
}

fn pad(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let x = c.input(0)?;
    let shape = c.shape(x);
    let mode = match c.string_or("mode", "constant")? {
        "constant" => PadMode::Constant,
        "edge" => PadMode::Edge,
        "reflect" => PadMode::Reflect,
        "wrap" => PadMode::Wrap,
        _ => return Err(bad("mode")),
    };
    let pads = c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?;
    let axes = match c.constant_ints(3)? {
        Some(axes) => axes,
        None => (0..shape.len() as i64).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(NodeError::Shape("two pads for each axis"));
    }
    let mut list = vec![(0isize, 0isize); shape.len()];
    for (i, axis) in axes.iter().enumerate() {
        let axis = normalise(*axis, shape.len()).ok_or(NodeError::Shape("axis out of range"))?;
        let get = |i: usize| {
            i32::try_from(pads[i])
                .map(|p| p as isize)
                .map_err(|_| NodeError::Value("a pad is out of range"))
        };
        list[axis] = (get(i)?, get(i + axes.len())?);
    }
    let mut inputs = vec![x];
    if mode == PadMode::Constant {
        inputs.push(match c.optional(2) {
            Some(value) => value,
            None => {
                let zero = Data::from_le_bytes(c.ty(x), &[0; 8][..c.ty(x).size()]);
                let zero = zero.ok_or(NodeError::Value("no zero of this type"))?;
                c.builder.scalar(zero)
            }
        });
    }
    c.emit(Op::Pad(list, mode), &inputs)
}

/// Block size and dimensions of `[n, c, h, w]`.
fn blocks(c: &Context<'_, '_, '_>) -> Result<(ValueId, usize, [usize; 4]), NodeError> {
    let x = c.input(0)?;
    let block = c
        .int("blocksize")?
        .and_then(|b| u16::try_from(b).ok())
        .filter(|b| *b > 0)
        .ok_or_else(|| bad("blocksize"))?;
    let shape = c
        .shape(x)
        .try_into()
        .map_err(|_| NodeError::Shape("rank 4 is expected"))?;
    Ok((x, usize::from(block), shape))
}

fn depth_to_space(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let (x, b, [n, channels, h, w]) = blocks(c)?;
    if !channels.is_multiple_of(b * b) {
        return Err(NodeError::Shape("channels do not divide into blocks"));
    }
    let d = channels / (b * b);
    let y = if c.string_or("mode", "DCR")? == "DCR" {
        let y = c.reshape(x, vec![n, b, b, d, h, w])?;
        c.emit(Op::Transpose(vec![0, 3, 4, 1, 5, 2]), &[y])?
    } else {
        let y = c.reshape(x, vec![n, d, b, b, h, w])?;
        c.emit(Op::Transpose(vec![0, 1, 4, 2, 5, 3]), &[y])?
    };
    c.reshape(y, vec![n, d, h * b, w * b])
}

fn space_to_depth(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let (x, b, [n, channels, h, w]) = blocks(c)?;
    if !h.is_multiple_of(b) || !w.is_multiple_of(b) {
        return Err(NodeError::Shape("the plane does not divide into blocks"));
    }
    let y = c.reshape(x, vec![n, channels, h / b, b, w / b, b])?;
    let y = c.emit(Op::Transpose(vec![0, 3, 5, 1, 2, 4]), &[y])?;
    c.reshape(y, vec![n, channels * b * b, h / b, w / b])
}
