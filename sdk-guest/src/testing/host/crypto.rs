//! Hashes, and the test's own answers to signatures and encapsulated secrets.

use sha2::Digest;

pub use crate::bindings::synergy::aivm::crypto::{Kem, SignatureScheme, Signed};
use crate::testing::world::with;
use crate::{Address, U256, Word};

fn word(hash: [u8; 32]) -> Word {
    U256::from_be_bytes(hash).into()
}

/// Keccak-256.
pub fn keccak256(data: &[u8]) -> Word {
    word(crate::keccak256(data))
}

/// SHA-256.
pub fn sha256(data: &[u8]) -> Word {
    word(sha2::Sha256::digest(data).into())
}

/// SHA3-256.
pub fn sha3_256(data: &[u8]) -> Word {
    word(sha3::Sha3_256::digest(data).into())
}

/// BLAKE3.
pub fn blake3(data: &[u8]) -> Word {
    word(*blake3::hash(data).as_bytes())
}

/// What the verifier given to [`Native`](crate::testing::Native) says.
pub fn verify(scheme: SignatureScheme, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match with(|world| world.verifier.clone()) {
        Some(verifier) => verifier(scheme, key, message, signature),
        None => {
            panic!("no verifier: give one to `Native::with_verifier`, or run the test in the VM")
        }
    }
}

/// Whether the verifier says yes to each; it is asked for all.
pub fn verify_all(signatures: &[Signed]) -> bool {
    let wrong = signatures.iter().filter(|signed| {
        !verify(
            signed.scheme,
            &signed.key,
            &signed.message,
            &signed.signature,
        )
    });
    wrong.count() == 0
}

/// Address of the account that signs with this key: the first 20 bytes of BLAKE3, under a name of its
/// own, over the scheme's name and the key, each behind its length.
pub fn address_of(scheme: SignatureScheme, key: &[u8]) -> Word {
    let scheme = match scheme {
        SignatureScheme::Mldsa44 => "mldsa44",
        SignatureScheme::Mldsa65 => "mldsa65",
        SignatureScheme::Mldsa87 => "mldsa87",
        SignatureScheme::Fndsa512 => "fndsa512",
        SignatureScheme::Fndsa1024 => "fndsa1024",
        SignatureScheme::Slhdsa128s => "slhdsa128s",
        SignatureScheme::Slhdsa192s => "slhdsa192s",
        SignatureScheme::Slhdsa256s => "slhdsa256s",
    };
    let mut hasher = blake3::Hasher::new_derive_key("AIVM account address v1");
    for part in [scheme.as_bytes(), key] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut address = [0; 20];
    hasher.finalize_xof().fill(&mut address);
    Address(address).into()
}

/// What the decapsulator given to [`Native`](crate::testing::Native) says.
pub fn decapsulate(kem: Kem, secret_key: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
    match with(|world| world.decapsulator.clone()) {
        Some(decapsulator) => decapsulator(kem, secret_key, ciphertext),
        None => panic!(
            "no decapsulator: give one to `Native::with_decapsulator`, or run the test in the VM"
        ),
    }
}
