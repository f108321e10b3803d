//! What guests for other hosts may not do: imports that there are not, initialisers, pointers, allocators.

use aivm::TrapCode;
use aivm_conformance::action::Message;
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::guest::{HEAP, NOTHING, call, guest};
use super::super::script::{self, OUT, Script};
use super::{component, ephemeral, sum, with_sum};

const REASON: &str = "docs/host-interface.md lists the imports with their types, and says what every call checks and in which order; docs/rust-contracts.md says what is served of WASI, and that `_initialize` runs before each call on the call's gas.";

pub fn file() -> File {
    let mut file = File::new("hostile", "wasi", REASON);
    file.share_wat("old", &script::contract(ephemeral::FUNCTIONS, ""));
    file.share_wat("new", &script::contract(component::FUNCTIONS, ""));
    uploads(&mut file);
    initialisers(&mut file);
    super::pointers::old(&mut file);
    super::pointers::new(&mut file);
    limits(&mut file);
    allocators(&mut file);
    file
}

/// A contract with this import.
fn importing(import: &str) -> Vec<u8> {
    let text = guest(&[], "").replacen("(module ", &format!("(module {import} "), 1);
    wat::parse_str(text).unwrap()
}

fn uploads(file: &mut File) {
    let refused = Claim::refused("not-a-contract");
    for (name, import) in [
        (
            "preview 1's fd_datasync",
            r#"(import "wasi_snapshot_preview1" "fd_datasync" (func (param i32) (result i32)))"#,
        ),
        (
            "preview 1's sock_send",
            r#"(import "wasi_snapshot_preview1" "sock_send" (func (param i32 i32 i32 i32 i32) (result i32)))"#,
        ),
        (
            "preview 1's path_unlink_file",
            r#"(import "wasi_snapshot_preview1" "path_unlink_file" (func (param i32 i32 i32) (result i32)))"#,
        ),
        (
            "a function of preview 0",
            r#"(import "wasi_unstable" "fd_close" (func (param i32) (result i32)))"#,
        ),
        (
            "preview 2's random",
            r#"(import "wasi:random/random@0.2.0" "get-random-u64" (func (result i64)))"#,
        ),
        (
            "a name with a hyphen",
            r#"(import "wasi_snapshot_preview1" "fd-close" (func (param i32) (result i32)))"#,
        ),
        (
            "wasi:nn of another version",
            r#"(import "wasi:nn/graph@0.2.0" "load-by-name" (func (param i32 i32 i32)))"#,
        ),
        (
            "the older interface's unload",
            r#"(import "wasi_ephemeral_nn" "unload" (func (param i32) (result i32)))"#,
        ),
        (
            "proc_exit with a result",
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32)))"#,
        ),
        (
            "fd_seek with an offset of 32 bits",
            r#"(import "wasi_snapshot_preview1" "fd_seek" (func (param i32 i32 i32 i32) (result i32)))"#,
        ),
        (
            "sched_yield with an argument",
            r#"(import "wasi_snapshot_preview1" "sched_yield" (func (param i32) (result i32)))"#,
        ),
        (
            "set_input with a tensor in pieces",
            r#"(import "wasi_ephemeral_nn" "set_input" (func (param i32 i32 i32 i32 i32 i32 i32) (result i32)))"#,
        ),
        (
            "a global of preview 1",
            r#"(import "wasi_snapshot_preview1" "fd_close" (global i32))"#,
        ),
    ] {
        file.push(
            Draft::new(
                format!("an import: {name}"),
                "Imports are functions that the host has, each with its type.",
            )
            .upload_bytes(importing(import), refused.clone()),
        );
    }
}

fn initialisers(file: &mut File) {
    for (name, export) in [
        (
            "that takes something",
            r#"(func (export "_initialize") (param i32))"#,
        ),
        (
            "that gives something",
            r#"(func (export "_initialize") (result i32) (i32.const 0))"#,
        ),
        (
            "that is a global",
            r#"(global (export "_initialize") i32 (i32.const 0))"#,
        ),
        (
            "that is a table",
            r#"(table (export "_initialize") 1 funcref)"#,
        ),
    ] {
        let wasm = wat::parse_str(guest(&[], export)).unwrap();
        file.push(
            Draft::new(
                format!("an initialiser {name}"),
                "An export `_initialize` is a function without arguments and results.",
            )
            .upload_bytes(wasm, Claim::refused("not-a-contract")),
        );
    }
    let counting = r#"(global $ready (mut i32) (i32.const 0))
        (func (export "_initialize")
          (global.set $ready (i32.add (global.get $ready) (i32.const 1)))
          (i32.store (i32.const 68) (global.get $heap)))
        (func (export "call") (export "query") (param i32 i32) (result i32)
          (i32.store (i32.const 64) (global.get $ready))
          (call $result (i32.const 0) (i32.const 64) (i32.const 8)))"#;
    // Before the call's own input is there, so the heap is where it begins.
    let once = [1u32, HEAP].map(u32::to_le_bytes).concat();
    let wasm = wat::parse_str(guest(&[], counting)).unwrap();
    file.push(
        Draft::new(
            "an initialiser that counts",
            "It runs once before each call, in an instance as new, before the input is written.",
        )
        .upload_bytes(wasm, Claim::accepted())
        .deploy("c", "code", &[])
        .call("c", [1, 2, 3], Claim::returns(once.clone()))
        .call("c", [], Claim::returns(once.clone()))
        .query("c", [], Claim::returns(once)),
    );
    let limited = |limit| Message::new(ALICE, []).with_gas_limit(limit);
    for (name, body, code) in [
        ("without end", "(loop $l (br $l))", TrapCode::OutOfGas),
        ("that traps", "unreachable", TrapCode::Unreachable),
        (
            "that divides by zero",
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            TrapCode::DivisionByZero,
        ),
        ("without end of depth", "(call $init)", TrapCode::StackLimit),
        (
            "that exits",
            "(call $wasi_snapshot_preview1.proc_exit (i32.const 0))",
            TrapCode::Exited,
        ),
    ] {
        let text = format!(r#"(func $init (export "_initialize") {body})"#);
        let keys = ["wasi_snapshot_preview1.proc_exit"];
        let wasm = wat::parse_str(guest(&keys, &text)).unwrap();
        let claim = Claim {
            total: Some(10_000_000),
            ..traps(code)
        };
        file.push(
            Draft::new(
                format!("an initialiser {name}"),
                "An initialiser runs on the call's gas, and a trap in it is the call's, a constructor's too.",
            )
            .upload_bytes(wasm, Claim::accepted())
            .deploy_as("c", "code", limited(10_000_000), claim),
        );
    }
    let text = r#"(func (export "_initialize") (call $storage.store
          (i64.const 1) (i64.const 0) (i64.const 0) (i64.const 0)
          (i64.const 2) (i64.const 0) (i64.const 0) (i64.const 0)))"#;
    let wasm = wat::parse_str(guest(&["storage.store"], text)).unwrap();
    file.push(
        Draft::new(
            "an initialiser that writes",
            "An initialiser may do what its call may do: in a query it cannot write.",
        )
        .upload_bytes(wasm, Claim::accepted())
        .deploy("c", "code", &[])
        .call("c", [], returns())
        .query("c", [], traps(TrapCode::WriteInQuery))
        .storage("c"),
    );
}

fn limits(file: &mut File) {
    let rule =
        "A call holds 1,024 graphs and 1,024 contexts of the older interface; one more is a trap.";
    let load = "wasi_ephemeral_nn.load_by_name";
    let init = "wasi_ephemeral_nn.init_execution_context";
    let mut script = Script::new(ephemeral::FUNCTIONS);
    let name = script.put(b"sum");
    let one = [name, 3, OUT];
    let last = |number: u32| (number - 1).to_le_bytes();
    for (what, script, number) in [
        ("graphs", script.clone().call(load, &one, 3, 0), 1_024),
        (
            "contexts",
            script
                .clone()
                .call(load, &[name, 3, OUT + 4], 3, 0)
                .call(init, &[0, OUT], 0, 0),
            1_024,
        ),
    ] {
        for (rounds, ends) in [(number, true), (number + 1, false)] {
            let script = script.clone().rounds(rounds).shows(OUT, 4);
            let claim = match ends {
                true => script.returns(&last(rounds)),
                false => script.traps(TrapCode::ResourceLimit),
            };
            let name = format!("{rounds} {what} at a time");
            let draft = with_sum(name, rule, &sum()).put("old");
            file.push(draft.call("old", script.input(), claim));
        }
    }
    // Buffers that all point at the same bytes are more than one call may take.
    let parts: String = r"\00\00\00\00\00\00\02\00".repeat(600);
    let key = "wasi_snapshot_preview1.fd_write";
    let body = format!(
        "(drop (call ${key} (i32.const 1) (i32.const 2048) (i32.const 600) (i32.const 64))) {NOTHING}"
    );
    let text = format!(r#"(data (i32.const 2048) "{parts}") {}"#, call(&body));
    let wasm = wat::parse_str(guest(&[key], &text)).unwrap();
    let limit = aivm::GasSchedule::v1().call.max_input_bytes;
    assert!(600 * 131_072 > limit);
    file.push(
        Draft::new(
            "600 buffers over all of memory",
            "The sum of all list bytes of a call is limited, not each list.",
        )
        .upload_bytes(wasm, Claim::accepted())
        .deploy("c", "code", &[])
        .call("c", [], traps(TrapCode::TransferLimit)),
    );
}

/// Allocators that answer badly when the host has something to give.
fn allocators(file: &mut File) {
    for (name, answer) in [
        ("that ends out of memory", "(i32.const 131068)"),
        ("out of memory", "(i32.const -8)"),
        ("at the end of memory", "(i32.const 131072)"),
    ] {
        let key = "wasi:nn.tensor.[method]tensor.data";
        let make = "wasi:nn.tensor.[constructor]tensor";
        let realloc = format!(
            r#"(global $asked (mut i32) (i32.const 0))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
              (global.set $asked (i32.add (global.get $asked) (i32.const 1)))
              (if (i32.eq (global.get $asked) (i32.const 1)) (then (return (i32.const 8192))))
              {answer})"#
        );
        let body = format!(
            "(call ${} (call ${} (i32.const 64) (i32.const 0) (i32.const 4) (i32.const 64) (i32.const 8)) (i32.const 128)) {NOTHING}",
            key.replace(['[', ']'], "-"),
            make.replace(['[', ']'], "-"),
        );
        let wasm = guest(&[key, make], &(realloc + &call(&body)));
        let wasm = wat::parse_str(wasm).unwrap();
        file.push(
            Draft::new(
                format!("memory for a tensor's data {name}"),
                "What the guest's allocator answers is checked.",
            )
            .upload_bytes(wasm, Claim::accepted())
            .deploy("c", "code", &[])
            .call("c", [], traps(TrapCode::BadRealloc)),
        );
    }
    // The host runs the allocator; it may not call the host.
    let key = "wasi_snapshot_preview1.sched_yield";
    let realloc = format!(
        r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          (drop (call ${key})) (i32.const 8192))"#
    );
    let wasm = wat::parse_str(guest(&[key], &realloc)).unwrap();
    file.push(
        Draft::new(
            "an allocator that yields",
            "An allocator that the host runs may not call imports, those of WASI neither.",
        )
        .upload_bytes(wasm, Claim::accepted())
        .deploy_as(
            "c",
            "code",
            Message::new(ALICE, []),
            traps(TrapCode::Protocol),
        ),
    );
}
