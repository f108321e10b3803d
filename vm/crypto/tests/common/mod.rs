//! Reading the files in `tests/vectors`.

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use serde_json::Value;

/// The objects of a file with one on each line.
pub fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

pub fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(value, field)).unwrap()
}

pub fn scheme(name: &str) -> Option<SignatureScheme> {
    let mut all = (0..).map_while(SignatureScheme::from_index);
    all.find(|scheme| scheme.name() == name)
}

pub fn kem(name: &str) -> Option<Kem> {
    let mut all = (0..).map_while(Kem::from_index);
    all.find(|kem| kem.name() == name)
}
