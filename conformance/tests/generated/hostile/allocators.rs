//! Allocators that give what they must not, or do what they must not.

use aivm::TrapCode;
use aivm_conformance::action::Message;
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::guest::{NOTHING, call, guest, module};

/// What an allocator does, its body, for how many bytes, and how a call ends.
const ALLOCATORS: &str = "
gives the last byte | (i32.const 131071) | 1 | return
gives a byte beyond the end | (i32.const 131072) | 1 | bad-realloc
gives the end for nothing | (i32.const 131072) | 0 | return
gives a place beyond the end for nothing | (i32.const 131073) | 0 | bad-realloc
gives the highest address | (i32.const -1) | 1 | bad-realloc
gives too little at the end | (i32.const 131070) | 3 | bad-realloc
traps | unreachable | 1 | unreachable
never ends | (loop (br 0)) (i32.const 0) | 1 | out-of-gas
divides by zero | (i32.div_u (i32.const 1) (i32.const 0)) | 1 | division-by-zero
calls the host | (drop (call $context.chain-id)) (i32.const 2048) | 1 | protocol
recurses without end | (call $own (local.get 0) (local.get 1) (local.get 2) (local.get 3)) | 1 | stack-limit
";

pub fn file() -> File {
    let mut file = File::new(
        "hostile",
        "allocators",
        "The host asks the guest for memory and trusts nothing about the answer.",
    );
    for [name, body, bytes, end] in rows(ALLOCATORS) {
        let realloc = format!(
            "(func $own (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) {body})"
        );
        let keys = &["context.chain-id", "context.gas-left"];
        let message = Message::new(ALICE, vec![7; bytes.parse().unwrap()]);
        let message = message.with_gas_limit(50_000_000);
        let draft = Draft::new(
            format!("an allocator that {name}"),
            "What the allocator gives is checked, what it does is metered, and it may not call the host.",
        );
        let text = guest(keys, &(realloc + &call(NOTHING)));
        let claim = ends(end);
        file.push(match end {
            "return" => draft.install(text).send("c", message, claim),
            // A constructor without input meets the allocator too.
            _ => draft
                .upload_bytes(module(text), Claim::accepted())
                .deploy_as("c", "code", message, claim),
        });
    }
    // For a result of a host function, aligned as the ABI asks.
    for (name, place, claim) in [
        ("aligned", 4096u32, returns()),
        ("beyond the end", 131_070, traps(TrapCode::BadRealloc)),
    ] {
        let realloc = format!(
            "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (if (result i32) (local.get 3) (then (i32.const {place})) (else (i32.const 0))))"
        );
        let body = format!(
            "(call $storage.set (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 8)) (call $storage.get (i32.const 64) (i32.const 4) (i32.const 1024)) {NOTHING}"
        );
        let text = guest(&["storage.set", "storage.get"], &(realloc + &call(&body)));
        file.push(
            Draft::new(
                format!("a place for a result: {name}"),
                "What the allocator gives is checked.",
            )
            .install(text)
            .call("c", [], claim),
        );
    }
    file
}
