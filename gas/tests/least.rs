//! The cheapest way through functions, against what calls use.

mod common;

use aivm_gas::{GasSchedule, least_gas};
use common::{Machine, flat, instrument};
use wasmi::Val;

const MODULE: &str = r#"(module
  (import "env" "note" (func $note (param i32)))
  (func $double (param i32) (result i32) local.get 0 local.get 0 i32.add)
  (func $fail (param i32) local.get 0 call $note unreachable)
  (func (export "run") (param i32) (result i32)
    local.get 0 i32.eqz if i32.const 0 call $fail end
    local.get 0 i32.const 1 i32.eq if (result i32) local.get 0 call $double else
      local.get 0 call $note local.get 0 call $double call $double end)
  (func $down (export "down") (param i32) (result i32)
    local.get 0 i32.eqz if i32.const 7 return end
    local.get 0 i32.const 1 i32.sub call $down)
  (func $never (export "never") loop br 0 end))"#;

fn least(schedule: &GasSchedule) -> Vec<Option<u64>> {
    let wasm = wat::parse_str(MODULE).expect("valid text");
    let price = |module: &str, name: &str| {
        assert_eq!((module, name), ("env", "note"));
        100
    };
    least_gas(&wasm, schedule, &price).expect("accepted")
}

#[test]
fn the_cheapest_way_is_found() {
    let schedule = flat(1);
    let [note, double, fail, run, down, never] = least(&schedule)[..] else {
        panic!("six functions");
    };
    assert_eq!(note, Some(100));
    assert_eq!(double, Some(4));
    // It ends in a trap, so what calls it does not return either.
    assert_eq!((fail, never), (None, None));
    let module = instrument(MODULE, &schedule);
    let mut machine = Machine::new(&module.wasm);
    let gas = |machine: &mut Machine, name: &str, n: i32| {
        let used = machine.call(name, &[Val::I32(n)]).gas();
        u64::try_from(used).expect("not negative")
    };
    assert_eq!(run, Some(gas(&mut machine, "run", 1)));
    // The other way calls a host function, which this machine has for nothing.
    assert!(gas(&mut machine, "run", 2) + 100 > run.expect("it returns"));
    assert_eq!(down, Some(gas(&mut machine, "down", 0)));
}

#[test]
fn what_is_refused_has_no_costs() {
    let schedule = GasSchedule::v1();
    assert!(least_gas(b"\0asm", &schedule, &|_, _| 0).is_err());
    assert!(least_gas(b"\0asm\x01\0\0\0\x08\x01\x05", &schedule, &|_, _| 0).is_err());
    assert_eq!(
        least_gas(b"\0asm\x01\0\0\0", &schedule, &|_, _| 0),
        Ok(vec![])
    );
}
