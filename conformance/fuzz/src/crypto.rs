//! Signatures, ciphertexts and key files.

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_crypto::keyfile::KeyFile;
use aivm_crypto::pqc::{decapsulate, verify_in_context};

use crate::bytes::{Bytes, text};

/// Signatures that hold: those of the published vectors.
const GENUINE: [&[u8]; 8] = [
    include_bytes!("../seeds/signature/mldsa44"),
    include_bytes!("../seeds/signature/mldsa65"),
    include_bytes!("../seeds/signature/mldsa87"),
    include_bytes!("../seeds/signature/fndsa512"),
    include_bytes!("../seeds/signature/fndsa1024"),
    include_bytes!("../seeds/signature/slhdsa128s"),
    include_bytes!("../seeds/signature/slhdsa192s"),
    include_bytes!("../seeds/signature/slhdsa256s"),
];

/// A scheme, lengths of key, message and context, these three, and a signature: it holds if it is a published one.
pub fn signature(data: &[u8]) {
    let mut bytes = Bytes(data);
    let Some(scheme) = SignatureScheme::from_index(bytes.u8().into()) else {
        return;
    };
    let lengths = [bytes.u16(), bytes.u16(), bytes.u16()];
    let [key, message, context] = lengths.map(|length| bytes.take(length.into()));
    let holds = verify_in_context(scheme, key, message, context, bytes.0);
    assert_eq!(holds, GENUINE.contains(&data), "{}", scheme.name());
}

/// A mechanism, the length of a key, the key and a ciphertext: the same answer each time, by length.
pub fn kem(data: &[u8]) {
    let mut bytes = Bytes(data);
    let Some(kem) = Kem::from_index(bytes.u8().into()) else {
        return;
    };
    let length = bytes.u16();
    let key = bytes.take(length.into());
    let secret = decapsulate(kem, key, bytes.0).unwrap();
    assert!(secret.as_ref().is_none_or(|secret| secret.len() == 32));
    assert_eq!(decapsulate(kem, key, bytes.0).unwrap(), secret);
}

/// Any text is a key file that opens, or refused. Files that ask for much work are not tried.
pub fn key_file(data: &[u8]) {
    let text = text(data);
    let cheap = |value: &serde_json::Value| {
        let effort = &value["argon2id"];
        let at_most = |name: &str, most: u64| effort[name].as_u64().is_none_or(|n| n <= most);
        at_most("memory_kib", 64) && at_most("passes", 2)
    };
    if serde_json::from_str(text).is_ok_and(|value| cheap(&value)) {
        let _ = KeyFile::decrypt(text, "passphrase");
    }
}
