//! Verification of ML-DSA by PQClean's portable code.
//!
//! The vector code for AVX2 decides otherwise: it takes signatures whose response is longer than FIPS 204 allows (the
//! check of algorithm 8, line 13 is not there), and refuses some that hold (a hint where the low part is zero).
//! Wycheproof has vectors of both kinds. With the crate's own functions the answer would depend on
//! the processor, and on whether anything else in the build switches the vector code on.
#![allow(unsafe_code)]

use aivm_abi::host::crypto::SignatureScheme;
use pqcrypto_mldsa::ffi;

/// Verifies a detached signature made for a context; `None` for schemes of another family.
pub(crate) fn verify(
    scheme: SignatureScheme,
    key: &[u8],
    message: &[u8],
    context: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let (function, key_size, signature_size): (VerifyFn, usize, usize) = match scheme {
        SignatureScheme::Mldsa44 => (
            ffi::PQCLEAN_MLDSA44_CLEAN_crypto_sign_verify_ctx,
            ffi::PQCLEAN_MLDSA44_CLEAN_CRYPTO_PUBLICKEYBYTES,
            ffi::PQCLEAN_MLDSA44_CLEAN_CRYPTO_BYTES,
        ),
        SignatureScheme::Mldsa65 => (
            ffi::PQCLEAN_MLDSA65_CLEAN_crypto_sign_verify_ctx,
            ffi::PQCLEAN_MLDSA65_CLEAN_CRYPTO_PUBLICKEYBYTES,
            ffi::PQCLEAN_MLDSA65_CLEAN_CRYPTO_BYTES,
        ),
        SignatureScheme::Mldsa87 => (
            ffi::PQCLEAN_MLDSA87_CLEAN_crypto_sign_verify_ctx,
            ffi::PQCLEAN_MLDSA87_CLEAN_CRYPTO_PUBLICKEYBYTES,
            ffi::PQCLEAN_MLDSA87_CLEAN_CRYPTO_BYTES,
        ),
        _ => return None,
    };
    if key.len() != key_size || signature.len() != signature_size || context.len() > 255 {
        return Some(false);
    }
    // SAFETY: the function reads `len` bytes behind each pointer given with a length, and as many of
    // the key as its parameter set has, which was just checked. It keeps nothing and writes nothing.
    let code = unsafe {
        function(
            signature.as_ptr(),
            signature.len(),
            message.as_ptr(),
            message.len(),
            context.as_ptr(),
            context.len(),
            key.as_ptr(),
        )
    };
    Some(code == 0)
}

type VerifyFn = unsafe extern "C" fn(
    *const u8,
    usize,
    *const u8,
    usize,
    *const u8,
    usize,
    *const u8,
) -> std::ffi::c_int;
