//! Batches of signatures, and addresses of keys, through a contract.

mod common;

use aivm::{Address, GasSchedule, Receipt, Status, TrapCode, Word};
use aivm_abi::host::crypto::SignatureScheme;
use aivm_crypto::keys::SigningKey;
use common::*;

/// Input: a count (4 bytes), then for each signature the scheme and the lengths of key, message and
/// signature (4 bytes each), then all keys, messages and signatures in that order, one item after the other.
/// Returns the answer in 4 bytes.
fn checker() -> Vec<u8> {
    guest(
        &["crypto.verify-all"],
        r#"(func (export "call") (param $unaligned i32) (param $length i32) (result i32)
          (local $at i32) (local $count i32) (local $i i32) (local $from i32) (local $to i32) (local $data i32)
          (local.set $at (i32.const 32768))
          (memory.copy (local.get $at) (local.get $unaligned) (local.get $length))
          (local.set $count (i32.load (local.get $at)))
          (local.set $from (i32.add (local.get $at) (i32.const 4)))
          (local.set $data (i32.add (local.get $from) (i32.shl (local.get $count) (i32.const 4))))
          (local.set $to (i32.const 2048))
          (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
            (i32.store (local.get $to) (i32.load (local.get $from)))
            (call $part (i32.add (local.get $to) (i32.const 4)) (local.get $data) (i32.load offset=4 (local.get $from)))
            (local.set $data (i32.add (local.get $data) (i32.load offset=4 (local.get $from))))
            (call $part (i32.add (local.get $to) (i32.const 12)) (local.get $data) (i32.load offset=8 (local.get $from)))
            (local.set $data (i32.add (local.get $data) (i32.load offset=8 (local.get $from))))
            (call $part (i32.add (local.get $to) (i32.const 20)) (local.get $data) (i32.load offset=12 (local.get $from)))
            (local.set $data (i32.add (local.get $data) (i32.load offset=12 (local.get $from))))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.const 28)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))
          (i32.store (i32.const 64) (call $crypto.verify-all (i32.const 2048) (local.get $count)))
          (call $result (i32.const 0) (i32.const 64) (i32.const 4)))
        (func $part (param $to i32) (param $data i32) (param $length i32)
          (i32.store (local.get $to) (local.get $data))
          (i32.store offset=4 (local.get $to) (local.get $length)))"#,
    )
}

type Signed<'a> = (u32, &'a [u8], &'a [u8], &'a [u8]);

fn input(signatures: &[Signed<'_>]) -> Vec<u8> {
    let mut input = (signatures.len() as u32).to_le_bytes().to_vec();
    for (scheme, key, message, signature) in signatures {
        let lengths = [key, message, signature].map(|part| part.len() as u32);
        for value in [*scheme].into_iter().chain(lengths) {
            input.extend(value.to_le_bytes());
        }
    }
    for (_, key, message, signature) in signatures {
        input.extend([*key, message, signature].concat());
    }
    input
}

fn answer(receipt: &Receipt) -> bool {
    assert_eq!(receipt.status, Status::Return, "{receipt:?}");
    match receipt.output[..] {
        [held @ (0 | 1), 0, 0, 0] => held == 1,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_holds_when_each_does() {
    let mut world = World::new();
    let checker = world.deploy(&checker());
    let keys = [
        SignatureScheme::Mldsa44,
        SignatureScheme::Mldsa65,
        SignatureScheme::Fndsa512,
    ]
    .map(SigningKey::generate);
    let numbers = [0, 1, 3];
    let message = b"all of us";
    let signatures = keys.each_ref().map(|key| key.sign(message));
    let good: Vec<Signed<'_>> = (0..3)
        .map(|i| {
            (
                numbers[i],
                keys[i].public(),
                message.as_slice(),
                signatures[i].as_slice(),
            )
        })
        .collect();
    let prices = GasSchedule::v1().pqc;
    let sum: u64 = keys
        .iter()
        .map(|key| prices.price(key.scheme().name()).unwrap().pq_gas(9))
        .sum();

    let receipt = world.call(checker, &input(&good));
    assert!(answer(&receipt));
    assert_eq!(receipt.gas.pq, sum, "the sum, without a discount");
    let told: Vec<_> = receipt
        .pqc
        .iter()
        .map(|c| (c.scheme.as_str(), c.ok))
        .collect();
    assert_eq!(
        told,
        [("mldsa44", true), ("mldsa65", true), ("fndsa512", true)]
    );

    // One that does not hold, wherever it stands; the others are told as they are.
    for wrong in 0..3 {
        let mut batch = good.clone();
        batch[wrong].2 = b"others";
        let receipt = world.call(checker, &input(&batch));
        assert!(!answer(&receipt));
        assert_eq!(receipt.gas.pq, sum);
        let told: Vec<bool> = receipt.pqc.iter().map(|check| check.ok).collect();
        let expected: Vec<bool> = (0..3).map(|i| i != wrong).collect();
        assert_eq!(told, expected);
        // Malformed is false, too: another's key, no key, half a signature.
        for (key, signature) in [
            (keys[(wrong + 1) % 3].public(), signatures[wrong].as_slice()),
            (&[], signatures[wrong].as_slice()),
            (keys[wrong].public(), &signatures[wrong][..100]),
        ] {
            let mut batch = good.clone();
            (batch[wrong].1, batch[wrong].3) = (key, signature);
            assert!(!answer(&world.call(checker, &input(&batch))));
        }
    }
    let none = world.call(checker, &input(&[]));
    assert!(answer(&none));
    assert_eq!((none.gas.pq, none.pqc.len()), (0, 0));
    // A scheme that there is not.
    let mut batch = good.clone();
    batch[1].0 = 8;
    let receipt = world.call(checker, &input(&batch));
    assert_eq!(receipt.status, Status::Trap(TrapCode::BadArgument));
}

/// What the lane does not cover is not begun.
#[test]
fn a_batch_is_paid_for_before_it_begins() {
    let mut world = World::new();
    let checker = world.deploy(&checker());
    let prices = GasSchedule::v1().pqc;
    let price = prices.price("mldsa44").unwrap().pq_gas(1);
    let most = (prices.max_pqc_gas_per_tx / price) as usize;
    let bad: Signed<'_> = (0, b"key", b"m", b"signature");
    let fits = world.call(checker, &input(&vec![bad; most]));
    assert!(!answer(&fits));
    assert_eq!(fits.pqc.len(), most);
    let over = world.call(checker, &input(&vec![bad; most + 1]));
    assert_eq!(over.status, Status::Trap(TrapCode::PqGasLimit));
    assert!(over.pqc.is_empty());
}

#[test]
fn addresses_are_those_of_accounts() {
    let mut world = World::new();
    let derive = world.deploy(&guest(
        &["crypto.address-of"],
        r#"(func (export "call") (param $at i32) (param $length i32) (result i32)
             (call $crypto.address-of (i32.load8_u (local.get $at))
               (i32.add (local.get $at) (i32.const 1)) (i32.sub (local.get $length) (i32.const 1)) (i32.const 64))
             (call $result (i32.const 0) (i32.const 64) (i32.const 32)))"#,
    ));
    for (number, scheme) in SignatureScheme::ALL.iter().enumerate() {
        for key in [b"".as_slice(), b"key", &[7; 2_000]] {
            let receipt = world.call(derive, &[&[number as u8], key].concat());
            assert_eq!(receipt.status, Status::Return);
            let expected = Address::from_public_key(scheme.name(), key).to_word();
            assert_eq!(receipt.output, Word::to_le_bytes(expected));
        }
    }
    let none = world.call(derive, &[8, 1, 2]);
    assert_eq!(none.status, Status::Trap(TrapCode::BadArgument));
}
