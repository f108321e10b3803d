//! Sums and maxima over the rows of a matrix, a result for each column.

use super::isa::Isa;
use super::multiversion::compile_for_each_isa;
use super::strict::{canonical, with_default_environment};

/// Columns that are reduced together.
const WIDTH: usize = 32;
/// Accumulators of a sum: see [`strict::sum`](super::strict::sum).
const LANES: usize = 16;

compile_for_each_isa!(fn sums_on(x: &[f32], columns: usize, out: &mut [f32]) = sums_inner);
compile_for_each_isa!(fn greatest_on(x: &[f32], columns: usize, out: &mut [f32]) = greatest_inner);

/// Appends the sum of each column of a matrix with `columns` columns, as [`strict::sum`](super::strict::sum) defines it.
pub fn sums(isa: Isa, x: &[f32], columns: usize, out: &mut Vec<f32>) {
    append(out, columns, |out| {
        with_default_environment(|| sums_on(isa, x, columns, out))
    });
}

/// Appends the greatest element of each column; NaN if one is.
pub fn greatest(isa: Isa, x: &[f32], columns: usize, out: &mut Vec<f32>) {
    append(out, columns, |out| {
        if columns == 1 {
            if let Some(out) = out.first_mut() {
                // As columns of a matrix of sixteen, which are then a matrix of one.
                let whole = x.len() / LANES * LANES;
                let mut rest = x[whole..].to_vec();
                if whole > 0 {
                    let mut lanes = [0.0; LANES];
                    greatest_on(isa, &x[..whole], LANES, &mut lanes);
                    rest.extend(lanes);
                }
                let mut one = [0.0];
                greatest_inner(&rest, 1, &mut one);
                *out = one[0];
            }
        } else {
            greatest_on(isa, x, columns, out);
        }
    });
}

fn append(out: &mut Vec<f32>, count: usize, fill: impl FnOnce(&mut [f32])) {
    let start = out.len();
    out.resize(start + count, 0.0);
    fill(&mut out[start..]);
}

#[inline(always)]
fn sums_inner(x: &[f32], columns: usize, out: &mut [f32]) {
    for (block, out) in out.chunks_mut(WIDTH).enumerate() {
        let (first, width) = (block * WIDTH, out.len());
        let mut sums = [[0.0f32; WIDTH]; LANES];
        for (row, x) in x.chunks_exact(columns.max(1)).enumerate() {
            let sums = &mut sums[row % LANES];
            if let Ok(x) = <&[f32; WIDTH]>::try_from(&x[first..first + width]) {
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum += x;
                }
            } else {
                for (sum, x) in sums.iter_mut().zip(&x[first..first + width]) {
                    *sum += x;
                }
            }
        }
        for half in [8, 4, 2, 1] {
            let (low, high) = sums.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(&*high) {
                for (low, high) in low.iter_mut().zip(high) {
                    *low += *high;
                }
            }
        }
        for (out, sum) in out.iter_mut().zip(&sums[0]) {
            *out = canonical(*sum);
        }
    }
}

#[inline(always)]
fn greatest_inner(x: &[f32], columns: usize, out: &mut [f32]) {
    for (block, out) in out.chunks_mut(WIDTH).enumerate() {
        let (first, width) = (block * WIDTH, out.len());
        let mut best = [f32::NEG_INFINITY; WIDTH];
        let mut nan = [false; WIDTH];
        for x in x.chunks_exact(columns.max(1)) {
            for ((best, nan), &x) in best.iter_mut().zip(&mut nan).zip(&x[first..first + width]) {
                *best = if x > *best { x } else { *best };
                *nan |= x.is_nan();
            }
        }
        for ((out, &best), &nan) in out.iter_mut().zip(&best).zip(&nan) {
            *out = canonical(if nan { f32::NAN } else { best });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::strict;

    #[test]
    fn columns_are_reduced_as_rows_are() {
        for (rows, columns) in [
            (1, 1),
            (1, 40),
            (3, 5),
            (40, 1),
            (100, 33),
            (17, 64),
            (16, 31),
        ] {
            let bits = |i: usize| (i as u32).wrapping_mul(2_654_435_761);
            let mut x: Vec<f32> = (0..rows * columns)
                .map(|i| bits(i) as f32 / 3e8 - 7.0)
                .collect();
            x[rows * columns / 2] = -0.0;
            if columns == 33 {
                x[35] = f32::NAN;
                x[36] = f32::INFINITY;
            }
            let column = |c: usize| -> Vec<f32> { (0..rows).map(|r| x[r * columns + c]).collect() };
            for isa in Isa::available() {
                let (mut sum, mut max) = (vec![9.0], vec![]);
                sums(isa, &x, columns, &mut sum);
                greatest(isa, &x, columns, &mut max);
                for c in 0..columns {
                    let expected = strict::sum(Isa::Scalar, &column(c));
                    assert_eq!(
                        sum[c + 1].to_bits(),
                        expected.to_bits(),
                        "{rows} {columns} {c}"
                    );
                    let nan = column(c).iter().any(|x| x.is_nan());
                    let greatest = column(c).into_iter().fold(f32::NEG_INFINITY, f32::max);
                    let expected = canonical(if nan { f32::NAN } else { greatest });
                    assert_eq!(max[c].to_bits(), expected.to_bits(), "{rows} {columns} {c}");
                }
            }
        }
    }
}
