//! Mistakes that metering elsewhere has made, one test each.

mod common;

use aivm_gas::{ExitCode, GasSchedule, Reason, instrument};
use common::{Machine, Outcome, flat};
use wasmi::{TrapCode, Val};

const STACK: i64 = 131_072;

#[test]
fn pitfall_01_block_pays_before_it_runs() {
    // Each turn notes and stores, then divides; the last turn divides by zero.
    let wat = r#"(module (import "env" "note" (func $note (param i32)))
        (memory (export "memory") 1)
        (func (export "run") (param i32) (result i32)
          loop
            local.get 0 call $note
            (i32.store (i32.const 0) (local.get 0))
            (drop (i32.div_u (i32.const 1) (local.get 0)))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if 0 (i32.ge_s (local.get 0) (i32.const 0)))
          end
          i32.const 0))"#;
    let module = common::instrument(wat, &flat(1));
    // A turn: get, call, const, get, store, const, get, div, drop, get, const, sub, set,
    // get, const, ge, br_if; `drop` is free. Entry 1, and the final constant is prepaid
    // by the first payment, together with the first turn.
    let (first, turn) = (1 + 16 + 1, 16);
    for gas in 0..first + 3 * turn {
        let mut machine = Machine::new(&module.wasm);
        let outcome = machine.call_with("run", &[Val::I32(100)], gas, STACK);
        assert_eq!(outcome, Outcome::Exit(ExitCode::OutOfGas));
        let paid = if gas < first {
            0
        } else {
            1 + (gas - first) / turn
        };
        let notes = &machine.store.data().notes;
        assert_eq!(notes.len() as i64, paid, "with {gas} gas");
        assert!(notes.iter().all(|(_, left)| *left >= 0));
        let memory = machine
            .instance
            .get_memory(&machine.store, "memory")
            .expect("a memory");
        let stored = memory.data(&machine.store)[0];
        assert_eq!(
            i64::from(stored),
            if paid == 0 { 0 } else { 101 - paid },
            "with {gas} gas"
        );
    }
    // A trap in the middle of a block does not skip payment: it takes the whole block,
    // which was paid for before, and the host takes the rest.
    let mut machine = Machine::new(&module.wasm);
    let outcome = machine.call_with("run", &[Val::I32(0)], first, STACK);
    assert_eq!(outcome, Outcome::Trap(TrapCode::IntegerDivisionByZero));
    let outcome = machine.call_with("run", &[Val::I32(0)], first - 1, STACK);
    assert_eq!(outcome, Outcome::Exit(ExitCode::OutOfGas));
}

#[test]
fn pitfall_02_bulk_operations_pay_by_their_operand() {
    let wat = r#"(module (memory 16) (table 100 funcref) (elem func) (data "0123456789")
        (func (export "copy") (param i32)
          (memory.copy (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "fill") (param i32)
          (memory.fill (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "init") (param i32)
          (memory.init 0 (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "grow") (param i32) (drop (memory.grow (local.get 0))))
        (func (export "table_copy") (param i32)
          (table.copy (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "table_fill") (param i32)
          (table.fill (i32.const 0) (ref.null func) (local.get 0)))
        (func (export "table_init") (param i32)
          (table.init 0 (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "table_grow") (param i32)
          (drop (table.grow (ref.null func) (local.get 0)))))"#;
    let mut schedule = flat(1);
    schedule.wasm.bulk_per_64_bytes = 1 << 30;
    schedule.wasm.table_element = 1 << 30;
    schedule.wasm.memory_page = 1 << 30;
    let module = common::instrument(wat, &schedule);
    /// Export, static gas, and units for the operands.
    type Case = (&'static str, i64, &'static [(i32, i64)]);
    let cases: [Case; 8] = [
        (
            "copy",
            5,
            &[(0, 0), (1, 1), (64, 1), (65, 2), (1 << 20, 1 << 14)],
        ),
        ("fill", 5, &[(0, 0), (63, 1), (640, 10), (641, 11)]),
        ("init", 5, &[(0, 0), (10, 1)]),
        ("grow", 3, &[(0, 0), (1, 1), (100, 100)]),
        ("table_copy", 5, &[(0, 0), (7, 7), (100, 100)]),
        ("table_fill", 5, &[(0, 0), (7, 7), (100, 100)]),
        ("table_init", 5, &[(0, 0)]),
        ("table_grow", 4, &[(0, 0), (9, 9)]),
    ];
    for (name, fixed, operands) in cases {
        for (operand, units) in operands {
            let mut machine = Machine::new(&module.wasm);
            let args = [Val::I32(*operand)];
            let gas = machine.call_with(name, &args, i64::MAX, STACK).gas();
            assert_eq!(gas, fixed + (units << 30), "{name} {operand}");
            // One less, and nothing happens.
            let mut machine = Machine::new(&module.wasm);
            let outcome = machine.call_with(name, &args, gas - 1, STACK);
            assert_eq!(
                outcome,
                Outcome::Exit(ExitCode::OutOfGas),
                "{name} {operand}"
            );
        }
        // The largest operand at the largest price stays within 63 bits: it pays, and
        // with enough gas it traps, or fails, by itself.
        let mut machine = Machine::new(&module.wasm);
        let outcome = machine.call_with(name, &[Val::I32(-1)], 1 << 30, STACK);
        assert_eq!(outcome, Outcome::Exit(ExitCode::OutOfGas), "{name}");
        let outcome = machine.call_with(name, &[Val::I32(-1)], i64::MAX, STACK);
        match name {
            "grow" => assert_eq!(outcome, Outcome::Exit(ExitCode::MemoryLimit)),
            "table_grow" => assert_eq!(outcome.gas(), 4 + ((1 << 30) * 0xffff_ffff)),
            "copy" | "fill" | "init" => {
                assert_eq!(
                    outcome,
                    Outcome::Trap(TrapCode::MemoryOutOfBounds),
                    "{name}"
                );
            }
            _ => assert_eq!(outcome, Outcome::Trap(TrapCode::TableOutOfBounds), "{name}"),
        }
    }
}

#[test]
fn memory_grows_up_to_the_limit_of_the_schedule() {
    let mut schedule = GasSchedule::v1();
    schedule.limits.initial_pages = 4;
    schedule.limits.memory_pages = 10;
    let run = |memory: &str, pages: i32| {
        let wat = format!(
            r#"(module (memory {memory})
                (func (export "run") (param i32) (result i32) (memory.grow (local.get 0))))"#
        );
        let module = common::instrument(&wat, &schedule);
        match Machine::new(&module.wasm).call("run", &[Val::I32(pages)]) {
            Outcome::Return(results, _) => Ok(results[0].clone()),
            Outcome::Exit(exit) => Err(exit),
            other => panic!("{other:?}"),
        }
    };
    for memory in ["1", "1 100"] {
        assert_eq!(run(memory, 9), Ok("1".into()));
        assert_eq!(run(memory, 10), Err(ExitCode::MemoryLimit));
        assert_eq!(run(memory, -1), Err(ExitCode::MemoryLimit));
    }
    // A guest that sets itself a lower limit sees the failure that it asked for.
    assert_eq!(run("1 5", 4), Ok("1".into()));
    assert_eq!(run("1 5", 5), Ok("-1".into()));
    assert_eq!(run("1 5", -1), Ok("-1".into()));
}

#[test]
fn pitfall_03_a_change_of_prices_changes_the_code_and_the_hash() {
    let wat = r#"(module (func (export "run") (result i32) i32.const 6 i32.const 7 i32.mul))"#;
    let wasm = wat::parse_str(wat).expect("text");
    let one = GasSchedule::v1();
    let mut two = one.clone();
    two.wasm.multiply += 1;
    let (a, b) = (instrument(&wasm, &one), instrument(&wasm, &two));
    let (a, b) = (a.expect("accepted"), b.expect("accepted"));
    assert_ne!(a.wasm, b.wasm);
    assert_ne!(one.hash(), two.hash());
    let gas = |wasm: &[u8]| Machine::new(wasm).call("run", &[]).gas();
    assert_eq!(gas(&b.wasm), gas(&a.wasm) + 1);
}

#[test]
fn pitfall_04_nothing_is_kept_between_modules() {
    let first = wat::parse_str(r#"(module (global i32 i32.const 1) (func (export "run")))"#);
    let second = wat::parse_str(
        r#"(module (func (export "run") (param i32) (result i32 i32) local.get 0 local.get 0))"#,
    );
    let (first, second) = (first.expect("text"), second.expect("text"));
    let schedule = GasSchedule::v1();
    let alone = instrument(&second, &schedule).expect("accepted");
    let _ = instrument(&first, &schedule).expect("accepted");
    let _ = instrument(b"junk", &schedule).expect_err("junk");
    assert_eq!(instrument(&second, &schedule).expect("accepted"), alone);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (second, schedule) = (second.clone(), schedule.clone());
            std::thread::spawn(move || instrument(&second, &schedule).expect("accepted"))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), alone);
    }
}

#[test]
fn pitfall_05_start_is_refused_and_the_allocator_pays() {
    let wat = r#"(module (func $start loop br 0 end) (start $start))"#;
    let wasm = wat::parse_str(wat).expect("text");
    let error = instrument(&wasm, &GasSchedule::v1()).expect_err("a start function");
    assert_eq!(*error.reason, Reason::Start);

    // An allocator that never ends, and one that calls itself, stop like anything else.
    let wat = r#"(module
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          loop br 0 end unreachable)
        (func $self (export "recurse") (param i32) (result i32)
          local.get 0 call $self))"#;
    let module = common::instrument(wat, &GasSchedule::v1());
    let mut machine = Machine::new(&module.wasm);
    let args = [0, 0, 1, 64].map(Val::I32);
    let outcome = machine.call_with("cabi_realloc", &args, 1_000_000, STACK);
    assert_eq!(outcome, Outcome::Exit(ExitCode::OutOfGas));
    let outcome = machine.call_with("recurse", &[Val::I32(0)], 1 << 40, STACK);
    assert_eq!(outcome, Outcome::Exit(ExitCode::StackLimit));
    // With no gas set at all, nothing runs.
    let mut fresh = Machine::new(&module.wasm);
    let outcome = fresh.call_with("recurse", &[Val::I32(0)], 0, 0);
    assert_eq!(outcome, Outcome::Exit(ExitCode::OutOfGas));
}

#[test]
fn pitfall_06_the_logical_stack_ends_first_and_always_at_the_same_depth() {
    let wat = r#"(module (global $depth (export "depth") (mut i32) (i32.const 0))
        (func $down (export "run") (param i64 i64) (result i64)
          global.get $depth i32.const 1 i32.add global.set $depth
          local.get 0 local.get 1 call $down
          local.get 1 i64.add))"#;
    let module = common::instrument(wat, &GasSchedule::v1());
    let frame = module.stats.largest_frame as i64;
    for stack in [0, frame - 1, frame, 10 * frame, 10 * frame + 1, STACK] {
        let mut machine = Machine::new(&module.wasm);
        let args = [Val::I64(1), Val::I64(2)];
        let outcome = machine.call_with("run", &args, 1 << 40, stack);
        assert_eq!(
            outcome,
            Outcome::Exit(ExitCode::StackLimit),
            "{stack} words"
        );
        assert_eq!(
            i64::from(machine.get("depth").i32().expect("i32")),
            stack / frame
        );
    }
}

#[test]
fn the_stack_is_given_back_by_calls_that_return() {
    // Ten thousand calls one after another, with room for three frames.
    let wat = r#"(module
        (func $leaf (param i32) (result i32) local.get 0)
        (func $middle (param i32) (result i32) local.get 0 call $leaf)
        (func (export "run") (result i32) (local i32)
          i32.const 10000 local.set 0
          loop (result i32)
            local.get 0 call $middle drop
            local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
            local.get 0
          end))"#;
    let module = common::instrument(wat, &GasSchedule::v1());
    let frame = module.stats.largest_frame as i64;
    let outcome = Machine::new(&module.wasm).call_with("run", &[], 1 << 40, 3 * frame);
    assert!(matches!(outcome, Outcome::Return(..)), "{outcome:?}");
}
