//! `wasi:nn`, whose tensors, models, contexts and errors are resources.

use aivm::TrapCode;
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::super::script::{self, COPY, FETCH, Function, OUT, Script};
use super::{Net, binary, crossing, ints, sum, with_sum};
use crate::onnx::{self, I32};

const REASON: &str = "Error codes are those of wasi:nn 0.2.0-rc-2024-10-28, and docs/rust-contracts.md has the sentence of each refusal; handles are given as the Component Model's canonical ABI gives them, from 1, the one freed last first. Outputs are sums computed in the generator; host gas adds base prices and prices for each byte of lists, inference gas is the model's quote.";

pub(super) const FUNCTIONS: &[Function] = &[
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
pub(super) struct New(pub Script);

impl New {
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
fn ready() -> New {
    let ty = number("i32");
    New::new()
        .named(b"sum")
        .context(1)
        .tensor(ty, &[4], &ints(&A), 3)
        .tensor(ty, &[4], &ints(&B), 4)
}

pub fn file() -> File {
    let mut file = File::new("nn", "component", REASON);
    file.share_wat("guest", &script::contract(FUNCTIONS, ""));
    let net = sum();
    good(&mut file, &net);
    tensors(&mut file, &net);
    refusals(&mut file, &net);
    handles(&mut file, &net);
    limits(&mut file, &net);
    file
}

fn push(file: &mut File, net: &Net, name: &str, rule: &str, own: New, at: u32, window: &[u8]) {
    let script = own.0.shows(at, window.len() as u32);
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", script.input(), script.returns(window)));
}

fn trap(file: &mut File, net: &Net, name: &str, own: New, code: TrapCode) {
    let rule = "A handle names what was given to this call and is still held, as what it is; anything else is a trap.";
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", own.0.input(), own.0.traps(code)));
}

fn good(file: &mut File, net: &Net) {
    let rule = "A model is loaded, runs on named tensors, and gives named tensors.";
    for (name, ty, net, [a, b], output) in crossing() {
        let ty = number(ty);
        let length = output.len() as u32;
        // What was given away is free again, the last first.
        let own = New::new()
            .named(b"sum")
            .context(1)
            .tensor(ty, &[4], &a, 3)
            .tensor(ty, &[4], &b, 4)
            .compute(2, &[("x0", 3), ("x1", 4)], ONE_OUTPUT, net.quote)
            .data(4, length);
        let name = format!("an inference on {name}");
        push(file, &net, &name, rule, own, OUT + 64, &output);
    }
    for (name, inputs) in [
        ("in the other order", [("x1", 4), ("x0", 3)]),
        ("by their positions", [("0", 3), ("1", 4)]),
        ("by position and by name", [("1", 4), ("x0", 3)]),
        (
            "by positions with zeros before them",
            [("00", 3), ("01", 4)],
        ),
    ] {
        let last = inputs[1].1;
        let own = ready()
            .compute(2, &inputs, ONE_OUTPUT, net.quote)
            .data(last, 16);
        push(
            file,
            net,
            &format!("inputs {name}"),
            "An input goes by its name in the model or by its position in decimal digits, in any order.",
            own,
            OUT + 64,
            &ints(&SUMS),
        );
    }
    let mut own = ready().compute(2, &[("x0", 3), ("x1", 4)], ONE_OUTPUT, net.quote);
    // The list of one output: its name's pointer and length, and its handle.
    own.0 =
        own.0
            .call(COPY, &[OUT + 20, OUT + 48, 12], 0, 0)
            .call(FETCH, &[OUT + 48, OUT + 60], 0, 1);
    let window = [&4u32.to_le_bytes()[..], b"y\0\0\0"].concat();
    push(
        file,
        net,
        "the name and the handle of an output",
        "Outputs come under their names in the model; a handle that was freed last is given first.",
        own,
        OUT + 56,
        &window,
    );
    let window: Vec<u8> = [0u32, 1, 0, 2]
        .iter()
        .flat_map(|w| w.to_le_bytes())
        .collect();
    let own = New::new().named(b"sum").context(1);
    push(
        file,
        net,
        "the first two handles",
        "Handles of all kinds come from one table, from 1.",
        own,
        OUT,
        &window,
    );
    let own = ready()
        .drop("graph", 1)
        .compute(2, &[("x0", 3), ("x1", 4)], ONE_OUTPUT, net.quote)
        .data(4, 16);
    push(
        file,
        net,
        "a context without its graph",
        "A context lives on when its graph is dropped.",
        own,
        OUT + 64,
        &ints(&SUMS),
    );
    let digits = net.digits();
    for text in [
        digits.clone(),
        format!("blake3:{digits}"),
        digits.to_uppercase(),
    ] {
        let own = New::new().named(text.as_bytes());
        let name = format!("the name {}...", &text[..12]);
        let rule = "A name may be the content address, 64 hexadecimal digits, with `blake3:` before them or not.";
        push(file, net, &name, rule, own, OUT, &[0, 0, 0, 0, 1, 0, 0, 0]);
    }
    for (name, encoding) in [("as ONNX", 1), ("of an encoding to be found out", 6)] {
        let own = New::new().load(&[&net.onnx], encoding, net.reading + net.nodes);
        push(
            file,
            net,
            &format!("a model from bytes {name}"),
            "The model that bytes are is served if the chain has it; finding out costs what registering costs.",
            own,
            OUT,
            &[0, 0, 0, 0, 1, 0, 0, 0],
        );
    }
}

fn tensors(file: &mut File, net: &Net) {
    let rule = "A tensor gives back what it was made of, whatever that is; nothing is checked before it is used.";
    for (ty, name) in TYPES.iter().enumerate() {
        let (data, dimensions) = ([7, 8, 9, ty as u8, 255], [2, ty as u32, 0]);
        let own = New::new()
            .tensor(ty as u32, &dimensions, &data, 1)
            .call("tensor.[method]tensor.ty", &[1], 0, ty as u32)
            .data(1, 5)
            .call("tensor.[method]tensor.dimensions", &[1, OUT + 48], 12, 0);
        let own = New(own.0.call(COPY, &[OUT + 48, OUT + 69, 12], 0, 0));
        let mut window = data.to_vec();
        window.extend(dimensions.iter().flat_map(|d| d.to_le_bytes()));
        push(
            file,
            net,
            &format!("a tensor of {name}"),
            rule,
            own,
            OUT + 64,
            &window,
        );
    }
    let own = New::new()
        .tensor(0, &[], &[], 1)
        .call("tensor.[method]tensor.ty", &[1], 0, 0)
        .data(1, 0)
        .call("tensor.[method]tensor.dimensions", &[1, OUT], 0, 0);
    push(
        file,
        net,
        "a tensor of nothing",
        rule,
        own,
        OUT + 4,
        &[0; 4],
    );
    // Handles that are free are given again, the last first.
    let one = |own: New, handle| own.tensor(4, &[1], &[handle as u8], handle);
    let mut own = New::new();
    for handle in [1, 2, 3] {
        own = one(own, handle);
    }
    own = own.drop("tensor", 2).drop("tensor", 1);
    for handle in [1, 2, 4] {
        own = one(own, handle);
    }
    let rule = "A handle that was freed last is given first.";
    push(
        file,
        net,
        "handles that are used again",
        rule,
        own,
        OUT,
        &[],
    );
}

fn refusals(file: &mut File, net: &Net) {
    let rule = "A refusal is an error with a code for programs and a sentence for people.";
    let mut refuse = |name: &str, own: New, error: u32, refusal: Refusal| {
        let own = own.refused(error, refusal);
        push(file, net, name, rule, own, OUT + 64, refusal.1.as_bytes());
    };
    let new = New::new;
    refuse(
        "a name that the chain does not give",
        new().named(b"other"),
        1,
        NO_MODEL,
    );
    refuse("an empty name", new().named(b""), 1, NO_MODEL);
    let nobody = "ab".repeat(32);
    refuse(
        "an address that no model has",
        new().named(nobody.as_bytes()),
        1,
        NO_MODEL,
    );
    for (name, encoding) in [
        ("OpenVINO", 0),
        ("TensorFlow", 2),
        ("PyTorch", 3),
        ("TensorFlow Lite", 4),
        ("GGML", 5),
    ] {
        let own = new().load(&[&net.onnx], encoding, 0);
        refuse(&format!("a model in {name}'s format"), own, 1, NO_ONNX);
    }
    refuse("a model of no parts", new().load(&[], 1, 0), 1, PARTS);
    let own = new().load(&[&net.onnx, &net.onnx], 1, 0);
    refuse("a model of two parts", own, 1, PARTS);
    let prices = aivm::GasSchedule::v1().nn;
    let reading = prices.register_base + 7 * prices.register_per_byte;
    let own = new().load(&[b"garbage"], 6, reading);
    refuse("bytes that are no model", own, 1, UNREADABLE);
    let other = Net::new(binary("Mul", (I32, &[4]), (I32, &[4])));
    let own = new().load(&[&other.onnx], 1, other.reading + other.nodes);
    refuse(
        "bytes of a model that the chain does not have",
        own,
        1,
        NO_MODEL,
    );
    // The inputs are gone then, and the error gets the handle that was freed last.
    let run = |inputs: &[(&str, u32)]| ready().compute(2, inputs, 0, 0);
    refuse("an input that is missing", run(&[("x1", 4)]), 4, MISSING);
    refuse("no inputs", run(&[]), 5, MISSING);
    for name in [
        "x2",
        "X0",
        "",
        "2",
        "+0",
        "-0",
        " 0",
        "0x0",
        "18446744073709551616",
    ] {
        let own = run(&[("x0", 3), (name, 4)]);
        refuse(&format!("an input of the name \"{name}\""), own, 4, NAME);
    }
    refuse(
        "an input twice by name",
        run(&[("x0", 3), ("x0", 4)]),
        4,
        TWICE,
    );
    refuse(
        "an input by name and by position",
        run(&[("x0", 3), ("0", 4)]),
        4,
        TWICE,
    );
    let i32 = number("i32");
    let good = ints(&A);
    let long = [&good[..], &[0]].concat();
    let wrong: [(&str, u32, &[u32], &[u8], Refusal); 11] = [
        ("of f16", 0, &[4], &good, TYPE),
        ("of f32", 1, &[4], &good, TYPE),
        ("of f64", 2, &[4], &good, TYPE),
        ("of bf16", 3, &[4], &good, TYPE),
        ("of u8", 4, &[4], &good, TYPE),
        ("of i64", 6, &[4], &good, TYPE),
        ("of 3 elements", i32, &[3], &good[..12], SHAPE),
        ("of two dimensions", i32, &[2, 2], &good, SHAPE),
        ("of no dimensions", i32, &[], &good, SHAPE),
        ("a byte too short", i32, &[4], &good[..15], LENGTH),
        ("a byte too long", i32, &[4], &long, LENGTH),
    ];
    for (name, ty, dimensions, data, refusal) in wrong {
        let own = New::new()
            .named(b"sum")
            .context(1)
            .tensor(ty, dimensions, data, 3)
            .tensor(i32, &[4], &ints(&B), 4)
            .compute(2, &[("x0", 3), ("x1", 4)], 0, 0);
        refuse(&format!("an input {name}"), own, 4, refusal);
    }
    let wide = Net::new(onnx::one(
        "Transpose",
        &[(5, &[2, 2])],
        &[],
        &[onnx::ints("perm", &[1, 0])],
        (5, &[2, 2]),
    ));
    let own = New::new().named(b"sum").refused(1, FOREIGN);
    let rule = "The interface has no 16-bit integers: a model with them at its ends is an unsupported operation.";
    push(
        file,
        &wide,
        "a model of 16-bit integers",
        rule,
        own,
        OUT + 64,
        FOREIGN.1.as_bytes(),
    );
    let chain = chain_with(&[("nn/max_model_bytes", json!(net.onnx.len()))]);
    let bytes = [&net.onnx[..], &[0]].concat();
    let own = New::new().load(&[&bytes], 1, 0).refused(1, LONG);
    let script = own.0.shows(OUT + 64, LONG.1.len() as u32);
    file.push(
        with_sum(
            "bytes beyond what the schedule takes for a model",
            "More bytes than a model may have are not read, and reading is not charged.",
            net,
        )
        .chain(chain)
        .put("guest")
        .call("guest", script.input(), script.returns(LONG.1.as_bytes())),
    );
}

fn handles(file: &mut File, net: &Net) {
    let ty = "tensor.[method]tensor.ty";
    let bad = TrapCode::BadHandle;
    for handle in [0, 1, 5, u32::MAX] {
        let own = New::new().call(ty, &[handle], 0, 0);
        trap(
            file,
            net,
            &format!("handle {handle} before any was given"),
            own,
            bad,
        );
    }
    let made = || New::new().tensor(4, &[1], &[1], 1);
    for (name, own) in [
        (
            "a tensor that was dropped",
            made().drop("tensor", 1).call(ty, &[1], 0, 0),
        ),
        (
            "a tensor that is dropped twice",
            made().drop("tensor", 1).drop("tensor", 1),
        ),
        ("a tensor dropped as an error", made().drop("error", 1)),
        ("a tensor dropped as a graph", made().drop("graph", 1)),
        (
            "a tensor dropped as a context",
            made().drop("graph-execution-context", 1),
        ),
        (
            "the code of a tensor",
            made().call("errors.[method]error.code", &[1], 0, 0),
        ),
        ("a context of a tensor", made().context(1)),
        (
            "the type of a graph",
            New::new().named(b"sum").call(ty, &[1], 0, 0),
        ),
        (
            "an inference in a graph",
            New::new().named(b"sum").compute(1, &[], 0, 0),
        ),
        (
            "the type of an error",
            New::new().named(b"other").call(ty, &[1], 0, 0),
        ),
        (
            "an error that was dropped",
            New::new().named(b"other").drop("error", 1).call(
                "errors.[method]error.code",
                &[1],
                0,
                0,
            ),
        ),
        (
            "a context of a graph that was dropped",
            New::new().named(b"sum").drop("graph", 1).context(1),
        ),
        (
            "an inference in a context that was dropped",
            ready()
                .drop("graph-execution-context", 2)
                .compute(2, &[], 0, 0),
        ),
    ] {
        trap(file, net, name, own, bad);
    }
    // Lists are paid for before their handles are looked at, here up to the name of the second.
    let given = ready().compute(2, &[("x0", 3), ("x1", 3)], 0, 0);
    trap(file, net, "a tensor that is given away twice", given, bad);
    let graph = ready().compute(2, &[("x0", 1)], 0, 0);
    trap(file, net, "a graph given away as a tensor", graph, bad);
    let used = ready()
        .compute(2, &[("x2", 3)], 0, 0)
        .drop("error", 3)
        .call(ty, &[3], 0, 0);
    trap(
        file,
        net,
        "a tensor that was given to an inference that failed",
        used,
        bad,
    );
}

fn limits(file: &mut File, net: &Net) {
    let rule = "A call holds 1,024 resources at a time.";
    let many = |rounds| {
        let own = New::new().tensor(4, &[1], &[1], rounds);
        own.0.rounds(rounds)
    };
    let draft = with_sum("1,024 tensors at a time", rule, net).put("guest");
    let script = many(1_024);
    file.push(draft.call("guest", script.input(), script.returns(&[])));
    let draft = with_sum("1,025 tensors at a time", rule, net).put("guest");
    let script = many(1_025);
    file.push(draft.call(
        "guest",
        script.input(),
        script.traps(TrapCode::ResourceLimit),
    ));
    let draft = with_sum("3,000 tensors one after the other", rule, net).put("guest");
    let script = New::new()
        .tensor(4, &[1], &[1], 1)
        .drop("tensor", 1)
        .0
        .rounds(3_000);
    file.push(draft.call("guest", script.input(), script.returns(&[])));
    let rule = "Tensors hold no more bytes at a time than the schedule allows an inference.";
    let chain = chain_with(&[("nn/max_memory", json!(20))]);
    let two = New::new()
        .tensor(4, &[4], &[1; 16], 1)
        .tensor(4, &[4], &[1; 4], 2);
    for (name, own, code) in [
        ("all the bytes that tensors may have", two.clone(), None),
        (
            "a byte more than tensors may have",
            two.clone().tensor(4, &[1], &[1], 3),
            Some(TrapCode::ResourceLimit),
        ),
        (
            "bytes of a tensor that was dropped",
            two.drop("tensor", 1).tensor(4, &[16], &[1; 16], 1),
            None,
        ),
    ] {
        let claim: Claim = match code {
            None => own.0.returns(&[]),
            Some(code) => own.0.traps(code),
        };
        let draft = Draft::new(name, rule).chain(chain.clone()).put("guest");
        file.push(draft.call("guest", own.0.input(), claim));
    }
}
