//! The chain's state.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aivm::{
    Address, BlockContext, ExtensionCall, ExtensionResult, Hash, Host, HostError, MemoryHost,
    StateDelta, StorageEntry, Word,
};

use super::{Library, YOU, plenty};

/// A chain in memory that remembers what contracts say with `debug`.
pub struct Ledger {
    host: MemoryHost,
    block: BlockContext,
    said: RefCell<Vec<(Address, String)>>,
    /// What addresses are called.
    pub labels: BTreeMap<Address, String>,
}

/// Most lines of `debug` that are kept.
const MAX_SAID: usize = 1_000;

impl Ledger {
    /// A chain that has the code and the models of a library.
    pub fn new(library: &Library) -> Self {
        let mut ledger = Self {
            host: MemoryHost::new(),
            block: BlockContext::default(),
            said: RefCell::new(Vec::new()),
            labels: BTreeMap::from([(YOU, "you".to_owned())]),
        };
        ledger.set_block(BlockContext::new(31_337, 1).with_timestamp(1));
        ledger.set_balance(YOU, plenty());
        for code in library.codes() {
            ledger.host.set_code(code.hash, code.artifact.wasm.clone());
        }
        for (hash, bytes) in library.models() {
            ledger.host.set_model(*hash, bytes.clone());
        }
        ledger
    }

    /// Sets the block of the next calls.
    pub fn set_block(&mut self, block: BlockContext) {
        self.block = block.clone();
        self.host.set_block(block);
    }

    /// Sets a native balance.
    pub fn set_balance(&mut self, who: Address, balance: Word) {
        self.host.set_balance(who, balance);
    }

    /// Takes what contracts said with `debug`.
    pub fn said(&self) -> Vec<(Address, String)> {
        self.said.take()
    }
}

impl Host for Ledger {
    fn block(&self) -> BlockContext {
        self.block.clone()
    }
    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        self.host.storage_get(contract, key)
    }
    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        self.host.storage_range(contract, from, limit)
    }
    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        self.host.balance(address)
    }
    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        self.host.contract(address)
    }
    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.host.code(code_hash)
    }
    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.host.model(model_hash)
    }
    fn has_code(&self, code_hash: &Hash) -> Result<bool, HostError> {
        self.host.has_code(code_hash)
    }
    fn has_model(&self, model_hash: &Hash) -> Result<bool, HostError> {
        self.host.has_model(model_hash)
    }
    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        self.host.commit(delta)
    }
    fn extension_gas(&self, call: &ExtensionCall<'_>) -> Option<u64> {
        self.host.extension_gas(call)
    }
    fn extension(&self, call: &ExtensionCall<'_>) -> Result<ExtensionResult, HostError> {
        self.host.extension(call)
    }
    fn debug_log(&self, contract: &Address, message: &str) {
        let mut said = self.said.borrow_mut();
        if said.len() < MAX_SAID {
            said.push((*contract, message.to_owned()));
        }
    }
}
