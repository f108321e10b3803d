//! Bad input, and the code with which it is refused or trapped.

use aivm::TrapCode;
use aivm_abi::{CoreType, IMPORTS};
use aivm_conformance::action::{Action, Bytes, Hex, Message};
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::draft::*;
use super::guest::{call, guest, word};

pub fn files() -> Vec<File> {
    vec![
        modules(),
        contracts(),
        pointers(),
        allocators(),
        results(),
        models(),
    ]
}

/// The smallest contract.
fn plain() -> Vec<u8> {
    wat::parse_str(guest(&[], "")).unwrap()
}

fn modules() -> File {
    let mut file = File::new(
        "hostile",
        "modules",
        "The bytes are no module, or none that may be instrumented: a fact of WebAssembly's binary format or of docs/gas.md.",
    );
    let good = plain();
    let mut add = |name: String, rule: &str, wasm: Vec<u8>| {
        file.push(Draft::new(name, rule).upload_bytes(wasm, Claim::refused("invalid-module")));
    };
    let cut = "A module that is cut short is refused.";
    for length in [
        0usize,
        1,
        4,
        7,
        9,
        12,
        20,
        40,
        good.len() / 2,
        good.len() - 1,
    ] {
        add(
            format!("the first {length} bytes of a module"),
            cut,
            good[..length].to_vec(),
        );
    }
    for at in [0usize, 3, 4, 7] {
        let mut wasm = good.clone();
        wasm[at] ^= 0x11;
        add(
            format!("byte {at} of the header changed"),
            "A module begins with its magic and version.",
            wasm,
        );
    }
    add(
        "a component".into(),
        "Components are no modules.",
        [&good[..4], &[0x0d, 0, 1, 0]].concat(),
    );
    add("text".into(), "Text is no module.", b"(module)".to_vec());
    for section in [14u8, 99, 255] {
        add(
            format!("a section numbered {section}"),
            "A section that is unknown is refused.",
            [&good[..], &[section, 0]].concat(),
        );
    }
    add(
        "a section longer than the module".into(),
        "A section ends within the module.",
        [&good[..], &[0, 0xff, 0xff, 0x03]].concat(),
    );
    add(
        "a section whose length has no end".into(),
        "A length has at most five bytes.",
        [&good[..], &[0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]].concat(),
    );
    let text = |rest: &str| wat::parse_str(guest(&[], rest)).unwrap();
    add(
        "a start function".into(),
        "A start function would run before gas is set.",
        text("(func $s) (start $s)"),
    );
    for name in [
        "aivm:gas",
        "aivm:stack",
        "aivm:exit",
        "aivm:",
        "aivm:anything",
    ] {
        add(
            format!("an export named {name}"),
            "Names that begin with `aivm:` are the VM's.",
            text(&format!("(func (export {name:?}))")),
        );
    }
    add(
        "an import named aivm:gas".into(),
        "Names that begin with `aivm:` are the VM's.",
        wat::parse_str("(module (import \"aivm:gas\" \"f\" (func)))").unwrap(),
    );
    file
}

fn contracts() -> File {
    let mut file = File::new(
        "hostile",
        "contracts",
        "The WIT world in wit/ says what a contract imports and exports.",
    );
    let text = guest(&[], "");
    let code = "not-a-contract";
    for export in ["memory", "cabi_realloc", "construct", "call", "query"] {
        let without = text.replace(&format!("(export \"{export}\")"), "");
        // The memory is used under its index.
        file.push(
            Draft::new(
                format!("without `{export}`"),
                "An export that the world has must be there.",
            )
            .upload_bytes(wat::parse_str(&without).unwrap(), Claim::refused(code)),
        );
        let renamed = text.replace(&format!("(export \"{export}\")"), "(export \"other\")");
        file.push(
            Draft::new(
                format!("`{export}` under another name"),
                "An export that the world has must be there.",
            )
            .upload_bytes(wat::parse_str(&renamed).unwrap(), Claim::refused(code)),
        );
    }
    for export in ["construct", "call", "query"] {
        for (name, function) in [
            ("no parameters", "(result i32) (i32.const 0)"),
            (
                "a parameter more",
                "(param i32 i32 i32) (result i32) (i32.const 0)",
            ),
            (
                "a wide parameter",
                "(param i32 i64) (result i32) (i32.const 0)",
            ),
            ("no result", "(param i32 i32)"),
            (
                "a wide result",
                "(param i32 i32) (result i64) (i64.const 0)",
            ),
        ] {
            let wrong = guest(&[], &format!("(func (export \"{export}\") {function})"));
            file.push(
                Draft::new(
                    format!("`{export}` with {name}"),
                    "An export has the type of the world.",
                )
                .upload_bytes(wat::parse_str(&wrong).unwrap(), Claim::refused(code)),
            );
        }
        let wrong = guest(
            &[],
            &format!("(func (export \"cabi_post_{export}\") (param i64))"),
        );
        file.push(
            Draft::new(
                format!("`cabi_post_{export}` of another type"),
                "An export has the type of the world.",
            )
            .upload_bytes(wat::parse_str(&wrong).unwrap(), Claim::refused(code)),
        );
        let wrong = text
            .replace(&format!("(func (export \"{export}\")"), "(func")
            .replacen(
                "(memory",
                &format!("(global (export \"{export}\") i32 (i32.const 0)) (memory"),
                1,
            );
        file.push(
            Draft::new(
                format!("`{export}` is a global"),
                "An export has the type of the world.",
            )
            .upload_bytes(wat::parse_str(&wrong).unwrap(), Claim::refused(code)),
        );
    }
    for (name, import) in [
        ("an unknown module", "(import \"env\" \"f\" (func))"),
        (
            "an unknown function",
            "(import \"synergy:aivm/storage@0.1.0\" \"erase\" (func))",
        ),
        (
            "another version",
            "(import \"synergy:aivm/storage@0.2.0\" \"load\" (func (param i64 i64 i64 i64 i32)))",
        ),
        (
            "a function of another type",
            "(import \"synergy:aivm/storage@0.1.0\" \"load\" (func (param i64)))",
        ),
        (
            "a result where there is none",
            "(import \"synergy:aivm/context@0.1.0\" \"chain-id\" (func (result i32)))",
        ),
        (
            "a random number",
            "(import \"wasi:random/random@0.2.0\" \"get-random-u64\" (func (result i64)))",
        ),
        ("a global", "(import \"env\" \"g\" (global i32))"),
    ] {
        let wrong = text.replacen("(memory", &format!("{import} (memory"), 1);
        file.push(
            Draft::new(
                format!("imports {name}"),
                "A contract imports host functions, with their types.",
            )
            .upload_bytes(wat::parse_str(&wrong).unwrap(), Claim::refused(code)),
        );
    }
    file.push(
        Draft::new(
            "nothing but a module",
            "An export that the world has must be there.",
        )
        .upload_bytes(wat::parse_str("(module)").unwrap(), Claim::refused(code)),
    );
    file
}

/// Arguments of host functions with one pointer that is wrong.
fn pointers() -> File {
    let mut file = File::new(
        "hostile",
        "pointers",
        "The canonical ABI: a list lies within memory and a result has its place there, or the call traps. A trap takes the whole limit of 3,000,000.",
    );
    let arguments = |key: &str, wrong: Option<(usize, i64)>| -> String {
        let import = IMPORTS.iter().find(|import| import.key == key).unwrap();
        let mut text = String::new();
        for (i, ty) in import.params.iter().enumerate() {
            let value = match wrong {
                Some((at, value)) if at == i => value,
                // Pointers of 64 and lengths of 64 are all good.
                _ => 64,
            };
            text += &match ty {
                CoreType::I64 => format!(
                    "(i64.const {}) ",
                    if wrong.is_some_and(|(at, _)| at == i) {
                        value
                    } else {
                        0
                    }
                ),
                _ => format!("(i32.const {value}) "),
            };
        }
        text
    };
    let cases: &[(&str, &[(usize, &str)])] = &[
        ("accounts.balance", &[(4, "result")]),
        ("context.caller", &[(0, "result")]),
        ("context.origin", &[(0, "result")]),
        ("context.self-address", &[(0, "result")]),
        ("context.value", &[(0, "result")]),
        ("context.revert", &[(0, "list"), (1, "length")]),
        (
            "crypto.keccak256",
            &[(0, "list"), (1, "length"), (2, "result")],
        ),
        (
            "crypto.sha256",
            &[(0, "list"), (1, "length"), (2, "result")],
        ),
        (
            "crypto.sha3-256",
            &[(0, "list"), (1, "length"), (2, "result")],
        ),
        (
            "crypto.blake3",
            &[(0, "list"), (1, "length"), (2, "result")],
        ),
        ("events.emit", &[(2, "list"), (3, "length")]),
        ("log.debug", &[(0, "list"), (1, "length")]),
        ("math.mul", &[(8, "result")]),
        ("math.add-mod", &[(12, "result")]),
        ("storage.load", &[(4, "result")]),
        ("storage.get", &[(0, "list"), (1, "length"), (2, "result")]),
        (
            "storage.set",
            &[(0, "list"), (1, "length"), (2, "list"), (3, "length")],
        ),
        ("storage.has", &[(0, "list"), (1, "length")]),
        ("storage.remove", &[(0, "list"), (1, "length")]),
        ("calls.call", &[(9, "list"), (10, "length")]),
        ("calls.query", &[(5, "list"), (6, "length")]),
        ("calls.self-call", &[(1, "list"), (2, "length")]),
    ];
    let import_has_result = |key: &str| {
        let import = IMPORTS.iter().find(|import| import.key == key).unwrap();
        !import.results.is_empty()
    };
    for (key, places) in cases {
        for (at, kind) in *places {
            let values: &[(&str, i64, TrapCode)] = match *kind {
                "length" => &[
                    ("beyond memory", 131_072, TrapCode::BadPointer),
                    ("of 4 GiB", -1, TrapCode::BadPointer),
                ],
                "list" => &[
                    ("at the end", 131_072 - 63, TrapCode::BadPointer),
                    ("beyond memory", 1 << 20, TrapCode::BadPointer),
                    ("at the highest address", -1, TrapCode::BadPointer),
                ],
                _ => &[
                    ("at the end", 131_072 - 8, TrapCode::BadPointer),
                    ("not aligned", 65, TrapCode::BadPointer),
                    ("at the highest address", -8, TrapCode::BadPointer),
                ],
            };
            for (name, value, trap) in values {
                let drop = if import_has_result(key) { "drop" } else { "" };
                let body = format!(
                    "{} call ${key} {drop} (call $result (i32.const 0) (i32.const 0) (i32.const 0))",
                    arguments(key, Some((*at, *value)))
                );
                let wasm = wat::parse_str(guest(&[key], &call(&body))).unwrap();
                // How far a host function gets before it looks differs with its price; lengths may end at the transfer limit first.
                let message = Message::new(ALICE, []).with_gas_limit(3_000_000);
                let claim = match *kind {
                    "length" if *value < 0 => Claim {
                        total: Some(3_000_000),
                        ..Claim::default()
                    },
                    _ => Claim {
                        total: Some(3_000_000),
                        ..traps(*trap)
                    },
                };
                file.push(
                    Draft::new(format!("{key}: {kind} {at} {name}"), "A pointer or length that leads outside of memory, or is not aligned, traps.")
                        .upload_bytes(wasm, Claim::accepted())
                        .deploy("c", "code", &[])
                        .send("c", message, claim)
                        .storage("c"),
                );
            }
        }
    }
    for (name, topics, claim) in [
        ("four topics", 4u32, returns()),
        ("five topics", 5, traps(TrapCode::BadArgument)),
        ("a thousand topics", 1_000, traps(TrapCode::BadArgument)),
    ] {
        let body = format!(
            "(call $events.emit (i32.const 64) (i32.const {topics}) (i32.const 0) (i32.const 0)) (call $result (i32.const 0) (i32.const 0) (i32.const 0))"
        );
        let wasm = wat::parse_str(guest(&["events.emit"], &call(&body))).unwrap();
        file.push(
            Draft::new(
                format!("events.emit: {name}"),
                "An event has four topics at most.",
            )
            .upload_bytes(wasm, Claim::accepted())
            .deploy("c", "code", &[])
            .call("c", [], claim),
        );
    }
    for (name, bytes, claim) in [
        ("plain text", "hello", returns()),
        ("no UTF-8", "\\ff\\fe", traps(TrapCode::BadArgument)),
        ("half a character", "\\c3", traps(TrapCode::BadArgument)),
        ("a surrogate", "\\ed\\a0\\80", traps(TrapCode::BadArgument)),
    ] {
        let length = if bytes.starts_with('\\') {
            bytes.len() / 3
        } else {
            bytes.len()
        };
        let body = format!(
            "(call $log.debug (i32.const 64) (i32.const {length})) (call $result (i32.const 0) (i32.const 0) (i32.const 0))"
        );
        let wasm = wat::parse_str(guest(
            &["log.debug"],
            &(call(&body) + &format!("(data (i32.const 64) \"{bytes}\")")),
        ))
        .unwrap();
        file.push(
            Draft::new(format!("log.debug: {name}"), "A string is UTF-8.")
                .upload_bytes(wasm, Claim::accepted())
                .deploy("c", "code", &[])
                .call("c", [], claim),
        );
    }
    for (length, claim) in [(100u32, returns()), (101, traps(TrapCode::TransferLimit))] {
        let body = format!(
            "(call $crypto.blake3 (i32.const 64) (i32.const {length}) (i32.const 1024)) (call $result (i32.const 0) (i32.const 0) (i32.const 0))"
        );
        let wasm = wat::parse_str(guest(&["crypto.blake3"], &call(&body))).unwrap();
        file.push(
            Draft::new(
                format!("{length} bytes in one host call, 100 allowed"),
                "The bytes that one host call moves are bounded.",
            )
            .chain(chain_with(&[
                ("call/max_input_bytes", json!(100)),
                ("call/max_output_bytes", json!(100)),
            ]))
            .upload_bytes(wasm, Claim::accepted())
            .deploy("c", "code", &[])
            .call("c", [], claim),
        );
    }
    let body = "(call $ext.invoke (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 4) (i32.const 1024)) (call $result (i32.const 0) (i32.const 0) (i32.const 0))";
    let wasm = wat::parse_str(guest(&["ext.invoke"], &call(body))).unwrap();
    file.push(
        Draft::new(
            "an extension that the chain lacks",
            "A chain without extensions traps where one is called.",
        )
        .upload_bytes(wasm, Claim::accepted())
        .deploy("c", "code", &[])
        .call("c", [], traps(TrapCode::NoSuchExtension)),
    );
    // Queries cannot write.
    for (key, drops) in [
        ("storage.store", false),
        ("storage.set", false),
        ("storage.remove", true),
        ("events.emit", false),
        ("accounts.transfer", true),
    ] {
        let body = format!(
            "{} call ${key} {}",
            arguments(key, None),
            if drops { "drop" } else { "" }
        );
        let text = guest(
            &[key],
            &format!(
                "(func (export \"query\") (param i32 i32) (result i32) {body} (call $result (i32.const 0) (i32.const 0) (i32.const 0)))"
            ),
        );
        file.push(
            Draft::new(
                format!("{key} in a query"),
                "A query cannot change anything.",
            )
            .upload_bytes(wat::parse_str(text).unwrap(), Claim::accepted())
            .deploy("c", "code", &[])
            .query("c", [], traps(TrapCode::WriteInQuery))
            .storage("c"),
        );
    }
    let body = format!(
        "(call $storage.set (i32.const 64) (i32.const 32) (i32.const 64) (i32.const 5)) (call $storage.load {} (i32.const 1024)) (call $result (i32.const 0) (i32.const 0) (i32.const 0))",
        word(0)
    );
    let wasm = wat::parse_str(guest(&["storage.set", "storage.load"], &call(&body))).unwrap();
    file.push(
        Draft::new(
            "a word of five bytes",
            "An entry that is no word cannot be loaded as one.",
        )
        .upload_bytes(wasm, Claim::accepted())
        .deploy("c", "code", &[])
        .call("c", [], traps(TrapCode::BadArgument)),
    );
    file
}

fn allocators() -> File {
    let mut file = File::new(
        "hostile",
        "allocators",
        "The host asks the guest for memory and trusts nothing about the answer.",
    );
    let text = |keys: &[&str], body: &str, inner: &str| {
        let realloc = format!(
            "(func $own (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) {body})"
        );
        guest(keys, &(realloc + &call(inner)))
    };
    let nothing = "(call $result (i32.const 0) (i32.const 0) (i32.const 0))";
    for (name, body, bytes, claim) in [
        (
            "gives the last byte",
            "(i32.const 131071)",
            1usize,
            returns(),
        ),
        (
            "gives a byte beyond the end",
            "(i32.const 131072)",
            1,
            traps(TrapCode::BadRealloc),
        ),
        (
            "gives the end for nothing",
            "(i32.const 131072)",
            0,
            returns(),
        ),
        (
            "gives a place beyond the end for nothing",
            "(i32.const 131073)",
            0,
            traps(TrapCode::BadRealloc),
        ),
        (
            "gives the highest address",
            "(i32.const -1)",
            1,
            traps(TrapCode::BadRealloc),
        ),
        (
            "gives too little at the end",
            "(i32.const 131070)",
            3,
            traps(TrapCode::BadRealloc),
        ),
        ("traps", "unreachable", 1, traps(TrapCode::Unreachable)),
        (
            "never ends",
            "(loop (br 0)) (i32.const 0)",
            1,
            traps(TrapCode::OutOfGas),
        ),
        (
            "divides by zero",
            "(i32.div_u (i32.const 1) (i32.const 0))",
            1,
            traps(TrapCode::DivisionByZero),
        ),
        (
            "calls the host",
            "(drop (call $context.chain-id)) (i32.const 2048)",
            1,
            traps(TrapCode::Protocol),
        ),
        (
            "recurses without end",
            "(call $own (local.get 0) (local.get 1) (local.get 2) (local.get 3))",
            1,
            traps(TrapCode::StackLimit),
        ),
    ] {
        let keys: &[&str] = &["context.chain-id", "context.gas-left"];
        let wasm = wat::parse_str(text(keys, body, nothing)).unwrap_or_else(|e| panic!("{e}"));
        // A constructor without input meets the allocator too.
        let deployed = match claim.status {
            Some(aivm::Status::Return) => returns(),
            _ => Claim::default(),
        };
        let message = Message::new(ALICE, vec![7; bytes]).with_gas_limit(50_000_000);
        let draft = Draft::new(format!("an allocator that {name}"), "What the allocator gives is checked, what it does is metered, and it may not call the host.")
            .upload_bytes(wasm, Claim::accepted());
        file.push(match deployed.status {
            Some(_) => draft
                .deploy_as("c", "code", Message::new(ALICE, []), deployed)
                .send("c", message, claim),
            None => draft.deploy_as("c", "code", message, claim),
        });
    }
    // For a result of a host function, aligned as the ABI asks.
    for (name, place, claim) in [
        ("aligned", 4096u32, returns()),
        ("beyond the end", 131_070, traps(TrapCode::BadRealloc)),
    ] {
        let wasm = wat::parse_str(guest(&["storage.set", "storage.get"], &(format!("(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (if (result i32) (local.get 3) (then (i32.const {place})) (else (i32.const 0))))")
            + &call(&format!("(call $storage.set (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 8)) (call $storage.get (i32.const 64) (i32.const 4) (i32.const 1024)) {nothing}"))))).unwrap();
        file.push(
            Draft::new(
                format!("a place for a result: {name}"),
                "What the allocator gives is checked.",
            )
            .upload_bytes(wasm, Claim::accepted())
            .deploy("c", "code", &[])
            .call("c", [], claim),
        );
    }
    file
}

fn results() -> File {
    let mut file = File::new(
        "hostile",
        "results",
        "docs/host-interface.md: an export returns a pointer to a tag, a pointer and a length, aligned to four bytes and within memory.",
    );
    for (name, body, claim) in [
        (
            "a pointer that is not aligned",
            "(i32.const 1025)",
            traps(TrapCode::BadResult),
        ),
        (
            "a pointer at the end",
            "(i32.const 131064)",
            traps(TrapCode::BadResult),
        ),
        ("the last place", "(i32.const 131060)", returns()),
        (
            "the highest pointer",
            "(i32.const -4)",
            traps(TrapCode::BadResult),
        ),
        (
            "a tag of two",
            "(i32.store8 (i32.const 64) (i32.const 2)) (i32.const 64)",
            traps(TrapCode::BadResult),
        ),
        (
            "a tag of 255",
            "(i32.store8 (i32.const 64) (i32.const 255)) (i32.const 64)",
            traps(TrapCode::BadResult),
        ),
        (
            "dirt beside the tag",
            "(i32.store (i32.const 64) (i32.const 0xffffff00)) (i32.const 64)",
            returns(),
        ),
        (
            "data beyond the end",
            "(i32.store (i32.const 68) (i32.const 131072)) (i32.store (i32.const 72) (i32.const 1)) (i32.const 64)",
            traps(TrapCode::BadResult),
        ),
        (
            "no data at the end",
            "(i32.store (i32.const 68) (i32.const 131072)) (i32.const 64)",
            returns(),
        ),
        (
            "no data beyond the end",
            "(i32.store (i32.const 68) (i32.const 131073)) (i32.const 64)",
            traps(TrapCode::BadResult),
        ),
        (
            "data of 4 GiB",
            "(i32.store (i32.const 72) (i32.const -1)) (i32.const 64)",
            traps(TrapCode::BadResult),
        ),
        (
            "a place and a length that wrap",
            "(i32.store (i32.const 68) (i32.const -8)) (i32.store (i32.const 72) (i32.const 16)) (i32.const 64)",
            traps(TrapCode::BadResult),
        ),
        (
            "all of memory",
            "(i32.store (i32.const 72) (i32.const 131072)) (i32.const 64)",
            returns(),
        ),
    ] {
        let wasm = wat::parse_str(guest(&[], &call(body))).unwrap();
        file.push(
            Draft::new(name, "What an export returns is checked before it is read.")
                .upload_bytes(wasm, Claim::accepted())
                .deploy("c", "code", &[])
                .call("c", [], claim),
        );
    }
    for (name, segment, code) in [
        (
            "a data segment beyond the end",
            "(data (i32.const 131072) \"x\")",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "a data segment that wraps",
            "(data (i32.const -1) \"xy\")",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "an element segment beyond the end",
            "(table 1 funcref) (func $f) (elem (i32.const 1) $f)",
            TrapCode::OutOfBoundsTable,
        ),
    ] {
        let wasm = wat::parse_str(guest(&[], segment)).unwrap();
        let message = Message::new(ALICE, []).with_gas_limit(900_000);
        file.push(
            Draft::new(
                name,
                "A segment that does not fit traps when an instance is made.",
            )
            .upload_bytes(wasm, Claim::accepted())
            .deploy_as(
                "c",
                "code",
                message,
                Claim {
                    total: Some(900_000),
                    ..traps(code)
                },
            ),
        );
    }
    file
}

fn models() -> File {
    let mut file = File::new(
        "hostile",
        "models",
        "Bytes that are no ONNX file, or one of something that is no model.",
    );
    let mut add = |name: String, bytes: Vec<u8>| {
        let action = Action::RegisterModel {
            model: Bytes::Hex(Hex(bytes)),
        };
        file.push(
            Draft::new(format!("a model: {name}"), "What is no model is refused.")
                .step(action, Claim::refused("invalid-model")),
        );
    };
    add("nothing".into(), vec![]);
    add("text".into(), b"not a model".to_vec());
    add("a module".into(), plain());
    for byte in [0u8, 1, 8, 0x3a, 0x7f, 0x80, 0xff] {
        add(format!("sixteen bytes of {byte:#04x}"), vec![byte; 16]);
    }
    let graph = super::onnx::one(
        "Relu",
        &[(super::onnx::F32, &[4])],
        &[],
        &[],
        (super::onnx::F32, &[4]),
    );
    add(
        "a length beyond the end".into(),
        [&graph[..], &[0x3a, 0xff, 0xff, 0xff, 0x0f]].concat(),
    );
    add(
        "a number without an end".into(),
        [&graph[..], &[0x08, 0x80, 0x80, 0x80]].concat(),
    );
    add("a group".into(), [&graph[..], &[0x0b]].concat());
    file
}
