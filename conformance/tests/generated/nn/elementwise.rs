//! Operators of one element, or of two at one place.

use super::super::draft::File;
use super::super::onnx::{BOOL, F32, I8, I32, I64, U8, int};
use super::{Case, b, f, i, l};

/// A rule of one number.
type One = fn(f32) -> f32;
/// A rule of two.
type Two<T, R> = fn(T, T) -> R;

const FOUR: &[i64] = &[4];

const P: [i32; 4] = [7, -3, 1_000_000, 5];
const Q: [i32; 4] = [2, 4, -3, 5];

/// What the rule makes of each pair.
fn zip<T: Copy, R>(a: [T; 4], b: [T; 4], rule: Two<T, R>) -> Vec<R> {
    a.into_iter().zip(b).map(|(a, b)| rule(a, b)).collect()
}

pub fn arithmetic(file: &mut File) {
    let (x, y) = ([1.5f32, -2.25, 0.1, 1e10], [3.0f32, -0.5, 0.2, -1e-10]);
    let floats: [(&str, Two<f32, f32>); 6] = [
        ("Add", |a, b| a + b),
        ("Sub", |a, b| a - b),
        ("Mul", |a, b| a * b),
        ("Div", |a, b| a / b),
        ("Max", f32::max),
        ("Min", f32::min),
    ];
    for (op, rule) in floats {
        Case::new(op, format!("{op} of f32"), "One IEEE operation an element.")
            .input(F32, FOUR, f(&x))
            .input(F32, FOUR, f(&y))
            .gives(file, F32, FOUR, f(&zip(x, y, rule)));
    }
    let integers: [(&str, Two<i32, i32>); 5] = [
        ("Add", i32::wrapping_add),
        ("Sub", i32::wrapping_sub),
        ("Mul", i32::wrapping_mul),
        ("Max", i32::max),
        ("Min", i32::min),
    ];
    for (op, rule) in integers {
        let out = zip(P, Q, rule);
        let wide: Vec<i64> = out.iter().copied().map(i64::from).collect();
        Case::new(op, format!("{op} of i32"), "Integers wrap.")
            .input(I32, FOUR, i(&P))
            .input(I32, FOUR, i(&Q))
            .gives(file, I32, FOUR, i(&out));
        Case::new(op, format!("{op} of i64"), "Integers wrap.")
            .input(I64, FOUR, l(&P.map(i64::from)))
            .input(I64, FOUR, l(&Q.map(i64::from)))
            .gives(file, I64, FOUR, l(&wide));
    }
}

/// Comparisons, and what is made of truth values.
pub fn logic(file: &mut File) {
    let comparisons: [(&str, Two<i32, bool>); 5] = [
        ("Equal", |a, b| a == b),
        ("Less", |a, b| a < b),
        ("Greater", |a, b| a > b),
        ("LessOrEqual", |a, b| a <= b),
        ("GreaterOrEqual", |a, b| a >= b),
    ];
    for (op, rule) in comparisons {
        let out = zip(P, Q, rule).into_iter().map(u8::from).collect();
        Case::new(op, format!("{op} of i32"), "A truth value an element.")
            .input(I32, FOUR, i(&P))
            .input(I32, FOUR, i(&Q))
            .gives(file, BOOL, FOUR, out);
    }
    for (op, expected) in [
        ("And", [1u8, 0, 0, 0]),
        ("Or", [1, 1, 1, 0]),
        ("Xor", [0, 1, 1, 0]),
    ] {
        Case::new(op, op, "Truth values.")
            .input(BOOL, FOUR, vec![1, 1, 0, 0])
            .input(BOOL, FOUR, vec![1, 0, 1, 0])
            .gives(file, BOOL, FOUR, expected.to_vec());
    }
    Case::new("Not", "Not", "Truth values.")
        .input(BOOL, FOUR, vec![1, 1, 0, 0])
        .gives(file, BOOL, FOUR, vec![0, 0, 1, 1]);
}

pub fn unary(file: &mut File) {
    let z = [-2.5f32, 0.0, 2.5, 9.0];
    let rules: [(&str, One); 8] = [
        ("Neg", |v| if v == 0.0 { 0.0 } else { -v }),
        ("Abs", f32::abs),
        ("Floor", f32::floor),
        ("Ceil", f32::ceil),
        ("Round", f32::round_ties_even),
        ("Relu", |v| if v > 0.0 { v } else { 0.0 }),
        ("Identity", |v| v),
        ("Sign", |v| {
            if v > 0.0 {
                1.0
            } else if v < 0.0 {
                -1.0
            } else {
                0.0
            }
        }),
    ];
    for (op, rule) in rules {
        Case::new(
            op,
            format!("{op} of f32"),
            "One exact operation an element.",
        )
        .input(F32, FOUR, f(&z))
        .gives(file, F32, FOUR, f(&z.map(rule)));
    }
    let squares = [0.0f32, 2.0, 9.0, 1e-4];
    Case::new(
        "Sqrt",
        "Sqrt",
        "IEEE's square root is exact to the last bit.",
    )
    .input(F32, FOUR, f(&squares))
    .gives(file, F32, FOUR, f(&squares.map(f32::sqrt)));
    Case::new("Clip", "Clip of i32", "Between two bounds.")
        .input(I32, FOUR, i(&P))
        .constant(I32, &[], &i(&[-1]))
        .constant(I32, &[], &i(&[6]))
        .gives(file, I32, FOUR, i(&[6, -1, 6, 5]));
}

pub fn casts(file: &mut File) {
    for (name, from, data, to, expected) in [
        (
            "u8 to i32",
            U8,
            vec![0u8, 1, 128, 255],
            I32,
            i(&[0, 1, 128, 255]),
        ),
        (
            "i32 to u8",
            I32,
            i(&[0, 255, 256, -1]),
            U8,
            vec![0, 255, 0, 255],
        ),
        (
            "i32 to f32",
            I32,
            i(&[0, -1, 16_777_217, i32::MAX]),
            F32,
            f(&[0.0, -1.0, 16_777_216.0, 2_147_483_648.0]),
        ),
        (
            "f32 to i32",
            F32,
            f(&[0.9, -0.9, 100.5, -100.5]),
            I32,
            i(&[0, 0, 100, -100]),
        ),
        (
            "i8 to i64",
            I8,
            b(&[-128, -1, 0, 127]),
            I64,
            l(&[-128, -1, 0, 127]),
        ),
        (
            "i32 to bool",
            I32,
            i(&[0, 1, -1, 256]),
            BOOL,
            vec![0, 1, 1, 1],
        ),
    ] {
        Case::new(
            "Cast",
            format!("Cast of {name}"),
            "Numbers are cut towards zero, and wrap.",
        )
        .input(from, FOUR, data)
        .attribute(int("to", to))
        .gives(file, to, FOUR, expected);
    }
}
