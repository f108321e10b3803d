//! Products of a few rows with a matrix, or of a matrix with one column: what packing the right factor costs would be
//! more than the product itself.

use super::error::{KernelError, expect_shape};
use super::gemm::{Bytes, ZeroPoints, check_zeros};
use super::isa::Isa;
use super::multiversion::compile_for_each_isa;
use super::strict::{canonical, with_default_environment};

/// Most rows of the left factor that are multiplied without packing.
const ROWS: usize = 8;

/// Whether an integer product of this shape is better not packed.
pub fn is_small_integer((m, _, n): (usize, usize, usize)) -> bool {
    m <= ROWS || n == 1
}

/// Whether a product in single precision is better not packed. Its sums have an order, so that one column alone does not
/// fill a vector.
pub fn is_small_single((m, _, _): (usize, usize, usize)) -> bool {
    m <= ROWS
}

compile_for_each_isa!(fn column_on(a: &[u8], b: &[u8], flips: [u8; 2]) -> [i32; 3] = column_inner);
compile_for_each_isa!(fn row_on(a: &[u8], flip: u8, zero: i32, b: &[u8], flip_b: u8, out: &mut [i32]) = row_inner);
compile_for_each_isa!(fn single_on(a: &[f32], b: &[f32], out: &mut [f32]) = single_inner);

/// As [`gemm::reference`](super::gemm::reference()), for `a` of `m` × `k` elements and `b` of `k` × `n`, row-major.
///
/// # Errors
/// When a length does not fit the shape, or a zero point is outside its type.
pub fn integer(
    isa: Isa,
    a: (Bytes<'_>, ZeroPoints<'_>),
    b: (Bytes<'_>, ZeroPoints<'_>),
    (m, k, n): (usize, usize, usize),
    out: &mut [i32],
) -> Result<(), KernelError> {
    expect_shape("A", a.0.len(), &[m, k])?;
    expect_shape("B", b.0.len(), &[k, n])?;
    expect_shape("C", out.len(), &[m, n])?;
    check_zeros("the zero points of A", a.1, m, a.0.is_signed())?;
    check_zeros("the zero points of B", b.1, n, b.0.is_signed())?;
    if k == 0 || n == 0 {
        out.fill(0);
        return Ok(());
    }
    // A signed element is its bits, the sign bit flipped, less 128.
    let flips = [a.0, b.0].map(|x| if x.is_signed() { 0x80 } else { 0u8 });
    let rows = a.0.bits().chunks_exact(k).zip(out.chunks_exact_mut(n));
    for (row, (a_row, out)) in rows.enumerate() {
        let zero = a.1.get(row).wrapping_add(flips[0].into());
        let zero_of = |column| b.1.get(column).wrapping_add(flips[1].into());
        if let [out] = out {
            // (a − z)(b − w) summed: each factor's own sum takes its zero point out again.
            let [product, sum_a, sum_b] = column_on(isa, a_row, b.0.bits(), flips);
            let w = zero_of(0);
            let terms = (k as i32).wrapping_mul(zero).wrapping_mul(w);
            *out = product
                .wrapping_sub(zero.wrapping_mul(sum_b))
                .wrapping_sub(w.wrapping_mul(sum_a))
                .wrapping_add(terms);
            continue;
        }
        row_on(isa, a_row, flips[0], zero, b.0.bits(), flips[1], out);
        let sum = a_row.iter().fold(0i32, |sum, x| {
            sum.wrapping_add(i32::from(x ^ flips[0]).wrapping_sub(zero))
        });
        for (column, out) in out.iter_mut().enumerate() {
            *out = out.wrapping_sub(zero_of(column).wrapping_mul(sum));
        }
    }
    Ok(())
}

/// As [`strict::gemm_reference`](super::strict::gemm_reference), without a bias.
///
/// # Errors
/// When a length does not fit the shape.
pub fn single(
    isa: Isa,
    a: &[f32],
    b: &[f32],
    (m, k, n): (usize, usize, usize),
    out: &mut [f32],
) -> Result<(), KernelError> {
    expect_shape("A", a.len(), &[m, k])?;
    expect_shape("B", b.len(), &[k, n])?;
    expect_shape("C", out.len(), &[m, n])?;
    out.fill(0.0);
    if k > 0 && n > 0 {
        with_default_environment(|| {
            for (a, out) in a.chunks_exact(k).zip(out.chunks_exact_mut(n)) {
                single_on(isa, a, b, out);
            }
        });
    }
    Ok(())
}

/// The sums of the products, and of each factor.
#[inline(always)]
fn column_inner(a: &[u8], b: &[u8], flips: [u8; 2]) -> [i32; 3] {
    let mut sums = [0i32; 3];
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (i32::from(a ^ flips[0]), i32::from(b ^ flips[1]));
        sums[0] = sums[0].wrapping_add(a * b);
        sums[1] = sums[1].wrapping_add(a);
        sums[2] = sums[2].wrapping_add(b);
    }
    sums
}

/// `out = (a − zero) · b`, the zero points of `b` left in.
#[inline(always)]
fn row_inner(a: &[u8], flip: u8, zero: i32, b: &[u8], flip_b: u8, out: &mut [i32]) {
    out.fill(0);
    for (&a, b) in a.iter().zip(b.chunks_exact(out.len())) {
        let a = i32::from(a ^ flip).wrapping_sub(zero);
        for (out, &b) in out.iter_mut().zip(b) {
            *out = out.wrapping_add(a.wrapping_mul(i32::from(b ^ flip_b)));
        }
    }
}

/// Products are added to each sum in order of k.
#[inline(always)]
fn single_inner(a: &[f32], b: &[f32], out: &mut [f32]) {
    for (&a, b) in a.iter().zip(b.chunks_exact(out.len())) {
        for (out, &b) in out.iter_mut().zip(b) {
            let product = a * b;
            *out += product;
        }
    }
    for out in out {
        *out = canonical(*out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{gemm, strict};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_definition(
            m in 1..10usize, k in 1..70usize, n in 1..70usize, each in any::<bool>(),
            signed in any::<[bool; 2]>(), bits in proptest::collection::vec(any::<u8>(), 9 * 70 + 70 * 70),
            zeros in proptest::collection::vec(0..100i32, 80),
        ) {
            let a = Bytes::of_bits(&bits[..m * k], signed[0]);
            let b = Bytes::of_bits(&bits[bits.len() - k * n..], signed[1]);
            let (za, zb) = if each {
                (ZeroPoints::Each(&zeros[..m]), ZeroPoints::Each(&zeros[..n]))
            } else {
                (ZeroPoints::Same(zeros[0]), ZeroPoints::Same(zeros[1]))
            };
            let expected = gemm::reference(a, za, b, zb, (m, k, n));
            let number = |b: &u8| match b % 16 { 0 => f32::NAN, 1 => -0.0, 2 => 1e-40, 3 => 3e38, b => f32::from(b) - 7.3 };
            let (x, y): (Vec<f32>, Vec<f32>) = (
                bits[..m * k].iter().map(number).collect(),
                bits[bits.len() - k * n..].iter().map(number).collect(),
            );
            let floats = strict::gemm_reference(&x, &y, None, (m, k, n));
            for isa in Isa::available() {
                let mut out = vec![7; m * n];
                integer(isa, (a, za), (b, zb), (m, k, n), &mut out).unwrap();
                prop_assert_eq!(&out, &expected);
                let mut out = vec![7.0; m * n];
                single(isa, &x, &y, (m, k, n), &mut out).unwrap();
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&out), bits(&floats));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (a, zero) = (Bytes::U8(&[1, 2]), ZeroPoints::Same(0));
        let isa = Isa::best();
        assert!(integer(isa, (a, zero), (a, zero), (1, 2, 2), &mut [0; 2]).is_err());
        assert!(integer(isa, (a, zero), (a, zero), (1, 2, 1), &mut [0; 2]).is_err());
        let wrong = ZeroPoints::Same(300);
        assert!(integer(isa, (a, wrong), (a, zero), (1, 2, 1), &mut [0]).is_err());
        assert!(single(isa, &[1.0], &[1.0], (1, 1, 2), &mut [0.0; 2]).is_err());
        let mut none = [7];
        integer(
            isa,
            (Bytes::U8(&[]), zero),
            (Bytes::U8(&[]), zero),
            (1, 0, 1),
            &mut none,
        )
        .unwrap();
        assert_eq!(none, [0]);
    }
}
