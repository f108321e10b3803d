//! The contract's own persistent state.

use aivm_abi::host::storage::Host;
use aivm_abi::{Address, Exit, TrapCode, Word};

use super::frame::Frame;
use super::gas::Cause;
use super::tx::fail;
use crate::journal::{EntryId, StorageId};

impl Frame<'_, '_> {
    /// The place of a contract's storage in the journal.
    fn storage(&mut self, contract: Address) -> StorageId {
        match self.storage {
            Some(storage) if contract == self.contract => storage,
            _ => {
                let storage = self.tx.journal.storage_of(contract);
                if contract == self.contract {
                    self.storage = Some(storage);
                }
                storage
            }
        }
    }

    /// Pays for looking at an entry, and then looks; `read` says whether its value is wanted.
    fn entry(&mut self, contract: Address, key: &[u8], read: bool) -> Result<EntryId, Exit> {
        let storage = self.storage(contract);
        let prices = &self.tx.active.schedule.storage;
        match self.tx.journal.warm(storage, key) {
            Some(entry) => {
                self.spend(Cause::Storage, prices.read_warm)?;
                Ok(entry)
            }
            None => {
                self.spend(Cause::Storage, prices.read)?;
                let entry = self.tx.journal.warm_up(self.tx.host, storage, key, read);
                entry.map_err(fail)
            }
        }
    }

    /// Reads an entry and pays for its bytes.
    pub(super) fn read_entry(
        &mut self,
        contract: Address,
        key: &[u8],
    ) -> Result<Option<&[u8]>, Exit> {
        let entry = self.entry(contract, key, true)?;
        let host = self.tx.host;
        let value = self.tx.journal.value(host, entry).map_err(fail)?;
        let length = value.map_or(0, <[u8]>::len);
        let prices = &self.tx.active.schedule.storage;
        let gas = prices.read_bytes((key.len() as u64).saturating_add(length as u64));
        self.spend(Cause::Storage, gas)?;
        self.tx.journal.value(host, entry).map_err(fail)
    }

    /// Writes or removes an entry; gives whether it was there.
    pub(super) fn write_entry(
        &mut self,
        contract: Address,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<bool, Exit> {
        self.writes()?;
        let entry = self.entry(contract, key, false)?;
        let compared = self.tx.journal.compare(self.tx.host, entry, value);
        let (present, changes) = compared.map_err(fail)?;
        if changes {
            let prices = &self.tx.active.schedule.storage;
            let gas = match value {
                None => prices.remove,
                Some(value) => {
                    let bytes = (key.len() as u64).saturating_add(value.len() as u64);
                    let price = match present {
                        true => prices.write,
                        false => prices.write_new,
                    };
                    price.saturating_add(prices.write_bytes(bytes))
                }
            };
            self.spend(Cause::Storage, gas)?;
            self.tx.journal.set(entry, value);
        }
        Ok(present)
    }

    /// Whether an entry is there.
    pub(super) fn has_entry(&mut self, contract: Address, key: &[u8]) -> Result<bool, Exit> {
        let entry = self.entry(contract, key, false)?;
        Ok(self.tx.journal.is_present(entry))
    }
}

impl Host for Frame<'_, '_> {
    fn load(&mut self, key: Word) -> Result<Word, Exit> {
        match self.read_entry(self.contract, &key.to_be_bytes())? {
            None => Ok(Word::ZERO),
            Some(value) => match <[u8; 32]>::try_from(value) {
                Ok(bytes) => Ok(Word::from_be_bytes(bytes)),
                Err(_) => Err(Exit::Trap(TrapCode::BadArgument)),
            },
        }
    }

    fn store(&mut self, key: Word, value: Word) -> Result<(), Exit> {
        let bytes = value.to_be_bytes();
        let value = (!value.is_zero()).then_some(bytes.as_slice());
        self.write_entry(self.contract, &key.to_be_bytes(), value)
            .map(drop)
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Exit> {
        Ok(self.read_entry(self.contract, key)?.map(<[u8]>::to_vec))
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Exit> {
        self.write_entry(self.contract, key, Some(value)).map(drop)
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool, Exit> {
        self.write_entry(self.contract, key, None)
    }

    fn has(&mut self, key: &[u8]) -> Result<bool, Exit> {
        self.has_entry(self.contract, key)
    }
}
