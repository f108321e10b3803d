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
    ("Exp", 0.6875, 0x3fffd1de6182f8c9, "db8bbf2e5bcb11254008b5276525308fbefb646594de108dce5820fb2dcc774f"),
    ("Log", 0.6875, 0xbfd7fafa3bd8151c, "ad79a40dea8c1d124109597fbb9f08010161a3395d274512e16cbc4f91360bd8"),
    ("Erf", 0.6875, 0x3fe569243d2b3a9b, "acb40c5199737ada8c8caed98bdc654a36418cf0382e5ec8445c4594f493d415"),
    ("Tanh", 0.6875, 0x3fe3157dfe9f715b, "c1e421acfa57af905588cb0945f96b2f70418f40c64fd15c38f690bb86f8796d"),
    ("Sigmoid", 0.6875, 0x3fe54b0b15876182, "fd9f03bd94c352c849807ab1ae653c90419aaebb1c765be9c895aa2aad098447"),
    ("Sin", 0.6875, 0x3fe44eb381cf386b, "055b83483021f340f4e1778d5c115070789b31bc45ff66770c7c445c68a7941d"),
    ("Cos", 0.6875, 0x3fe8bb105a5dc900, "6e4de1aaeca5159267149fc9170a4d937046c38df4a7617210f9f76ed700d121"),
    ("Tan", 0.6875, 0x3fea46cb2be6a0b2, "fb266beb35b0c52e76c80b5dccd243df7c6d92018f2fe7365e9e1235488f7c6f"),
    ("Asin", 0.6875, 0x3fe841deb5114bb4, "ccedff4bce9fd11667b26cdfab331d2995fd622e13979129f83907904392ffa9"),
    ("Acos", 0.6875, 0x3fea0217f3770e7d, "842401e709bb2b68c877d5b1030fc2d66a1e068703ab7af1b44c211e682c34c1"),
    ("Atan", 0.6875, 0x3fe345f01cce37bb, "961eeb4669ff904d6a6269a23cfa7c9f06176a32db4130530124227f1d1fac81"),
    ("Sinh", 0.6875, 0x3fe7c645419678b8, "cbda2c0904386d5e072fd4977addcab1fd3e188c97aa6ef848e21f16317433d6"),
    ("Cosh", 0.6875, 0x3ff3eebbc0b7bc6c, "bab2d8d00368dae4472a9c556d34d6a493a8709977cec45f2cb8584eb9e28cfa"),
    ("Asinh", 0.6875, 0x3fe48e82454a7953, "a4cd3649a893094c688a37e52feed2d2db54a156fe293bcf0330ca33852038c9"),
    ("Acosh", 1.6875, 0x3ff1d34ce43b5a66, "a41b03ba42064cb3434579f5e6f445feb93eac59189c998ab3994db3e11e5dc5"),
    ("Atanh", 0.6875, 0x3feafb7d78197bec, "fbdc8e007d51183f274ad6c681fcad86d9503986644cb19c2422e7be0c31346f"),
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
