//! Properties of the instrumentation over random modules.

mod common;
#[path = "common/smith.rs"]
mod smith;

use aivm_gas::{ExitCode, GasSchedule, instrument, instrument_plainly};
use common::{Machine, Outcome};
use wasmi::{ExternType, Val};

/// Enough for most random functions, little enough that endless loops stop soon.
const GAS: i64 = 2_000_000;

fn schedule() -> GasSchedule {
    let mut schedule = GasSchedule::v1();
    schedule.limits.initial_pages = 64;
    schedule.limits.memory_grows = 1_000;
    schedule.limits.locals = 1_024;
    schedule.limits.loop_nesting = 24;
    schedule.limits.memory_pages = 256;
    schedule
}

/// Names and parameter types of the exported functions.
fn functions(machine: &Machine) -> Vec<(String, Vec<Val>)> {
    let mut found = Vec::new();
    for export in machine.instance.exports(&machine.store) {
        let name = export.name().to_owned();
        if let ExternType::Func(ty) = export.ty(&machine.store) {
            found.push((
                name,
                ty.params()
                    .iter()
                    .map(|ty| Val::default_for_ty(*ty))
                    .collect(),
            ));
        }
    }
    found
}

/// Memory and plain globals, as something to compare.
fn state(machine: &Machine) -> (Vec<u8>, Vec<String>) {
    let mut memory = Vec::new();
    let mut globals = Vec::new();
    for export in machine.instance.exports(&machine.store) {
        let name = export.name().to_owned();
        if name.starts_with("aivm:") {
            continue;
        }
        if let Some(found) = export.clone().into_memory() {
            let data = found.data(&machine.store);
            memory = blake3::hash(data).as_bytes().to_vec();
            memory.extend(data.len().to_le_bytes());
        }
        if let Some(found) = export.into_global() {
            match found.get(&machine.store) {
                Val::I32(v) => globals.push(format!("{name} {v}")),
                Val::I64(v) => globals.push(format!("{name} {v}")),
                Val::F32(v) => globals.push(format!("{name} {:x}", v.to_bits())),
                Val::F64(v) => globals.push(format!("{name} {:x}", v.to_bits())),
                _ => {}
            }
        }
    }
    (memory, globals)
}

#[test]
fn instrumented_modules_validate_and_depend_on_nothing_else() {
    let schedule = schedule();
    let mut accepted = 0;
    for seed in 0..3_000 {
        let Some(wasm) = smith::module(seed, smith::config(seed, true)) else {
            continue;
        };
        let first = match instrument(&wasm, &schedule) {
            Ok(first) => first,
            Err(error) => {
                let internal = matches!(*error.reason, aivm_gas::Reason::Internal(_));
                assert!(!internal, "seed {seed}: {error}");
                continue;
            }
        };
        accepted += 1;
        assert_eq!(
            instrument(&wasm, &schedule).as_ref(),
            Ok(&first),
            "seed {seed}"
        );
        let again = instrument(&first.wasm, &schedule).expect_err("reserved names");
        assert!(
            again.to_string().contains("reserved"),
            "seed {seed}: {again}"
        );
    }
    println!("{accepted} modules");
    assert!(accepted > 1_500, "{accepted}");
}

/// One seed: the plain module, the instrumented one and one that charges each block by
/// itself do the same; the last two use the same gas. Gives calls compared.
fn compare(seed: u64, schedule: &GasSchedule) -> usize {
    let Some(wasm) = smith::module(seed, smith::config(seed, false)) else {
        return 0;
    };
    let (Ok(merged), Ok(plain)) = (
        instrument(&wasm, schedule),
        instrument_plainly(&wasm, schedule),
    ) else {
        return 0;
    };
    // Start-up can trap on segments out of bounds; then there is nothing to compare.
    let Some(machine) = Machine::start(&merged.wasm, None) else {
        return 0;
    };
    let mut compared = 0;
    for (name, args) in functions(&machine) {
        // A fresh instance for each call, since calls change state.
        let mut one = Machine::start(&merged.wasm, None).expect("it started before");
        let mut other = Machine::start(&plain.wasm, None).expect("starts like the other");
        let mut guest = Machine::start(&wasm, Some(200_000_000)).expect("starts like the other");
        let stack = i64::from(schedule.limits.stack_words);
        let outcome = one.call_with(&name, &args, GAS, stack);
        let other_outcome = other.call_with(&name, &args, GAS, stack);
        // The two reserve stack in other steps, so a runaway recursion may end otherwise.
        let stopped = |outcome: &Outcome| matches!(outcome, Outcome::Exit(_));
        if stopped(&outcome) && stopped(&other_outcome) {
            continue;
        }
        assert_eq!(outcome, other_outcome, "seed {seed} {name}");
        if matches!(outcome, Outcome::Exit(_)) {
            continue;
        }
        let guest_outcome = guest.call_with(&name, &args, 0, 0);
        match (&outcome, &guest_outcome) {
            (Outcome::Return(mine, gas), Outcome::Return(theirs, _)) => {
                assert_eq!(mine, theirs, "seed {seed} {name}");
                // No less is enough, and no more is used when there is less.
                let mut short = Machine::start(&merged.wasm, None).expect("it started before");
                let exact = short.call_with(&name, &args, *gas, stack);
                assert_eq!(exact, outcome, "seed {seed} {name}");
                let mut short = Machine::start(&merged.wasm, None).expect("it started before");
                let less = short.call_with(&name, &args, gas - 1, stack);
                assert_eq!(
                    less,
                    Outcome::Exit(ExitCode::OutOfGas),
                    "seed {seed} {name}"
                );
            }
            (mine, theirs) => assert_eq!(mine, theirs, "seed {seed} {name}"),
        }
        assert_eq!(state(&one), state(&guest), "seed {seed} {name}");
        assert_eq!(state(&one), state(&other), "seed {seed} {name}");
        compared += 1;
    }
    compared
}

#[test]
fn instrumentation_changes_nothing_but_gas() {
    let schedule = schedule();
    let compared: usize = (0..1_500).map(|seed| compare(seed, &schedule)).sum();
    println!("{compared} calls compared");
    assert!(compared > 1_000, "{compared}");
}
