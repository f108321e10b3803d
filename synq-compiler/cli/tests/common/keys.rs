//! Real keys and signatures.

use pqcrypto_falcon::{falcon512, falcon1024};
use pqcrypto_mldsa::mldsa65;
use pqcrypto_traits::sign::{DetachedSignature, PublicKey};

/// A key pair of a scheme.
macro_rules! key_pair {
    ($(#[$doc:meta])* $name:ident, $scheme:ident) => {
        $(#[$doc])*
        pub struct $name {
            pub public: Vec<u8>,
            secret: $scheme::SecretKey,
        }

        impl $name {
            pub fn new() -> Self {
                let (public, secret) = $scheme::keypair();
                Self {
                    public: public.as_bytes().to_vec(),
                    secret,
                }
            }

            pub fn sign(&self, message: &[u8]) -> Vec<u8> {
                let signature = $scheme::detached_sign(message, &self.secret);
                signature.as_bytes().to_vec()
            }
        }
    };
}

key_pair!(
    /// An ML-DSA-65 key pair.
    MlDsa,
    mldsa65
);
key_pair!(
    /// An FN-DSA-512 key pair.
    FnDsa,
    falcon512
);
key_pair!(
    /// An FN-DSA-1024 key pair.
    FnDsa1024,
    falcon1024
);
