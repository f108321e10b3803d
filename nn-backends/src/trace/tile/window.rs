//! The smaller forms of convolutions and pooling: the part of the input under some windows of one row.

use std::ops::Range;

use super::Piece;
use super::local::{Part, Pieces, channels, pick, pick_as};
use crate::array::Array;
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::ConvShape;
use crate::op::{Op, Window};
use crate::reference::{OPERANDS, Operands};

/// Results next to one another in a row of a channel of an image.
struct Run {
    image: usize,
    channel: usize,
    y: usize,
    columns: Range<usize>,
}

/// The runs of which a range of `[n, c, h, w]` consists.
fn runs(shape: &[usize], range: Range<usize>) -> Option<Vec<Run>> {
    let [_, c, h, w] = shape[..] else { return None };
    let (mut runs, mut at) = (Vec::new(), range.start);
    while at < range.end {
        let first = at % w;
        let columns = first..w.min(first + range.end - at);
        runs.push(Run {
            image: at / w / h / c,
            channel: at / w / h % c,
            y: at / w % h,
            columns: columns.clone(),
        });
        at += columns.len();
    }
    Some(runs)
}

/// Of an axis: the input's elements under windows, and the padding before and behind them.
struct Extent {
    inside: Range<usize>,
    before: usize,
    behind: usize,
}

/// What windows from `first` to `last` (inclusive) see of an axis of `len` elements.
fn extent(
    (first, last): (usize, usize),
    (stride, pad, reach): (usize, usize, usize),
    len: usize,
) -> Extent {
    let low = (first * stride) as isize - pad as isize;
    let high = (last * stride + reach) as isize - pad as isize + 1;
    let clamp = |i: isize| i.clamp(0, len as isize) as usize;
    let inside = clamp(low)..clamp(high);
    let total = (high - low) as usize;
    let before = ((-low).max(0) as usize).min(total);
    Extent {
        before,
        behind: total - before - inside.len(),
        inside,
    }
}

/// A rectangle of some planes.
fn crop(
    x: &Array,
    image: usize,
    planes: Range<usize>,
    rows: &Range<usize>,
    columns: &Range<usize>,
) -> Result<Array, RunError> {
    let [_, c, h, w] = x.shape[..] else {
        return Err(OPERANDS);
    };
    let shape = vec![1, planes.len(), rows.len(), columns.len()];
    let at = planes.flat_map(|plane| {
        rows.clone().flat_map(move |row| {
            let start = ((image * c + plane) * h + row) * w;
            columns.clone().map(move |column| start + column)
        })
    });
    pick_as(x, shape, at)
}

pub(super) fn convolution<'a>(
    op: &'a Op,
    shape: &'a ConvShape,
    x: Operands<'a>,
    result: &'a Info,
    range: Range<usize>,
) -> Pieces<'a> {
    let Some(runs) = runs(&result.shape, range) else {
        return Ok(None);
    };
    let pieces = runs.into_iter();
    Ok(Some(Box::new(pieces.map(move |run| {
        windows_of_convolution(op, shape, x, result, &run)
    }))))
}

fn windows_of_convolution(
    op: &Op,
    shape: &ConvShape,
    x: Operands<'_>,
    result: &Info,
    run: &Run,
) -> Part {
    let (input, weights) = (x.get(0)?, x.get(1)?);
    let (each, depth) = (shape.channels_in / shape.groups, shape.depth());
    let out = run.channel..run.channel + 1;
    let group = run.channel / (shape.channels_out / shape.groups);
    let axis = |axis: usize, first: usize, last: usize| {
        let reach = (shape.kernel[axis] - 1) * shape.dilations[axis];
        let steps = (shape.strides[axis], shape.pads[axis], reach);
        extent((first, last), steps, shape.input[axis])
    };
    let rows = axis(0, run.y, run.y);
    let columns = axis(1, run.columns.start, run.columns.end - 1);
    let mut operands = vec![
        Some(crop(
            input,
            run.image,
            group * each..(group + 1) * each,
            &rows.inside,
            &columns.inside,
        )?),
        Some(pick_as(
            weights,
            vec![1, each, shape.kernel[0], shape.kernel[1]],
            run.channel * depth..(run.channel + 1) * depth,
        )?),
    ];
    let small = ConvShape {
        channels_in: each,
        channels_out: 1,
        groups: 1,
        input: [rows.inside.len(), columns.inside.len()],
        pads: [rows.before, columns.before, rows.behind, columns.behind],
        ..*shape
    };
    let bias = |i: usize| match x.optional(i) {
        Some(bias) => pick(bias, out.clone()).map(Some),
        None => Ok(None),
    };
    let op = match op {
        Op::Conv(_) => {
            operands.push(bias(2)?);
            Op::Conv(small)
        }
        op => {
            operands.push(x.optional(2).cloned());
            operands.push(channels(x.optional(3), out.clone())?);
            match op {
                Op::QConv(_, requantize) => {
                    operands.push(bias(4)?);
                    Op::QConv(small, requantize.part(out.clone())?)
                }
                _ => Op::ConvInteger(small),
            }
        }
    };
    Ok(Piece {
        op,
        operands,
        result: Info::new(result.ty, [1, 1, 1, run.columns.len()]),
        take: 0..run.columns.len(),
    })
}

pub(super) fn pool<'a>(
    op: &'a Op,
    window: &'a Window,
    x: Operands<'a>,
    result: &'a Info,
    range: Range<usize>,
) -> Pieces<'a> {
    let input = x.get(0)?;
    let (Some(runs), [_, _, h, w]) = (runs(&result.shape, range), &input.shape[..]) else {
        return Ok(None);
    };
    let size = [*h, *w];
    let padding = |run: &Run| {
        let extents = extents(window, size, run);
        extents.iter().any(|e| e.inside.is_empty())
    };
    if runs.iter().any(padding) {
        // Windows that see nothing but padding.
        return Ok(None);
    }
    let pieces = runs.into_iter();
    Ok(Some(Box::new(pieces.map(move |run| {
        windows_of_pool(op, window, input, size, result, &run)
    }))))
}

/// What the windows of a run see of the rows and columns of an image.
fn extents(window: &Window, size: [usize; 2], run: &Run) -> [Extent; 2] {
    let firsts = [run.y, run.columns.start];
    let lasts = [run.y, run.columns.end - 1];
    [0, 1].map(|axis| {
        let reach = (window.kernel[axis] - 1) * window.dilations[axis];
        let steps = (window.strides[axis], window.pads[axis], reach);
        extent((firsts[axis], lasts[axis]), steps, size[axis])
    })
}

fn windows_of_pool(
    op: &Op,
    window: &Window,
    input: &Array,
    size: [usize; 2],
    result: &Info,
    run: &Run,
) -> Part {
    let extents = extents(window, size, run);
    let firsts = [run.y, run.columns.start];
    // Where the declared padding ends, seen from the first window.
    let ends = [0, 1].map(|axis| {
        let padded = window.pads[axis] + size[axis] + window.end_pads[axis];
        let extent = &extents[axis];
        padded
            .saturating_sub(firsts[axis] * window.strides[axis])
            .saturating_sub(extent.before + extent.inside.len())
    });
    let small = Window {
        pads: [extents[0].before, extents[1].before],
        end_pads: ends,
        output: [1, run.columns.len()],
        ..window.clone()
    };
    let op = match op {
        Op::Pool {
            average,
            count_padding,
            ..
        } => Op::Pool {
            average: *average,
            count_padding: *count_padding,
            window: small,
        },
        Op::QAveragePool {
            count_padding,
            x_zero,
            requantize,
            ..
        } => Op::QAveragePool {
            window: small,
            count_padding: *count_padding,
            x_zero: *x_zero,
            requantize: requantize.clone(),
        },
        _ => return Err(OPERANDS),
    };
    let planes = run.channel..run.channel + 1;
    let [rows, columns] = &extents;
    let operand = crop(input, run.image, planes, &rows.inside, &columns.inside)?;
    Ok(Piece {
        op,
        operands: vec![Some(operand)],
        result: Info::new(result.ty, [1, 1, 1, run.columns.len()]),
        take: 0..run.columns.len(),
    })
}
