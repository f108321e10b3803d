//! What contracts can do: state, events, value, calls, checkpoints.

mod common;

use aivm::{Call, Deploy, Error, Host, Status, TrapCode, Word};
use common::*;

/// Adds one to the word under key 1 and returns it.
fn counter() -> Vec<u8> {
    let body = format!(
        "(call $storage.load {key} (i32.const 64))
         (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.const 1)))
         (call $storage.store {key} {value})
         (call $result (i32.const 0) (i32.const 64) (i32.const 32))",
        key = word(1),
        value = push_word("(i32.const 64)"),
    );
    guest(&["storage.load", "storage.store"], &call_body(&body))
}

#[test]
fn state_outlives_a_call_and_the_receipt_says_so() {
    let mut world = World::new();
    let contract = world.deploy(&counter());
    for n in 1u64..=3 {
        let receipt = world.call(contract, b"");
        assert_eq!(receipt.status, Status::Return);
        assert_eq!(receipt.output, Word::from(n).to_le_bytes());
        assert_eq!(receipt.chain_id, 7);
        assert_eq!(receipt.block_height, 100);
        assert_eq!(receipt.caller, ALICE);
        assert_eq!(receipt.contract, contract);
        assert!(receipt.gas.storage > 0 && receipt.gas.host > 0 && receipt.gas.execution > 0);
        assert!(receipt.gas.total() < receipt.gas_limit);
    }
    let key = Word::from(1u64).to_be_bytes();
    let stored = world.host.storage_get(&contract, &key).unwrap().unwrap();
    assert_eq!(stored, Word::from(3u64).to_be_bytes());
}

#[test]
fn the_same_call_gives_the_same_receipt_from_a_cold_and_a_warm_cache() {
    let run = || {
        let mut world = World::new();
        let contract = world.deploy(&counter());
        let cold = world
            .vm
            .estimate(&world.host, &Call::new(ALICE, contract, b""))
            .unwrap();
        world.vm.clear_caches();
        let again = world
            .vm
            .estimate(&world.host, &Call::new(ALICE, contract, b""))
            .unwrap();
        assert_eq!(cold, again);
        world.call(contract, b"").hash()
    };
    assert_eq!(run(), run());
}

#[test]
fn byte_string_storage_has_absent_empty_and_removed() {
    // Each byte of the input is one step on key "k"; each appends a byte to the output.
    let body = r#"
      (local $end i32) (local $out i32)
      (i32.store8 (i32.const 32) (i32.const 107))
      (local.set $end (i32.add (local.get $at) (local.get $length)))
      (local.set $out (i32.const 2048))
      (block $done (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 104)) ;; h
          (then (i32.store8 (local.get $out) (call $storage.has (i32.const 32) (i32.const 1)))))
        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 101)) ;; e
          (then (call $storage.set (i32.const 32) (i32.const 1) (i32.const 0) (i32.const 0))))
        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 115)) ;; s
          (then (call $storage.set (i32.const 32) (i32.const 1) (i32.const 32) (i32.const 1))))
        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 114)) ;; r
          (then (i32.store8 (local.get $out) (call $storage.remove (i32.const 32) (i32.const 1)))))
        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 103)) ;; g: 255 for none, else length
          (then
            (call $storage.get (i32.const 32) (i32.const 1) (i32.const 96))
            (i32.store8 (local.get $out)
              (select (i32.load (i32.const 104)) (i32.const 255) (i32.load8_u (i32.const 96))))))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
      (call $result (i32.const 0) (i32.const 2048) (i32.sub (local.get $out) (i32.const 2048)))"#;
    let imports = [
        "storage.has",
        "storage.set",
        "storage.remove",
        "storage.get",
    ];
    let mut world = World::new();
    let contract = world.deploy(&guest(&imports, &call_body(body)));
    let receipt = world.call(contract, b"hgehgsgrhrg");
    assert_eq!(receipt.status, Status::Return);
    assert_eq!(receipt.output, [0, 255, 0, 1, 0, 0, 1, 1, 0, 0, 255]);
    // It ended as it began.
    assert_eq!(world.host.storage_get(&contract, b"k").unwrap(), None);
    let again = world.call(contract, b"s");
    assert_eq!(again.status, Status::Return);
    assert_eq!(
        world.host.storage_get(&contract, b"k").unwrap().unwrap(),
        b"k"
    );
}

/// Emits an event with two topics and the input, stores, then ends as the first byte
/// says: 0 returns, 1 reverts by its result, 2 by the host call, 3 traps.
fn ender() -> Vec<u8> {
    let body = format!(
        "(i64.store (i32.const 64) (i64.const 5)) (i64.store (i32.const 96) (i64.const 6))
         (call $events.emit (i32.const 64) (i32.const 2) (local.get $at) (local.get $length))
         (call $storage.store {} {})
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 2))
           (then (call $context.revert (local.get $at) (local.get $length))))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 3)) (then unreachable))
         (call $result (i32.load8_u (local.get $at)) (local.get $at) (local.get $length))",
        word(1),
        word(1),
    );
    guest(
        &["events.emit", "storage.store", "context.revert"],
        &call_body(&body),
    )
}

#[test]
fn events_have_topics_data_and_their_contract() {
    let mut world = World::new();
    let contract = world.deploy(&ender());
    let receipt = world.call(contract, &[0, 1, 2]);
    assert_eq!(receipt.status, Status::Return);
    let [event] = receipt.events.as_slice() else {
        panic!("one event")
    };
    assert_eq!(event.contract, contract);
    assert_eq!(event.topics, [Word::from(5u64), Word::from(6u64)]);
    assert_eq!(event.data, [0, 1, 2]);
}

#[test]
fn a_revert_drops_state_and_events_and_gives_gas_back() {
    let mut world = World::new();
    let contract = world.deploy(&ender());
    let before = world.host.state_hash();
    for how in [1, 2] {
        let receipt = world.call(contract, &[how, 42]);
        assert_eq!(receipt.status, Status::Revert);
        assert_eq!(receipt.output, [how, 42]);
        assert!(receipt.events.is_empty());
        assert!(receipt.gas.total() < receipt.gas_limit / 10);
        assert_eq!(world.host.state_hash(), before);
    }
}

#[test]
fn a_trap_drops_everything_and_takes_all_gas() {
    let mut world = World::new();
    let contract = world.deploy(&ender());
    let before = world.host.state_hash();
    let receipt = world.call(contract, &[3]);
    assert_eq!(receipt.status, Status::Trap(TrapCode::Unreachable));
    assert!(receipt.output.is_empty() && receipt.events.is_empty());
    assert_eq!(receipt.gas.total(), receipt.gas_limit);
    assert_eq!(world.host.state_hash(), before);
}

#[test]
fn a_query_reads_and_every_write_in_it_traps() {
    let attempts = [
        (
            "storage.store",
            format!("(call $storage.store {} {})", word(1), word(2)),
        ),
        (
            "storage.set",
            "(call $storage.set (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))".into(),
        ),
        (
            "storage.remove",
            "(drop (call $storage.remove (i32.const 0) (i32.const 1)))".into(),
        ),
        (
            "events.emit",
            "(call $events.emit (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))".into(),
        ),
        (
            "accounts.transfer",
            format!("(drop (call $accounts.transfer {} {}))", word(1), word(0)),
        ),
    ];
    let mut world = World::new();
    for (import, attempt) in attempts {
        let query = format!(
            "(func (export \"query\") (param i32 i32) (result i32) {attempt} {RETURN_NOTHING})"
        );
        let contract = world.deploy(&guest(&[import], &query));
        let receipt = world
            .vm
            .query(&world.host, &Call::new(ALICE, contract, b""))
            .unwrap();
        assert_eq!(
            receipt.status,
            Status::Trap(TrapCode::WriteInQuery),
            "{import}"
        );
    }
}

#[test]
fn value_moves_with_the_call_and_back_with_a_revert() {
    let body = r#"
      (call $context.value (i32.const 64))
      (if (local.get $length) (then (call $context.revert (i32.const 0) (i32.const 0))))
      (call $result (i32.const 0) (i32.const 64) (i32.const 32))"#;
    let mut world = World::new();
    let contract = world.deploy(&guest(
        &["context.value", "context.revert"],
        &call_body(body),
    ));
    let call = Call::new(ALICE, contract, b"").with_value(Word::from(400u64));
    let receipt = world.send(&call);
    assert_eq!(receipt.output, Word::from(400u64).to_le_bytes());
    assert_eq!(world.host.balance(&contract).unwrap(), Word::from(400u64));
    assert_eq!(world.host.balance(&ALICE).unwrap(), Word::from(999_600u64));

    let reverted = Call::new(ALICE, contract, b"x").with_value(Word::from(5u64));
    assert_eq!(world.send(&reverted).status, Status::Revert);
    assert_eq!(world.host.balance(&contract).unwrap(), Word::from(400u64));

    let too_much = Call::new(BOB, contract, b"").with_value(Word::from(1u64));
    let error = world.vm.call(&mut world.host, &too_much).unwrap_err();
    assert!(
        matches!(error, Error::InsufficientBalance { sender: BOB, .. }),
        "{error}"
    );
    assert!(error.is_refusal());
}

#[test]
fn contracts_send_value_only_when_they_have_it() {
    // Sends 7 to the address in the input; returns the flag.
    let body = format!(
        "(i32.store8 (i32.const 64) (call $accounts.transfer {} {}))
         (call $accounts.balance {} (i32.const 65))
         (call $result (i32.const 0) (i32.const 64) (i32.const 1))",
        push_word("(local.get $at)"),
        word(7),
        push_word("(local.get $at)"),
    )
    .replace("(i32.const 65)", "(i32.const 72)");
    let mut world = World::new();
    let contract = world.deploy(&guest(
        &["accounts.transfer", "accounts.balance"],
        &call_body(&body),
    ));
    assert_eq!(world.call(contract, &limbs(&BOB)).output, [0]);
    world.host.set_balance(contract, Word::from(10u64));
    assert_eq!(world.call(contract, &limbs(&BOB)).output, [1]);
    assert_eq!(world.call(contract, &limbs(&BOB)).output, [0]);
    assert_eq!(world.host.balance(&BOB).unwrap(), Word::from(7u64));
    // An address has no upper 96 bits.
    let receipt = world.call(contract, &[0xff; 32]);
    assert_eq!(receipt.status, Status::Trap(TrapCode::BadArgument));
}

#[test]
fn checkpoints_nest_and_must_pair() {
    // Steps: b begin, c commit, r rollback, digits store under key 1.
    let body = format!(
        r#"
      (local $end i32)
      (local.set $end (i32.add (local.get $at) (local.get $length)))
      (block $done (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 98)) (then (call $journal.begin))
        (else (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 99)) (then (call $journal.commit))
        (else (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 114)) (then (call $journal.rollback))
        (else (call $storage.store {} (i64.load8_u (local.get $at)) (i64.const 0) (i64.const 0) (i64.const 0))))))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
      {RETURN_NOTHING}"#,
        word(1)
    );
    let imports = [
        "journal.begin",
        "journal.commit",
        "journal.rollback",
        "storage.store",
    ];
    let wasm = guest(&imports, &call_body(&body));
    let key = Word::from(1u64).to_be_bytes();
    for (steps, expected) in [
        ("1b2r", Some(b'1')),
        ("1b2c", Some(b'2')),
        ("1b2b3cr", Some(b'1')),
        ("1b2b3rc", Some(b'2')),
        ("b1", Some(b'1')),
        ("b1r", None),
    ] {
        let mut world = World::new();
        let contract = world.deploy(&wasm);
        assert_eq!(
            world.call(contract, steps.as_bytes()).status,
            Status::Return,
            "{steps}"
        );
        let stored = world.host.storage_get(&contract, &key).unwrap();
        assert_eq!(stored.map(|v| v[31]), expected, "{steps}");
    }
    let mut world = World::new();
    let contract = world.deploy(&wasm);
    for steps in ["c", "r", "bcc", "brr"] {
        let receipt = world.call(contract, steps.as_bytes());
        assert_eq!(
            receipt.status,
            Status::Trap(TrapCode::Checkpoint),
            "{steps}"
        );
    }
    let many = "b".repeat(2_000);
    let receipt = world.call(contract, many.as_bytes());
    assert_eq!(receipt.status, Status::Trap(TrapCode::Checkpoint));
}

#[test]
fn a_constructor_that_fails_leaves_no_contract() {
    let construct = r#"(func (export "construct") (param i32 i32) (result i32)
      (call $result (i32.const 1) (local.get 0) (local.get 1)))"#;
    let mut world = World::new();
    let code = world.upload(&guest(&[], construct));
    let deploy = Deploy::new(ALICE, code, b"why").with_value(Word::from(3u64));
    let deployed = world.vm.deploy(&mut world.host, &deploy).unwrap();
    assert_eq!(deployed.receipt.status, Status::Revert);
    assert_eq!(deployed.receipt.output, b"why");
    assert_eq!(world.host.contract(&deployed.address).unwrap(), None);
    assert_eq!(
        world.host.balance(&ALICE).unwrap(),
        Word::from(1_000_000u64)
    );
    let call = Call::new(ALICE, deployed.address, b"");
    let error = world.vm.call(&mut world.host, &call).unwrap_err();
    assert!(matches!(error, Error::NoContract(a) if a == deployed.address));
}

#[test]
fn an_address_holds_one_contract() {
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], ""));
    let code = world.upload(&guest(&[], ""));
    let deploy = Deploy::new(ALICE, code, b"");
    assert_eq!(deploy.address(), contract);
    let error = world.vm.deploy(&mut world.host, &deploy).unwrap_err();
    assert!(matches!(error, Error::AddressInUse(a) if a == contract));
    let unknown = Deploy::new(ALICE, [9; 32], b"");
    let error = world.vm.deploy(&mut world.host, &unknown).unwrap_err();
    assert!(matches!(error, Error::UnknownCode(code) if code == [9; 32]));
}

#[test]
fn requests_that_no_block_may_hold_are_refused_and_change_nothing() {
    let mut world = World::new();
    let contract = world.deploy(&counter());
    let before = world.host.state_hash();
    let commits = world.host.commits();
    let call = |gas| Call::new(ALICE, contract, b"").with_gas_limit(gas);
    for (request, expected) in [
        (call(1), "GasLimitTooLow"),
        (call(1 << 63), "GasLimitTooHigh"),
        (Call::new(ALICE, contract, vec![0; 2 << 20]), "InputTooLong"),
        (Call::new(ALICE, BOB, b""), "NoContract"),
    ] {
        let error = world.vm.call(&mut world.host, &request).unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
        assert!(error.is_refusal());
    }
    assert_eq!(world.host.state_hash(), before);
    assert_eq!(world.host.commits(), commits);
}

#[test]
fn an_estimate_is_a_limit_that_works_and_commits_nothing() {
    let mut world = World::new();
    let contract = world.deploy(&counter());
    let call = Call::new(ALICE, contract, b"");
    let before = world.host.state_hash();
    let estimate = world.vm.estimate(&world.host, &call).unwrap();
    assert_eq!(world.host.state_hash(), before);
    assert_eq!(estimate.gas_limit, estimate.receipt.gas.total());
    let exact = call.clone().with_gas_limit(estimate.gas_limit);
    let short = call.with_gas_limit(estimate.gas_limit - 1);
    assert_eq!(world.send(&short).status, Status::Trap(TrapCode::OutOfGas));
    assert_eq!(world.send(&exact).status, Status::Return);
}

#[test]
fn context_tells_who_where_and_when() {
    let body = r#"
      (call $context.caller (i32.const 64))
      (call $context.origin (i32.const 96))
      (call $context.self-address (i32.const 128))
      (i64.store (i32.const 160) (call $context.block-number))
      (i64.store (i32.const 168) (call $context.block-timestamp))
      (i64.store (i32.const 176) (call $context.chain-id))
      (call $result (i32.const 0) (i32.const 64) (i32.const 120))"#;
    let imports = [
        "context.caller",
        "context.origin",
        "context.self-address",
        "context.block-number",
        "context.block-timestamp",
        "context.chain-id",
    ];
    let mut world = World::new();
    let contract = world.deploy(&guest(&imports, &call_body(body)));
    let output = world.call(contract, b"").output;
    assert_eq!(output[..32], limbs(&ALICE));
    assert_eq!(output[32..64], limbs(&ALICE));
    assert_eq!(output[64..96], limbs(&contract));
    assert_eq!(output[96..104], 100u64.to_le_bytes());
    assert_eq!(output[104..112], 1_700_000_000u64.to_le_bytes());
    assert_eq!(output[112..], 7u64.to_le_bytes());
}
