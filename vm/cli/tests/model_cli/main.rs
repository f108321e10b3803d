//! `aivm model` as its users meet it.

mod inspect;
mod manifest;
mod quantize;
mod run;
mod trace;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn digits() -> String {
    format!(
        "{}/../../nn-backends/models/digits.onnx",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn model(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aivm"))
        .arg("model")
        .args(args)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a command prints with --json, and its exit status.
fn json(args: &[&str]) -> (Value, i32) {
    let output = model(&[args, &["--json"]].concat());
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
    (value, output.status.code().unwrap())
}

/// The command fails with status 2 and says all of `hints`.
fn fails(args: &[&str], hints: &[&str]) {
    let output = model(args);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    for hint in hints {
        assert!(text(&output).contains(hint), "{hint}: {}", text(&output));
    }
}

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Pixels of a held-out image, and what onnxruntime gives for it.
fn image(n: usize) -> (Vec<u8>, Vec<i64>) {
    let models = format!("{}/../../nn-backends/models", env!("CARGO_MANIFEST_DIR"));
    let images = std::fs::read(format!("{models}/digits-test.bin")).unwrap();
    let reference = std::fs::read(format!("{models}/digits-reference.json")).unwrap();
    let reference: Value = serde_json::from_slice(&reference).unwrap();
    let logits = serde_json::from_value(reference["logits"][n].clone()).unwrap();
    (images[n * 65..n * 65 + 64].to_vec(), logits)
}

fn npy(data: &[u8]) -> Vec<u8> {
    let mut header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 64), }".to_vec();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header);
    out.extend(data);
    out
}

/// A message of protobuf fields: number and bytes, or number and integer.
fn message(fields: &[(u8, &[u8])], numbers: &[(u8, u8)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, value) in numbers {
        out.extend([number << 3, *value]);
    }
    for (number, bytes) in fields {
        out.push(number << 3 | 2);
        let mut n = bytes.len();
        while n >= 0x80 {
            out.push(n as u8 | 0x80);
            n >>= 7;
        }
        out.push(n as u8);
        out.extend(*bytes);
    }
    out
}

/// A model over one `f32[2]`, or over a symbolic dimension, with these nodes in a row.
fn chain(operators: &[&str], symbolic: bool) -> Vec<u8> {
    chain_named(operators, symbolic, "")
}

/// As [`chain`], with something behind each name.
fn chain_named(operators: &[&str], symbolic: bool, behind: &str) -> Vec<u8> {
    let input = format!("x{behind}");
    let dim = match symbolic {
        true => message(&[(2, format!("batch{behind}").as_bytes())], &[]),
        false => message(&[], &[(1, 2)]),
    };
    let shape = message(&[(1, &dim)], &[]);
    let tensor = message(&[(2, &shape)], &[(1, 1)]);
    let ty = message(&[(1, &tensor)], &[]);
    let value = |name: &str| message(&[(1, name.as_bytes()), (2, &ty)], &[]);
    let mut graph = Vec::new();
    for (i, operator) in operators.iter().enumerate() {
        // All read the input, so that one that is refused hides no other.
        let output = format!("y{i}{behind}");
        let node = message(
            &[
                (1, input.as_bytes()),
                (2, output.as_bytes()),
                (3, format!("node {i}{behind}").as_bytes()),
                (4, operator.as_bytes()),
            ],
            &[],
        );
        graph.extend(message(&[(1, &node)], &[]));
    }
    graph.extend(message(&[(11, &value(&input))], &[]));
    let last = format!("y{}{behind}", operators.len() - 1);
    graph.extend(message(&[(12, &value(&last))], &[]));
    let opset = message(&[], &[(2, 17)]);
    message(&[(7, &graph), (8, &opset)], &[(1, 8)])
}
