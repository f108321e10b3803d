//! Encrypting an action so that only the holder of a key reads it, `docs/transactions.md`.

use std::fmt;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload as Message};
use aivm_abi::DecodeError;
use aivm_abi::Digest;
use aivm_abi::host::crypto::Kem;
use aivm_abi::transaction::{Action, Cipher, Level, Payload, Sealed, Transaction};
use chacha20poly1305::ChaCha20Poly1305;
use pqcrypto_traits::kem::{Ciphertext as _, PublicKey as _, SecretKey as _, SharedSecret as _};
use zeroize::Zeroizing;

use crate::pqc::{MissingKem, decapsulate, with_kem};

/// Context of the key derivation; the secrets of all mechanisms go in, so that it holds while one of them does.
const KEY_CONTEXT: &str = "AIVM sealed action key v2";

/// Public keys to which an action is sealed, ascending by mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    keys: Vec<(Kem, Vec<u8>)>,
}

/// The key pairs of a recipient. Secrets are wiped from memory when dropped.
#[derive(Clone)]
pub struct OpeningKey {
    recipient: Recipient,
    secrets: Vec<Zeroizing<Vec<u8>>>,
}

/// Why an action cannot be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The mechanism is not in this build.
    #[error(transparent)]
    Missing(#[from] MissingKem),
    /// Level Basic has no encryption.
    #[error("level Basic does not seal; use Enhanced or above")]
    Level,
    /// A key has the wrong length for its mechanism.
    #[error("a key or ciphertext of {0} has the wrong length")]
    Length(&'static str),
    /// The secret key does not open what is encapsulated to the public one.
    #[error("the secret key is not that of the public key ({0})")]
    Pair(&'static str),
    /// More secret keys than public ones.
    #[error("there are more secret keys than public ones")]
    Surplus,
    /// The transaction's action is sealed already.
    #[error("the action is sealed already")]
    AlreadySealed,
    /// The transaction's action is in the open.
    #[error("the action is not sealed")]
    NotSealed,
    /// No key, keys out of order, or two of one mechanism.
    #[error("a recipient has at least one key and one of each mechanism at most, ascending")]
    Order,
    /// The recipient lacks a mechanism that the level asks for.
    #[error("level {level:?} needs a key of {needs}")]
    Needs {
        /// The level.
        level: Level,
        /// What is missing.
        needs: &'static str,
    },
    /// Sealed to somebody else.
    #[error("sealed to the key {sealed_to}, this one is {this}")]
    Recipient {
        /// Key that it was sealed to.
        sealed_to: Digest,
        /// This key.
        this: Digest,
    },
    /// The tag does not match: changed on its way, sealed for another transaction, or the wrong key.
    #[error(
        "the sealed action does not open: it was changed, is another transaction's, or the key is another"
    )]
    Tag,
    /// What was sealed is not an action.
    #[error("the sealed bytes are not an action: {0}")]
    Action(DecodeError),
    /// A deployment says that it is a call, or the other way round.
    #[error("the sealed action is not of the kind that the transaction states")]
    Kind,
    /// The operating system gave no random numbers.
    #[error("no random numbers from the operating system")]
    Random,
}

impl Recipient {
    /// A recipient with these public keys, ascending by mechanism.
    ///
    /// # Errors
    ///
    /// [`SealError::Order`], [`SealError::Length`] and [`SealError::Missing`].
    pub fn new(keys: Vec<(Kem, Vec<u8>)>) -> Result<Self, SealError> {
        if keys.is_empty() || !keys.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(SealError::Order);
        }
        for (kem, key) in &keys {
            with_kem!(*kem, m => m::PublicKey::from_bytes(key).map(drop))
                .map_err(|_| SealError::Length(kem.name()))?;
        }
        Ok(Self { keys })
    }

    /// The keys, ascending by mechanism.
    pub fn keys(&self) -> &[(Kem, Vec<u8>)] {
        &self.keys
    }

    /// BLAKE3 of the keys, each with its mechanism and length.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for (kem, key) in &self.keys {
            bytes.push(*kem as u8);
            bytes.extend_from_slice(&(key.len() as u64).to_le_bytes());
            bytes.extend_from_slice(key);
        }
        Digest::of("AIVM recipient v1", &bytes)
    }

    /// Encrypts the action of a transaction as the level asks: `Enhanced` with AES-256-GCM, above it with
    /// ChaCha20-Poly1305. It is bound to all of the transaction: whoever copies it into another, or changes the
    /// sender, nonce, value or any other field, has something that does not open.
    ///
    /// # Errors
    ///
    /// [`SealError::AlreadySealed`], [`SealError::Level`] for `Basic`, [`SealError::Needs`] when a mechanism is
    /// missing.
    pub fn seal(&self, transaction: &Transaction, level: Level) -> Result<Sealed, SealError> {
        let Payload::Open(action) = &transaction.payload else {
            return Err(SealError::AlreadySealed);
        };
        let has = |wanted: fn(Kem) -> bool| self.keys.iter().any(|(kem, _)| wanted(*kem));
        let need = |holds: bool, needs: &'static str| {
            if holds {
                Ok(())
            } else {
                Err(SealError::Needs { level, needs })
            }
        };
        if level == Level::Basic {
            return Err(SealError::Level);
        }
        need(has(|kem| kem != Kem::Mceliece348864), "ML-KEM")?;
        if level >= Level::Military {
            need(has(|kem| kem == Kem::Mceliece348864), "Classic McEliece")?;
        }
        let mut sealed = Sealed {
            deploys: matches!(action, Action::Deploy { .. }),
            recipient: self.digest(),
            encapsulations: Vec::new(),
            cipher: if level == Level::Enhanced {
                Cipher::Aes256Gcm
            } else {
                Cipher::ChaCha20Poly1305
            },
            nonce: [0; 12],
            ciphertext: Vec::new(),
        };
        getrandom::fill(&mut sealed.nonce).map_err(|_| SealError::Random)?;
        let mut secrets = Vec::new();
        for (kem, key) in &self.keys {
            let (secret, ciphertext) = encapsulate(*kem, key)?;
            secrets.push(secret);
            sealed.encapsulations.push((*kem, ciphertext));
        }
        let plain = Zeroizing::new(action.to_canonical_bytes());
        sealed.ciphertext = crypt(transaction, &sealed, &secrets, |cipher, nonce, aad| {
            cipher.encrypt(nonce, Message { msg: &plain, aad })
        })?;
        Ok(sealed)
    }
}

impl OpeningKey {
    /// Makes key pairs for these mechanisms from the operating system's random numbers.
    ///
    /// # Note
    ///
    /// Classic McEliece computes a matrix of a third of a megabyte: give the thread a stack of 2 MiB, which is what
    /// threads have unless told otherwise. Sealing to such a key, and taking one with
    /// [`from_parts`](Self::from_parts), takes 1 MiB; opening, and verifying signatures of any scheme, less than
    /// 200 KiB.
    ///
    /// # Errors
    ///
    /// [`SealError::Order`] and [`SealError::Missing`].
    pub fn generate(kems: &[Kem]) -> Result<Self, SealError> {
        let mut keys = Vec::new();
        let mut secrets = Vec::new();
        for kem in kems {
            let (public, secret) = with_kem!(*kem, m => {
                let (public, secret) = m::keypair();
                (public.as_bytes().to_vec(), Zeroizing::new(secret.as_bytes().to_vec()))
            });
            keys.push((*kem, public));
            secrets.push(secret);
        }
        let recipient = Recipient::new(keys)?;
        Ok(Self { recipient, secrets })
    }

    /// Takes key pairs: a recipient and one secret key for each of its keys. Each pair has to open a secret that is
    /// encapsulated to it.
    ///
    /// # Errors
    ///
    /// [`SealError::Length`] when a secret key is missing or has the wrong length, [`SealError::Surplus`] when there are
    /// too many, [`SealError::Pair`] when one belongs to another public key.
    pub fn from_parts(
        recipient: Recipient,
        secrets: Vec<Zeroizing<Vec<u8>>>,
    ) -> Result<Self, SealError> {
        if secrets.len() > recipient.keys.len() {
            return Err(SealError::Surplus);
        }
        for (index, (kem, public)) in recipient.keys.iter().enumerate() {
            let wrong = || SealError::Length(kem.name());
            let secret = secrets.get(index).ok_or_else(wrong)?;
            let (shared, ciphertext) = encapsulate(*kem, public)?;
            let opened = decapsulate(*kem, secret, &ciphertext)?.ok_or_else(wrong)?;
            if *Zeroizing::new(opened) != *shared {
                return Err(SealError::Pair(kem.name()));
            }
        }
        Ok(Self { recipient, secrets })
    }

    /// The public half, for senders.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The secret keys, in the order of the recipient's keys.
    pub fn secrets(&self) -> &[Zeroizing<Vec<u8>>] {
        &self.secrets
    }

    /// Decrypts the action of a transaction. Verify the envelope first: this says that the action was sealed for a
    /// transaction with these fields, not that its sender signed it.
    ///
    /// # Errors
    ///
    /// [`SealError::NotSealed`], [`SealError::Recipient`], [`SealError::Order`], [`SealError::Length`],
    /// [`SealError::Tag`], [`SealError::Action`], [`SealError::Kind`].
    pub fn open(&self, transaction: &Transaction) -> Result<Action, SealError> {
        let Payload::Sealed(sealed) = &transaction.payload else {
            return Err(SealError::NotSealed);
        };
        let this = self.recipient.digest();
        if sealed.recipient != this {
            let sealed_to = sealed.recipient;
            return Err(SealError::Recipient { sealed_to, this });
        }
        if sealed.encapsulations.len() != self.secrets.len() {
            return Err(SealError::Order);
        }
        let mut shared = Vec::new();
        for (((kem, ciphertext), secret), (own, _)) in sealed
            .encapsulations
            .iter()
            .zip(&self.secrets)
            .zip(&self.recipient.keys)
        {
            if kem != own {
                return Err(SealError::Order);
            }
            let opened = decapsulate(*kem, secret, ciphertext)?;
            shared.push(Zeroizing::new(opened.ok_or(SealError::Length(kem.name()))?));
        }
        let plain = Zeroizing::new(crypt(
            transaction,
            sealed,
            &shared,
            |cipher, nonce, aad| {
                cipher.decrypt(
                    nonce,
                    Message {
                        msg: &sealed.ciphertext,
                        aad,
                    },
                )
            },
        )?);
        let action = Action::from_canonical_bytes(&plain).map_err(SealError::Action)?;
        if matches!(action, Action::Deploy { .. }) != sealed.deploys {
            return Err(SealError::Kind);
        }
        Ok(action)
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningKey")
            .field("recipient", &self.recipient.digest())
            .finish_non_exhaustive()
    }
}

/// Either cipher, behind the operation that both have.
enum AnyCipher {
    Aes(Box<Aes256Gcm>),
    ChaCha(Box<ChaCha20Poly1305>),
}

impl AnyCipher {
    fn encrypt(
        &self,
        nonce: &[u8; 12],
        message: Message<'_, '_>,
    ) -> Result<Vec<u8>, aes_gcm::Error> {
        match self {
            Self::Aes(cipher) => cipher.encrypt(nonce.into(), message),
            Self::ChaCha(cipher) => cipher.encrypt(nonce.into(), message),
        }
    }

    fn decrypt(
        &self,
        nonce: &[u8; 12],
        message: Message<'_, '_>,
    ) -> Result<Vec<u8>, aes_gcm::Error> {
        match self {
            Self::Aes(cipher) => cipher.decrypt(nonce.into(), message),
            Self::ChaCha(cipher) => cipher.decrypt(nonce.into(), message),
        }
    }
}

/// A fresh secret, and the ciphertext that carries it to the holder of a public key.
fn encapsulate(kem: Kem, public: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), SealError> {
    Ok(with_kem!(kem, m => {
        let key = m::PublicKey::from_bytes(public).map_err(|_| SealError::Length(kem.name()))?;
        let (secret, ciphertext) = m::encapsulate(&key);
        (Zeroizing::new(secret.as_bytes().to_vec()), ciphertext.as_bytes().to_vec())
    }))
}

/// Derives the key from the secrets and the head, and runs the cipher with the head as associated data: everything of the
/// transaction but its payload, then everything of `sealed` but the nonce and the ciphertext.
fn crypt(
    transaction: &Transaction,
    sealed: &Sealed,
    secrets: &[Zeroizing<Vec<u8>>],
    run: impl FnOnce(&AnyCipher, &[u8; 12], &[u8]) -> Result<Vec<u8>, aes_gcm::Error>,
) -> Result<Vec<u8>, SealError> {
    let context = transaction.head_bytes();
    let mut head = (context.len() as u64).to_le_bytes().to_vec();
    head.extend_from_slice(&context);
    head.push(u8::from(sealed.deploys));
    head.extend_from_slice(&sealed.recipient.0);
    for (kem, ciphertext) in &sealed.encapsulations {
        head.push(*kem as u8);
        head.extend_from_slice(&(ciphertext.len() as u64).to_le_bytes());
        head.extend_from_slice(ciphertext);
    }
    let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
    for secret in secrets {
        hasher.update(&(secret.len() as u64).to_le_bytes());
        hasher.update(secret);
    }
    hasher.update(&head);
    let key = Zeroizing::new(*hasher.finalize().as_bytes());
    let key = aes_gcm::Key::<Aes256Gcm>::from_slice(key.as_slice());
    let cipher = match sealed.cipher {
        Cipher::ChaCha20Poly1305 => AnyCipher::ChaCha(Box::new(ChaCha20Poly1305::new(key))),
        _ => AnyCipher::Aes(Box::new(Aes256Gcm::new(key))),
    };
    run(&cipher, &sealed.nonce, &head).map_err(|_| SealError::Tag)
}
