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
