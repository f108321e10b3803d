//! Calls between contracts: value, gas, reverts, reentrancy, depth.

mod checkpoints;
mod extensions;
mod nested;
mod reentrancy;
mod refused;
mod transactions;
mod values;

use aivm::Address;
use aivm_conformance::outcome::Claim;

use super::draft::File;
use super::guest::{call, guest, push_word, word};

const REASON: &str = "The outcome follows from the contracts' text: the proxy returns the 16 bytes of the raw result that it was given and the data in it; docs/host-interface.md says what a failed call undoes.";

/// Failures of a call, by their number in the WIT.
const REVERTED: u8 = 0;
const TRAPPED: u8 = 1;
const NO_CONTRACT: u8 = 2;
const BALANCE: u8 = 3;
const DEPTH: u8 = 4;
const REENTRANCY: u8 = 5;

/// Input: target (32 bytes), gas (8), value (8), the rest is passed on. Writes key 1, calls, and
/// returns the first 12 bytes of the raw result, without pointers, followed by its data.
pub fn proxy(kind: &str, prelude: &str) -> String {
    let target = push_word("(local.get $at)");
    let gas = "(i64.load offset=32 (local.get $at))";
    let value = "(i64.load offset=40 (local.get $at)) (i64.const 0) (i64.const 0) (i64.const 0)";
    let rest =
        "(i32.add (local.get $at) (i32.const 48)) (i32.sub (local.get $length) (i32.const 48))";
    let kind_call = match kind {
        "call" => format!("(call $calls.call {target} {value} {gas} {rest} (i32.const 64))"),
        "query" => format!("(call $calls.query {target} {gas} {rest} (i32.const 64))"),
        _ => format!("(call $calls.self-call {gas} {rest} (i32.const 64))"),
    };
    let body = format!(
        "(local $from i32) (local $size i32)
         (if (i32.lt_u (local.get $length) (i32.const 48)) (then (return (call $result (i32.const 0) (local.get $at) (local.get $length)))))
         (call $storage.store {} {}) {prelude} {kind_call}
         (i32.store8 (i32.const 2048) (i32.load8_u (i32.const 64)))
         (if (i32.eqz (i32.load8_u (i32.const 64)))
           (then (local.set $from (i32.load (i32.const 68))) (local.set $size (i32.load (i32.const 72))))
           (else
             (i32.store8 (i32.const 2049) (i32.load8_u (i32.const 68)))
             (if (i32.eq (i32.load8_u (i32.const 68)) (i32.const 1)) (then (i32.store (i32.const 2052) (i32.load (i32.const 72)))))
             (if (i32.eqz (i32.load8_u (i32.const 68)))
               (then (local.set $from (i32.load (i32.const 72))) (local.set $size (i32.load (i32.const 76)))))))
         (memory.copy (i32.const 2056) (local.get $from) (local.get $size))
         (call $result (i32.const 0) (i32.const 2048) (i32.add (local.get $size) (i32.const 8)))",
        word(1),
        word(1),
    );
    let import = format!("calls.{kind}");
    guest(
        &["storage.store", &import, "calls.allow-reentrancy"],
        &call(&body),
    )
}

/// Ends as the first byte of its input says: 0 returns its input, 1 reverts with it, 3 traps, 4
/// spins, 5 reverts through the host. Writes key 2 and emits first.
fn callee() -> String {
    let body = format!(
        "(call $storage.store {} {})
         (call $events.emit (i32.const 0) (i32.const 0) (local.get $at) (local.get $length))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 3)) (then unreachable))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 4)) (then (loop (br 0))))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 5)) (then (call $context.revert (local.get $at) (local.get $length))))
         (call $result (i32.load8_u (local.get $at)) (local.get $at) (local.get $length))",
        word(2),
        word(2),
    );
    let query = r#"(func (export "query") (param i32 i32) (result i32)
      (call $result (i32.const 0) (local.get 0) (local.get 1)))"#;
    guest(
        &["storage.store", "events.emit", "context.revert"],
        &(call(&body) + query),
    )
}

/// Returns who called, who began, itself, and the value, as it finds them in memory.
fn mirror() -> String {
    let body = "(call $context.caller (i32.const 2048)) (call $context.origin (i32.const 2080))
        (call $context.self-address (i32.const 2112)) (call $context.value (i32.const 2144))
        (call $result (i32.const 0) (i32.const 2048) (i32.const 128))";
    let query = format!("(func (export \"query\") (param i32 i32) (result i32) {body})");
    guest(
        &[
            "context.caller",
            "context.origin",
            "context.self-address",
            "context.value",
        ],
        &(call(body) + &query),
    )
}

/// A word in memory: 32 little-endian bytes.
fn in_memory(address: &Address) -> Vec<u8> {
    address.to_word().to_le_bytes().to_vec()
}

pub fn input(target: &Address, gas: u64, value: u64, rest: &[u8]) -> Vec<u8> {
    let mut input = in_memory(target);
    input.extend(gas.to_le_bytes());
    input.extend(value.to_le_bytes());
    input.extend(rest);
    input
}

fn ok(data: &[u8]) -> Claim {
    Claim::returns([&[0; 8], data].concat())
}

fn failure(kind: u8, code: u32, data: &[u8]) -> Claim {
    let mut output = vec![1, kind, 0, 0];
    output.extend(code.to_le_bytes());
    output.extend(data);
    Claim::returns(output)
}

const PLENTY: u64 = 10_000_000;

pub fn files() -> Vec<File> {
    vec![
        nested::file(),
        values::file(),
        reentrancy::file(),
        transactions::file(),
        checkpoints::file(),
        extensions::file(),
        refused::file(),
    ]
}
