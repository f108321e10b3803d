//! Elementwise loops and sums, compiled once for each vector width.

use super::environment::with_default_environment;
use super::math::{canonical, exp};
use crate::kernels::error::{KernelError, expect_len};
use crate::kernels::isa::Isa;
use crate::kernels::multiversion::compile_for_each_isa;

compile_for_each_isa!(fn map_on<F: Unary>(x: &mut [f32], f: F) = map_inner);
compile_for_each_isa!(fn zip_on<F: Binary>(x: &mut [f32], y: &[f32], f: F) = zip_inner);
compile_for_each_isa!(fn sum_on(x: &[f32]) -> f32 = sum_inner);
compile_for_each_isa!(fn nan_on(x: &[f32]) -> bool = nan_inner);
compile_for_each_isa!(fn softmax_on(x: &mut [f32], columns: usize) = softmax_inner);

/// Any `Fn(f32) -> f32`.
trait Unary: Fn(f32) -> f32 {}
impl<F: Fn(f32) -> f32> Unary for F {}
/// Any `Fn(f32, f32) -> f32`.
trait Binary: Fn(f32, f32) -> f32 {}
impl<F: Fn(f32, f32) -> f32> Binary for F {}

/// Replaces each element by `f` of it, made [`canonical`].
pub fn map(isa: Isa, x: &mut [f32], f: impl Fn(f32) -> f32) {
    with_default_environment(|| map_on(isa, x, f));
}

/// Replaces each element of `x` by `f` of it and of the element of `y`, made [`canonical`].
///
/// # Errors
/// When the lengths differ.
pub fn zip(
    isa: Isa,
    x: &mut [f32],
    y: &[f32],
    f: impl Fn(f32, f32) -> f32,
) -> Result<(), KernelError> {
    expect_len("the second operand", y.len(), x.len())?;
    with_default_environment(|| zip_on(isa, x, y, f));
    Ok(())
}

/// Makes every element [`canonical`].
pub fn canonicalise(isa: Isa, x: &mut [f32]) {
    map(isa, x, |x| x);
}

/// Whether any element is a NaN.
pub fn any_nan(isa: Isa, x: &[f32]) -> bool {
    nan_on(isa, x)
}

/// The sum of `x`, by definition in sixteen accumulators, of which number `i` takes elements `i`, `i + 16`, …, in
/// order; these are then added pairwise: 8 + 8, 4 + 4, 2 + 2, 1 + 1.
pub fn sum(isa: Isa, x: &[f32]) -> f32 {
    with_default_environment(|| sum_on(isa, x))
}

/// Replaces each row of `columns` elements by its softmax: eˣ⁻ᵐᵃˣ over their [`sum`].
///
/// # Errors
/// When the rows do not divide the slice.
pub fn softmax(isa: Isa, x: &mut [f32], columns: usize) -> Result<(), KernelError> {
    if columns == 0 || !x.len().is_multiple_of(columns) {
        return Err(KernelError::Geometry("row length"));
    }
    with_default_environment(|| softmax_on(isa, x, columns));
    Ok(())
}

#[inline(always)]
fn map_inner(x: &mut [f32], f: impl Fn(f32) -> f32) {
    for x in x {
        *x = canonical(f(*x));
    }
}

#[inline(always)]
fn zip_inner(x: &mut [f32], y: &[f32], f: impl Fn(f32, f32) -> f32) {
    for (x, &y) in x.iter_mut().zip(y) {
        *x = canonical(f(*x, y));
    }
}

#[inline(always)]
fn nan_inner(x: &[f32]) -> bool {
    x.iter().fold(false, |nan, x| nan | x.is_nan())
}

const LANES: usize = 16;

#[inline(always)]
fn sum_inner(x: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let mut whole = x.chunks_exact(LANES);
    for x in whole.by_ref() {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x;
        }
    }
    for (sum, &x) in sums.iter_mut().zip(whole.remainder()) {
        *sum += x;
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
    }
    canonical(sums[0])
}

#[inline(always)]
fn softmax_inner(x: &mut [f32], columns: usize) {
    for row in x.chunks_exact_mut(columns) {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let mut nan = false;
        for x in row.chunks(LANES) {
            for (lane, &x) in lanes.iter_mut().zip(x) {
                *lane = if x > *lane { x } else { *lane };
                nan |= x.is_nan();
            }
        }
        let max = lanes
            .iter()
            .fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max });
        let max = if nan { f32::NAN } else { max };
        for x in row.iter_mut() {
            *x = exp(*x - max);
        }
        let sum = sum_inner(row);
        for x in row {
            *x = canonical(*x / sum);
        }
    }
}
