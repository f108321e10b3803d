//! The smaller forms of operations that compute.

use std::ops::Range;

use super::{Piece, window};
use crate::array::Array;
use crate::error::RunError;
use crate::graph::Info;
use crate::op::{Op, Requantize};
use crate::reference::contraction::Batches;
use crate::reference::movement::{broadcast_strides, strides, walk};
use crate::reference::{OPERANDS, Operands};

/// Pieces in a row, or none. Each is made when it is asked for: windows that overlap have the same elements over and over,
/// and all pieces together can be hundreds of times as large as the operands.
pub(super) type Pieces<'a> = Result<Option<Box<dyn Iterator<Item = Part> + 'a>>, RunError>;

/// A piece, or why it cannot be made.
pub(super) type Part = Result<Piece, RunError>;

/// Pieces whose results, one behind the other, are elements `range` of the result; none where the operation has no
/// smaller form.
pub(super) fn pieces<'a>(
    op: &'a Op,
    x: Operands<'a>,
    result: &'a Info,
    range: Range<usize>,
) -> Pieces<'a> {
    match op {
        Op::Unary(_) | Op::Cast(_) | Op::Table(..) => elements(op, x, result, range),
        Op::Binary(_) | Op::Where | Op::QAdd { .. } | Op::QMul { .. } => {
            elements(op, x, result, range)
        }
        Op::Quantize { axis, ty } => {
            let op = Op::Quantize { axis: 0, ty: *ty };
            along(op, *axis, x, result, range)
        }
        Op::Dequantize { axis } => along(Op::Dequantize { axis: 0 }, *axis, x, result, range),
        Op::Reduce(_, axes) => reduced(op, axes, x, result, range),
        Op::ArgReduce { axis, .. } => reduced(op, &[*axis], x, result, range),
        Op::Softmax => rows(op, x, result, range),
        Op::MatMul | Op::MatMulInteger | Op::QMatMul(_) => product(op, x, result, range),
        Op::Conv(shape) | Op::ConvInteger(shape) | Op::QConv(shape, _) => {
            window::convolution(op, shape, x, result, range)
        }
        Op::Pool { window, .. } | Op::QAveragePool { window, .. } => {
            window::pool(op, window, x, result, range)
        }
        _ => Ok(None),
    }
}

/// Some elements of an array, in a row.
pub(super) fn pick(x: &Array, at: impl IntoIterator<Item = usize>) -> Result<Array, RunError> {
    let data = x.data.pick(at)?;
    Ok(Array {
        shape: vec![data.len()],
        data,
    })
}

/// As [`pick`], in a shape.
pub(super) fn pick_as(
    x: &Array,
    shape: Vec<usize>,
    at: impl IntoIterator<Item = usize>,
) -> Result<Array, RunError> {
    let data = x.data.pick(at)?;
    Ok(Array { shape, data })
}

/// The index along each axis of the element with this number.
pub(super) fn index(mut number: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (index, dim) in index.iter_mut().zip(shape).rev() {
        *index = number % (*dim).max(1);
        number /= (*dim).max(1);
    }
    index
}

fn single(piece: Piece) -> Pieces<'static> {
    Ok(Some(Box::new(std::iter::once(Ok(piece)))))
}

/// Operands that broadcast to the result, element by element.
fn elements(op: &Op, x: Operands<'_>, result: &Info, range: Range<usize>) -> Pieces<'static> {
    let mut operands = Vec::with_capacity(x.0.len());
    for operand in x.0 {
        let Some(array) = operand else {
            operands.push(None);
            continue;
        };
        let steps = broadcast_strides(&array.shape, &result.shape);
        let at = range.clone().map(|number| {
            let index = index(number, &result.shape);
            index.iter().zip(&steps).map(|(i, s)| i * *s as usize).sum()
        });
        operands.push(Some(pick(array, at)?));
    }
    single(Piece {
        op: op.clone(),
        operands,
        result: Info::new(result.ty, [range.len()]),
        take: 0..range.len(),
    })
}

/// Elements with parameters along an axis.
fn along(
    op: Op,
    axis: usize,
    x: Operands<'_>,
    result: &Info,
    range: Range<usize>,
) -> Pieces<'static> {
    let parameter = |i: usize| -> Result<Option<Array>, RunError> {
        let Some(array) = x.optional(i) else {
            return Ok(None);
        };
        if array.len() == 1 {
            return Ok(Some(array.clone()));
        }
        let channel = |number| index(number, &result.shape).get(axis).copied();
        pick(array, range.clone().map(|i| channel(i).unwrap_or(0))).map(Some)
    };
    single(Piece {
        op,
        operands: vec![
            Some(pick(x.get(0)?, range.clone())?),
            parameter(1)?,
            parameter(2)?,
        ],
        result: Info::new(result.ty, [range.len()]),
        take: 0..range.len(),
    })
}

/// Each element from those along the axes that it reduces.
fn reduced<'a>(
    op: &'a Op,
    axes: &[usize],
    x: Operands<'a>,
    result: &'a Info,
    range: Range<usize>,
) -> Pieces<'a> {
    let array = x.get(0)?;
    let steps = strides(&array.shape);
    let mut group = array.shape.clone();
    for (axis, dim) in group.iter_mut().enumerate() {
        if !axes.contains(&axis) {
            *dim = 1;
        }
    }
    Ok(Some(Box::new(range.map(move |number| {
        let index = index(number, &result.shape);
        let start = index.iter().zip(&steps).map(|(i, s)| *i as isize * s).sum();
        let mut at = Vec::new();
        walk(&group, &steps, start, |i| at.push(i as usize));
        Ok(Piece {
            op: op.clone(),
            operands: vec![Some(pick_as(array, group.clone(), at)?)],
            result: Info::new(result.ty, vec![1; group.len()]),
            take: 0..1,
        })
    }))))
}

/// Whole rows of the last axis.
fn rows(op: &Op, x: Operands<'_>, result: &Info, range: Range<usize>) -> Pieces<'static> {
    let columns = result.shape.last().copied().unwrap_or(1).max(1);
    let (first, end) = (range.start / columns, range.end.div_ceil(columns));
    let shape = vec![end - first, columns];
    let operand = pick_as(x.get(0)?, shape.clone(), first * columns..end * columns)?;
    single(Piece {
        op: op.clone(),
        operands: vec![Some(operand)],
        result: Info::new(result.ty, shape),
        take: range.start - first * columns..range.end - first * columns,
    })
}

impl Requantize {
    /// The scales of some channels.
    pub(super) fn part(&self, channels: Range<usize>) -> Result<Self, RunError> {
        let scales = match self.scales.len() {
            1 => self.scales.clone(),
            _ => self.scales.get(channels).ok_or(OPERANDS)?.to_vec(),
        };
        Ok(Requantize {
            scales,
            ..self.clone()
        })
    }
}

/// A zero point or bias for each channel, of which some are needed, or one for all.
pub(super) fn channels(
    x: Option<&Array>,
    channels: Range<usize>,
) -> Result<Option<Array>, RunError> {
    match x {
        Some(x) if x.len() != 1 => pick(x, channels).map(Some),
        other => Ok(other.cloned()),
    }
}

/// Rows of a product, each with the columns that are asked for.
fn product<'a>(op: &'a Op, x: Operands<'a>, result: &'a Info, range: Range<usize>) -> Pieces<'a> {
    let batches = Batches::new(&x.get(0)?.shape, &x.get(1)?.shape, &result.shape)?;
    let n = batches.n;
    if n == 0 || batches.m == 0 {
        return Ok(None);
    }
    let mut at = range.start;
    Ok(Some(Box::new(std::iter::from_fn(move || {
        if at >= range.end {
            return None;
        }
        let (row, first) = (at / n, at % n);
        let columns = first..n.min(first + range.end - at);
        at += columns.len();
        Some(row_of_product(op, x, &batches, result, (row, columns)))
    }))))
}

/// A row of the left matrix and some columns of the right one.
fn row_of_product(
    op: &Op,
    x: Operands<'_>,
    batches: &Batches,
    result: &Info,
    (row, columns): (usize, Range<usize>),
) -> Part {
    let (m, k, n) = (batches.m, batches.k, batches.n);
    let (i, j) = batches.pairs.get(row / m).copied().ok_or(OPERANDS)?;
    let start = (i * m + row % m) * k;
    let mut operands = vec![
        Some(pick_as(x.get(0)?, vec![1, k], start..start + k)?),
        Some(pick_as(
            x.get(1)?,
            vec![k, columns.len()],
            (0..k).flat_map(|r| columns.clone().map(move |c| (j * k + r) * n + c)),
        )?),
    ];
    let op = match op {
        Op::MatMul => Op::MatMul,
        op => {
            let row = row % m;
            operands.push(channels(x.optional(2), row..row + 1)?);
            operands.push(channels(x.optional(3), columns.clone())?);
            match op {
                Op::QMatMul(requantize) => {
                    operands.push(match x.optional(4) {
                        Some(bias) => Some(pick(bias, columns.clone())?),
                        None => None,
                    });
                    Op::QMatMul(requantize.part(columns.clone())?)
                }
                _ => Op::MatMulInteger,
            }
        }
    };
    Ok(Piece {
        op,
        operands,
        result: Info::new(result.ty, [1, columns.len()]),
        take: 0..columns.len(),
    })
}
