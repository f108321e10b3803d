//! The bits of elementary functions, kept: another compiler, processor or version of a dependency must not change one.

mod common;

use aivm_nn::{ElementType, Model, ModelLimits, Reference, Tensor, run};
use common::{FLOAT, Graph, node, value};

/// `TensorProto.DataType` of `f64`.
const DOUBLE: i64 = 11;

/// Operator, an argument, the function's value there as glibc's libm rounds it, and the BLAKE3 hash of the results for
/// [`arguments`], in `f32` and then in `f64`.
#[rustfmt::skip]
const FUNCTIONS: [(&str, f64, u64, &str); 16] = [
    ("Exp", 0.6875, 0x3fffd1de6182f8c9, ""),
    ("Log", 0.6875, 0xbfd7fafa3bd8151c, ""),
    ("Erf", 0.6875, 0x3fe569243d2b3a9b, ""),
    ("Tanh", 0.6875, 0x3fe3157dfe9f715b, ""),
    ("Sigmoid", 0.6875, 0x3fe54b0b15876182, ""),
    ("Sin", 0.6875, 0x3fe44eb381cf386b, ""),
    ("Cos", 0.6875, 0x3fe8bb105a5dc900, ""),
    ("Tan", 0.6875, 0x3fea46cb2be6a0b2, ""),
    ("Asin", 0.6875, 0x3fe841deb5114bb4, ""),
    ("Acos", 0.6875, 0x3fea0217f3770e7d, ""),
    ("Atan", 0.6875, 0x3fe345f01cce37bb, ""),
    ("Sinh", 0.6875, 0x3fe7c645419678b8, ""),
    ("Cosh", 0.6875, 0x3ff3eebbc0b7bc6c, ""),
    ("Asinh", 0.6875, 0x3fe48e82454a7953, ""),
    ("Acosh", 1.6875, 0x3ff1d34ce43b5a66, ""),
    ("Atanh", 0.6875, 0x3feafb7d78197bec, ""),
];

/// What `operator` gives for each element.
fn apply(operator: &str, ty: ElementType, data: Vec<u8>) -> Vec<u8> {
    let count = (data.len() / ty.size()) as u32;
    let code = if ty == ElementType::F32 {
        FLOAT
    } else {
        DOUBLE
    };
    let graph = Graph {
        nodes: vec![node(operator, &["x"], &["y"])],
        inputs: vec![value("x", code, &[i64::from(count)])],
        outputs: vec![value("y", code, &[i64::from(count)])],
        ..Graph::default()
    };
    let model = Model::from_onnx(&graph.model(), &ModelLimits::default()).unwrap();
    let input = Tensor::new(ty, vec![count], data).unwrap();
    run(&model, &Reference, &[input], &mut ())
        .unwrap()
        .remove(0)
        .data
}

/// 4,096 numbers: half of them between −10 and 10, the others of all magnitudes and kinds.
fn arguments() -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..4096).map(move |_| {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

fn singles() -> Vec<u8> {
    let number = |(i, bits): (usize, u64)| match i % 2 {
        0 => (bits >> 40) as f32 / (1 << 24) as f32 * 20.0 - 10.0,
        _ => f32::from_bits(bits as u32),
    };
    let numbers = arguments().enumerate().map(number);
    numbers.flat_map(f32::to_le_bytes).collect()
}

fn doubles() -> Vec<u8> {
    let number = |(i, bits): (usize, u64)| match i % 2 {
        0 => (bits >> 11) as f64 / (1u64 << 53) as f64 * 20.0 - 10.0,
        _ => f64::from_bits(bits),
    };
    let numbers = arguments().enumerate().map(number);
    numbers.flat_map(f64::to_le_bytes).collect()
}

#[test]
fn no_bit_of_any_function_has_changed() {
    let mut wrong = Vec::new();
    for (operator, _, _, kept) in FUNCTIONS {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&apply(operator, ElementType::F32, singles()));
        hasher.update(&apply(operator, ElementType::F64, doubles()));
        let hash = hasher.finalize().to_hex();
        if hash.as_str() != kept {
            wrong.push(format!("{operator} {hash}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_functions_are_those_of_another_library() {
    for (operator, x, expected, _) in FUNCTIONS {
        let expected = f64::from_bits(expected);
        let y = apply(operator, ElementType::F64, x.to_le_bytes().to_vec());
        let y = f64::from_le_bytes(y.try_into().unwrap());
        let error = (y - expected).abs() / expected.abs();
        assert!(error <= 4.5e-16, "{operator}: {y} and {expected}");
        // Every argument is a number of single precision as well.
        let y = apply(
            operator,
            ElementType::F32,
            (x as f32).to_le_bytes().to_vec(),
        );
        let y = f32::from_le_bytes(y.try_into().unwrap());
        let error = (f64::from(y) - expected).abs() / expected.abs();
        assert!(error <= 2.4e-7, "{operator}: {y} and {expected}");
    }
}
