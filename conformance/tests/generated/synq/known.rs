//! Values that scripts name with `$`: keys and signatures, secrets, a model.

use serde_json::Value;

/// Where the model is, seen from the files of vectors.
pub const DIGITS: &str = "../../../nn-backends/models/digits.onnx";

const SIGNATURES: &str = include_str!("../signatures.jsonl");
const SECRETS: &str = include_str!("../../../../vm/crypto/tests/vectors/mlkem.jsonl");

/// A text with each `$name` in the place of its value.
pub fn filled(text: &str) -> String {
    let mut parts = text.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = |c: char| !c.is_ascii_alphanumeric() && c != '.';
        let (name, rest) = part.split_at(part.find(ends).unwrap_or(part.len()));
        out += &value(name);
        out += rest;
    }
    out
}

fn value(name: &str) -> String {
    let (of, part) = name.split_once('.').expect("a name has a dot");
    let field = match part {
        "secret" => "secret_key",
        other => other,
    };
    let lines = |text: &'static str| text.lines().map(|line| serde_json::from_str(line).unwrap());
    let found: Option<Value> = match of {
        "digits" => return digits(part),
        kem if kem.starts_with("mlkem") => lines(SECRETS).find(|case: &Value| case["kem"] == kem),
        scheme => lines(SIGNATURES).find(|case: &Value| case["scheme"] == scheme),
    };
    let found = found.unwrap_or_else(|| panic!("nothing is known of {of}"));
    format!("0x{}", found[field].as_str().expect("bytes"))
}

/// The model of digits: its hash, and one image of each digit.
fn digits(part: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn-backends/models");
    if part == "hash" {
        let onnx = std::fs::read(folder.join("digits.onnx")).unwrap();
        let limits = aivm_nn::ModelLimits::default();
        let model = aivm_nn::Model::from_onnx(&onnx, &limits).unwrap();
        return hex::encode(model.hash());
    }
    let images = std::fs::read(folder.join("digits-test.bin")).unwrap();
    let digit: u8 = part.parse().expect("a digit");
    let mut images = images.chunks_exact(65);
    let image = images.find(|image| image[64] == digit).expect("an image");
    let pixels: Vec<String> = image[..64].iter().map(ToString::to_string).collect();
    format!("[[{}]]", pixels.join(","))
}
