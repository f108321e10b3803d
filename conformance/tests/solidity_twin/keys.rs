//! Post-quantum keys that the callers hold, so that signatures in random calls are real.

use pqcrypto_falcon::{falcon512, falcon1024};
use pqcrypto_mldsa::mldsa65;
use pqcrypto_mlkem::mlkem768;
use pqcrypto_traits::kem::{Ciphertext as _, PublicKey as _, SecretKey as _};
use pqcrypto_traits::sign::{DetachedSignature as _, PublicKey as _};

macro_rules! signer {
    ($name:ident, $module:ident, $what:literal) => {
        #[doc = $what]
        pub struct $name {
            pub public: Vec<u8>,
            secret: $module::SecretKey,
        }

        impl $name {
            fn new() -> Self {
                let (public, secret) = $module::keypair();
                Self {
                    public: public.as_bytes().to_vec(),
                    secret,
                }
            }

            pub fn sign(&self, message: &[u8]) -> Vec<u8> {
                $module::detached_sign(message, &self.secret)
                    .as_bytes()
                    .to_vec()
            }
        }
    };
}

signer!(MlDsa, mldsa65, "An ML-DSA-65 key pair.");
signer!(FnDsa, falcon512, "An FN-DSA-512 key pair.");
signer!(FnDsa1024, falcon1024, "An FN-DSA-1024 key pair.");

/// An ML-KEM-768 key pair, and secrets sealed to it.
pub struct MlKem {
    pub public: Vec<u8>,
    pub secret: Vec<u8>,
    pub sealed: Vec<Vec<u8>>,
}

/// All keys of a run.
pub struct Keys {
    pub mldsa: Vec<MlDsa>,
    pub fndsa: Vec<FnDsa>,
    pub guard: FnDsa1024,
    pub mlkem: Vec<MlKem>,
}

impl Keys {
    pub fn new() -> Self {
        let mlkem = || {
            let (public, secret) = mlkem768::keypair();
            let sealed = (0..6)
                .map(|_| mlkem768::encapsulate(&public).1.as_bytes().to_vec())
                .collect();
            MlKem {
                public: public.as_bytes().to_vec(),
                secret: secret.as_bytes().to_vec(),
                sealed,
            }
        };
        Self {
            mldsa: (0..5).map(|_| MlDsa::new()).collect(),
            fndsa: (0..5).map(|_| FnDsa::new()).collect(),
            guard: FnDsa1024::new(),
            mlkem: (0..3).map(|_| mlkem()).collect(),
        }
    }

    /// Public keys by the names that setups use.
    pub fn named(&self, name: &str) -> Option<&[u8]> {
        let (kind, number) = name.split_at_checked(name.len() - 1)?;
        let number: usize = number.parse().ok()?;
        match kind {
            "mldsa" => Some(&self.mldsa.get(number)?.public),
            "fndsa" => Some(&self.fndsa.get(number)?.public),
            "guard" => Some(&self.guard.public),
            "mlkem" => Some(&self.mlkem.get(number)?.public),
            _ => None,
        }
    }

    /// The signature of whoever holds the ML-DSA key; nothing when nobody does.
    pub fn sign_mldsa(&self, public: &[u8], message: &[u8]) -> Vec<u8> {
        let pair = self.mldsa.iter().find(|k| k.public == public);
        pair.map_or(Vec::new(), |k| k.sign(message))
    }
}
