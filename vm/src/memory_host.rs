//! A chain in memory, for tests, examples and simulation.

use std::collections::BTreeMap;
use std::sync::Arc;

use aivm_abi::{Address, Word};

use crate::delta::StateDelta;
use crate::host::{
    BlockContext, ContractStorage, ExtensionCall, ExtensionResult, Hash, Host, HostError,
    InboxMessage, Peeked, StorageEntry, peeked,
};
use crate::log::Log;

/// Price of an extension call as a function of its arguments.
type ExtensionPrice = dyn Fn(&[u8]) -> u64 + Send + Sync;
/// What an extension does.
type ExtensionBody = dyn Fn(&ExtensionCall<'_>) -> ExtensionResult + Send + Sync;

struct Extension {
    price: Box<ExtensionPrice>,
    body: Box<ExtensionBody>,
}

/// A [`Host`] that keeps everything in ordered maps.
///
/// Its state root is the BLAKE3 of its whole contents, computed on demand only when
/// [`with_state_root`](MemoryHost::with_state_root) asked for it.
///
/// A clone is a copy of the whole state. It has the same extensions, and the same log.
#[derive(Clone, Default)]
pub struct MemoryHost {
    block: BlockContext,
    storage: BTreeMap<Address, ContractStorage>,
    balances: BTreeMap<Address, Word>,
    contracts: BTreeMap<Address, Hash>,
    codes: BTreeMap<Hash, Vec<u8>>,
    models: BTreeMap<Hash, Vec<u8>>,
    model_names: BTreeMap<String, Hash>,
    inbox: BTreeMap<Hash, InboxMessage>,
    extensions: BTreeMap<String, Arc<Extension>>,
    state_root: bool,
    commits: u64,
    /// What contracts wrote for people; none when nobody keeps it.
    log: Option<Log>,
}

impl MemoryHost {
    /// An empty chain at block zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers [`Host::state_root`], at the cost of hashing all state at each call.
    pub fn with_state_root(mut self) -> Self {
        self.state_root = true;
        self
    }

    /// Keeps what contracts write for people, for [`take_log`](Self::take_log).
    pub fn with_log(mut self) -> Self {
        self.log = Some(Log::default());
        self
    }

    /// Takes the lines that contracts wrote since the last time, each with its contract. They
    /// come from queries, estimates and failed calls too.
    pub fn take_log(&mut self) -> Vec<(Address, String)> {
        self.log.as_ref().map(Log::take).unwrap_or_default()
    }

    /// Adds an extension: `price` gives the gas from the arguments, `body` runs it.
    pub fn with_extension(
        mut self,
        name: impl Into<String>,
        price: impl Fn(&[u8]) -> u64 + Send + Sync + 'static,
        body: impl Fn(&ExtensionCall<'_>) -> ExtensionResult + Send + Sync + 'static,
    ) -> Self {
        let extension = Extension {
            price: Box::new(price),
            body: Box::new(body),
        };
        self.extensions.insert(name.into(), Arc::new(extension));
        self
    }

    /// Sets the block that the next calls run in.
    pub fn set_block(&mut self, block: BlockContext) {
        self.block = block;
    }

    /// Sets a native balance.
    pub fn set_balance(&mut self, address: Address, balance: Word) {
        self.balances.insert(address, balance);
    }

    /// Sets a storage entry; `None` removes it.
    pub fn set_storage(&mut self, contract: Address, key: &[u8], value: Option<&[u8]>) {
        put(self.storage.entry(contract).or_default(), key, value);
    }

    /// Puts model bytes under a hash, unchecked: for tests of what the VM does with a
    /// chain that answers wrongly.
    pub fn set_model(&mut self, hash: Hash, bytes: Vec<u8>) {
        self.models.insert(hash, bytes);
    }

    /// Gives a model a name, by which guests written for other hosts may load it. Names are
    /// the chain's: they are no part of the state that contracts change.
    pub fn name_model(&mut self, name: impl Into<String>, hash: Hash) {
        self.model_names.insert(name.into(), hash);
    }

    /// Puts a message in the inbox, as if it had arrived from another chain and been verified.
    pub fn deliver(&mut self, id: Hash, message: InboxMessage) {
        self.inbox.insert(id, message);
    }

    /// Puts code under a hash, unchecked; see [`set_model`](Self::set_model).
    pub fn set_code(&mut self, hash: Hash, bytes: Vec<u8>) {
        self.codes.insert(hash, bytes);
    }

    /// Number of deltas committed so far.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// BLAKE3 over the whole state.
    pub fn state_hash(&self) -> Hash {
        let mut all = StateDelta {
            balances: self.balances.clone(),
            contracts: self.contracts.clone(),
            codes: self.codes.clone(),
            models: self.models.clone(),
            ..StateDelta::default()
        };
        for (contract, entries) in self.storage.iter().filter(|(_, e)| !e.is_empty()) {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), Some(value.clone())))
                .collect();
            all.storage.insert(*contract, entries);
        }
        all.hash()
    }
}

impl std::fmt::Debug for MemoryHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryHost")
            .field("block", &self.block)
            .field("contracts", &self.contracts.len())
            .field("commits", &self.commits)
            .finish_non_exhaustive()
    }
}

impl Host for MemoryHost {
    fn block(&self) -> BlockContext {
        self.block.clone()
    }

    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.storage.get(contract).and_then(|s| s.get(key)).cloned())
    }

    fn storage_peek(
        &self,
        contract: &Address,
        key: &[u8],
        most: usize,
    ) -> Result<Option<Peeked>, HostError> {
        let value = self.storage.get(contract).and_then(|s| s.get(key));
        Ok(value.map(|value| peeked(value, most)))
    }

    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        let Some(entries) = self.storage.get(contract) else {
            return Ok(Vec::new());
        };
        Ok(entries
            .range(from.to_vec()..)
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        Ok(self.balances.get(address).copied().unwrap_or_default())
    }

    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        Ok(self.contracts.get(address).copied())
    }

    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.codes.get(code_hash).cloned())
    }

    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.models.get(model_hash).cloned())
    }

    fn has_code(&self, code_hash: &Hash) -> Result<bool, HostError> {
        Ok(self.codes.contains_key(code_hash))
    }

    fn has_model(&self, model_hash: &Hash) -> Result<bool, HostError> {
        Ok(self.models.contains_key(model_hash))
    }

    fn debug_log(&self, contract: &Address, message: &str) {
        if let Some(log) = &self.log {
            log.push(contract, message);
        }
    }

    fn inbox_message(&self, id: &Hash) -> Result<Option<InboxMessage>, HostError> {
        Ok(self.inbox.get(id).cloned())
    }

    fn model_named(&self, name: &str) -> Result<Option<Hash>, HostError> {
        Ok(self.model_names.get(name).copied())
    }

    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        for (contract, entries) in &delta.storage {
            let storage = self.storage.entry(*contract).or_default();
            for (key, value) in entries {
                put(storage, key, value.as_deref());
            }
        }
        self.balances.extend(&delta.balances);
        self.contracts.extend(&delta.contracts);
        self.codes
            .extend(delta.codes.iter().map(|(k, v)| (*k, v.clone())));
        self.models
            .extend(delta.models.iter().map(|(k, v)| (*k, v.clone())));
        self.commits += 1;
        Ok(())
    }

    fn state_root(&self) -> Result<Option<Hash>, HostError> {
        Ok(self.state_root.then(|| self.state_hash()))
    }

    fn extension_gas(&self, call: &ExtensionCall<'_>) -> Option<u64> {
        let extension = self.extensions.get(call.name)?;
        Some((extension.price)(call.arguments))
    }

    fn extension(&self, call: &ExtensionCall<'_>) -> Result<ExtensionResult, HostError> {
        match self.extensions.get(call.name) {
            Some(extension) => Ok((extension.body)(call)),
            None => Err(HostError::new(format!("no extension {:?}", call.name))),
        }
    }
}

fn put(storage: &mut ContractStorage, key: &[u8], value: Option<&[u8]>) {
    let Some(value) = value else {
        storage.remove(key);
        return;
    };
    match storage.get_mut(key) {
        Some(place) => {
            place.clear();
            place.extend_from_slice(value);
        }
        None => {
            storage.insert(key.to_vec(), value.to_vec());
        }
    }
}
