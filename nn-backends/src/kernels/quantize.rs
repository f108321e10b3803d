//! Between single precision and 8-bit elements, in strict single precision.

use super::error::{KernelError, expect_len};
use super::gemm::Bytes;
use super::isa::Isa;
use super::lut::Table;
use super::multiversion::compile_for_each_isa;
use super::requantize::ByteType;
use super::strict::{canonical, with_default_environment};

/// Added and subtracted, it leaves a number rounded to an integer.
const ROUND: f32 = 12_582_912.0;

/// The definition of quantisation: `clamp(RNE(x / scale) + zero)`. The quotient is rounded to single precision first;
/// a NaN counts as zero.
#[inline(always)]
pub fn quantize_element(x: f32, scale: f32, zero: i32, ty: ByteType) -> i32 {
    let (low, high) = ty.range();
    let quotient = x / scale;
    let quotient = if quotient.is_nan() { 0.0 } else { quotient };
    // Beyond these bounds every zero point saturates; within them `ROUND` works.
    let bounded = if quotient > -1000.0 {
        quotient
    } else {
        -1000.0
    };
    let bounded = if bounded < 1000.0 { bounded } else { 1000.0 };
    let rounded = (bounded + ROUND)
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .cast_signed();
    (rounded + zero).clamp(low, high)
}

/// Quantises `x` into the bits of elements of `ty`.
///
/// # Errors
/// When the lengths differ, the scale is not finite and above zero, or the zero point is outside the type.
pub fn quantize(
    isa: Isa,
    x: &[f32],
    scale: f32,
    zero: i32,
    ty: ByteType,
    out: &mut [u8],
) -> Result<(), KernelError> {
    expect_len("output", out.len(), x.len())?;
    check(scale, zero, ty)?;
    with_default_environment(|| quantize_on(isa, x, scale, zero, ty, out));
    Ok(())
}

/// The definition of dequantisation: `(x − zero) · scale`.
#[inline(always)]
pub fn dequantize_element(x: i32, scale: f32, zero: i32) -> f32 {
    canonical((x - zero) as f32 * scale)
}

/// Turns 8-bit elements into numbers.
///
/// # Errors
/// When the lengths differ.
pub fn dequantize(
    isa: Isa,
    x: Bytes<'_>,
    scale: f32,
    zero: i32,
    out: &mut [f32],
) -> Result<(), KernelError> {
    expect_len("output", out.len(), x.len())?;
    with_default_environment(|| match x {
        Bytes::U8(x) => dequantize_u8_on(isa, x, scale, zero, out),
        Bytes::I8(x) => dequantize_i8_on(isa, x, scale, zero, out),
    });
    Ok(())
}

/// The least and the greatest element, as `DynamicQuantizeLinear` needs them: never above, or below, zero. A NaN counts
/// as zero.
pub fn range_with_zero(isa: Isa, x: &[f32]) -> (f32, f32) {
    range_on(isa, x)
}

/// What `DynamicQuantizeLinear` derives from the range of its input: scale and zero point of type `u8`.
///
/// A range of zero has scale 1, so that everything becomes the zero point; a range that is not finite has the scale of
/// the greatest finite number.
pub fn dynamic_parameters(low: f32, high: f32) -> (f32, i32) {
    with_default_environment(|| {
        let scale = (high - low) / 255.0;
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let scale = if scale.is_finite() {
            scale
        } else {
            f32::MAX / 255.0
        };
        (scale, quantize_element(0.0 - low, scale, 0, ByteType::U8))
    })
}

/// The table of `f` from elements of one quantisation to elements of another.
///
/// # Errors
/// As [`quantize`].
pub fn table(
    from: (f32, i32, ByteType),
    to: (f32, i32, ByteType),
    f: impl Fn(f32) -> f32,
) -> Result<Table, KernelError> {
    check(from.0, from.1, from.2)?;
    check(to.0, to.1, to.2)?;
    Ok(with_default_environment(|| {
        std::array::from_fn(|i| {
            let x = match from.2 {
                ByteType::U8 => i as i32,
                ByteType::I8 => i32::from((i as u8).cast_signed()),
            };
            let y = canonical(f(dequantize_element(x, from.0, from.1)));
            quantize_element(y, to.0, to.1, to.2) as u8
        })
    }))
}

fn check(scale: f32, zero: i32, ty: ByteType) -> Result<(), KernelError> {
    let (low, high) = ty.range();
    if !scale.is_finite() || scale <= 0.0 {
        return Err(KernelError::Scale);
    }
    if (low..=high).contains(&zero) {
        Ok(())
    } else {
        Err(KernelError::ZeroPoint(zero))
    }
}

compile_for_each_isa!(fn quantize_on(x: &[f32], scale: f32, zero: i32, ty: ByteType, out: &mut [u8]) = quantize_inner);
compile_for_each_isa!(fn dequantize_u8_on(x: &[u8], scale: f32, zero: i32, out: &mut [f32]) = dequantize_inner);
compile_for_each_isa!(fn dequantize_i8_on(x: &[i8], scale: f32, zero: i32, out: &mut [f32]) = dequantize_inner);
compile_for_each_isa!(fn range_on(x: &[f32]) -> (f32, f32) = range_inner);

#[inline(always)]
fn quantize_inner(x: &[f32], scale: f32, zero: i32, ty: ByteType, out: &mut [u8]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = quantize_element(x, scale, zero, ty) as u8;
    }
}

#[inline(always)]
fn dequantize_inner<T: Copy + Into<i32>>(x: &[T], scale: f32, zero: i32, out: &mut [f32]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = dequantize_element(x.into(), scale, zero);
    }
}

#[inline(always)]
fn range_inner(x: &[f32]) -> (f32, f32) {
    // Comparison is exact, so that any order gives one result; sixteen lanes let it run in vectors.
    let (mut low, mut high) = ([0.0f32; 16], [0.0f32; 16]);
    for x in x.chunks(16) {
        for ((low, high), &x) in low.iter_mut().zip(&mut high).zip(x) {
            *low = if x < *low { x } else { *low };
            *high = if x > *high { x } else { *high };
        }
    }
    let least = low.into_iter().fold(0.0, |a, b| if b < a { b } else { a });
    (
        least,
        high.into_iter().fold(0.0, |a, b| if b > a { b } else { a }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::strict::tanh;

    fn numbers() -> Vec<f32> {
        let mut x: Vec<f32> = (-3000..3000).map(|i| i as f32 * 0.125).collect();
        x.extend([
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
            1e-40,
            f32::MAX,
            f32::MIN,
        ]);
        x
    }

    #[test]
    fn quantised_elements_of_every_isa_equal_the_exact_rule() {
        let x = numbers();
        for (scale, zero, ty) in [
            (0.25, 128, ByteType::U8),
            (1.3, -7, ByteType::I8),
            (1e-3, 0, ByteType::I8),
        ] {
            let (low, high) = ty.range();
            for isa in Isa::available() {
                let mut out = vec![0; x.len()];
                quantize(isa, &x, scale, zero, ty, &mut out).unwrap();
                for (&x, &y) in x.iter().zip(&out) {
                    let quotient = f64::from(x / scale);
                    let exact = if x.is_nan() {
                        zero.into()
                    } else {
                        quotient.round_ties_even() + f64::from(zero)
                    };
                    let y = if ty == ByteType::U8 {
                        i32::from(y)
                    } else {
                        i32::from(y.cast_signed())
                    };
                    assert_eq!(
                        f64::from(y),
                        exact.clamp(low.into(), high.into()),
                        "{x} / {scale} on {isa:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn dequantised_elements() {
        let bits: Vec<u8> = (0..=255).collect();
        let signed: Vec<i8> = (-128..=127).collect();
        for isa in Isa::available() {
            let mut out = vec![0.0; 256];
            dequantize(isa, Bytes::U8(&bits), 0.5, 100, &mut out).unwrap();
            assert!(
                out.iter()
                    .enumerate()
                    .all(|(i, &y)| y == (i as f32 - 100.0) * 0.5)
            );
            dequantize(isa, Bytes::I8(&signed), 0.5, -28, &mut out).unwrap();
            assert!(
                out.iter()
                    .enumerate()
                    .all(|(i, &y)| y == (i as f32 - 100.0) * 0.5)
            );
            assert_eq!(out[100].to_bits(), 0);
        }
    }

    #[test]
    fn dynamic_quantisation() {
        for isa in Isa::available() {
            assert_eq!(
                range_with_zero(isa, &numbers()),
                (f32::NEG_INFINITY, f32::INFINITY)
            );
            assert_eq!(range_with_zero(isa, &[3.0, f32::NAN, 7.0]), (0.0, 7.0));
            assert_eq!(range_with_zero(isa, &[-3.0; 40]), (-3.0, 0.0));
        }
        assert_eq!(dynamic_parameters(-1.0, 4.1), ((4.1 + 1.0) / 255.0, 50));
        assert_eq!(dynamic_parameters(0.0, 0.0), (1.0, 0));
        assert_eq!(
            dynamic_parameters(f32::MIN, f32::MAX),
            (f32::MAX / 255.0, 255)
        );
    }

    #[test]
    fn a_table_is_the_function_of_each_element() {
        let table = table(
            (0.05, 0, ByteType::I8),
            (1.0 / 128.0, 128, ByteType::U8),
            tanh,
        )
        .unwrap();
        assert_eq!(table[0], 128);
        assert_eq!(
            i32::from(table[20]),
            128 + (1f64.tanh() * 128.0).round() as i32
        );
        assert_eq!(
            i32::from(table[236]),
            128 - (1f64.tanh() * 128.0).round() as i32
        );
    }

    #[test]
    fn bad_parameters_are_refused() {
        let mut out = [0; 1];
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(
                quantize(Isa::Scalar, &[1.0], scale, 0, ByteType::U8, &mut out),
                Err(KernelError::Scale)
            );
        }
        let zero = quantize(Isa::Scalar, &[1.0], 1.0, 200, ByteType::I8, &mut out);
        assert_eq!(zero, Err(KernelError::ZeroPoint(200)));
    }
}
