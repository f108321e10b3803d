//! Hostile guests: what ends in a trap code, and what is refused at upload.

mod common;

use aivm::{Call, CheckError, Deploy, Error, Status, TrapCode, Vm};
use common::*;

fn trap_of(imports: &[&str], body: &str) -> TrapCode {
    let mut world = World::new();
    let contract = world.deploy(&guest(imports, &call_body(body)));
    let receipt = world.call(contract, b"");
    match receipt.status {
        Status::Trap(code) => {
            assert_eq!(receipt.gas.total(), receipt.gas_limit);
            code
        }
        other => panic!("{other} for {body}"),
    }
}

#[test]
fn every_engine_trap_has_its_code() {
    for (body, expected) in [
        ("unreachable", TrapCode::Unreachable),
        (
            "(drop (i32.load (i32.const -4))) unreachable",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "(i64.store (i32.const 131065) (i64.const 1)) unreachable",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "(memory.fill (i32.const 131072) (i32.const 0) (i32.const 1)) unreachable",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "(drop (i32.div_s (local.get $at) (i32.sub (local.get $length) (local.get $length)))) unreachable",
            TrapCode::DivisionByZero,
        ),
        (
            "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1))) unreachable",
            TrapCode::IntegerOverflow,
        ),
        (
            "(drop (i32.trunc_f32_s (f32.const nan))) unreachable",
            TrapCode::BadConversion,
        ),
        (
            "(drop (i32.trunc_f64_u (f64.const 1e30))) unreachable",
            TrapCode::IntegerOverflow,
        ),
        ("(loop (br 0)) unreachable", TrapCode::OutOfGas),
    ] {
        assert_eq!(trap_of(&[], body), expected, "{body}");
    }
}

#[test]
fn indirect_calls_trap_by_cause() {
    let rest = |index: u32| {
        call_body(&format!(
            "(drop (call_indirect (type $t) (i32.const {index}))) {RETURN_NOTHING}"
        )) + r#"
        (type $t (func (result i32)))
        (table 4 funcref)
        (elem (i32.const 0) $one $other)
        (func $one (result i32) (i32.const 1))
        (func $other (param i32))"#
    };
    let mut world = World::new();
    for (index, expected) in [
        (1, TrapCode::IndirectCallType),
        (2, TrapCode::IndirectCallNull),
        (4, TrapCode::OutOfBoundsTable),
    ] {
        let contract = world.deploy(&guest(&[], &rest(index)));
        let receipt = world.call(contract, b"");
        assert_eq!(receipt.status, Status::Trap(expected));
    }
    let contract = world.deploy(&guest(&[], &rest(0)));
    assert_eq!(world.call(contract, b"").status, Status::Return);
}

#[test]
fn recursion_in_wasm_ends_at_the_logical_stack_limit() {
    let rest = call_body(&format!("(call $down (i32.const 100000)) {RETURN_NOTHING}"))
        + r#"(func $down (param i32) (local i64 i64 i64 i64)
              (call $down (i32.sub (local.get 0) (i32.const 1)))
              (local.set 1 (i64.const 1)))"#;
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &rest));
    let call = Call::new(ALICE, contract, b"").with_gas_limit(1 << 40);
    assert_eq!(world.send(&call).status, Status::Trap(TrapCode::StackLimit));
}

#[test]
fn mutual_recursion_through_a_table_ends_at_the_logical_stack_limit() {
    let rest = call_body(&format!(
        "(drop (call $even (i64.const 100000))) {RETURN_NOTHING}"
    )) + r#"(table 1 funcref) (elem (i32.const 0) $odd)
             (type $t (func (param i64) (result i64)))
             (func $even (type $t) (i64.add (i64.const 1)
               (call_indirect (type $t) (local.get 0) (i32.const 0))))
             (func $odd (type $t) (i64.add (i64.const 1) (call $even (local.get 0))))"#;
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &rest));
    let call = Call::new(ALICE, contract, b"").with_gas_limit(1 << 40);
    assert_eq!(world.send(&call).status, Status::Trap(TrapCode::StackLimit));
}

#[test]
fn a_guest_that_returns_nonsense_traps() {
    for (result, expected) in [
        ("(i32.const 1025)", TrapCode::BadResult),
        ("(i32.const 131072)", TrapCode::BadResult),
        ("(i32.const -4)", TrapCode::BadResult),
        (
            "(call $result (i32.const 7) (i32.const 0) (i32.const 0))",
            TrapCode::BadResult,
        ),
        (
            "(call $result (i32.const 0) (i32.const 131072) (i32.const 1))",
            TrapCode::BadResult,
        ),
        (
            "(call $result (i32.const 0) (i32.const -1) (i32.const -1))",
            TrapCode::BadResult,
        ),
    ] {
        assert_eq!(trap_of(&[], result), expected, "{result}");
    }
    let large = "(drop (memory.grow (i32.const 32)))
        (call $result (i32.const 0) (i32.const 0) (i32.const 1048577))";
    assert_eq!(trap_of(&[], large), TrapCode::OutputLimit);
}

#[test]
fn bad_pointers_into_the_host_trap() {
    for (imports, body) in [
        (
            ["crypto.blake3"],
            "(call $crypto.blake3 (i32.const 131000) (i32.const 100) (i32.const 64))",
        ),
        (
            ["crypto.blake3"],
            "(call $crypto.blake3 (i32.const 0) (i32.const -1) (i32.const 64))",
        ),
        (
            ["crypto.blake3"],
            "(call $crypto.blake3 (i32.const 0) (i32.const 1) (i32.const 65))",
        ),
        (
            ["crypto.blake3"],
            "(call $crypto.blake3 (i32.const 0) (i32.const 1) (i32.const 131070))",
        ),
        (
            ["events.emit"],
            "(call $events.emit (i32.const 4) (i32.const 1) (i32.const 0) (i32.const 0))",
        ),
        (
            ["events.emit"],
            "(call $events.emit (i32.const 0) (i32.const 0x08000000) (i32.const 0) (i32.const 0))",
        ),
    ] {
        let body = format!("{body} unreachable");
        assert_eq!(trap_of(&imports, &body), TrapCode::BadPointer, "{body}");
    }
}

#[test]
fn an_event_has_at_most_four_topics_and_an_extension_must_exist() {
    let emit =
        "(call $events.emit (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 0)) unreachable";
    assert_eq!(trap_of(&["events.emit"], emit), TrapCode::BadArgument);
    let invoke = "(call $ext.invoke (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64)) unreachable";
    assert_eq!(trap_of(&["ext.invoke"], invoke), TrapCode::NoSuchExtension);
    let text = "(i32.store8 (i32.const 0) (i32.const 255))
        (call $log.debug (i32.const 0) (i32.const 1)) unreachable";
    assert_eq!(trap_of(&["log.debug"], text), TrapCode::BadArgument);
}

#[test]
fn growing_memory_beyond_the_limit_never_succeeds() {
    let body = "
      (if (i32.ne (memory.grow (i32.const 65000)) (i32.const -1)) (then unreachable))
      (i32.store (i32.const 2048) (memory.size))
      (call $result (i32.const 0) (i32.const 2048) (i32.const 4))";
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &call_body(body)));
    let receipt = world.send(&Call::new(ALICE, contract, b"").with_gas_limit(1 << 40));
    match receipt.status {
        Status::Return => assert_eq!(receipt.output, 2u32.to_le_bytes()),
        status => assert_eq!(status, Status::Trap(TrapCode::MemoryLimit)),
    }
}

#[test]
fn memory_and_data_are_fresh_for_every_call() {
    let rest = call_body(
        "(local $old i32)
         (local.set $old (i32.load (i32.const 70000)))
         (i32.store (i32.const 70000) (i32.const 9))
         (i32.store (i32.const 0) (i32.const 9))
         (drop (memory.grow (i32.const 1)))
         (i32.store (i32.const 131072) (i32.add (i32.load (i32.const 131072)) (i32.const 1)))
         (i32.store (i32.const 2048) (local.get $old))
         (i32.store (i32.const 2052) (i32.load (i32.const 100)))
         (i32.store (i32.const 2056) (i32.load (i32.const 131072)))
         (memory.init $late (i32.const 2060) (i32.const 0) (i32.const 4))
         (call $result (i32.const 0) (i32.const 2048) (i32.const 16))",
    ) + r#"
      (data (i32.const 70000) "abcd")
      (data (i32.const 100) "")
      (data (i32.const 100) "xy")
      (data (i32.const 102) "zw")
      (data $late "late")"#;
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &rest));
    for _ in 0..3 {
        let receipt = world.call(contract, b"");
        assert_eq!(receipt.status, Status::Return);
        assert_eq!(receipt.output, b"abcdxyzw\x01\0\0\0late");
    }
}

#[test]
fn data_beyond_the_memory_is_a_trap_when_deployed() {
    for segments in [
        r#"(data (i32.const 131071) "ab")"#,
        // One that fits is written before the other is looked at.
        r#"(data (i32.const 0) "x") (data (i32.const 131071) "ab")"#,
        r#"(data (i32.const 0) "x") (data (i32.const -1) "ab")"#,
        r#"(data (i32.const 131071) "x") (data (i32.const 131072) "a") (data (i32.const 7) "b")"#,
        // No byte, and none that is there.
        r#"(data (i32.const 65536) "x") (data (i32.const 131073) "")"#,
    ] {
        let wasm = guest(&[], segments);
        for idle in [1_024, 0] {
            let vm = Vm::builder().idle_instances(idle).build().unwrap();
            let mut world = World::with_vm(vm);
            let code = world.vm.upload(&mut world.host, &wasm).unwrap().code;
            let deploy = Deploy::new(ALICE, code, []);
            for _ in 0..2 {
                let deployed = world.vm.deploy(&mut world.host, &deploy).unwrap();
                assert_eq!(
                    deployed.receipt.status,
                    Status::Trap(TrapCode::OutOfBoundsMemory),
                    "{segments}"
                );
            }
        }
    }
    // At the end there is room for nothing.
    let wasm = guest(
        &[],
        r#"(data (i32.const 0) "x") (data (i32.const 131072) "")"#,
    );
    World::new().deploy(&wasm);
}

#[test]
fn modules_that_are_no_contracts_are_refused_with_the_reason() {
    let upload = |wasm: &[u8]| {
        let mut world = World::new();
        let result = world.vm.upload(&mut world.host, wasm);
        assert_eq!(world.host.commits(), 0);
        let error = result.unwrap_err();
        assert!(error.is_refusal(), "{error}");
        error
    };
    let text = |text: &str| wat::parse_str(text).unwrap();
    let error = upload(&text(r#"(module (import "env" "abort" (func)))"#));
    let Error::NotAContract(CheckError::UnknownImport {
        module,
        name,
        offset,
    }) = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!((module.as_str(), name.as_str()), ("env", "abort"));
    assert!(*offset > 8);

    let error = upload(&text(
        r#"(module (import "synergy:aivm/context@0.1.0" "gas-left" (func (result i32))))"#,
    ));
    assert!(error.to_string().contains("gas-left"), "{error}");

    let error = upload(&text("(module)"));
    assert!(matches!(
        error,
        Error::NotAContract(CheckError::MissingExport("memory"))
    ));
    let error = upload(&text(r#"(module (memory (export "memory") 1))"#));
    assert!(matches!(
        error,
        Error::NotAContract(CheckError::MissingExport("cabi_realloc"))
    ));

    let good = guest_text(&[], "");
    let error = upload(&text(&good.replace(
        "(export \"query\") (param i32 i32)",
        "(export \"query\") (param i64 i32)",
    )));
    assert!(error.to_string().contains("query"), "{error}");

    for garbage in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0\xff", &[0x5a; 4096]] {
        let error = upload(garbage);
        assert!(matches!(
            error,
            Error::InvalidModule(_) | Error::NotAContract(_)
        ));
    }
    let start = good.replacen("(module", "(module (start $s) (func $s)", 1);
    assert!(matches!(upload(&text(&start)), Error::InvalidModule(_)));
}

#[test]
fn random_bytes_after_a_good_prefix_never_panic() {
    let good = guest(&["storage.load"], "");
    let vm = Vm::builder().build().unwrap();
    let mut state = 1u64;
    for _ in 0..300 {
        let mut bad = good.clone();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % bad.len();
            bad[at] ^= 1 << (state >> 60 & 7);
        }
        let mut host = aivm::MemoryHost::new();
        if let Err(error) = vm.upload(&mut host, &bad) {
            assert!(
                error.is_refusal() || error.to_string().contains("segment"),
                "{error}"
            );
        }
    }
}
