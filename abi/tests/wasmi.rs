//! A real guest on a real engine, registered with `for_each_import!` alone.

mod common;

use aivm_abi::export::Output;
use aivm_abi::{Exit, TrapCode, Word};
use aivm_abi_testing::Run;
use common::TestHost;

fn counter() -> Run<TestHost> {
    let wasm = wat::parse_str(COUNTER).expect("valid text");
    Run::new(&wasm, TestHost::default())
}

/// Adds the first input byte to the word under key 5, emits it as an event, returns it.
const COUNTER: &str = r#"(module
    (import "synergy:aivm/storage@0.1.0" "load" (func $load (param i64 i64 i64 i64 i32)))
    (import "synergy:aivm/storage@0.1.0" "store" (func $store (param i64 i64 i64 i64 i64 i64 i64 i64)))
    (import "synergy:aivm/events@0.1.0" "emit" (func $emit (param i32 i32 i32 i32)))
    (import "synergy:aivm/context@0.1.0" "revert" (func $revert (param i32 i32)))
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (global $freed (export "freed") (mut i32) (i32.const 0))
    (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
        (global.set $next (i32.and
            (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
            (i32.sub (i32.const 0) (local.get $align))))
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get $size))))
    (func (export "call") (param $input i32) (param $length i32) (result i32)
        (if (i32.eqz (local.get $length)) (then (call $revert (local.get $input) (local.get $length)) (unreachable)))
        (call $load (i64.const 5) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 64))
        (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.load8_u (local.get $input))))
        (call $store (i64.const 5) (i64.const 0) (i64.const 0) (i64.const 0)
            (i64.load (i32.const 64)) (i64.load (i32.const 72)) (i64.load (i32.const 80)) (i64.load (i32.const 88)))
        (call $emit (i32.const 64) (i32.const 1) (local.get $input) (local.get $length))
        (i32.store8 (i32.const 16) (i32.const 0))
        (i32.store (i32.const 20) (i32.const 64))
        (i32.store (i32.const 24) (i32.const 32))
        (i32.const 16))
    (func (export "cabi_post_call") (param i32) (global.set $freed (local.get 0)))
    ;; Hostile: the return pointer is misaligned.
    (func (export "construct") (param i32 i32) (result i32)
        (call $load (i64.const 5) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 65))
        (i32.const 16))
    ;; Hostile: the result points past the memory's end.
    (func (export "query") (param i32 i32) (result i32)
        (i32.store8 (i32.const 16) (i32.const 0))
        (i32.store (i32.const 20) (i32.const 65535))
        (i32.store (i32.const 24) (i32.const 2))
        (i32.const 16)))"#;

#[test]
fn counter_runs() {
    let mut run = counter();
    let mut expected = [0; 32];
    expected[0] = 7;
    assert_eq!(
        run.call("call", &[7, 9], 1024).unwrap(),
        Output::Return(expected.into())
    );
    expected[0] = 10;
    assert_eq!(
        run.call("call", &[3], 1024).unwrap(),
        Output::Return(expected.into())
    );
    let host = run.store.data();
    assert_eq!(host.words.get(&Word::from(5u64)), Some(&Word::from(10u64)));
    assert_eq!(
        host.events,
        [
            (vec![Word::from(7u64)], vec![7, 9]),
            (vec![Word::from(10u64)], vec![3])
        ]
    );
    let keys: Vec<_> = host
        .charged
        .iter()
        .map(|(func, bytes)| (func.key(), *bytes))
        .collect();
    assert_eq!(
        keys[..5],
        [
            ("storage.load", 0),
            ("storage.store", 0),
            ("events.emit", 0),
            ("events.emit", 32),
            ("events.emit", 2)
        ]
    );
    let freed = run
        .instance
        .get_global(&run.store, "freed")
        .unwrap()
        .get(&run.store);
    assert_eq!(freed.i32(), Some(16));
}

#[test]
fn revert_carries_its_data_through_the_engine() {
    let mut run = counter();
    assert!(matches!(run.call("call", &[], 1024), Err(Exit::Revert(data)) if data.is_empty()));
}

#[test]
fn hostile_pointers_trap() {
    let mut run = counter();
    assert!(matches!(
        run.call("construct", &[], 1024),
        Err(Exit::Trap(TrapCode::BadPointer))
    ));
    assert!(matches!(
        run.call("query", &[], 1024),
        Err(Exit::Trap(TrapCode::BadResult))
    ));
}

#[test]
fn equal_runs_have_equal_transcripts() {
    let hash = |inputs: &[&[u8]]| {
        let mut run = counter();
        for input in inputs {
            let _ = run.call("call", input, 1024);
        }
        run.store.data().transcript.hash()
    };
    assert_eq!(hash(&[&[1], &[2]]), hash(&[&[1], &[2]]));
    assert_ne!(hash(&[&[1], &[2]]), hash(&[&[2], &[1]]));
    assert_ne!(hash(&[&[1]]), hash(&[&[1], &[]]));
}
