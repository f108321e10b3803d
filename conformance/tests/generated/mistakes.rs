//! What was wrong once, in this implementation or in others, and shows in a receipt.

use aivm::{GasSchedule, TrapCode};
use aivm_conformance::action::{Action, Bytes, Hex, Message};
use aivm_conformance::outcome::Claim;

use super::draft::*;
use super::guest::{call, guest, push_word, word};
use super::onnx::{self, I8, I32, U8};

pub fn files() -> Vec<File> {
    let mut file = File::new(
        "hostile",
        "mistakes",
        "Each vector tells the mistake that it would show. What is claimed follows from the steps: a block that is given up has left nothing, a section costs its bytes, and a binary of WebAssembly 2.0 is what its grammar says.",
    )
    .made_by("mistakes");
    abandoned(&mut file);
    custom_sections(&mut file);
    binaries(&mut file);
    early_returns(&mut file);
    models(&mut file);
    bombs(&mut file);
    vec![file]
}

fn next(number: u64) -> Action {
    Action::Block {
        number,
        timestamp: TIME + number,
    }
}

/// A contract that keeps how often it was called, and tells.
fn counter() -> String {
    let one = word(1);
    let count = format!(
        "(call $storage.load {one} (i32.const 64))
         (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.const 1)))
         (call $storage.store {one} {})
         (call $result (i32.const 0) (i32.const 64) (i32.const 8))",
        push_word("(i32.const 64)")
    );
    guest(&["storage.load", "storage.store"], &call(&count))
}

/// Blocks that are given up, whose code and models a node may still hold.
fn abandoned(file: &mut File) {
    file.share_wat("counter", &counter());
    let quote = format!(
        "(call $nn.quote {} (i32.const 2048))
         (call $result (i32.const 0) (i32.const 2048) (i32.const 16))",
        push_word("(local.get $at)")
    );
    file.share_wat("quote", &guest(&["nn.quote"], &call(&quote)));
    let give_up = |draft: Draft| draft.step(Action::Abandon {}, Claim::done());
    let counts = |draft: Draft, n: u64| draft.call("counter", [], Claim::returns(n.to_le_bytes()));
    let deploys = |draft: Draft, claim: Claim| {
        draft.deploy_as("counter", "counter", Message::new(ALICE, []), claim)
    };

    let draft = Draft::new(
        "code of a block that is given up",
        "Code that a node holds from a block that is no more is not there for a deployment; it did once.",
    );
    let draft = counts(draft.put("counter"), 1);
    let draft = deploys(give_up(draft), Claim::refused("unknown-code"));
    file.push(counts(draft.put("counter"), 1).storage("counter"));

    let draft = Draft::new(
        "a contract of a block that is given up",
        "A contract that was deployed in a block that is no more is not there, and its address is free.",
    );
    let draft = draft.upload("counter").step(next(101), Claim::default());
    let draft = counts(draft.deploy("counter", "counter", &[]), 1);
    let draft = give_up(draft).call("counter", [], Claim::refused("no-contract"));
    let draft = counts(deploys(draft, returns()), 1);
    file.push(counts(draft, 2).storage("counter"));

    let draft = Draft::new(
        "storage of a block that is given up",
        "What was written in a block that is no more is as it was before.",
    );
    let draft = counts(counts(draft.put("counter"), 1), 2).step(next(101), Claim::default());
    let draft = give_up(counts(counts(draft, 3), 4));
    let draft = give_up(counts(draft, 3));
    let draft = counts(draft, 3).step(next(102), Claim::default());
    file.push(counts(give_up(draft), 4).storage("counter"));

    let to = file.address("counter", "counter").to_string();
    let paid = |value: u64| Message::new(ALICE, []).with_value(value.into());
    file.push(
        give_up(
            Draft::new(
                "value of a block that is given up",
                "Value that was sent in a block that is no more is where it was before.",
            )
            .put("counter")
            .send("counter", paid(5), returns())
            .step(next(101), Claim::default())
            .send("counter", paid(7), returns()),
        )
        .send(
            "counter",
            paid(999_996),
            Claim::refused("insufficient-balance"),
        )
        .send("counter", paid(11), returns())
        .balance("counter")
        .balance(&to),
    );

    let model = onnx::one("Add", &[(I32, &[4]), (I32, &[4])], &[], &[], (I32, &[4]));
    let loaded = aivm_nn::Model::from_onnx(&model, &aivm_nn::ModelLimits::default()).unwrap();
    let mut hash = loaded.hash();
    hash.reverse();
    let register = || Action::RegisterModel {
        model: Bytes::Hex(Hex(model.clone())),
    };
    // The tag of the result and the number of its error: there is no such model.
    let mut unknown = [0; 16];
    unknown[0] = 1;
    let mut known = [0; 16];
    known[8..].copy_from_slice(&loaded.quote(&GasSchedule::v1().nn).gas.to_le_bytes());
    let draft = Draft::new(
        "a model of a block that is given up",
        "A model that a node holds from a block that is no more is not there for a quote; it did once.",
    );
    let asks = |draft: Draft, output: [u8; 16]| draft.call("quote", hash, Claim::returns(output));
    let draft = draft.put("quote").step(next(101), Claim::default());
    let draft = asks(
        asks(draft, unknown).step(register(), Claim::accepted()),
        known,
    );
    let draft = asks(give_up(draft), unknown).step(register(), Claim::accepted());
    file.push(asks(draft.step(next(102), Claim::default()), known));

    let draft = Draft::new(
        "a block that is given up before it did anything",
        "Giving up a block that has done nothing changes nothing, at the start and later.",
    );
    let draft = counts(give_up(draft).put("counter"), 1).step(next(101), Claim::default());
    file.push(counts(give_up(give_up(draft)), 2).storage("counter"));
}

/// A number as WebAssembly writes it.
fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A section with a number.
fn section(number: u8, contents: &[u8]) -> Vec<u8> {
    [&[number], &leb(contents.len())[..], contents].concat()
}

/// Custom sections are stored, and were free once.
fn custom_sections(file: &mut File) {
    let schedule = GasSchedule::v1();
    let plain = wat::parse_str(guest(&[], "")).unwrap();
    let base = aivm_gas::instrument(&plain, &schedule).unwrap().upload_gas;
    for (name, place, length) in [
        ("nothing, at the start", 8, 0usize),
        ("a byte, at the start", 8, 1),
        ("a byte, at the end", plain.len(), 1),
        ("1,000 bytes, at the end", plain.len(), 1_000),
        ("20,000 bytes, at the start", 8, 20_000),
    ] {
        // A name of seven letters after its length, and the data.
        let contents = [&[7], &b"padding"[..], &vec![7; length]].concat();
        let mut padded = plain.clone();
        padded.splice(place..place, section(0, &contents));
        let price = |price| Claim {
            price: Some(price),
            ..Claim::accepted()
        };
        let more = schedule.upload.per_byte * contents.len() as u64;
        file.push(
            Draft::new(
                format!("a custom section of {name}"),
                "The chain stores custom sections, so an upload pays for each of their bytes, the name's and its length's too.",
            )
            .upload_bytes(plain.clone(), price(base))
            .upload_bytes(padded, price(base + more))
            .deploy("c", "code", &[])
            .call("c", [], returns()),
        );
    }
}

/// Modules in forms that WebAssembly got later, or never.
fn binaries(file: &mut File) {
    let text = guest(&[], "");
    let plain = wat::parse_str(&text).unwrap();
    // The memory section: one memory, no maximum, two pages.
    let memory = section(5, &[1, 0, 2]);
    let at = plain
        .windows(memory.len())
        .position(|window| window == memory)
        .unwrap();
    let with = |contents: &[u8]| {
        let mut changed = plain.clone();
        changed.splice(at..at + memory.len(), section(5, contents));
        changed
    };
    for (name, contents, claim) in [
        ("in two bytes", &[1, 0, 0x82, 0][..], Claim::accepted()),
        (
            "in five bytes",
            &[1, 0, 0x82, 0x80, 0x80, 0x80, 0],
            Claim::accepted(),
        ),
        (
            "in six bytes",
            &[1, 0, 0x82, 0x80, 0x80, 0x80, 0x80, 0],
            Claim::refused("invalid-module"),
        ),
        (
            "in five bytes with a bit too many",
            &[1, 0, 0x82, 0x80, 0x80, 0x80, 0x10],
            Claim::refused("invalid-module"),
        ),
        ("of 64 bits", &[1, 4, 2], Claim::refused("invalid-module")),
        (
            "that is shared",
            &[1, 3, 2, 2],
            Claim::refused("invalid-module"),
        ),
        (
            "with pages of other sizes",
            &[1, 8, 2, 0],
            Claim::refused("invalid-module"),
        ),
    ] {
        file.push(
            Draft::new(
                format!("pages of a memory {name}"),
                "A limit is a number of 32 bits, in five bytes at most; longer forms are those of memories of 64 bits.",
            )
            .upload_bytes(with(contents), claim),
        );
    }
    // memory.size and memory.grow end with a zero byte, which is no number in several bytes.
    for (name, code, long) in [
        (
            "memory.size",
            "(drop (memory.size))",
            &[0x3f, 0x00, 0x1a][..],
        ),
        (
            "memory.grow",
            "(drop (memory.grow (i32.const 0)))",
            &[0x40, 0x00, 0x1a],
        ),
    ] {
        let body = format!("{code} (i32.const 1024)");
        let wasm = wat::parse_str(guest(&[], &call(&body))).unwrap();
        let at = wasm
            .windows(long.len())
            .rposition(|window| window == long)
            .unwrap();
        // A byte longer: the function's and the section's sizes are one more, too.
        let mut longer = wasm.clone();
        longer.splice(at + 1..at + 2, [0x80, 0x00]);
        let grown = grow(&longer, at);
        file.push(
            Draft::new(
                format!("{name} of memory 0 in two bytes"),
                "The index of a memory is a zero byte where there is one memory; longer forms are those of several.",
            )
            .upload_bytes(wasm, Claim::accepted())
            .upload_bytes(grown, Claim::refused("invalid-module")),
        );
    }
}

/// The module with a byte more in the function that holds `at`: sizes of the function and of the code
/// section, of one byte or two, are one more.
fn grow(wasm: &[u8], at: usize) -> Vec<u8> {
    let mut wasm = wasm.to_vec();
    let mut position = 8;
    while position < wasm.len() {
        let (size, width) = number(&wasm[position + 1..]);
        let contents = position + 1 + width;
        if wasm[position] == 10 {
            put(&mut wasm, position + 1, width, size + 1);
            let (_, count) = number(&wasm[contents..]);
            let mut function = contents + count;
            loop {
                let (size, width) = number(&wasm[function..]);
                if at < function + width + size {
                    put(&mut wasm, function, width, size + 1);
                    return wasm;
                }
                function += width + size;
            }
        }
        position = contents + size;
    }
    panic!("there is no code");
}

fn number(bytes: &[u8]) -> (usize, usize) {
    let width = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let parts = bytes[..width].iter().enumerate();
    let value = parts.map(|(i, byte)| ((byte & 0x7f) as usize) << (7 * i));
    (value.sum(), width)
}

fn put(wasm: &mut [u8], at: usize, width: usize, value: usize) {
    let bytes = leb(value);
    assert_eq!(bytes.len(), width);
    wasm[at..at + width].copy_from_slice(&bytes);
}

/// Models that are too much for a later schedule, and models whose parts do not fit together.
fn models(file: &mut File) {
    let onnx = onnx::one("Add", &[(I32, &[4]), (I32, &[4])], &[], &[], (I32, &[4]));
    let loaded = aivm_nn::Model::from_onnx(&onnx, &aivm_nn::ModelLimits::default()).unwrap();
    let quote = loaded.quote(&GasSchedule::v1().nn);
    let mut hash = loaded.hash();
    hash.reverse();
    let register = |onnx: Vec<u8>, claim: Claim, draft: Draft| {
        let model = Bytes::Hex(Hex(onnx));
        draft.step(Action::RegisterModel { model }, claim)
    };
    // `invalid-model` and `memory-limit`, by their numbers in wit/nn.wit.
    for (path, value, error) in [
        ("nn/max_memory", quote.memory, None),
        ("nn/max_memory", quote.memory - 1, Some(3)),
        ("nn/max_memory", 0, Some(3)),
        ("nn/max_model_bytes", onnx.len() as u64, None),
        ("nn/max_model_bytes", onnx.len() as u64 - 1, Some(1)),
    ] {
        let mut chain = chain();
        let changes = [(path.to_owned(), value.into())].into();
        chain.schedules.insert(200, changes);
        let mut expected = [0; 16];
        match error {
            None => expected[8..].copy_from_slice(&quote.gas.to_le_bytes()),
            Some(number) => (expected[0], expected[8]) = (1, number),
        }
        let draft = Draft::new(
            format!("a model under a later schedule with {path} of {value}"),
            "A model that a later schedule has no memory for is `memory-limit`, and none that is unknown or malformed, as it was once.",
        );
        let draft = register(onnx.clone(), Claim::accepted(), draft.chain(chain));
        file.push(draft.put("quote").step(next(200), Claim::default()).call(
            "quote",
            hash,
            Claim::returns(expected),
        ));
    }
    let zero = |ty, name| onnx::tensor(name, ty, &[], &[0]);
    for (name, zeros, claim) in [
        ("of the operands' types", [U8, I8], Claim::accepted()),
        (
            "of another type for the first",
            [I8, I8],
            Claim::refused("invalid-model"),
        ),
        (
            "of another type for the second",
            [U8, U8],
            Claim::refused("invalid-model"),
        ),
    ] {
        let constants = [zero(zeros[0], "c0"), zero(zeros[1], "c1")];
        let onnx = onnx::one(
            "MatMulInteger",
            &[(U8, &[2, 2]), (I8, &[2, 2])],
            &constants,
            &[],
            (I32, &[2, 2]),
        );
        let draft = Draft::new(
            format!("zero points {name}"),
            "ONNX gives a zero point the type of its operand; another was taken once.",
        );
        file.push(register(onnx, claim, draft));
    }
}

/// Modules that cost a node far more than they paid.
fn bombs(file: &mut File) {
    let each = |text: &str, count: usize| -> String {
        (1..=count)
            .map(|i| text.replace('#', &i.to_string()))
            .collect()
    };
    for (locals, branches, read, claim) in [
        (64, 40, 64, Claim::accepted()),
        (64, 500, 64, Claim::refused("invalid-module")),
        (64, 500, 0, Claim::accepted()),
        (500, 150, 500, Claim::refused("invalid-module")),
    ] {
        let half = "(br_if $join (local.get 0))".repeat(branches / 2);
        let function = format!(
            "(func (param i32) (local {}) (block $join {half} {} {half}) {})",
            "i64 ".repeat(locals),
            each("(local.set # (i64.const #))", locals),
            each("(drop (local.get #))", read),
        );
        let draft = Draft::new(
            format!("{branches} branches meet with {locals} locals, {read} of them read"),
            "Where more than four branches meet they are counted times the locals that are read afterwards; 2,000 branches once took a compiler 40 seconds for the price of 15 milliseconds.",
        );
        let wasm = wat::parse_str(guest(&[], &function)).unwrap();
        file.push(draft.upload_bytes(wasm, claim));
    }
    let change = "(func (table.set 0 (i32.const 0) (ref.null func)))";
    for (name, rest, claim) in [
        (
            "of 65,536 elements",
            "(table 65536 funcref)".to_owned(),
            Claim::accepted(),
        ),
        (
            "of 65,537 elements together",
            "(table 65536 funcref) (table 1 externref)".to_owned(),
            Claim::refused("invalid-module"),
        ),
        (
            "of 4,096 elements, one of which code changes",
            format!("(table 4096 funcref) {change}"),
            Claim::accepted(),
        ),
        (
            "of 4,097 elements, one of which code changes",
            format!("(table 4097 funcref) {change}"),
            Claim::refused("invalid-module"),
        ),
        (
            "with a segment of 4,097 elements, where code changes a table",
            format!(
                "(table 1 funcref) (elem funcref {}) {change}",
                "(item (ref.null func))".repeat(4_097)
            ),
            Claim::refused("invalid-module"),
        ),
    ] {
        let draft = Draft::new(
            format!("tables {name}"),
            "The limit on elements is one for all tables, and one for all segments; a call of a module whose code changes tables needs an instance of its own, whose elements nothing pays for, so it may have a sixteenth.",
        );
        let wasm = wat::parse_str(guest(&[], &rest)).unwrap();
        file.push(draft.upload_bytes(wasm, claim));
    }
}

/// Functions that return in the middle, which once gave no gas back to their caller's counter.
fn early_returns(file: &mut File) {
    let schedule = GasSchedule::v1();
    let wasm = serde_json::to_value(&schedule.wasm).unwrap();
    let price = |name: &str| wasm[name].as_u64().unwrap();
    let entry = price("function_entry") + price("frame_per_64_words");
    let body = |calls: usize| {
        let inner = r"(func $inner (param i32) (result i32)
            (if (local.get 0) (then (return (i32.const 5))))
            (drop (i32.div_u (i32.const 1) (i32.const 2)))
            (i32.const 6))";
        let call = "(drop (call $inner (i32.const 1)))".repeat(calls);
        format!(
            "(module {inner} (memory (export \"memory\") 1)
             (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
             (func (export \"construct\") (param i32 i32) (result i32) (i32.const 1024))
             (func (export \"query\") (param i32 i32) (result i32) (i32.const 1024))
             (func (export \"call\") (param i32 i32) (result i32) {call} (i32.const 1024)))"
        )
    };
    // The argument, the call, the entry; its argument, the branch, the constant and the return.
    let each = price("constant")
        + price("call")
        + entry
        + price("local")
        + price("branch")
        + price("constant")
        + price("branch");
    for calls in [1usize, 2, 3, 10] {
        let execution = super::metering::around(&schedule) + each * calls as u64;
        let claim = Claim {
            execution: Some(execution),
            ..returns()
        };
        let exact = Message::new(ALICE, []).with_gas_limit(execution);
        let short = Message::new(ALICE, []).with_gas_limit(execution - 1);
        file.push(
            Draft::new(
                format!("{calls} calls of a function that returns in the middle"),
                "A function that returns early has paid for what ran, and its caller goes on with what is left.",
            )
            .reason("The generator sums the prices of the instructions that run; one unit less does not suffice.")
            .upload_bytes(wat::parse_str(body(calls)).unwrap(), Claim::accepted())
            .deploy("c", "code", &[])
            .call("c", [], claim.clone())
            .send("c", exact, claim)
            .send("c", short, traps(TrapCode::OutOfGas)),
        );
    }
}
