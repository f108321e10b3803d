//! `wasi:nn`, whose tensors, models, contexts and errors are resources.

mod good;
mod handles;
mod refused;

use aivm::TrapCode;
use aivm_conformance::action::Action;
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::super::script::{self, COPY, FETCH, Function, OUT, Script};
use super::{Net, binary, crossing, ints, sum, with_sum};
use crate::onnx::{self, I32};

const REASON: &str = "Error codes are those of wasi:nn 0.2.0-rc-2024-10-28, and docs/rust-contracts.md has the sentence of each refusal; handles are given as the Component Model's canonical ABI gives them, from 1, the one freed last first. Outputs are sums computed in the generator; host gas adds base prices and prices for each byte of lists, inference gas is the model's quote.";

pub const FUNCTIONS: &[Function] = &[
    ("wasi:nn.graph.load", "iiiii", ""),
    ("wasi:nn.graph.load-by-name", "iii", ""),
    (
        "wasi:nn.graph.[method]graph.init-execution-context",
        "ii",
        "",
    ),
    ("wasi:nn.graph.[resource-drop]graph", "i", ""),
    (
        "wasi:nn.inference.[method]graph-execution-context.compute",
        "iiii",
        "",
    ),
    (
        "wasi:nn.inference.[resource-drop]graph-execution-context",
        "i",
        "",
    ),
    ("wasi:nn.tensor.[constructor]tensor", "iiiii", "i"),
    ("wasi:nn.tensor.[method]tensor.dimensions", "ii", ""),
    ("wasi:nn.tensor.[method]tensor.ty", "i", "i"),
    ("wasi:nn.tensor.[method]tensor.data", "ii", ""),
    ("wasi:nn.tensor.[resource-drop]tensor", "i", ""),
    ("wasi:nn.errors.[method]error.code", "i", "i"),
    ("wasi:nn.errors.[method]error.data", "ii", ""),
    ("wasi:nn.errors.[resource-drop]error", "i", ""),
];

/// The types by their numbers.
const TYPES: [&str; 7] = ["f16", "f32", "f64", "bf16", "u8", "i32", "i64"];

fn number(ty: &str) -> u32 {
    TYPES.iter().position(|own| *own == ty).unwrap() as u32
}

/// A refusal: the number of its code and its sentence.
type Refusal = (u32, &'static str);
const NO_MODEL: Refusal = (6, "the chain has no such model");
const NO_ONNX: Refusal = (1, "only ONNX is served");
const UNREADABLE: Refusal = (1, "the bytes are no model that can be used");
const PARTS: Refusal = (0, "a model is one sequence of bytes");
const LONG: Refusal = (5, "the model has too many bytes");
const HUNGRY: Refusal = (5, "the model needs too much memory");
const FOREIGN: Refusal = (
    4,
    "the model has tensors of a type that this interface lacks",
);
const TYPE: Refusal = (0, "an input has another element type");
const SHAPE: Refusal = (0, "an input has another shape");
const LENGTH: Refusal = (0, "an input's data does not fit its shape");
const NAME: Refusal = (0, "the model has no input of this name");
const TWICE: Refusal = (0, "an input is given twice");
const MISSING: Refusal = (0, "an input is missing");

/// A script, with the steps of an inference.
#[derive(Clone)]
pub(super) struct Calls(pub Script);

impl Calls {
    pub fn new() -> Self {
        Self(Script::new(FUNCTIONS))
    }

    pub fn call(self, name: &str, arguments: &[u32], bytes: u64, result: u32) -> Self {
        let key = format!("wasi:nn.{name}");
        Self(self.0.call(&key, arguments, bytes, result))
    }

    /// Loads by name; the result goes to `OUT`.
    pub fn named(mut self, name: &[u8]) -> Self {
        let at = self.0.put(name);
        let length = name.len() as u32;
        let arguments = [at, length, OUT];
        self.call("graph.load-by-name", &arguments, name.len() as u64, 0)
    }

    /// Loads parts; the result goes to `OUT`.
    fn load(mut self, parts: &[&[u8]], encoding: u32, pays: u64) -> Self {
        let mut list = Vec::new();
        for part in parts {
            let at = self.0.put(part);
            list.extend([at, part.len() as u32].map(u32::to_le_bytes).concat());
        }
        let at = self.0.put(&list);
        let bytes: usize = list.len() + parts.iter().map(|part| part.len()).sum::<usize>();
        let arguments = [at, parts.len() as u32, encoding, 0, OUT];
        let own = self.call("graph.load", &arguments, bytes as u64, 0);
        Self(own.0.pays(pays))
    }

    /// Makes a context; the result goes behind that of loading.
    pub fn context(self, graph: u32) -> Self {
        let name = "graph.[method]graph.init-execution-context";
        self.call(name, &[graph, OUT + 8], 0, 0)
    }

    /// Makes a tensor, which gets this handle.
    pub fn tensor(mut self, ty: u32, dimensions: &[u32], data: &[u8], handle: u32) -> Self {
        let shape: Vec<u8> = dimensions.iter().flat_map(|d| d.to_le_bytes()).collect();
        let (shape_at, data_at) = (self.0.put(&shape), self.0.put(data));
        let (rank, length) = (dimensions.len() as u32, data.len() as u32);
        let arguments = [shape_at, rank, ty, data_at, length];
        let bytes = (shape.len() + data.len()) as u64;
        self.call("tensor.[constructor]tensor", &arguments, bytes, handle)
    }

    /// Runs with named tensors; `back` is the number of bytes of the result's lists.
    pub fn compute(mut self, context: u32, inputs: &[(&str, u32)], back: u64, quote: u64) -> Self {
        let mut list = Vec::new();
        for (name, handle) in inputs {
            let at = self.0.put(name.as_bytes());
            let record = [at, name.len() as u32, *handle];
            list.extend(record.map(u32::to_le_bytes).concat());
        }
        let at = self.0.put(&list);
        let names: usize = inputs.iter().map(|(name, _)| name.len()).sum();
        let bytes = (list.len() + names) as u64 + back;
        let name = "inference.[method]graph-execution-context.compute";
        let arguments = [context, at, inputs.len() as u32, OUT + 16];
        let own = self.call(name, &arguments, bytes, 0);
        Self(own.0.infers(quote))
    }

    /// Copies a tensor's data to `OUT + 64`.
    pub fn data(self, tensor: u32, length: u32) -> Self {
        let name = "tensor.[method]tensor.data";
        self.call(name, &[tensor, OUT + 40], length.into(), 0)
            .fetch(OUT + 40, OUT + 64, length)
    }

    fn fetch(self, pair: u32, to: u32, length: u32) -> Self {
        Self(self.0.call(FETCH, &[pair, to], 0, length))
    }

    /// Looks at an error, and copies its sentence to `OUT + 64`.
    pub fn refused(self, error: u32, (code, text): Refusal) -> Self {
        let length = text.len() as u32;
        self.call("errors.[method]error.code", &[error], 0, code)
            .call(
                "errors.[method]error.data",
                &[error, OUT + 40],
                length.into(),
                0,
            )
            .fetch(OUT + 40, OUT + 64, length)
    }

    pub fn drop(self, kind: &str, handle: u32) -> Self {
        let interface = match kind {
            "graph-execution-context" => "inference",
            kind => kind,
        };
        let interface = if kind == "error" { "errors" } else { interface };
        self.call(
            &format!("{interface}.[resource-drop]{kind}"),
            &[handle],
            0,
            0,
        )
    }
}

const A: [i32; 4] = [1, 2, 3, 4];
const B: [i32; 4] = [10, 20, 30, 40];
const SUMS: [i32; 4] = [11, 22, 33, 44];
/// Bytes of the lists that an inference with one output `y` gives.
const ONE_OUTPUT: u64 = 12 + 1;

/// Graph 1 and context 2, with tensors 3 and 4.
fn ready() -> Calls {
    let ty = number("i32");
    Calls::new()
        .named(b"sum")
        .context(1)
        .tensor(ty, &[4], &ints(&A), 3)
        .tensor(ty, &[4], &ints(&B), 4)
}

pub fn file() -> File {
    let mut file = File::new("nn", "component", REASON);
    file.share_wat("guest", &script::contract(FUNCTIONS, ""));
    let net = sum();
    good::good(&mut file, &net);
    good::tensors(&mut file, &net);
    refused::refusals(&mut file, &net);
    handles::handles(&mut file, &net);
    handles::limits(&mut file, &net);
    file
}

fn push(file: &mut File, net: &Net, name: &str, rule: &str, own: Calls, at: u32, window: &[u8]) {
    let script = own.0.shows(at, window.len() as u32);
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", script.input(), script.returns(window)));
}

fn trap(file: &mut File, net: &Net, name: &str, own: Calls, code: TrapCode) {
    let rule = "A handle names what was given to this call and is still held, as what it is; anything else is a trap.";
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", own.0.input(), own.0.traps(code)));
}
