//! Keys and signatures from seeds, made by implementations other than the one that verifies them.

use fips203::ml_kem_768;
use fips203::traits::{Encaps as _, KeyGen as _, SerDes as _};
use fips204::ml_dsa_65;
use fips204::traits::{KeyGen as _, SerDes as _, Signer as _};

use super::TrafficError;

fn seed(what: &str, number: u64) -> [u8; 32] {
    blake3::derive_key(
        &format!("aivm conformance traffic {what}"),
        &number.to_le_bytes(),
    )
}

/// An ML-DSA-65 key.
pub struct Governor {
    pub public: Vec<u8>,
    secret: ml_dsa_65::PrivateKey,
}

impl Governor {
    pub fn new() -> Self {
        let (public, secret) = ml_dsa_65::KG::keygen_from_seed(&seed("governor", 0));
        Self {
            public: public.into_bytes().to_vec(),
            secret,
        }
    }

    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TrafficError> {
        let signature = self.secret.try_sign_with_seed(&[0; 32], message, &[]);
        Ok(signature.map_err(TrafficError::Sign)?.to_vec())
    }
}

/// An ML-KEM-768 key, and secrets that were encapsulated to it.
pub struct Election {
    pub public: Vec<u8>,
    pub secret: Vec<u8>,
    pub sealed: Vec<Vec<u8>>,
}

impl Election {
    pub fn new(number: u64) -> Self {
        let (public, secret) =
            ml_kem_768::KG::keygen_from_seed(seed("election", number), seed("reject", number));
        let sealed = (0..16)
            .map(|n| {
                let (_, sealed) = public.encaps_from_seed(&seed("ballot", number * 16 + n));
                sealed.into_bytes().to_vec()
            })
            .collect();
        Self {
            public: public.into_bytes().to_vec(),
            secret: secret.into_bytes().to_vec(),
            sealed,
        }
    }
}
