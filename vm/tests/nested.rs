//! Calls between contracts: value, gas, reverts, reentrancy, depth.

mod common;

use aivm::inspect::{CallTree, FoldedStacks, HostProfile};
use aivm::{Address, Call, Host, Status, TrapCode, Vm, Word};
use common::*;

const FAILURE_REVERTED: u8 = 0;
const FAILURE_TRAPPED: u8 = 1;
const FAILURE_NO_CONTRACT: u8 = 2;
const FAILURE_BALANCE: u8 = 3;
const FAILURE_DEPTH: u8 = 4;
const FAILURE_REENTRANCY: u8 = 5;

/// Input: target (32 bytes), gas (8), value (8), the rest is passed on. Writes key 1, calls,
/// and returns the 16 bytes of the raw result followed by its data.
fn proxy(kind: &str, prelude: &str) -> Vec<u8> {
    let target = push_word("(local.get $at)");
    let gas = "(i64.load offset=32 (local.get $at))";
    let value = "(i64.load offset=40 (local.get $at)) (i64.const 0) (i64.const 0) (i64.const 0)";
    let rest =
        "(i32.add (local.get $at) (i32.const 48)) (i32.sub (local.get $length) (i32.const 48))";
    let call = match kind {
        "call" => format!("(call $calls.call {target} {value} {gas} {rest} (i32.const 64))"),
        "query" => format!("(call $calls.query {target} {gas} {rest} (i32.const 64))"),
        _ => format!("(call $calls.self-call {gas} {rest} (i32.const 64))"),
    };
    let body = format!(
        "(local $from i32) (local $size i32)
         (call $storage.store {} {})
         {prelude}
         {call}
         (memory.copy (i32.const 2048) (i32.const 64) (i32.const 16))
         ;; ok: data at 4 and 8; reverted: data at 8 and 12
         (if (i32.eqz (i32.load8_u (i32.const 64)))
           (then (local.set $from (i32.load (i32.const 68))) (local.set $size (i32.load (i32.const 72))))
           (else (if (i32.eqz (i32.load8_u (i32.const 68)))
             (then (local.set $from (i32.load (i32.const 72))) (local.set $size (i32.load (i32.const 76)))))))
         (memory.copy (i32.const 2064) (local.get $from) (local.get $size))
         (call $result (i32.const 0) (i32.const 2048) (i32.add (local.get $size) (i32.const 16)))",
        word(1),
        word(1),
    );
    let import = format!("calls.{kind}");
    guest(
        &["storage.store", &import, "calls.allow-reentrancy"],
        &call_body(&body),
    )
}

/// Ends as the first byte of its input says: 0 returns, 1 reverts, 3 traps, 4 spins.
/// Writes key 2 and emits first.
fn callee() -> Vec<u8> {
    let body = format!(
        "(call $storage.store {} {})
         (call $events.emit (i32.const 0) (i32.const 0) (local.get $at) (local.get $length))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 3)) (then unreachable))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 4)) (then (loop (br 0))))
         (call $result (i32.load8_u (local.get $at)) (local.get $at) (local.get $length))",
        word(2),
        word(2),
    );
    let query = r#"(func (export "query") (param i32 i32) (result i32)
      (call $result (i32.const 0) (local.get 0) (local.get 1)))"#;
    guest(
        &["storage.store", "events.emit"],
        &(call_body(&body) + query),
    )
}

fn input(target: &Address, gas: u64, value: u64, rest: &[u8]) -> Vec<u8> {
    let mut input = limbs(target).to_vec();
    input.extend(gas.to_le_bytes());
    input.extend(value.to_le_bytes());
    input.extend(rest);
    input
}

fn stored(world: &World, contract: &Address, key: u64) -> bool {
    let key = Word::from(key).to_be_bytes();
    world.host.storage_get(contract, &key).unwrap().is_some()
}

#[test]
fn a_call_that_returns_keeps_its_effects() {
    let mut world = World::new();
    let (a, b) = (world.deploy(&proxy("call", "")), world.deploy(&callee()));
    let receipt = world.call(a, &input(&b, 10_000_000, 0, &[0, 9, 8]));
    assert_eq!(receipt.status, Status::Return);
    assert_eq!(receipt.output[0], 0);
    assert_eq!(receipt.output[16..], [0, 9, 8]);
    assert_eq!(receipt.events.len(), 1);
    assert_eq!(receipt.events[0].contract, b);
    assert!(stored(&world, &a, 1) && stored(&world, &b, 2));
}

#[test]
fn a_call_that_fails_loses_its_effects_and_only_those() {
    for (how, failure) in [
        (1, FAILURE_REVERTED),
        (3, FAILURE_TRAPPED),
        (4, FAILURE_TRAPPED),
    ] {
        let mut world = World::new();
        let (a, b) = (world.deploy(&proxy("call", "")), world.deploy(&callee()));
        world.host.set_balance(a, Word::from(50u64));
        let receipt = world.call(a, &input(&b, 3_000_000, 20, &[how, 7]));
        assert_eq!(receipt.status, Status::Return, "{how}");
        assert_eq!(receipt.output[..1], [1]);
        assert_eq!(receipt.output[4], failure);
        match how {
            1 => assert_eq!(receipt.output[16..], [1, 7]),
            3 => assert_eq!(
                receipt.output[8..12],
                TrapCode::Unreachable.code().to_le_bytes()
            ),
            _ => assert_eq!(
                receipt.output[8..12],
                TrapCode::OutOfGas.code().to_le_bytes()
            ),
        }
        assert!(receipt.events.is_empty());
        assert!(stored(&world, &a, 1) && !stored(&world, &b, 2));
        assert_eq!(world.host.balance(&a).unwrap(), Word::from(50u64));
        assert_eq!(world.host.balance(&b).unwrap(), Word::ZERO);
        // A trap takes the gas of the callee, not the caller's.
        assert!(receipt.gas.total() < 5_000_000, "{}", receipt.gas.total());
        assert_eq!(receipt.gas.total() > 3_000_000, how != 1);
    }
}

#[test]
fn calls_to_nobody_and_beyond_the_balance_fail_as_values() {
    let mut world = World::new();
    let (a, b) = (world.deploy(&proxy("call", "")), world.deploy(&callee()));
    let receipt = world.call(a, &input(&BOB, 1_000_000, 0, &[]));
    assert_eq!(
        (receipt.output[0], receipt.output[4]),
        (1, FAILURE_NO_CONTRACT)
    );
    let receipt = world.call(a, &input(&b, 1_000_000, 1, &[0]));
    assert_eq!((receipt.output[0], receipt.output[4]), (1, FAILURE_BALANCE));
}

#[test]
fn value_goes_along_with_a_call() {
    let mut world = World::new();
    let (a, b) = (world.deploy(&proxy("call", "")), world.deploy(&callee()));
    world.host.set_balance(a, Word::from(50u64));
    let receipt = world.call(a, &input(&b, 10_000_000, 20, &[0]));
    assert_eq!(receipt.output[0], 0);
    assert_eq!(world.host.balance(&a).unwrap(), Word::from(30u64));
    assert_eq!(world.host.balance(&b).unwrap(), Word::from(20u64));
}

#[test]
fn a_nested_query_cannot_write() {
    let mut world = World::new();
    let (a, b) = (world.deploy(&proxy("query", "")), world.deploy(&callee()));
    let receipt = world.call(a, &input(&b, 10_000_000, 0, &[5, 5]));
    assert_eq!(receipt.output[0], 0);
    assert_eq!(receipt.output[16..], [5, 5]);
    // The proxy writes, so it cannot be queried.
    let query = format!(
        "(func (export \"query\") (param i32 i32) (result i32)
          (call $storage.store {} {}) {RETURN_NOTHING})",
        word(1),
        word(1)
    );
    let writer = world.deploy(&guest(&["storage.store"], &query));
    let receipt = world.call(a, &input(&writer, 10_000_000, 0, &[]));
    assert_eq!((receipt.output[0], receipt.output[4]), (1, FAILURE_TRAPPED));
    assert_eq!(
        receipt.output[8..12],
        TrapCode::WriteInQuery.code().to_le_bytes()
    );
}

#[test]
fn no_call_gets_more_than_63_of_64_parts() {
    let body = r#"(i64.store (i32.const 64) (call $context.gas-left))
      (call $result (i32.const 0) (i32.const 64) (i32.const 8))"#;
    let mut world = World::new();
    let a = world.deploy(&proxy("call", ""));
    let b = world.deploy(&guest(&["context.gas-left"], &call_body(body)));
    let left = |gas: u64, world: &mut World| {
        let receipt = world.call(a, &input(&b, gas, 0, &[]));
        assert_eq!(receipt.output[0], 0);
        u64::from_le_bytes(receipt.output[16..24].try_into().unwrap())
    };
    assert!(left(1_000_000, &mut world) < 1_000_000);
    let all = left(u64::MAX, &mut world);
    let limit = aivm::DEFAULT_GAS_LIMIT;
    assert!(all < limit - limit / 64, "{all}");
    assert!(all > limit / 10 * 9, "{all}");
}

#[test]
fn an_estimate_counts_what_nested_calls_need() {
    let mut world = World::new();
    let (a, b) = (world.deploy(&proxy("call", "")), world.deploy(&callee()));
    let call = Call::new(ALICE, a, input(&b, u64::MAX, 0, &[0]));
    let estimate = world.vm.estimate(&world.host, &call).unwrap();
    let exact = call.clone().with_gas_limit(estimate.gas_limit);
    let receipt = world.vm.estimate(&world.host, &exact).unwrap().receipt;
    assert_eq!(receipt.output[0], 0, "the nested call got what it needs");
    let short = call.with_gas_limit(estimate.gas_limit - 1);
    let receipt = world.vm.estimate(&world.host, &short).unwrap().receipt;
    assert!(receipt.output.is_empty() || receipt.output[0] == 1);
}

#[test]
fn reentrancy_is_refused_unless_it_is_allowed() {
    let allow = "(call $calls.allow-reentrancy (i32.const 1))";
    for (prelude, expected) in [("", Some(FAILURE_REENTRANCY)), (allow, None)] {
        let mut world = World::new();
        let a = world.deploy(&proxy("call", prelude));
        let b = world.deploy_with(&proxy("call", ""), 1, b"");
        let c = world.deploy(&callee());
        // a calls b, b calls a, a calls c.
        let deepest = input(&c, 5_000_000, 0, &[0]);
        let back = input(&a, 20_000_000, 0, &deepest);
        let receipt = world.call(a, &input(&b, 50_000_000, 0, &back));
        assert_eq!(receipt.output[0], 0, "b itself ran");
        let inner = &receipt.output[16..];
        match expected {
            Some(failure) => assert_eq!((inner[0], inner[4]), (1, failure)),
            None => assert_eq!(inner[0], 0),
        }
    }
}

#[test]
fn a_contract_calls_itself_with_sender_and_value_as_they_are() {
    // An empty input calls itself with "x"; otherwise returns caller and value.
    let body = r#"
      (if (local.get $length)
        (then
          (call $context.caller (i32.const 2048))
          (call $context.value (i32.const 2080))
          (return (call $result (i32.const 0) (i32.const 2048) (i32.const 64)))))
      (call $calls.self-call (i64.const 5000000) (i32.const 0) (i32.const 1) (i32.const 64))
      (call $result (i32.load8_u (i32.const 64)) (i32.load (i32.const 68)) (i32.load (i32.const 72)))"#;
    let imports = ["calls.self-call", "context.caller", "context.value"];
    let mut world = World::new();
    let contract = world.deploy(&guest(&imports, &call_body(body)));
    let receipt = world.send(&Call::new(ALICE, contract, b"").with_value(Word::from(9u64)));
    assert_eq!(receipt.status, Status::Return);
    assert_eq!(receipt.output[..32], limbs(&ALICE));
    assert_eq!(receipt.output[32..], Word::from(9u64).to_le_bytes());
    // The value moved once.
    assert_eq!(world.host.balance(&contract).unwrap(), Word::from(9u64));
}

/// Calls itself through the host until that fails, and returns the failure with the
/// number of frames.
fn endless(kind: &str) -> Vec<u8> {
    let call = match kind {
        "self" => "(call $calls.self-call (i64.const -1) (local.get $at) (local.get $length) (i32.const 64))".to_owned(),
        "call" => format!("(call $calls.call {} {} (i64.const -1) (local.get $at) (local.get $length) (i32.const 64))", push_word("(local.get $at)"), word(0)),
        _ => format!("(call $calls.query {} (i64.const -1) (local.get $at) (local.get $length) (i32.const 64))", push_word("(local.get $at)")),
    };
    let body = format!(
        "(call $calls.allow-reentrancy (i32.const 1))
         {call}
         (if (i32.eqz (i32.load8_u (i32.const 64))) ;; ok: count one more
           (then
             (i32.store (i32.const 2048) (i32.add (i32.const 1) (i32.load (i32.load (i32.const 68)))))
             (i32.store8 (i32.const 2052) (i32.load8_u offset=4 (i32.load (i32.const 68)))))
           (else
             (i32.store (i32.const 2048) (i32.const 1))
             (i32.store8 (i32.const 2052) (i32.load8_u (i32.const 68)))))
         (call $result (i32.const 0) (i32.const 2048) (i32.const 5))"
    );
    let query = format!(
        "(func (export \"query\") (param $at i32) (param $length i32) (result i32) {body})"
    );
    guest(
        &[
            "calls.self-call",
            "calls.call",
            "calls.query",
            "calls.allow-reentrancy",
        ],
        &(call_body(&body) + &query),
    )
}

#[test]
fn recursion_between_contracts_ends_at_the_depth_limit() {
    let mut world = World::new();
    for kind in ["self", "call", "query"] {
        let contract = world.deploy(&endless(kind));
        let call = Call::new(ALICE, contract, limbs(&contract)).with_gas_limit(1 << 40);
        let receipt = world.send(&call);
        assert_eq!(receipt.status, Status::Return, "{kind}");
        assert_eq!(receipt.output[..4], 64u32.to_le_bytes(), "{kind}");
        assert_eq!(receipt.output[4], FAILURE_DEPTH, "{kind}");
    }
}

#[test]
fn inspectors_see_the_tree_and_all_gas_and_change_nothing() {
    let mut world = World::new();
    let (a, b) = (world.deploy(&proxy("call", "")), world.deploy(&callee()));
    let call = Call::new(ALICE, a, input(&b, 10_000_000, 0, &[1, 2, 3, 4]));
    let plain = world.vm.estimate(&world.host, &call).unwrap().receipt;
    let (mut tree, mut flame, mut profile) =
        (CallTree::new(), FoldedStacks::new(), HostProfile::new());
    let mut both = (&mut tree, &mut flame);
    let mut inspector = (&mut both, &mut profile);
    let receipt = world
        .vm
        .call_inspected(&mut world.host, &call, &mut inspector)
        .unwrap();
    assert_eq!(receipt, plain);

    let [root] = tree.roots() else {
        panic!("one transaction")
    };
    assert_eq!((root.contract, root.entry), (a, "call"));
    let [nested] = root.calls.as_slice() else {
        panic!("one nested call")
    };
    assert_eq!((nested.contract, nested.selector), (b, Some([1, 2, 3, 4])));
    assert_eq!(nested.status, Some(Status::Revert));
    assert_eq!(profile.functions()["calls.call"].calls, 1);
    assert_eq!(profile.functions()["storage.store"].calls, 2);
    let total: u64 = flame.stacks().values().sum();
    assert_eq!(total, root.gas_used);
    let stack = flame.folded();
    assert!(stack.contains(";storage.store "), "{stack}");
}

#[test]
fn the_vm_is_shared_by_threads() {
    let mut world = World::new();
    let contract = world.deploy(&callee());
    let call = Call::new(ALICE, contract, vec![0, 1, 2]);
    let expected = world
        .vm
        .estimate(&world.host, &call)
        .unwrap()
        .receipt
        .hash();
    let vm: &Vm = &world.vm;
    let host = &world.host;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let receipt = vm.estimate(host, &call).unwrap().receipt;
                    assert_eq!(receipt.hash(), expected);
                }
            });
        }
    });
}
