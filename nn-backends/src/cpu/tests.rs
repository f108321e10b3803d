//! Every operation gives the reference's bits, on every instruction set.

use super::*;
use crate::infer::{self, infer};
use crate::op::{Binary, Reduce, Unary, Window};
use crate::tensor::ElementType;
use proptest::prelude::*;

/// Numbers among which the awkward ones are frequent.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -8.0f32..8.0,
        1 => any::<f32>(),
        1 => prop_oneof![
            Just(f32::NAN), Just(-0.0), Just(0.0), Just(f32::INFINITY), Just(f32::NEG_INFINITY),
            Just(f32::from_bits(0xffc0_1234)), Just(1e-41), Just(0.5), Just(2.5), Just(-1.5)
        ],
    ]
}

fn bits(seed: u64, i: usize) -> u64 {
    let x = (i as u64 + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(seed);
    x ^ (x >> 29)
}

fn array(ty: ElementType, shape: &[usize], floats: &[f32], seed: u64) -> Array {
    let n: usize = shape.iter().product();
    let data = match ty {
        ElementType::F32 => {
            let pick = |i| floats[bits(seed, i) as usize % floats.len()];
            Data::F32((0..n).map(pick).collect())
        }
        _ => {
            let bytes: Vec<u8> = (0..n * ty.size()).map(|i| bits(seed, i) as u8).collect();
            match ty {
                ElementType::Bool => Data::Bool(bytes.iter().map(|b| b & 1 == 1).collect()),
                ty => Data::from_le_bytes(ty, &bytes).unwrap(),
            }
        }
    };
    Array {
        shape: shape.to_vec(),
        data,
    }
}

fn check(op: &Op, operands: &[Option<&Array>]) -> Result<(), TestCaseError> {
    let infos: Vec<Option<Info>> = operands
        .iter()
        .map(|x| x.map(|x| Info::new(x.ty(), x.shape.clone())))
        .collect();
    let refs = infer::Operands(infos.iter().map(Option::as_ref).collect());
    let Ok(results) = infer(op, &refs) else {
        return Ok(());
    };
    let expected = reference::run(op, Operands(operands), &results);
    let node = Node {
        op: op.clone(),
        inputs: vec![],
        outputs: vec![],
        name: String::new(),
    };
    for isa in Isa::available() {
        let cpu = Cpu::new(&Graph::default(), isa, 1).unwrap();
        let found = cpu.node(0, &node, operands, &results);
        match (&expected, &found) {
            (Ok(expected), Ok(found)) => {
                prop_assert_eq!(expected.len(), found.len());
                for (expected, found) in expected.iter().zip(found) {
                    prop_assert_eq!(&expected.shape, &found.shape);
                    prop_assert_eq!(expected.ty(), found.ty());
                    let (a, b) = (expected.data.le_bytes(), found.data.le_bytes());
                    prop_assert_eq!(a, b, "{:?} on {}", op, isa.name());
                }
            }
            (expected, found) => prop_assert_eq!(expected, found),
        }
    }
    Ok(())
}

const TYPES: [ElementType; 6] = [
    ElementType::F32,
    ElementType::U8,
    ElementType::I8,
    ElementType::I32,
    ElementType::I64,
    ElementType::Bool,
];
const UNARY: [Unary; 15] = [
    Unary::Neg,
    Unary::Abs,
    Unary::Sign,
    Unary::Not,
    Unary::BitNot,
    Unary::Floor,
    Unary::Ceil,
    Unary::Round,
    Unary::Sqrt,
    Unary::Reciprocal,
    Unary::Exp,
    Unary::Log,
    Unary::Erf,
    Unary::Tanh,
    Unary::Sigmoid,
];
const BINARY: [Binary; 21] = [
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::Mod,
    Binary::Fmod,
    Binary::Min,
    Binary::Max,
    Binary::And,
    Binary::Or,
    Binary::Xor,
    Binary::BitAnd,
    Binary::BitOr,
    Binary::BitXor,
    Binary::ShiftLeft,
    Binary::ShiftRight,
    Binary::Equal,
    Binary::Less,
    Binary::LessOrEqual,
    Binary::Greater,
    Binary::GreaterOrEqual,
];

/// A shape, and three that broadcast to it.
fn shapes() -> impl Strategy<Value = (Vec<usize>, [Vec<usize>; 3])> {
    let axis = (1..6usize, any::<[bool; 3]>());
    let long = (1..70usize, any::<[bool; 3]>());
    (proptest::collection::vec(axis, 0..3), long).prop_map(|(mut axes, long)| {
        axes.push(long);
        let to = axes.iter().map(|a| a.0).collect();
        let parts = [0, 1, 2].map(|i| {
            axes.iter()
                .map(|(dim, keep)| if keep[i] { *dim } else { 1 })
                .collect()
        });
        (to, parts)
    })
}

proptest! {
    #[test]
    fn single_elements(
        floats in proptest::collection::vec(number(), 1..40),
        (_, [a, b, c]) in shapes(),
        ty in 0..TYPES.len(),
        to in 0..TYPES.len(),
        unary in 0..UNARY.len(),
        binary in 0..BINARY.len(),
        seed in any::<u64>(),
    ) {
        let x = array(TYPES[ty], &a, &floats, seed);
        let y = array(TYPES[ty], &b, &floats, seed ^ 1);
        let condition = array(ElementType::Bool, &c, &floats, seed ^ 2);
        check(&Op::Unary(UNARY[unary]), &[Some(&x)])?;
        check(&Op::Binary(BINARY[binary]), &[Some(&x), Some(&y)])?;
        check(&Op::Where, &[Some(&condition), Some(&x), Some(&y)])?;
        check(&Op::Cast(TYPES[to]), &[Some(&x)])?;
        let table = Box::new(std::array::from_fn(|i| bits(seed, i) as u8));
        check(&Op::Table(table, ElementType::I8), &[Some(&x)])?;
    }

    #[test]
    fn eight_bits(
        floats in proptest::collection::vec(number(), 1..40),
        (_, [a, b, _]) in shapes(),
        types in [any::<bool>(), any::<bool>(), any::<bool>()],
        scales in [1e-4f32..30.0, 1e-4f32..30.0],
        zeros in [0..120i32, 0..120],
        zero in 0..100i32,
        seed in any::<u64>(),
    ) {
        let [t, u, ty] = types.map(|signed| if signed { ElementType::I8 } else { ElementType::U8 });
        let (x, y) = (array(t, &a, &floats, seed), array(u, &b, &floats, seed ^ 1));
        check(&Op::QAdd { zeros, scales, zero, ty }, &[Some(&x), Some(&y)])?;
        let requantize = Requantize { scales: vec![scales[0] / 100.0], zero, ty };
        check(&Op::QMul { zeros, requantize }, &[Some(&x), Some(&y)])?;
        let scalar = |data| Array { shape: vec![], data };
        let scale = scalar(Data::F32(vec![scales[0]]));
        let z = |ty| scalar(Data::from_le_bytes(ty, &[zero as u8]).unwrap());
        let f = array(ElementType::F32, &a, &floats, seed);
        check(&Op::Quantize { axis: 0, ty }, &[Some(&f), Some(&scale), Some(&z(ty))])?;
        check(&Op::Dequantize { axis: 0 }, &[Some(&x), Some(&scale), Some(&z(t))])?;
        check(&Op::DynamicQuantize, &[Some(&f)])?;
    }

    #[test]
    fn computed_weights(
        (batches, [a, b, _]) in shapes(),
        (m, k, n) in (1..20usize, 1..40usize, 1..40usize),
        types in [any::<bool>(), any::<bool>(), any::<bool>()],
        each in any::<bool>(),
        scales in proptest::collection::vec(1e-4f32..0.2, 40),
        zero in 0..100i32,
        floats in proptest::collection::vec(number(), 1..40),
        seed in any::<u64>(),
    ) {
        let [t, u, ty] = types.map(|signed| if signed { ElementType::I8 } else { ElementType::U8 });
        // Batches of few matrices.
        let few = |shape: &[usize]| shape[..shape.len() - 1].to_vec();
        let with = |shape: &[usize], rest: [usize; 2]| [few(shape), rest.to_vec()].concat();
        let (a, b) = (with(&a, [m, k]), with(&b, [k, n]));
        prop_assume!(few(&batches).iter().product::<usize>() < 9);
        let (x, y) = (array(t, &a, &floats, seed), array(u, &b, &floats, seed ^ 1));
        let zeros = |ty, n: usize| {
            let shape = if each { vec![n] } else { vec![] };
            let count = if each { n } else { 1 };
            let data = Data::from_le_bytes(ty, &vec![zero as u8; count]).unwrap();
            Array { shape, data }
        };
        let (za, zb) = (zeros(t, m), zeros(u, n));
        check(&Op::MatMulInteger, &[Some(&x), Some(&y), Some(&za), Some(&zb)])?;
        check(&Op::MatMulInteger, &[Some(&x), Some(&y)])?;
        let bias = array(ElementType::I32, &[n], &floats, seed ^ 2);
        let bias = Array { data: Data::I32((0..n as i32).map(|i| i * 37 - 300).collect()), ..bias };
        for scales in [&scales[..1], &scales[..n]] {
            let requantize = Requantize { scales: scales.to_vec(), zero, ty };
            let op = Op::QMatMul(requantize);
            check(&op, &[Some(&x), Some(&y), Some(&za), Some(&zb), Some(&bias)])?;
            check(&op, &[Some(&x), Some(&y), None, None, None])?;
        }
        let (x, y) = (array(ElementType::F32, &a, &floats, seed), array(ElementType::F32, &b, &floats, seed ^ 1));
        check(&Op::MatMul, &[Some(&x), Some(&y)])?;
    }

    #[test]
    fn convolutions(
        (batch, groups, per_in, per_out) in (0..3usize, 1..3usize, 1..4usize, 1..20usize),
        input in [0..9usize, 0..30usize],
        kernel in [1..4usize, 1..4usize],
        strides in [1..4usize, 1..4usize],
        dilations in [1..4usize, 1..26usize],
        pads in [0..3usize, 0..3usize, 0..3usize, 0..3usize],
        types in [any::<bool>(), any::<bool>(), any::<bool>()],
        zero in 0..100i32,
        scale in 1e-4f32..0.1,
        floats in proptest::collection::vec(number(), 1..40),
        seed in any::<u64>(),
    ) {
        let [t, u, ty] = types.map(|signed| if signed { ElementType::I8 } else { ElementType::U8 });
        let (channels_in, channels_out) = (groups * per_in, groups * per_out);
        let shape = ConvShape { channels_in, channels_out, groups, input, kernel, strides, dilations, pads };
        let x_shape = [batch, channels_in, input[0], input[1]];
        let w_shape = [channels_out, per_in, kernel[0], kernel[1]];
        let (x, w) = (array(t, &x_shape, &floats, seed), array(u, &w_shape, &floats, seed ^ 1));
        let scalar = |ty| Array { shape: vec![], data: Data::from_le_bytes(ty, &[zero as u8]).unwrap() };
        let bias = Array {
            shape: vec![channels_out],
            data: Data::I32((0..channels_out as i32).map(|i| i * 331 - 900).collect()),
        };
        check(&Op::ConvInteger(shape), &[Some(&x), Some(&w), Some(&scalar(t)), Some(&scalar(u))])?;
        let requantize = Requantize { scales: vec![scale], zero, ty };
        let op = Op::QConv(shape, requantize);
        check(&op, &[Some(&x), Some(&w), Some(&scalar(t)), Some(&scalar(u)), Some(&bias)])?;
        let (x, w) = (array(ElementType::F32, &x_shape, &floats, seed), array(ElementType::F32, &w_shape, &floats, seed ^ 1));
        let bias = array(ElementType::F32, &[channels_out], &floats, seed ^ 2);
        check(&Op::Conv(shape), &[Some(&x), Some(&w), Some(&bias)])?;
    }

    #[test]
    fn sums_and_windows(
        floats in proptest::collection::vec(number(), 1..40),
        shape in [1..3usize, 1..5usize, 1..12usize, 1..40usize],
        axes in any::<[bool; 4]>(),
        kind in 0..5usize,
        ty in 0..5usize,
        kernel in [1..4usize, 1..4usize],
        strides in [1..3usize, 1..3usize],
        dilations in [1..3usize, 1..3usize],
        pads in [0..3usize, 0..3usize],
        end_pads in [0..3usize, 0..3usize],
        ceil in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let x = array(TYPES[ty], &shape, &floats, seed);
        let axes: Vec<usize> = (0..4).filter(|axis| axes[*axis]).collect();
        let kind = [Reduce::Sum, Reduce::Mean, Reduce::Max, Reduce::Min, Reduce::Prod][kind];
        check(&Op::Reduce(kind, axes), &[Some(&x)])?;
        let output = [0, 1].map(|axis| {
            let padded = shape[axis + 2] + pads[axis] + end_pads[axis];
            let reach = (kernel[axis] - 1) * dilations[axis] + 1;
            let rest = padded.saturating_sub(reach);
            if ceil { rest.div_ceil(strides[axis]) + 1 } else { rest / strides[axis] + 1 }
        });
        let window = Window { kernel, strides, dilations, pads, end_pads, output };
        check(&Op::Pool { average: false, count_padding: false, window }, &[Some(&x)])?;
    }
}

/// Taps far apart over few outputs: planes and flat positions would be thousands of times what is computed.
#[test]
fn convolutions_with_taps_far_apart_have_no_planes() {
    let shape = ConvShape {
        channels_in: 4,
        channels_out: 1,
        groups: 1,
        input: [1000, 1000],
        kernel: [2, 2],
        strides: [1, 1],
        dilations: [1000, 1000],
        pads: [1, 1, 0, 0],
    };
    let wide = ConvShape {
        channels_in: 1,
        channels_out: 64,
        input: [2000, 1001],
        kernel: [1, 2],
        dilations: [1, 1000],
        pads: [0; 4],
        ..shape
    };
    assert!(shape.is_sparse() && wide.is_sparse());
    // What networks have: same padding, strides, patches, dilations, one output of a large window.
    for (kernel, stride, dilation, pad, input) in [
        (3, 1, 1, 1, 56),
        (3, 2, 1, 1, 57),
        (7, 2, 1, 3, 224),
        (16, 16, 1, 0, 224),
        (1, 2, 1, 0, 56),
        (3, 1, 24, 24, 33),
        (31, 1, 1, 15, 14),
        (7, 1, 1, 0, 7),
        (1, 1, 1, 0, 1),
    ] {
        for (channels, groups) in [(1, 1), (32, 32), (64, 1)] {
            let shape = ConvShape {
                channels_in: channels,
                channels_out: channels,
                groups,
                input: [input; 2],
                kernel: [kernel; 2],
                strides: [stride; 2],
                dilations: [dilation; 2],
                pads: [pad; 4],
            };
            assert!(!shape.is_sparse(), "{shape:?}");
        }
    }
}

/// A convolution of nothing but padding has outputs: its bias.
#[test]
fn convolutions_of_padding() {
    let shape = ConvShape {
        channels_in: 2,
        channels_out: 8,
        groups: 1,
        input: [0, 3],
        kernel: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        pads: [1, 0, 0, 0],
    };
    let x = array(ElementType::U8, &[1, 2, 0, 3], &[], 0);
    let w = array(ElementType::I8, &[8, 2, 1, 1], &[], 1);
    let bias = Array {
        shape: vec![8],
        data: Data::I32((0..8).map(|i| i * 100 - 300).collect()),
    };
    let requantize = Requantize {
        scales: vec![0.1],
        zero: 7,
        ty: ElementType::U8,
    };
    let op = Op::QConv(shape, requantize);
    check(&op, &[Some(&x), Some(&w), None, None, Some(&bias)]).unwrap();
    check(&Op::ConvInteger(shape), &[Some(&x), Some(&w)]).unwrap();
}

/// Shifts by more than the width leave nothing, however far beyond.
#[test]
fn shifts_beyond_the_width() {
    let array = |list: [u64; 3]| Array {
        shape: vec![3],
        data: Data::U64(list.to_vec()),
    };
    let (x, n) = (array([1, 7, u64::MAX]), array([1, 1 << 32, (1 << 32) + 63]));
    let infos = [Info::new(ElementType::U64, [3])];
    for (f, first) in [(Binary::ShiftLeft, 2), (Binary::ShiftRight, 0)] {
        let found = reference::run(&Op::Binary(f), Operands(&[Some(&x), Some(&n)]), &infos);
        let found = found.unwrap().remove(0).data;
        assert_eq!(found.le_bytes(), Data::U64(vec![first, 0, 0]).le_bytes());
    }
}
