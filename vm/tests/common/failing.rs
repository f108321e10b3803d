//! A chain whose machinery fails at any one moment.

use std::cell::Cell;

use aivm::{
    Address, BlockContext, ExtensionCall, ExtensionResult, Hash, Host, HostError, InboxMessage,
    StateDelta, StorageEntry, Word,
};

/// How the chain fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Error,
    Panic,
}

/// A chain that fails at the moment when `left` gets to zero.
pub struct Failing<H> {
    pub inner: H,
    pub left: Cell<Option<u64>>,
    pub fault: Fault,
    pub asked: Cell<u64>,
}

impl<H> Failing<H> {
    pub fn new(inner: H) -> Self {
        Self {
            inner,
            left: Cell::new(None),
            fault: Fault::Error,
            asked: Cell::new(0),
        }
    }

    fn tick(&self) -> Result<(), HostError> {
        self.asked.set(self.asked.get() + 1);
        match self.left.get() {
            Some(0) => {
                self.left.set(None);
                match self.fault {
                    Fault::Error => Err(HostError::new("the disk is gone")),
                    Fault::Panic => panic!("the disk is gone"),
                }
            }
            Some(left) => {
                self.left.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl<H: Host> Host for Failing<H> {
    fn block(&self) -> BlockContext {
        self.inner.block()
    }
    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        self.tick()?;
        self.inner.storage_get(contract, key)
    }
    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        self.tick()?;
        self.inner.storage_range(contract, from, limit)
    }
    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        self.tick()?;
        self.inner.balance(address)
    }
    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        self.tick()?;
        self.inner.contract(address)
    }
    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.tick()?;
        self.inner.code(code_hash)
    }
    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.tick()?;
        self.inner.model(model_hash)
    }
    fn inbox_message(&self, id: &Hash) -> Result<Option<InboxMessage>, HostError> {
        self.tick()?;
        self.inner.inbox_message(id)
    }
    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        self.tick()?;
        self.inner.commit(delta)
    }
    fn state_root(&self) -> Result<Option<Hash>, HostError> {
        self.tick()?;
        self.inner.state_root()
    }
    fn extension_gas(&self, call: &ExtensionCall<'_>) -> Option<u64> {
        self.inner.extension_gas(call)
    }
    fn extension(&self, call: &ExtensionCall<'_>) -> Result<ExtensionResult, HostError> {
        self.tick()?;
        self.inner.extension(call)
    }
}
