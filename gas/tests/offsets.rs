//! The way back from instrumented code to the guest's own.

#[path = "common/smith.rs"]
mod smith;

use std::collections::BTreeMap;

use aivm_gas::{GasSchedule, Reason, instrument, offset_map};
use wasmparser::{Operator, Parser, Payload};

/// Instructions of each function with their offsets, and where the code begins.
fn operators(wasm: &[u8]) -> (u64, Vec<Vec<(u64, String)>>) {
    let (mut code, mut functions) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("it is valid") {
            Payload::CodeSectionStart {
                unchecked_range, ..
            } => code = unchecked_range.start,
            Payload::CodeSectionEntry(body) => {
                let mut list = Vec::new();
                let mut reader = body.get_operators_reader().expect("it is valid");
                while !reader.eof() {
                    let offset = reader.original_position();
                    let text = match reader.read().expect("it is valid") {
                        // Locals move when parameters are added.
                        Operator::LocalGet { .. } => "local.get".to_owned(),
                        Operator::LocalSet { .. } => "local.set".to_owned(),
                        Operator::LocalTee { .. } => "local.tee".to_owned(),
                        other => format!("{other:?}"),
                    };
                    list.push((offset, text));
                }
                functions.push(list);
            }
            _ => {}
        }
    }
    (code, functions)
}

/// Checks a module; gives the number of its instructions.
fn check(wasm: &[u8], schedule: &GasSchedule) -> Option<usize> {
    let made = instrument(wasm, schedule).ok()?;
    let map = offset_map(wasm, schedule).expect("instrument accepted it");
    let (code, guest) = operators(wasm);
    let (_, instrumented) = operators(&made.wasm);
    assert_eq!(map.guest_code(), code);
    assert_eq!(guest.len(), instrumented.len());
    let mut count = 0;
    for (guest, instrumented) in guest.iter().zip(&instrumented) {
        let texts: BTreeMap<u64, &str> = guest.iter().map(|(at, op)| (*at, &**op)).collect();
        let mut found: BTreeMap<u64, u64> = BTreeMap::new();
        let mut last = 0;
        for (at, op) in instrumented {
            let back = map.guest_offset(*at).expect("it lies in the code");
            let text = texts
                .get(&back)
                .unwrap_or_else(|| panic!("{at} leads to {back}"));
            if text == op && back >= last {
                found.entry(back).or_insert(*at);
            }
            last = last.max(back);
        }
        // The last `end` became another one.
        for (at, op) in guest.iter().rev().skip(1) {
            assert!(found.contains_key(at), "{op} at {at} is lost");
            count += 1;
        }
    }
    Some(count)
}

#[test]
fn instructions_lead_back() {
    let mut schedule = GasSchedule::v1();
    schedule.limits.initial_pages = 64;
    let total: usize = (0..300)
        .filter_map(|seed| {
            check(
                &smith::module(seed, smith::config(seed, schedule.limits.simd))?,
                &schedule,
            )
        })
        .sum();
    assert!(total > 10_000, "{total} instructions");
}

#[test]
fn a_call_leads_back_through_what_was_added() {
    let wasm = wat::parse_str(
        r#"(module (func $f (param i32) (result i32) (local i64)
              local.get 0 i32.const 3 i32.div_u)
            (func (export "run") (param i32) (result i32)
              local.get 0 if unreachable end
              i32.const 5 call $f))"#,
    )
    .expect("valid text");
    let schedule = GasSchedule::v1();
    assert_eq!(check(&wasm, &schedule), Some(3 + 6));
    let made = instrument(&wasm, &schedule).expect("accepted").wasm;
    let map = offset_map(&wasm, &schedule).expect("accepted");
    let find = |wasm: &[u8], op: &str| {
        let (_, functions) = operators(wasm);
        let mut all = functions.into_iter().flatten();
        all.find(|(_, text)| text.starts_with(op))
            .expect("it is there")
            .0
    };
    for op in ["I32DivU", "Call ", "Unreachable"] {
        assert_eq!(
            map.guest_offset(find(&made, op)),
            Some(find(&wasm, op)),
            "{op}"
        );
    }
    assert_eq!(map.guest_offset(0), None);
}

#[test]
fn what_is_refused_has_no_map() {
    let refused = offset_map(b"\0asm\x01\0\0\0\xff", &GasSchedule::v1());
    let refused = refused.expect_err("not a module");
    assert!(matches!(*refused.reason, Reason::Invalid(_)));
    let empty = offset_map(b"\0asm\x01\0\0\0", &GasSchedule::v1()).expect("a module");
    assert_eq!(empty.guest_offset(8), None);
}
