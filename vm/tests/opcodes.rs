//! Opcode profiles: what ran, how often, and nothing else changes.

mod common;

use aivm::{Call, Status, TrapCode};
use common::*;

/// Sums the numbers up to the length of its input, and calls the contract in it, if any.
const SUM: &str = "
  (local $i i32) (local $sum i32)
  (local.set $i (local.get $length))
  (block $done
    (br_if $done (i32.eqz (local.get $i)))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $i) (i32.const 3))))
      (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1))))))
  (i32.store (i32.const 2048) (local.get $sum))
  (call $result (i32.const 0) (i32.const 2048) (i32.const 4))";

#[test]
fn every_instruction_is_counted_as_often_as_it_runs() {
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &call_body(SUM)));
    for n in [0usize, 1, 100] {
        let call = Call::new(ALICE, contract, vec![7; n]);
        let plain = world.vm.estimate(&world.host, &call).unwrap().receipt;
        let (receipt, profile) = world.vm.count_opcodes(&world.host, &call).unwrap();
        assert_eq!(receipt.to_canonical_bytes(), plain.to_canonical_bytes());
        let count = |name: &str| {
            profile
                .opcodes()
                .get(name)
                .map_or(0, |stats| stats.executed)
        };
        let n = n as u64;
        assert_eq!(count("i32.mul"), n);
        assert_eq!(count("i32.eqz"), 1);
        assert_eq!(count("br_if"), 1 + n);
        assert_eq!(count("local.tee"), n);
        assert_eq!(count("loop"), u64::from(n > 0));
        // One of the body and three of `$result`.
        assert_eq!(count("i32.store"), 4);
        assert_eq!(count("call"), 1);
        assert_eq!(count("f64.add"), 0);
        // The allocator ran for the input: one `and`, one `sub` from zero and one from the
        // alignment.
        assert_eq!(count("i32.and"), 1);
        assert_eq!(count("i32.sub"), 2 + n);
        let gas: u64 = profile.opcodes().values().map(|stats| stats.gas).sum();
        assert!(gas > 0 && gas < receipt.gas.execution, "{gas}");
    }
    assert_eq!(world.host.commits(), 2);
}

#[test]
fn nested_frames_count_and_so_do_failed_ones() {
    let outer = format!(
        "(call $calls.call {target} {value} (i64.const 5000000) (i32.const 0) (i32.const 9) (i32.const 64))
         (call $calls.call {target} {value} (i64.const 5000000) (i32.const 0) (i32.const 0) (i32.const 64))
         {RETURN_NOTHING}",
        target = push_word("(local.get $at)"),
        value = word(0)
    );
    // Traps when it gets no input.
    let inner = "(drop (i64.popcnt (i64.const 3)))
      (if (i32.eqz (local.get $length)) (then (drop (i64.clz (i64.const 1))) unreachable))
      (drop (i64.ctz (i64.const 4)))
      (call $result (i32.const 0) (i32.const 0) (i32.const 0))";
    let mut world = World::new();
    let outer = world.deploy(&guest(&["calls.call"], &call_body(&outer)));
    let inner = world.deploy(&guest(&[], &call_body(inner)));
    let call = Call::new(ALICE, outer, limbs(&inner));
    let (receipt, profile) = world.vm.count_opcodes(&world.host, &call).unwrap();
    assert_eq!(receipt.status, Status::Return);
    let expected = world.vm.estimate(&world.host, &call).unwrap().receipt;
    assert_eq!(receipt, expected);
    let count = |name: &str| {
        profile
            .opcodes()
            .get(name)
            .map_or(0, |stats| stats.executed)
    };
    assert_eq!(
        (count("i64.popcnt"), count("i64.clz"), count("i64.ctz")),
        (2, 1, 1)
    );
    assert_eq!(count("unreachable"), 1);
}

#[test]
fn a_transaction_that_runs_out_is_counted_and_a_refused_one_is_an_error() {
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &call_body("(loop (br 0)) unreachable")));
    let call = Call::new(ALICE, contract, b"").with_gas_limit(1_000_000);
    let (receipt, profile) = world.vm.count_opcodes(&world.host, &call).unwrap();
    assert_eq!(receipt.status, Status::Trap(TrapCode::OutOfGas));
    assert!(profile.opcodes()["br"].executed > 1_000);
    let nobody = Call::new(ALICE, BOB, b"");
    assert!(world.vm.count_opcodes(&world.host, &nobody).is_err());
    let poor = Call::new(ALICE, contract, b"").with_gas_limit(1);
    assert!(world.vm.count_opcodes(&world.host, &poor).is_err());
}
