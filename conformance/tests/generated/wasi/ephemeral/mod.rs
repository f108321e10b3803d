//! The import names of the crate `wasi-nn`.

mod good;
mod loads;
mod tensors;

use aivm::TrapCode;
use aivm_conformance::action::Action;
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::super::script::{self, FETCH, Function, OUT, Script};
use super::{Net, binary, crossing, ints, sum, with_sum};
use crate::onnx::{self, I32};

const REASON: &str = "Error numbers are those of the crate wasi-nn 0.6.0, from the witx of wasi-nn; wit/deps/witx/imports.wit says which function gives which. Outputs are sums computed in the generator; host gas adds base prices and prices for each byte of lists, inference gas is the model's quote.";

pub const FUNCTIONS: &[Function] = &[
    ("wasi_ephemeral_nn.load", "iiiii", "i"),
    ("wasi_ephemeral_nn.load_by_name", "iii", "i"),
    ("wasi_ephemeral_nn.init_execution_context", "ii", "i"),
    ("wasi_ephemeral_nn.set_input", "iii", "i"),
    ("wasi_ephemeral_nn.compute", "i", "i"),
    ("wasi_ephemeral_nn.get_output", "iiiii", "i"),
];

pub(super) const INVALID_ARGUMENT: u32 = 1;
const INVALID_ENCODING: u32 = 2;
const RUNTIME_ERROR: u32 = 5;
const UNSUPPORTED: u32 = 6;
const TOO_LARGE: u32 = 7;
const NOT_FOUND: u32 = 8;

/// Numbers of the element types.
fn number(ty: &str) -> u32 {
    let all = ["f16", "f32", "f64", "u8", "i32", "i64"];
    all.iter().position(|own| *own == ty).unwrap() as u32
}

/// A script, with the steps of an inference.
#[derive(Clone)]
pub(super) struct Calls(pub Script);

/// A tensor's address, and the bytes of its lists.
pub(super) type Placed = (u32, u64);

impl Calls {
    pub fn new() -> Self {
        Self(Script::new(FUNCTIONS))
    }

    pub fn call(self, name: &str, arguments: &[u32], bytes: u64, errno: u32) -> Self {
        let key = format!("wasi_ephemeral_nn.{name}");
        Self(self.0.call(&key, arguments, bytes, errno))
    }

    /// Loads by name; the number is written to `OUT`.
    pub fn named(mut self, name: &[u8], errno: u32) -> Self {
        let at = self.0.put(name);
        let length = name.len() as u32;
        self.call("load_by_name", &[at, length, OUT], name.len() as u64, errno)
    }

    /// Loads parts.
    pub fn load(mut self, parts: &[&[u8]], encoding: u32, target: u32, errno: u32) -> Self {
        let mut list = Vec::new();
        for part in parts {
            let at = self.0.put(part);
            list.extend([at, part.len() as u32].map(u32::to_le_bytes).concat());
        }
        let at = self.0.put(&list);
        let bytes: usize = list.len() + parts.iter().map(|part| part.len()).sum::<usize>();
        let arguments = [at, parts.len() as u32, encoding, target, OUT];
        self.call("load", &arguments, bytes as u64, errno)
    }

    /// Makes a context, whose number is written behind that of the graph.
    pub fn context(self, graph: u32, errno: u32) -> Self {
        self.call("init_execution_context", &[graph, OUT + 4], 0, errno)
    }

    pub fn tensor(&mut self, ty: u32, dimensions: &[u32], data: &[u8]) -> Placed {
        let shape: Vec<u8> = dimensions.iter().flat_map(|d| d.to_le_bytes()).collect();
        let (shape_at, data_at) = (self.0.put(&shape), self.0.put(data));
        let record = [
            shape_at,
            dimensions.len() as u32,
            ty,
            data_at,
            data.len() as u32,
        ];
        let at = self.0.put(&record.map(u32::to_le_bytes).concat());
        (at, (shape.len() + data.len()) as u64)
    }

    pub fn set(self, context: u32, index: u32, (at, bytes): Placed, errno: u32) -> Self {
        self.call("set_input", &[context, index, at], bytes, errno)
    }

    /// Computes, for a quote if it succeeds.
    pub fn compute(self, context: u32, quote: u64, errno: u32) -> Self {
        let own = self.call("compute", &[context], 0, errno);
        Self(own.0.infers(quote))
    }

    /// Gets an output of `length` bytes into a buffer behind the numbers.
    pub fn output(self, context: u32, index: u32, capacity: u32, length: u64, errno: u32) -> Self {
        let arguments = [context, index, OUT + 16, capacity, OUT + 8];
        self.call("get_output", &arguments, length, errno)
    }
}

/// What `OUT` holds: the numbers of graph and context, the length of an output, and the output in 16 bytes.
fn window(graph: u32, context: u32, output: &[u8]) -> Vec<u8> {
    let words = [graph, context, output.len() as u32, 0];
    let mut bytes = words.map(u32::to_le_bytes).concat();
    bytes.extend(output);
    bytes.resize(48, 0);
    bytes
}

/// Loaded, with a context, both inputs in place.
fn ready() -> Calls {
    let mut old = Calls::new();
    let (a, b) = pair(&mut old);
    old.named(b"sum", 0)
        .context(0, 0)
        .set(0, 0, a, 0)
        .set(0, 1, b, 0)
}

fn pair(old: &mut Calls) -> (Placed, Placed) {
    let a = old.tensor(number("i32"), &[4], &ints(&[1, 2, 3, 4]));
    let b = old.tensor(number("i32"), &[4], &ints(&[10, 20, 30, 40]));
    (a, b)
}

const SUMS: [i32; 4] = [11, 22, 33, 44];

pub fn file() -> File {
    let mut file = File::new("nn", "ephemeral", REASON);
    file.share_wat("guest", &script::contract(FUNCTIONS, ""));
    let net = sum();
    good::good(&mut file, &net);
    loads::loads(&mut file, &net);
    tensors::inputs(&mut file, &net);
    tensors::outputs(&mut file, &net);
    loads::chains(&mut file, &net);
    file
}

/// A vector that runs one script, which returns.
fn push(file: &mut File, net: &Net, name: &str, rule: &str, old: Calls, window: &[u8]) {
    let old = old.0.shows(OUT, window.len() as u32);
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", old.input(), old.returns(window)));
}

/// A vector whose last call traps.
fn trap(file: &mut File, net: &Net, name: &str, rule: &str, old: Calls, code: TrapCode) {
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", old.0.input(), old.0.traps(code)));
}
