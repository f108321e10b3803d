//! Reductions over neighbouring axes and windows, many results at a time.

use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::strict::{self, canonical};
use crate::kernels::{ConvShape, Isa, columns, pool};
use crate::op::{Op, Reduce, Window};
use crate::reference::{OPERANDS, Operands};

/// The result of `op`; none where the reference is as good.
pub(super) fn run(
    isa: Isa,
    op: &Op,
    x: Operands<'_>,
    result: &Info,
) -> Result<Option<Data>, RunError> {
    match op {
        Op::Reduce(kind, axes) => Ok(reduce(isa, *kind, axes, x.get(0)?)),
        Op::Pool {
            average: false,
            window,
            ..
        } => maximum(isa, window, x.get(0)?, result),
        _ => Ok(None),
    }
}

/// The array as `[outer, reduced, inner]`; none if axes that stay lie between those that are reduced.
fn split(shape: &[usize], axes: &[usize]) -> Option<[usize; 3]> {
    let long: Vec<usize> = (0..shape.len()).filter(|axis| shape[*axis] != 1).collect();
    let reduced = |axis: &&usize| axes.contains(axis);
    let first = long.iter().position(|axis| reduced(&axis));
    let last = long.iter().rposition(|axis| reduced(&axis));
    let (Some(first), Some(last)) = (first, last) else {
        return Some([shape.iter().product(), 1, 1]);
    };
    if !long[first..=last].iter().all(|axis| reduced(&axis)) {
        return None;
    }
    let product = |axes: &[usize]| axes.iter().map(|axis| shape[*axis]).product();
    Some([
        product(&long[..first]),
        product(&long[first..=last]),
        product(&long[last + 1..]),
    ])
}

fn reduce(isa: Isa, kind: Reduce, axes: &[usize], x: &Array) -> Option<Data> {
    let v = x.as_f32()?;
    let [outer, count, inner] = split(&x.shape, axes)?;
    if count == 0 || inner == 0 || v.len() != outer * count * inner {
        return None;
    }
    let mut out = Vec::with_capacity(outer * inner);
    for group in v.chunks_exact(count * inner) {
        match kind {
            Reduce::Sum | Reduce::Mean if inner == 1 => out.push(strict::sum(isa, group)),
            Reduce::Sum | Reduce::Mean => columns::sums(isa, group, inner, &mut out),
            Reduce::Max => columns::greatest(isa, group, inner, &mut out),
            _ => return None,
        }
    }
    if kind == Reduce::Mean {
        out.iter_mut()
            .for_each(|x| *x = canonical(*x / count as f32));
    }
    Some(Data::F32(out))
}

/// Maxima of windows. The kernel has another rule for NaN, which leaves those to the reference.
fn maximum(isa: Isa, window: &Window, x: &Array, result: &Info) -> Result<Option<Data>, RunError> {
    let ([batch, channels, height, width], [.., rows, columns]) = (&x.shape[..], &result.shape[..])
    else {
        return Err(OPERANDS);
    };
    // Whatever lies beyond the declared padding counts as padding for a maximum.
    let behind = |axis: usize, input: usize, output: usize| {
        let reach = (window.kernel[axis] - 1) * window.dilations[axis];
        ((output - 1) * window.strides[axis] + reach + 1).saturating_sub(input + window.pads[axis])
    };
    let (bottom, right) = (behind(0, *height, *rows), behind(1, *width, *columns));
    let shape = ConvShape {
        channels_in: *channels,
        channels_out: *channels,
        groups: *channels,
        input: [*height, *width],
        kernel: window.kernel,
        strides: window.strides,
        dilations: window.dilations,
        pads: [window.pads[0], window.pads[1], bottom, right],
    };
    if shape.output() != Ok([*rows, *columns]) || shape.is_sparse() {
        return Ok(None);
    }
    let len = result.elements() as usize;
    Ok(match &x.data {
        Data::F32(v) if !strict::any_nan(isa, v) => {
            let mut out = vec![0.0; len];
            pool::max(isa, v, &shape, *batch, &mut out).map_err(super::kernel)?;
            strict::canonicalise(isa, &mut out);
            Some(Data::F32(out))
        }
        Data::U8(v) => {
            let mut out = vec![0; len];
            pool::max(isa, v, &shape, *batch, &mut out).map_err(super::kernel)?;
            Some(Data::U8(out))
        }
        Data::I8(v) => {
            let mut out = vec![0; len];
            pool::max(isa, v, &shape, *batch, &mut out).map_err(super::kernel)?;
            Some(Data::I8(out))
        }
        _ => None,
    })
}
