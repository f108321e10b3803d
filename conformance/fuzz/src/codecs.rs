//! What crosses borders in canonical bytes, and in text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aivm_abi::calldata::{
    decode_call, decode_event, decode_output, decode_revert, format_value, parse_abi,
    parse_arguments, parse_call,
};
use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_abi::receipt::Receipt;
use aivm_abi::transaction::{Envelope, Expectation, Payload};
use aivm_abi::{Address, Bisect, Digest, TranscriptFile, TrapCode, Word, bisect};
use aivm_crypto::envelope::verify;
use aivm_crypto::seal::{OpeningKey, Recipient};
use zeroize::Zeroizing;

use crate::bytes::{Bytes, text};

/// Any text is an address, a number, a digest and a trap, or refused.
pub fn address(data: &[u8]) {
    let text = text(data);
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse(), Ok(address));
        assert_eq!(Address::from_word(address.to_word()), Some(address));
    }
    let (prefix, rest) = text.split_once('1').unwrap_or_default();
    if let Ok(address) = Address::from_bech32m(text, prefix) {
        assert!(!rest.is_empty());
        let again = address.to_bech32m(prefix).unwrap();
        assert_eq!(again, text.to_lowercase());
    }
    if let Ok(word) = text.parse::<Word>() {
        assert_eq!(word.to_string().parse(), Ok(word));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }
    if let Ok(code) = text.parse::<TrapCode>() {
        assert_eq!(code.to_string().parse(), Ok(code));
    }
}

/// An ABI on the first line, text on the second, then data: what is read can be shown, the rest is refused.
pub fn calldata(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (abi, line, data) = (text(bytes.until(b'\n')), text(bytes.until(b'\n')), bytes.0);
    let Ok(abi) = parse_abi(abi) else { return };
    let _ = parse_call(&abi, line);
    for function in abi.functions() {
        let texts = vec![line; function.inputs.len()];
        if let Ok(values) = parse_arguments("f", &function.inputs, &texts) {
            values.iter().for_each(|value| drop(format_value(value)));
        }
        if let Ok(values) = decode_output(function, data) {
            values.iter().for_each(|value| drop(format_value(value)));
        }
    }
    if let Ok((_, values)) = decode_call(&abi, data) {
        values.iter().for_each(|value| drop(format_value(value)));
    }
    let _ = decode_revert(Some(&abi), data).to_string();
    let _ = decode_revert(None, data);
    let (words, _) = data.as_chunks::<32>();
    for topics in 0..words.len().min(5) {
        let (topics, rest) = data.split_at(topics * 32);
        let (topics, _) = topics.as_chunks::<32>();
        let topics: Vec<Word> = topics.iter().map(|t| Word::from_be_bytes(*t)).collect();
        let _ = decode_event(&abi, &topics, rest);
    }
}

/// A key of NIST's vectors, the same in every run.
static KEY: LazyLock<OpeningKey> = LazyLock::new(|| {
    let lines = include_str!("../../../vm/crypto/tests/vectors/mlkem.jsonl");
    let line = lines
        .lines()
        .find(|line| line.contains("\"mlkem768\""))
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let secret = hex::decode(line["secret_key"].as_str().unwrap()).unwrap();
    // A secret key of FIPS 203 has the public one inside.
    let public = secret[1152..1152 + 1184].to_vec();
    let recipient = Recipient::new(vec![(Kem::Mlkem768, public)]).unwrap();
    OpeningKey::from_parts(recipient, vec![Zeroizing::new(secret)]).unwrap()
});

/// Any bytes are an envelope in canonical form, or refused; what is one can be checked, verified and opened.
pub fn envelope(data: &[u8]) {
    let Ok(envelope) = Envelope::from_canonical_bytes(data) else {
        return;
    };
    assert_eq!(envelope.to_canonical_bytes(), data);
    assert!(data.starts_with(&envelope.signing_bytes()));
    let sent = &envelope.transaction;
    let schemes: BTreeSet<SignatureScheme> = (0..).map_while(SignatureScheme::from_index).collect();
    let _ = verify(
        &envelope,
        &Expectation {
            chain_id: sent.chain_id,
            network: &sent.network,
            height: 0,
            next_nonce: sent.nonce,
            schemes: &schemes,
        },
    );
    let mut sent = sent.clone();
    if let Payload::Sealed(sealed) = &mut sent.payload {
        sealed.recipient = KEY.recipient().digest();
        let _ = KEY.open(&sent);
    }
}

/// Any bytes are a receipt in canonical form, or refused.
pub fn receipt(data: &[u8]) {
    if let Ok(receipt) = Receipt::from_canonical_bytes(data) {
        assert_eq!(receipt.to_canonical_bytes(), data);
        let json = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), receipt);
    }
    if let Ok(receipt) = serde_json::from_slice::<Receipt>(data) {
        let bytes = receipt.to_canonical_bytes();
        assert_eq!(Receipt::from_canonical_bytes(&bytes), Ok(receipt));
    }
}

/// Any two files, the length of the first in two bytes, are compared.
pub fn transcript(data: &[u8]) {
    let mut bytes = Bytes(data);
    let first = usize::from(bytes.u16());
    let first = bytes.take(first);
    let (Ok(a), Ok(b)) = (TranscriptFile::parse(first), TranscriptFile::parse(bytes.0)) else {
        return;
    };
    let _ = (a.verify(), b.verify());
    let found = bisect(&a, &b);
    if first == bytes.0 {
        assert!(matches!(found, Bisect::Equal | Bisect::BeyondKept { .. }));
    }
}
