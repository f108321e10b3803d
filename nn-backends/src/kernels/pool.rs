//! Windows over planes: maxima and sums.

use super::conv::ConvShape;
use super::conv::planes::Planes;
use super::error::{KernelError, expect_len};
use super::isa::Isa;
use super::multiversion::compile_for_each_isa;
use super::strict::{canonical, with_default_environment};

/// An element that has a greatest.
pub trait Element: Copy + PartialOrd {
    /// What the padding holds when the greatest is sought: no element is less.
    const LEAST: Self;
}

impl Element for u8 {
    const LEAST: Self = 0;
}

impl Element for i8 {
    const LEAST: Self = -128;
}

impl Element for f32 {
    const LEAST: Self = Self::NEG_INFINITY;
}

/// The greatest element of each window; `shape` has as many groups as channels. Where a window holds a NaN, the result
/// is the greatest of what follows the last one, or that NaN.
///
/// # Errors
/// As [`ConvShape::output`]; when the shape is not that of a pool or a length does not fit it.
pub fn max<T: Element>(
    isa: Isa,
    x: &[T],
    shape: &ConvShape,
    batch: usize,
    out: &mut [T],
) -> Result<(), KernelError> {
    windows(x, shape, batch, out, T::LEAST, |planes, offsets, out| {
        max_on(isa, planes, offsets, out)
    })
}

/// The sum of each window of 8-bit elements less `zero`; the padding counts as nothing.
///
/// # Errors
/// As [`max`].
pub fn sum_bytes<T: Element + Into<i32>>(
    isa: Isa,
    x: &[T],
    zero: i32,
    shape: &ConvShape,
    batch: usize,
    out: &mut [i32],
) -> Result<(), KernelError> {
    let differences: Vec<i32> = x.iter().map(|&x| x.into() - zero).collect();
    windows(
        &differences,
        shape,
        batch,
        out,
        0,
        |planes, offsets, out| sum_i32_on(isa, planes, offsets, out),
    )
}

/// The sum of each window, added in order of kernel row and column to a sum that starts from zero; the padding takes
/// part as zeros.
///
/// # Errors
/// As [`max`].
pub fn sum_f32(
    isa: Isa,
    x: &[f32],
    shape: &ConvShape,
    batch: usize,
    out: &mut [f32],
) -> Result<(), KernelError> {
    with_default_environment(|| {
        windows(x, shape, batch, out, 0.0, |planes, offsets, out| {
            sum_f32_on(isa, planes, offsets, out)
        })
    })
}

/// Calls `pool` with each channel's planes, the offsets of a window's elements, and outputs at flat positions.
fn windows<T: Copy>(
    x: &[T],
    shape: &ConvShape,
    batch: usize,
    out: &mut [T],
    pad: T,
    pool: impl Fn(&[T], &[usize], &mut [T]),
) -> Result<(), KernelError> {
    let [height, width] = shape.output()?;
    if shape.groups != shape.channels_in || shape.channels_out != shape.channels_in {
        return Err(KernelError::Geometry("groups"));
    }
    let planes = Planes::new(shape)?;
    let images = batch
        .checked_mul(shape.channels_in)
        .ok_or(KernelError::TooLarge("input"))?;
    let size = |what, [h, w]: [usize; 2]| {
        images
            .checked_mul(h)
            .and_then(|n| n.checked_mul(w))
            .ok_or(KernelError::TooLarge(what))
    };
    expect_len("input", x.len(), size("input", shape.input)?)?;
    expect_len("output", out.len(), size("output", [height, width])?)?;
    let input = shape.input[0] * shape.input[1];
    let mut memory = vec![pad; if planes.direct { 0 } else { planes.len() }];
    let mut flat = vec![pad; planes.positions];
    for (image, out) in out.chunks_exact_mut(height * width).enumerate() {
        let x = &x[image * input..(image + 1) * input];
        let filled = if planes.direct {
            x
        } else {
            planes.fill(x, &mut memory, pad);
            &memory
        };
        pool(filled, &planes.offsets, &mut flat);
        for (out, row) in out.chunks_exact_mut(width).zip(flat.chunks(planes.width)) {
            out.copy_from_slice(&row[..width]);
        }
    }
    Ok(())
}

compile_for_each_isa!(fn max_on<T: Element>(planes: &[T], offsets: &[usize], out: &mut [T]) = max_inner);
compile_for_each_isa!(fn sum_i32_on(planes: &[i32], offsets: &[usize], out: &mut [i32]) = sum_i32_inner);
compile_for_each_isa!(fn sum_f32_on(planes: &[f32], offsets: &[usize], out: &mut [f32]) = sum_f32_inner);

#[inline(always)]
fn max_inner<T: Element>(planes: &[T], offsets: &[usize], out: &mut [T]) {
    out.fill(T::LEAST);
    for &offset in offsets {
        for (out, &x) in out.iter_mut().zip(&planes[offset..]) {
            // A NaN is not greater than or equal to anything: once in, it leaves with the next element.
            *out = if *out >= x { *out } else { x };
        }
    }
}

#[inline(always)]
fn sum_i32_inner(planes: &[i32], offsets: &[usize], out: &mut [i32]) {
    out.fill(0);
    for &offset in offsets {
        for (out, &x) in out.iter_mut().zip(&planes[offset..]) {
            *out = out.wrapping_add(x);
        }
    }
}

#[inline(always)]
fn sum_f32_inner(planes: &[f32], offsets: &[usize], out: &mut [f32]) {
    out.fill(0.0);
    for &offset in offsets {
        for (out, &x) in out.iter_mut().zip(&planes[offset..]) {
            *out += x;
        }
    }
    for out in out {
        *out = canonical(*out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn windows_of_every_isa_equal_a_plain_loop(
            channels in 1usize..4, input in (1usize..12, 1usize..40), kernel in (1usize..4, 1usize..4),
            strides in (1usize..4, 1usize..4), dilations in (1usize..3, 1usize..3),
            pads in (0usize..3, 0usize..3, 0usize..3, 0usize..3), batch in 0usize..3, seed in 1u32..1000,
        ) {
            let shape = ConvShape {
                channels_in: channels, channels_out: channels, groups: channels,
                input: input.into(), kernel: kernel.into(), strides: strides.into(), dilations: dilations.into(),
                pads: pads.into(),
            };
            let Ok([height, width]) = shape.output() else { return Ok(()) };
            let x: Vec<u8> = (0..(batch * channels * input.0 * input.1) as u32)
                .map(|i| ((i + seed).wrapping_mul(2_654_435_761) >> 23) as u8)
                .collect();
            let signed: Vec<i8> = x.iter().map(|&x| x.cast_signed()).collect();
            let float: Vec<f32> = x.iter().map(|&x| f32::from(x) * 0.1 - 7.0).collect();
            let (mut greatest, mut sums, mut float_sums, mut signed_greatest) = (vec![], vec![], vec![], vec![]);
            for plane in 0..batch * channels {
                for (oy, ox) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    let (mut most, mut sum, mut float_sum, mut most_signed) = (0u8, 0i32, 0f32, -128i8);
                    for (ky, kx) in (0..kernel.0).flat_map(|y| (0..kernel.1).map(move |x| (y, x))) {
                        let row = (oy * strides.0 + ky * dilations.0).wrapping_sub(pads.0);
                        let column = (ox * strides.1 + kx * dilations.1).wrapping_sub(pads.1);
                        if row < input.0 && column < input.1 {
                            let i = (plane * input.0 + row) * input.1 + column;
                            most = most.max(x[i]);
                            most_signed = most_signed.max(signed[i]);
                            sum += i32::from(x[i]) - 9;
                            float_sum += float[i];
                        }
                    }
                    greatest.push(most);
                    signed_greatest.push(most_signed);
                    sums.push(sum);
                    float_sums.push(float_sum);
                }
            }
            for isa in Isa::available() {
                let mut out = vec![0u8; greatest.len()];
                max(isa, &x, &shape, batch, &mut out).unwrap();
                prop_assert_eq!(&out, &greatest);
                let mut out = vec![0i8; greatest.len()];
                max(isa, &signed, &shape, batch, &mut out).unwrap();
                prop_assert_eq!(&out, &signed_greatest);
                let mut out = vec![0; greatest.len()];
                sum_bytes(isa, &x, 9, &shape, batch, &mut out).unwrap();
                prop_assert_eq!(&out, &sums);
                let mut out = vec![0.0; greatest.len()];
                sum_f32(isa, &float, &shape, batch, &mut out).unwrap();
                prop_assert_eq!(&out, &float_sums);
            }
        }
    }

    #[test]
    fn a_shape_that_mixes_channels_is_refused() {
        let shape = ConvShape {
            channels_in: 2,
            channels_out: 2,
            groups: 1,
            input: [4; 2],
            kernel: [2; 2],
            strides: [2; 2],
            dilations: [1; 2],
            pads: [0; 4],
        };
        let refused = max(Isa::best(), &[0u8; 32], &shape, 1, &mut [0; 8]);
        assert_eq!(refused, Err(KernelError::Geometry("groups")));
    }
}
