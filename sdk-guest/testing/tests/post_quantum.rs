//! A native chain with the VM's cryptography, beside published answers and the VM.

#[path = "../../../vm/crypto/tests/common/kat.rs"]
mod kat;

use aivm_sdk::crypto::{self, Kem, SignatureScheme};
use aivm_sdk::testing::{Chain, Failure, Native};
use aivm_sdk::{Address, Contract, Reply, U256};
use aivm_sdk_testing::{InVm, with_post_quantum};
use serde_json::Value;
use synq_compiler::{MemoryLoader, Options, compile};

const ALICE: Address = Address([0xa1; 20]);

/// Opens a secret, or checks a signature. Input: what to do, and three byte strings behind lengths of
/// four bytes.
struct Opener;

impl Contract for Opener {
    fn construct(_: &[u8]) -> Reply {
        Ok(Vec::new())
    }

    fn call(input: &[u8]) -> Reply {
        let (what, mut rest) = input.split_first().ok_or(Vec::new())?;
        let mut parts = [&[][..]; 3];
        for part in &mut parts {
            let (length, more) = rest.split_first_chunk::<4>().ok_or(Vec::new())?;
            let length = u32::from_be_bytes(*length) as usize;
            (*part, rest) = more.split_at_checked(length).ok_or(Vec::new())?;
        }
        let [a, b, c] = parts;
        let kem = match what {
            0 => Kem::Mlkem512,
            1 => Kem::Mlkem768,
            2 => Kem::Mlkem1024,
            _ => {
                let right = crypto::verify(SignatureScheme::Fndsa512, a, b, c);
                return Ok(vec![right.into()]);
            }
        };
        crypto::decapsulate(kem, a, b).ok_or_else(|| b"wrong length".to_vec())
    }

    fn abi() -> String {
        "[]".to_owned()
    }
}

fn input(what: u8, parts: [&[u8]; 3]) -> Vec<u8> {
    let mut input = vec![what];
    for part in parts {
        input.extend((part.len() as u32).to_be_bytes());
        input.extend(part);
    }
    input
}

fn opener(chain: Native) -> (Native, Address) {
    let mut chain = chain.with_contract::<Opener>("opener");
    let at = chain.deploy_raw("opener", ALICE, U256::ZERO, &[]).unwrap();
    (chain, at)
}

/// NIST's answers for ML-KEM, with the number of the set.
fn answers() -> Vec<(u8, [Vec<u8>; 3])> {
    let lines = include_str!("../../../vm/crypto/tests/vectors/mlkem.jsonl").lines();
    let answers = lines.map(|line| {
        let case: Value = serde_json::from_str(line).unwrap();
        let set = ["mlkem512", "mlkem768", "mlkem1024"];
        let set = set.iter().position(|name| case["kem"] == *name).unwrap();
        let bytes = |field: &str| hex::decode(case[field].as_str().unwrap()).unwrap();
        (set as u8, ["secret_key", "ciphertext", "shared"].map(bytes))
    });
    answers.collect()
}

#[test]
fn secrets_are_those_of_nist() {
    let (mut chain, opener) = opener(with_post_quantum(Native::new()));
    let answers = answers();
    assert_eq!(answers.len(), 24);
    for (set, [key, ciphertext, shared]) in &answers {
        let mut open = |set, key: &[u8], ciphertext: &[u8]| {
            let input = input(set, [key, ciphertext, &[]]);
            chain.call_raw(ALICE, opener, U256::ZERO, &input)
        };
        assert_eq!(open(*set, key, ciphertext), Ok(shared.clone()));
        // A damaged ciphertext opens to something else, as FIPS 203 has it.
        let mut damaged = ciphertext.clone();
        damaged[7] ^= 1;
        let other = open(*set, key, &damaged).unwrap();
        assert!(other.len() == 32 && other != *shared);
        let wrong = Err(Failure::Reverted(b"wrong length".to_vec()));
        assert_eq!(open(*set, &key[1..], ciphertext), wrong);
        assert_eq!(open(*set, key, &[]), wrong);
        assert_eq!(open(*set, key, &[&ciphertext[..], &[0]].concat()), wrong);
        assert_eq!(open((set + 1) % 3, key, ciphertext), wrong);
    }
}

#[test]
fn signatures_are_checked() {
    let (mut chain, opener) = opener(with_post_quantum(Native::new()));
    let file = include_str!("../../../vm/crypto/tests/vectors/nist/fndsa512.kat");
    let (key, message) = (kat::field(file, "pk"), kat::field(file, "msg"));
    let signature = kat::signature(file, true);
    let mut check = |key: &[u8], message: &[u8], signature: &[u8]| {
        let input = input(9, [key, message, signature]);
        chain.call_raw(ALICE, opener, U256::ZERO, &input).unwrap() == [1]
    };
    assert!(check(&key, &message, &signature));
    assert!(!check(&key, &message[1..], &signature));
    assert!(!check(&key[1..], &message, &signature));
    assert!(!check(&key, &message, &[]));
}

/// The same answers as a contract in the VM gives.
#[test]
fn the_vm_says_the_same() {
    let source = "pragma synq ^1.0.0;
contract Opener {
    function open(key: Bytes, sealed: MLKEMCiphertext<768>) public view -> Bytes {
        return mlkemDecapsulate(sealed, key);
    }
}
";
    let sources = MemoryLoader::new().with_source("opener.synq", source);
    let output = compile("opener.synq", &sources, &Options::new()).unwrap();
    let contract = &output.contracts[0];
    let selector = contract.abi.function("open").unwrap()[0].selector().0;
    let mut vm = InVm::new()
        .unwrap()
        .with_contract("opener", contract.wasm.clone());
    let in_vm = vm.deploy_raw("opener", ALICE, U256::ZERO, &[]).unwrap();
    let (mut native, natively) = opener(with_post_quantum(Native::new()));
    let answers = answers();
    let of_768 = answers.iter().filter(|(set, _)| *set == 1);
    for (_, [key, ciphertext, _]) in of_768 {
        for damage in [0, 1] {
            let mut ciphertext = ciphertext.clone();
            ciphertext[9] ^= damage;
            let arguments = aivm_sdk::abi::encode(&(
                aivm_sdk::Bytes::from(key.clone()),
                aivm_sdk::Bytes::from(ciphertext.clone()),
            ));
            let call = [&selector[..], &arguments].concat();
            let returned = vm.query_raw(ALICE, in_vm, &call).unwrap();
            let secret: aivm_sdk::Bytes = aivm_sdk::abi::decode(&returned).unwrap();
            let input = input(1, [key, &ciphertext, &[]]);
            let opened = native.query_raw(ALICE, natively, &input).unwrap();
            assert_eq!(*secret, *opened);
        }
    }
}

#[test]
fn a_test_may_answer_itself_and_must_answer() {
    let ask = |chain: &mut Native, at, what| {
        let input = input(what, [b"key", b"sealed", &[]]);
        chain.call_raw(ALICE, at, U256::ZERO, &input)
    };
    let (mut silent, at) = opener(Native::new());
    for (what, missing) in [(1, "no decapsulator: "), (9, "no verifier: ")] {
        let message = ask(&mut silent, at, what).unwrap_err().message().unwrap();
        assert!(message.starts_with(missing), "{message}");
    }
    let (mut own, at) = opener(Native::new().with_decapsulator(|kem, key, ciphertext| {
        assert_ne!(kem, Kem::Mlkem1024, "not this one");
        (kem == Kem::Mlkem768).then(|| [key, ciphertext].concat())
    }));
    assert_eq!(ask(&mut own, at, 1), Ok(b"keysealed".to_vec()));
    assert_eq!(
        ask(&mut own, at, 0),
        Err(Failure::Reverted(b"wrong length".to_vec()))
    );
    // One that panics is there for the next call.
    let message = ask(&mut own, at, 2).unwrap_err().message().unwrap();
    assert!(message.contains("not this one"), "{message}");
    assert_eq!(ask(&mut own, at, 1), Ok(b"keysealed".to_vec()));
}
