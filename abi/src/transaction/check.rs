//! What must hold before signatures are verified.

use std::collections::BTreeSet;

use super::{Cipher, Envelope, Level, Payload};
use crate::Address;
use crate::host::crypto::{Kem, SignatureScheme};

/// What a node expects of the next transaction of an account.
#[derive(Clone, Debug)]
pub struct Expectation<'a> {
    /// Numeric identifier of the chain.
    pub chain_id: u64,
    /// Name of the network.
    pub network: &'a str,
    /// Height of the block that it would run in.
    pub height: u64,
    /// The account's next nonce.
    pub next_nonce: u64,
    /// Schemes that the chain accepts; [`Expectation::default_schemes`] unless it says otherwise.
    pub schemes: &'a BTreeSet<SignatureScheme>,
}

impl Expectation<'_> {
    /// ML-DSA-65 only.
    pub fn default_schemes() -> BTreeSet<SignatureScheme> {
        BTreeSet::from([SignatureScheme::Mldsa65])
    }
}

/// Why an envelope is refused. [`code`](Self::code) gives the stable number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// For another chain.
    #[error("for chain {found}, this is {expected}")]
    Chain {
        /// This chain.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// For another network.
    #[error("for network `{found}`, this is `{expected}`")]
    Network {
        /// This network.
        expected: String,
        /// The transaction's.
        found: String,
    },
    /// Too late.
    #[error("expired at height {expires_at}, this is {height}")]
    Expired {
        /// Last height at which it could run.
        expires_at: u64,
        /// The block's height.
        height: u64,
    },
    /// Its nonce was used: a replay.
    #[error("nonce {found} was used; the next is {expected}")]
    Replay {
        /// The account's next nonce.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// An earlier transaction of the account is missing.
    #[error("nonce {found} is ahead; the next is {expected}")]
    NonceAhead {
        /// The account's next nonce.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// Nobody signed.
    #[error("no signature")]
    Unsigned,
    /// Signers are not in ascending order, or a scheme occurs twice.
    #[error("signers must be ascending by scheme, one of each")]
    SignerOrder,
    /// The chain does not accept a scheme.
    #[error("the chain does not accept {}", .0.name())]
    Scheme(SignatureScheme),
    /// The keys are not those of the sender.
    #[error("the keys belong to {found}, the sender is {sender}")]
    Sender {
        /// Sender that the transaction states.
        sender: Address,
        /// Address of the keys.
        found: Address,
    },
    /// The level asks for an algorithm family that takes no part.
    #[error("level {level:?} needs {needs}")]
    Level {
        /// The level that is claimed.
        level: Level,
        /// What is missing.
        needs: &'static str,
    },
}

impl CheckError {
    /// Stable number for tools and logs.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Chain { .. } => 1,
            Self::Network { .. } => 2,
            Self::Expired { .. } => 3,
            Self::Replay { .. } => 4,
            Self::NonceAhead { .. } => 5,
            Self::Unsigned => 6,
            Self::SignerOrder => 7,
            Self::Scheme(_) => 8,
            Self::Sender { .. } => 9,
            Self::Level { .. } => 10,
        }
    }
}

fn is_mldsa(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::Mldsa44 | SignatureScheme::Mldsa65 | SignatureScheme::Mldsa87
    )
}

fn is_fndsa(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::Fndsa512 | SignatureScheme::Fndsa1024
    )
}

fn is_slhdsa(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::Slhdsa128s | SignatureScheme::Slhdsa192s | SignatureScheme::Slhdsa256s
    )
}

impl Envelope {
    /// Checks everything but the signatures themselves: chain, network, expiry, nonce, allowed
    /// schemes, that the keys are the sender's, and that the level has what it promises.
    ///
    /// # Errors
    ///
    /// The first thing that does not hold.
    pub fn check(&self, expect: &Expectation<'_>) -> Result<(), CheckError> {
        let transaction = &self.transaction;
        if transaction.chain_id != expect.chain_id {
            return Err(CheckError::Chain {
                expected: expect.chain_id,
                found: transaction.chain_id,
            });
        }
        if transaction.network != expect.network {
            let (expected, found) = (expect.network.to_owned(), transaction.network.clone());
            return Err(CheckError::Network { expected, found });
        }
        if expect.height > transaction.expires_at {
            return Err(CheckError::Expired {
                expires_at: transaction.expires_at,
                height: expect.height,
            });
        }
        let (expected, found) = (expect.next_nonce, transaction.nonce);
        if found < expected {
            return Err(CheckError::Replay { expected, found });
        }
        if found > expected {
            return Err(CheckError::NonceAhead { expected, found });
        }
        self.check_signers(expect)?;
        self.check_level()
    }

    fn check_signers(&self, expect: &Expectation<'_>) -> Result<(), CheckError> {
        if self.signers.is_empty() {
            return Err(CheckError::Unsigned);
        }
        if !self.signers.is_sorted_by(|a, b| a.scheme < b.scheme) {
            return Err(CheckError::SignerOrder);
        }
        if let Some(signer) = self
            .signers
            .iter()
            .find(|signer| !expect.schemes.contains(&signer.scheme))
        {
            return Err(CheckError::Scheme(signer.scheme));
        }
        let (sender, found) = (self.transaction.from, Address::from_signers(&self.signers));
        if sender != found {
            return Err(CheckError::Sender { sender, found });
        }
        Ok(())
    }

    /// Checks that the schemes of the signers, and what the action is sealed with, are those that the level
    /// promises; [`check`](Self::check) does so last.
    ///
    /// # Errors
    ///
    /// [`CheckError::Level`] with the first thing that is missing.
    pub fn check_level(&self) -> Result<(), CheckError> {
        let level = self.level;
        let need = |holds: bool, needs: &'static str| {
            if holds {
                Ok(())
            } else {
                Err(CheckError::Level { level, needs })
            }
        };
        let signed_by = |family: fn(SignatureScheme) -> bool| {
            self.signers.iter().any(|signer| family(signer.scheme))
        };
        need(signed_by(is_mldsa), "an ML-DSA signature")?;
        if level >= Level::Maximum {
            need(signed_by(is_fndsa), "an FN-DSA signature")?;
            need(signed_by(is_slhdsa), "an SLH-DSA signature")?;
        }
        if level >= Level::Enhanced {
            let Payload::Sealed(sealed) = &self.transaction.payload else {
                return need(false, "a sealed payload");
            };
            let kem =
                |family: fn(Kem) -> bool| sealed.encapsulations.iter().any(|(kem, _)| family(*kem));
            let mlkem = |kem| matches!(kem, Kem::Mlkem512 | Kem::Mlkem768 | Kem::Mlkem1024);
            need(kem(mlkem), "a secret encapsulated by ML-KEM")?;
            if level == Level::Enhanced {
                need(sealed.cipher == Cipher::Aes256Gcm, "AES-256-GCM")?;
            } else {
                need(
                    sealed.cipher == Cipher::ChaCha20Poly1305,
                    "ChaCha20-Poly1305",
                )?;
            }
            if level == Level::Military {
                need(
                    kem(|kem| matches!(kem, Kem::Mceliece348864)),
                    "a secret encapsulated by Classic McEliece",
                )?;
            }
        }
        Ok(())
    }
}
