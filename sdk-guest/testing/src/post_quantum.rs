//! The VM's post-quantum cryptography for contracts that run natively.

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_crypto::pqc;
use aivm_sdk::testing::Native;

/// Gives a native chain the VM's own verification of signatures and opening of shared secrets, so that
/// tests need no answers of their own.
///
/// Classic McEliece is there if `aivm-crypto` was built with its feature `mceliece`; otherwise a
/// contract that uses it panics, where the VM stops with an error of the node.
pub fn with_post_quantum(chain: Native) -> Native {
    chain
        .with_verifier(|scheme, key, message, signature| {
            // Both enumerations are made from one WIT package.
            SignatureScheme::from_index(scheme as u32)
                .is_some_and(|scheme| pqc::verify(scheme, key, message, signature))
        })
        .with_decapsulator(|kem, secret_key, ciphertext| {
            let kem = Kem::from_index(kem as u32)?;
            match pqc::decapsulate(kem, secret_key, ciphertext) {
                Ok(secret) => secret,
                Err(missing) => panic!("{missing}"),
            }
        })
}
