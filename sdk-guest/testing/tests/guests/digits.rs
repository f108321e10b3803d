//! The digit reader in Rust, against onnxruntime's answers and against the same contract in SynQ.

use std::path::Path;

use aivm_sdk::testing::{Chain, Failure};
use aivm_sdk_testing::InVm;
use synq_compiler::{FolderLoader, Options, compile};

use aivm_sdk::call::Call;
use aivm_sdk::prelude::*;

use super::{ALICE, BOB, number};

/// The contract from outside: its crate opens a model when it is compiled.
#[interface]
trait Notary {
    fn read(image: [[u8; 64]; 1]) -> U256;
    fn last_digit(who: Address) -> U256;
    fn read_count() -> U256;
    fn price() -> u64;
}

#[derive(Event)]
struct Read {
    #[indexed]
    who: Address,
    digit: U256,
}

fn no_arguments() -> Call<()> {
    Call::new(Vec::new())
}

fn pinned(scenario: fn(&mut InVm), name: &str) {
    let mut chain = super::in_vm();
    scenario(&mut chain);
    insta::assert_snapshot!(name.to_owned(), super::receipts(&chain));
}

fn file(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read(root.join(path)).unwrap()
}

pub(super) fn onnx() -> Vec<u8> {
    file("nn-backends/models/digits.onnx")
}

/// Held-out images, and the logits that onnxruntime gives for them.
pub(super) fn logits() -> Vec<([u8; 64], Vec<i64>)> {
    let reference = file("nn-backends/models/digits-reference.json");
    let reference: serde_json::Value = serde_json::from_slice(&reference).unwrap();
    let rows = reference["logits"].as_array().unwrap();
    let records = file("nn-backends/models/digits-test.bin");
    let images = records.chunks_exact(65).zip(rows).map(|(record, row)| {
        let logits: Vec<i64> = row
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l.as_i64().unwrap())
            .collect();
        (record[..64].try_into().unwrap(), logits)
    });
    images.collect()
}

/// The first of the greatest.
pub(super) fn digit(logits: &[i64]) -> u64 {
    let best = logits.iter().max().unwrap();
    logits.iter().position(|logit| logit == best).unwrap() as u64
}

/// The images, and the digits that onnxruntime reads in them.
fn images() -> Vec<([u8; 64], u64)> {
    let images = logits().into_iter();
    images
        .map(|(image, logits)| (image, digit(&logits)))
        .collect()
}

fn reads<C: Chain>(chain: &mut C) {
    chain.register_model(&onnx());
    let notary = chain.deploy("digits", ALICE, &no_arguments()).unwrap();
    let images = images();
    for (i, (image, digit)) in images.iter().take(12).enumerate() {
        let read = chain.call(BOB, notary, &NotaryCall::read([*image]));
        assert_eq!(read, Ok(number(*digit)), "image {i}");
        let told = Read {
            who: BOB,
            digit: number(*digit),
        };
        assert!(matches!(chain.events(), [event] if event.is(notary, &told)));
        assert_eq!(
            chain.query(notary, &NotaryCall::last_digit(BOB)),
            Ok(number(*digit))
        );
    }
    assert_eq!(
        chain.query(notary, &NotaryCall::read_count()),
        Ok(number(12))
    );
    assert_eq!(
        chain.query(notary, &NotaryCall::last_digit(ALICE)),
        Ok(number(0))
    );
    assert!(chain.query(notary, &NotaryCall::price()).unwrap() > 0);
}

#[test]
fn digits_reads() {
    pinned(reads, "reads");
}

fn refuses_images<C: Chain>(chain: &mut C) {
    let notary = chain.deploy("digits", ALICE, &no_arguments()).unwrap();
    let (image, _) = images()[0];
    let call = NotaryCall::read([image]);
    let missing = chain.call(BOB, notary, &call).unwrap_err();
    assert_eq!(
        missing.message().as_deref(),
        Some("the model is not on this chain")
    );
    let missing = chain.query(notary, &NotaryCall::price()).unwrap_err();
    assert_eq!(
        missing.message().as_deref(),
        Some("the model is not on this chain")
    );
    chain.register_model(&onnx());
    let empty = Err(Failure::Reverted(Vec::new()));
    let short = &call.input[..call.input.len() - 1];
    assert_eq!(chain.call_raw(BOB, notary, number(0), short), empty);
    let mut bright = call.input.clone();
    bright[4 + 30] = 1;
    assert_eq!(
        chain.call_raw(BOB, notary, number(0), &bright),
        empty,
        "a pixel of 9 bits"
    );
    assert!(chain.call(BOB, notary, &call).is_ok());
}

#[test]
fn digits_refuses() {
    pinned(refuses_images, "refuses_images");
}

/// The same calls give the same results, events and state as the contract in SynQ.
#[test]
fn rust_and_synq_agree() {
    let folder = FolderLoader::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vm/examples"));
    let synq = compile("digits.synq", &folder, &Options::new()).unwrap();
    let synq = synq.contracts[0].wasm.clone();
    let mut chain = super::in_vm().with_contract("synq", synq);
    chain.register_model(&onnx());
    let rust = chain.deploy("digits", ALICE, &no_arguments()).unwrap();
    let synq = chain.deploy("synq", ALICE, &no_arguments()).unwrap();
    let data = |chain: &InVm| -> Vec<_> {
        let events = chain.events().iter();
        events
            .map(|event| (event.topics.clone(), event.data.clone()))
            .collect()
    };
    for (image, _) in images().iter().skip(20).take(5) {
        let call = NotaryCall::read([*image]);
        let by_rust = chain.call_raw(BOB, rust, number(0), &call.input);
        let told_by_rust = data(&chain);
        assert_eq!(by_rust, chain.call_raw(BOB, synq, number(0), &call.input));
        assert_eq!(told_by_rust, data(&chain));
    }
    // The same entries under the same keys.
    let mut slot = [0; 32];
    slot[31] = 1;
    assert_eq!(chain.storage(rust, &slot), chain.storage(synq, &slot));
    assert_eq!(
        chain.storage(rust, &slot),
        Some(number(5).to_be_bytes().to_vec())
    );
    let mut key = [0; 64];
    for (place, byte) in key.iter_mut().zip(BOB.0.iter().rev()) {
        *place = *byte;
    }
    let entry = *blake3::hash(&key).as_bytes();
    assert!(chain.storage(rust, &entry).is_some());
    assert_eq!(chain.storage(rust, &entry), chain.storage(synq, &entry));
}
