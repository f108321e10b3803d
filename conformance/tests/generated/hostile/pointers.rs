//! Arguments of host functions: pointers, lengths and values that are wrong.

use aivm::TrapCode;
use aivm_abi::{CoreType, IMPORTS, Import};
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::super::guest::{NOTHING, call, guest, word};

/// Host functions, and the places of their arguments that are pointers or lengths.
const PLACES: &str = "
accounts.balance | 4 result
context.caller | 0 result
context.origin | 0 result
context.self-address | 0 result
context.value | 0 result
context.revert | 0 list, 1 length
crypto.keccak256 | 0 list, 1 length, 2 result
crypto.sha256 | 0 list, 1 length, 2 result
crypto.sha3-256 | 0 list, 1 length, 2 result
crypto.blake3 | 0 list, 1 length, 2 result
events.emit | 2 list, 3 length
log.debug | 0 list, 1 length
math.mul | 8 result
math.add-mod | 12 result
storage.load | 4 result
storage.get | 0 list, 1 length, 2 result
storage.set | 0 list, 1 length, 2 list, 3 length
storage.has | 0 list, 1 length
storage.remove | 0 list, 1 length
calls.call | 9 list, 10 length
calls.query | 5 list, 6 length
calls.self-call | 1 list, 2 length
";

/// The end of memory.
const END: i64 = 131_072;

/// Wrong values of an argument by its kind. Pointers are to 64 bytes, or to a result.
fn wrong(kind: &str) -> &'static [(&'static str, i64)] {
    match kind {
        "length" => &[("beyond memory", END), ("of 4 GiB", -1)],
        "list" => &[
            ("at the end", END - 63),
            ("beyond memory", 1 << 20),
            ("at the highest address", -1),
        ],
        _ => &[
            ("at the end", END - 8),
            ("not aligned", 65),
            ("at the highest address", -8),
        ],
    }
}

fn import(key: &str) -> &'static Import {
    IMPORTS.iter().find(|import| import.key == key).unwrap()
}

/// A call of a host function, of whose arguments at most one is wrong; what it gives is dropped.
fn host_call(key: &str, wrong: Option<(usize, i64)>) -> String {
    let import = import(key);
    let mut text = String::new();
    for (i, ty) in import.params.iter().enumerate() {
        let wrong = wrong.filter(|(at, _)| *at == i).map(|(_, value)| value);
        // Pointers of 64 and lengths of 64 are all good.
        text += &match ty {
            CoreType::I64 => format!("(i64.const {}) ", wrong.unwrap_or(0)),
            _ => format!("(i32.const {}) ", wrong.unwrap_or(64)),
        };
    }
    let drop = if import.results.is_empty() {
        ""
    } else {
        "drop"
    };
    format!("{text} call ${key} {drop}")
}

pub fn file() -> File {
    let mut file = File::new(
        "hostile",
        "pointers",
        "The canonical ABI: a list lies within memory and a result has its place there, or the call traps. A trap takes the whole limit of 3,000,000.",
    );
    places(&mut file);
    values(&mut file);
    writes_in_queries(&mut file);
    let body = format!(
        "(call $storage.set (i32.const 64) (i32.const 32) (i32.const 64) (i32.const 5)) (call $storage.load {} (i32.const 1024)) {NOTHING}",
        word(0)
    );
    file.push(
        Draft::new(
            "a word of five bytes",
            "An entry that is no word cannot be loaded as one.",
        )
        .install(guest(&["storage.set", "storage.load"], &call(&body)))
        .call("c", [], traps(TrapCode::BadArgument)),
    );
    file
}

/// One pointer or length that is wrong.
fn places(file: &mut File) {
    for [key, places] in rows(PLACES) {
        for place in places.split(", ") {
            let (at, kind) = place.split_once(' ').unwrap();
            for (name, value) in wrong(kind) {
                let body = host_call(key, Some((at.parse().unwrap(), *value)));
                // How far a host function gets before it looks differs with its price; lengths may
                // end at the transfer limit first.
                let claim = match kind == "length" && *value < 0 {
                    true => Claim {
                        total: Some(3_000_000),
                        ..Claim::default()
                    },
                    false => uses_up(3_000_000, TrapCode::BadPointer),
                };
                file.push(
                    Draft::new(format!("{key}: {kind} {at} {name}"), "A pointer or length that leads outside of memory, or is not aligned, traps.")
                        .install(guest(&[key], &call(&format!("{body} {NOTHING}"))))
                        .send("c", limited(3_000_000), claim)
                        .storage("c"),
                );
            }
        }
    }
}

/// Arguments that lie within memory and are wrong, or too much.
fn values(file: &mut File) {
    for (name, topics, claim) in [
        ("four topics", 4u32, returns()),
        ("five topics", 5, traps(TrapCode::BadArgument)),
        ("a thousand topics", 1_000, traps(TrapCode::BadArgument)),
    ] {
        let body = format!(
            "(call $events.emit (i32.const 64) (i32.const {topics}) (i32.const 0) (i32.const 0)) {NOTHING}"
        );
        file.push(
            Draft::new(
                format!("events.emit: {name}"),
                "An event has four topics at most.",
            )
            .install(guest(&["events.emit"], &call(&body)))
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
        let body = format!("(call $log.debug (i32.const 64) (i32.const {length})) {NOTHING}");
        let data = format!("(data (i32.const 64) \"{bytes}\")");
        file.push(
            Draft::new(format!("log.debug: {name}"), "A string is UTF-8.")
                .install(guest(&["log.debug"], &(call(&body) + &data)))
                .call("c", [], claim),
        );
    }
    for (length, claim) in [(100u32, returns()), (101, traps(TrapCode::TransferLimit))] {
        let body = format!(
            "(call $crypto.blake3 (i32.const 64) (i32.const {length}) (i32.const 1024)) {NOTHING}"
        );
        file.push(
            Draft::new(
                format!("{length} bytes in one host call, 100 allowed"),
                "The bytes that one host call moves are bounded.",
            )
            .chain(chain_with(&[
                ("call/max_input_bytes", json!(100)),
                ("call/max_output_bytes", json!(100)),
            ]))
            .install(guest(&["crypto.blake3"], &call(&body)))
            .call("c", [], claim),
        );
    }
    let body = format!(
        "(call $ext.invoke (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 4) (i32.const 1024)) {NOTHING}"
    );
    file.push(
        Draft::new(
            "an extension that the chain lacks",
            "A chain without extensions traps where one is called.",
        )
        .install(guest(&["ext.invoke"], &call(&body)))
        .call("c", [], traps(TrapCode::NoSuchExtension)),
    );
}

fn writes_in_queries(file: &mut File) {
    for key in [
        "storage.store",
        "storage.set",
        "storage.remove",
        "events.emit",
        "accounts.transfer",
    ] {
        let query = format!(
            "(func (export \"query\") (param i32 i32) (result i32) {} {NOTHING})",
            host_call(key, None)
        );
        file.push(
            Draft::new(
                format!("{key} in a query"),
                "A query cannot change anything.",
            )
            .install(guest(&[key], &query))
            .query("c", [], traps(TrapCode::WriteInQuery))
            .storage("c"),
        );
    }
}
