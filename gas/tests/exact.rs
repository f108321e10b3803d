//! Gas against totals counted by hand.

mod common;

use aivm_gas::{ExitCode, GasSchedule};
use common::{Machine, Outcome, flat, instrument};
use wasmi::Val;

fn gas(wat: &str, args: &[Val]) -> i64 {
    let module = instrument(wat, &flat(1));
    Machine::new(&module.wasm).call("run", args).gas()
}

#[test]
fn straight_line() {
    // Entry 1; two constants and an addition.
    let wat = r#"(module (func (export "run") (result i32) i32.const 1 i32.const 2 i32.add))"#;
    assert_eq!(gas(wat, &[]), 4);
}

#[test]
fn arms_of_an_if_pay_their_own() {
    let wat = r#"(module (func (export "run") (param i32) (result i32)
        local.get 0
        if (result i32) i32.const 1 i32.const 2 i32.add else i32.const 7 end))"#;
    // Entry 1, local.get, if; then 3 or 1.
    assert_eq!(gas(wat, &[Val::I32(1)]), 6);
    assert_eq!(gas(wat, &[Val::I32(0)]), 4);
}

const COUNT: &str = r#"(module (func (export "run") (param i32) (result i32) (local i32)
    block loop
      local.get 0  i32.eqz  br_if 1
      local.get 1  local.get 0  i32.add  local.set 1
      local.get 0  i32.const 1  i32.sub  local.set 0
      br 0
    end end
    local.get 1))"#;

#[test]
fn a_loop_pays_each_turn() {
    let module = instrument(COUNT, &flat(1));
    let mut machine = Machine::new(&module.wasm);
    for turns in [0, 1, 2, 100] {
        let outcome = machine.call("run", &[Val::I32(turns)]);
        let sum = (i64::from(turns) * i64::from(turns + 1) / 2).to_string();
        // Entry 1; each turn 3 + 4 + 4 + 1; the last test 3; local.get 1.
        assert_eq!(
            outcome,
            Outcome::Return(vec![sum], 5 + 12 * i64::from(turns)),
            "{turns} turns"
        );
    }
}

#[test]
fn returns_and_branches_out_of_the_function() {
    let wat = r#"(module (func (export "run") (param i32) (result i32 i64)
        i32.const 1 i64.const 2
        local.get 0 br_if 0
        drop drop
        i32.const 3 i64.const 4
        local.get 0 i32.eqz
        if i32.const 5 i64.const 6 return end))"#;
    let module = instrument(wat, &flat(1));
    let mut machine = Machine::new(&module.wasm);
    let outcome = machine.call("run", &[Val::I32(1)]);
    assert_eq!(outcome, Outcome::Return(vec!["1".into(), "2".into()], 5));
    let outcome = machine.call("run", &[Val::I32(0)]);
    assert_eq!(
        outcome,
        Outcome::Return(vec!["5".into(), "6".into()], 1 + 4 + 2 + 3 + 3)
    );
}

#[test]
fn br_table_pays_the_taken_way() {
    let wat = r#"(module (func (export "run") (param i32) (result i32)
        block block block
          local.get 0 br_table 0 1 2
        end i32.const 10 return
        end i32.const 20 i32.const 1 i32.add return
        end i32.const 30))"#;
    assert_eq!(gas(wat, &[Val::I32(0)]), 1 + 2 + 2);
    assert_eq!(gas(wat, &[Val::I32(1)]), 1 + 2 + 4);
    assert_eq!(gas(wat, &[Val::I32(9)]), 1 + 2 + 1);
}

#[test]
fn calls_carry_gas_both_ways() {
    let wat = r#"(module
        (func $fib (export "run") (param i32) (result i32)
          local.get 0 i32.const 2 i32.lt_u
          if (result i32) local.get 0
          else
            local.get 0 i32.const 1 i32.sub call $fib
            local.get 0 i32.const 2 i32.sub call $fib
            i32.add
          end))"#;
    // A leaf costs 1 + 4 + 1, an inner node 1 + 4 + 9; fib(n) has fib(n+1) leaves and one
    // inner node less.
    let leaves = 89;
    assert_eq!(gas(wat, &[Val::I32(10)]), leaves * 6 + (leaves - 1) * 14);
}

#[test]
fn indirect_calls_carry_gas() {
    let wat = r#"(module (table 2 funcref) (elem (i32.const 0) $a $b)
        (type $t (func (result i32)))
        (func $a (result i32) i32.const 1)
        (func $b (result i32) i32.const 1 i32.const 1 i32.add)
        (func (export "run") (param i32) (result i32) local.get 0 call_indirect (type $t)))"#;
    assert_eq!(gas(wat, &[Val::I32(0)]), 1 + 2 + 1 + 1);
    assert_eq!(gas(wat, &[Val::I32(1)]), 1 + 2 + 1 + 3);
}

#[test]
fn host_functions_see_and_lower_the_gas() {
    let wat = r#"(module
        (import "env" "note" (func $note (param i32)))
        (import "env" "spend" (func $spend (param i64)))
        (func (export "run")
          i32.const 1 call $note
          i64.const 100 call $spend
          i32.const 2 call $note))"#;
    let module = instrument(wat, &flat(1));
    let mut machine = Machine::new(&module.wasm);
    let outcome = machine.call_with("run", &[], 1000, 1000);
    assert_eq!(outcome, Outcome::Return(vec![], 107));
    assert_eq!(machine.store.data().notes, [(1, 993), (2, 893)]);
    // A host function that takes more than there is leaves nothing to go on with.
    let wat = r#"(module (import "env" "spend" (func $spend (param i64)))
        (func (export "run") i64.const 1000 call $spend loop end))"#;
    let module = instrument(wat, &flat(1));
    let outcome = Machine::new(&module.wasm).call_with("run", &[], 500, 1000);
    assert_eq!(
        outcome,
        Outcome::Return(vec![], 1003),
        "the host must check for itself"
    );
}

#[test]
fn locals_and_frames_are_paid_for() {
    let mut schedule = flat(1);
    schedule.wasm.function_local = 10;
    schedule.wasm.frame_per_64_words = 1000;
    let wat = r#"(module (func (export "run") (param i32) (local i64 i64) (local f32)))"#;
    let module = instrument(wat, &schedule);
    let gas = Machine::new(&module.wasm).call("run", &[Val::I32(0)]).gas();
    // Entry 1, three declared locals, one block of 64 words.
    assert_eq!(gas, 1 + 30 + 1000);
    // Sixteen words, and one for each local.
    assert_eq!(module.stats.largest_frame, 20);
}

#[test]
fn exactly_enough_gas_is_enough() {
    let module = instrument(COUNT, &GasSchedule::v1());
    let mut machine = Machine::new(&module.wasm);
    let args = [Val::I32(50)];
    let used = machine.call("run", &args).gas();
    for less in [1, 2, 3, used / 2, used] {
        let outcome = machine.call_with("run", &args, used - less, 1000);
        assert_eq!(
            outcome,
            Outcome::Exit(ExitCode::OutOfGas),
            "{less} too little"
        );
    }
    assert_eq!(machine.call_with("run", &args, used, 1000).gas(), used);
}
