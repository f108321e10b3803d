//! Messages between chains: numbered, in the receipt, consumed once, undone with what is undone.

mod common;

use aivm::{Address, Call, InboxMessage, OutboxMessage, Receipt, Status, TrapCode, Word};
use common::*;

/// Input: an action (1 byte), a flag (1 byte), then what the action takes.
/// `s`: destination (1 byte) and the payload; sends it to `BOB`. Flag `r` reverts then, `c` in a checkpoint that is rolled back.
/// `p`, `c`: an identifier as limbs; peeks or consumes. Returns the raw result and, if there is one, the payload.
/// Output of `s` is the sequence number in 8 bytes.
fn courier() -> Vec<u8> {
    let imports = [
        "messaging.send",
        "messaging.peek",
        "messaging.consume",
        "journal.begin",
        "journal.rollback",
        "context.revert",
        "calls.call",
    ];
    let word = push_word("(i32.const 4096)");
    let text = format!(
        r#"(data (i32.const 2048) "\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0\b0")
        (func $run (param $at i32) (param $length i32) (result i32)
          (local $flag i32)
          (local.set $flag (i32.load8_u offset=1 (local.get $at)))
          (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 115)) (then
            (if (i32.eq (local.get $flag) (i32.const 99)) (then (call $journal.begin)))
            (i64.store (i32.const 64) (call $messaging.send
              (i64.load8_u offset=2 (local.get $at))
              (i32.const 2048) (i32.const 20)
              (i32.add (local.get $at) (i32.const 3)) (i32.sub (local.get $length) (i32.const 3))))
            (if (i32.eq (local.get $flag) (i32.const 99)) (then (call $journal.rollback)))
            (if (i32.eq (local.get $flag) (i32.const 114)) (then (call $context.revert (i32.const 0) (i32.const 0))))
            (return (call $result (i32.const 0) (i32.const 64) (i32.const 8)))))
          (memory.copy (i32.const 4096) (i32.add (local.get $at) (i32.const 2)) (i32.const 32))
          (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 112))
            (then (call $messaging.peek {word} (i32.const 128)))
            (else (call $messaging.consume {word} (i32.const 128))))
          (if (i32.eq (local.get $flag) (i32.const 114)) (then (call $context.revert (i32.const 0) (i32.const 0))))
          (if (i32.load8_u (i32.const 128)) (then
            (return (call $result (i32.const 0) (i32.const 128) (i32.const 9)))))
          (memory.copy (i32.const 4200) (i32.load (i32.const 152)) (i32.load (i32.const 156)))
          (memory.copy (i32.const 4176) (i32.const 128) (i32.const 24))
          (call $result (i32.const 0) (i32.const 4176) (i32.add (i32.const 24) (i32.load (i32.const 156)))))
        (func (export "call") (param i32 i32) (result i32) (call $run (local.get 0) (local.get 1)))
        (func (export "query") (param i32 i32) (result i32) (call $run (local.get 0) (local.get 1)))"#
    );
    guest(&imports, &text)
}

/// Identifier of the chain that the tests run on.
const CHAIN: u64 = 7;

fn send(flag: u8, destination: u8, payload: &[u8]) -> Vec<u8> {
    [&[b's', flag, destination], payload].concat()
}

fn take(action: u8, flag: u8, id: [u8; 32]) -> Vec<u8> {
    let limbs = Word::from_be_bytes(id).to_le_bytes();
    [[action, flag].as_slice(), &limbs].concat()
}

fn number(receipt: &Receipt) -> u64 {
    assert_eq!(receipt.status, Status::Return, "{receipt:?}");
    u64::from_le_bytes(receipt.output[..].try_into().unwrap())
}

/// The payload, or the refusal: 0 unknown, 1 consumed.
fn taken(receipt: &Receipt) -> Result<&[u8], u8> {
    assert_eq!(receipt.status, Status::Return, "{receipt:?}");
    match receipt.output[0] {
        0 => Ok(&receipt.output[24..]),
        _ => Err(receipt.output[8]),
    }
}

#[test]
fn messages_are_numbered_and_stand_in_the_receipt() {
    let mut world = World::new();
    let courier = courier();
    let (one, two) = (
        world.deploy_with(&courier, 1, b""),
        world.deploy_with(&courier, 2, b""),
    );
    let message = |contract: Address, destination: u8, sequence, payload: &[u8]| OutboxMessage {
        contract,
        destination: destination.into(),
        sequence,
        recipient: vec![0xb0; 20],
        payload: payload.to_vec(),
    };
    // Numbers count for each contract and each chain.
    for (contract, chain, expected) in [
        (one, 5, 0),
        (one, 5, 1),
        (one, 6, 0),
        (two, 5, 0),
        (one, 5, 2),
    ] {
        let receipt = world.call(contract, &send(0, chain, b"hello"));
        assert_eq!(number(&receipt), expected);
        assert_eq!(
            receipt.outbox,
            [message(contract, chain, expected, b"hello")]
        );
        let id = receipt.outbox[0].id(CHAIN);
        let root = receipt.outbox_root().unwrap();
        assert!(receipt.outbox_proof(0).unwrap().holds(&id, &root));
        let bytes = receipt.to_canonical_bytes();
        assert_eq!(Receipt::from_canonical_bytes(&bytes), Ok(receipt));
    }
    let empty = world.call(one, &send(0, 5, b""));
    assert_eq!(empty.outbox, [message(one, 5, 3, b"")]);
}

#[test]
fn what_is_undone_was_never_sent() {
    let mut world = World::new();
    let courier = world.deploy(&courier());
    let reverted = world.call(courier, &send(b'r', 5, b"never"));
    assert_eq!(reverted.status, Status::Revert);
    assert!(reverted.outbox.is_empty() && reverted.outbox_root().is_none());
    let rolled_back = world.call(courier, &send(b'c', 5, b"never"));
    assert_eq!(number(&rolled_back), 0);
    assert!(rolled_back.outbox.is_empty());
    let starved = Call::new(ALICE, courier, send(0, 5, b"never")).with_gas_limit(60_000);
    let starved = world.send(&starved);
    assert_eq!(starved.status, Status::Trap(TrapCode::OutOfGas));
    assert!(starved.outbox.is_empty());
    // The number was not used up.
    assert_eq!(number(&world.call(courier, &send(0, 5, b"first"))), 0);
}

#[test]
fn sending_has_limits() {
    let mut world = World::new();
    let courier = world.deploy(&courier());
    let call = |world: &mut World, payload: &[u8]| {
        let call = Call::new(ALICE, courier, send(0, 5, payload)).with_gas_limit(1_000_000_000);
        world.send(&call).status
    };
    assert_eq!(call(&mut world, &[7; 60_000]), Status::Return);
    assert_eq!(
        call(&mut world, &[7; 65_537]),
        Status::Trap(TrapCode::OutputLimit)
    );
    let query = Call::new(ALICE, courier, send(0, 5, b"x"));
    let refused = world.vm.query(&world.host, &query).unwrap();
    assert_eq!(refused.status, Status::Trap(TrapCode::WriteInQuery));
    // Recipients of no and of 65 bytes; outside of memory.
    for (at, length, code) in [
        (2048, 0, TrapCode::BadArgument),
        (2048, 65, TrapCode::BadArgument),
        (131_070, 20, TrapCode::BadPointer),
        (0, -1, TrapCode::BadPointer),
    ] {
        let body = format!(
            "(drop (call $messaging.send (i64.const 1) (i32.const {at}) (i32.const {length}) (i32.const 0) (i32.const 0)))
             {RETURN_NOTHING}"
        );
        let contract = world.deploy(&guest(&["messaging.send"], &call_body(&body)));
        let receipt = world.call(contract, b"");
        assert_eq!(receipt.status, Status::Trap(code), "{at} {length}");
    }
}

#[test]
fn a_message_is_consumed_once() {
    let mut world = World::new();
    let code = courier();
    let courier = world.deploy_with(&code, 1, b"");
    let other = world.deploy_with(&code, 2, b"");
    let id = [0x1d; 32];
    let unknown = Err(0);
    assert_eq!(taken(&world.call(courier, &take(b'c', 0, id))), unknown);
    let message = InboxMessage {
        source_chain: 5,
        destination: CHAIN,
        sender: b"somebody".to_vec(),
        recipient: courier,
        payload: b"good news".to_vec(),
    };
    world.host.deliver(id, message);
    let news = Ok(b"good news".as_slice());
    // Only the recipient gets it; looking changes nothing; what is undone was not consumed.
    assert_eq!(taken(&world.call(other, &take(b'c', 0, id))), unknown);
    assert_eq!(taken(&world.call(other, &take(b'p', 0, id))), unknown);
    assert_eq!(taken(&world.call(courier, &take(b'p', 0, id))), news);
    let undone = world.call(courier, &take(b'c', b'r', id));
    assert_eq!(undone.status, Status::Revert);
    let query = Call::new(ALICE, courier, take(b'c', 0, id));
    let refused = world.vm.query(&world.host, &query).unwrap();
    assert_eq!(refused.status, Status::Trap(TrapCode::WriteInQuery));
    let query = Call::new(ALICE, courier, take(b'p', 0, id));
    assert_eq!(taken(&world.vm.query(&world.host, &query).unwrap()), news);

    let receipt = world.call(courier, &take(b'c', 0, id));
    assert_eq!(taken(&receipt), news);
    // Source chain, and the sender's length.
    assert_eq!(receipt.output[8..16], 5u64.to_le_bytes());
    assert_eq!(receipt.output[20..24], 8u32.to_le_bytes());
    let consumed = Err(1);
    assert_eq!(taken(&world.call(courier, &take(b'c', 0, id))), consumed);
    assert_eq!(taken(&world.call(courier, &take(b'p', 0, id))), consumed);
    assert_eq!(taken(&world.call(other, &take(b'p', 0, id))), unknown);
    let mut almost = id;
    almost[31] ^= 1;
    assert_eq!(taken(&world.call(courier, &take(b'c', 0, almost))), unknown);
}

/// What one AIVM chain sends, another takes up under the identifier that both compute.
#[test]
fn two_chains_talk() {
    let (mut here, mut there) = (World::new(), World::new());
    there.host.set_block(aivm::BlockContext::new(5, 3));
    let code = courier();
    let (sender, receiver) = (here.deploy(&code), there.deploy(&code));
    let receipt = here.call(sender, &send(0, 5, b"over there"));
    let message = &receipt.outbox[0];
    let id = message.id(receipt.chain_id).0;
    let arrived = InboxMessage {
        source_chain: receipt.chain_id,
        destination: message.destination,
        sender: message.contract.0.to_vec(),
        recipient: receiver,
        payload: message.payload.clone(),
    };
    // A relayer takes it to a third chain, where the same contract has the same address.
    let mut elsewhere = World::new();
    elsewhere.host.set_block(aivm::BlockContext::new(6, 3));
    assert_eq!(elsewhere.deploy(&code), receiver);
    elsewhere.host.deliver(id, arrived.clone());
    for action in [b'p', b'c'] {
        let refused = elsewhere.call(receiver, &take(action, 0, id));
        assert_eq!(taken(&refused), Err(0));
    }
    there.host.deliver(id, arrived);
    let taken_there = there.call(receiver, &take(b'c', 0, id));
    assert_eq!(taken(&taken_there), Ok(b"over there".as_slice()));
    let again = there.call(receiver, &take(b'c', 0, id));
    assert_eq!(taken(&again), Err(1));
}

/// Whoever asks pays for what the chain reads, be it his, another's, or consumed already.
#[test]
fn a_message_that_is_refused_was_read() {
    let mut world = World::new();
    let code = courier();
    let (courier, other) = (
        world.deploy_with(&code, 1, b""),
        world.deploy_with(&code, 2, b""),
    );
    let prices = aivm::GasSchedule::v1().storage;
    let id = [0x1d; 32];
    let message = InboxMessage {
        source_chain: 5,
        destination: CHAIN,
        sender: vec![1; 24],
        recipient: courier,
        payload: vec![2; 30_000],
    };
    let length = (message.sender.len() + message.payload.len()) as u64;
    let storage = |receipt: &Receipt| receipt.gas.storage;
    let unknown = world.call(courier, &take(b'p', 0, id));
    assert_eq!(storage(&unknown), 2 * prices.read);
    world.host.deliver(id, message);
    let paid = 2 * prices.read + prices.read_bytes(length);
    assert_eq!(storage(&world.call(courier, &take(b'p', 0, id))), paid);
    let foreign = world.call(other, &take(b'p', 0, id));
    assert_eq!((taken(&foreign), storage(&foreign)), (Err(0), paid));
    let consumed = world.call(courier, &take(b'c', 0, id));
    assert_eq!(taken(&consumed), Ok([2; 30_000].as_slice()));
    let again = world.call(courier, &take(b'p', 0, id));
    assert_eq!((taken(&again), storage(&again)), (Err(1), paid));
    let foreign = world.call(other, &take(b'c', 0, id));
    assert_eq!((taken(&foreign), storage(&foreign)), (Err(0), paid));
}
