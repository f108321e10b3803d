//! Host functions: base price, bytes of lists, and what storage costs.

use aivm::GasSchedule;
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::guest::{frame, imports, word};

/// A name; the body, in which `{w0}` to `{w2}` are words, `{list}` is a list of 10 bytes and `{out}`
/// a place for a result; host functions in the order of their calls, each with the bytes of its
/// lists; prices of storage, those for each 1,024 bytes with a number of bytes.
const CALLS: &str = "
accounts.balance | (call $accounts.balance {w1} {out}) | accounts.balance 0 |
accounts.transfer of nothing | (drop (call $accounts.transfer {w1} {w0} )) | accounts.transfer 0 |
accounts.transfer of too much | (drop (call $accounts.transfer {w1} {w2} )) | accounts.transfer 0 |
context.caller | (call $context.caller {out}) | context.caller 0 |
context.origin | (call $context.origin {out}) | context.origin 0 |
context.self-address | (call $context.self-address {out}) | context.self-address 0 |
context.value | (call $context.value {out}) | context.value 0 |
context.block-number | (drop (call $context.block-number)) | context.block-number 0 |
context.block-timestamp | (drop (call $context.block-timestamp)) | context.block-timestamp 0 |
context.chain-id | (drop (call $context.chain-id)) | context.chain-id 0 |
context.gas-left | (drop (call $context.gas-left)) | context.gas-left 0 |
crypto.keccak256 of 10 bytes | (call $crypto.keccak256 {list} {out}) | crypto.keccak256 10 |
crypto.sha256 of 10 bytes | (call $crypto.sha256 {list} {out}) | crypto.sha256 10 |
crypto.sha3-256 of 10 bytes | (call $crypto.sha3-256 {list} {out}) | crypto.sha3-256 10 |
crypto.blake3 of 10 bytes | (call $crypto.blake3 {list} {out}) | crypto.blake3 10 |
crypto.blake3 of nothing | (call $crypto.blake3 (i32.const 0) (i32.const 0) {out}) | crypto.blake3 0 |
events.emit without topics | (call $events.emit (i32.const 0) (i32.const 0) {list}) | events.emit 10 |
events.emit with 4 topics | (call $events.emit (i32.const 512) (i32.const 4) {list}) | events.emit 138 |
journal.begin and commit | (call $journal.begin) (call $journal.commit) | journal.begin 0, journal.commit 0 |
journal.begin and rollback | (call $journal.begin) (call $journal.rollback) | journal.begin 0, journal.rollback 0 |
log.debug of 10 bytes | (call $log.debug {list}) | log.debug 10 |
math.mul | (call $math.mul {w1} {w2} {out}) | math.mul 0 |
math.div | (call $math.div {w1} {w2} {out}) | math.div 0 |
math.rem | (call $math.rem {w1} {w2} {out}) | math.rem 0 |
math.exp | (call $math.exp {w1} {w2} {out}) | math.exp 0 |
math.add-mod | (call $math.add-mod {w1} {w2} {w1} {out}) | math.add-mod 0 |
math.mul-mod | (call $math.mul-mod {w1} {w2} {w1} {out}) | math.mul-mod 0 |
calls.allow-reentrancy | (call $calls.allow-reentrancy (i32.const 1)) | calls.allow-reentrancy 0 |
storage.load of an absent entry | (call $storage.load {w1} {out}) | storage.load 0 | read, read_per_kb 32
storage.load, twice | (call $storage.load {w1} {out}) (call $storage.load {w1} {out}) | storage.load 0, storage.load 0 | read, read_warm, read_per_kb 32, read_per_kb 32
storage.store of a new entry | (call $storage.store {w1} {w2}) | storage.store 0 | read, write_new, per_kb 64
storage.store of zero where nothing is | (call $storage.store {w1} {w0}) | storage.store 0 | read
storage.store over an entry | (call $storage.store {w1} {w2}) (call $storage.store {w1} {w1}) | storage.store 0, storage.store 0 | read, write_new, read_warm, write, per_kb 64, per_kb 64
storage.store of the same again | (call $storage.store {w1} {w2}) (call $storage.store {w1} {w2}) | storage.store 0, storage.store 0 | read, write_new, read_warm, per_kb 64
storage.store of zero over an entry | (call $storage.store {w1} {w2}) (call $storage.store {w1} {w0}) | storage.store 0, storage.store 0 | read, write_new, per_kb 64, read_warm, remove
storage.store, then storage.load | (call $storage.store {w1} {w2}) (call $storage.load {w1} {out}) | storage.store 0, storage.load 0 | read, write_new, per_kb 64, read_warm, read_per_kb 64
storage.set of 10 and 10 bytes | (call $storage.set {list} {list}) | storage.set 20 | read, write_new, per_kb 20
storage.set of an empty value | (call $storage.set {list} (i32.const 0) (i32.const 0)) | storage.set 10 | read, write_new, per_kb 10
storage.get of an absent entry | (call $storage.get {list} {out}) | storage.get 10 | read, read_per_kb 10
storage.set, then storage.get | (call $storage.set {list} {list}) (call $storage.get {list} {out}) | storage.set 20, storage.get 20 | read, write_new, per_kb 20, read_warm, read_per_kb 20
storage.has of an absent entry | (drop (call $storage.has {list})) | storage.has 10 | read
storage.remove of an absent entry | (drop (call $storage.remove {list})) | storage.remove 10 | read
storage.set, then storage.remove | (call $storage.set {list} {list}) (drop (call $storage.remove {list})) | storage.set 20, storage.remove 10 | read, write_new, per_kb 20, read_warm, remove
crypto.address-of a key of 10 bytes | (call $crypto.address-of (i32.const 1) {list} {out}) | crypto.address-of 10 |
crypto.verify-all of nothing | (drop (call $crypto.verify-all (i32.const 0) (i32.const 0))) | crypto.verify-all 0 |
messaging.send of a first message | (drop (call $messaging.send (i64.const 9) {list} {list})) | messaging.send 20 | read, read_per_kb 29, read_warm, write_new, per_kb 37
messaging.peek of what never arrived | (call $messaging.peek {w1} {out}) | messaging.peek 0 | read, read
";

const LIST: &str = "(i32.const 64) (i32.const 10)";
const OUT: &str = "(i32.const 512)";

/// What host functions cost, written like `storage.set 20, storage.get 20`.
fn host(schedule: &GasSchedule, called: &str) -> u64 {
    let price = |call: &str| {
        let (name, bytes) = call.split_once(' ').unwrap();
        let price = schedule.host_price(name).unwrap();
        price.base + price.per_byte * bytes.parse::<u64>().unwrap()
    };
    called.split(", ").map(price).sum()
}

/// What storage costs, written like `read, per_kb 64`.
fn storage(schedule: &GasSchedule, paid: &str) -> u64 {
    let prices = serde_json::to_value(&schedule.storage).unwrap();
    let price = |term: &str| match term.split_once(' ') {
        None => prices[term].as_u64().unwrap(),
        Some((name, bytes)) => {
            (prices[name].as_u64().unwrap() * bytes.parse::<u64>().unwrap()).div_ceil(1024)
        }
    };
    let terms = paid.split(", ").filter(|term| !term.is_empty());
    terms.map(price).sum()
}

pub fn file() -> File {
    let reason = "The generator adds the schedule's base price of each host function that is called and its price for each byte of list contents, and the storage prices that docs/host-interface.md names.";
    let schedule = GasSchedule::v1();
    let mut file = File::new("metering", "host", reason);
    for [name, body, called, stored] in rows(CALLS) {
        let mut keys = Vec::new();
        for call in called.split(", ") {
            let (key, _) = call.split_once(' ').unwrap();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let mut body = body.replace("{list}", LIST).replace("{out}", OUT);
        for value in 0..3 {
            body = body.replace(&format!("{{w{value}}}"), &word(value));
        }
        let claim = Claim {
            host: Some(host(&schedule, called)),
            storage: Some(storage(&schedule, stored)),
            ..returns()
        };
        file.push(
            Draft::new(name, "A host function costs its base price and its price for each byte of lists; storage costs on top.")
                .install(frame(&imports(&keys), "", &body))
                .call("c", [], claim)
                .storage("c"),
        );
    }
    let body = format!("(call $context.revert {LIST}) unreachable");
    let claim = Claim {
        host: Some(host(&schedule, "context.revert 10")),
        ..reverts([0; 10])
    };
    file.push(
        Draft::new(
            "context.revert of 10 bytes",
            "A revert costs what was done, and gives the rest back.",
        )
        .install(frame(&imports(&["context.revert"]), "", &body))
        .call("c", [], claim),
    );
    file
}
