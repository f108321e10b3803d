//! Signing, sealing, verifying and opening at every level, and what is refused.
#![cfg(feature = "keys")]

use std::collections::BTreeSet;

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_abi::transaction::{
    Action, Cipher, Envelope, Expectation, Level, Payload, Sealed, Transaction,
};
use aivm_abi::{Address, Word};
use aivm_crypto::envelope::verify;
use aivm_crypto::keys::{Account, KeyError, SigningKey};
use aivm_crypto::seal::{OpeningKey, SealError};

fn action() -> Action {
    Action::Call {
        to: Address([7; 20]),
        input: vec![1, 2, 3, 4],
    }
}

fn transaction(from: Address, payload: Payload) -> Transaction {
    Transaction {
        chain_id: 9,
        network: "testnet".into(),
        from,
        nonce: 3,
        expires_at: 100,
        gas_limit: 1_000_000,
        value: Word::from(5u64),
        payload,
    }
}

fn schemes() -> BTreeSet<SignatureScheme> {
    (0..).map_while(SignatureScheme::from_index).collect()
}

fn expectation(schemes: &BTreeSet<SignatureScheme>) -> Expectation<'_> {
    Expectation {
        chain_id: 9,
        network: "testnet",
        height: 50,
        next_nonce: 3,
        schemes,
    }
}

fn open_call() -> (Account, Envelope) {
    let account = Account::generate(Level::Basic);
    let call = transaction(account.address(), Payload::Open(action()));
    let envelope = account.sign(call, Level::Basic).unwrap();
    (account, envelope)
}

/// A call sealed to new keys and signed.
fn sealed_with(kems: &[Kem], level: Level) -> (OpeningKey, Envelope) {
    let key = OpeningKey::generate(kems).unwrap();
    let account = Account::generate(level);
    let mut call = transaction(account.address(), Payload::Open(action()));
    call.payload = Payload::Sealed(key.recipient().seal(&call, level).unwrap());
    (key, account.sign(call, level).unwrap())
}

fn sealed_of(transaction: &mut Transaction) -> &mut Sealed {
    match &mut transaction.payload {
        Payload::Sealed(sealed) => sealed,
        Payload::Open(action) => panic!("{action:?} is not sealed"),
    }
}

#[test]
fn basic_is_one_open_signature() {
    let (_, envelope) = open_call();
    let default = Expectation::default_schemes();
    assert_eq!(verify(&envelope, &expectation(&default)), Ok(()));
    let bytes = envelope.to_canonical_bytes();
    assert_eq!(Envelope::from_canonical_bytes(&bytes).unwrap(), envelope);
}

#[test]
fn enhanced_and_maximum_seal_and_open() {
    for (level, cipher, signatures) in [
        (Level::Enhanced, Cipher::Aes256Gcm, 1),
        (Level::Maximum, Cipher::ChaCha20Poly1305, 3),
    ] {
        let (key, mut envelope) = sealed_with(&[Kem::Mlkem768], level);
        assert_eq!(envelope.signers.len(), signatures);
        assert_eq!(verify(&envelope, &expectation(&schemes())), Ok(()));
        assert_eq!(key.open(&envelope.transaction), Ok(action()));
        assert_eq!(sealed_of(&mut envelope.transaction).cipher, cipher);
    }
}

#[cfg(feature = "mceliece")]
#[test]
fn military_takes_all_five_families() {
    let (key, envelope) = sealed_with(&[Kem::Mlkem1024, Kem::Mceliece348864], Level::Military);
    assert_eq!(verify(&envelope, &expectation(&schemes())), Ok(()));
    assert_eq!(key.open(&envelope.transaction), Ok(action()));
    // Without the second secret the first does not open it.
    let mut half = envelope.transaction;
    sealed_of(&mut half).encapsulations.pop();
    assert_eq!(key.open(&half), Err(SealError::Order));
}

#[cfg(not(feature = "mceliece"))]
#[test]
fn military_without_mceliece_is_an_error_of_the_build() {
    let refused = OpeningKey::generate(&[Kem::Mlkem1024, Kem::Mceliece348864]).unwrap_err();
    assert!(matches!(refused, SealError::Missing(_)), "{refused}");
    let key = OpeningKey::generate(&[Kem::Mlkem1024]).unwrap();
    let call = transaction(Address([1; 20]), Payload::Open(action()));
    assert_eq!(
        key.recipient().seal(&call, Level::Military),
        Err(SealError::Needs {
            level: Level::Military,
            needs: "Classic McEliece"
        })
    );
}

#[test]
fn every_changed_field_breaks_the_signature() {
    let (_, envelope) = open_call();
    type Mutation = (&'static str, fn(&mut Envelope));
    let mutations: [Mutation; 5] = [
        ("gas", |e| e.transaction.gas_limit += 1),
        ("value", |e| e.transaction.value = Word::from(6u64)),
        ("expiry", |e| e.transaction.expires_at += 1),
        ("input", |e| {
            e.transaction.payload = Payload::Open(Action::Call {
                to: Address([7; 20]),
                input: vec![1, 2, 3, 5],
            });
        }),
        ("signature", |e| e.signers[0].signature[100] ^= 1),
    ];
    let default = Expectation::default_schemes();
    for (name, change) in mutations {
        let mut changed = envelope.clone();
        change(&mut changed);
        let error = verify(&changed, &expectation(&default)).unwrap_err();
        let text = error.to_string();
        let expected = (11, "the mldsa65 signature does not verify");
        assert_eq!((error.code(), text.as_str()), expected, "{name}");
    }
}

#[test]
fn replays_other_chains_and_foreign_keys_are_refused_before_any_signature() {
    let (_, envelope) = open_call();
    let default = Expectation::default_schemes();
    let code = |change: fn(&mut Expectation<'_>)| {
        let mut expect = expectation(&default);
        change(&mut expect);
        verify(&envelope, &expect).unwrap_err().code()
    };
    assert_eq!(code(|e| e.chain_id = 8), 1);
    assert_eq!(code(|e| e.network = "mainnet"), 2);
    assert_eq!(code(|e| e.height = 101), 3);
    assert_eq!(code(|e| e.next_nonce = 4), 4);
    assert_eq!(code(|e| e.next_nonce = 2), 5);

    let refusal =
        |envelope: &Envelope| verify(envelope, &expectation(&default)).unwrap_err().code();
    let mut stolen = envelope.clone();
    let thief = SigningKey::generate(SignatureScheme::Mldsa65);
    stolen.signers[0].key = thief.public().to_vec();
    assert_eq!(refusal(&stolen), 9);
    let mut raised = envelope;
    raised.level = Level::Maximum;
    assert_eq!(refusal(&raised), 10);
}

#[test]
fn a_sealed_action_opens_with_its_key_alone_and_unchanged() {
    let (key, envelope) = sealed_with(&[Kem::Mlkem768], Level::Enhanced);
    let sealed = envelope.transaction;
    let other = OpeningKey::generate(&[Kem::Mlkem768]).unwrap();
    assert_eq!(
        other.open(&sealed),
        Err(SealError::Recipient {
            sealed_to: key.recipient().digest(),
            this: other.recipient().digest()
        })
    );
    let mut posing = sealed.clone();
    sealed_of(&mut posing).recipient = other.recipient().digest();
    assert_eq!(other.open(&posing), Err(SealError::Tag));
    let changes: [fn(&mut Sealed); 5] = [
        |s| s.ciphertext[0] ^= 1,
        |s| s.nonce[11] ^= 1,
        |s| s.deploys = true,
        |s| s.cipher = Cipher::ChaCha20Poly1305,
        |s| s.encapsulations[0].1[9] ^= 1,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = sealed.clone();
        change(sealed_of(&mut changed));
        assert_eq!(key.open(&changed), Err(SealError::Tag), "change {index}");
    }
    let mut short = sealed.clone();
    sealed_of(&mut short).encapsulations[0].1.pop();
    assert_eq!(key.open(&short), Err(SealError::Length("mlkem768")));
    let recipient = key.recipient();
    let twice = recipient.seal(&sealed, Level::Enhanced);
    assert_eq!(twice, Err(SealError::AlreadySealed));
    let open = transaction(Address([1; 20]), Payload::Open(action()));
    assert_eq!(key.open(&open), Err(SealError::NotSealed));
    assert_eq!(recipient.seal(&open, Level::Basic), Err(SealError::Level));
}

#[test]
fn a_sealed_action_opens_in_its_own_transaction_only() {
    type Change = (&'static str, fn(&mut Transaction));
    let changes: [Change; 7] = [
        ("chain", |t| t.chain_id += 1),
        ("network", |t| t.network.push('2')),
        ("sender", |t| t.from.0[19] ^= 1),
        ("nonce", |t| t.nonce += 1),
        ("expiry", |t| t.expires_at += 1),
        ("gas", |t| t.gas_limit += 1),
        ("value", |t| t.value = Word::from(6u64)),
    ];
    for level in [Level::Enhanced, Level::Maximum] {
        let (key, envelope) = sealed_with(&[Kem::Mlkem768], level);
        let sealed = envelope.transaction;
        assert_eq!(key.open(&sealed), Ok(action()));
        for (name, change) in changes {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert_eq!(key.open(&changed), Err(SealError::Tag), "{name}");
        }

        // Whoever copies it may sign it, but it does not open under the name of another.
        let mallory = Account::generate(level);
        let copy = transaction(mallory.address(), sealed.payload);
        let copy = mallory.sign(copy, level).unwrap();
        assert_eq!(verify(&copy, &expectation(&schemes())), Ok(()));
        assert_eq!(key.open(&copy.transaction), Err(SealError::Tag));
    }
}

#[test]
fn opening_keys_are_pairs() {
    let kems = [Kem::Mlkem512, Kem::Mlkem768, Kem::Mlkem1024];
    let key = OpeningKey::generate(&kems).unwrap();
    let other = OpeningKey::generate(&kems).unwrap();
    let taken = |secrets| OpeningKey::from_parts(key.recipient().clone(), secrets);
    let again = taken(key.secrets().to_vec()).unwrap();
    assert_eq!(again.secrets(), key.secrets());
    for (index, name) in ["mlkem512", "mlkem768", "mlkem1024"]
        .into_iter()
        .enumerate()
    {
        let mut swapped = key.secrets().to_vec();
        swapped[index] = other.secrets()[index].clone();
        assert_eq!(taken(swapped).unwrap_err(), SealError::Pair(name));
    }
    let surplus = [key.secrets(), &other.secrets()[..1]].concat();
    assert_eq!(taken(surplus).unwrap_err(), SealError::Surplus);
    let missing = key.secrets()[..2].to_vec();
    assert_eq!(taken(missing).unwrap_err(), SealError::Length("mlkem1024"));
}

#[cfg(feature = "mceliece")]
#[test]
fn opening_keys_of_mceliece_are_pairs() {
    let keys = [(); 2].map(|()| OpeningKey::generate(&[Kem::Mceliece348864]).unwrap());
    let taken = |secrets: &OpeningKey| {
        OpeningKey::from_parts(keys[0].recipient().clone(), secrets.secrets().to_vec())
    };
    assert!(taken(&keys[0]).is_ok());
    assert_eq!(
        taken(&keys[1]).unwrap_err(),
        SealError::Pair("mceliece348864")
    );
}

#[test]
fn accounts_and_keys_that_do_not_fit() {
    assert_eq!(Account::new(Vec::new()).unwrap_err(), KeyError::Empty);
    let key = SigningKey::generate(SignatureScheme::Mldsa44);
    let other = SigningKey::generate(SignatureScheme::Mldsa44);
    assert_eq!(
        Account::new(vec![key.clone(), other.clone()]).unwrap_err(),
        KeyError::Twice("mldsa44")
    );
    let swapped = SigningKey::from_parts(
        SignatureScheme::Mldsa44,
        key.public().to_vec(),
        other.secret().to_vec().into(),
    );
    assert_eq!(swapped.unwrap_err(), KeyError::Secret("mldsa44"));
    let short = SigningKey::from_parts(SignatureScheme::Mldsa44, vec![0; 3], vec![0; 3].into());
    assert_eq!(short.unwrap_err(), KeyError::Public("mldsa44"));
    let account = Account::new(vec![key]).unwrap();
    let foreign = transaction(Address([1; 20]), Payload::Open(action()));
    assert_eq!(
        account.sign(foreign, Level::Basic).unwrap_err(),
        KeyError::Sender {
            from: Address([1; 20]),
            address: account.address()
        }
    );
    let shown = "Account([SigningKey { scheme: \"mldsa44\", .. }])";
    assert_eq!(format!("{account:?}"), shown);
}
