//! Every part of every operation's result is what the whole computation gives there.

use super::*;
use crate::infer::{self, infer};
use crate::kernels::ConvShape;
use crate::op::{Binary, PadMode, Reduce, Requantize, Unary, Window};
use crate::tensor::ElementType;
use proptest::prelude::*;

/// Numbers without a pattern.
fn noise(seed: u32, i: usize) -> u32 {
    let x = (i as u32)
        .wrapping_mul(2_654_435_761)
        .wrapping_add(seed.wrapping_mul(40_503));
    x ^ (x >> 15)
}

fn array(ty: ElementType, shape: &[usize], seed: u32) -> Array {
    let n = shape.iter().product();
    let bits = |i| noise(seed, i);
    let data = match ty {
        ElementType::U8 => Data::U8((0..n).map(|i| bits(i) as u8).collect()),
        ElementType::I8 => Data::I8((0..n).map(|i| bits(i) as i8).collect()),
        ElementType::I32 => Data::I32((0..n).map(|i| bits(i) as i32 >> 16).collect()),
        ElementType::I64 => Data::I64((0..n).map(|i| i64::from(bits(i) % 3)).collect()),
        ElementType::Bool => Data::Bool((0..n).map(|i| bits(i) & 1 == 1).collect()),
        _ => Data::F32((0..n).map(|i| bits(i) as f32 / 7e8 - 3.0).collect()),
    };
    Array {
        shape: shape.to_vec(),
        data,
    }
}

fn scales(count: usize) -> Requantize {
    Requantize {
        scales: (0..count)
            .map(|i| 1.0 / (900.0 + 37.0 * i as f32))
            .collect(),
        zero: 7,
        ty: ElementType::U8,
    }
}

fn scalar(data: Data) -> Option<Array> {
    Some(Array {
        shape: vec![],
        data,
    })
}

fn convolution(groups: usize) -> ConvShape {
    ConvShape {
        channels_in: 4,
        channels_out: 6,
        groups,
        input: [7, 9],
        kernel: [3, 2],
        strides: [2, 1],
        dilations: [1, 3],
        pads: [2, 1, 1, 2],
    }
}

fn window() -> Window {
    Window {
        kernel: [3, 2],
        strides: [2, 2],
        dilations: [1, 2],
        pads: [1, 1],
        end_pads: [1, 0],
        output: [4, 4],
    }
}

/// Operations with operands, of which none is too small to be cut.
fn cases() -> Vec<(Op, Vec<Option<Array>>)> {
    use ElementType as T;
    let some = |ty, shape: &[usize], seed| Some(array(ty, shape, seed));
    let x8 = || some(T::U8, &[2, 4, 7, 9], 1);
    let f = |shape: &[usize]| some(T::F32, shape, 2);
    let mut cases = vec![
        (Op::Reshape(vec![6, 4]), vec![f(&[2, 3, 4])]),
        (Op::Transpose(vec![2, 0, 1]), vec![f(&[2, 3, 4])]),
        (Op::Expand(vec![5, 3, 4]), vec![f(&[3, 1])]),
        (
            Op::Concat(1),
            vec![f(&[2, 3, 2]), some(T::F32, &[2, 1, 2], 9), f(&[2, 2, 2])],
        ),
        (
            Op::Slice(vec![(1, 1, 2), (3, -1, 3), (0, 2, 2)]),
            vec![some(T::I32, &[3, 5, 4], 3)],
        ),
        (Op::Gather(1), vec![f(&[2, 3, 4]), some(T::I64, &[2, 2], 4)]),
        (
            Op::GatherElements(1),
            vec![
                x8().map(|_| array(T::I8, &[3, 3], 5)),
                some(T::I64, &[3, 3], 6),
            ],
        ),
        (
            Op::Pad(vec![(1, 2), (-1, 3)], PadMode::Constant),
            vec![some(T::U8, &[3, 4], 7), scalar(Data::U8(vec![200]))],
        ),
        (
            Op::Pad(vec![(2, 1), (1, 2)], PadMode::Reflect),
            vec![some(T::U8, &[3, 4], 7)],
        ),
        (Op::Cast(T::I64), vec![f(&[5, 5])]),
        (
            Op::Where,
            vec![
                some(T::Bool, &[3, 1], 8),
                f(&[1, 4]),
                some(T::F32, &[2, 3, 4], 9),
            ],
        ),
        (Op::Unary(Unary::Tanh), vec![f(&[4, 9])]),
        (
            Op::Binary(Binary::Sub),
            vec![f(&[4, 1, 3]), some(T::F32, &[5, 1], 3)],
        ),
        (
            Op::Binary(Binary::Less),
            vec![f(&[4, 3]), some(T::F32, &[3], 3)],
        ),
        (
            Op::Table(
                Box::new(std::array::from_fn(|i| (i * 7 % 256) as u8)),
                T::I8,
            ),
            vec![x8()],
        ),
        (Op::Softmax, vec![f(&[5, 11])]),
        (Op::MatMul, vec![f(&[2, 3, 5]), some(T::F32, &[1, 5, 4], 3)]),
        (
            Op::MatMulInteger,
            vec![
                some(T::U8, &[3, 8], 1),
                some(T::I8, &[8, 5], 2),
                some(T::U8, &[3], 3),
                some(T::I8, &[5], 4),
            ],
        ),
        (
            Op::QMatMul(scales(5)),
            vec![
                some(T::U8, &[2, 3, 8], 1),
                some(T::I8, &[8, 5], 2),
                scalar(Data::U8(vec![9])),
                None,
                some(T::I32, &[5], 4),
            ],
        ),
        (
            Op::QAdd {
                zeros: [3, -4],
                scales: [0.7, 0.3],
                zero: 5,
                ty: T::I8,
            },
            vec![some(T::U8, &[3, 4], 1), some(T::I8, &[4], 2)],
        ),
        (
            Op::QMul {
                zeros: [3, -4],
                requantize: scales(1),
            },
            vec![some(T::U8, &[3, 4], 1), some(T::I8, &[3, 1], 2)],
        ),
        (
            Op::Quantize { axis: 1, ty: T::I8 },
            vec![
                f(&[3, 4, 2]),
                Some(Array {
                    shape: vec![4],
                    data: Data::F32(vec![0.1, 0.2, 0.3, 0.4]),
                }),
                some(T::I8, &[4], 2),
            ],
        ),
        (
            Op::Dequantize { axis: 0 },
            vec![
                x8(),
                scalar(Data::F32(vec![0.5])),
                scalar(Data::U8(vec![3])),
            ],
        ),
        (Op::DynamicQuantize, vec![f(&[6, 7])]),
        (
            Op::ArgReduce {
                max: true,
                axis: 1,
                last: true,
            },
            vec![x8()],
        ),
        (
            Op::Conv(convolution(2)),
            vec![f(&[2, 4, 7, 9]), some(T::F32, &[6, 2, 3, 2], 5), f(&[6])],
        ),
        (
            Op::ConvInteger(convolution(1)),
            vec![
                x8(),
                some(T::I8, &[6, 4, 3, 2], 5),
                scalar(Data::U8(vec![77])),
            ],
        ),
        (
            Op::QConv(convolution(2), scales(6)),
            vec![
                x8(),
                some(T::I8, &[6, 2, 3, 2], 5),
                scalar(Data::U8(vec![77])),
                some(T::I8, &[6], 6),
                some(T::I32, &[6], 7),
            ],
        ),
    ];
    for kind in [
        Reduce::Sum,
        Reduce::Mean,
        Reduce::Max,
        Reduce::Min,
        Reduce::Prod,
    ] {
        cases.push((Op::Reduce(kind, vec![0, 2]), vec![f(&[3, 4, 17])]));
        cases.push((Op::Reduce(kind, vec![1]), vec![some(T::I32, &[3, 4, 2], 3)]));
    }
    for count_padding in [false, true] {
        for average in [false, true] {
            let op = Op::Pool {
                average,
                count_padding,
                window: window(),
            };
            cases.push((op, vec![f(&[2, 3, 7, 9])]));
        }
        let op = Op::QAveragePool {
            window: window(),
            count_padding,
            x_zero: 100,
            requantize: Requantize {
                scales: vec![0.9],
                ..scales(1)
            },
        };
        cases.push((op, vec![x8()]));
    }
    cases
}

fn whole(op: &Op, operands: &[Option<&Array>]) -> (Vec<Info>, Vec<Array>) {
    let infos: Vec<Option<Info>> = operands
        .iter()
        .map(|x| x.map(|x| Info::new(x.ty(), x.shape.clone())))
        .collect();
    let refs = infer::Operands(infos.iter().map(Option::as_ref).collect());
    let results = infer(op, &refs).unwrap_or_else(|e| panic!("{}: {e}", op.name()));
    let arrays = reference::run(op, Operands(operands), &results).unwrap();
    (results, arrays)
}

fn check(op: &Op, operands: &[Option<Array>], from: usize, to: usize) -> u64 {
    let operands: Vec<Option<&Array>> = operands.iter().map(Option::as_ref).collect();
    let (results, arrays) = whole(op, &operands);
    let node = Node {
        op: op.clone(),
        inputs: vec![],
        outputs: vec![],
        name: String::new(),
    };
    let mut read = 0;
    for (output, array) in arrays.iter().enumerate() {
        let (from, to) = (from % array.len(), to % array.len());
        let range = from.min(to)..from.max(to) + 1;
        let (data, used) = part(&node, &operands, &results, output, range.clone()).unwrap();
        let expected = array.data.pick(range.clone()).unwrap();
        // Bits, so that NaNs compare as well.
        assert_eq!(
            data.le_bytes(),
            expected.le_bytes(),
            "{} {range:?}",
            op.name()
        );
        read += used;
    }
    read
}

#[test]
fn every_element_alone() {
    for (op, operands) in cases() {
        let refs: Vec<Option<&Array>> = operands.iter().map(Option::as_ref).collect();
        let (_, arrays) = whole(&op, &refs);
        for i in 0..arrays[0].len() {
            check(&op, &operands, i, i);
        }
    }
}

#[test]
fn an_element_of_a_product_needs_a_row_and_a_column() {
    let (op, operands) = cases().swap_remove(16);
    assert_eq!(op, Op::MatMul);
    assert_eq!(check(&op, &operands, 7, 7), 5 + 5);
    let (op, operands) = cases().swap_remove(25);
    assert!(matches!(op, Op::Conv(_)));
    // The middle of a plane: two channels under six taps, as many weights, a bias; some taps see padding.
    assert!(check(&op, &operands, 14, 14) <= 3 * 4 * 2 + 12 + 1);
}

proptest! {
    #[test]
    fn any_part_is_what_the_whole_has_there(case in 0..64usize, from in any::<usize>(), to in any::<usize>()) {
        let cases = cases();
        let (op, operands) = &cases[case % cases.len()];
        check(op, operands, from, to);
    }
}
