//! `docs/host-interface.md` is written from the WIT files and the first gas schedule.
//!
//! After a change of either, run this test with `AIVM_UPDATE_DOCS=1` and review the difference.

use std::fmt::Write as _;
use std::path::Path;

use aivm_abi::{EXPORTS, IMPORTS, Import, TrapCode, WIT_PACKAGE};
use aivm_gas::GasSchedule;

/// What a call costs beyond its base and its bytes.
fn more(import: &Import, schedule: &GasSchedule) -> String {
    let storage = &schedule.storage;
    match import.key {
        "storage.load" | "storage.get" | "storage.has" => format!(
            "{} for the first read of a key in a transaction, {} after that; {} for each KiB read",
            storage.read, storage.read_warm, storage.read_per_kb
        ),
        "storage.store" | "storage.set" => format!(
            "{} for a new entry, {} for a changed one, {} for a removed one; {} for each KiB written",
            storage.write_new, storage.write, storage.remove, storage.per_kb
        ),
        "storage.remove" => format!("{} for the removal", storage.remove),
        "crypto.verify-all" => "PQ-Gas as for `verify`, for each".into(),
        "messaging.send" => format!(
            "storage of the number under a ledger's address: {} to read it first, {} to write it first, {} later, and by its bytes",
            storage.read, storage.write_new, storage.write
        ),
        "messaging.peek" => format!(
            "{} for whether it was consumed, the same for the message, {} for each KiB of it, whether or not it is given",
            storage.read, storage.read_per_kb
        ),
        "messaging.consume" => format!(
            "as for `peek`; {} for noting that it is consumed",
            storage.write_new
        ),
        "wasi:nn.graph.load" | "wasi_ephemeral_nn.load" => format!(
            "what registering the bytes costs: {}, {} a byte, {} a node",
            schedule.nn.register_base, schedule.nn.register_per_byte, schedule.nn.register_per_node
        ),
        "wasi:nn.inference.[method]graph-execution-context.compute"
        | "wasi_ephemeral_nn.compute" => "the quote of the model".into(),
        "crypto.verify" | "crypto.decapsulate" => {
            "PQ-Gas of the algorithm: base + size + compute".into()
        }
        "nn.infer" => "the quote of the model".into(),
        "calls.call" | "calls.query" | "calls.self-call" => {
            "the gas that the callee uses; no more than 63/64 of what is left is passed on".into()
        }
        "ext.invoke" => "what the chain's extension charges".into(),
        _ => String::new(),
    }
}

fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

fn core(params: &[aivm_abi::CoreType], results: &[aivm_abi::CoreType]) -> String {
    let names = |types: &[aivm_abi::CoreType]| {
        types
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    match results {
        [] => format!("({})", names(params)),
        results => format!("({}) → {}", names(params), names(results)),
    }
}

/// `i64 i64 i64 i64` as `i64×4`.
fn shorten(core: &str) -> String {
    let (inner, tail) = core
        .trim_start_matches('(')
        .split_once(')')
        .unwrap_or((core, ""));
    let mut runs: Vec<(&str, usize)> = Vec::new();
    for word in inner.split_whitespace() {
        match runs.last_mut() {
            Some((last, count)) if *last == word => *count += 1,
            _ => runs.push((word, 1)),
        }
    }
    let runs: Vec<String> = runs
        .iter()
        .map(|(word, count)| {
            if *count == 1 {
                (*word).to_owned()
            } else {
                format!("{word}×{count}")
            }
        })
        .collect();
    format!("({}){tail}", runs.join(" "))
}

fn page() -> String {
    let schedule = GasSchedule::v1();
    let mut out = format!(
        "# Host interface

What a contract may ask of the host: package `{WIT_PACKAGE}`, world `contract`. The WIT files in `wit/` are the one source; the bindings, the
import table and this page are made from them. Gas figures are those of the gas schedule `{}`, version {}.

A guest is a core module. It imports each function under the module name of its interface, such as `synergy:aivm/storage@0.1.0`, and
the function's name in WIT; parameters and results are lowered by the canonical ABI with a 32-bit memory. A function whose result does not
fit one core value takes a pointer to memory for it as its last parameter. Only what is used need be imported.

## What every call does

1. The base price is charged.
2. Pointers are checked against linear memory: alignment, bounds, and then the sum of all list and string bytes against the limit.
3. The bytes of lists and strings are charged, before any of them is copied.
4. Values are checked: UTF-8, booleans, enum and variant cases. Steps 2 to 4 are done for one value after the other, in the
   order in which they stand; the place of the result comes last.
5. The arguments go into the transcript, the host works, the result goes into the transcript.
6. The bytes of the result's lists are charged; memory for them comes from the guest's own `cabi_realloc`, whose answer is checked too.

It can fail in these ways, whatever the function; each is a trap that ends the call and spends its gas:

| trap | when |
|---|---|
",
        schedule.name, schedule.version
    );
    for code in [
        TrapCode::OutOfGas,
        TrapCode::BadPointer,
        TrapCode::BadArgument,
        TrapCode::TransferLimit,
        TrapCode::BadRealloc,
    ] {
        let _ = writeln!(out, "| `{code}` | {} |", code.description());
    }
    let mut interface = "";
    for import in IMPORTS {
        if import.interface != interface {
            interface = import.interface;
            let _ = write!(
                out,
                "\n## `{interface}`\n\nModule `{}`.\n\n| function | core signature | gas | what it does, how it fails |\n|---|---|---|---|\n",
                import.module
            );
        }
        let price = &schedule.host[import.key];
        let mut gas = match price.per_byte {
            0 => price.base.to_string(),
            per_byte => format!("{} + {per_byte} a byte", price.base),
        };
        let more = more(import, &schedule);
        if !more.is_empty() {
            gas = format!("{gas}; and {more}");
        }
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {gas} | {} |",
            cell(import.wit),
            shorten(&core(import.params, import.results)),
            cell(import.docs),
        );
    }
    out += "\n## Exports\n\nA contract exports its `memory`, `cabi_realloc` (`(old i32, old-size i32, align i32, size i32) → i32`) and:\n\n| function | core signature | what it is | freed by |\n|---|---|---|---|\n";
    for export in EXPORTS {
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {} |",
            cell(export.wit),
            core(export.params, export.results),
            cell(export.docs),
            export
                .post_return
                .map_or(String::new(), |name| format!("`{name}`, if exported")),
        );
    }
    out += "\nThe returned pointer names twelve bytes: the case (one byte, 0 for return data, 1 for revert data), the data's address at offset 4, its length at offset 8.\nA pointer out of bounds or another case is the trap `bad-result`.\n";
    out += "\n## Post-quantum algorithms\n\n| algorithm | PQ-Gas | per 64 bytes of message beyond 1,024 |\n|---|---|---|\n";
    for (name, price) in &schedule.pqc.algorithms {
        let _ = writeln!(
            out,
            "| `{name}` | {} | {} |",
            price.pq_gas(0),
            price.per_64_bytes
        );
    }
    let _ = writeln!(
        out,
        "\nA transaction may use {} PQ-Gas; past that the call traps with `pq-gas-limit`. A block may use {}; a transaction that needs more than is left waits for another block.",
        schedule.pqc.max_pqc_gas_per_tx, schedule.pqc.max_pqc_gas_per_block
    );
    out
}

#[test]
fn page_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/host-interface.md");
    let page = page();
    if std::env::var_os("AIVM_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the docs folder is writable");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/host-interface.md is stale: run this test with AIVM_UPDATE_DOCS=1"
    );
}

#[test]
fn every_function_has_a_price() {
    let schedule = GasSchedule::v1();
    for import in IMPORTS {
        assert!(
            schedule.host.contains_key(import.key),
            "{} has no price",
            import.key
        );
    }
    assert_eq!(schedule.host.len(), IMPORTS.len());
}

#[test]
fn every_algorithm_has_a_price() {
    use aivm_abi::host::crypto::{Kem, SignatureScheme};
    let pqc = GasSchedule::v1().pqc;
    let names = SignatureScheme::ALL
        .iter()
        .map(|scheme| scheme.name())
        .chain(Kem::ALL.iter().map(|kem| kem.name()));
    for name in names {
        assert!(pqc.price(name).is_some(), "{name} has no price");
    }
}
