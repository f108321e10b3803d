//! The GPU backend against the definition and the processor's kernels.
//!
//! It needs a driver. On Debian `mesa-vulkan-drivers` and `libegl1` with `libgl1-mesa-dri` compute Vulkan and OpenGL on
//! the processor. Where `CI` is set, a missing one fails the tests; elsewhere they say so and test what there is.
#![cfg(feature = "wgpu")]

mod common;

use std::io::Write;
use std::sync::{Arc, OnceLock};

use aivm_nn::gpu::{Gpu, GpuApi, GpuError, GpuOptions};
use aivm_nn::kernels::Isa;
use aivm_nn::{
    Backend, CpuReason, ElementType, Model, ModelLimits, Observer, Prepared, RunError, Tensor,
    prepare,
};
use common::{FLOAT, Graph, I8, I32, I64, Message, U8, float, node, tensor, value};

/// The devices of this machine, opened once.
fn gpus() -> &'static [Gpu] {
    static ALL: OnceLock<Vec<Gpu>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut list = Vec::new();
        for api in GpuApi::ALL.into_iter().filter(|api| api.is_built()) {
            match Gpu::open(api) {
                Ok(gpu) => list.push(gpu),
                Err(error @ GpuError::NoAdapter(_)) => {
                    // Past the test harness, which hides what a passing test prints.
                    let message = format!("\nNOT TESTED on {api}: {error}\n");
                    std::io::stderr().write_all(message.as_bytes()).unwrap();
                    assert!(std::env::var_os("CI").is_none(), "{error}");
                }
                Err(error) => panic!("{api}: {error}"),
            }
        }
        list
    })
}

/// `model` on the scalar definition, every instruction set with one and two threads, and every GPU.
fn everywhere(model: &Arc<Model>) -> Vec<(String, Prepared)> {
    let mut all = vec![(
        "reference".to_owned(),
        prepare(model.clone(), Backend::Reference).unwrap(),
    )];
    for isa in Isa::available() {
        for threads in [1, 2] {
            let backend = Backend::CpuWith { isa, threads };
            let name = format!("{} on {threads} threads", isa.name());
            all.push((name, prepare(model.clone(), backend).unwrap()));
        }
    }
    for gpu in gpus() {
        let info = gpu.info();
        let name = format!("{} on {}", info.api, info.adapter);
        all.push((name, gpu.prepare(model.clone()).unwrap()));
    }
    all
}

fn load(graph: &Graph) -> Arc<Model> {
    let model = Model::from_onnx(&graph.model(), &ModelLimits::default());
    Arc::new(model.unwrap_or_else(|error| panic!("{error}")))
}

/// Numbers that look random and are the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 7) as u8).collect()
    }
}

fn floats(name: &str, list: &[f32]) -> Message {
    let bytes: Vec<u8> = list.iter().flat_map(|x| x.to_le_bytes()).collect();
    tensor(name, FLOAT, &[list.len() as i64], &bytes)
}

fn integers(name: &str, ty: i64, list: &[i64]) -> Message {
    let bytes: Vec<u8> = list
        .iter()
        .flat_map(|x| match ty {
            I64 => x.to_le_bytes().to_vec(),
            _ => (*x as i32).to_le_bytes().to_vec(),
        })
        .collect();
    tensor(name, ty, &[list.len() as i64], &bytes)
}

fn int_attribute(name: &str, value: i64) -> Message {
    Message::default().bytes(1, name).int(3, value).int(20, 2)
}

fn ints_attribute(name: &str, values: &[i64]) -> Message {
    let mut message = Message::default().bytes(1, name);
    for value in values {
        message = message.int(8, *value);
    }
    message.int(20, 7)
}

/// A million accumulators, each with a scale of its own: random ones, ties, and extremes.
#[test]
fn requantisations_are_the_same_on_every_backend() {
    const CHANNELS: usize = 1 << 16;
    let n = &mut Numbers(1);
    let (mut compared, mut saturated, mut ties) = (0, 0, 0);
    for (round, ty) in (0..16).map(|i| (i, if i % 2 == 0 { U8 } else { I8 })) {
        let (mut scales, mut accumulators) = (Vec::new(), Vec::new());
        for i in 0..CHANNELS {
            let (scale, accumulator) = match i % 4 {
                // Any scale whose outputs are not all alike, and an accumulator near what it lets through.
                0 | 1 => {
                    let exponent = 96 + n.below(34) as u32;
                    let scale = f32::from_bits(exponent << 23 | n.next() >> 8);
                    let reach = (250.0 / scale).min(2e9) as i64 + 1;
                    let x = i64::from(n.next()) % (2 * reach) - reach;
                    (scale, x as i32)
                }
                // A tie: an odd multiple of half of 1 / scale.
                2 => {
                    let shift = 1 + n.below(22) as i32;
                    let odd = 2 * n.below(100) as i32 - 99;
                    let factor = [1, 3, 5, 7][n.below(4)];
                    ties += 1;
                    (factor as f32 * 2f32.powi(-shift), odd << (shift - 1))
                }
                // Every bit pattern of a scale, every magnitude of an accumulator.
                _ => {
                    let bits = (1 + n.below(253) as u32) << 23 | n.next() >> 8;
                    // As far as the validator lets a bias go.
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
        let model = load(&graph);
        let input = Tensor::new(ElementType::U8, vec![1, 1, 1, 1], vec![200]).unwrap();
        // The rule in wide integers, written independently of the library.
        let (zero, low, high) = match ty {
            U8 => (i128::from(zero[0]), 0, 255),
            _ => (i128::from(zero[0].cast_signed()), -128, 127),
        };
        let expected: Vec<u8> = scales
            .iter()
            .zip(&accumulators)
            .map(|(scale, acc)| {
                let value = exact(*scale, i128::from(*acc)) + zero;
                saturated += usize::from(value < low || value > high);
                value.clamp(low, high) as u8
            })
            .collect();
        for (name, prepared) in everywhere(&model) {
            let found = prepared.run(std::slice::from_ref(&input)).unwrap();
            if found[0].data != expected {
                let at = (0..CHANNELS).find(|i| found[0].data[*i] != expected[*i]);
                let at = at.unwrap();
                panic!(
                    "{name}, round {round}: {} · {:e} gives {}, not {}",
                    accumulators[at], scales[at], found[0].data[at], expected[at]
                );
            }
        }
        compared += CHANNELS;
    }
    assert!(compared > 1_000_000 && ties > 200_000);
    // Neither all nor none saturate.
    assert!(
        (compared / 8..compared / 2).contains(&saturated),
        "{saturated}"
    );
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

/// The classifier on every held-out image, as one batch, in parts, and one by one.
#[test]
fn digits_are_those_of_onnxruntime() {
    let bytes = include_bytes!("../models/digits.onnx");
    let model = Arc::new(Model::from_onnx(bytes, &ModelLimits::default()).unwrap());
    let json = include_str!("../models/digits-reference.json");
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let expected: Vec<Vec<i8>> = serde_json::from_value(json["logits"].clone()).unwrap();
    let images: Vec<Vec<Tensor>> = include_bytes!("../models/digits-test.bin")
        .chunks(65)
        .map(|row| {
            let image = row[..64].to_vec();
            vec![Tensor::new(ElementType::U8, vec![1, 64], image).unwrap()]
        })
        .collect();
    let logits = |outputs: &[Tensor]| -> Vec<i8> {
        outputs[0].data.iter().map(|b| b.cast_signed()).collect()
    };
    for gpu in gpus() {
        let prepared = gpu.prepare(model.clone()).unwrap();
        // The whole graph is on the device.
        let placements = prepared.placements();
        assert_eq!(placements.len(), 6);
        assert!(placements.iter().all(|p| p.on_gpu && p.reason.is_none()));
        let outputs = prepared.run_batch(&images).unwrap();
        let found: Vec<Vec<i8>> = outputs.iter().map(|o| logits(o)).collect();
        assert_eq!(found, expected, "{gpu:?}");
        for (image, expected) in images.iter().zip(&expected).take(5) {
            assert_eq!(&logits(&prepared.run(image).unwrap()), expected);
        }
        // Memory for a few images at a time.
        let mut options = GpuOptions::default();
        options.memory = 64 << 10;
        let small = Gpu::open_with(gpu.info().api, &options).unwrap();
        let small = small.prepare(model.clone()).unwrap();
        assert_eq!(small.run_batch(&images).unwrap(), outputs);
        assert!(prepared.run_batch(&[]).unwrap().is_empty());
    }
}

/// Collects all results.
#[derive(Default)]
struct Record(Vec<(usize, Vec<Tensor>)>);

impl Observer for Record {
    fn results(&mut self, index: usize, _: &aivm_nn::Node, results: &[Arc<aivm_nn::Array>]) {
        let list = results.iter().map(|a| a.to_tensor()).collect();
        self.0.push((index, list));
    }
}

/// Networks of random operations, parameters and data: every value of every node is the same everywhere.
#[test]
fn random_networks_are_the_same_on_every_backend() {
    let rounds = match std::env::var("AIVM_GPU_NETWORKS") {
        Ok(n) => n.parse().unwrap(),
        Err(_) => 24,
    };
    for seed in 0..rounds {
        let n = &mut Numbers(seed);
        let (graph, shape) = network(n);
        let model = load(&graph);
        let dims: Vec<u32> = shape.iter().map(|d| *d as u32).collect();
        let count = shape.iter().product::<i64>() as usize;
        let batch: Vec<Vec<Tensor>> = (0..3)
            .map(|_| vec![Tensor::new(ElementType::U8, dims.clone(), n.bytes(count)).unwrap()])
            .collect();
        let mut expected: Option<(Vec<Vec<Tensor>>, Record)> = None;
        for (name, prepared) in everywhere(&model) {
            let found = prepared.run_batch(&batch).unwrap();
            let mut record = Record::default();
            let observed = prepared.run_observed(&batch[0], &mut record).unwrap();
            assert_eq!(observed, found[0]);
            let Some((outputs, values)) = &expected else {
                expected = Some((found, record));
                continue;
            };
            for ((index, a), (_, b)) in values.0.iter().zip(&record.0) {
                let node = &model.graph().nodes()[*index];
                assert!(
                    a == b,
                    "network {seed} on {name}: node {index}, {:?}",
                    node.op
                );
            }
            assert_eq!(values.0.len(), record.0.len());
            assert!(outputs == &found, "network {seed} on {name}");
        }
    }
}

/// A chain of random operations on `[n, c, h, w]`, and the shape of its input.
fn network(n: &mut Numbers) -> (Graph, Vec<i64>) {
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

/// Integer products on the device between floating-point operations on the processor.
#[test]
fn floating_point_stays_on_the_processor() {
    let weights: Vec<u8> = (0..12u8).map(|i| i.wrapping_mul(37)).collect();
    let graph = Graph {
        nodes: vec![
            node("DynamicQuantizeLinear", &["x"], &["q", "s", "z"]),
            node("MatMulInteger", &["q", "w", "z"], &["p"]),
            node("Cast", &["p"], &["f"]).bytes(5, int_attribute("to", 1)),
            node("Mul", &["f", "s"], &["y"]),
        ],
        initializers: vec![tensor("w", I8, &[4, 3], &weights)],
        inputs: vec![value("x", FLOAT, &[2, 4])],
        outputs: vec![value("y", FLOAT, &[2, 3])],
    };
    let model = load(&graph);
    let batch: Vec<Vec<Tensor>> = (0..5)
        .map(|i| {
            let data = (0..8).flat_map(|j| (0.3 * j as f32 - i as f32).to_le_bytes());
            vec![Tensor::new(ElementType::F32, vec![2, 4], data.collect()).unwrap()]
        })
        .collect();
    let expected = prepare(model.clone(), Backend::Reference)
        .unwrap()
        .run_batch(&batch)
        .unwrap();
    for gpu in gpus() {
        let prepared = gpu.prepare(model.clone()).unwrap();
        assert_eq!(prepared.run_batch(&batch).unwrap(), expected);
        let placements = prepared.placements();
        let product = placements
            .iter()
            .find(|p| p.op == "mat-mul-integer")
            .unwrap();
        assert!(product.on_gpu && product.reason.is_none());
        let cast = placements.iter().find(|p| p.op == "cast").unwrap();
        assert_eq!(
            (cast.on_gpu, cast.reason),
            (false, Some(CpuReason::StrictF32))
        );
        assert!(
            cast.to_string()
                .ends_with("cpu (floating point is exact on the processor only)")
        );
    }
    let cpu = prepare(model, Backend::default()).unwrap();
    assert!(
        cpu.placements()
            .iter()
            .all(|p| !p.on_gpu && p.reason.is_none())
    );
}

#[test]
fn an_index_out_of_range_is_an_error_on_the_device_too() {
    let graph = Graph {
        nodes: vec![
            node("Gather", &["table", "i"], &["g"]),
            node("Add", &["g", "g"], &["y"]),
        ],
        initializers: vec![integers("table", I32, &[10, 20, 30])],
        inputs: vec![value("i", I64, &[2])],
        outputs: vec![value("y", I32, &[2])],
    };
    let model = load(&graph);
    let input = |list: [i64; 2]| {
        let data = list.iter().flat_map(|i| i.to_le_bytes()).collect();
        vec![Tensor::new(ElementType::I64, vec![2], data).unwrap()]
    };
    for (name, prepared) in everywhere(&model) {
        let sums = |list| -> Result<Vec<i32>, RunError> {
            let outputs = prepared.run(&input(list))?;
            let (words, _) = outputs[0].data.as_chunks::<4>();
            Ok(words.iter().map(|w| i32::from_le_bytes(*w)).collect())
        };
        assert_eq!(sums([2, -3]), Ok(vec![60, 20]), "{name}");
        for bad in [[3, 0], [0, -4], [1 << 32, 0], [i64::MIN, i64::MAX]] {
            assert_eq!(sums(bad), Err(RunError::IndexOutOfRange), "{name}: {bad:?}");
        }
        // The device is as good as before.
        assert_eq!(sums([0, 1]), Ok(vec![20, 40]), "{name}");
        let batch = [input([0, 0]), input([0, 9]), input([1, 1])];
        assert_eq!(prepared.run_batch(&batch), Err(RunError::IndexOutOfRange));
        let mut wrong = input([0, 0]);
        wrong.push(wrong[0].clone());
        let error = prepared.run_batch(&[input([0, 0]), wrong]).unwrap_err();
        assert!(matches!(error, RunError::InputCount { .. }), "{name}");
    }
}

#[test]
fn bad_choices_are_typed_errors() {
    for api in GpuApi::ALL.into_iter().filter(|api| !api.is_built()) {
        assert_eq!(Gpu::open(api).unwrap_err(), GpuError::ApiMissing(api));
        assert_eq!(Gpu::adapters(api).unwrap_err(), GpuError::ApiMissing(api));
    }
    let bytes = include_bytes!("../models/digits.onnx");
    let model = Arc::new(Model::from_onnx(bytes, &ModelLimits::default()).unwrap());
    for gpu in gpus() {
        let api = gpu.info().api;
        assert!(Gpu::adapters(api).unwrap().contains(&gpu.info().adapter));
        let mut options = GpuOptions::default();
        options.adapter = Some("no such device".into());
        let error = Gpu::open_with(api, &options).unwrap_err();
        assert!(matches!(error, GpuError::NoSuchAdapter { .. }), "{error}");
        options.adapter = None;
        // Enough for no model at all: the self-test does not fit either.
        options.memory = 100;
        let error = Gpu::open_with(api, &options).unwrap_err();
        assert!(
            matches!(error, GpuError::Memory { limit: 100, .. }),
            "{error}"
        );
        assert_eq!(GpuApi::from_name(api.name()), Some(api));
        drop(gpu.prepare(model.clone()).unwrap());
    }
    assert_eq!(GpuApi::from_name("opencl"), None);
}
