//! Receipts keep their form: canonical bytes, hash, JSON.

use aivm_abi::receipt::{
    Event, GasUsed, Inference, Kind, OutboxMessage, PqcCheck, Receipt, Status,
};
use aivm_abi::{Address, DecodeError, Digest, TrapCode, Word};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn sample() -> Receipt {
    Receipt {
        chain_id: 338_601,
        network: "synergy-testnet".into(),
        block_height: 42,
        block_time: 1_700_000_000,
        tx_hash: Digest([1; 32]),
        kind: Kind::Call,
        caller: Address([2; 20]),
        contract: Address([3; 20]),
        status: Status::Return,
        gas_limit: 1_000_000,
        gas: GasUsed {
            execution: 1,
            host: 2,
            storage: 3,
            inference: 4,
            upload: 0,
            pq: 5,
        },
        output: vec![0xde, 0xad],
        events: vec![Event {
            contract: Address([3; 20]),
            topics: vec![Word::from(9u64)],
            data: vec![1],
        }],
        state_delta: Digest([4; 32]),
        state_root_before: None,
        state_root_after: Some(Digest([5; 32])),
        inferences: vec![Inference {
            model: Digest([6; 32]),
            contract: Address([3; 20]),
            gas: 4,
            macs: 1_024,
        }],
        pqc: vec![PqcCheck {
            scheme: "mldsa65".into(),
            contract: Address([3; 20]),
            ok: true,
            gas: 5,
        }],
        transcript: Digest([7; 32]),
        inference_trace: None,
        schedule: Digest([8; 32]),
        outbox: Vec::new(),
    }
}

fn message(sequence: u64) -> OutboxMessage {
    OutboxMessage {
        contract: Address([3; 20]),
        destination: 9,
        sequence,
        recipient: vec![0xb0; 32],
        payload: vec![1, 2, 3],
    }
}

/// A receipt with messages ends in their list; all else is as without.
#[test]
fn messages_stand_at_the_end() {
    let mut receipt = sample();
    let bytes = receipt.to_canonical_bytes();
    receipt.outbox = vec![message(0), message(1)];
    let longer = receipt.to_canonical_bytes();
    let (same, list) = longer.split_at(bytes.len());
    assert_eq!(same, bytes);
    let mut expected = vec![2, 0, 0, 0];
    for sequence in 0..2u8 {
        expected.extend([3; 20]);
        expected.extend([9, 0, 0, 0, 0, 0, 0, 0, sequence, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([32, 0, 0, 0]);
        expected.extend([0xb0; 32]);
        expected.extend([3, 0, 0, 0, 1, 2, 3]);
    }
    assert_eq!(list, expected);
}

/// Each message is proved under the root, at its place and nowhere else, and under no other root.
#[test]
fn messages_are_proved_alone() {
    let mut receipt = sample();
    assert_eq!(receipt.outbox_root(), None);
    assert_eq!(receipt.outbox_proof(0), None);
    let mut roots = Vec::new();
    for count in 1..=17 {
        receipt.outbox.push(message(count - 1));
        let root = receipt.outbox_root().unwrap();
        assert!(!roots.contains(&root));
        for index in 0..count as u32 {
            let id = receipt.outbox[index as usize].id(receipt.chain_id);
            let proof = receipt.outbox_proof(index).unwrap();
            assert!(proof.holds(&id, &root), "{index} of {count}");
            assert!(roots.iter().all(|other| !proof.holds(&id, other)));
            assert!(!proof.holds(&message(99).id(receipt.chain_id), &root));
            assert!(!proof.holds(&message(u64::from(index)).id(1), &root));
            for (place, total) in [
                (index + 1, count as u32),
                (index, count as u32 + 1),
                (count as u32, count as u32),
            ] {
                let mut wrong = proof.clone();
                (wrong.index, wrong.count) = (place, total);
                assert!(
                    !wrong.holds(&id, &root),
                    "{index} of {count} as {place} of {total}"
                );
            }
            let mut longer = proof.clone();
            longer.siblings.push(id);
            assert!(!longer.holds(&id, &root));
            let mut shorter = proof;
            if shorter.siblings.pop().is_some() {
                assert!(!shorter.holds(&id, &root));
            }
        }
        assert_eq!(receipt.outbox_proof(count as u32), None);
        roots.push(root);
    }
}

/// The tree, written out for three messages with the hash function alone.
#[test]
fn root_is_as_documented() {
    let mut receipt = sample();
    receipt.outbox = (0..3).map(message).collect();
    let hash = |domain: &str, bytes: &[u8]| blake3::derive_key(domain, bytes);
    let ids: Vec<[u8; 32]> = (0..3u8)
        .map(|sequence| {
            let mut bytes = 338_601u64.to_le_bytes().to_vec();
            bytes.extend([3; 20]);
            bytes.extend([9, 0, 0, 0, 0, 0, 0, 0, sequence, 0, 0, 0, 0, 0, 0, 0]);
            bytes.extend([32, 0, 0, 0]);
            bytes.extend([0xb0; 32]);
            bytes.extend([3, 0, 0, 0, 1, 2, 3]);
            hash("AIVM message v1", &bytes)
        })
        .collect();
    let left = hash("AIVM outbox node v1", &[ids[0], ids[1]].concat());
    let top = hash("AIVM outbox node v1", &[left, ids[2]].concat());
    let root = hash(
        "AIVM outbox root v1",
        &[&[3, 0, 0, 0], top.as_slice()].concat(),
    );
    assert_eq!(receipt.outbox_root(), Some(Digest(root)));
}

#[test]
fn form_and_hash_are_pinned() {
    insta::assert_snapshot!(hex_lines(&sample().to_canonical_bytes()));
    insta::assert_snapshot!(sample().hash().to_string());
}

#[test]
fn json_is_for_people() {
    let json = serde_json::to_string_pretty(&sample()).unwrap();
    assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), sample());
    insta::assert_snapshot!(json);
    let trap = Receipt {
        status: Status::Trap(TrapCode::OutOfGas),
        ..sample()
    };
    let json = serde_json::to_string(&trap).unwrap();
    assert!(json.contains("\"trap:out-of-gas\""));
    assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), trap);
}

#[test]
fn total_leaves_out_pq_gas() {
    assert_eq!(sample().gas.total(), 10);
    assert_eq!(
        GasUsed {
            execution: u64::MAX,
            host: 1,
            ..GasUsed::default()
        }
        .total(),
        u64::MAX
    );
}

#[test]
fn every_cut_is_an_error() {
    let bytes = sample().to_canonical_bytes();
    for end in 0..bytes.len() {
        let error = Receipt::from_canonical_bytes(&bytes[..end]).unwrap_err();
        assert!(
            matches!(
                error,
                DecodeError::Truncated { .. } | DecodeError::Magic { .. }
            ),
            "{end}: {error}"
        );
    }
    let mut long = bytes.clone();
    long.push(0);
    assert!(matches!(
        Receipt::from_canonical_bytes(&long),
        Err(DecodeError::Truncated {
            field: "outbox",
            ..
        })
    ));
    // No messages are no list of none.
    long.extend([0; 3]);
    assert_eq!(
        Receipt::from_canonical_bytes(&long),
        Err(DecodeError::NotCanonical {
            at: bytes.len(),
            field: "outbox"
        })
    );
    let mut with_message = sample();
    with_message.outbox = vec![message(0)];
    let mut bytes = with_message.to_canonical_bytes();
    let at = bytes.len();
    bytes.push(0);
    assert_eq!(
        Receipt::from_canonical_bytes(&bytes),
        Err(DecodeError::Trailing { at, extra: 1 })
    );
}

#[test]
fn other_versions_and_counts_are_refused() {
    let mut bytes = sample().to_canonical_bytes();
    bytes[12] = 9;
    assert_eq!(
        Receipt::from_canonical_bytes(&bytes),
        Err(DecodeError::Version {
            format: "receipts",
            found: 9
        })
    );
    // A count of four billion is refused before anything is allocated.
    let mut bytes = sample().to_canonical_bytes();
    let network = 12 + 2 + 8;
    bytes[network..network + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(
        Receipt::from_canonical_bytes(&bytes),
        Err(DecodeError::Truncated {
            field: "network",
            ..
        })
    ));
}

#[test]
fn more_than_four_topics_are_refused() {
    let event = Event {
        contract: Address::ZERO,
        topics: vec![Word::ZERO; 5],
        data: Vec::new(),
    };
    let bytes = Receipt {
        events: vec![event],
        ..sample()
    }
    .to_canonical_bytes();
    assert!(matches!(
        Receipt::from_canonical_bytes(&bytes),
        Err(DecodeError::TooLong {
            field: "topics",
            found: 5,
            limit: 4,
            ..
        })
    ));
}

fn hex_lines(bytes: &[u8]) -> String {
    bytes
        .chunks(32)
        .map(|line| hex::encode(line) + "\n")
        .collect()
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address)
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Return),
        Just(Status::Revert),
        (0..TrapCode::ALL.len()).prop_map(|index| Status::Trap(TrapCode::ALL[index])),
    ]
}

prop_compose! {
    fn gas()([execution, host, storage, inference, upload, pq] in any::<[u64; 6]>()) -> GasUsed {
        GasUsed { execution, host, storage, inference, upload, pq }
    }
}

prop_compose! {
    fn event()(
        contract in address(),
        topics in vec(any::<[u64; 4]>().prop_map(Word), 0..=4),
        data in vec(any::<u8>(), 0..40),
    ) -> Event {
        Event { contract, topics, data }
    }
}

prop_compose! {
    fn outbox_message()(
        contract in address(),
        destination in any::<u64>(),
        sequence in any::<u64>(),
        recipient in vec(any::<u8>(), 0..40),
        payload in vec(any::<u8>(), 0..40),
    ) -> OutboxMessage {
        OutboxMessage { contract, destination, sequence, recipient, payload }
    }
}

prop_compose! {
    fn receipt()(
        (chain_id, network, block_height, block_time, tx_hash) in (any::<u64>(), "\\PC{0,12}", any::<u64>(), any::<u64>(), digest()),
        (kind, caller, contract, status) in
            (prop_oneof![Just(Kind::Deploy), Just(Kind::Call), Just(Kind::Query)], address(), address(), status()),
        (gas_limit, gas, output, events) in (any::<u64>(), gas(), vec(any::<u8>(), 0..64), vec(event(), 0..4)),
        (state_delta, state_root_before, state_root_after) in (digest(), option::of(digest()), option::of(digest())),
        inferences in vec((digest(), address(), any::<u64>(), any::<u64>()), 0..3),
        pqc in vec(("[a-z0-9]{0,12}", address(), any::<bool>(), any::<u64>()), 0..3),
        (transcript, inference_trace, schedule) in (digest(), option::of(digest()), digest()),
        outbox in vec(outbox_message(), 0..3),
    ) -> Receipt {
        Receipt {
            chain_id, network, block_height, block_time, tx_hash, kind, caller, contract, status, gas_limit, gas,
            output, events, state_delta, state_root_before, state_root_after,
            inferences: inferences.into_iter()
                .map(|(model, contract, gas, macs)| Inference { model, contract, gas, macs }).collect(),
            pqc: pqc.into_iter()
                .map(|(scheme, contract, ok, gas)| PqcCheck { scheme, contract, ok, gas }).collect(),
            transcript, inference_trace, schedule, outbox,
        }
    }
}

proptest! {
    #[test]
    fn bytes_and_json_round_trip(receipt in receipt()) {
        let bytes = receipt.to_canonical_bytes();
        prop_assert_eq!(Receipt::from_canonical_bytes(&bytes), Ok(receipt.clone()));
        let json = serde_json::to_string(&receipt).unwrap();
        prop_assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), receipt);
    }

    #[test]
    fn accepted_bytes_are_canonical(receipt in receipt(), flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = receipt.to_canonical_bytes();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(decoded) = Receipt::from_canonical_bytes(&bytes) {
            prop_assert_eq!(decoded.to_canonical_bytes(), bytes);
        }
    }

    #[test]
    fn garbage_never_panics(tail in vec(any::<u8>(), 0..600)) {
        let mut bytes = b"AIVM-RECEIPT\x01\x00".to_vec();
        bytes.extend(tail);
        if let Ok(decoded) = Receipt::from_canonical_bytes(&bytes) {
            prop_assert_eq!(decoded.to_canonical_bytes(), bytes);
        }
    }
}

#[test]
fn every_trap_code_is_documented() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/receipts.md"))
        .unwrap();
    for code in TrapCode::ALL {
        let row = format!(
            "| {} | `{}` | {} |",
            code.code(),
            code.name(),
            code.description()
        );
        assert!(page.contains(&row), "docs/receipts.md lacks the line {row}");
    }
}
