//! Code for other processors than this one gives the same receipts.

mod common;

use aivm::{BlockContext, Call, CodeTarget, Deploy, MemoryHost, Receipt, Vm};
use common::*;

/// Operations that one x86-64 processor has as an instruction and another one as a function of the engine.
fn picky() -> Vec<u8> {
    let mut body = String::new();
    let mut at = 2048;
    for op in ["ceil", "floor", "trunc", "nearest", "sqrt"] {
        for (ty, width) in [("f32", 4), ("f64", 8)] {
            body +=
                &format!("({ty}.store (i32.const {at}) ({ty}.{op} ({ty}.load (local.get $at))))");
            at += width;
        }
        for ty in ["f32x4", "f64x2"] {
            body +=
                &format!("(v128.store (i32.const {at}) ({ty}.{op} (v128.load (local.get $at))))");
            at += 16;
        }
    }
    for op in ["popcnt", "lzcnt", "ctz", "clz"] {
        let (ty, op) = match op {
            "popcnt" => ("i8x16", op),
            "lzcnt" => ("i64", "clz"),
            _ => ("i32", op),
        };
        let load = if ty == "i8x16" { "v128" } else { ty };
        body +=
            &format!("({load}.store (i32.const {at}) ({ty}.{op} ({load}.load (local.get $at))))");
        at += 16;
    }
    for op in [
        "i8x16.swizzle",
        "i32x4.min_s",
        "i64x2.mul",
        "i16x8.narrow_i32x4_u",
        "i64x2.gt_s",
    ] {
        body += &format!(
            "(v128.store (i32.const {at}) ({op} (v128.load (local.get $at)) (v128.load offset=16 (local.get $at))))"
        );
        at += 16;
    }
    body += "(i64.store (i32.const 3000) (i64.popcnt (i64.load (local.get $at))))";
    guest(
        &[],
        &call_body(&format!(
            "{body} (call $result (i32.const 0) (i32.const 2048) (i32.const 1024))"
        )),
    )
}

fn receipts(target: CodeTarget) -> Vec<Receipt> {
    let vm = Vm::builder().code_target(target).build().unwrap();
    let mut host = MemoryHost::new();
    host.set_block(BlockContext::new(7, 100));
    let code = vm.upload(&mut host, &picky()).unwrap().code;
    let at = vm
        .deploy(&mut host, &Deploy::new(ALICE, code, b""))
        .unwrap()
        .address;
    [
        0u64,
        0x7ff8_0000_0000_0001,
        0x4005_bf0a_8b14_5769,
        0x0f0e_0d0c_0b0a_0908,
    ]
    .iter()
    .map(|bits| {
        let mut input = bits.to_le_bytes().repeat(2);
        input.extend((0..16).map(|n| n * 37 + *bits as u8 % 5));
        vm.call(&mut host, &Call::new(ALICE, at, input)).unwrap()
    })
    .collect()
}

#[test]
fn receipts_do_not_depend_on_the_processor_that_code_is_for() {
    let expected = receipts(CodeTarget::Host);
    assert!(expected.iter().all(|receipt| receipt.status.is_success()));
    // Wasm says what these are: e rounded up, down, to zero, to the nearest.
    let number = |at: usize| {
        let bytes = expected[2].output[at..at + 8].try_into().unwrap();
        f64::from_le_bytes(bytes)
    };
    assert_eq!(
        [number(4), number(48), number(92), number(136)],
        [3.0, 2.0, 2.0, 3.0]
    );
    for target in [CodeTarget::Avx2, CodeTarget::Baseline] {
        assert_eq!(receipts(target), expected, "{target:?}");
    }
}
