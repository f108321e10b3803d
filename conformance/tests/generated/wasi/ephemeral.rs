//! The import names of the crate `wasi-nn`.

use aivm::TrapCode;
use aivm_conformance::action::Action;
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::super::script::{self, FETCH, Function, OUT, Script};
use super::{Net, binary, crossing, ints, sum, with_sum};
use crate::onnx::{self, I32};

const REASON: &str = "Error numbers are those of the crate wasi-nn 0.6.0, from the witx of wasi-nn; wit/deps/witx/imports.wit says which function gives which. Outputs are sums computed in the generator; host gas adds base prices and prices for each byte of lists, inference gas is the model's quote.";

pub(super) const FUNCTIONS: &[Function] = &[
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
pub(super) struct Old(pub Script);

/// A tensor's address, and the bytes of its lists.
pub(super) type Placed = (u32, u64);

impl Old {
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
fn ready() -> Old {
    let mut old = Old::new();
    let (a, b) = pair(&mut old);
    old.named(b"sum", 0)
        .context(0, 0)
        .set(0, 0, a, 0)
        .set(0, 1, b, 0)
}

fn pair(old: &mut Old) -> (Placed, Placed) {
    let a = old.tensor(number("i32"), &[4], &ints(&[1, 2, 3, 4]));
    let b = old.tensor(number("i32"), &[4], &ints(&[10, 20, 30, 40]));
    (a, b)
}

const SUMS: [i32; 4] = [11, 22, 33, 44];

pub fn file() -> File {
    let mut file = File::new("nn", "ephemeral", REASON);
    file.share_wat("guest", &script::contract(FUNCTIONS, ""));
    let net = sum();
    good(&mut file, &net);
    loads(&mut file, &net);
    inputs(&mut file, &net);
    outputs(&mut file, &net);
    chains(&mut file, &net);
    file
}

/// A vector that runs one script, which returns.
fn push(file: &mut File, net: &Net, name: &str, rule: &str, old: Old, window: &[u8]) {
    let old = old.0.shows(OUT, window.len() as u32);
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", old.input(), old.returns(window)));
}

/// A vector whose last call traps.
fn trap(file: &mut File, net: &Net, name: &str, rule: &str, old: Old, code: TrapCode) {
    let draft = with_sum(name, rule, net).put("guest");
    file.push(draft.call("guest", old.0.input(), old.0.traps(code)));
}

fn good(file: &mut File, net: &Net) {
    let rule = "A model is loaded, gets its inputs one by one, runs, and gives its output.";
    for (name, ty, net, data, output) in crossing() {
        let mut old = Old::new();
        let placed = data.map(|data| old.tensor(number(ty), &[4], &data));
        let length = output.len() as u64;
        let old = old
            .named(b"sum", 0)
            .context(0, 0)
            .set(0, 0, placed[0], 0)
            .set(0, 1, placed[1], 0)
            .compute(0, net.quote, 0)
            .output(0, 0, 32, length, 0);
        let name = format!("an inference on {name}");
        push(file, &net, &name, rule, old, &window(0, 0, &output));
    }
    let digits = net.digits();
    for (name, text) in [
        ("content address", digits.clone()),
        ("tagged content address", format!("blake3:{digits}")),
        ("content address in capitals", digits.to_uppercase()),
    ] {
        let mut old = Old::new();
        let (a, b) = pair(&mut old);
        let old = old
            .named(text.as_bytes(), 0)
            .context(0, 0)
            .set(0, 1, b, 0)
            .set(0, 0, a, 0)
            .compute(0, net.quote, 0)
            .output(0, 0, 16, 16, 0);
        push(
            file,
            net,
            &format!("a model by its {name}"),
            "A name may be the content address, 64 hexadecimal digits, with `blake3:` before them or not.",
            old,
            &window(0, 0, &ints(&SUMS)),
        );
    }
    let old = ready()
        .compute(0, net.quote, 0)
        .compute(0, net.quote, 0)
        .output(0, 0, 16, 16, 0);
    push(
        file,
        net,
        "an inference that runs twice",
        "Each computation is paid for; inputs stay.",
        old,
        &window(0, 0, &ints(&SUMS)),
    );
    let mut old = ready().compute(0, net.quote, 0);
    let other = old.tensor(number("i32"), &[4], &ints(&[100, 200, 300, 400]));
    let before = old.clone().set(0, 0, other, 0).output(0, 0, 16, 16, 0);
    push(
        file,
        net,
        "an input that is set after the inference",
        "The output stays that of the last computation.",
        before,
        &window(0, 0, &ints(&SUMS)),
    );
    let after = old
        .set(0, 0, other, 0)
        .compute(0, net.quote, 0)
        .output(0, 0, 16, 16, 0);
    push(
        file,
        net,
        "an input that is set again",
        "An input that is set again replaces the one before.",
        after,
        &window(0, 0, &ints(&[110, 220, 330, 440])),
    );
    let old = Old::new()
        .named(b"sum", 0)
        .named(b"sum", 0)
        .named(b"sum", 0)
        .context(1, 0)
        .context(2, 0);
    push(
        file,
        net,
        "numbers of graphs and contexts",
        "Graphs and contexts are numbered from 0, in the order in which they are made.",
        old,
        &window(2, 1, &[]),
    );
}

fn loads(file: &mut File, net: &Net) {
    let onnx = net.onnx.as_slice();
    let rule = "The model that bytes are is served if the chain has it; finding out costs what registering costs.";
    for (name, encoding, target) in [
        ("as ONNX", 1, 0),
        ("for a GPU", 1, 1),
        ("for a TPU", 1, 2),
        ("of an encoding to be found out", 5, 0),
    ] {
        let mut old = Old::new();
        let (a, b) = pair(&mut old);
        let mut old = old.load(&[onnx], encoding, target, 0);
        old.0 = old.0.pays(net.reading + net.nodes);
        let old = old
            .context(0, 0)
            .set(0, 0, a, 0)
            .set(0, 1, b, 0)
            .compute(0, net.quote, 0)
            .output(0, 0, 16, 16, 0);
        let window = window(0, 0, &ints(&SUMS));
        push(
            file,
            net,
            &format!("a model from bytes {name}"),
            rule,
            old,
            &window,
        );
    }
    let other = Net::new(binary("Mul", (I32, &[4]), (I32, &[4])));
    let mut old = Old::new().load(&[&other.onnx], 1, 0, NOT_FOUND);
    old.0 = old.0.pays(other.reading + other.nodes);
    push(
        file,
        net,
        "bytes of a model that the chain does not have",
        "A model that nobody registered is not run, though its bytes are all there.",
        old,
        &[0; 4],
    );
    for (name, bytes) in [
        ("no bytes", &b""[..]),
        ("bytes that are no model", b"garbage\xff"),
    ] {
        let mut old = Old::new().load(&[bytes], 1, 0, INVALID_ENCODING);
        let prices = aivm::GasSchedule::v1().nn;
        let reading = prices.register_base + prices.register_per_byte * bytes.len() as u64;
        old.0 = old.0.pays(reading);
        let rule = "Reading bytes is paid for whatever they are.";
        push(
            file,
            net,
            &format!("a model from {name}"),
            rule,
            old,
            &[0; 4],
        );
    }
    for (name, encoding) in [
        ("OpenVINO", 0),
        ("TensorFlow", 2),
        ("PyTorch", 3),
        ("TensorFlow Lite", 4),
    ] {
        let old = Old::new().load(&[onnx], encoding, 0, INVALID_ENCODING);
        let rule = "Only ONNX is served; nothing else is read.";
        push(
            file,
            net,
            &format!("a model in {name}'s format"),
            rule,
            old,
            &[0; 4],
        );
    }
    for (name, parts) in [("no parts", &[][..]), ("two parts", &[onnx, onnx])] {
        let old = Old::new().load(parts, 1, 0, INVALID_ARGUMENT);
        let rule = "An ONNX model is one sequence of bytes.";
        push(file, net, &format!("a model of {name}"), rule, old, &[0; 4]);
    }
    let digits = net.digits();
    let nobody = "0".repeat(64);
    for (name, text) in [
        ("that the chain does not give", "sums"),
        ("that is empty", ""),
        ("in other letters", "Sum"),
        ("of 63 digits", &digits[1..]),
        ("of 64 digits that no model has", &nobody),
        ("of a tag alone", "blake3:"),
        ("with another tag", &format!("sha256:{digits}")),
    ] {
        let old = Old::new().named(text.as_bytes(), NOT_FOUND);
        let rule = "A name that leads to no model is not found.";
        push(file, net, &format!("a name {name}"), rule, old, &[0; 4]);
    }
    let named = Old::new().named(b"\xff\xfe", 0);
    trap(
        file,
        net,
        "a name that is no text",
        "A name is UTF-8.",
        named,
        TrapCode::BadArgument,
    );
    for (name, encoding, target) in [("an encoding", 6, 0), ("a target", 1, 3)] {
        let old = Old::new().load(&[onnx], encoding, target, 0);
        trap(
            file,
            net,
            &format!("{name} that there is not"),
            "A number that is none of the enumeration's is a trap.",
            old,
            TrapCode::BadArgument,
        );
    }
}

fn inputs(file: &mut File, net: &Net) {
    let rule = "A number that names no graph or context of this call is an invalid argument.";
    for (name, graph) in [("graph 1", 1), ("graph 4,294,967,295", u32::MAX)] {
        let old = Old::new().named(b"sum", 0).context(graph, INVALID_ARGUMENT);
        push(
            file,
            net,
            &format!("a context of {name}"),
            rule,
            old,
            &[0; 8],
        );
    }
    let old = Old::new().context(0, INVALID_ARGUMENT);
    push(file, net, "a context before any graph", rule, old, &[0; 8]);
    for context in [1, u32::MAX] {
        let mut old = ready();
        let (a, _) = pair(&mut old);
        let old = old
            .set(context, 0, a, INVALID_ARGUMENT)
            .compute(context, 0, INVALID_ARGUMENT)
            .output(context, 0, 16, 0, INVALID_ARGUMENT);
        push(
            file,
            net,
            &format!("context {context}"),
            rule,
            old,
            &window(0, 0, &[]),
        );
    }
    let rule = "An input has its place, type, shape and length from the model; any other is an invalid argument.";
    let good = ints(&[1, 2, 3, 4]);
    let i32 = number("i32");
    for (name, index, ty, dimensions, data) in [
        ("at place 2", 2, i32, &[4][..], &good[..]),
        ("at place 4,294,967,295", u32::MAX, i32, &[4], &good),
        ("of f16", 0, number("f16"), &[4], &good),
        ("of f32", 0, number("f32"), &[4], &good),
        ("of f64", 0, number("f64"), &[4], &good),
        ("of u8", 0, number("u8"), &[4], &good),
        ("of i64", 0, number("i64"), &[4], &good),
        ("of 3 elements", 0, i32, &[3], &good[..12]),
        ("of two dimensions", 0, i32, &[2, 2], &good),
        ("of no dimensions", 0, i32, &[], &good[..4]),
        ("with a dimension of 1 behind", 0, i32, &[4, 1], &good),
        ("a byte too short", 0, i32, &[4], &good[..15]),
        ("a byte too long", 0, i32, &[4], &[&good[..], &[0]].concat()),
        ("without data", 0, i32, &[4], &[]),
    ] {
        let mut old = ready();
        let tensor = old.tensor(ty, dimensions, data);
        // What was set before stays.
        let old = old
            .set(0, index, tensor, INVALID_ARGUMENT)
            .compute(0, net.quote, 0)
            .output(0, 0, 16, 16, 0);
        let window = window(0, 0, &ints(&SUMS));
        push(file, net, &format!("an input {name}"), rule, old, &window);
    }
    let mut old = Old::new().named(b"sum", 0).context(0, 0);
    // The dimensions have been paid for then, and not the data behind the type.
    let (tensor, _) = old.tensor(6, &[4], &good);
    let rule = "A number that is none of the enumeration's is a trap.";
    let old = old.set(0, 0, (tensor, 4), 0);
    trap(
        file,
        net,
        "an input of a type that there is not",
        rule,
        old,
        TrapCode::BadArgument,
    );
}

fn outputs(file: &mut File, net: &Net) {
    let rule = "A model runs when all of its inputs are set, and no gas is charged before.";
    let old = Old::new()
        .named(b"sum", 0)
        .context(0, 0)
        .compute(0, 0, INVALID_ARGUMENT);
    push(file, net, "an inference without inputs", rule, old, &[0; 8]);
    for set in [0, 1] {
        let mut old = Old::new();
        let (a, _) = pair(&mut old);
        let old = old
            .named(b"sum", 0)
            .context(0, 0)
            .set(0, set, a, 0)
            .compute(0, 0, INVALID_ARGUMENT)
            .output(0, 0, 16, 0, RUNTIME_ERROR);
        let name = format!("an inference with input {set} alone");
        push(file, net, &name, rule, old, &window(0, 0, &[]));
    }
    let rule = "There is no output before the model has run.";
    let old = ready().output(0, 0, 16, 0, RUNTIME_ERROR);
    push(
        file,
        net,
        "an output before the inference",
        rule,
        old,
        &window(0, 0, &[]),
    );
    let rule = "A buffer that is too small is an error, and nothing is written.";
    for capacity in [0, 1, 15] {
        let old = ready()
            .compute(0, net.quote, 0)
            .output(0, 0, capacity, 0, TOO_LARGE);
        let name = format!("an output into {capacity} bytes");
        push(file, net, &name, rule, old, &window(0, 0, &[]));
    }
    for capacity in [16, 17, 1_000] {
        let old = ready()
            .compute(0, net.quote, 0)
            .output(0, 0, capacity, 16, 0);
        push(
            file,
            net,
            &format!("an output into {capacity} bytes"),
            "A buffer may be larger than the output, whose length is told.",
            old,
            &window(0, 0, &ints(&SUMS)),
        );
    }
    for index in [1, u32::MAX] {
        let old = ready()
            .compute(0, net.quote, 0)
            .output(0, index, 16, 0, INVALID_ARGUMENT);
        let rule = "An output that the model does not have is an invalid argument.";
        push(
            file,
            net,
            &format!("output {index}"),
            rule,
            old,
            &window(0, 0, &[]),
        );
    }
}

/// What the chain and its schedule decide.
fn chains(file: &mut File, net: &Net) {
    let wide = Net::new(onnx::one(
        "Transpose",
        &[(5, &[2, 2])],
        &[],
        &[onnx::ints("perm", &[1, 0])],
        (5, &[2, 2]),
    ));
    let old = Old::new().named(b"sum", UNSUPPORTED);
    push(
        file,
        &wide,
        "a model of 16-bit integers",
        "The interface has no 16-bit integers: a model with them at its ends is an unsupported operation.",
        old,
        &[0; 4],
    );
    let quotient = Net::new(binary("Div", (I32, &[4]), (I32, &[4])));
    let mut old = Old::new();
    let a = old.tensor(number("i32"), &[4], &ints(&[1, 2, 3, 4]));
    let zero = old.tensor(number("i32"), &[4], &ints(&[1, 0, 1, 1]));
    let old = old
        .named(b"sum", 0)
        .context(0, 0)
        .set(0, 0, a, 0)
        .set(0, 1, zero, 0)
        .compute(0, quotient.quote, 0);
    trap(
        file,
        &quotient,
        "an inference that divides by zero",
        "A division by zero inside of a model is a trap, after the inference was charged.",
        old,
        TrapCode::BadArgument,
    );
    // A later schedule has less room for models.
    for (path, value, errno, rule) in [
        (
            "nn/max_model_bytes",
            net.onnx.len() as u64 - 1,
            INVALID_ENCODING,
            "Bytes that a later schedule does not take for a model are an invalid encoding.",
        ),
        (
            "nn/max_model_bytes",
            net.onnx.len() as u64,
            0,
            "A model of as many bytes as the schedule takes is found.",
        ),
    ] {
        let mut chain = chain();
        let changes = [(path.to_owned(), json!(value))].into();
        chain.schedules.insert(200, changes);
        let next = Action::Block {
            number: 200,
            timestamp: TIME + 200,
        };
        let old = Old::new().named(b"sum", errno).0.shows(OUT, 4);
        file.push(
            with_sum(
                format!("a model of {value} bytes under a later schedule"),
                rule,
                net,
            )
            .chain(chain)
            .put("guest")
            .step(next, Claim::default())
            .call("guest", old.input(), old.returns(&[0; 4])),
        );
    }
    let chain = chain_with(&[("nn/max_model_bytes", json!(net.onnx.len()))]);
    let long = [&net.onnx[..], &[0]].concat();
    let old = Old::new().load(&[&long], 1, 0, TOO_LARGE).0.shows(OUT, 4);
    file.push(
        with_sum(
            "bytes beyond what the schedule takes for a model",
            "More bytes than a model may have are not read, and reading is not charged.",
            net,
        )
        .chain(chain)
        .put("guest")
        .call("guest", old.input(), old.returns(&[0; 4])),
    );
    // A name that the chain gives to something else, and a model that it does not have.
    let renamed = Action::NameModel {
        name: "sum".to_owned(),
        model: aivm_abi::Digest([7; 32]),
    };
    let old = Old::new().named(b"sum", NOT_FOUND).0.shows(OUT, 4);
    file.push(
        with_sum(
            "a name of a model that the chain does not have",
            "A name leads to a content address, under which there may be nothing.",
            net,
        )
        .step(renamed, Claim::done())
        .put("guest")
        .call("guest", old.input(), old.returns(&[0; 4])),
    );
    // Nothing of one call is there in the next, or in a query.
    let first = ready().compute(0, net.quote, 0).output(0, 0, 16, 16, 0);
    let first = first.0.shows(OUT, 48);
    let then = Old::new()
        .context(0, INVALID_ARGUMENT)
        .output(0, 0, 16, 0, INVALID_ARGUMENT);
    let then = then.0.shows(OUT, 48);
    let sums = window(0, 0, &ints(&SUMS));
    file.push(
        with_sum(
            "graphs and contexts end with their call",
            "What a call has loaded, the next does not have; a query may infer.",
            net,
        )
        .put("guest")
        .call("guest", first.input(), first.returns(&sums))
        .call("guest", then.input(), then.returns(&[0; 48]))
        .query("guest", first.input(), first.returns(&sums)),
    );
    // Fetching is the script's own; it shows that the name's bytes are where they should be.
    let mut old = Old::new();
    let name = old.0.put(b"sum");
    let pair = old.0.put(&[name, 3].map(u32::to_le_bytes).concat());
    old.0 = old.0.call(FETCH, &[pair, OUT], 0, 3);
    let old = old.call("load_by_name", &[OUT, 3, OUT + 4], 3, 0);
    push(
        file,
        net,
        "a name in memory of the guest's own",
        "Arguments may lie anywhere in memory.",
        old,
        &[&b"sum\0"[..], &[0; 4]].concat(),
    );
}
