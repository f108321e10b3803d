//! Operations that move elements: one kernel, told for each axis where its indices come from.

use super::{Context, Dispatch, Source, small, words};
use crate::array::Array;
use crate::gpu::shader;
use crate::graph::{Info, ValueId};
use crate::op::PadMode;
use crate::placement::CpuReason;
use crate::reference::movement::{broadcast_strides, strides};
use crate::tensor::ElementType;

/// Longest table of one axis.
const MOST_ENTRIES: usize = 1 << 20;

/// Where the indices of one axis of the result come from.
#[derive(Clone, Debug)]
struct Axis {
    length: usize,
    from: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    /// Offset `base + (i − first) · step` for `first ≤ i < behind`; outside, nothing.
    Line {
        base: isize,
        step: isize,
        first: usize,
        behind: usize,
    },
    Table(Vec<usize>),
}

impl Axis {
    fn whole(length: usize, base: isize, step: isize) -> Axis {
        let (first, behind) = (0, length);
        Axis {
            length,
            from: Origin::Line {
                base,
                step,
                first,
                behind,
            },
        }
    }

    /// Steps of an axis that reads every index in order.
    fn step(&self) -> Option<isize> {
        match self.from {
            Origin::Line {
                base: 0,
                step,
                first: 0,
                behind,
            } if behind == self.length => Some(step),
            _ => None,
        }
    }
}

/// Fewer axes with the same meaning: neighbours that run on join.
fn joined(axes: Vec<Axis>) -> Vec<Axis> {
    let mut out: Vec<Axis> = Vec::new();
    for axis in axes {
        if axis.length == 1 && axis.step().is_some() {
            continue;
        }
        if let (Some(last), Some(inner)) = (out.last_mut(), axis.step())
            && last.step() == Some(inner * axis.length as isize)
        {
            *last = Axis::whole(last.length * axis.length, 0, inner);
            continue;
        }
        out.push(axis);
    }
    out
}

/// Elements of 64 bits move as two words.
fn unit(ty: ElementType) -> (ElementType, bool) {
    match ty.size() {
        1 => (ElementType::U8, false),
        2 => (ElementType::I16, false),
        4 => (ElementType::I32, false),
        _ => (ElementType::I32, true),
    }
}

fn wrapped(n: isize) -> Result<u32, CpuReason> {
    i32::try_from(n)
        .map(i32::cast_unsigned)
        .map_err(|_| CpuReason::TooLarge)
}

/// A movement; outside its axes' lines an element becomes `outside`, or stays if `keep`.
fn movement(
    c: &Context<'_>,
    source: ValueId,
    mut axes: Vec<Axis>,
    outside: u32,
    keep: bool,
) -> Result<Dispatch, CpuReason> {
    let (_, result) = c.result()?;
    let (ty, double) = unit(result.ty);
    if double {
        for axis in &mut axes {
            match &mut axis.from {
                Origin::Line { base, step, .. } => (*base, *step) = (*base * 2, *step * 2),
                Origin::Table(table) => table.iter_mut().for_each(|at| *at *= 2),
            }
        }
        axes.push(Axis::whole(2, 0, 1));
    }
    let axes = joined(axes);
    let elements = result.elements() as u32 * if double { 2 } else { 1 };
    let mut params = vec![
        words(result),
        elements,
        c.stride(source),
        outside,
        u32::from(keep),
        small(axes.len())?,
    ];
    let mut tables = Vec::new();
    let tables_at = params.len() + 6 * axes.len();
    for axis in &axes {
        let length = small(axis.length)?;
        match &axis.from {
            Origin::Line {
                base,
                step,
                first,
                behind,
            } => {
                let (base, step) = (wrapped(*base)?, wrapped(*step)?);
                params.extend([length, 0, base, step, small(*first)?, small(*behind)?]);
            }
            Origin::Table(table) => {
                if table.len() > MOST_ENTRIES {
                    return Err(CpuReason::TooLarge);
                }
                let at = small(tables_at + tables.len())?;
                params.extend([length, at, 0, 0, 0, length]);
                for entry in table {
                    tables.push(small(*entry)?);
                }
            }
        }
    }
    params.extend(tables);
    c.elements(
        shader::movement(ty, keep),
        vec![Source::Value(source)],
        params,
    )
}

fn lines(shape: &[usize], steps: &[isize]) -> Vec<Axis> {
    shape
        .iter()
        .zip(steps)
        .map(|(length, step)| Axis::whole(*length, 0, *step))
        .collect()
}

pub(super) fn transpose(c: &Context<'_>, perm: &[usize]) -> Result<Dispatch, CpuReason> {
    let source = strides(&c.info(0)?.shape);
    let steps: Vec<isize> = perm.iter().map(|axis| source[*axis]).collect();
    let (_, result) = c.result()?;
    movement(c, c.input(0)?, lines(&result.shape, &steps), 0, false)
}

pub(super) fn expand(c: &Context<'_>) -> Result<Dispatch, CpuReason> {
    let (_, result) = c.result()?;
    let steps = broadcast_strides(&c.info(0)?.shape, &result.shape);
    movement(c, c.input(0)?, lines(&result.shape, &steps), 0, false)
}

pub(super) fn slice(
    c: &Context<'_>,
    axes: &[(usize, isize, usize)],
) -> Result<Dispatch, CpuReason> {
    let source = strides(&c.info(0)?.shape);
    let axes = axes
        .iter()
        .zip(source)
        .map(|(&(first, step, length), stride)| {
            Axis::whole(length, first as isize * stride, step * stride)
        })
        .collect();
    movement(c, c.input(0)?, axes, 0, false)
}

/// The bits of a constant's only element.
fn scalar_bits(x: &Array) -> Option<u32> {
    let bytes = x.data.to_le_bytes();
    let mut word = [0; 4];
    match bytes.len() {
        n @ 1..=4 => word[..n].copy_from_slice(&bytes),
        _ => return None,
    }
    Some(u32::from_le_bytes(word))
}

pub(super) fn pad(
    c: &Context<'_>,
    pads: &[(isize, isize)],
    mode: PadMode,
) -> Result<Dispatch, CpuReason> {
    let outside = match (mode, c.constant(1)?) {
        (PadMode::Constant, Some(value)) => scalar_bits(value).ok_or(CpuReason::Wide)?,
        (PadMode::Constant, None) => return Err(CpuReason::Parameter),
        _ => 0,
    };
    let x = c.info(0)?;
    let (_, result) = c.result()?;
    let source = strides(&x.shape);
    let mut axes = Vec::new();
    for (axis, &(before, _)) in pads.iter().enumerate() {
        let (from, to) = (x.shape[axis] as isize, result.shape[axis] as isize);
        let (first, behind) = (before.clamp(0, to), (before + from).clamp(0, to));
        let base = (first - before) * source[axis];
        axes.push(
            if mode == PadMode::Constant || (first == 0 && behind == to) {
                Axis {
                    length: to as usize,
                    from: Origin::Line {
                        base,
                        step: source[axis],
                        first: first as usize,
                        behind: behind as usize,
                    },
                }
            } else {
                let at = |i: isize| match mode {
                    _ if (0..from).contains(&i) => i,
                    PadMode::Reflect if i < 0 => -i,
                    PadMode::Reflect => 2 * (from - 1) - i,
                    PadMode::Wrap => i.rem_euclid(from),
                    _ => i.clamp(0, from - 1),
                };
                let table: Vec<usize> = (0..to)
                    .map(|i| (at(i - before) * source[axis]) as usize)
                    .collect();
                Axis {
                    length: to as usize,
                    from: Origin::Table(table),
                }
            },
        );
    }
    movement(c, c.input(0)?, axes, outside, false)
}

pub(super) fn concat(c: &Context<'_>, axis: usize) -> Result<Vec<Dispatch>, CpuReason> {
    let (_, result) = c.result()?;
    let mut out = Vec::new();
    let mut start = 0;
    for (i, id) in c.node.inputs.iter().enumerate() {
        let id = id.ok_or(CpuReason::NoKernel)?;
        let part: &Info = c.graph.info(id);
        let source = strides(&part.shape);
        let mut axes = lines(&result.shape, &source);
        let behind = start + part.shape[axis];
        axes[axis].from = Origin::Line {
            base: 0,
            step: source[axis],
            first: start,
            behind,
        };
        out.push(movement(c, id, axes, 0, i > 0)?);
        start = behind;
    }
    Ok(out)
}

pub(super) fn gather(c: &Context<'_>, axis: usize) -> Result<Dispatch, CpuReason> {
    let (x, indices) = (c.info(0)?, c.info(1)?);
    let length = x.shape[axis];
    let (_, result) = c.result()?;
    if let Ok(Some(list)) = c.constant(1) {
        let source = strides(&x.shape);
        let mut table = Vec::new();
        for i in list.to_i64().ok_or(CpuReason::NoKernel)? {
            let at = if i < 0 {
                i.wrapping_add(length as i64)
            } else {
                i
            };
            // One that is out of range fails as the definition does.
            let at = usize::try_from(at).ok().filter(|at| *at < length);
            table.push(at.ok_or(CpuReason::Parameter)? * source[axis] as usize);
        }
        let mut axes = lines(&x.shape[..axis], &source[..axis]);
        axes.push(Axis {
            length: table.len(),
            from: Origin::Table(table),
        });
        axes.extend(lines(&x.shape[axis + 1..], &source[axis + 1..]));
        return movement(c, c.input(0)?, axes, 0, false);
    }
    let (ty, double) = unit(x.ty);
    let factor = if double { 2 } else { 1 };
    let inner: usize = x.shape[axis + 1..].iter().product::<usize>() * factor;
    let params = vec![
        words(result),
        result.elements() as u32 * factor as u32,
        c.stride(c.input(0)?),
        c.stride(c.input(1)?),
        small(length)?,
        indices.elements() as u32,
        small(inner)?,
        small(c.index)?,
    ];
    let sources = vec![Source::Value(c.input(0)?), Source::Value(c.input(1)?)];
    c.elements(shader::gather(ty, indices.ty), sources, params)
}
