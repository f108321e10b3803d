//! ONNX's own node tests, as PyPI's `onnx==1.22.0` ships them; `cargo xtask models` fetches them.
//!
//! A test whose parameters are graph inputs is run again with all inputs but the first frozen, and then with all of
//! them, since this library wants shapes, axes and scales to be known when a model is loaded. Such passes are
//! counted apart. What is refused is listed with its reason in `docs/onnx.md`, which this test keeps true:
//! `AIVM_UPDATE_DOCS=1` writes it.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use aivm_nn::{
    Array, Backend, Bindings, Data, Model, ModelError, ModelLimits, Tensor, prepare, run,
};
use common::wire::{Outline, outline};

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

/// How far a result may be from the expected one, relative to it: what the standard's own runner allows, or two
/// steps of a narrower format.
fn tolerance(ty: Option<u64>) -> f64 {
    match ty {
        Some(10) => 2e-3,
        Some(16) => 1.6e-2,
        _ => 1e-3,
    }
}

/// Sums of which the exact result is zero: their terms are as large as 50, and a rounding of one of them is 4·10⁻⁶.
const CANCELLING: [&str; 2] = ["test_dft_inverse", "test_dft_inverse_opset19"];

fn close(a: &Tensor, b: &Tensor, ty: Option<u64>, least: f64) -> bool {
    let (Some(x), Some(y)) = (Array::from_tensor(a), Array::from_tensor(b)) else {
        return false;
    };
    let near = |x: f64, y: f64| {
        (x.is_nan() && y.is_nan()) || x == y || (x - y).abs() <= least + tolerance(ty) * y.abs()
    };
    let pairs = |x: &[f32], y: &[f32]| {
        x.iter()
            .zip(y)
            .all(|(x, y)| near(f64::from(*x), f64::from(*y)))
    };
    x.shape == y.shape
        && match (&x.data, &y.data) {
            (Data::F32(x), Data::F32(y)) => pairs(x, y),
            (Data::F64(x), Data::F64(y)) => x.iter().zip(y).all(|(x, y)| near(*x, *y)),
            (x, y) => x == y,
        }
}

enum Outcome {
    Passed,
    /// Operator and reason.
    Refused(String, String),
    Failed(String),
}

struct Case {
    bytes: Vec<u8>,
    outline: Outline,
    inputs: Vec<Tensor>,
    expected: Vec<Tensor>,
    /// How far a result may be from the expected one in any case.
    least: f64,
}

fn attempt(case: &Case, frozen: impl Fn(usize) -> bool) -> Outcome {
    let mut bindings = Bindings::default();
    let mut given = Vec::new();
    for (i, (value, tensor)) in case.outline.inputs.iter().zip(&case.inputs).enumerate() {
        let name = value.name.clone();
        if frozen(i) {
            bindings.constants.insert(name, tensor.clone());
        } else {
            bindings.shapes.insert(name, tensor.shape.clone());
            given.push(tensor.clone());
        }
    }
    let model = match Model::from_onnx_with(&case.bytes, &ModelLimits::default(), &bindings) {
        Ok(model) => Arc::new(model),
        Err(ModelError::Nodes(list)) => {
            return Outcome::Refused(list[0].operator.clone(), list[0].reason.to_string());
        }
        Err(error) => return Outcome::Refused("(model)".into(), error.to_string()),
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
    #[cfg(feature = "wgpu")]
    for gpu in common::backends::gpus() {
        let prepared = match gpu.prepare(model.clone()) {
            Ok(prepared) => prepared,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        if prepared.run(&given).as_ref() != Ok(&reference) {
            return Outcome::Failed(format!("{} differs", gpu.info().api));
        }
    }
    for (i, (a, b)) in reference.iter().zip(&case.expected).enumerate() {
        if !close(a, b, case.outline.outputs[i].ty, case.least) {
            let show = |t: &Tensor| {
                let array = Array::from_tensor(t).map(|a| format!("{:?}", a.data));
                let mut text = array.unwrap_or_default();
                text.truncate(160);
                format!("{} {:?} {text}", t.ty, t.shape)
            };
            return Outcome::Failed(format!("output {i}: {} for {}", show(a), show(b)));
        }
    }
    Outcome::Passed
}

/// Why a test is not counted at all.
fn excluded(name: &str, outline: &Outline) -> Option<&'static str> {
    const RANDOM: [&str; 6] = [
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
        "Multinomial",
        "Bernoulli",
    ];
    let values = || outline.inputs.iter().chain(&outline.outputs);
    let operators = &outline.operators;
    if name.contains("training") || operators.iter().any(|(d, _)| d.contains("training")) {
        Some("training")
    } else if values().any(|v| v.ty == Some(8)) {
        Some("strings")
    } else if values().any(|v| v.ty.is_none()) {
        Some("sequences and optional values")
    } else if operators.iter().any(|(_, op)| RANDOM.contains(&&**op)) {
        Some("random numbers")
    } else {
        None
    }
}

/// Whether all that goes in and out is integers or booleans.
fn all_integer(outline: &Outline) -> bool {
    outline
        .inputs
        .iter()
        .chain(&outline.outputs)
        .all(|v| matches!(v.ty, Some(2..=7 | 9 | 12 | 13)))
}

/// Operators on integers alone that deterministic inference does not allow.
const NOT_ALLOWED: [&str; 1] = ["ImageDecoder"];

/// Why whole operators are left out; for the others the library's own reason is listed.
const REASONS: [(&str, &str); 8] = [
    (
        "ImageDecoder",
        "not allowed: decodes JPEG, PNG, TIFF and other files, whose pixels depend on the decoder",
    ),
    (
        "NonMaxSuppression",
        "not allowed: the shape of the result depends on data",
    ),
    (
        "GridSample",
        "not there: samples at positions that are computed in floats",
    ),
    (
        "RoiAlign",
        "not there: samples at positions that are computed in floats",
    ),
    (
        "DeformConv",
        "not there: samples at positions that are computed in floats",
    ),
    ("Det", "not there: needs pivots chosen by data"),
    (
        "TfIdfVectorizer",
        "not there: prepares text, outside the network",
    ),
    (
        "ai.onnx.preview::FlexAttention",
        "not there: a preview whose node carries graphs; its expansion into standard operators is read",
    ),
];

#[derive(Default)]
struct Class {
    passed: usize,
    /// With all inputs but the first bound to constants.
    frozen: usize,
    /// With all inputs bound.
    folded: usize,
    refused: usize,
}

impl Class {
    fn total(&self) -> usize {
        self.passing() + self.refused
    }

    fn passing(&self) -> usize {
        self.passed + self.frozen + self.folded
    }
}

#[test]
fn onnx_node_tests() {
    let Some(root) = common::cache::models("onnx-node-1.22.0") else {
        return;
    };
    let mut dirs: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    dirs.sort();
    assert_eq!(dirs.len(), 1765);
    let (mut integer, mut rest) = (Class::default(), Class::default());
    let mut categories: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refused: BTreeMap<(bool, String, String), BTreeSet<String>> = BTreeMap::new();
    let mut failed = Vec::new();
    for dir in &dirs {
        let name = dir.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(dir.join("model.onnx")).unwrap();
        let outline = outline(&bytes);
        if let Some(category) = excluded(&name, &outline) {
            *categories.entry(category).or_default() += 1;
            continue;
        }
        let integers = all_integer(&outline);
        let class = if integers { &mut integer } else { &mut rest };
        let data = dir.join("test_data_set_0");
        let list = |kind: &str| -> Option<Vec<Tensor>> {
            (0..)
                .map(|i| data.join(format!("{kind}_{i}.pb")))
                .take_while(|p| p.exists())
                .map(|p| read(&p))
                .collect()
        };
        let (Some(inputs), Some(expected)) = (list("input"), list("output")) else {
            class.refused += 1;
            let key = (integers, "(data)".into(), "unsupported element type".into());
            refused.entry(key).or_default().insert(name);
            continue;
        };
        let case = Case {
            bytes,
            outline,
            inputs,
            expected,
            least: match CANCELLING.contains(&&*name) {
                true => 1e-5,
                false => 1e-7,
            },
        };
        let mut outcome = attempt(&case, |_| false);
        let mut free = None;
        if let Outcome::Refused(..) = &outcome {
            for first in [1, 0] {
                let again = attempt(&case, |i| i >= first);
                if !matches!(again, Outcome::Refused(..)) {
                    (outcome, free) = (again, Some(first));
                    break;
                }
            }
        }
        match outcome {
            Outcome::Passed => match free {
                None => class.passed += 1,
                Some(1) => class.frozen += 1,
                Some(_) => class.folded += 1,
            },
            Outcome::Refused(operator, reason) => {
                class.refused += 1;
                let key = (integers, operator, reason);
                refused.entry(key).or_default().insert(name);
            }
            Outcome::Failed(reason) => failed.push((name, reason)),
        }
    }
    for (name, reason) in &failed {
        println!("FAILED {name}: {reason}");
    }
    let page = page(&integer, &rest, &categories, &refused);
    println!("{page}");
    assert!(
        failed.is_empty(),
        "{} tests give another result",
        failed.len()
    );
    for ((integers, operator, reason), names) in &refused {
        let allowed = NOT_ALLOWED.contains(&&**operator);
        assert!(!integers || allowed, "{operator}: {reason}: {names:?}");
    }
    let share = rest.passing() as f64 / rest.total() as f64;
    assert!(share >= 0.9, "{share}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/onnx.md");
    if std::env::var_os("AIVM_UPDATE_DOCS").is_some() {
        std::fs::write(path, page).unwrap();
    } else {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            found == page,
            "docs/onnx.md is out of date: set AIVM_UPDATE_DOCS=1 and run this test"
        );
    }
}

/// `docs/onnx.md`.
fn page(
    integer: &Class,
    rest: &Class,
    categories: &BTreeMap<&str, usize>,
    refused: &BTreeMap<(bool, String, String), BTreeSet<String>>,
) -> String {
    let mut out = String::from(include_str!("onnx_node.md"));
    let mut row = |name: &str, class: &Class| {
        let share = class.passing() as f64 / class.total() as f64 * 100.0;
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {share:.1} % |",
            class.total(),
            class.passed,
            class.frozen,
            class.folded,
            class.refused
        )
        .unwrap();
    };
    row("integers and booleans only", integer);
    row("all others", rest);
    out += "\nNot counted:\n\n| tests | about |\n|---|---|\n";
    for (category, count) in categories {
        writeln!(out, "| {count} | {category} |").unwrap();
    }
    out += "\n## What is refused\n\nEvery refused test, by the first node that is refused.\n\n";
    out += "| operator | tests | reason | for instance |\n|---|---|---|---|\n";
    for ((_, operator, reason), names) in refused {
        let reason = REASONS
            .iter()
            .find(|(op, _)| op == operator)
            .map_or(&**reason, |(_, why)| why);
        let first = names.first().map_or("", |n| n.trim_start_matches("test_"));
        writeln!(
            out,
            "| {operator} | {} | {reason} | `{first}` |",
            names.len()
        )
        .unwrap();
    }
    out
}
