//! The GPU backend against the definition and the processor's kernels.
//!
//! It needs a driver. On Debian `mesa-vulkan-drivers` and `libegl1` with `libgl1-mesa-dri` compute Vulkan and OpenGL on
//! the processor. Where `CI` is set, a missing one fails the tests; elsewhere they say so and test what there is.
#![cfg(feature = "wgpu")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aivm_nn::gpu::{Gpu, GpuApi, GpuError, GpuOptions};
use aivm_nn::{
    Backend, CpuReason, ElementType, Model, ModelLimits, Observer, RunError, Tensor, prepare,
};
use common::backends::{everywhere, gpus};
use common::networks::{
    CHANNELS, Numbers, int_attribute, integers, load, network, requantisations,
};
use common::{FLOAT, Graph, I8, I32, I64, node, tensor, value};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A million accumulators, each with a scale of its own: random ones, ties, and extremes.
#[test]
fn requantisations_are_the_same_on_every_backend() {
    const ROUNDS: u64 = 16;
    let mut saturated = 0;
    for round in 0..ROUNDS {
        let case = requantisations(round);
        saturated += case.saturated;
        let input = Tensor::new(ElementType::U8, vec![1, 1, 1, 1], vec![200]).unwrap();
        for (name, prepared) in everywhere(&load(&case.graph)) {
            let found = prepared.run(std::slice::from_ref(&input)).unwrap();
            let found = &found[0].data;
            let different = (0..CHANNELS).find(|i| found[*i] != case.expected[*i]);
            if let Some(at) = different {
                panic!(
                    "{name}, round {round}: {} · {:e} gives {}, not {}",
                    case.accumulators[at], case.scales[at], found[at], case.expected[at]
                );
            }
        }
    }
    let compared = ROUNDS as usize * CHANNELS;
    assert!(compared > 1_000_000);
    // Neither all nor none saturate.
    assert!(
        (compared / 8..compared / 2).contains(&saturated),
        "{saturated}"
    );
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
            (false, Some(CpuReason::StrictFloat))
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

/// A small model whose every node lays out the same weights again.
#[test]
fn weights_that_are_used_often_are_counted_often() {
    let mut nodes = Vec::new();
    for i in 0..200 {
        nodes.push(node("MatMulInteger", &["x", "w"], &[&format!("p{i}")]));
        let before = if i == 0 {
            "p0".into()
        } else {
            format!("s{}", i - 1)
        };
        let names = [before, format!("p{i}")];
        nodes.push(node(
            "Add",
            &names.each_ref().map(String::as_str),
            &[&format!("s{i}")],
        ));
    }
    nodes.push(node("Identity", &["s199"], &["y"]));
    let graph = Graph {
        nodes,
        initializers: vec![tensor("w", I8, &[512, 512], &vec![1; 512 * 512])],
        inputs: vec![value("x", I8, &[1, 512])],
        outputs: vec![value("y", I32, &[1, 512])],
    };
    let model = load(&graph);
    for gpu in gpus() {
        let mut options = GpuOptions::default();
        options.memory = 8 << 20;
        let small = Gpu::open_with(gpu.info().api, &options).unwrap();
        let error = small.prepare(model.clone()).unwrap_err();
        assert!(matches!(error, GpuError::Memory { limit, .. } if limit == 8 << 20));
        let prepared = gpu.prepare(model.clone()).unwrap();
        let x = Tensor::new(ElementType::I8, vec![1, 512], vec![1; 512]).unwrap();
        let sums = &prepared.run(&[x]).unwrap()[0].data;
        assert_eq!(sums[..4], (201i32 * 512).to_le_bytes());
    }
}

/// Graphs of every operator: the same bits, or the same error. `AIVM_GPU_GRAPHS` sets how many (500 by default).
#[test]
fn random_graphs_give_the_bits_of_the_reference() {
    let wanted = std::env::var("AIVM_GPU_GRAPHS").ok();
    let config = Config {
        cases: wanted.map_or(500, |n| n.parse().unwrap()),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let on_gpu = AtomicUsize::new(0);
    let bytes = proptest::collection::vec(any::<u8>(), 60..400);
    let outcome = TestRunner::new(config).run(&bytes, |bytes| {
        let Some(case) = common::random::case(&bytes, 14) else {
            return Ok(());
        };
        let model = Arc::new(case.model);
        let reference = prepare(model.clone(), Backend::Reference).unwrap();
        let expected = reference.run(&case.inputs);
        for gpu in gpus() {
            let prepared = gpu.prepare(model.clone()).unwrap();
            let placed = prepared.placements().iter().filter(|p| p.on_gpu).count();
            on_gpu.fetch_add(placed, Ordering::Relaxed);
            let found = prepared.run(&case.inputs);
            let api = gpu.info().api;
            prop_assert_eq!(&found, &expected, "{} {:?}", api, case.operators);
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let on_gpu = on_gpu.into_inner();
    println!("{on_gpu} operations ran on GPUs");
    assert!(on_gpu > 200 || gpus().is_empty());
}
