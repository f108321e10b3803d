//! Random models, the same in every run.

use super::{FLOAT, Graph, I8, I32, I64, Message, U8, float, node, tensor, value};
use aivm_nn::{Model, ModelLimits};
use std::sync::Arc;

pub fn load(graph: &Graph) -> Arc<Model> {
    let model = Model::from_onnx(&graph.model(), &ModelLimits::default());
    Arc::new(model.unwrap_or_else(|error| panic!("{error}")))
}

/// Numbers that look random and are the same everywhere.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 7) as u8).collect()
    }
}

pub fn floats(name: &str, list: &[f32]) -> Message {
    let bytes: Vec<u8> = list.iter().flat_map(|x| x.to_le_bytes()).collect();
    tensor(name, FLOAT, &[list.len() as i64], &bytes)
}

pub fn integers(name: &str, ty: i64, list: &[i64]) -> Message {
    let bytes: Vec<u8> = list
        .iter()
        .flat_map(|x| match ty {
            I64 => x.to_le_bytes().to_vec(),
            _ => (*x as i32).to_le_bytes().to_vec(),
        })
        .collect();
    tensor(name, ty, &[list.len() as i64], &bytes)
}

pub fn int_attribute(name: &str, value: i64) -> Message {
    Message::default().bytes(1, name).int(3, value).int(20, 2)
}

pub fn ints_attribute(name: &str, values: &[i64]) -> Message {
    let mut message = Message::default().bytes(1, name);
    for value in values {
        message = message.int(8, *value);
    }
    message.int(20, 7)
}

/// A chain of random operations on `[n, c, h, w]`, and the shape of its input.
pub fn network(n: &mut Numbers) -> (Graph, Vec<i64>) {
    let mut graph = Graph::default();
    let input: Vec<i64> = [2, 5, 9, 11]
        .iter()
        .map(|m| 1 + n.below(*m) as i64)
        .collect();
    graph.inputs.push(value("x", U8, &input));
    let (mut shape, mut ty, mut last) = (input.clone(), U8, "x".to_owned());
    for step in 0..3 + n.below(8) {
        let name = format!("v{step}");
        let constant = |graph: &mut Graph, what: &str, make: &dyn Fn(&str) -> Message| {
            let name = format!("{what}{step}");
            graph.initializers.push(make(&name));
            name
        };
        let zero = [n.next() as u8];
        let zero_of = |graph: &mut Graph, what: &str, ty: i64, zero: [u8; 1]| {
            constant(graph, what, &|name| tensor(name, ty, &[], &zero))
        };
        let to = if n.below(2) == 0 { U8 } else { I8 };
        let whole: i64 = shape.iter().product();
        let made = match n.below(10) {
            0..3 => {
                let groups = if n.below(3) == 0 { shape[1] } else { 1 };
                let outputs = groups * (1 + n.below(9) as i64);
                let kernel = [1 + n.below(3) as i64, 1 + n.below(3) as i64];
                let dilations = [1 + n.below(2) as i64, 1 + n.below(2) as i64];
                let strides = [1 + n.below(2) as i64, 1 + n.below(2) as i64];
                let pads: Vec<i64> = (0..4).map(|_| n.below(3) as i64).collect();
                let mut out = vec![shape[0], outputs];
                for axis in 0..2 {
                    let padded = shape[axis + 2] + pads[axis] + pads[axis + 2];
                    let reach = (kernel[axis] - 1) * dilations[axis] + 1;
                    out.push((padded - reach).div_euclid(strides[axis]) + 1);
                }
                if out[2] < 1 || out[3] < 1 {
                    continue;
                }
                let inside = shape[1] / groups;
                let weights = n.bytes((outputs * inside * kernel[0] * kernel[1]) as usize);
                let weight_ty = if n.below(2) == 0 { U8 } else { I8 };
                let dims = [outputs, inside, kernel[0], kernel[1]];
                let w = constant(&mut graph, "w", &|name| {
                    tensor(name, weight_ty, &dims, &weights)
                });
                let depth = (inside * kernel[0] * kernel[1]) as f32;
                let scales: Vec<f32> = (0..outputs)
                    .map(|_| (1 + n.below(100)) as f32 / (9000.0 * depth.sqrt()))
                    .collect();
                let s = constant(&mut graph, "s", &|name| floats(name, &scales));
                let one = constant(&mut graph, "one", &|name| float(name, 1.0));
                let x0 = zero_of(&mut graph, "x0", ty, [n.next() as u8]);
                let w0 = zero_of(&mut graph, "w0", weight_ty, [n.next() as u8]);
                let y0 = zero_of(&mut graph, "y0", to, zero);
                let bias: Vec<i64> = (0..outputs).map(|_| n.below(9000) as i64 - 4500).collect();
                let b = constant(&mut graph, "b", &|name| integers(name, I32, &bias));
                let inputs = [&last, &one, &x0, &w, &s, &w0, &one, &y0, &b].map(String::as_str);
                shape = out;
                ty = to;
                node("QLinearConv", &inputs, &[&name])
                    .bytes(5, int_attribute("group", groups))
                    .bytes(5, ints_attribute("dilations", &dilations))
                    .bytes(5, ints_attribute("strides", &strides))
                    .bytes(5, ints_attribute("pads", &pads))
            }
            3 => {
                if shape[2] < 2 || shape[3] < 3 {
                    continue;
                }
                let strides = [1 + n.below(2) as i64, 1 + n.below(2) as i64];
                shape[2] = (shape[2] + 1 - 2) / strides[0] + 1;
                shape[3] = (shape[3] + 2 - 3) / strides[1] + 1;
                node("MaxPool", &[&last], &[&name])
                    .bytes(5, ints_attribute("kernel_shape", &[2, 3]))
                    .bytes(5, ints_attribute("strides", &strides))
                    .bytes(5, ints_attribute("pads", &[1, 1, 0, 1]))
            }
            4 => {
                let op = if n.below(2) == 0 {
                    "QLinearAdd"
                } else {
                    "QLinearMul"
                };
                let other = n.bytes(shape[3] as usize);
                let dims = [shape[3]];
                let o = constant(&mut graph, "o", &|name| tensor(name, U8, &dims, &other));
                let scale = |n: &mut Numbers| 0.001 + n.below(1000) as f32 / 3777.0;
                let (a, b, c) = (scale(n), scale(n), scale(n));
                let a = constant(&mut graph, "sa", &|name| float(name, a));
                let b = constant(&mut graph, "sb", &|name| float(name, b));
                let c = constant(&mut graph, "sc", &|name| float(name, c));
                let a0 = zero_of(&mut graph, "a0", ty, [n.next() as u8]);
                let o0 = zero_of(&mut graph, "o0", U8, [n.next() as u8]);
                let y0 = zero_of(&mut graph, "y0", ty, zero);
                let inputs = [&last, &a, &a0, &o, &b, &o0, &c, &y0].map(String::as_str);
                node(op, &inputs, &[&name]).bytes(7, "com.microsoft")
            }
            5 => {
                let mut perm = vec![0, 1, 2, 3];
                for i in (1..4).rev() {
                    perm.swap(i, n.below(i + 1));
                }
                shape = perm.iter().map(|i| shape[*i as usize]).collect();
                node("Transpose", &[&last], &[&name]).bytes(5, ints_attribute("perm", &perm))
            }
            6 => {
                if whole > 20_000 {
                    continue;
                }
                let axis = n.below(4);
                let mut dims = shape.clone();
                dims[axis] = 1 + n.below(3) as i64;
                let other = n.bytes(dims.iter().product::<i64>() as usize);
                let o = constant(&mut graph, "o", &|name| tensor(name, ty, &dims, &other));
                shape[axis] += dims[axis];
                node("Concat", &[&last, &o], &[&name]).bytes(5, int_attribute("axis", axis as i64))
            }
            7 => {
                let axis = n.below(4);
                let (from, step) = match n.below(3) {
                    0 => (0, 2),
                    1 => (shape[axis] - 1, -1),
                    _ => (shape[axis] / 2, 1),
                };
                let end = if step < 0 { i64::MIN } else { i64::MAX };
                let list = [
                    ("from", from),
                    ("end", end),
                    ("axis", axis as i64),
                    ("step", step),
                ];
                let mut inputs = vec![last.clone()];
                for (what, number) in list {
                    inputs.push(constant(&mut graph, what, &|name| {
                        integers(name, I64, &[number])
                    }));
                }
                shape[axis] = match step {
                    2 => (shape[axis] + 1) / 2,
                    -1 => shape[axis],
                    _ => shape[axis] - from,
                };
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                node("Slice", &inputs, &[&name])
            }
            8 => {
                let mode = ["constant", "edge", "reflect"][n.below(3)];
                let pads: Vec<i64> = (0..8)
                    .map(|i| (n.below(3) as i64).min(shape[i % 4] - 1))
                    .collect();
                for (i, pad) in pads.iter().enumerate() {
                    shape[i % 4] += pad;
                }
                if shape.iter().product::<i64>() > 40_000 {
                    break;
                }
                let p = constant(&mut graph, "p", &|name| integers(name, I64, &pads));
                let v = zero_of(&mut graph, "pv", ty, zero);
                let mode = Message::default()
                    .bytes(1, "mode")
                    .bytes(4, mode)
                    .int(20, 3);
                node("Pad", &[&last, &p, &v], &[&name]).bytes(5, mode)
            }
            _ => {
                let axis = n.below(4);
                let count = 1 + n.below(5);
                let indices: Vec<i64> = (0..count)
                    .map(|_| n.below(2 * shape[axis] as usize) as i64 - shape[axis])
                    .collect();
                let i = constant(&mut graph, "i", &|name| integers(name, I64, &indices));
                shape[axis] = count as i64;
                node("Gather", &[&last, &i], &[&name]).bytes(5, int_attribute("axis", axis as i64))
            }
        };
        graph.nodes.push(made);
        last = name;
    }
    // Three ends: the last tensor, the places of its greatest elements, and a product with itself.
    graph.nodes.push(
        node("ArgMax", &[&last], &["places"])
            .bytes(5, int_attribute("axis", 3))
            .bytes(5, int_attribute("keepdims", 0)),
    );
    graph.outputs.push(value("places", I64, &shape[..3]));
    graph.nodes.push(
        node("Transpose", &[&last], &["turned"]).bytes(5, ints_attribute("perm", &[0, 1, 3, 2])),
    );
    graph
        .nodes
        .push(node("MatMulInteger", &[&last, "turned"], &["square"]));
    graph.outputs.push(value(
        "square",
        I32,
        &[shape[0], shape[1], shape[2], shape[2]],
    ));
    graph.nodes.push(node("Identity", &[&last], &["y"]));
    graph.outputs.push(value("y", ty, &shape));
    (graph, input)
}

/// Accumulators of one model.
pub const CHANNELS: usize = 1 << 16;

/// A model whose output is constants, each requantised with a scale of its own, and what they become.
pub struct Requantisations {
    pub graph: Graph,
    pub accumulators: Vec<i64>,
    pub scales: Vec<f32>,
    /// By the rule in wide integers, written independently of the library.
    pub expected: Vec<u8>,
    /// How many leave the range of the result.
    pub saturated: usize,
}

/// Random accumulators, ties, and extremes. The result is of type `u8` in even rounds, `i8` in odd ones.
pub fn requantisations(round: u64) -> Requantisations {
    let n = &mut Numbers(round);
    let ty = if round.is_multiple_of(2) { U8 } else { I8 };
    let (mut scales, mut accumulators) = (Vec::new(), Vec::new());
    for i in 0..CHANNELS {
        let (scale, accumulator) = match i % 4 {
            // Any scale whose outputs are not all alike, and an accumulator near what it lets through.
            0 | 1 => {
                let exponent = 96 + n.below(34) as u32;
                let scale = f32::from_bits(exponent << 23 | n.next() >> 8);
                let reach = (250.0 / scale).min(2e9) as i64 + 1;
                (scale, (i64::from(n.next()) % (2 * reach) - reach) as i32)
            }
            // A tie: an odd multiple of half of 1 / scale.
            2 => {
                let shift = 1 + n.below(22) as i32;
                let odd = 2 * n.below(100) as i32 - 99;
                let factor = [1, 3, 5, 7][n.below(4)];
                (factor as f32 * 2f32.powi(-shift), odd << (shift - 1))
            }
            // Every bit pattern of a scale, every magnitude of an accumulator as far as the validator lets a bias go.
            _ => {
                let bits = (1 + n.below(253) as u32) << 23 | n.next() >> 8;
                let most = i32::MAX - 40_000;
                let extremes = [most, -most, 0, 1, -1];
                let x = match n.below(8) {
                    i @ 0..5 => extremes[i],
                    _ => (n.next().cast_signed() << 1) >> n.below(31),
                };
                (f32::from_bits(bits), x.clamp(-most, most))
            }
        };
        scales.push(scale);
        accumulators.push(i64::from(accumulator));
    }
    let channels = CHANNELS as i64;
    let zero = [n.next() as u8];
    // Weights of 0: the biases are the accumulators.
    let graph = Graph {
        nodes: vec![node(
            "QLinearConv",
            &["x", "one", "x0", "w", "scales", "w0", "one", "y0", "bias"],
            &["y"],
        )],
        initializers: vec![
            float("one", 1.0),
            tensor("x0", U8, &[], &[7]),
            tensor("w", I8, &[channels, 1, 1, 1], &vec![0; CHANNELS]),
            floats("scales", &scales),
            tensor("w0", I8, &[], &[0]),
            tensor("y0", ty, &[], &zero),
            integers("bias", I32, &accumulators),
        ],
        inputs: vec![value("x", U8, &[1, 1, 1, 1])],
        outputs: vec![value("y", ty, &[1, channels, 1, 1])],
    };
    let (zero, low, high) = match ty {
        U8 => (i128::from(zero[0]), 0, 255),
        _ => (i128::from(zero[0].cast_signed()), -128, 127),
    };
    let mut saturated = 0;
    let expected = scales.iter().zip(&accumulators).map(|(scale, acc)| {
        let value = exact(*scale, i128::from(*acc)) + zero;
        saturated += usize::from(value < low || value > high);
        value.clamp(low, high) as u8
    });
    Requantisations {
        expected: expected.collect(),
        graph,
        accumulators,
        scales,
        saturated,
    }
}

/// The product of an integer and a scale, rounded to nearest, ties to even.
fn exact(scale: f32, acc: i128) -> i128 {
    let bits = scale.to_bits();
    let m = i128::from(bits & 0x7f_ffff | 0x80_0000);
    let exponent = (bits >> 23) as i32 - 150;
    let product = acc * m;
    if exponent >= 0 {
        return if exponent > 60 {
            product.signum() << 60
        } else {
            product << exponent
        };
    }
    let shift = (-exponent).min(100);
    let (quotient, rest) = (product >> shift, product & ((1 << shift) - 1));
    let half = 1i128 << (shift - 1);
    quotient + i128::from(rest > half || (rest == half && quotient & 1 == 1))
}
