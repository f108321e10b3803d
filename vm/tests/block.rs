//! The PQ-Gas lane of a block.

mod common;

use aivm::{Address, Call, Deploy, Error, GasSchedule, Status, TrapCode, Vm, Word};
use common::*;

/// PQ-Gas of one verification of ML-DSA-44, from the published table.
const VERIFY: u64 = 25_000;

/// Verifies as often as the first byte of its input says; the signatures are no signatures, which costs as much.
fn verifier() -> Vec<u8> {
    let body = format!(
        "(local $i i32)
         (local.set $i (i32.load8_u (local.get $at)))
         (block $done (loop $next
           (br_if $done (i32.eqz (local.get $i)))
           (drop (call $crypto.verify (i32.const 0)
             (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8)))
           (local.set $i (i32.sub (local.get $i) (i32.const 1)))
           (br $next)))
         (call $storage.store {} {})
         {RETURN_NOTHING}",
        word(1),
        word(1)
    );
    guest(&["crypto.verify", "storage.store"], &call_body(&body))
}

/// Calls the contract in the first 32 bytes of its input with the rest, and returns whatever comes of it.
fn careless() -> Vec<u8> {
    let body = format!(
        "(call $calls.call {} (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 50000000)
           (i32.add (local.get $at) (i32.const 32)) (i32.sub (local.get $length) (i32.const 32)) (i32.const 64))
         (call $result (i32.const 0) (i32.const 64) (i32.const 1))",
        push_word("(local.get $at)")
    );
    guest(&["calls.call"], &call_body(&body))
}

fn verify(to: Address, times: u8) -> Call {
    Call::new(ALICE, to, [times])
}

#[test]
fn a_block_takes_what_its_schedule_allows() {
    let mut world = World::new();
    let to = world.deploy(&verifier());
    let mut block = world.vm.block_pq_gas(&world.host).unwrap();
    assert_eq!((block.limit(), block.used()), (2_000_000, 0));
    for times in [12, 12, 12, 12, 12, 12, 7] {
        let receipt = world
            .vm
            .call_in_block(&mut world.host, &verify(to, times), &mut block)
            .unwrap();
        assert_eq!(receipt.status, Status::Return);
        assert_eq!(receipt.gas.pq, u64::from(times) * VERIFY);
    }
    assert_eq!((block.used(), block.left()), (79 * VERIFY, VERIFY));

    let before = world.host.state_hash();
    let refused = world
        .vm
        .call_in_block(&mut world.host, &verify(to, 2), &mut block)
        .unwrap_err();
    assert!(
        matches!(refused, Error::BlockFull { needed, left } if (needed, left) == (2 * VERIFY, VERIFY)),
        "{refused}"
    );
    assert!(refused.is_refusal());
    assert_eq!(refused.code(), "block-full");
    assert_eq!(
        refused.to_string(),
        "it needs 50000 PQ-Gas, the block has 25000 left"
    );
    assert_eq!(world.host.state_hash(), before);
    assert_eq!(block.left(), VERIFY, "nothing is taken from the block");

    // Just what is left fits, and what verifies nothing always does.
    for (times, left) in [(1, 0), (0, 0)] {
        let call = verify(to, times);
        let receipt = world.vm.call_in_block(&mut world.host, &call, &mut block);
        assert!(receipt.unwrap().status.is_success());
        assert_eq!(block.left(), left);
    }
    // The next block begins anew.
    let mut next = world.vm.block_pq_gas(&world.host).unwrap();
    let receipt = world
        .vm
        .call_in_block(&mut world.host, &verify(to, 2), &mut next);
    assert!(receipt.unwrap().status.is_success());
}

#[test]
fn a_receipt_does_not_tell_how_full_the_block_is() {
    let hash = |used_before: u8| {
        let mut world = World::new();
        let to = world.deploy(&verifier());
        let mut block = world.vm.block_pq_gas(&world.host).unwrap();
        for _ in 0..used_before {
            let call = verify(to, 12);
            world
                .vm
                .call_in_block(&mut world.host, &call, &mut block)
                .unwrap();
        }
        let other = world.deploy_with(&verifier(), 1, b"");
        let call = verify(other, 5);
        world
            .vm
            .call_in_block(&mut world.host, &call, &mut block)
            .unwrap()
            .hash()
    };
    assert_eq!(hash(0), hash(6));
}

#[test]
fn no_contract_can_catch_that_the_block_is_full() {
    let mut world = World::new();
    let to = world.deploy(&verifier());
    let outer = world.deploy_with(&careless(), 1, b"");
    let mut block = world.vm.block_pq_gas(&world.host).unwrap();
    for times in [12, 12, 12, 12, 12, 12, 7] {
        let call = verify(to, times);
        world
            .vm
            .call_in_block(&mut world.host, &call, &mut block)
            .unwrap();
    }
    let input = |times: u8| [&limbs(&to)[..], &[times]].concat();
    let call = Call::new(ALICE, outer, input(2));
    let refused = world.vm.call_in_block(&mut world.host, &call, &mut block);
    assert!(
        matches!(refused, Err(Error::BlockFull { .. })),
        "{refused:?}"
    );
    // The limit of a transaction is another thing: it is the same in every block, and is caught.
    let receipt = world.call(outer, &input(13));
    assert_eq!((receipt.status, receipt.output), (Status::Return, vec![1]));
    let receipt = world.call(outer, &input(12));
    assert_eq!((receipt.status, receipt.output), (Status::Return, vec![0]));
    // A call that traps at its own limit has used that much of the block.
    let mut block = world.vm.block_pq_gas(&world.host).unwrap();
    let call = verify(to, 200).with_pq_gas_limit(3 * VERIFY + 1);
    let receipt = world
        .vm
        .call_in_block(&mut world.host, &call, &mut block)
        .unwrap();
    assert_eq!(receipt.status, Status::Trap(TrapCode::PqGasLimit));
    assert_eq!(block.used(), 3 * VERIFY);
}

#[test]
fn the_schedule_in_force_sets_the_limit_and_constructors_count() {
    let mut schedule = GasSchedule::v1();
    schedule.pqc.max_pqc_gas_per_block = 3 * VERIFY;
    let vm = Vm::builder().schedule(schedule).unwrap().build().unwrap();
    let mut world = World::with_vm(vm);
    let body = format!(
        "(drop (call $crypto.verify (i32.const 0)
           (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8)))
         {RETURN_NOTHING}"
    );
    let construct = call_body(&body).replace("\"call\"", "\"construct\"");
    let code = world.upload(&guest(&["crypto.verify"], &construct));
    let mut block = world.vm.block_pq_gas(&world.host).unwrap();
    assert_eq!(block.limit(), 3 * VERIFY);
    for salt in 0..4 {
        let deploy = Deploy::new(ALICE, code, [])
            .with_salt([salt; 32])
            .with_value(Word::from(1u64));
        let deployed = world
            .vm
            .deploy_in_block(&mut world.host, &deploy, &mut block);
        match deployed {
            Ok(deployed) => assert!(deployed.receipt.status.is_success() && salt < 3),
            Err(error) => assert!(
                matches!(error, Error::BlockFull { .. }) && salt == 3,
                "{error}"
            ),
        }
    }
    assert_eq!(block.left(), 0);
}
