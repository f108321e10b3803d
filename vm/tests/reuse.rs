//! Instances serve many calls; no call may tell that there was one before.

mod common;

use aivm::{Call, Status, TrapCode, Vm};
use common::*;

/// A contract that reports all it can see of its own state, then changes all of it, and
/// ends as the first byte of its input says: 0 returns, 1 reverts, 2 reverts through the
/// host, 3 traps, 4 runs out of gas, 5 runs out of stack.
fn witness(table_changes: bool) -> Vec<u8> {
    let change_table = match table_changes {
        true => "(table.set (i32.const 1) (ref.func $seven)) (elem.drop $spare) (data.drop $late)",
        false => "",
    };
    let body = format!(
        "(local $out i32) (local.set $out (i32.const 2048))
         (i64.store (i32.const 2048) (global.get $counter))
         (i64.store (i32.const 2056) (i64.reinterpret_f64 (global.get $float)))
         (i32.store (i32.const 2064) (memory.size))
         (i32.store (i32.const 2068) (i32.load (i32.const 100)))
         (i32.store (i32.const 2072) (i32.load (i32.const 70000)))
         (i32.store (i32.const 2076) (call_indirect (type $t) (i32.const 1)))
         (memory.init $late (i32.const 2080) (i32.const 0) (i32.const 4))
         (v128.store (i32.const 2084) (global.get $vector))
         (global.set $counter (i64.add (global.get $counter) (i64.const 1)))
         (global.set $float (f64.const 1.5))
         (global.set $vector (v128.const i64x2 9 9))
         (drop (memory.grow (i32.const 1)))
         (memory.fill (i32.const 8300) (i32.const 255) (i32.const 188000))
         (memory.fill (i32.const 0) (i32.const 255) (i32.const 1000))
         {change_table}
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 1))
           (then (return (call $result (i32.const 1) (i32.const 2048) (i32.const 52)))))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 2))
           (then (call $context.revert (i32.const 2048) (i32.const 52))))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 3)) (then (unreachable)))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 4)) (then (loop (br 0))))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 5)) (then (call $down)))
         (call $result (i32.const 0) (i32.const 2048) (i32.const 52))"
    );
    // The input lies at the heap's start, which the fills leave alone.
    let rest = call_body(&body)
        + r#"
      (global $counter (mut i64) (i64.const 41))
      (global $float (mut f64) (f64.const -0.25))
      (global $vector (mut v128) (v128.const i64x2 1 2))
      (type $t (func (result i32)))
      (table 2 funcref)
      (elem (i32.const 0) $five $six)
      (elem $spare func $seven)
      (func $five (result i32) (i32.const 5))
      (func $six (result i32) (i32.const 6))
      (func $seven (result i32) (i32.const 7))
      (func $down (call $down) (global.set $counter (i64.const 0)))
      (data (i32.const 100) "abcd")
      (data (i32.const 70000) "wxyz")
      (data $late "late")"#;
    guest(&["context.revert"], &rest)
}

#[test]
fn no_call_sees_what_another_left_however_that_ended() {
    for table_changes in [false, true] {
        let wasm = witness(table_changes);
        let mut world = World::new();
        let contract = world.deploy(&wasm);
        let endings: [(&[u8], Status); 6] = [
            (&[0], Status::Return),
            (&[1], Status::Revert),
            (&[2], Status::Revert),
            (&[3], Status::Trap(TrapCode::Unreachable)),
            (&[4], Status::Trap(TrapCode::OutOfGas)),
            (&[5], Status::Trap(TrapCode::StackLimit)),
        ];
        for (input, status) in endings.into_iter().chain(endings).chain(endings) {
            let call = Call::new(ALICE, contract, input).with_gas_limit(5_000_000);
            let receipt = world.send(&call);
            assert_eq!(receipt.status, status, "{input:?}");
            // What a VM says that never ran anything.
            let fresh = Vm::builder().build().unwrap();
            let expected = fresh.estimate(&world.host, &call).unwrap().receipt;
            assert_eq!(receipt, expected, "{input:?}");
            if !matches!(status, Status::Trap(_)) {
                let mut seen = Vec::new();
                seen.extend(41u64.to_le_bytes());
                seen.extend((-0.25f64).to_le_bytes());
                seen.extend(2u32.to_le_bytes());
                seen.extend(b"abcdwxyz");
                seen.extend(6u32.to_le_bytes());
                seen.extend(b"late");
                seen.extend(1u64.to_le_bytes());
                seen.extend(2u64.to_le_bytes());
                assert_eq!(receipt.output, seen, "{input:?}");
            }
        }
    }
}

#[test]
fn a_vm_that_keeps_no_instances_gives_the_same_receipts() {
    let wasm = witness(false);
    let run = |idle: usize| {
        let vm = Vm::builder().idle_instances(idle).build().unwrap();
        let mut world = World::with_vm(vm);
        let contract = world.deploy(&wasm);
        (0..6u8)
            .map(|n| world.call(contract, &[n % 3]).hash())
            .collect::<Vec<_>>()
    };
    assert_eq!(run(0), run(1));
    assert_eq!(run(0), run(100));
}

/// A guest may export a host function as its own entry.
#[test]
fn an_import_that_is_exported_as_an_entry_runs_and_pays() {
    // `storage.has(pointer, length) -> bool` has the type of an entry; it gives 0 or 1,
    // of which 0 points to zeros: an empty result. 1 is misaligned.
    let text = guest_text(&["storage.has"], "(export \"call\" (func $storage.has))");
    let text = text.replace(
        "(func (export \"call\") (param i32 i32) (result i32)
                  (call $result (i32.const 0) (i32.const 0) (i32.const 0)))",
        "",
    );
    let wasm = wat::parse_str(text).unwrap();
    let mut world = World::new();
    let contract = world.deploy(&wasm);
    for _ in 0..3 {
        let receipt = world.call(contract, b"key");
        assert_eq!(receipt.status, Status::Return);
        assert!(receipt.output.is_empty());
        assert!(receipt.gas.host > 0 && receipt.gas.storage > 0);
    }
    world.host.set_storage(contract, b"key", Some(b"x"));
    let receipt = world.call(contract, b"key");
    assert_eq!(receipt.status, Status::Trap(TrapCode::BadResult));
}
