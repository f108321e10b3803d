//! Post-quantum cryptography of AIVM, over PQClean's implementations.
//!
//! | module | holds | feature |
//! |---|---|---|
//! | [`pqc`] | verification and decapsulation of hostile bytes, as contracts use them | |
//! | [`envelope`] | verification of a signed transaction | |
//! | [`keys`] | keys of an account, signing | `keys` |
//! | [`seal`] | encrypting a transaction's action to a recipient, and opening it | `keys` |
//! | [`keyfile`] | keys in a file, encrypted with a passphrase | `keys` |
//!
//! | family | standard | sets |
//! |---|---|---|
//! | ML-DSA | FIPS 204 | 44, 65, 87 |
//! | FN-DSA | Falcon as submitted in round 3; FIPS 206 is not final | 512, 1024 |
//! | SLH-DSA | SPHINCS+ as submitted in round 3.1, SHA-2, simple; *not* FIPS 205 | 128s, 192s, 256s |
//! | ML-KEM | FIPS 203 | 512, 768, 1024 |
//! | Classic McEliece | as submitted in round 4 | 348864 (feature `mceliece`) |
//!
//! Verifying and decapsulating are pure functions of their bytes. Making keys and signing draw
//! on the operating system's random numbers, which is why a contract cannot do it.

#![deny(unsafe_code)]

pub mod envelope;
#[cfg(feature = "keys")]
pub mod keyfile;
#[cfg(feature = "keys")]
pub mod keys;
mod mldsa;
pub mod pqc;
#[cfg(feature = "keys")]
pub mod seal;
