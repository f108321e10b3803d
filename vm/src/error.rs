//! Why the VM gave no receipt.

use aivm_abi::{Address, Word};

use crate::check::CheckError;
use crate::host::{Hash, HostError};

/// A request that was refused before anything ran, or a failure of the machine itself.
///
/// Either way there is no receipt and, [`Committed`](Self::Committed) apart, the state is as it
/// was. What a contract decides
/// and what the sandbox stops are no errors: they are receipts.
/// [`is_refusal`](Self::is_refusal) tells the two kinds apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The module is malformed, uses a feature that is off, or exceeds a limit.
    #[error("the module is refused: {0}")]
    InvalidModule(#[from] aivm_gas::InstrumentError),
    /// The module's imports or exports are not those of a contract.
    #[error("the module is no contract: {0}")]
    NotAContract(#[from] CheckError),
    /// The model is malformed, unsupported or exceeds a limit.
    #[error("the model is refused: {0}")]
    InvalidModel(#[from] aivm_nn::ModelError),
    /// The gas of an upload or registration exceeds what the caller allows.
    #[error("it costs {needed} gas and {limit} are allowed")]
    GasLimitTooLow {
        /// Gas needed before anything runs.
        needed: u64,
        /// Gas allowed.
        limit: u64,
    },
    /// Gas limits lie below 2^63.
    #[error("the gas limit {0} is not below 2^63")]
    GasLimitTooHigh(u64),
    /// The call data is longer than the schedule allows.
    #[error("call data of {length} bytes exceeds the limit of {limit}")]
    InputTooLong {
        /// Bytes given.
        length: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// There is no contract at the address.
    #[error("there is no contract at {0}")]
    NoContract(Address),
    /// There is no code with the hash.
    #[error("there is no code with the hash {}", hex::encode(.0))]
    UnknownCode(Hash),
    /// A contract exists at the address that the deployment would take.
    #[error("there is a contract at {0} already")]
    AddressInUse(Address),
    /// The sender's balance is below the value.
    #[error("the balance {balance} of {sender} is below the value {value}")]
    InsufficientBalance {
        /// Who sends.
        sender: Address,
        /// What it has.
        balance: Word,
        /// What it would send.
        value: Word,
    },
    /// The transaction needs more PQ-Gas than its block has left.
    #[error("it needs {needed} PQ-Gas, the block has {left} left")]
    BlockFull {
        /// PQ-Gas that it needs at least.
        needed: u64,
        /// PQ-Gas left to the block.
        left: u64,
    },
    /// The chain's code bytes do not have the hash they are stored under.
    #[error("the chain gave code that hashes to {} for {}", hex::encode(.found), hex::encode(.requested))]
    CodeMismatch {
        /// Hash asked for.
        requested: Hash,
        /// Hash of what came.
        found: Hash,
    },
    /// The chain's model bytes do not have the hash they are stored under.
    #[error("the chain gave a model that hashes to {} for {}", hex::encode(.found), hex::encode(.requested))]
    ModelMismatch {
        /// Hash asked for.
        requested: Hash,
        /// Hash of what came.
        found: Hash,
    },
    /// An earlier schedule accepted the code, and the one in force refuses it.
    #[error("the schedule in force refuses code {} that the chain has: {reason}", hex::encode(.code))]
    StoredCode {
        /// Hash of the code.
        code: Hash,
        /// Why it is refused.
        reason: String,
    },
    /// The chain's bytes of a model that was registered are no model any more.
    #[error("model {} on the chain is damaged: {reason}", hex::encode(.model))]
    StoredModel {
        /// Content address of the model.
        model: Hash,
        /// What is wrong with the bytes.
        reason: String,
    },
    /// The chain's own machinery failed.
    #[error("the host failed: {0}")]
    Host(#[from] HostError),
    /// The effects of the transaction are committed, but the chain could not tell its state
    /// root afterwards, so there is no receipt.
    #[error("the effects are committed, but the host has no state root: {0}")]
    Committed(#[source] HostError),
    /// A host function panicked: a bug in the VM or the chain.
    #[error("a host function panicked: {0}")]
    HostPanic(String),
    /// The engine failed: a bug, or the machine is out of memory.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// The inference backend failed on a model that was accepted.
    #[error("inference failed: {0}")]
    Inference(String),
    /// The VM's configuration is unusable.
    #[error("the configuration is unusable: {0}")]
    Config(String),
}

impl Error {
    /// Name of the kind of error, the same in every version.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidModule(_) => "invalid-module",
            Self::NotAContract(_) => "not-a-contract",
            Self::InvalidModel(_) => "invalid-model",
            Self::GasLimitTooLow { .. } => "gas-limit-too-low",
            Self::GasLimitTooHigh(_) => "gas-limit-too-high",
            Self::InputTooLong { .. } => "input-too-long",
            Self::NoContract(_) => "no-contract",
            Self::UnknownCode(_) => "unknown-code",
            Self::AddressInUse(_) => "address-in-use",
            Self::InsufficientBalance { .. } => "insufficient-balance",
            Self::BlockFull { .. } => "block-full",
            Self::CodeMismatch { .. } => "code-mismatch",
            Self::ModelMismatch { .. } => "model-mismatch",
            Self::StoredCode { .. } => "stored-code",
            Self::StoredModel { .. } => "stored-model",
            Self::Host(_) => "host",
            Self::Committed(_) => "committed",
            Self::HostPanic(_) => "host-panic",
            Self::Engine(_) => "engine",
            Self::Inference(_) => "inference",
            Self::Config(_) => "config",
        }
    }

    /// True when the request itself is at fault, so that every node refuses it alike;
    /// false when this node's machinery failed and the node must not go on as if
    /// nothing had happened.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::InvalidModule(_)
                | Self::NotAContract(_)
                | Self::InvalidModel(_)
                | Self::GasLimitTooLow { .. }
                | Self::GasLimitTooHigh(_)
                | Self::InputTooLong { .. }
                | Self::NoContract(_)
                | Self::UnknownCode(_)
                | Self::AddressInUse(_)
                | Self::InsufficientBalance { .. }
                | Self::BlockFull { .. }
                | Self::StoredCode { .. }
        )
    }
}
