//! Operations that make one element of several.

use std::collections::BTreeMap;

use super::elementwise::{multiplier, range};
use super::{Context, Dispatch, Source, number, small, words};
use crate::gpu::shader::{self, Fold};
use crate::op::{Reduce, Requantize, Window};
use crate::placement::CpuReason;
use crate::reference::movement::strides;
use crate::tensor::ElementType;

pub(super) fn reduce(c: &Context<'_>, kind: Reduce, axes: &[usize]) -> Result<Dispatch, CpuReason> {
    let how = match kind {
        Reduce::Sum => Fold::Sum,
        Reduce::Prod => Fold::Product,
        Reduce::Max => Fold::Max,
        Reduce::Min => Fold::Min,
        // Its sum has more than 32 bits.
        Reduce::Mean => return Err(CpuReason::Wide),
    };
    fold(c, how, axes)
}

pub(super) fn arg_reduce(
    c: &Context<'_>,
    max: bool,
    axis: usize,
    last: bool,
) -> Result<Dispatch, CpuReason> {
    fold(c, Fold::Index { max, last }, &[axis])
}

fn fold(c: &Context<'_>, how: Fold, axes: &[usize]) -> Result<Dispatch, CpuReason> {
    let x = c.info(0)?;
    number(x.ty)?;
    let (_, result) = c.result()?;
    let steps = strides(&x.shape);
    let (mut outer, mut inner, mut group) = (Vec::new(), Vec::new(), 1);
    for (axis, (&length, &step)) in x.shape.iter().zip(&steps).enumerate() {
        let entry = [small(length)?, small(step.cast_unsigned())?];
        if axes.contains(&axis) {
            inner.push(entry);
            group *= length;
        } else {
            outer.push(entry);
        }
    }
    // A result of 64 bits has two words for each element.
    let elements = result.elements() as u32 * if result.ty == ElementType::I64 { 2 } else { 1 };
    let mut params = vec![
        words(result),
        elements,
        c.stride(c.input(0)?),
        small(group)?,
        small(outer.len())?,
        small(inner.len())?,
    ];
    params.extend(outer.into_iter().chain(inner).flatten());
    c.elements(
        shader::fold(x.ty, how),
        vec![Source::Value(c.input(0)?)],
        params,
    )
}

/// The parameters that all pools share, up to the bounds of the result.
fn pool(c: &Context<'_>, window: &Window) -> Result<Vec<u32>, CpuReason> {
    let x = c.info(0)?;
    number(x.ty)?;
    let (_, result) = c.result()?;
    let [_, _, height, width] = x.shape[..] else {
        return Err(CpuReason::NoKernel);
    };
    let mut params = vec![
        words(result),
        result.elements() as u32,
        c.stride(c.input(0)?),
    ];
    for pair in [
        [height, width],
        window.output,
        window.kernel,
        window.strides,
        window.dilations,
        window.pads,
    ] {
        for n in pair {
            // Offsets within a padded image must not wrap around.
            if n >= 1 << 15 && n > height.max(width) {
                return Err(CpuReason::TooLarge);
            }
            params.push(small(n)?);
        }
    }
    Ok(params)
}

pub(super) fn max_pool(c: &Context<'_>, window: &Window) -> Result<Dispatch, CpuReason> {
    let least = match c.info(0)?.ty {
        ElementType::U8 | ElementType::U16 => 0,
        ElementType::I8 => i32::from(i8::MIN),
        ElementType::I16 => i32::from(i16::MIN),
        _ => i32::MIN,
    };
    let mut params = pool(c, window)?;
    params.extend([0, 0, 0, least.cast_unsigned()]);
    let source = vec![Source::Value(c.input(0)?)];
    c.elements(shader::max_pool(c.info(0)?.ty), source, params)
}

/// For each index of an axis of the result its class, and for each class how many elements count.
fn classes(window: &Window, axis: usize, length: usize, padding: bool) -> (Vec<u32>, Vec<usize>) {
    let mut known: BTreeMap<usize, u32> = BTreeMap::new();
    let mut counts = Vec::new();
    let index = (0..window.output[axis])
        .map(|o| {
            let at = |i: usize| o * window.strides[axis] + i * window.dilations[axis];
            let (first, behind) = (window.pads[axis], window.pads[axis] + length);
            let count = (0..window.kernel[axis])
                .filter(|i| match padding {
                    true => at(*i) < behind + window.end_pads[axis],
                    false => (first..behind).contains(&at(*i)),
                })
                .count();
            *known.entry(count).or_insert_with(|| {
                counts.push(count);
                counts.len() as u32 - 1
            })
        })
        .collect();
    (index, counts)
}

pub(super) fn average_pool(
    c: &Context<'_>,
    window: &Window,
    count_padding: bool,
    x_zero: i32,
    requantize: &Requantize,
) -> Result<Dispatch, CpuReason> {
    let x = c.info(0)?;
    let mut params = pool(c, window)?;
    params.extend(range(requantize.zero, requantize.ty)?);
    let (rows, row_counts) = classes(window, 0, x.shape[2], count_padding);
    let (columns, column_counts) = classes(window, 1, x.shape[3], count_padding);
    if row_counts.len() * column_counts.len() > 1 << 12 {
        return Err(CpuReason::TooLarge);
    }
    let rows_at = 23;
    let columns_at = rows_at + rows.len();
    let multipliers_at = columns_at + columns.len();
    params.extend([
        x_zero.cast_unsigned(),
        small(rows_at)?,
        small(columns_at)?,
        small(column_counts.len())?,
        small(multipliers_at)?,
    ]);
    params.extend(rows.into_iter().chain(columns));
    let scale = *requantize.scales.first().ok_or(CpuReason::NoKernel)?;
    for rows in &row_counts {
        for columns in &column_counts {
            params.extend(multiplier(scale / (rows * columns).max(1) as f32)?);
        }
    }
    let shader = shader::average_pool(x.ty, requantize.ty);
    c.elements(shader, vec![Source::Value(c.input(0)?)], params)
}
