//! Guests that were written for other hosts: WASI preview 1, `wasi_ephemeral_nn` and `wasi:nn`.
//!
//! Error numbers are those of the witx files, as the crates `wasi` 0.11.1 and `wasi-nn` 0.6.0 have
//! them; `docs/host-interface.md` says which of them a function gives when.

pub mod component;
pub mod ephemeral;
mod guests;
mod hostile;
mod pointers;
mod preview1;

use aivm_conformance::action::{Action, Bytes, Hex};
use aivm_conformance::outcome::Claim;
use aivm_nn::{Model, ModelLimits};

use super::draft::*;
use super::onnx::{self, BOOL, F32, I32, I64, Shape, U8};

/// Files of the suite `metering`.
pub fn metering() -> Vec<File> {
    vec![preview1::file().made_by("wasi")]
}

/// Files of the suite `nn`.
pub fn nn() -> Vec<File> {
    vec![
        named("wasi-nn", ephemeral::file()),
        named("wasi:nn", component::file()),
        guests::file().made_by("wasi"),
    ]
}

/// Files of the suite `hostile`.
pub fn hostile() -> Vec<File> {
    vec![hostile::file().made_by("wasi")]
}

/// A file with the interface in each vector's name.
fn named(interface: &str, mut file: File) -> File {
    for vector in &mut file.0.vectors {
        vector.name = format!("{interface}: {}", vector.name);
    }
    file.made_by("wasi")
}

/// A model with what its inference must give and cost.
pub struct Net {
    onnx: Vec<u8>,
    hash: [u8; 32],
    quote: u64,
    memory: u64,
    /// What reading its bytes costs, the work in it, and its nodes.
    reading: u64,
    nodes: u64,
}

impl Net {
    fn new(onnx: Vec<u8>) -> Self {
        let model = Model::from_onnx(&onnx, &ModelLimits::default());
        let model = model.unwrap_or_else(|e| panic!("{e}"));
        let prices = aivm::GasSchedule::v1().nn;
        Self {
            hash: model.hash(),
            quote: model.quote(&prices).gas,
            memory: model.quote(&prices).memory,
            reading: prices.register_base
                + prices.register_per_byte * onnx.len() as u64
                + prices.register_per_work
                    * Model::from_onnx_measured(&onnx, &ModelLimits::default()).1,
            nodes: prices.register_per_node * model.graph().nodes().len() as u64,
            onnx,
        }
    }

    fn register(&self) -> Action {
        Action::RegisterModel {
            model: Bytes::Hex(Hex(self.onnx.clone())),
        }
    }

    /// Its content address in digits.
    fn digits(&self) -> String {
        hex::encode(self.hash)
    }

    fn name(&self, name: &str) -> Action {
        Action::NameModel {
            name: name.to_owned(),
            model: aivm_abi::Digest(self.hash),
        }
    }
}

/// `y = x0 + x1`, four 32-bit integers each.
pub fn sum() -> Net {
    Net::new(binary("Add", (I32, &[4]), (I32, &[4])))
}

fn binary(op: &str, input: Shape<'_>, output: Shape<'_>) -> Vec<u8> {
    onnx::one(op, &[input, input], &[], &[], output)
}

fn ints(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A name, an element type, a model with two inputs of it, the inputs, and the output.
type Crossing = (&'static str, &'static str, Net, [Vec<u8>; 2], Vec<u8>);

/// A model for each element type that crosses, with the output that arithmetic here gives.
fn crossing() -> Vec<Crossing> {
    let (a, b) = ([1i32, -2, 3, i32::MAX], [10i32, 20, -30, 1]);
    let longs: [Vec<i64>; 2] = [a, b].map(|v| v.iter().map(|v| i64::from(*v) << 33).collect());
    let bytes64 = |v: &[i64]| -> Vec<u8> { v.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let floats = [[1.5f32, -2.25, 0.1, 1e10], [3.0, -0.5, 0.2, -1e-10]];
    let bytes32 = |v: &[f32]| -> Vec<u8> { v.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let wrapped: Vec<i32> = a.iter().zip(b).map(|(a, b)| a.wrapping_add(b)).collect();
    let long: Vec<i64> = longs[0].iter().zip(&longs[1]).map(|(a, b)| a + b).collect();
    let float: Vec<f32> = floats[0]
        .iter()
        .zip(floats[1])
        .map(|(a, b)| a + b)
        .collect();
    vec![
        ("i32", "i32", sum(), [ints(&a), ints(&b)], ints(&wrapped)),
        (
            "i64",
            "i64",
            Net::new(binary("Add", (I64, &[4]), (I64, &[4]))),
            [bytes64(&longs[0]), bytes64(&longs[1])],
            bytes64(&long),
        ),
        (
            "f32",
            "f32",
            Net::new(binary("Add", (F32, &[4]), (F32, &[4]))),
            [bytes32(&floats[0]), bytes32(&floats[1])],
            bytes32(&float),
        ),
        (
            "truth values",
            "u8",
            Net::new(binary("And", (BOOL, &[4]), (BOOL, &[4]))),
            [vec![1, 1, 0, 0], vec![1, 0, 1, 0]],
            vec![1, 0, 0, 0],
        ),
        (
            "i32 that give truth values",
            "i32",
            Net::new(binary("Less", (I32, &[4]), (BOOL, &[4]))),
            [ints(&a), ints(&b)],
            vec![1, 1, 0, 0],
        ),
        (
            "u8",
            "u8",
            Net::new(binary("Equal", (U8, &[4]), (BOOL, &[4]))),
            [vec![1, 2, 3, 255], vec![1, 0, 3, 254]],
            vec![1, 0, 1, 0],
        ),
    ]
}

/// A vector on a chain with this model, which it calls `sum`.
pub fn with_sum(name: impl Into<String>, rule: impl Into<String>, net: &Net) -> Draft {
    Draft::new(name, rule)
        .step(net.register(), Claim::accepted())
        .step(net.name("sum"), Claim::done())
}
