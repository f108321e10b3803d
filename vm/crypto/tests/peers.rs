//! Two independent implementations sign and we verify, and the other way round.
//!
//! The `fips203` and `fips204` crates always take part. `@noble/post-quantum`, which has Falcon as well, and SPHINCS+ of
//! round 3.1 with one function exchanged, takes part where Node.js and its packages are (`npm ci` in `tests/noble`);
//! under `CI` it must be. `AIVM_CROSS_CHECKS` is the number of messages for each scheme and direction, 40 unless set;
//! `AIVM_SPHINCS_CHECKS` that of SPHINCS+, which takes seconds to sign, 1 unless set.
#![cfg(feature = "keys")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_crypto::keys::SigningKey;
use aivm_crypto::pqc::{decapsulate, verify, verify_in_context};
use aivm_crypto::seal::OpeningKey;
use serde_json::{Value, json};

fn set(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

fn rounds() -> u64 {
    set("AIVM_CROSS_CHECKS", 40)
}

/// Messages of many lengths, the same in every run.
fn message(round: u64) -> Vec<u8> {
    let mut bytes = vec![0; (round * round % 1500) as usize];
    blake3::Hasher::new_derive_key("AIVM cross-check messages")
        .update(&round.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// Every one of these must be refused: a message, key or signature with one bit turned at a place that
/// depends on the round, and a byte more or less.
fn refuses_changes(
    scheme: SignatureScheme,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
    round: u64,
) {
    let turned = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        if !bytes.is_empty() {
            let at = (round as usize * 7919) % bytes.len();
            bytes[at] ^= 1 << (round % 8);
        }
        bytes
    };
    let name = scheme.name();
    if !message.is_empty() {
        assert!(
            !verify(scheme, key, &turned(message), signature),
            "{name} {round}"
        );
    }
    assert!(
        !verify(scheme, &turned(key), message, signature),
        "{name} {round}"
    );
    assert!(
        !verify(scheme, key, message, &turned(signature)),
        "{name} {round}"
    );
    assert!(
        !verify(scheme, key, message, &signature[1..]),
        "{name} {round}"
    );
    assert!(
        !verify(scheme, key, message, &[signature, &[0]].concat()),
        "{name} {round}"
    );
    for length in signature.len()..1300 {
        // Falcon signatures have no fixed length; none may be filled up to another one.
        let mut padded = signature.to_vec();
        padded.resize(length + 1, 0);
        assert!(!verify(scheme, key, message, &padded), "{name} {round}");
    }
    assert!(
        !verify(scheme, &key[1..], message, signature),
        "{name} {round}"
    );
}

macro_rules! fips204_and_we {
    ($test:ident, $module:ident, $scheme:expr) => {
        #[test]
        fn $test() {
            use fips204::traits::{SerDes, Signer, Verifier};
            use fips204::$module as peer;
            let (public, secret) = peer::try_keygen().unwrap();
            let theirs = public.clone().into_bytes();
            let ours = SigningKey::generate($scheme);
            let our_key =
                peer::PublicKey::try_from_bytes(ours.public().try_into().unwrap()).unwrap();
            for round in 0..rounds() {
                let message = message(round);
                let signature = secret.try_sign(&message, &[]).unwrap();
                assert!(verify($scheme, &theirs, &message, &signature), "{round}");
                refuses_changes($scheme, &theirs, &message, &signature, round);
                // A signature for a context holds in that one alone.
                let context = &message[..message.len().min(round as usize % 256)];
                let signature = secret.try_sign(&message, context).unwrap();
                let holds = |context: &[u8]| {
                    verify_in_context($scheme, &theirs, &message, context, &signature)
                };
                assert!(holds(context), "{round}");
                assert!(!holds(&[context, &[0]].concat()), "{round}");
                assert_eq!(
                    verify($scheme, &theirs, &message, &signature),
                    context.is_empty()
                );
                let signature = ours.sign(&message);
                assert!(
                    our_key.verify(&message, &signature.try_into().unwrap(), &[]),
                    "{round}"
                );
            }
        }
    };
}

fips204_and_we!(fips204_mldsa44, ml_dsa_44, SignatureScheme::Mldsa44);
fips204_and_we!(fips204_mldsa65, ml_dsa_65, SignatureScheme::Mldsa65);
fips204_and_we!(fips204_mldsa87, ml_dsa_87, SignatureScheme::Mldsa87);

macro_rules! fips203_and_we {
    ($test:ident, $module:ident, $kem:expr) => {
        #[test]
        fn $test() {
            use fips203::traits::{Encaps, KeyGen, SerDes};
            use fips203::$module as peer;
            let ours = OpeningKey::generate(&[$kem]).unwrap();
            let (_, public) = &ours.recipient().keys()[0];
            let to_us = peer::EncapsKey::try_from_bytes(public[..].try_into().unwrap()).unwrap();
            let (to_them, secret) = peer::KG::try_keygen().unwrap();
            let secret = secret.into_bytes();
            for round in 0..rounds() {
                let (shared, ciphertext) = to_us.try_encaps().unwrap();
                let opened = decapsulate($kem, &ours.secrets()[0], &ciphertext.into_bytes());
                assert_eq!(opened, Ok(Some(shared.into_bytes().to_vec())), "{round}");
                // Their keys have the layout of the standard, so ours opens with them as well.
                let (shared, ciphertext) = to_them.try_encaps().unwrap();
                let opened = decapsulate($kem, &secret, &ciphertext.into_bytes());
                assert_eq!(opened, Ok(Some(shared.into_bytes().to_vec())), "{round}");
            }
        }
    };
}

fips203_and_we!(fips203_mlkem512, ml_kem_512, Kem::Mlkem512);
fips203_and_we!(fips203_mlkem768, ml_kem_768, Kem::Mlkem768);
fips203_and_we!(fips203_mlkem1024, ml_kem_1024, Kem::Mlkem1024);

/// A shared secret, encapsulated for a key.
#[cfg(feature = "mceliece")]
#[inline(never)]
fn encapsulated(public: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use pqcrypto_classicmceliece::mceliece348864::{PublicKey, encapsulate};
    use pqcrypto_traits::kem::{Ciphertext as _, PublicKey as _, SharedSecret as _};
    let (shared, ciphertext) = encapsulate(&PublicKey::from_bytes(public).unwrap());
    (shared.as_bytes().to_vec(), ciphertext.as_bytes().to_vec())
}

/// No peer has Classic McEliece, and its keys are slow to make: each opens what is sealed to it, the other does not.
#[cfg(feature = "mceliece")]
#[test]
fn mceliece_opens_its_own() {
    let kem = Kem::Mceliece348864;
    let keys = [(); 2].map(|()| OpeningKey::generate(&[kem]).unwrap());
    for round in 0..rounds() as usize {
        let (_, public) = &keys[round % 2].recipient().keys()[0];
        let (shared, ciphertext) = encapsulated(public);
        let open = |key: usize| decapsulate(kem, &keys[key % 2].secrets()[0], &ciphertext);
        assert_eq!(open(round), Ok(Some(shared)), "{round}");
        assert_ne!(open(round + 1), open(round), "{round}");
    }
}

/// The other implementation, in a child process.
struct Noble {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Noble {
    fn start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/noble");
        let present = folder.join("node_modules").is_dir()
            && Command::new("node").arg("--version").output().is_ok();
        if !present {
            assert!(
                std::env::var_os("CI").is_none(),
                "@noble/post-quantum is missing: run `npm ci` in {}",
                folder.display()
            );
            eprintln!(
                "skipped: run `npm ci` in {} to compare with @noble/post-quantum",
                folder.display()
            );
            return None;
        }
        let mut child = Command::new("node")
            .arg("peer.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, answers })
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

impl Drop for Noble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap_or_else(|| panic!("{value}"))).unwrap()
}

fn signatures_with_noble(scheme: SignatureScheme, rounds: u64) {
    let Some(mut noble) = Noble::start() else {
        return;
    };
    let name = scheme.name();
    let theirs = bytes(&noble.ask(&json!({ "op": "keygen", "name": name }))["key"]);
    let ours = SigningKey::generate(scheme);
    for round in 0..rounds {
        let message = message(round);
        let text = hex::encode(&message);
        let answer = noble.ask(&json!({ "op": "sign", "name": name, "message": text }));
        let signature = bytes(&answer["signature"]);
        assert!(
            verify(scheme, &theirs, &message, &signature),
            "{name} {round}"
        );
        refuses_changes(scheme, &theirs, &message, &signature, round);
        let answer = noble.ask(&json!({
            "op": "verify",
            "name": name,
            "message": text,
            "key": hex::encode(ours.public()),
            "signature": hex::encode(ours.sign(&message)),
        }));
        assert_eq!(answer, json!({ "valid": true }), "{name} {round}");
    }
}

#[test]
fn noble_mldsa() {
    for scheme in [
        SignatureScheme::Mldsa44,
        SignatureScheme::Mldsa65,
        SignatureScheme::Mldsa87,
    ] {
        signatures_with_noble(scheme, rounds());
    }
}

#[test]
fn noble_falcon() {
    for scheme in [SignatureScheme::Fndsa512, SignatureScheme::Fndsa1024] {
        signatures_with_noble(scheme, rounds());
    }
}

#[test]
fn noble_sphincs_128s() {
    signatures_with_noble(SignatureScheme::Slhdsa128s, set("AIVM_SPHINCS_CHECKS", 1));
}

#[test]
fn noble_sphincs_192s() {
    signatures_with_noble(SignatureScheme::Slhdsa192s, set("AIVM_SPHINCS_CHECKS", 1));
}

#[test]
fn noble_sphincs_256s() {
    signatures_with_noble(SignatureScheme::Slhdsa256s, set("AIVM_SPHINCS_CHECKS", 1));
}

#[test]
fn noble_mlkem() {
    let Some(mut noble) = Noble::start() else {
        return;
    };
    for kem in [Kem::Mlkem512, Kem::Mlkem768, Kem::Mlkem1024] {
        let name = kem.name();
        let ours = OpeningKey::generate(&[kem]).unwrap();
        let (_, public) = &ours.recipient().keys()[0];
        for round in 0..rounds() {
            let answer = noble
                .ask(&json!({ "op": "encapsulate", "name": name, "key": hex::encode(public) }));
            let mut ciphertext = bytes(&answer["ciphertext"]);
            let opened = decapsulate(kem, &ours.secrets()[0], &ciphertext)
                .unwrap()
                .unwrap();
            assert_eq!(opened, bytes(&answer["shared"]), "{name} {round}");
            // A changed ciphertext gives another secret, never an error.
            let at = round as usize * 31 % ciphertext.len();
            ciphertext[at] ^= 4;
            let other = decapsulate(kem, &ours.secrets()[0], &ciphertext)
                .unwrap()
                .unwrap();
            assert_ne!(other, opened, "{name} {round}");
        }
    }
}
