//! Real keys and signatures.

use pqcrypto_falcon::{falcon512, falcon1024};
use pqcrypto_mldsa::mldsa65;
use pqcrypto_traits::sign::{DetachedSignature, PublicKey};

/// An ML-DSA-65 key pair.
pub struct MlDsa {
    pub public: Vec<u8>,
    secret: mldsa65::SecretKey,
}

impl MlDsa {
    pub fn new() -> Self {
        let (public, secret) = mldsa65::keypair();
        Self {
            public: public.as_bytes().to_vec(),
            secret,
        }
    }
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        mldsa65::detached_sign(message, &self.secret)
            .as_bytes()
            .to_vec()
    }
}

/// An FN-DSA-512 key pair.
pub struct FnDsa {
    pub public: Vec<u8>,
    secret: falcon512::SecretKey,
}

impl FnDsa {
    pub fn new() -> Self {
        let (public, secret) = falcon512::keypair();
        Self {
            public: public.as_bytes().to_vec(),
            secret,
        }
    }
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        falcon512::detached_sign(message, &self.secret)
            .as_bytes()
            .to_vec()
    }
}

/// An FN-DSA-1024 key pair.
pub struct FnDsa1024 {
    pub public: Vec<u8>,
    secret: falcon1024::SecretKey,
}

impl FnDsa1024 {
    pub fn new() -> Self {
        let (public, secret) = falcon1024::keypair();
        Self {
            public: public.as_bytes().to_vec(),
            secret,
        }
    }
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        falcon1024::detached_sign(message, &self.secret)
            .as_bytes()
            .to_vec()
    }
}
