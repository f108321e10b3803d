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

#[test]
fn inner_functions_hand_gas_on_in_every_shape() {
    // Declared locals, a trap-free early return, results of each type, a dead call, and
    // calls through each of inner, outer and imported functions.
    let wat = r#"(module
        (import "env" "note" (func $note (param i32)))
        (table 1 funcref) (elem (i32.const 0) $outer)
        (type $t (func (param i32) (result i32)))
        (func $outer (param i32) (result i32) (call $open (local.get 0)))
        (func $open (param i32) (result i32) (local i64 i32)
          (local.set 2 (i32.add (local.get 0) (i32.const 1)))
          (call $note (local.get 2))
          (local.tee 2 (i32.add (local.get 2) (i32.const 1))))
        (func $pure (param f64) (result f64) (local f64)
          (local.set 1 (f64.add (local.get 0) (f64.const 1)))
          (local.get 1))
        (func $closed (param i32) (result i32) (local i32)
          block
            (br_if 0 (i32.eqz (local.get 0)))
            (return (i32.const 5))
          end
          loop
            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (br_if 0 (i32.lt_u (local.get 1) (i32.const 3)))
          end
          (local.get 1))
        (func $dead (result i32)
          i32.const 1 return i32.const 2 call $closed call $open drop i32.const 0)
        (func (export "run") (param i32) (result i32)
          (i32.add (call $closed (i32.const 0)) (call $closed (local.get 0)))
          (call $open (local.get 0)) i32.add
          (call $outer (local.get 0)) i32.add
          (call_indirect (type $t) (local.get 0) (i32.const 0)) i32.add
          (i32.trunc_f64_s (call $pure (f64.const 6))) i32.add
          call $dead i32.add))"#;
    let wasm = wat::parse_str(wat).expect("text");
    let module = instrument(wat, &flat(1));
    let mut machine = Machine::new(&module.wasm);
    let outcome = machine.call("run", &[Val::I32(10)]);
    let closed = |argument: i64| match argument {
        0 => 1 + 3 + 3 * 8 + 1,
        _ => 1 + 3 + 2,
    };
    let open = 1 + 4 + 2 + 4;
    let outer = 1 + 2 + open;
    let gas = 1
        + 2
        + closed(0)
        + 2
        + closed(10)
        + 1
        + 2
        + open
        + 1
        + 2
        + outer
        + 1
        + 3
        + outer
        + 1
        + 2
        + (1 + 5)
        + 1
        + 1
        + 1
        + (1 + 2)
        + 1;
    let sum = 3 + 5 + 12 + 12 + 12 + 7 + 1;
    assert_eq!(outcome, Outcome::Return(vec![sum.to_string()], gas));
    let plain = aivm_gas::instrument_plainly(&wasm, &flat(1)).expect("accepted");
    assert_eq!(
        Machine::new(&plain.wasm).call("run", &[Val::I32(10)]),
        outcome
    );
    let used = machine.call("run", &[Val::I32(10)]).gas();
    for gas in 0..used {
        let outcome = machine.call_with("run", &[Val::I32(10)], gas, 1000);
        assert_eq!(outcome, Outcome::Exit(ExitCode::OutOfGas), "{gas}");
    }
    let notes = &machine.store.data().notes;
    assert!(
        notes.iter().all(|(note, left)| *note == 11 && *left >= 0),
        "{notes:?}"
    );
}

#[test]
fn a_constant_operand_is_paid_for_with_its_block() {
    let run = |length: &str| {
        let wat = format!(
            r#"(module (memory 2) (func (export "run") (param i32)
                (memory.fill (i32.const 0) (i32.const 7) ({length}))))"#
        );
        let mut schedule = flat(1);
        schedule.wasm.bulk_per_64_bytes = 10;
        let module = instrument(&wat, &schedule);
        Machine::new(&module.wasm)
            .call("run", &[Val::I32(65_537)])
            .gas()
    };
    assert_eq!(run("i32.const 65537"), 1 + 4 + 10 * 1025);
    assert_eq!(run("local.get 0"), 1 + 4 + 10 * 1025);
}

/// The chain stores custom sections, so names, lines and padding are not free.
#[test]
fn custom_sections_are_paid_for_by_the_byte() {
    let schedule = GasSchedule::v1();
    let module = wat::parse_str("(module (func (export \"run\")))").unwrap();
    let plain = aivm_gas::instrument(&module, &schedule).unwrap();
    assert_eq!(plain.stats.custom_bytes, 0);
    for (at, contents) in [
        (8, 0),
        (8, 1),
        (module.len(), 1_000),
        (module.len(), 70_000),
    ] {
        let section = wasm_encoder::CustomSection {
            name: "padding".into(),
            data: vec![7; contents].into(),
        };
        let mut encoded = Vec::new();
        wasm_encoder::Section::append_to(&section, &mut encoded);
        let mut padded = module.clone();
        padded.splice(at..at, encoded);
        let priced = aivm_gas::instrument(&padded, &schedule).unwrap();
        // What runs is the same; the name and its length are stored too.
        assert_eq!(priced.wasm, plain.wasm);
        let bytes = contents as u64 + 8;
        assert_eq!(priced.stats.custom_bytes, bytes);
        let more = priced.upload_gas - plain.upload_gas;
        assert_eq!(more, bytes * schedule.upload.per_byte);
    }
}
