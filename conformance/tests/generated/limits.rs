//! Limits on code and on what runs, each at its value and one beyond it.

use aivm::TrapCode;
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::draft::*;
use super::guest::{frame, imports, module};

/// A contract with things before its functions and a body of `call`.
fn contract(before: &str, body: &str) -> String {
    frame(before, "", body)
}

fn repeat(text: &str, times: u64) -> String {
    text.repeat(times as usize)
}

/// A limit's name, what is counted, a value, and a contract that has so many.
type Limit = (&'static str, &'static str, u64, fn(u64) -> String);

const LIMITS: &[Limit] = &[
    // The contract itself has three types.
    ("types", "function types", 10, |n| {
        contract(
            &(0..n - 2)
                .map(|i| format!("(type (func (param {})))", repeat("i64 ", i + 3)))
                .collect::<String>(),
            "",
        )
    }),
    ("params", "parameters of a function", 10, |n| {
        contract(&format!("(func (param {}))", repeat("i32 ", n)), "")
    }),
    ("params", "results of a function", 10, |n| {
        contract(
            &format!(
                "(func (result {}) {})",
                repeat("i32 ", n),
                repeat("i32.const 0 ", n)
            ),
            "",
        )
    }),
    // Four functions are the contract's own.
    ("functions", "functions", 12, |n| {
        contract(&repeat("(func)", n - 4), "")
    }),
    ("nesting", "nested blocks", 20, |n| {
        contract(
            "",
            // The function itself is one.
            &format!("{} nop {}", repeat("(block ", n - 1), repeat(")", n - 1)),
        )
    }),
    ("loop_nesting", "nested loops", 5, |n| {
        contract(
            "",
            &format!("{} nop {}", repeat("(loop ", n), repeat(")", n)),
        )
    }),
    ("br_table", "targets of a br_table", 8, |n| {
        contract(
            "",
            &format!("(block (br_table {} (i32.const 0)))", repeat("0 ", n)),
        )
    }),
    ("exports", "exports", 12, |n| {
        contract(
            &format!(
                "(func $f) {}",
                (0..n - 5)
                    .map(|i| format!("(export \"e{i}\" (func $f))"))
                    .collect::<String>()
            ),
            "",
        )
    }),
    ("name_bytes", "bytes of a name", 40, |n| {
        contract(&format!("(func (export \"{}\"))", repeat("x", n)), "")
    }),
    ("tables", "tables", 2, |n| {
        contract(&repeat("(table 1 funcref)", n), "")
    }),
    ("table_elements", "elements of a table", 100, |n| {
        contract(&format!("(table {n} funcref)"), "")
    }),
    ("element_segments", "element segments", 3, |n| {
        contract(
            &format!(
                "(table 10 funcref) (func $f) {}",
                repeat("(elem func $f)", n)
            ),
            "",
        )
    }),
    ("data_segments", "data segments", 3, |n| {
        contract(&repeat("(data \"x\")", n), "")
    }),
    ("initial_pages", "pages at the start", 4, |n| {
        contract("", "").replace("\"memory\") 1", &format!("\"memory\") {n}"))
    }),
    ("imports", "imports", 3, |n| {
        contract(
            &imports(
                &[
                    "context.chain-id",
                    "context.gas-left",
                    "context.block-number",
                    "context.block-timestamp",
                ][..n as usize],
            ),
            "",
        )
    }),
    ("memory_grows", "memory.grow instructions", 3, |n| {
        contract("", &repeat("(drop (memory.grow (i32.const 0)))", n))
    }),
    // Four of the branches are free, the last one is the way through, and each of the others passes
    // the gas, which counts for two.
    ("phis", "values that branches put in place", 20, |n| {
        let branches = n.div_ceil(2) + 4;
        let body = repeat("(br_if 0 (i32.const 0)) ", branches - 1);
        contract("", &format!("(block {body})"))
    }),
    ("stack_values", "values on the operand stack", 40, |n| {
        contract(
            "",
            &format!("{} {}", repeat("(i32.const 1) ", n), repeat("(drop) ", n)),
        )
    }),
];

/// A function that calls itself as often as it is told.
const DOWN: &str = "(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))";

pub fn files() -> Vec<File> {
    vec![code(), running()]
}

fn code() -> File {
    let reason = "The generator writes a module with exactly so many; the vector's schedule has the limit, and docs/gas.md says what each one bounds.";
    let mut file = File::new("limits", "code", reason);
    for (limit, what, value, text) in LIMITS {
        let path = format!("limits/{limit}");
        for (name, count, claim) in [
            ("at the limit", *value, Claim::accepted()),
            (
                "one beyond the limit",
                value + 1,
                Claim::refused("invalid-module"),
            ),
        ] {
            let mut draft = Draft::new(
                format!("{what}: {name}"),
                format!("A module may have {value} {what} where `{path}` says so."),
            )
            .chain(chain_with(&[(&path, json!(value))]))
            .upload_bytes(module(text(count)), claim);
            if count == *value {
                draft = draft.deploy("c", "code", &[]).call("c", [], returns());
            }
            file.push(draft);
        }
    }
    let plain = module(contract("", ""));
    for (name, bytes, claim) in [
        (
            "bytes of a module: at the limit",
            plain.len(),
            Claim::accepted(),
        ),
        (
            "bytes of a module: one beyond the limit",
            plain.len() - 1,
            Claim::refused("invalid-module"),
        ),
    ] {
        file.push(
            Draft::new(
                name,
                "A module may have as many bytes as `limits/module_bytes` says.",
            )
            .chain(chain_with(&[("limits/module_bytes", json!(bytes))]))
            .upload_bytes(plain.clone(), claim),
        );
    }
    let vectors = module(contract("", "(drop (i32x4.splat (i32.const 1)))"));
    for (allowed, claim) in [
        (true, Claim::accepted()),
        (false, Claim::refused("invalid-module")),
    ] {
        file.push(
            Draft::new(
                format!("vectors: {allowed}"),
                "Vector instructions are refused where `limits/simd` says so.",
            )
            .chain(chain_with(&[("limits/simd", json!(allowed))]))
            .upload_bytes(vectors.clone(), claim),
        );
    }
    for (name, text) in [
        ("threads", "(memory 1 1 shared)"),
        ("a second memory", "(memory 1)"),
        ("a memory of 64 bits", "(memory i64 1)"),
        ("exceptions", "(tag)"),
        ("tail calls", "(func $f (return_call $f))"),
        (
            "relaxed vectors",
            "(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))",
        ),
        ("garbage collection", "(type (struct))"),
        (
            "typed references",
            "(type $t (func)) (func (param (ref $t)))",
        ),
        (
            "extended constants",
            "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        ),
        ("atomics", "(func (drop (i32.atomic.load (i32.const 0))))"),
        (
            "wide arithmetic",
            "(func (param i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 0) (local.get 0) (local.get 0)))",
        ),
    ] {
        let mut text = contract(text, "");
        if name.contains("memor") || name == "threads" {
            text = text.replace("(memory (export \"memory\") 1)", "");
            text = text.replacen("(memory ", "(memory (export \"memory\") ", 1);
        }
        if name == "a second memory" {
            text = text.replacen("(func", "(memory 2) (func", 1);
        }
        file.push(
            Draft::new(
                format!("refused: {name}"),
                "What is outside of the accepted features is refused.",
            )
            .upload_bytes(module(text), Claim::refused("invalid-module")),
        );
    }
    file
}

fn running() -> File {
    let reason = "The contract asks for exactly so much; the vector's schedule has the limit.";
    let mut file = File::new("limits", "running", reason);
    for (grow, limit, trap) in [
        (0u64, 4u64, false),
        (1, 4, false),
        (3, 4, false),
        (4, 4, true),
        (5, 4, true),
        (1, 1, true),
        (65_535, 4, true),
    ] {
        let body = format!(
            "(if (i32.ne (memory.grow (i32.const {grow})) (i32.const 1)) (then unreachable))"
        );
        let claim = if trap {
            traps(TrapCode::MemoryLimit)
        } else {
            returns()
        };
        file.push(
            Draft::new(
                format!("{grow} pages more, {limit} allowed"),
                "Memory may grow to the schedule's pages; asking for more traps.",
            )
            .chain(chain_with(&[
                ("limits/memory_pages", json!(limit)),
                ("limits/initial_pages", json!(1)),
            ]))
            .install(contract("", &body))
            .send("c", limited(1 << 40), claim),
        );
    }
    for (grow, answer) in [(0u64, 1i32), (1, 1), (2, -1), (1_000, -1)] {
        let body = format!(
            "(if (i32.ne (memory.grow (i32.const {grow})) (i32.const {answer})) (then unreachable))"
        );
        let text = contract("", &body).replace("\"memory\") 1", "\"memory\") 1 2");
        file.push(
            Draft::new(
                format!("{grow} pages more, the module allows one"),
                "A module that sets itself a lower maximum gets the answer -1.",
            )
            .reason("WebAssembly defines the answer of memory.grow.")
            .install(text)
            .send("c", limited(1 << 40), returns()),
        );
    }
    // A frame without locals or operands but one has 16 words and a few; its number of frames ends.
    for depth in [10u64, 100, 1_000, 100_000] {
        let body = format!("(call $down (i32.const {depth}))");
        let claim = if depth == 100_000 {
            traps(TrapCode::StackLimit)
        } else {
            returns()
        };
        file.push(
            Draft::new(format!("{depth} frames"), "The logical stack has room for many frames, and ends.")
                .reason("A frame has at least 16 of the stack's 131,072 words, so 100,000 cannot fit; one this small has less than 64, so 1,000 do.")
                .install(contract(DOWN, &body))
                .call("c", [], claim),
        );
    }
    for words in [64u64, 256, 1_024, 4_096] {
        let fits = words / 64;
        let too_many = words / 16 + 1;
        for (frames, claim) in [
            (fits.saturating_sub(2), returns()),
            (too_many, traps(TrapCode::StackLimit)),
        ] {
            let body = format!("(call $down (i32.const {frames}))");
            if words == 64 && frames == 0 {
                continue;
            }
            file.push(
                Draft::new(
                    format!("{frames} frames on {words} words"),
                    "Depth depends on the schedule alone, not on the engine.",
                )
                .reason("A frame this small has between 16 and 64 words.")
                .chain(chain_with(&[
                    ("limits/stack_words", json!(words)),
                    ("limits/frame_words", json!(64)),
                ]))
                .install(contract(DOWN, &body))
                .call("c", [], claim),
            );
        }
    }
    for (elements, answer) in [(100u64, 10), (101, -1)] {
        let body = format!(
            "(if (i32.ne (table.grow 0 (ref.null func) (i32.const {})) (i32.const {answer})) (then unreachable))",
            elements - 10
        );
        file.push(
            Draft::new(
                format!("a table of {elements} elements, 100 allowed"),
                "A table may grow to the schedule's elements; the answer to more is -1.",
            )
            .chain(chain_with(&[("limits/table_elements", json!(100))]))
            .install(contract("(table 10 funcref)", &body))
            .call("c", [], returns()),
        );
    }
    file
}
