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

fn sealed_with(kems: &[Kem], level: Level) -> (OpeningKey, Sealed) {
    let key = OpeningKey::generate(kems).unwrap();
    let sealed = key.recipient().seal(&action(), level).unwrap();
    (key, sealed)
}

fn signed(sealed: &Sealed, level: Level) -> Envelope {
    let account = Account::generate(level);
    let call = transaction(account.address(), Payload::Sealed(sealed.clone()));
    account.sign(call, level).unwrap()
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
        let (key, sealed) = sealed_with(&[Kem::Mlkem768], level);
        assert_eq!(sealed.cipher, cipher);
        let envelope = signed(&sealed, level);
        assert_eq!(envelope.signers.len(), signatures);
        assert_eq!(verify(&envelope, &expectation(&schemes())), Ok(()));
        assert_eq!(key.open(&sealed), Ok(action()));
    }
}

#[cfg(feature = "mceliece")]
#[test]
fn military_takes_all_five_families() {
    let (key, sealed) = sealed_with(&[Kem::Mlkem1024, Kem::Mceliece348864], Level::Military);
    let envelope = signed(&sealed, Level::Military);
    assert_eq!(verify(&envelope, &expectation(&schemes())), Ok(()));
    assert_eq!(key.open(&sealed), Ok(action()));
    // Without the second secret the first does not open it.
    let mut half = sealed;
    half.encapsulations.pop();
    assert_eq!(key.open(&half), Err(SealError::Order));
}

#[cfg(not(feature = "mceliece"))]
#[test]
fn military_without_mceliece_is_an_error_of_the_build() {
    let refused = OpeningKey::generate(&[Kem::Mlkem1024, Kem::Mceliece348864]).unwrap_err();
    assert!(matches!(refused, SealError::Missing(_)), "{refused}");
    let key = OpeningKey::generate(&[Kem::Mlkem1024]).unwrap();
    assert_eq!(
        key.recipient().seal(&action(), Level::Military),
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
    let (key, sealed) = sealed_with(&[Kem::Mlkem768], Level::Enhanced);
    let other = OpeningKey::generate(&[Kem::Mlkem768]).unwrap();
    assert_eq!(
        other.open(&sealed),
        Err(SealError::Recipient {
            sealed_to: key.recipient().digest(),
            this: other.recipient().digest()
        })
    );
    let mut posing = sealed.clone();
    posing.recipient = other.recipient().digest();
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
        change(&mut changed);
        assert_eq!(key.open(&changed), Err(SealError::Tag), "change {index}");
    }
    let mut short = sealed;
    short.encapsulations[0].1.pop();
    assert_eq!(key.open(&short), Err(SealError::Length("mlkem768")));
    let basic = key.recipient().seal(&action(), Level::Basic);
    assert_eq!(basic, Err(SealError::Level));
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
