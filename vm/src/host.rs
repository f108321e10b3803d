//! What a chain supplies to the VM.

use std::collections::BTreeMap;

use aivm_abi::{Address, Word};

use crate::delta::StateDelta;

/// A 32-byte BLAKE3 content address.
pub type Hash = [u8; 32];

/// The block that a call runs in, as the chain states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockContext {
    /// Identifier of the chain.
    pub chain_id: u64,
    /// Name of the network, as receipts print it. Default empty.
    pub network: String,
    /// Height of the block. It selects the gas schedule.
    pub number: u64,
    /// Time of the block in seconds since the Unix epoch.
    pub timestamp: u64,
}

impl BlockContext {
    /// A block at `number` on chain `chain_id`, at time zero.
    pub fn new(chain_id: u64, number: u64) -> Self {
        Self {
            chain_id,
            number,
            ..Self::default()
        }
    }

    /// Sets the time in seconds since the Unix epoch.
    pub fn with_timestamp(mut self, timestamp: u64) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// Sets the name of the network.
    pub fn with_network(mut self, network: impl Into<String>) -> Self {
        self.network = network.into();
        self
    }
}

/// A failure of the chain's own machinery: I/O, a corrupted database, a bug.
///
/// It ends the call with [`Error::Host`](crate::Error::Host) and never becomes a
/// consensus result.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl HostError {
    /// An error that is described by text alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// An error with its cause.
    pub fn with_source(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }
}

/// A call of a chain extension by a contract.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExtensionCall<'a> {
    /// Name of the extension.
    pub name: &'a str,
    /// Arguments, Solidity-ABI encoded by convention.
    pub arguments: &'a [u8],
    /// Contract that calls.
    pub contract: Address,
    /// Who called the contract.
    pub caller: Address,
    /// Whether the call may not change state.
    pub read_only: bool,
}

/// A message from another chain that the chain has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxMessage {
    /// Identifier of the chain that it comes from.
    pub source_chain: u64,
    /// Identifier of the chain that it was sent to. On any other there is no such message.
    pub destination: u64,
    /// Who sent it, as that chain writes addresses.
    pub sender: Vec<u8>,
    /// The contract that it is for; no other gets it.
    pub recipient: Address,
    /// What was sent.
    pub payload: Vec<u8>,
}

/// What an extension answers: return data, or revert data.
pub type ExtensionResult = Result<Vec<u8>, Vec<u8>>;

/// One entry of contract storage: key and value.
pub type StorageEntry = (Vec<u8>, Vec<u8>);

/// What [`Host::storage_peek`] finds under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peeked {
    /// The value.
    Value(Vec<u8>),
    /// A value of so many bytes, which was not read.
    Longer(usize),
}

/// The chain, as the VM sees it.
///
/// During a call the VM only reads; all effects arrive at the end in one
/// [`commit`](Host::commit), which the host must apply as a whole or not at all.
/// Every answer must be the same on every node. Reads may be repeated or left out by
/// caching, so they must be free of side effects.
pub trait Host {
    /// The block that calls run in.
    fn block(&self) -> BlockContext;

    /// Value under `key` in the storage of `contract`.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError>;

    /// As [`storage_get`](Self::storage_get), for the VM to learn whether there is a value and how long
    /// it is: one of more than `most` bytes need not be read. A contract that overwrites, removes
    /// or asks for an entry pays one price however long its value was, so a chain whose store can
    /// tell lengths should not read long values then. By default the value is read.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn storage_peek(
        &self,
        contract: &Address,
        key: &[u8],
        _most: usize,
    ) -> Result<Option<Peeked>, HostError> {
        Ok(self.storage_get(contract, key)?.map(Peeked::Value))
    }

    /// Up to `limit` entries of `contract` with keys ≥ `from`, in ascending byte order of
    /// the keys. Tools use it; contracts cannot.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError>;

    /// Native balance of `address`; zero when there is no such account.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn balance(&self, address: &Address) -> Result<Word, HostError>;

    /// Code hash of the contract at `address`, if there is one.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError>;

    /// Wasm bytes, as uploaded, under their code hash.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError>;

    /// Model bytes, as registered, under their content address.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError>;

    /// Whether the chain has this code. It is asked for each deployment, also of code that the
    /// VM holds compiled: what a node ran before, on a block that is no more, must not show.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn has_code(&self, code_hash: &Hash) -> Result<bool, HostError> {
        Ok(self.code(code_hash)?.is_some())
    }

    /// Whether the chain has this model. Once the VM holds a model this is asked for each quote
    /// and inference, and [`model`](Host::model) no more; a chain should answer it without copying.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn has_model(&self, model_hash: &Hash) -> Result<bool, HostError> {
        Ok(self.model(model_hash)?.is_some())
    }

    /// Content address of the model that the chain has given this name. Guests written for
    /// other hosts load models by name; by default a chain has no names, and they use
    /// content addresses.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn model_named(&self, _name: &str) -> Result<Option<Hash>, HostError> {
        Ok(None)
    }

    /// The message with this identifier that arrived from another chain, if this chain has verified
    /// it. How is the chain's affair: headers, proofs, signatures of a committee. The identifier must
    /// differ for each message of each chain (for messages from an AIVM chain it is
    /// [`OutboxMessage::id`](aivm_abi::receipt::OutboxMessage::id)), because the VM lets each be consumed once.
    /// It need not be forgotten then. By default no message ever arrives.
    ///
    /// The chain bounds what it takes in: sender and payload are read whole, for 20,000 gas and 4,000 for each KiB (in the
    /// first schedule) whether or not the message is for the contract that asks. 64 KiB are what a contract can send.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn inbox_message(&self, _id: &Hash) -> Result<Option<InboxMessage>, HostError> {
        Ok(None)
    }

    /// Applies all of `delta`, or nothing of it.
    ///
    /// # Errors
    /// When the chain's store fails; then nothing of `delta` may be visible.
    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError>;

    /// Root of the authenticated state, where the chain has one. Receipts carry it from
    /// before and after the call.
    ///
    /// # Errors
    /// When the chain's store fails.
    fn state_root(&self) -> Result<Option<Hash>, HostError> {
        Ok(None)
    }

    /// Price in gas of the extension call, known before it runs; `None` when the chain has
    /// no extension of that name.
    fn extension_gas(&self, _call: &ExtensionCall<'_>) -> Option<u64> {
        None
    }

    /// Runs an extension whose price was paid.
    ///
    /// # Errors
    /// When the chain's machinery fails. A failure that the contract should see is the
    /// inner `Err`, its revert data.
    fn extension(&self, call: &ExtensionCall<'_>) -> Result<ExtensionResult, HostError> {
        Err(HostError::new(format!("no extension {:?}", call.name)))
    }

    /// A message that a contract wrote for people.
    fn debug_log(&self, _contract: &Address, _message: &str) {}
}

impl<H: Host + ?Sized> Host for &mut H {
    fn block(&self) -> BlockContext {
        (**self).block()
    }
    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        (**self).storage_get(contract, key)
    }
    fn storage_peek(
        &self,
        contract: &Address,
        key: &[u8],
        most: usize,
    ) -> Result<Option<Peeked>, HostError> {
        (**self).storage_peek(contract, key, most)
    }
    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        (**self).storage_range(contract, from, limit)
    }
    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        (**self).balance(address)
    }
    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        (**self).contract(address)
    }
    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        (**self).code(code_hash)
    }
    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        (**self).model(model_hash)
    }
    fn has_code(&self, code_hash: &Hash) -> Result<bool, HostError> {
        (**self).has_code(code_hash)
    }
    fn has_model(&self, model_hash: &Hash) -> Result<bool, HostError> {
        (**self).has_model(model_hash)
    }
    fn model_named(&self, name: &str) -> Result<Option<Hash>, HostError> {
        (**self).model_named(name)
    }
    fn inbox_message(&self, id: &Hash) -> Result<Option<InboxMessage>, HostError> {
        (**self).inbox_message(id)
    }
    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        (**self).commit(delta)
    }
    fn state_root(&self) -> Result<Option<Hash>, HostError> {
        (**self).state_root()
    }
    fn extension_gas(&self, call: &ExtensionCall<'_>) -> Option<u64> {
        (**self).extension_gas(call)
    }
    fn extension(&self, call: &ExtensionCall<'_>) -> Result<ExtensionResult, HostError> {
        (**self).extension(call)
    }
    fn debug_log(&self, contract: &Address, message: &str) {
        (**self).debug_log(contract, message)
    }
}

/// What to peek at a value gives.
pub(crate) fn peeked(value: &[u8], most: usize) -> Peeked {
    match value.len() > most {
        true => Peeked::Longer(value.len()),
        false => Peeked::Value(value.to_vec()),
    }
}

/// Storage of one contract, by key.
pub(crate) type ContractStorage = BTreeMap<Vec<u8>, Vec<u8>>;
