//! Networks: each operator against arithmetic done here, quotes, and a real model against onnxruntime.

use aivm_conformance::action::{Action, Bytes};
use aivm_conformance::outcome::Claim;
use aivm_nn::{Model, ModelLimits};

use super::draft::*;
use super::guest::{HEAP, call, guest, push_word};
use super::onnx::{self, BOOL, F32, I8, I32, I64, Message, Shape, U8, int, ints, tensor};

/// A rule of one number.
type One = fn(f32) -> f32;
/// A rule of two.
type Two<T, R> = fn(T, T) -> R;

/// Input: the model's hash as a word in memory, the number of tensors (4 bytes), 4 unused, then
/// their records with pointers as they will lie; it begins at [`HEAP`]. Returns the first output's
/// bytes, or reverts with the number of the error.
fn inferrer() -> String {
    let hash = push_word("(local.get $at)");
    let body = format!(
        "(call $nn.infer {hash} (i32.add (local.get $at) (i32.const 40)) (i32.load offset=32 (local.get $at)) (i32.const 2048))
         (if (i32.load8_u (i32.const 2048)) (then (return (call $result (i32.const 1) (i32.const 2052) (i32.const 1)))))
         (call $result (i32.const 0) (i32.load offset=12 (i32.load (i32.const 2052))) (i32.load offset=16 (i32.load (i32.const 2052))))"
    );
    guest(&["nn.infer"], &call(&body))
}

/// Returns gas, multiply-accumulates, memory and profile as they lie in memory.
fn quoter() -> String {
    let body = format!(
        "(call $nn.quote {} (i32.const 2048))
         (if (i32.load8_u (i32.const 2048)) (then (return (call $result (i32.const 1) (i32.const 2056) (i32.const 1)))))
         (call $result (i32.const 0) (i32.const 2056) (i32.const 25))",
        push_word("(local.get $at)")
    );
    guest(&["nn.quote"], &call(&body))
}

/// Numbers of the element types on the border.
fn code(ty: i64) -> u8 {
    match ty {
        U8 => 0,
        I8 => 1,
        I32 => 3,
        I64 => 4,
        F32 => 5,
        BOOL => 6,
        other => panic!("no type {other}"),
    }
}

fn request(model: &[u8; 32], inputs: &[(Shape<'_>, Vec<u8>)]) -> Vec<u8> {
    let mut word = *model;
    word.reverse();
    let mut data = word.to_vec();
    data.extend((inputs.len() as u32).to_le_bytes());
    data.extend([0; 4]);
    let records = data.len();
    data.resize(records + 20 * inputs.len(), 0);
    for (i, ((ty, dims), bytes)) in inputs.iter().enumerate() {
        while !data.len().is_multiple_of(8) {
            data.push(0);
        }
        let shape = HEAP + data.len() as u32;
        for dim in *dims {
            data.extend((*dim as u32).to_le_bytes());
        }
        let content = HEAP + data.len() as u32;
        data.extend(bytes);
        let record = &mut data[records + 20 * i..][..20];
        record[0] = code(*ty);
        for (place, value) in [
            (4, shape),
            (8, dims.len() as u32),
            (12, content),
            (16, bytes.len() as u32),
        ] {
            record[place..place + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
    data
}

fn f(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn i(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn l(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn b(values: &[i8]) -> Vec<u8> {
    values.iter().map(|v| v.cast_unsigned()).collect()
}

fn loaded(onnx: &[u8]) -> Model {
    Model::from_onnx(onnx, &ModelLimits::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// An operator with inputs and the output it must give.
struct Case<'a> {
    name: String,
    rule: &'a str,
    op: &'a str,
    inputs: Vec<(Shape<'a>, Vec<u8>)>,
    constants: Vec<Message>,
    attributes: Vec<Message>,
    output: Shape<'a>,
    expected: Vec<u8>,
}

pub fn files() -> Vec<File> {
    vec![operators(), rounding(), digits(), failures()]
}

fn push(file: &mut File, case: Case<'_>) {
    let shapes: Vec<Shape<'_>> = case.inputs.iter().map(|(shape, _)| *shape).collect();
    let onnx = onnx::one(
        case.op,
        &shapes,
        &case.constants,
        &case.attributes,
        case.output,
    );
    let model = loaded(&onnx);
    let hash = model.hash();
    let prices = aivm::GasSchedule::v1().nn;
    let price = prices.register_base
        + prices.register_per_byte * onnx.len() as u64
        + prices.register_per_node * model.graph().nodes().len() as u64;
    let quote = model.quote(&prices).gas;
    let register = Action::RegisterModel {
        model: Bytes::Hex(aivm_conformance::action::Hex(onnx)),
    };
    let claim = Claim {
        inference: Some(quote),
        ..Claim::returns(case.expected)
    };
    file.push(
        Draft::new(case.name, case.rule)
            .step(
                register,
                Claim {
                    price: Some(price),
                    ..Claim::default()
                },
            )
            .put("infer")
            .call("infer", request(&hash, &case.inputs), claim),
    );
}

fn operators() -> File {
    let mut file = File::new(
        "nn",
        "operators",
        "The generator computes the output itself, with integers or with single IEEE operations of its own, as ONNX defines the operator.",
    );
    file.share_wat("infer", &inferrer());
    let d4: &[i64] = &[4];
    let d23: &[i64] = &[2, 3];
    let (x, y) = ([1.5f32, -2.25, 0.1, 1e10], [3.0f32, -0.5, 0.2, -1e-10]);
    let (p, q) = ([7i32, -3, 1_000_000, 5], [2i32, 4, -3, 5]);
    let floats: [(&str, Two<f32, f32>); 6] = [
        ("Add", |a, b| a + b),
        ("Sub", |a, b| a - b),
        ("Mul", |a, b| a * b),
        ("Div", |a, b| a / b),
        ("Max", f32::max),
        ("Min", f32::min),
    ];
    for (op, f_) in floats {
        let out: Vec<f32> = x.iter().zip(y).map(|(a, b)| f_(*a, b)).collect();
        push(
            &mut file,
            Case {
                name: format!("{op} of f32"),
                rule: "One IEEE operation an element.",
                op,
                inputs: vec![((F32, d4), f(&x)), ((F32, d4), f(&y))],
                constants: vec![],
                attributes: vec![],
                output: (F32, d4),
                expected: f(&out),
            },
        );
    }
    let integers: [(&str, Two<i32, i32>); 5] = [
        ("Add", i32::wrapping_add),
        ("Sub", i32::wrapping_sub),
        ("Mul", i32::wrapping_mul),
        ("Max", i32::max),
        ("Min", i32::min),
    ];
    for (op, f_) in integers {
        let out: Vec<i32> = p.iter().zip(q).map(|(a, b)| f_(*a, b)).collect();
        push(
            &mut file,
            Case {
                name: format!("{op} of i32"),
                rule: "Integers wrap.",
                op,
                inputs: vec![((I32, d4), i(&p)), ((I32, d4), i(&q))],
                constants: vec![],
                attributes: vec![],
                output: (I32, d4),
                expected: i(&out),
            },
        );
        let (p64, q64) = (p.map(i64::from), q.map(i64::from));
        let out: Vec<i64> = p.iter().zip(q).map(|(a, b)| i64::from(f_(*a, b))).collect();
        push(
            &mut file,
            Case {
                name: format!("{op} of i64"),
                rule: "Integers wrap.",
                op,
                inputs: vec![((I64, d4), l(&p64)), ((I64, d4), l(&q64))],
                constants: vec![],
                attributes: vec![],
                output: (I64, d4),
                expected: l(&out),
            },
        );
    }
    let comparisons: [(&str, Two<i32, bool>); 5] = [
        ("Equal", |a, b| a == b),
        ("Less", |a, b| a < b),
        ("Greater", |a, b| a > b),
        ("LessOrEqual", |a, b| a <= b),
        ("GreaterOrEqual", |a, b| a >= b),
    ];
    for (op, f_) in comparisons {
        let out: Vec<u8> = p.iter().zip(q).map(|(a, b)| u8::from(f_(*a, b))).collect();
        push(
            &mut file,
            Case {
                name: format!("{op} of i32"),
                rule: "A truth value an element.",
                op,
                inputs: vec![((I32, d4), i(&p)), ((I32, d4), i(&q))],
                constants: vec![],
                attributes: vec![],
                output: (BOOL, d4),
                expected: out,
            },
        );
    }
    for (op, expected) in [
        ("And", [1u8, 0, 0, 0]),
        ("Or", [1, 1, 1, 0]),
        ("Xor", [0, 1, 1, 0]),
    ] {
        push(
            &mut file,
            Case {
                name: op.to_owned(),
                rule: "Truth values.",
                op,
                inputs: vec![
                    ((BOOL, d4), vec![1, 1, 0, 0]),
                    ((BOOL, d4), vec![1, 0, 1, 0]),
                ],
                constants: vec![],
                attributes: vec![],
                output: (BOOL, d4),
                expected: expected.to_vec(),
            },
        );
    }
    push(
        &mut file,
        Case {
            name: "Not".into(),
            rule: "Truth values.",
            op: "Not",
            inputs: vec![((BOOL, d4), vec![1, 1, 0, 0])],
            constants: vec![],
            attributes: vec![],
            output: (BOOL, d4),
            expected: vec![0, 0, 1, 1],
        },
    );
    let z = [-2.5f32, 0.0, 2.5, 9.0];
    let unary: [(&str, One); 8] = [
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
    for (op, f_) in unary {
        let out: Vec<f32> = z.iter().map(|v| f_(*v)).collect();
        push(
            &mut file,
            Case {
                name: format!("{op} of f32"),
                rule: "One exact operation an element.",
                op,
                inputs: vec![((F32, d4), f(&z))],
                constants: vec![],
                attributes: vec![],
                output: (F32, d4),
                expected: f(&out),
            },
        );
    }
    let squares = [0.0f32, 2.0, 9.0, 1e-4];
    let roots: Vec<f32> = squares.iter().map(|v| v.sqrt()).collect();
    push(
        &mut file,
        Case {
            name: "Sqrt".into(),
            rule: "IEEE's square root is exact to the last bit.",
            op: "Sqrt",
            inputs: vec![((F32, d4), f(&squares))],
            constants: vec![],
            attributes: vec![],
            output: (F32, d4),
            expected: f(&roots),
        },
    );
    push(
        &mut file,
        Case {
            name: "Clip of i32".into(),
            rule: "Between two bounds.",
            op: "Clip",
            inputs: vec![((I32, d4), i(&p))],
            constants: vec![
                tensor("c0", I32, &[], &i(&[-1])),
                tensor("c1", I32, &[], &i(&[6])),
            ],
            attributes: vec![],
            output: (I32, d4),
            expected: i(&[6, -1, 6, 5]),
        },
    );
    // Movement.
    let grid: Vec<u8> = (1..=6).collect();
    let moved = |name: &str,
                 op,
                 constants: Vec<Message>,
                 attributes: Vec<Message>,
                 dims: &'static [i64],
                 expected: Vec<u8>| Case {
        name: name.to_owned(),
        rule: "Elements move and do not change.",
        op,
        inputs: vec![((U8, d23), grid.clone())],
        constants,
        attributes,
        output: (U8, dims),
        expected,
    };
    for case in [
        moved(
            "Transpose",
            "Transpose",
            vec![],
            vec![ints("perm", &[1, 0])],
            &[3, 2],
            vec![1, 4, 2, 5, 3, 6],
        ),
        moved(
            "Reshape",
            "Reshape",
            vec![tensor("c0", I64, &[2], &l(&[3, 2]))],
            vec![],
            &[3, 2],
            grid.clone(),
        ),
        moved(
            "Reshape with -1",
            "Reshape",
            vec![tensor("c0", I64, &[1], &l(&[-1]))],
            vec![],
            &[6],
            grid.clone(),
        ),
        moved(
            "Flatten",
            "Flatten",
            vec![],
            vec![int("axis", 0)],
            &[1, 6],
            grid.clone(),
        ),
        moved(
            "Unsqueeze",
            "Unsqueeze",
            vec![tensor("c0", I64, &[1], &l(&[0]))],
            vec![],
            &[1, 2, 3],
            grid.clone(),
        ),
        moved(
            "Concat with a constant",
            "Concat",
            vec![tensor("c0", U8, &[1, 3], &[7, 8, 9])],
            vec![int("axis", 0)],
            &[3, 3],
            (1..=9).collect(),
        ),
        moved(
            "Slice",
            "Slice",
            vec![
                tensor("c0", I64, &[1], &l(&[1])),
                tensor("c1", I64, &[1], &l(&[3])),
                tensor("c2", I64, &[1], &l(&[1])),
            ],
            vec![],
            &[2, 2],
            vec![2, 3, 5, 6],
        ),
        moved(
            "Slice backwards",
            "Slice",
            vec![
                tensor("c0", I64, &[1], &l(&[-1])),
                tensor("c1", I64, &[1], &l(&[-4])),
                tensor("c2", I64, &[1], &l(&[1])),
                tensor("c3", I64, &[1], &l(&[-1])),
            ],
            vec![],
            d23,
            vec![3, 2, 1, 6, 5, 4],
        ),
        moved(
            "Gather of columns",
            "Gather",
            vec![tensor("c0", I64, &[2], &l(&[2, 0]))],
            vec![int("axis", 1)],
            &[2, 2],
            vec![3, 1, 6, 4],
        ),
        moved(
            "Expand",
            "Expand",
            vec![tensor("c0", I64, &[3], &l(&[2, 1, 1]))],
            vec![],
            &[2, 2, 3],
            [grid.clone(), grid.clone()].concat(),
        ),
        moved(
            "Tile",
            "Tile",
            vec![tensor("c0", I64, &[2], &l(&[1, 2]))],
            vec![],
            &[2, 6],
            vec![1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
        ),
        moved(
            "Pad",
            "Pad",
            vec![
                tensor("c0", I64, &[4], &l(&[1, 0, 0, 1])),
                tensor("c1", U8, &[], &[9]),
            ],
            vec![],
            &[3, 4],
            vec![9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9],
        ),
    ] {
        push(&mut file, case);
    }
    // Reductions.
    for (op, dims, expected) in [
        ("ReduceMax", &[2i64, 1][..], vec![3i32, 6]),
        ("ReduceMin", &[2, 1], vec![-1, 4]),
    ] {
        push(
            &mut file,
            Case {
                name: format!("{op} of i32"),
                rule: "Over the last axis.",
                op,
                inputs: vec![((I32, d23), i(&[-1, 2, 3, 4, 5, 6]))],
                constants: vec![],
                attributes: vec![ints("axes", &[1])],
                output: (I32, dims),
                expected: i(&expected),
            },
        );
    }
    push(
        &mut file,
        Case {
            name: "ReduceSum of i32".into(),
            rule: "Over the last axis.",
            op: "ReduceSum",
            inputs: vec![((I32, d23), i(&[-1, 2, 3, 4, 5, 6]))],
            constants: vec![tensor("c0", I64, &[1], &l(&[1]))],
            attributes: vec![],
            output: (I32, &[2, 1]),
            expected: i(&[4, 15]),
        },
    );
    for (op, expected) in [("ArgMax", [0i64, 2]), ("ArgMin", [1, 0])] {
        push(
            &mut file,
            Case {
                name: op.to_owned(),
                rule: "The first of equal elements.",
                op,
                inputs: vec![((I32, d23), i(&[3, -2, 3, 4, 5, 6]))],
                constants: vec![],
                attributes: vec![int("axis", 1)],
                output: (I64, &[2, 1]),
                expected: l(&expected),
            },
        );
    }
    // Products.
    push(
        &mut file,
        Case {
            name: "MatMulInteger".into(),
            rule: "32-bit accumulators of differences from the zero points.",
            op: "MatMulInteger",
            inputs: vec![((U8, d23), vec![1, 2, 3, 255, 0, 128])],
            constants: vec![
                tensor("c0", I8, &[3, 2], &b(&[1, -1, 2, 0, -128, 127])),
                tensor("c1", U8, &[], &[128]),
                tensor("c2", I8, &[], &b(&[1])),
            ],
            attributes: vec![],
            output: (I32, &[2, 2]),
            expected: i(&product(
                &[1, 2, 3, 255, 0, 128],
                &[1, -1, 2, 0, -128, 127],
                128,
                1,
            )),
        },
    );
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
    push(
        &mut file,
        Case {
            name: "MatMul of f32".into(),
            rule: "Sums of products, exact where all are small.",
            op: "MatMul",
            inputs: vec![((F32, d23), f(&a))],
            constants: vec![tensor("c0", F32, &[3, 2], &f(&w))],
            attributes: vec![],
            output: (F32, &[2, 2]),
            expected: f(&out),
        },
    );
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
    push(
        &mut file,
        Case {
            name: "ConvInteger".into(),
            rule: "Windows of a picture times a kernel.",
            op: "ConvInteger",
            inputs: vec![((U8, &[1, 1, 4, 4]), image.clone())],
            constants: vec![tensor("c0", I8, &[1, 1, 2, 2], &b(&[1, -2, 3, 4]))],
            attributes: vec![],
            output: (I32, &[1, 1, 3, 3]),
            expected: i(&windows),
        },
    );
    push(
        &mut file,
        Case {
            name: "MaxPool of u8".into(),
            rule: "The greatest of each window.",
            op: "MaxPool",
            inputs: vec![((U8, &[1, 1, 4, 4]), image)],
            constants: vec![],
            attributes: vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
            output: (U8, &[1, 1, 2, 2]),
            expected: vec![5, 7, 13, 15],
        },
    );
    // Types.
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
        push(
            &mut file,
            Case {
                name: format!("Cast of {name}"),
                rule: "Numbers are cut towards zero, and wrap.",
                op: "Cast",
                inputs: vec![((from, d4), data)],
                constants: vec![],
                attributes: vec![int("to", to)],
                output: (to, d4),
                expected,
            },
        );
    }
    file
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

/// To the nearest, and to the even one of two that are as near: in 128-bit integers.
fn nearest_even(numerator: i128, shift: u32) -> i128 {
    let floor = numerator >> shift;
    let rest = numerator - (floor << shift);
    let half = 1i128 << (shift - 1);
    floor + i128::from(rest > half || (rest == half && floor & 1 == 1))
}

fn rounding() -> File {
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
            let zero_bytes = [zero as u8];
            push(
                &mut file,
                Case {
                    name: format!(
                        "QLinearMatMul by {scale} to {} with zero point {zero}",
                        if ty == U8 { "u8" } else { "i8" }
                    ),
                    rule: "Accumulators times their scale round to the nearest integer, ties to the even one, and saturate.",
                    op: "QLinearMatMul",
                    inputs: vec![((I8, &[16, 1]), b(&row))],
                    constants: vec![
                        tensor("c0", F32, &[], &f(&[scale])),
                        tensor("c1", I8, &[], &[0]),
                        tensor("c2", I8, &[1, 1], &[1]),
                        tensor("c3", F32, &[], &f(&[1.0])),
                        tensor("c4", I8, &[], &[0]),
                        tensor("c5", F32, &[], &f(&[1.0])),
                        tensor("c6", ty, &[], &zero_bytes),
                    ],
                    attributes: vec![],
                    output: (ty, &[16, 1]),
                    expected,
                },
            );
        }
        let values: Vec<f32> = (0..12).map(|k| (k as f32 - 6.0) * scale / 2.0).collect();
        let expected: Vec<u8> = values
            .iter()
            .map(|v| ((v / scale).round_ties_even() as i64 + 100).clamp(0, 255) as u8)
            .collect();
        push(
            &mut file,
            Case {
                name: format!("QuantizeLinear by {scale}"),
                rule: "A quotient, not a product with the reciprocal, rounds to the nearest integer, ties to the even one.",
                op: "QuantizeLinear",
                inputs: vec![((F32, &[12]), f(&values))],
                constants: vec![
                    tensor("c0", F32, &[], &f(&[scale])),
                    tensor("c1", U8, &[], &[100]),
                ],
                attributes: vec![],
                output: (U8, &[12]),
                expected,
            },
        );
        let bytes: Vec<u8> = vec![0, 1, 99, 100, 101, 128, 200, 255];
        let expected: Vec<f32> = bytes
            .iter()
            .map(|v| (f32::from(*v) - 100.0) * scale)
            .collect();
        push(
            &mut file,
            Case {
                name: format!("DequantizeLinear by {scale}"),
                rule: "The difference from the zero point, times the scale.",
                op: "DequantizeLinear",
                inputs: vec![((U8, &[8]), bytes)],
                constants: vec![
                    tensor("c0", F32, &[], &f(&[scale])),
                    tensor("c1", U8, &[], &[100]),
                ],
                attributes: vec![],
                output: (F32, &[8]),
                expected: f(&expected),
            },
        );
    }
    file
}

const DIGITS: &str = "../../../nn-backends/models/digits.onnx";

fn digits() -> File {
    let mut file = File::new(
        "nn",
        "digits",
        "The logits are those that onnxruntime 1.31.1 computes for the same images (nn-backends/models/digits-reference.json, whose script is beside it).",
    );
    file.share_wat("infer", &inferrer());
    file.share_wat("quote", &quoter());
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn-backends/models");
    let onnx = std::fs::read(models.join("digits.onnx")).unwrap();
    let images = std::fs::read(models.join("digits-test.bin")).unwrap();
    let reference: serde_json::Value =
        serde_json::from_slice(&std::fs::read(models.join("digits-reference.json")).unwrap())
            .unwrap();
    let logits = reference["logits"].as_array().unwrap();
    let model = loaded(&onnx);
    let (hash, quote) = (model.hash(), model.quote(&aivm::GasSchedule::v1().nn));
    let register = || Action::RegisterModel {
        model: Bytes::File(DIGITS.to_owned()),
    };
    let images: Vec<&[u8]> = images.chunks_exact(65).map(|image| &image[..64]).collect();
    for (number, (images, logits)) in images.chunks(5).zip(logits.chunks(5)).take(24).enumerate() {
        let mut draft = Draft::new(
            format!("digits {} to {}", 5 * number + 1, 5 * number + images.len()),
            "A quantised network for handwritten digits gives onnxruntime's logits.",
        )
        .step(register(), Claim::accepted())
        .put("infer");
        for (image, logits) in images.iter().zip(logits) {
            let expected: Vec<u8> = logits
                .as_array()
                .unwrap()
                .iter()
                .map(|v| (v.as_i64().unwrap() as i8).cast_unsigned())
                .collect();
            let input = request(&hash, &[((U8, &[1, 64]), image.to_vec())]);
            draft = draft.call(
                "infer",
                input,
                Claim {
                    inference: Some(quote.gas),
                    ..Claim::returns(expected)
                },
            );
        }
        file.push(draft);
    }
    let mut word = hash;
    word.reverse();
    let mut expected = [quote.gas, quote.macs, quote.memory]
        .map(u64::to_le_bytes)
        .concat();
    expected.push(u8::from(quote.profile != aivm_nn::Profile::Integer));
    file.push(
        Draft::new("the quote of the digits", "A quote is what an inference is charged, from shapes alone.")
            .reason("The inference gas of the other vectors of this file is this quote, and both implementations agree; multiply-accumulates are the products of the layers' sizes.")
            .step(register(), Claim::accepted())
            .put("quote")
            .call("quote", word, Claim { inference: Some(0), ..Claim::returns(expected) }),
    );
    file
}

fn failures() -> File {
    let mut file = File::new(
        "nn",
        "failures",
        "docs/host-interface.md numbers the errors of the interface: model-not-found, invalid-model, shape-mismatch, memory-limit.",
    );
    file.share_wat("infer", &inferrer());
    file.share_wat("quote", &quoter());
    let onnx = onnx::one("Add", &[(I32, &[4]), (I32, &[4])], &[], &[], (I32, &[4]));
    let hash = loaded(&onnx).hash();
    let register = || Action::RegisterModel {
        model: Bytes::Hex(aivm_conformance::action::Hex(onnx.clone())),
    };
    let good = || ((I32, &[4i64][..]), i(&[1, 2, 3, 4]));
    let no_charge = |claim: Claim| Claim {
        inference: Some(0),
        ..claim
    };
    for (name, inputs) in [
        ("no tensors", vec![]),
        ("one tensor too few", vec![good()]),
        ("one tensor too many", vec![good(), good(), good()]),
        ("another type", vec![good(), ((F32, &[4]), vec![0; 16])]),
        ("another dimension", vec![good(), ((I32, &[2]), vec![0; 8])]),
        ("another rank", vec![good(), ((I32, &[2, 2]), vec![0; 16])]),
        ("no dimensions", vec![good(), ((I32, &[]), vec![0; 16])]),
        ("too few bytes", vec![good(), ((I32, &[4]), vec![0; 15])]),
        ("too many bytes", vec![good(), ((I32, &[4]), vec![0; 17])]),
        ("no bytes", vec![good(), ((I32, &[4]), vec![])]),
    ] {
        file.push(
            Draft::new(
                name,
                "Tensors that do not fit the model are an error, and cost no inference.",
            )
            .step(register(), Claim::accepted())
            .put("infer")
            .call("infer", request(&hash, &inputs), no_charge(reverts([2]))),
        );
    }
    let mut word = hash;
    word.reverse();
    file.push(
        Draft::new(
            "a model that nobody registered",
            "An unknown hash is an error.",
        )
        .put("infer")
        .put("quote")
        .call(
            "infer",
            request(&hash, &[good(), good()]),
            no_charge(reverts([0])),
        )
        .call("quote", word, reverts([0])),
    );
    let limited = chain_with(&[("nn/max_memory", serde_json::json!(20))]);
    file.push(
        Draft::new(
            "a model that needs too much memory",
            "A model whose tensors exceed the schedule's memory is refused when it is registered.",
        )
        .chain(limited)
        .step(register(), Claim::refused("invalid-model")),
    );
    let small = chain_with(&[("nn/max_model_bytes", serde_json::json!(onnx.len() - 1))]);
    file.push(
        Draft::new(
            "a model that is too large",
            "A model larger than the schedule allows is refused.",
        )
        .chain(small)
        .step(register(), Claim::refused("invalid-model")),
    );
    for length in [0usize, 1, 10, 30, onnx.len() / 2, onnx.len() - 3] {
        let action = Action::RegisterModel {
            model: Bytes::Hex(aivm_conformance::action::Hex(onnx[..length].to_vec())),
        };
        file.push(
            Draft::new(
                format!("the first {length} bytes of a model"),
                "A file that is cut short is no model.",
            )
            .step(action, Claim::refused("invalid-model")),
        );
    }
    for (name, onnx) in [
        (
            "an unknown operator",
            onnx::one("Frobnicate", &[(I32, &[4])], &[], &[], (I32, &[4])),
        ),
        (
            "an input of another type than the operator takes",
            onnx::one(
                "MatMulInteger",
                &[(F32, &[2, 2]), (F32, &[2, 2])],
                &[],
                &[],
                (I32, &[2, 2]),
            ),
        ),
        (
            "shapes that do not fit",
            onnx::one("Add", &[(I32, &[4]), (I32, &[3])], &[], &[], (I32, &[4])),
        ),
        (
            "a negative dimension",
            onnx::one("Relu", &[(F32, &[-4])], &[], &[], (F32, &[-4])),
        ),
        (
            "dimensions beyond all memory",
            onnx::one(
                "Relu",
                &[(F32, &[1 << 20, 1 << 20])],
                &[],
                &[],
                (F32, &[1 << 20, 1 << 20]),
            ),
        ),
        (
            "a constant with too few bytes",
            onnx::one(
                "Add",
                &[(I32, &[4])],
                &[tensor("c0", I32, &[4], &[0; 15])],
                &[],
                (I32, &[4]),
            ),
        ),
        (
            "an accumulator that could overflow",
            onnx::one(
                "MatMulInteger",
                &[(U8, &[1, 70_000]), (I8, &[70_000, 1])],
                &[],
                &[],
                (I32, &[1, 1]),
            ),
        ),
        (
            "a slice whose places come from an input",
            onnx::one(
                "Reshape",
                &[(I32, &[4]), (I64, &[1])],
                &[],
                &[],
                (I32, &[4]),
            ),
        ),
    ] {
        let action = Action::RegisterModel {
            model: Bytes::Hex(aivm_conformance::action::Hex(onnx)),
        };
        file.push(
            Draft::new(
                name,
                "What is no valid model is refused when it is registered.",
            )
            .step(action, Claim::refused("invalid-model")),
        );
    }
    for (name, index, claim) in [
        ("inside", 2i64, Claim::returns(i(&[30]))),
        ("the last, from behind", -1, Claim::returns(i(&[40]))),
        ("outside", 4, traps(aivm::TrapCode::BadArgument)),
        (
            "outside, from behind",
            -5,
            traps(aivm::TrapCode::BadArgument),
        ),
    ] {
        let onnx = onnx::one(
            "GatherElements",
            &[(I32, &[4]), (I64, &[1])],
            &[],
            &[],
            (I32, &[1]),
        );
        let hash = loaded(&onnx).hash();
        let action = Action::RegisterModel {
            model: Bytes::Hex(aivm_conformance::action::Hex(onnx)),
        };
        file.push(
            Draft::new(
                format!("an index {name}"),
                "An index out of range traps, with the code of a bad argument.",
            )
            .step(action, Claim::accepted())
            .put("infer")
            .call(
                "infer",
                request(
                    &hash,
                    &[
                        ((I32, &[4]), i(&[10, 20, 30, 40])),
                        ((I64, &[1]), l(&[index])),
                    ],
                ),
                claim,
            ),
        );
    }
    file
}
