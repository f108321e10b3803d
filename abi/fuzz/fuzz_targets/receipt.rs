//! Any bytes are a receipt in canonical form, or refused.
#![no_main]

use aivm_abi::receipt::Receipt;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(receipt) = Receipt::from_canonical_bytes(bytes) {
        assert_eq!(receipt.to_canonical_bytes(), bytes);
    }
});
