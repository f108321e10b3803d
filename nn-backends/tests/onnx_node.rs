//! ONNX's own node tests, as PyPI's `onnx==1.22.0` ships them.
//!
//! They are not part of this repository. Run with
//! `pip install onnx==1.22.0` and
//! `AIVM_ONNX_NODE_TESTS=…/site-packages/onnx/backend/test/data/node cargo test --release -p aivm-nn --test onnx_node -- --ignored --nocapture`.
//!
//! A test whose parameters are graph inputs is run a second time with all inputs but the first frozen, since
//! this library wants shapes, axes and scales to be known when a model is loaded.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aivm_nn::{
    Array, Backend, Bindings, Data, Model, ModelError, ModelLimits, Tensor, prepare, run,
};

/// A `TensorProto` file, read through a model whose only node hands it on.
fn read(path: &Path) -> Option<Tensor> {
    let bytes = std::fs::read(path).ok()?;
    let graph = common::Graph {
        nodes: vec![{
            let value = common::Message::default()
                .bytes(1, "value")
                .bytes(5, &bytes)
                .int(20, 4);
            common::node("Constant", &[], &["y"]).bytes(5, value)
        }],
        outputs: vec![common::value("y", common::FLOAT, &[])],
        ..common::Graph::default()
    };
    let model = Model::from_onnx(&graph.model(), &ModelLimits::default()).ok()?;
    run(&model, &aivm_nn::Reference, &[], &mut ()).ok()?.pop()
}

fn close(a: &Tensor, b: &Tensor) -> bool {
    let (Some(x), Some(y)) = (Array::from_tensor(a), Array::from_tensor(b)) else {
        return false;
    };
    if x.shape != y.shape {
        return false;
    }
    match (&x.data, &y.data) {
        (Data::F32(x), Data::F32(y)) => x.iter().zip(y).all(|(x, y)| {
            (x.is_nan() && y.is_nan()) || x == y || (x - y).abs() <= 1e-5 + 1e-3 * y.abs()
        }),
        (x, y) => x == y,
    }
}

enum Outcome {
    Passed,
    Refused(String),
    Failed(String),
}

fn attempt(
    bytes: &[u8],
    names: &[String],
    inputs: &[Tensor],
    expected: &[Tensor],
    frozen: impl Fn(usize) -> bool,
) -> Outcome {
    let mut bindings = Bindings::default();
    let mut given = Vec::new();
    for (i, (name, tensor)) in names.iter().zip(inputs).enumerate() {
        if frozen(i) {
            bindings.constants.insert(name.clone(), tensor.clone());
        } else {
            bindings.shapes.insert(name.clone(), tensor.shape.clone());
            given.push(tensor.clone());
        }
    }
    let model = match Model::from_onnx_with(bytes, &ModelLimits::default(), &bindings) {
        Ok(model) => Arc::new(model),
        Err(ModelError::Nodes(list)) => return Outcome::Refused(list[0].to_string()),
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    let outputs = |backend| {
        prepare(model.clone(), backend)
            .and_then(|p| p.run(&given))
            .map_err(|e| e.to_string())
    };
    let reference = match outputs(Backend::Reference) {
        Ok(outputs) => outputs,
        Err(error) => return Outcome::Failed(error),
    };
    if outputs(Backend::default()).as_ref() != Ok(&reference) {
        return Outcome::Failed("the backends differ".into());
    }
    for (i, (a, b)) in reference.iter().zip(expected).enumerate() {
        if !close(a, b) {
            let show = |t: &Tensor| format!("{} {:?}", t.ty, t.shape);
            return Outcome::Failed(format!("output {i}: {} for {}", show(a), show(b)));
        }
    }
    Outcome::Passed
}

/// Names of the graph's inputs, in order.
fn input_names(bytes: &[u8]) -> Vec<String> {
    fn fields(mut b: &[u8]) -> Vec<(u64, &[u8])> {
        fn varint(b: &mut &[u8]) -> u64 {
            let (mut v, mut shift) = (0, 0);
            while let Some((first, rest)) = b.split_first() {
                *b = rest;
                v |= u64::from(first & 0x7f) << shift;
                shift += 7;
                if first & 0x80 == 0 {
                    break;
                }
            }
            v
        }
        let mut out = Vec::new();
        while !b.is_empty() {
            let key = varint(&mut b);
            let len = match key & 7 {
                0 => {
                    varint(&mut b);
                    continue;
                }
                1 => 8,
                5 => 4,
                _ => varint(&mut b) as usize,
            };
            let (head, tail) = b.split_at(len);
            out.push((key >> 3, head));
            b = tail;
        }
        out
    }
    let find = |b, n| {
        fields(b)
            .into_iter()
            .filter(move |(k, _)| *k == n)
            .map(|(_, v)| v)
    };
    find(bytes, 7)
        .flat_map(|graph| find(graph, 11))
        .flat_map(|info| find(info, 1))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

#[test]
#[ignore = "needs onnx==1.22.0's test data; see the top of this file"]
fn onnx_node_tests() {
    let dir = std::env::var("AIVM_ONNX_NODE_TESTS").expect("AIVM_ONNX_NODE_TESTS names the folder");
    let mut dirs: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    dirs.sort();
    let (mut passed, mut failed) = (0, Vec::new());
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut foreign = 0;
    for dir in &dirs {
        let name = dir.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(dir.join("model.onnx")).unwrap();
        let data = dir.join("test_data_set_0");
        let list = |kind: &str| -> Option<Vec<Tensor>> {
            (0..)
                .map(|i| data.join(format!("{kind}_{i}.pb")))
                .take_while(|p| p.exists())
                .map(|p| read(&p))
                .collect()
        };
        // Types this library has not: doubles, halves, strings, sequences, 4 and 2 bits, …
        let (Some(inputs), Some(expected)) = (list("input"), list("output")) else {
            foreign += 1;
            continue;
        };
        let names = input_names(&bytes);
        let free = attempt(&bytes, &names, &inputs, &expected, |_| false);
        let outcome = match free {
            Outcome::Refused(first) => {
                match attempt(&bytes, &names, &inputs, &expected, |i| i > 0) {
                    Outcome::Refused(_) => Outcome::Refused(first),
                    other => other,
                }
            }
            other => other,
        };
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Refused(reason) => refused.entry(reason).or_default().push(name),
            Outcome::Failed(reason) => failed.push((name, reason)),
        }
    }
    for (reason, names) in &refused {
        println!("refused {:4} {reason} ({})", names.len(), names[0]);
    }
    for (name, reason) in &failed {
        println!("FAILED {name}: {reason}");
    }
    let count: usize = refused.values().map(Vec::len).sum();
    println!(
        "{passed} pass, {} fail, {count} refused, {foreign} with types outside this library, of {}",
        failed.len(),
        dirs.len()
    );
    assert!(
        failed.is_empty(),
        "{} tests give another result",
        failed.len()
    );
}
