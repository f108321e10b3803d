//! Sums of products, and windows of a picture.

use super::super::draft::File;
use super::super::onnx::{F32, I8, I32, U8, ints};
use super::{Case, b, f, i};

const A: &[i64] = &[2, 3];
const B: &[i64] = &[3, 2];

pub fn matrices(file: &mut File) {
    let bytes = vec![1, 2, 3, 255, 0, 128];
    let weights = [1, -1, 2, 0, -128, 127];
    let differences = product(
        &bytes.iter().copied().map(i32::from).collect::<Vec<_>>(),
        &weights.map(i32::from),
        128,
        1,
    );
    Case::new(
        "MatMulInteger",
        "MatMulInteger",
        "32-bit accumulators of differences from the zero points.",
    )
    .input(U8, A, bytes)
    .constant(I8, B, &b(&weights))
    .constant(U8, &[], &[128])
    .constant(I8, &[], &b(&[1]))
    .gives(file, I32, &[2, 2], i(&differences));
    let (a, w) = (
        [1.0f32, 2.0, 3.0, -4.0, 0.5, 8.0],
        [1.0f32, 0.0, 0.5, -1.0, 2.0, 4.0],
    );
    let mut out = Vec::new();
    for row in a.chunks(3) {
        for column in 0..2 {
            // Exact in any order: small numbers.
            out.push((0..3).map(|k| row[k] * w[2 * k + column]).sum::<f32>());
        }
    }
    Case::new(
        "MatMul",
        "MatMul of f32",
        "Sums of products, exact where all are small.",
    )
    .input(F32, A, f(&a))
    .constant(F32, B, &f(&w))
    .gives(file, F32, &[2, 2], f(&out));
}

fn product(a: &[i32], w: &[i32], a_zero: i32, w_zero: i32) -> Vec<i32> {
    let mut out = Vec::new();
    for row in a.chunks(3) {
        for column in 0..2 {
            out.push(
                (0..3)
                    .map(|k| (row[k] - a_zero) * (w[2 * k + column] - w_zero))
                    .sum(),
            );
        }
    }
    out
}

pub fn windows(file: &mut File) {
    let picture: &[i64] = &[1, 1, 4, 4];
    let image: Vec<u8> = (0..16).collect();
    let sum = |at: usize| {
        (0..2)
            .flat_map(|r| (0..2).map(move |c| (at + 4 * r + c) as i32))
            .zip([1, -2, 3, 4])
            .map(|(x, w)| x * w)
            .sum::<i32>()
    };
    let windows: Vec<i32> = (0..3)
        .flat_map(|r| (0..3).map(move |c| 4 * r + c))
        .map(sum)
        .collect();
    Case::new(
        "ConvInteger",
        "ConvInteger",
        "Windows of a picture times a kernel.",
    )
    .input(U8, picture, image.clone())
    .constant(I8, &[1, 1, 2, 2], &b(&[1, -2, 3, 4]))
    .gives(file, I32, &[1, 1, 3, 3], i(&windows));
    Case::new("MaxPool", "MaxPool of u8", "The greatest of each window.")
        .input(U8, picture, image)
        .attribute(ints("kernel_shape", &[2, 2]))
        .attribute(ints("strides", &[2, 2]))
        .gives(file, U8, &[1, 1, 2, 2], vec![5, 7, 13, 15]);
}
