//! Any bytes are an envelope in canonical form, or refused.
#![no_main]

use aivm_abi::transaction::Envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::from_canonical_bytes(bytes) {
        assert_eq!(envelope.to_canonical_bytes(), bytes);
        assert!(bytes.starts_with(&envelope.signing_bytes()));
    }
});
