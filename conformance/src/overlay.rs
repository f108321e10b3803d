//! A block's changes in memory, written to the chain's store at once.

use std::collections::BTreeMap;

use aivm::{
    Address, BlockContext, ExtensionCall, ExtensionResult, Hash, Host, HostError, InboxMessage,
    StateDelta, StorageEntry, Word,
};

use crate::traffic::Clock;
use crate::vector::Chain;

/// A chain that keeps what a block changes in memory until the block is done, as chains do. It has
/// no state root: that is a matter of blocks then.
pub struct Overlay<H> {
    inner: H,
    delta: StateDelta,
    /// A chain whose functions this one has too.
    functions: Chain,
}

impl<H: Host> Overlay<H> {
    /// Nothing has changed yet.
    pub fn new(inner: H) -> Self {
        Self {
            inner,
            delta: StateDelta::default(),
            functions: Chain::default(),
        }
    }

    /// Adds the functions of a vector's chain.
    pub fn with_functions_of(mut self, chain: &Chain) -> Self {
        self.functions = chain.clone();
        self
    }

    /// The chain itself, without what the block changed.
    pub fn inner_mut(&mut self) -> &mut H {
        &mut self.inner
    }

    /// Gives the block up: what it changed is as if it had never been.
    pub fn abandon(&mut self) {
        self.delta = StateDelta::default();
    }

    /// Writes all changes, in one commit.
    ///
    /// # Errors
    /// When the store fails; the changes are kept then.
    pub fn flush(&mut self) -> Result<(), HostError> {
        self.inner.commit(&self.delta)?;
        self.delta = StateDelta::default();
        Ok(())
    }
}

impl<H: Clock> Clock for Overlay<H> {
    fn set_block(&mut self, block: BlockContext) {
        self.inner.set_block(block);
    }

    fn end_block(&mut self) -> Result<(), HostError> {
        self.flush()
    }
}

impl<H: Host> Host for Overlay<H> {
    fn block(&self) -> BlockContext {
        self.inner.block()
    }

    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        let changed = self.delta.storage.get(contract).and_then(|s| s.get(key));
        match changed {
            Some(value) => Ok(value.clone()),
            None => self.inner.storage_get(contract, key),
        }
    }

    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        let empty = BTreeMap::new();
        let changed = self.delta.storage.get(contract).unwrap_or(&empty);
        // Each change hides one entry at most.
        let enough = limit.saturating_add(changed.len());
        let stored = self.inner.storage_range(contract, from, enough)?;
        let mut entries: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
        for (key, value) in changed.range(from.to_vec()..) {
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
        Ok(entries.into_iter().take(limit).collect())
    }

    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        match self.delta.balances.get(address) {
            Some(balance) => Ok(*balance),
            None => self.inner.balance(address),
        }
    }

    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        match self.delta.contracts.get(address) {
            Some(code) => Ok(Some(*code)),
            None => self.inner.contract(address),
        }
    }

    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        match self.delta.codes.get(code_hash) {
            Some(code) => Ok(Some(code.clone())),
            None => self.inner.code(code_hash),
        }
    }

    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        match self.delta.models.get(model_hash) {
            Some(model) => Ok(Some(model.clone())),
            None => self.inner.model(model_hash),
        }
    }

    fn model_named(&self, name: &str) -> Result<Option<Hash>, HostError> {
        self.inner.model_named(name)
    }

    fn inbox_message(&self, id: &Hash) -> Result<Option<InboxMessage>, HostError> {
        self.inner.inbox_message(id)
    }

    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        for (contract, entries) in &delta.storage {
            let changed = self.delta.storage.entry(*contract).or_default();
            changed.extend(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
        self.delta.balances.extend(&delta.balances);
        self.delta.contracts.extend(&delta.contracts);
        let codes = delta.codes.iter().map(|(hash, code)| (*hash, code.clone()));
        self.delta.codes.extend(codes);
        let models = delta
            .models
            .iter()
            .map(|(hash, model)| (*hash, model.clone()));
        self.delta.models.extend(models);
        Ok(())
    }

    fn extension_gas(&self, call: &ExtensionCall<'_>) -> Option<u64> {
        match self.functions.extension(call.name, call.arguments) {
            Some(own) => Some(own.gas),
            None => self.inner.extension_gas(call),
        }
    }

    fn extension(&self, call: &ExtensionCall<'_>) -> Result<ExtensionResult, HostError> {
        match self.functions.extension(call.name, call.arguments) {
            Some(own) => Ok(own.answer.clone().into()),
            None => self.inner.extension(call),
        }
    }
}
