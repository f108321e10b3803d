//! The fields of a transaction.

use crate::host::crypto::{Kem, SignatureScheme};
use crate::{Address, Digest, Word};

/// A transaction without its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Numeric identifier of the chain.
    pub chain_id: u64,
    /// Name of the network.
    pub network: String,
    /// The account that signs and pays.
    pub from: Address,
    /// Number of this transaction among the account's, from 0.
    pub nonce: u64,
    /// Last block height at which it may run.
    pub expires_at: u64,
    /// Gas that it may use.
    pub gas_limit: u64,
    /// Native value that it sends.
    pub value: Word,
    /// What it does.
    pub payload: Payload,
}

/// What a transaction does, in the open or sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Readable by all.
    Open(Action),
    /// Readable by the holder of a key.
    Sealed(Sealed),
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Deploys a contract.
    Deploy {
        /// Hash of uploaded code.
        code: Digest,
        /// Makes the address independent of the nonce.
        salt: Option<[u8; 32]>,
        /// Constructor arguments.
        input: Vec<u8>,
    },
    /// Calls a contract.
    Call {
        /// The contract.
        to: Address,
        /// Call data.
        input: Vec<u8>,
    },
}

/// An encrypted action. Whether it is a deployment or a call stays visible, because the
/// signature's domain depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// True for a deployment.
    pub deploys: bool,
    /// BLAKE3 of the recipient's key, so that it knows which of its keys is meant.
    pub recipient: Digest,
    /// How the secret is encapsulated: one or two mechanisms, ascending, each with its ciphertext.
    pub encapsulations: Vec<(Kem, Vec<u8>)>,
    /// How the action is encrypted.
    pub cipher: Cipher,
    /// Nonce of the cipher.
    pub nonce: [u8; 12],
    /// The encrypted canonical bytes of the action, with the authentication tag, which covers
    /// [`Transaction::head_bytes`] as well.
    pub ciphertext: Vec<u8>,
}

/// Authenticated encryption of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cipher {
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
}

/// How strongly a transaction is protected. Each level says which algorithms must take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// ML-DSA.
    Basic,
    /// ML-DSA, sealed with ML-KEM and AES-256-GCM.
    Enhanced,
    /// ML-DSA, FN-DSA and SLH-DSA, sealed with ML-KEM and ChaCha20-Poly1305.
    Maximum,
    /// As `Maximum`, the secret encapsulated by ML-KEM and Classic McEliece both.
    Military,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Algorithm and level.
    pub scheme: SignatureScheme,
    /// Public key.
    pub key: Vec<u8>,
    /// Detached signature over [`Envelope::signing_bytes`].
    pub signature: Vec<u8>,
}

/// A transaction with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The transaction.
    pub transaction: Transaction,
    /// The level that it claims.
    pub level: Level,
    /// Signatures, ascending by scheme, one of each at most.
    pub signers: Vec<Signer>,
}

impl Transaction {
    /// The domain of its signatures.
    pub fn domain(&self) -> &'static str {
        let deploys = match &self.payload {
            Payload::Open(action) => matches!(action, Action::Deploy { .. }),
            Payload::Sealed(sealed) => sealed.deploys,
        };
        if deploys {
            super::DEPLOY_DOMAIN
        } else {
            super::CALL_DOMAIN
        }
    }
}

impl Address {
    /// Address of the account that signs with these keys: for one key that key's address,
    /// for several an address of all of them, in order.
    pub fn from_signers(signers: &[Signer]) -> Self {
        match signers {
            [signer] => Self::from_public_key(signer.scheme.name(), &signer.key),
            signers => {
                let parts: Vec<&[u8]> = signers
                    .iter()
                    .flat_map(|signer| [signer.scheme.name().as_bytes(), &signer.key])
                    .collect();
                Self::derive("AIVM hybrid account address v1", &parts)
            }
        }
    }
}
