//! One digest for each model and its inputs, whatever computes it: the table of `docs/determinism.md`.
//!
//! Every backend of the machine takes part: the scalar definition, each instruction set with one and two threads, and
//! each GPU interface. `cargo xtask neon` runs this test for AArch64. `AIVM_UPDATE_DOCS=1` writes the table.
#![cfg(feature = "cpu")]

mod common;

use std::path::PathBuf;
use std::sync::Arc;

use aivm_nn::quantize::{QuantizeOptions, quantize};
use aivm_nn::{Bindings, ElementType, Model, ModelLimits, Tensor};
use common::backends::everywhere;
use common::networks::{Numbers, floats, int_attribute, load, network, requantisations};
use common::{FLOAT, Graph, I8, Message, cache, float, node, tensor, value};

/// A line of the table.
struct Row {
    model: &'static str,
    inputs: &'static str,
    cases: Vec<(Arc<Model>, Vec<Vec<Tensor>>)>,
}

fn bytes(shape: &[u32], n: &mut Numbers) -> Tensor {
    let count = shape.iter().product::<u32>() as usize;
    Tensor::new(ElementType::U8, shape.to_vec(), n.bytes(count)).unwrap()
}

/// Numbers between −4 and 4.
fn singles(shape: &[u32], n: &mut Numbers) -> Tensor {
    let count = shape.iter().product::<u32>();
    let data = (0..count).flat_map(|_| {
        let x = (n.next() >> 8) as f32 / (1 << 20) as f32 - 4.0;
        x.to_le_bytes()
    });
    Tensor::new(ElementType::F32, shape.to_vec(), data.collect()).unwrap()
}

fn digits() -> Row {
    let model = Model::from_onnx(
        include_bytes!("../models/digits.onnx"),
        &ModelLimits::default(),
    );
    let images = include_bytes!("../models/digits-test.bin").chunks(65);
    let inputs = images
        .map(|row| {
            let image = row[..64].to_vec();
            vec![Tensor::new(ElementType::U8, vec![1, 64], image).unwrap()]
        })
        .collect();
    Row {
        model: "`digits.onnx`, int8 convolutions",
        inputs: "360 held-out images",
        cases: vec![(Arc::new(model.unwrap()), inputs)],
    }
}

fn networks() -> Row {
    let cases = (0..24)
        .map(|seed| {
            let n = &mut Numbers(seed);
            let (graph, shape) = network(n);
            let shape: Vec<u32> = shape.iter().map(|d| *d as u32).collect();
            let inputs = (0..3).map(|_| vec![bytes(&shape, n)]).collect();
            (load(&graph), inputs)
        })
        .collect();
    Row {
        model: "24 random int8 networks",
        inputs: "3 random tensors each",
        cases,
    }
}

fn scales() -> Row {
    let cases = (0..16)
        .map(|round| {
            let input = Tensor::new(ElementType::U8, vec![1, 1, 1, 1], vec![200]);
            (
                load(&requantisations(round).graph),
                vec![vec![input.unwrap()]],
            )
        })
        .collect();
    Row {
        model: "1,048,576 requantisations",
        inputs: "random, ties, extremes",
        cases,
    }
}

/// Dynamically quantised layers with a softmax: integer products among strict single precision.
fn dynamic() -> Row {
    let n = &mut Numbers(99);
    let weights = n.bytes(64 * 48);
    let scale = 0.01;
    let graph = Graph {
        nodes: vec![
            node("DynamicQuantizeLinear", &["x"], &["q", "s", "z"]),
            node("MatMulInteger", &["q", "w", "z"], &["p"]),
            node("Cast", &["p"], &["f"]).bytes(5, int_attribute("to", 1)),
            node("Mul", &["f", "s"], &["fs"]),
            node("Mul", &["fs", "scale"], &["m"]),
            node("Tanh", &["m"], &["t"]),
            node("Softmax", &["t"], &["y"]).bytes(5, int_attribute("axis", 1)),
        ],
        initializers: vec![tensor("w", I8, &[64, 48], &weights), float("scale", scale)],
        inputs: vec![value("x", FLOAT, &[7, 64])],
        outputs: vec![value("y", FLOAT, &[7, 48])],
    };
    let inputs = (0..8).map(|_| vec![singles(&[7, 64], n)]).collect();
    Row {
        model: "dynamically quantised layer, tanh, softmax",
        inputs: "8 random tensors",
        cases: vec![(load(&graph), inputs)],
    }
}

/// A convolution, functions and a mean in strict single precision.
fn strict() -> Row {
    let n = &mut Numbers(7);
    let weights: Vec<f32> = (0..12 * 5 * 9)
        .map(|_| (n.next() >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect();
    let bytes: Vec<u8> = weights.iter().flat_map(|w| w.to_le_bytes()).collect();
    let mut nodes = vec![node("Conv", &["x", "w", "b"], &["v0"])];
    for (i, op) in ["Sigmoid", "Exp", "Sqrt", "Erf", "Tanh", "Reciprocal", "Log"]
        .iter()
        .enumerate()
    {
        nodes.push(node(op, &[&format!("v{i}")], &[&format!("v{}", i + 1)]));
    }
    let axes: Message = Message::default()
        .bytes(1, "axes")
        .int(8, 2)
        .int(8, 3)
        .int(20, 7);
    nodes.push(node("ReduceMean", &["v7"], &["y"]).bytes(5, axes));
    let graph = Graph {
        nodes,
        initializers: vec![
            tensor("w", FLOAT, &[12, 5, 3, 3], &bytes),
            floats("b", &weights[..12]),
        ],
        inputs: vec![value("x", FLOAT, &[2, 5, 13, 17])],
        outputs: vec![value("y", FLOAT, &[2, 12, 1, 1])],
    };
    let inputs = (0..4).map(|_| vec![singles(&[2, 5, 13, 17], n)]).collect();
    Row {
        model: "f32 convolution, seven functions, mean",
        inputs: "4 random tensors",
        cases: vec![(load(&graph), inputs)],
    }
}

fn fetched(package: &str, file: &str, bindings: &Bindings) -> Option<Arc<Model>> {
    let path: PathBuf = cache::models(package)?.join(file);
    let bytes = std::fs::read(path).unwrap();
    let model = Model::from_onnx_with(&bytes, &ModelLimits::default(), bindings);
    Some(Arc::new(model.unwrap()))
}

/// The real models that `cargo xtask models` fetches; those that are missing give no row.
fn real() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut bindings = Bindings::default();
    bindings.shapes.insert("bytes".into(), vec![1, 2048]);
    if let Some(model) = fetched("magika-1.0.3", "model.onnx", &bindings) {
        let n = &mut Numbers(11);
        let data = (0..2048).flat_map(|_| (n.next() % 257).to_le_bytes());
        let input = Tensor::new(ElementType::I32, vec![1, 2048], data.collect()).unwrap();
        rows.push(Row {
            model: "magika 1.0.3, f32",
            inputs: "2,048 random bytes",
            cases: vec![(model, vec![vec![input]])],
        });
    }
    let mut bindings = Bindings::default();
    bindings.shapes.insert("input".into(), vec![1, 576]);
    bindings.shapes.insert("state".into(), vec![2, 1, 128]);
    let rate = Tensor::new(ElementType::I64, vec![], 16_000i64.to_le_bytes().to_vec());
    bindings.constants.insert("sr".into(), rate.unwrap());
    let file = "silero_vad_op18_ifless.onnx";
    if let Some(model) = fetched("silero-vad-6.2.3", file, &bindings) {
        let n = &mut Numbers(12);
        let inputs = vec![singles(&[1, 576], n), singles(&[2, 1, 128], n)];
        rows.push(Row {
            model: "silero-vad 6.2.3, f32",
            inputs: "a random window and state",
            cases: vec![(model, vec![inputs])],
        });
    }
    rows.extend(classifier());
    rows.extend(magika_int8());
    rows
}

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/real");

/// Files and crops of the tests on real inputs, in pieces.
fn stored(name: &str, size: usize) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(PathBuf::from(STORED).join(name)).unwrap();
    bytes.chunks(size).map(<[u8]>::to_vec).collect()
}

/// The text-direction classifier as it is, and quantised with the crops as calibration inputs.
fn classifier() -> Vec<Row> {
    let mut options = QuantizeOptions::default();
    let shape = vec![1, 3, 48, 192];
    options.bindings.shapes.insert("x".into(), shape.clone());
    let file = "ch_ppocr_mobile_v2.0_cls_infer.onnx";
    let Some(model) = fetched("rapidocr-1.4.4", file, &options.bindings) else {
        return Vec::new();
    };
    let crops: Vec<Vec<u8>> = stored("crops.gray", 48 * 192)
        .into_iter()
        .map(|crop| crop.repeat(3))
        .collect();
    let inputs: Vec<Vec<Tensor>> = crops
        .iter()
        .map(|crop| {
            let numbers = crop.iter().map(|p| f32::from(*p) / 127.5 - 1.0);
            let data = numbers.flat_map(f32::to_le_bytes).collect();
            vec![Tensor::new(ElementType::F32, shape.clone(), data).unwrap()]
        })
        .collect();
    let onnx = std::fs::read(cache::models("rapidocr-1.4.4").unwrap().join(file)).unwrap();
    let quantized = quantize(&onnx, &inputs, &options).unwrap();
    // Grey pixels go in as bytes: another range, but a digest needs no accuracy.
    let bytes = crops
        .into_iter()
        .map(|crop| vec![Tensor::new(ElementType::U8, shape.clone(), crop).unwrap()])
        .collect();
    vec![
        Row {
            model: "text-direction classifier of rapidocr 1.4.4, f32",
            inputs: "10 lines of text",
            cases: vec![(model, inputs)],
        },
        Row {
            model: "the same, quantised by `aivm_nn::quantize`",
            inputs: "the same as bytes",
            cases: vec![(Arc::new(quantized.model), bytes)],
        },
    ]
}

/// Magika, quantised with the stored files as calibration inputs.
fn magika_int8() -> Option<Row> {
    let folder = cache::models("magika-1.0.3")?;
    let mut options = QuantizeOptions::default();
    options
        .bindings
        .shapes
        .insert("bytes".into(), vec![1, 2048]);
    let onnx = std::fs::read(folder.join("model.onnx")).unwrap();
    let inputs: Vec<Vec<Tensor>> = stored("files.bin", 2048)
        .into_iter()
        .map(|file| {
            let data = file.iter().flat_map(|b| i32::from(*b).to_le_bytes());
            vec![Tensor::new(ElementType::I32, vec![1, 2048], data.collect()).unwrap()]
        })
        .collect();
    let quantized = quantize(&onnx, &inputs, &options).unwrap();
    Some(Row {
        model: "magika 1.0.3, quantised by `aivm_nn::quantize`",
        inputs: "4 files",
        cases: vec![(Arc::new(quantized.model), inputs[..4].to_vec())],
    })
}

#[test]
fn every_backend_gives_the_digest_of_the_table() {
    let mut rows = vec![digits(), networks(), scales(), dynamic(), strict()];
    rows.extend(real());
    let page = std::fs::read_to_string(PAGE).unwrap();
    let update = std::env::var_os("AIVM_UPDATE_DOCS").is_some();
    let mut table = String::from(HEAD);
    let mut backends = Vec::new();
    for row in rows {
        let mut hashers: Vec<(String, blake3::Hasher)> = Vec::new();
        for (model, inputs) in &row.cases {
            for (i, (name, prepared)) in everywhere(model).into_iter().enumerate() {
                if hashers.len() == i {
                    hashers.push((name, blake3::Hasher::new()));
                }
                for output in prepared.run_batch(inputs).unwrap().iter().flatten() {
                    hashers[i].1.update(&output.data);
                }
            }
        }
        let digests: Vec<String> = hashers
            .iter()
            .map(|(_, hasher)| hasher.finalize().to_hex().to_string())
            .collect();
        for ((name, _), digest) in hashers.iter().zip(&digests) {
            assert_eq!(digest, &digests[0], "{} on {name}", row.model);
        }
        let line = format!("| {} | {} | `{}` |\n", row.model, row.inputs, digests[0]);
        // The table is the same on every machine.
        assert!(update || page.contains(&line), "not in the table: {line}");
        table += &line;
        backends = hashers.into_iter().map(|(name, _)| name).collect();
    }
    println!("the same digests on: {}", backends.join("; "));
    if update {
        let (before, rest) = page.split_once(HEAD).unwrap();
        let old = rest.lines().take_while(|line| line.starts_with('|'));
        let after = &rest[old.map(|line| line.len() + 1).sum()..];
        std::fs::write(PAGE, format!("{before}{table}{after}")).unwrap();
    }
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/determinism.md");
const HEAD: &str = "| model | inputs | BLAKE3 of the outputs |\n|---|---|---|\n";
