//! Small graphs that a device must compute as the definition does before it is used.

use std::sync::Arc;

use super::{Gpu, GpuError, Program};
use crate::array::{Array, Data};
use crate::graph::{Graph, Info, Node, ValueId};
use crate::kernels::ConvShape;
use crate::op::{Binary, Op, PadMode, Reduce, Requantize, Unary, Window};
use crate::run::{Reference, run_graph};
use crate::tensor::ElementType as T;

/// Numbers that look random and are the same everywhere.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> u32 {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn array(&mut self, ty: T, shape: &[usize]) -> Array {
        let n = shape.iter().product();
        let mut words = std::iter::repeat_with(|| self.next()).take(n);
        let data = match ty {
            T::U8 => Data::U8(words.map(|w| w as u8).collect()),
            T::I8 => Data::I8(words.map(|w| w as i8).collect()),
            T::I16 => Data::I16(words.map(|w| w as i16).collect()),
            T::Bool => Data::Bool(words.map(|w| w & 1 == 1).collect()),
            T::I64 => Data::I64(words.map(|w| i64::from(w % 5) - 2).collect()),
            _ => {
                // Every magnitude, and the extremes.
                let mut list: Vec<i32> = words
                    .by_ref()
                    .map(|w| w.cast_signed() >> (w % 31))
                    .collect();
                for (at, extreme) in list.iter_mut().zip([i32::MIN, i32::MAX, 0, -1]) {
                    *at = extreme;
                }
                Data::I32(list)
            }
        };
        Array {
            shape: shape.to_vec(),
            data,
        }
    }
}

/// A graph of one operation. Operands are inputs, unless they are marked as constants.
struct Case {
    graph: Graph,
    inputs: Vec<Vec<Arc<Array>>>,
}

/// Instances of each case: they share dispatches, and are computed from different inputs.
const INSTANCES: usize = 3;

impl Case {
    fn new(
        numbers: &mut Numbers,
        op: Op,
        operands: &[(T, &[usize], bool)],
        result: (T, &[usize]),
    ) -> Case {
        let mut graph = Graph::default();
        let mut inputs = vec![Vec::new(); INSTANCES];
        let mut ids: Vec<Option<ValueId>> = Vec::new();
        for (ty, shape, constant) in operands {
            ids.push(Some(if *constant {
                graph.add_constant(numbers.array(*ty, shape))
            } else {
                let id = graph.value(Info::new(*ty, *shape));
                graph.inputs.push(id);
                for list in &mut inputs {
                    list.push(Arc::new(numbers.array(*ty, shape)));
                }
                id
            }));
        }
        let id = graph.value(Info::new(result.0, result.1));
        graph.nodes.push(Node {
            op,
            inputs: ids,
            outputs: vec![id],
            name: String::new(),
        });
        graph.outputs.push(id);
        Case { graph, inputs }
    }

    fn passes(&self, gpu: &Gpu) -> Result<bool, GpuError> {
        let program = Program::new(gpu, &self.graph)?;
        if program.placements().iter().any(|p| !p.on_gpu) {
            return Ok(false);
        }
        let failed = |error: crate::RunError| GpuError::Failed(error.to_string());
        let found = program.run(&self.graph, &self.inputs).map_err(failed)?;
        for (inputs, found) in self.inputs.iter().zip(found) {
            let expected =
                run_graph(&self.graph, &Reference, inputs.clone(), &mut ()).map_err(failed)?;
            if expected != found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn requantize(scales: Vec<f32>, ty: T) -> Requantize {
    Requantize {
        scales,
        zero: 3,
        ty,
    }
}

fn check(gpu: &Gpu, test: &'static str, case: &Case) -> Result<(), GpuError> {
    match case.passes(gpu)? {
        true => Ok(()),
        false => Err(GpuError::Wrong {
            adapter: gpu.info().adapter.clone(),
            test,
        }),
    }
}

/// Products, in both forms of the kernel.
pub(super) fn dot(gpu: &Gpu) -> Result<(), GpuError> {
    let numbers = &mut Numbers(0x9e37_79b9);
    let cases = [
        // Rows that do not start at a word, and more than one tile each way.
        (T::U8, [35, 67], T::I8, [67, 41]),
        (T::I8, [2, 130], T::U8, [130, 9]),
    ];
    for (a, rows, b, columns) in cases {
        let operands: [(T, &[usize], bool); 4] = [
            (a, &rows, false),
            (b, &columns, true),
            (a, &[], true),
            (b, &columns[1..], true),
        ];
        let result: [usize; 2] = [rows[0], columns[1]];
        let case = Case::new(numbers, Op::MatMulInteger, &operands, (T::I32, &result));
        check(gpu, "matrix products", &case)?;
    }
    Ok(())
}

/// Every kind of kernel.
pub(super) fn all(gpu: &Gpu) -> Result<(), GpuError> {
    let numbers = &mut Numbers(0x2545_f491);
    for (name, case) in cases(numbers) {
        check(gpu, name, &case)?;
    }
    Ok(())
}

fn cases(n: &mut Numbers) -> Vec<(&'static str, Case)> {
    let shape = ConvShape {
        channels_in: 6,
        channels_out: 22,
        groups: 2,
        input: [7, 11],
        kernel: [3, 2],
        strides: [2, 1],
        dilations: [1, 3],
        pads: [1, 2, 0, 1],
    };
    let depthwise = ConvShape {
        channels_in: 5,
        channels_out: 5,
        groups: 5,
        input: [1, 40],
        kernel: [1, 5],
        strides: [1, 2],
        dilations: [1, 1],
        pads: [0, 2, 0, 2],
    };
    let window = Window {
        kernel: [2, 3],
        strides: [1, 2],
        dilations: [2, 1],
        pads: [1, 1],
        end_pads: [1, 2],
        output: [7, 6],
    };
    // Every third one is a power of two, whose products are often ties.
    let scales = |count: usize| -> Vec<f32> {
        let fraction = |i| {
            if i % 3 == 0 {
                1.0
            } else {
                1.0 + i as f32 / 77.0
            }
        };
        (0..count)
            .map(|i| 2f32.powi(-(i as i32 % 40)) * fraction(i))
            .collect()
    };
    vec![
        (
            "computed matrix products",
            Case::new(
                n,
                Op::MatMulInteger,
                &[
                    (T::U8, &[2, 1, 13, 18], false),
                    (T::I8, &[3, 18, 7], false),
                    (T::U8, &[13], false),
                ],
                (T::I32, &[2, 3, 13, 7]),
            ),
        ),
        (
            "requantised products",
            // A single term, so that the bias alone decides.
            Case::new(
                n,
                Op::QMatMul(requantize(scales(400), T::I8)),
                &[
                    (T::U8, &[1, 1], false),
                    (T::I8, &[1, 400], true),
                    (T::U8, &[], true),
                    (T::I8, &[], true),
                    (T::I32, &[400], true),
                ],
                (T::I8, &[1, 400]),
            ),
        ),
        (
            "convolutions",
            Case::new(
                n,
                Op::QConv(shape, requantize(vec![1.0 / 900.0], T::U8)),
                &[
                    (T::U8, &[2, 6, 7, 11], false),
                    (T::I8, &[22, 3, 3, 2], true),
                    (T::U8, &[], false),
                    (T::I8, &[22], true),
                    (T::I32, &[22], true),
                ],
                (T::U8, &[2, 22, 3, 11]),
            ),
        ),
        (
            "depthwise convolutions",
            Case::new(
                n,
                Op::ConvInteger(depthwise),
                &[
                    (T::I8, &[1, 5, 1, 40], false),
                    (T::U8, &[5, 1, 1, 5], true),
                    (T::I8, &[], false),
                ],
                (T::I32, &[1, 5, 1, 20]),
            ),
        ),
        (
            "sums of quantised tensors",
            Case::new(
                n,
                Op::QAdd {
                    zeros: [120, -7],
                    scales: [0.37, 1.0 / 4096.0],
                    zero: -5,
                    ty: T::I8,
                },
                &[(T::U8, &[9, 31], false), (T::I8, &[31], false)],
                (T::I8, &[9, 31]),
            ),
        ),
        (
            "sums that are ties",
            Case::new(
                n,
                Op::QAdd {
                    zeros: [0, 0],
                    scales: [0.5, 0.125],
                    zero: 0,
                    ty: T::U8,
                },
                &[(T::I8, &[20, 20], false), (T::U8, &[20, 20], false)],
                (T::U8, &[20, 20]),
            ),
        ),
        (
            "products of quantised tensors",
            Case::new(
                n,
                Op::QMul {
                    zeros: [3, 0],
                    requantize: requantize(vec![0.0123], T::U8),
                },
                &[(T::U8, &[3, 1, 5], false), (T::I8, &[4, 5], false)],
                (T::U8, &[3, 4, 5]),
            ),
        ),
        (
            "pooling",
            Case::new(
                n,
                Op::Pool {
                    average: false,
                    count_padding: false,
                    window: window.clone(),
                },
                &[(T::I8, &[2, 3, 7, 11], false)],
                (T::I8, &[2, 3, 7, 6]),
            ),
        ),
        (
            "average pooling",
            Case::new(
                n,
                Op::QAveragePool {
                    window,
                    count_padding: true,
                    x_zero: 100,
                    requantize: requantize(vec![0.7], T::I8),
                },
                &[(T::U8, &[2, 3, 7, 11], false)],
                (T::I8, &[2, 3, 7, 6]),
            ),
        ),
        (
            "32-bit arithmetic",
            Case::new(
                n,
                Op::Binary(Binary::Mul),
                &[(T::I32, &[77], false), (T::I32, &[77], false)],
                (T::I32, &[77]),
            ),
        ),
        (
            "comparisons",
            Case::new(
                n,
                Op::Binary(Binary::Less),
                &[(T::I32, &[8, 9], false), (T::I32, &[8, 9], false)],
                (T::Bool, &[8, 9]),
            ),
        ),
        (
            "shifts",
            Case::new(
                n,
                Op::Binary(Binary::ShiftLeft),
                &[(T::U8, &[300], false), (T::U8, &[300], false)],
                (T::U8, &[300]),
            ),
        ),
        (
            "16-bit arithmetic",
            Case::new(
                n,
                Op::Unary(Unary::Abs),
                &[(T::I16, &[5, 7], false)],
                (T::I16, &[5, 7]),
            ),
        ),
        (
            "tables",
            Case::new(
                n,
                Op::Table(Box::new(std::array::from_fn(|i| (i * i / 3) as u8)), T::I8),
                &[(T::I8, &[1000], false)],
                (T::I8, &[1000]),
            ),
        ),
        (
            "selection",
            Case::new(
                n,
                Op::Where,
                &[
                    (T::Bool, &[6, 1], false),
                    (T::I16, &[5], false),
                    (T::I16, &[6, 5], false),
                ],
                (T::I16, &[6, 5]),
            ),
        ),
        (
            "transposition",
            Case::new(
                n,
                Op::Transpose(vec![2, 0, 1]),
                &[(T::I64, &[3, 5, 7], false)],
                (T::I64, &[7, 3, 5]),
            ),
        ),
        (
            "padding",
            Case::new(
                n,
                Op::Pad(vec![(1, 2), (-1, 3)], PadMode::Reflect),
                &[(T::U8, &[5, 9], false)],
                (T::U8, &[8, 11]),
            ),
        ),
        (
            "padding with a constant",
            Case::new(
                n,
                Op::Pad(vec![(1, 2), (2, 3)], PadMode::Constant),
                &[(T::I16, &[4, 5], false), (T::I16, &[], true)],
                (T::I16, &[7, 10]),
            ),
        ),
        (
            "concatenation",
            Case::new(
                n,
                Op::Concat(1),
                &[
                    (T::U8, &[3, 2], false),
                    (T::U8, &[3, 5], true),
                    (T::U8, &[3, 3], false),
                ],
                (T::U8, &[3, 10]),
            ),
        ),
        (
            "gathering",
            Case::new(
                n,
                Op::Gather(1),
                &[(T::I8, &[3, 4, 5], false), (T::I64, &[6], false)],
                (T::I8, &[3, 6, 5]),
            ),
        ),
        (
            "sums along axes",
            Case::new(
                n,
                Op::Reduce(Reduce::Sum, vec![0, 2]),
                &[(T::I32, &[4, 5, 6], false)],
                (T::I32, &[1, 5, 1]),
            ),
        ),
        (
            "greatest elements",
            Case::new(
                n,
                Op::ArgReduce {
                    max: true,
                    axis: 1,
                    last: true,
                },
                &[(T::I8, &[7, 50], false)],
                (T::I64, &[7, 1]),
            ),
        ),
    ]
}
