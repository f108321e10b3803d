//! Keys of an account, and signing with them.

use std::fmt;

use aivm_abi::Address;
use aivm_abi::host::crypto::SignatureScheme;
use aivm_abi::transaction::{Envelope, Level, Signer, Transaction};
use pqcrypto_traits::sign::{DetachedSignature as _, PublicKey as _, SecretKey as _};
use zeroize::Zeroizing;

use crate::pqc::{verify, with_scheme};

/// A pair of keys of one scheme. The secret half is wiped from memory when dropped.
#[derive(Clone)]
pub struct SigningKey {
    scheme: SignatureScheme,
    public: Vec<u8>,
    secret: Zeroizing<Vec<u8>>,
}

/// Why keys or an envelope cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A public key has the wrong length.
    #[error("the public key is not one of {0}")]
    Public(&'static str),
    /// A secret key has the wrong length, or is not the public key's.
    #[error("the secret key is not that of the public key ({0})")]
    Secret(&'static str),
    /// An account needs a key.
    #[error("an account needs at least one key")]
    Empty,
    /// Two keys of one scheme.
    #[error("an account has one key of each scheme at most, here are two of {0}")]
    Twice(&'static str),
    /// The transaction names another sender.
    #[error("the transaction is from {from}, these keys are {address}")]
    Sender {
        /// Sender of the transaction.
        from: Address,
        /// Address of the account.
        address: Address,
    },
}

impl SigningKey {
    /// Makes a pair of keys from the operating system's random numbers.
    pub fn generate(scheme: SignatureScheme) -> Self {
        with_scheme!(scheme, m => {
            let (public, secret) = m::keypair();
            Self {
                scheme,
                public: public.as_bytes().to_vec(),
                secret: Zeroizing::new(secret.as_bytes().to_vec()),
            }
        })
    }

    /// Takes a pair of keys and proves by a signature that they belong together.
    ///
    /// # Errors
    ///
    /// When a length is wrong or the halves do not match.
    pub fn from_parts(
        scheme: SignatureScheme,
        public: Vec<u8>,
        secret: Zeroizing<Vec<u8>>,
    ) -> Result<Self, KeyError> {
        with_scheme!(scheme, m => {
            m::PublicKey::from_bytes(&public).map_err(|_| KeyError::Public(scheme.name()))?;
            m::SecretKey::from_bytes(&secret).map_err(|_| KeyError::Secret(scheme.name()))?;
        });
        let key = Self {
            scheme,
            public,
            secret,
        };
        let probe = b"AIVM key check v1";
        if !verify(scheme, &key.public, probe, &key.sign(probe)) {
            return Err(KeyError::Secret(scheme.name()));
        }
        Ok(key)
    }

    /// The scheme.
    pub fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    /// The public key.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The secret key, as PQClean lays it out.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Signs a message. Signatures are randomised where the scheme has it so: two of the same
    /// message may differ.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        with_scheme!(self.scheme, m => match m::SecretKey::from_bytes(&self.secret) {
            Ok(secret) => m::detached_sign(message, &secret).as_bytes().to_vec(),
            // The length was checked when the key was made; no signature verifies as empty.
            Err(_) => Vec::new(),
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("scheme", &self.scheme.name())
            .finish_non_exhaustive()
    }
}

/// The keys of one account, ascending by scheme.
#[derive(Clone, Debug)]
pub struct Account(Vec<SigningKey>);

impl Account {
    /// An account of these keys, in any order.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`] and [`KeyError::Twice`].
    pub fn new(mut keys: Vec<SigningKey>) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError::Empty);
        }
        keys.sort_by_key(|key| key.scheme);
        for pair in keys.windows(2) {
            if let [a, b] = pair
                && a.scheme == b.scheme
            {
                return Err(KeyError::Twice(a.scheme.name()));
            }
        }
        Ok(Self(keys))
    }

    /// An account with new keys for a level: ML-DSA-65, and from `Maximum` on FN-DSA-512 and
    /// SLH-DSA-128s as well.
    pub fn generate(level: Level) -> Self {
        let schemes: &[_] = if level >= Level::Maximum {
            &[
                SignatureScheme::Mldsa65,
                SignatureScheme::Fndsa512,
                SignatureScheme::Slhdsa128s,
            ]
        } else {
            &[SignatureScheme::Mldsa65]
        };
        Self(
            schemes
                .iter()
                .map(|scheme| SigningKey::generate(*scheme))
                .collect(),
        )
    }

    /// The keys, ascending by scheme.
    pub fn keys(&self) -> &[SigningKey] {
        &self.0
    }

    /// Address of the account.
    pub fn address(&self) -> Address {
        Address::from_signers(&self.signers())
    }

    fn signers(&self) -> Vec<Signer> {
        self.0
            .iter()
            .map(|key| Signer {
                scheme: key.scheme,
                key: key.public.clone(),
                signature: Vec::new(),
            })
            .collect()
    }

    /// Signs a transaction with every key of the account.
    ///
    /// Whether the keys and the payload are enough for the level is for
    /// [`Envelope::check`](aivm_abi::transaction::Envelope::check) to say.
    ///
    /// # Errors
    ///
    /// [`KeyError::Sender`] when the transaction is somebody else's.
    pub fn sign(&self, transaction: Transaction, level: Level) -> Result<Envelope, KeyError> {
        let (from, address) = (transaction.from, self.address());
        if from != address {
            return Err(KeyError::Sender { from, address });
        }
        let mut envelope = Envelope {
            transaction,
            level,
            signers: self.signers(),
        };
        let bytes = envelope.signing_bytes();
        for (signer, key) in envelope.signers.iter_mut().zip(&self.0) {
            signer.signature = key.sign(&bytes);
        }
        Ok(envelope)
    }
}
