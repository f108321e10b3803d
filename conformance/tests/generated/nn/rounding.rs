//! Scales and zero points: what is rounded, how, and where it ends.

use super::super::draft::File;
use super::super::onnx::{F32, I8, U8};
use super::{Case, b, f, inferrer};

/// To the nearest, and to the even one of two that are as near: in 128-bit integers.
fn nearest_even(numerator: i128, shift: u32) -> i128 {
    let floor = numerator >> shift;
    let rest = numerator - (floor << shift);
    let half = 1i128 << (shift - 1);
    floor + i128::from(rest > half || (rest == half && floor & 1 == 1))
}

pub fn file() -> File {
    let mut file = File::new(
        "nn",
        "rounding",
        "The generator takes the scale apart into an integer and a power of two and rounds the exact quotient in 128-bit integers, as docs/exact-inference.md defines it.",
    );
    file.share_wat("infer", &inferrer());
    let f32_parts = |scale: f32| {
        let bits = scale.to_bits();
        (i128::from(bits & 0x7f_ffff | 0x80_0000), 150 - (bits >> 23))
    };
    for (number, scale) in [0.5f32, 0.25, 0.125, 0.1, 0.0039, 1.0 / 3.0, 0.75, 0.012_345]
        .into_iter()
        .enumerate()
    {
        for (ty, zero) in [(I8, 0i64), (I8, -7), (U8, 128), (U8, 0)] {
            let row: Vec<i8> = (0..16)
                .map(|k| {
                    [
                        -100, -77, -50, -25, -9, -5, -3, -1, 0, 1, 3, 5, 10, 27, 51, 99,
                    ][k] + number as i8
                })
                .collect();
            // One column: the row times one weight of 1, so that accumulators are the row.
            let (m, shift) = f32_parts(scale);
            let expected: Vec<u8> = row
                .iter()
                .map(|v| {
                    let rounded = nearest_even(i128::from(*v) * m, shift) as i64 + zero;
                    if ty == U8 {
                        rounded.clamp(0, 255) as u8
                    } else {
                        (rounded.clamp(-128, 127) as i8).cast_unsigned()
                    }
                })
                .collect();
            let target = if ty == U8 { "u8" } else { "i8" };
            Case::new(
                "QLinearMatMul",
                format!("QLinearMatMul by {scale} to {target} with zero point {zero}"),
                "Accumulators times their scale round to the nearest integer, ties to the even one, and saturate.",
            )
            .input(I8, &[16, 1], b(&row))
            .constant(F32, &[], &f(&[scale]))
            .constant(I8, &[], &[0])
            .constant(I8, &[1, 1], &[1])
            .constant(F32, &[], &f(&[1.0]))
            .constant(I8, &[], &[0])
            .constant(F32, &[], &f(&[1.0]))
            .constant(ty, &[], &[zero as u8])
            .gives(&mut file, ty, &[16, 1], expected);
        }
        let values: Vec<f32> = (0..12).map(|k| (k as f32 - 6.0) * scale / 2.0).collect();
        let expected: Vec<u8> = values
            .iter()
            .map(|v| ((v / scale).round_ties_even() as i64 + 100).clamp(0, 255) as u8)
            .collect();
        Case::new(
            "QuantizeLinear",
            format!("QuantizeLinear by {scale}"),
            "A quotient, not a product with the reciprocal, rounds to the nearest integer, ties to the even one.",
        )
        .input(F32, &[12], f(&values))
        .constant(F32, &[], &f(&[scale]))
        .constant(U8, &[], &[100])
        .gives(&mut file, U8, &[12], expected);
        let bytes: Vec<u8> = vec![0, 1, 99, 100, 101, 128, 200, 255];
        let expected: Vec<f32> = bytes
            .iter()
            .map(|v| (f32::from(*v) - 100.0) * scale)
            .collect();
        Case::new(
            "DequantizeLinear",
            format!("DequantizeLinear by {scale}"),
            "The difference from the zero point, times the scale.",
        )
        .input(U8, &[8], bytes)
        .constant(F32, &[], &f(&[scale]))
        .constant(U8, &[], &[100])
        .gives(&mut file, F32, &[8], f(&expected));
    }
    file
}
