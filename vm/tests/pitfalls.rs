//! Mistakes that other virtual machines made, one test each, where it is this crate that
//! must not make them. Number 11 has a file of its own, 13 is beside the cache's code, and
//! the rest are tested beside the gas crate.

mod common;

use std::time::{Duration, Instant};

use aivm::inspect::{CallTree, HostProfile};
use aivm::{
    Call, Deploy, DiskCache, Error, GasSchedule, Host, MemoryHost, ScheduleSet, Status, TrapCode,
    Vm,
};
use common::*;

/// 3: prices are part of compiled code, so one schedule's code must not run under another.
#[test]
fn pitfall_03_a_new_schedule_does_not_find_code_of_the_old_one() {
    let mut dear = GasSchedule::v1();
    dear.version = 2;
    dear.wasm.branch *= 10;
    dear.wasm.local *= 10;
    let mut schedules = ScheduleSet::default();
    schedules.activate(1_000, dear.clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let disk = || DiskCache::open(folder.path(), b"node").unwrap();
    let vm = Vm::builder()
        .schedules(schedules)
        .disk_cache(disk())
        .build()
        .unwrap();
    let body = format!(
        "(local $i i32) (local.set $i (i32.const 1000))
         (loop $l (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $l (local.get $i)))
         {RETURN_NOTHING}"
    );
    let mut world = World::with_vm(vm);
    let contract = world.deploy(&guest(&[], &call_body(&body)));
    let call = Call::new(ALICE, contract, b"");
    let old = world.vm.estimate(&world.host, &call).unwrap().receipt;
    world.host.set_block(aivm::BlockContext::new(7, 1_000));
    let new = world.vm.estimate(&world.host, &call).unwrap().receipt;
    assert!(new.gas.execution > old.gas.execution + 10_000);
    assert_ne!(new.schedule, old.schedule);
    // A node that never saw the old schedule, with an empty cache, agrees.
    let fresh = Vm::builder().schedule(dear).unwrap().build().unwrap();
    let there = fresh.estimate(&world.host, &call).unwrap().receipt;
    assert_eq!(there.hash(), new.hash());
}

/// Code that was accepted once and is refused now is so for everybody, whoever calls it.
#[test]
fn code_that_a_later_schedule_refuses_is_refused_by_all() {
    let mut strict = GasSchedule::v1();
    strict.version = 2;
    strict.limits.globals = 1;
    let mut schedules = ScheduleSet::default();
    schedules.activate(1_000, strict).unwrap();
    let vm = Vm::builder().schedules(schedules).build().unwrap();
    let mut world = World::with_vm(vm);
    let outer = format!(
        "(call $calls.call {target} {value} (i64.const 5000000) (i32.const 0) (i32.const 0) (i32.const 2048))
         (call $result (i32.const 0) (i32.const 2048) (i32.const 12))",
        target = push_word("(local.get $at)"),
        value = word(0)
    );
    let outer = world.deploy(&guest(&["calls.call"], &call_body(&outer)));
    let wasm = guest(&[], "(global $more i32 (i32.const 0))");
    let inner = world.deploy(&wasm);
    world.host.set_block(aivm::BlockContext::new(7, 1_000));

    let direct = Call::new(ALICE, inner, b"");
    let deploy = Deploy::new(ALICE, aivm::code_hash(&wasm), b"").with_salt([1; 32]);
    for _ in 0..2 {
        let errors = [
            world.vm.call(&mut world.host, &direct).unwrap_err(),
            world.vm.estimate(&world.host, &direct).unwrap_err(),
            world.vm.count_opcodes(&world.host, &direct).unwrap_err(),
            world.vm.deploy(&mut world.host, &deploy).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code(), "stored-code");
            assert!(error.is_refusal());
            let text = error.to_string();
            assert!(
                text.ends_with("too many globals: 2, at most 1 allowed (at byte 47)"),
                "{text}"
            );
        }
        world.vm.clear_caches();
    }

    let nested = Call::new(ALICE, outer, limbs(&inner));
    let receipt = world.vm.estimate(&world.host, &nested).unwrap().receipt;
    let (counted, _) = world.vm.count_opcodes(&world.host, &nested).unwrap();
    assert_eq!(counted, receipt);
    assert_eq!(receipt.status, Status::Return);
    // The error case, `trapped` and its code.
    let failure = [1, 1, TrapCode::RefusedCode.code()];
    let number = |at: usize| u32::from_le_bytes(receipt.output[at..][..4].try_into().unwrap());
    assert_eq!([number(0) & 0xff, number(4) & 0xff, number(8)], failure);
    assert!(receipt.gas.execution > 5_000_000);
}

/// 4: one meter must serve any number of modules.
#[test]
fn pitfall_04_many_modules_share_one_vm() {
    let mut world = World::new();
    let mut gas = Vec::new();
    for n in 0..20u8 {
        let body = format!("{} {RETURN_NOTHING}", "nop ".repeat(usize::from(n)));
        let contract = world.deploy_with(&guest(&[], &call_body(&body)), n, b"");
        gas.push((contract, world.call(contract, b"").gas));
    }
    for (contract, expected) in gas {
        assert_eq!(world.call(contract, b"").gas, expected);
    }
}

/// 5: an allocator that calls the host, which calls the allocator, and so on.
#[test]
fn pitfall_05_an_allocator_that_calls_imports_is_stopped() {
    let rest = r#"
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (call $storage.get (i32.const 0) (i32.const 1) (i32.const 64))
        (i32.const 4096))"#;
    let mut world = World::new();
    let code = world.upload(&guest(&["storage.get"], rest));
    let deploy = Deploy::new(ALICE, code, b"some input");
    let receipt = world.vm.deploy(&mut world.host, &deploy).unwrap().receipt;
    assert_eq!(receipt.status, Status::Trap(TrapCode::Protocol));
    assert_eq!(receipt.gas.total(), receipt.gas_limit);
}

/// 5: an allocator that never ends pays like all code, and a start function is refused.
#[test]
fn pitfall_05_the_allocator_is_metered() {
    let rest = r#"
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (loop (br 0)) (unreachable))"#;
    let mut world = World::new();
    let code = world.upload(&guest(&[], rest));
    let deploy = Deploy::new(ALICE, code, b"some input");
    let receipt = world.vm.deploy(&mut world.host, &deploy).unwrap().receipt;
    assert_eq!(receipt.status, Status::Trap(TrapCode::OutOfGas));
    // Pointers that the allocator makes up are not believed.
    for pointer in ["-1", "131072", "131070"] {
        let rest = format!(
            "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const {pointer}))"
        );
        let code = world.upload(&guest(&[], &rest));
        let deploy = Deploy::new(ALICE, code, b"some input");
        let receipt = world.vm.deploy(&mut world.host, &deploy).unwrap().receipt;
        assert_eq!(
            receipt.status,
            Status::Trap(TrapCode::BadRealloc),
            "{pointer}"
        );
    }
}

/// 6: the frames that need most native stack for each logical word must reach the
/// logical limit first.
#[test]
fn pitfall_06_the_logical_limit_comes_before_the_native_stack() {
    // Many values live over the recursive call, of each width.
    let mut bodies = Vec::new();
    for (ty, count) in [
        ("i64", 1),
        ("i64", 60),
        ("i64", 500),
        ("f64", 200),
        ("i32", 400),
    ] {
        let params = format!("(param i64) (local {})", format!("{ty} ").repeat(count));
        let sets: String = (1..=count)
            .map(|i| match ty {
                "i64" => format!("(local.set {i} (i64.mul (local.get 0) (i64.const {i})))"),
                "i32" => format!(
                    "(local.set {i} (i32.mul (i32.wrap_i64 (local.get 0)) (i32.const {i})))"
                ),
                _ => format!(
                    "(local.set {i} (f64.mul (f64.convert_i64_s (local.get 0)) (f64.const {i})))"
                ),
            })
            .collect();
        let uses: String = (1..=count)
            .map(|i| match ty {
                "i64" => format!("(global.set $sum (i64.add (global.get $sum) (local.get {i})))"),
                "i32" => format!("(global.set $sum (i64.add (global.get $sum) (i64.extend_i32_s (local.get {i}))))"),
                _ => format!("(global.set $sum (i64.add (global.get $sum) (i64.reinterpret_f64 (local.get {i}))))"),
            })
            .collect();
        bodies.push(format!(
            "(global $sum (mut i64) (i64.const 0))
             (func $down {params} {sets} (call $down (i64.add (local.get 0) (i64.const 1))) {uses})"
        ));
    }
    let mut world = World::new();
    for (n, body) in bodies.iter().enumerate() {
        let rest = call_body(&format!("(call $down (i64.const 1)) {RETURN_NOTHING}")) + body;
        let contract = world.deploy_with(&guest(&[], &rest), n as u8, b"");
        let call = Call::new(ALICE, contract, b"").with_gas_limit(1 << 50);
        assert_eq!(
            world.send(&call).status,
            Status::Trap(TrapCode::StackLimit),
            "{n}"
        );
    }
}

/// 7: damaged and foreign files in the cache are noticed and built anew.
#[test]
fn pitfall_07_damaged_artifacts_are_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = guest(&[], "");
    let run = |secret: &[u8]| {
        let disk = DiskCache::open(folder.path(), secret).unwrap();
        let mut world = World::with_vm(Vm::builder().disk_cache(disk).build().unwrap());
        let contract = world.deploy(&wasm);
        let receipt = world.call(contract, b"");
        (receipt.hash(), world.vm.cache_stats())
    };
    let (expected, stats) = run(b"node");
    assert_eq!((stats.compiled, stats.disk_hits, stats.rejected), (1, 0, 0));
    let (hash, stats) = run(b"node");
    assert_eq!(hash, expected);
    assert_eq!((stats.compiled, stats.disk_hits, stats.rejected), (0, 1, 0));

    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let good = std::fs::read(&file).unwrap();
    for at in [0, 9, 50, 80, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&file, bad).unwrap();
        let (hash, stats) = run(b"node");
        assert_eq!(hash, expected);
        assert_eq!(
            (stats.compiled, stats.disk_hits, stats.rejected),
            (1, 0, 1),
            "byte {at}"
        );
        assert_eq!(
            std::fs::read(&file).unwrap().len(),
            good.len(),
            "written anew"
        );
    }
    // Whoever has another key wrote native code that we must not run.
    let (hash, stats) = run(b"somebody else");
    assert_eq!(hash, expected);
    assert_eq!((stats.disk_hits, stats.rejected), (0, 1));
}

/// 8: a panic below a host function is an error of the node, and nothing is committed.
#[test]
fn pitfall_08_a_panic_in_the_host_is_an_error_and_no_result() {
    let body = "(call $storage.store (i64.const 1) (i64.const 0) (i64.const 0) (i64.const 0)
                  (i64.const 1) (i64.const 0) (i64.const 0) (i64.const 0))
      (call $ext.invoke (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64))"
        .to_owned()
        + RETURN_NOTHING;
    let wasm = guest(
        &["ext.invoke", "storage.store"],
        &(call_body(&body) + r#"(data (i32.const 0) "x")"#),
    );
    let mut world = World::new();
    world.host = MemoryHost::new().with_extension("x", |_| 100, |_| panic!("boom"));
    let contract = world.deploy(&wasm);
    let before = world.host.state_hash();
    let call = Call::new(ALICE, contract, b"");
    let error = world.vm.call(&mut world.host, &call).unwrap_err();
    assert!(
        matches!(&error, Error::HostPanic(text) if text == "boom"),
        "{error:?}"
    );
    assert!(!error.is_refusal());
    assert_eq!(world.host.state_hash(), before);
    // The VM goes on.
    let other = world.deploy(&guest(&[], ""));
    assert_eq!(world.call(other, b"").status, Status::Return);
}

/// 9: the gas of a nested call that fails is spent once: all of it after a trap, what it
/// used after a revert.
#[test]
fn pitfall_09_gas_of_failed_calls_is_counted_once() {
    // Input: address, gas, and what the callee gets.
    let caller = format!(
        "(call $calls.call {} {} (i64.load offset=32 (local.get $at))
           (i32.add (local.get $at) (i32.const 40)) (i32.sub (local.get $length) (i32.const 40))
           (i32.const 64))
         {RETURN_NOTHING}",
        push_word("(local.get $at)"),
        word(0)
    );
    let callee = "(if (local.get $length) (then unreachable))
      (call $result (i32.const 1) (i32.const 0) (i32.const 0))";
    let mut world = World::new();
    let a = world.deploy(&guest(&["calls.call"], &call_body(&caller)));
    let b = world.deploy(&guest(&[], &call_body(callee)));
    let mut used = |gas: u64, rest: &[u8]| {
        let mut input = limbs(&b).to_vec();
        input.extend(gas.to_le_bytes());
        input.extend(rest);
        world.call(a, &input).gas.total()
    };
    assert_eq!(used(3_000_000, b"t") - used(1_000_000, b"t"), 2_000_000);
    assert_eq!(used(3_000_000, b""), used(1_000_000, b""));
    assert!(used(1_000_000, b"t") > used(1_000_000, b"") + 500_000);
    // With less than it needs the callee traps, and that is all that is lost.
    assert_eq!(used(1_000, b"") - used(0, b""), 1_000);
}

/// 10: being watched changes nothing that consensus sees.
#[test]
fn pitfall_10_tracing_changes_no_receipt() {
    let body = "(drop (i32.load (i32.sub (i32.const 0) (local.get $length)))) unreachable";
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &call_body(body)));
    for input in [&b""[..], b"x"] {
        let call = Call::new(ALICE, contract, input);
        let plain = world.vm.estimate(&world.host, &call).unwrap().receipt;
        let mut inspector = (CallTree::new(), HostProfile::new());
        let seen = world
            .vm
            .call_inspected(&mut world.host, &call, &mut inspector)
            .unwrap();
        let (traced, transcript) = world.vm.trace(&world.host, &call, 1 << 20).unwrap();
        assert_eq!(plain.to_canonical_bytes(), seen.to_canonical_bytes());
        assert_eq!(plain.to_canonical_bytes(), traced.to_canonical_bytes());
        assert_eq!(transcript.hash(), plain.transcript.0);
    }
}

/// 12: small modules that compile slowly are refused, or compile in proportion.
#[test]
fn pitfall_12_compile_bombs_are_refused_or_cheap() {
    let nested = {
        let depth = 200;
        let locals = "i64 ".repeat(100);
        let open = "(loop ".repeat(depth);
        let close = ")".repeat(depth);
        format!("(func (local {locals}) {open} (local.set 1 (local.get 2)) {close})")
    };
    let wide = (0..200)
        .map(|_| format!("(func (local {}))", "i64 ".repeat(40_000)))
        .collect::<String>();
    let mut world = World::new();
    for bomb in [nested, wide] {
        let wasm = guest(&[], &bomb);
        let started = Instant::now();
        let result = world.vm.upload(&mut world.host, &wasm);
        let took = started.elapsed();
        if result.is_err() {
            assert!(took < Duration::from_millis(500), "refused after {took:?}");
        } else {
            let per_byte = took.as_nanos() / wasm.len() as u128;
            assert!(per_byte < 50_000, "{per_byte} ns a byte, {took:?}");
        }
    }
}

/// 14: what was compiled under one configuration is not run under another.
#[test]
fn pitfall_14_a_configuration_has_its_own_artifacts() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = guest(&[], "");
    let upload = |simd: bool| {
        let mut schedule = GasSchedule::v1();
        schedule.limits.simd = simd;
        let disk = DiskCache::open(folder.path(), b"node").unwrap();
        let builder = Vm::builder().schedule(schedule).unwrap();
        let vm = builder.disk_cache(disk).build().unwrap();
        vm.upload(&mut MemoryHost::new(), &wasm).unwrap();
        vm.cache_stats()
    };
    assert_eq!(upload(true).compiled, 1);
    assert_eq!(upload(false).compiled, 1);
    assert_eq!(upload(false).disk_hits, 1);
}

/// 15: queries that query without end, with as much gas as there can be.
#[test]
fn pitfall_15_recursive_queries_are_bounded() {
    let query = format!(
        "(func (export \"query\") (param $at i32) (param $length i32) (result i32)
          (call $calls.allow-reentrancy (i32.const 1))
          (call $calls.query {} (i64.const -1) (local.get $at) (local.get $length) (i32.const 64))
          (call $calls.query {} (i64.const -1) (local.get $at) (local.get $length) (i32.const 64))
          {RETURN_NOTHING})",
        push_word("(local.get $at)"),
        push_word("(local.get $at)"),
    );
    let mut world = World::new();
    let contract = world.deploy(&guest(&["calls.query", "calls.allow-reentrancy"], &query));
    // Two calls at each level would be 2^64 frames; gas bounds what depth does not.
    let call = Call::new(ALICE, contract, limbs(&contract)).with_gas_limit(500_000_000);
    let started = Instant::now();
    let receipt = world.vm.query(&world.host, &call).unwrap();
    assert!(receipt.gas.total() <= 500_000_000);
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(world.host.contract(&contract).unwrap().is_some());
}
