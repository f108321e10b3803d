//! Envelopes keep their form and are refused for the right reason.

use std::collections::BTreeSet;

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_abi::transaction::{
    Action, CheckError, Cipher, Envelope, Expectation, Level, Payload, Sealed, Signer, Transaction,
};
use aivm_abi::{Address, DecodeError, Digest, Word};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn signer(scheme: SignatureScheme) -> Signer {
    Signer {
        scheme,
        key: vec![scheme as u8; 8],
        signature: vec![9; 6],
    }
}

fn sealed(cipher: Cipher, kems: &[Kem]) -> Payload {
    Payload::Sealed(Sealed {
        deploys: false,
        recipient: Digest([7; 32]),
        encapsulations: kems.iter().map(|kem| (*kem, vec![1, 2])).collect(),
        cipher,
        nonce: [3; 12],
        ciphertext: vec![4; 20],
    })
}

fn envelope(level: Level, payload: Payload, schemes: &[SignatureScheme]) -> Envelope {
    let signers: Vec<Signer> = schemes.iter().copied().map(signer).collect();
    let transaction = Transaction {
        chain_id: 5,
        network: "testnet".into(),
        from: Address::from_signers(&signers),
        nonce: 3,
        expires_at: 100,
        gas_limit: 1_000_000,
        value: Word::from(8u64),
        payload,
    };
    Envelope {
        transaction,
        level,
        signers,
    }
}

fn basic() -> Envelope {
    let action = Action::Call {
        to: Address([6; 20]),
        input: vec![1, 2, 3, 4],
    };
    envelope(
        Level::Basic,
        Payload::Open(action),
        &[SignatureScheme::Mldsa65],
    )
}

fn check(envelope: &Envelope) -> Result<(), CheckError> {
    let schemes: BTreeSet<SignatureScheme> = SignatureScheme::ALL.iter().copied().collect();
    envelope.check(&Expectation {
        chain_id: 5,
        network: "testnet",
        height: 100,
        next_nonce: 3,
        schemes: &schemes,
    })
}

#[test]
fn form_is_pinned() {
    let envelope = basic();
    let bytes = envelope.to_canonical_bytes();
    insta::assert_snapshot!(
        bytes
            .chunks(32)
            .map(|line| hex::encode(line) + "\n")
            .collect::<String>()
    );
    insta::assert_snapshot!(envelope.id().to_string());
    assert_eq!(&bytes[4..25], b"SYNQ_CONTRACT_CALL_V1");
    let deploy = Action::Deploy {
        code: Digest([1; 32]),
        salt: Some([2; 32]),
        input: vec![],
    };
    let deploy = envelope_with(Payload::Open(deploy)).to_canonical_bytes();
    assert_eq!(&deploy[4..27], b"SYNQ_CONTRACT_DEPLOY_V1");
}

fn envelope_with(payload: Payload) -> Envelope {
    envelope(Level::Basic, payload, &[SignatureScheme::Mldsa65])
}

#[test]
fn signatures_do_not_change_the_id_but_all_else_does() {
    let good = basic();
    let mut other = good.clone();
    other.signers[0].signature = vec![1];
    assert_eq!(other.id(), good.id());
    let changes: [fn(&mut Envelope); 7] = [
        |envelope| envelope.transaction.nonce += 1,
        |envelope| envelope.transaction.chain_id += 1,
        |envelope| envelope.transaction.expires_at += 1,
        |envelope| envelope.transaction.network.push('x'),
        |envelope| envelope.level = Level::Enhanced,
        |envelope| envelope.signers[0].key[0] ^= 1,
        |envelope| envelope.signers.push(signer(SignatureScheme::Fndsa512)),
    ];
    for change in changes {
        let mut other = good.clone();
        change(&mut other);
        assert_ne!(other.id(), good.id());
    }
}

#[test]
fn wrong_place_and_time_are_refused() {
    assert_eq!(check(&basic()), Ok(()));
    let changed = |change: fn(&mut Transaction)| {
        let mut envelope = basic();
        change(&mut envelope.transaction);
        check(&envelope).unwrap_err()
    };
    assert_eq!(
        changed(|t| t.chain_id = 6),
        CheckError::Chain {
            expected: 5,
            found: 6
        }
    );
    assert!(matches!(
        changed(|t| t.network = "mainnet".into()),
        CheckError::Network { .. }
    ));
    assert_eq!(
        changed(|t| t.expires_at = 99),
        CheckError::Expired {
            expires_at: 99,
            height: 100
        }
    );
    assert_eq!(
        changed(|t| t.nonce = 2),
        CheckError::Replay {
            expected: 3,
            found: 2
        }
    );
    assert_eq!(
        changed(|t| t.nonce = 4),
        CheckError::NonceAhead {
            expected: 3,
            found: 4
        }
    );
    assert!(matches!(
        changed(|t| t.from = Address::ZERO),
        CheckError::Sender { .. }
    ));
}

#[test]
fn schemes_are_allowed_by_the_chain() {
    let schemes = Expectation::default_schemes();
    let expect = Expectation {
        chain_id: 5,
        network: "testnet",
        height: 1,
        next_nonce: 3,
        schemes: &schemes,
    };
    assert_eq!(basic().check(&expect), Ok(()));
    let payload = basic().transaction.payload;
    let weaker = envelope(Level::Basic, payload.clone(), &[SignatureScheme::Mldsa44]);
    assert_eq!(
        weaker.check(&expect),
        Err(CheckError::Scheme(SignatureScheme::Mldsa44))
    );
    let none = envelope(Level::Basic, payload.clone(), &[]);
    assert_eq!(none.check(&expect), Err(CheckError::Unsigned));
    let twice = envelope(
        Level::Basic,
        payload,
        &[SignatureScheme::Mldsa65, SignatureScheme::Mldsa65],
    );
    assert_eq!(twice.check(&expect), Err(CheckError::SignerOrder));
}

#[test]
fn levels_have_what_they_promise() {
    use SignatureScheme::{Fndsa512, Mldsa65, Slhdsa128s};
    let open = basic().transaction.payload;
    let aes = sealed(Cipher::Aes256Gcm, &[Kem::Mlkem768]);
    let chacha = sealed(Cipher::ChaCha20Poly1305, &[Kem::Mlkem768]);
    let both = sealed(
        Cipher::ChaCha20Poly1305,
        &[Kem::Mlkem768, Kem::Mceliece348864],
    );
    let all = [Mldsa65, Fndsa512, Slhdsa128s];
    let result = |level, payload: &Payload, schemes: &[SignatureScheme]| {
        check(&envelope(level, payload.clone(), schemes)).map_err(|error| match error {
            CheckError::Level { needs, .. } => needs,
            other => panic!("{other}"),
        })
    };
    assert_eq!(
        result(Level::Basic, &open, &[Fndsa512]),
        Err("an ML-DSA signature")
    );
    assert_eq!(
        result(Level::Enhanced, &open, &[Mldsa65]),
        Err("a sealed payload")
    );
    assert_eq!(result(Level::Enhanced, &aes, &[Mldsa65]), Ok(()));
    assert_eq!(
        result(Level::Enhanced, &chacha, &[Mldsa65]),
        Err("AES-256-GCM")
    );
    assert_eq!(
        result(Level::Enhanced, &sealed(Cipher::Aes256Gcm, &[]), &[Mldsa65]),
        Err("a secret encapsulated by ML-KEM")
    );
    assert_eq!(
        result(Level::Maximum, &chacha, &[Mldsa65]),
        Err("an FN-DSA signature")
    );
    assert_eq!(
        result(Level::Maximum, &chacha, &[Mldsa65, Fndsa512]),
        Err("an SLH-DSA signature")
    );
    assert_eq!(result(Level::Maximum, &aes, &all), Err("ChaCha20-Poly1305"));
    assert_eq!(result(Level::Maximum, &chacha, &all), Ok(()));
    assert_eq!(
        result(Level::Military, &chacha, &all),
        Err("a secret encapsulated by Classic McEliece")
    );
    assert_eq!(result(Level::Military, &both, &all), Ok(()));
}

#[test]
fn other_forms_are_refused() {
    let bytes = basic().to_canonical_bytes();
    for end in 0..bytes.len() {
        assert!(
            Envelope::from_canonical_bytes(&bytes[..end]).is_err(),
            "cut at {end}"
        );
    }
    let mut swapped = basic();
    swapped.signers.insert(0, signer(SignatureScheme::Fndsa512));
    assert!(matches!(
        Envelope::from_canonical_bytes(&swapped.to_canonical_bytes()),
        Err(DecodeError::NotCanonical {
            field: "signers",
            ..
        })
    ));
    // A deployment under the domain of calls.
    let deploy = Action::Deploy {
        code: Digest([1; 32]),
        salt: None,
        input: vec![],
    };
    let bytes = envelope_with(Payload::Open(deploy)).to_canonical_bytes();
    let mut forged = 21u32.to_le_bytes().to_vec();
    forged.extend(b"SYNQ_CONTRACT_CALL_V1");
    forged.extend(&bytes[27..]);
    assert_eq!(
        Envelope::from_canonical_bytes(&forged),
        Err(DecodeError::NotCanonical {
            at: 0,
            field: "domain"
        })
    );
}

fn action() -> impl Strategy<Value = Action> {
    let input = || vec(any::<u8>(), 0..40);
    prop_oneof![
        (any::<[u8; 32]>(), option::of(any::<[u8; 32]>()), input()).prop_map(
            |(code, salt, input)| Action::Deploy {
                code: Digest(code),
                salt,
                input
            }
        ),
        (any::<[u8; 20]>(), input()).prop_map(|(to, input)| Action::Call {
            to: Address(to),
            input
        }),
    ]
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        action().prop_map(Payload::Open),
        Just(sealed(Cipher::Aes256Gcm, &[Kem::Mlkem768])),
        Just(sealed(
            Cipher::ChaCha20Poly1305,
            &[Kem::Mlkem512, Kem::Mceliece348864]
        )),
    ]
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![
        Just(Level::Basic),
        Just(Level::Enhanced),
        Just(Level::Maximum),
        Just(Level::Military)
    ]
}

prop_compose! {
    fn any_envelope()(
        payload in payload(),
        level in level(),
        schemes in proptest::sample::subsequence(SignatureScheme::ALL.to_vec(), 0..4),
        numbers in any::<[u64; 4]>(),
        network in "\\PC{0,8}",
        value in any::<[u64; 4]>(),
    ) -> Envelope {
        let mut envelope = envelope(level, payload, &schemes);
        let [chain_id, nonce, expires_at, gas_limit] = numbers;
        let transaction = &mut envelope.transaction;
        (transaction.chain_id, transaction.nonce) = (chain_id, nonce);
        (transaction.expires_at, transaction.gas_limit) = (expires_at, gas_limit);
        (transaction.network, transaction.value) = (network, Word(value));
        envelope
    }
}

proptest! {
    #[test]
    fn bytes_round_trip(envelope in any_envelope()) {
        let bytes = envelope.to_canonical_bytes();
        prop_assert!(bytes.starts_with(&envelope.signing_bytes()));
        prop_assert_eq!(Envelope::from_canonical_bytes(&bytes), Ok(envelope));
    }

    #[test]
    fn actions_round_trip(action in action(), garbage in vec(any::<u8>(), 0..80)) {
        prop_assert_eq!(Action::from_canonical_bytes(&action.to_canonical_bytes()), Ok(action));
        if let Ok(action) = Action::from_canonical_bytes(&garbage) {
            prop_assert_eq!(action.to_canonical_bytes(), garbage);
        }
    }

    #[test]
    fn accepted_bytes_are_canonical(envelope in any_envelope(), flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = envelope.to_canonical_bytes();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(decoded) = Envelope::from_canonical_bytes(&bytes) {
            prop_assert_eq!(decoded.to_canonical_bytes(), bytes);
        }
    }
}
