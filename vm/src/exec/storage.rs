//! The contract's own persistent state.

use aivm_abi::host::storage::Host;
use aivm_abi::{Address, Exit, TrapCode, Word};

use super::frame::Frame;
use super::gas::Cause;
use super::tx::fail;

impl Frame<'_, '_> {
    /// Pays for looking at an entry, before looking.
    fn pay_access(&mut self, contract: Address, key: &[u8]) -> Result<(), Exit> {
        let prices = &self.tx.active.schedule.storage;
        let price = match self.tx.journal.is_warm(&contract, key) {
            true => prices.read_warm,
            false => prices.read,
        };
        self.spend(Cause::Storage, price)
    }

    /// Length of the current value.
    fn length(&mut self, contract: Address, key: &[u8]) -> Result<Option<usize>, Exit> {
        let value = self.tx.journal.get(self.tx.host, contract, key);
        Ok(value.map_err(fail)?.map(<[u8]>::len))
    }

    /// Reads an entry and pays for its bytes.
    pub(super) fn read_entry(
        &mut self,
        contract: Address,
        key: &[u8],
    ) -> Result<Option<&[u8]>, Exit> {
        self.pay_access(contract, key)?;
        let length = self.length(contract, key)?.unwrap_or(0);
        let prices = &self.tx.active.schedule.storage;
        let gas = prices.read_bytes((key.len() as u64).saturating_add(length as u64));
        self.spend(Cause::Storage, gas)?;
        let value = self.tx.journal.get(self.tx.host, contract, key);
        value.map_err(fail)
    }

    /// Writes or removes an entry; gives whether it was there.
    pub(super) fn write_entry(
        &mut self,
        contract: Address,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<bool, Exit> {
        self.writes()?;
        self.pay_access(contract, key)?;
        let host = self.tx.host;
        let current = self.tx.journal.get(host, contract, key).map_err(fail)?;
        let (present, changes) = (current.is_some(), current != value);
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
            let value = value.map(<[u8]>::to_vec);
            let journal = &mut self.tx.journal;
            journal.set(host, contract, key, value).map_err(fail)?;
        }
        Ok(present)
    }

    /// Whether an entry is there.
    pub(super) fn has_entry(&mut self, contract: Address, key: &[u8]) -> Result<bool, Exit> {
        self.pay_access(contract, key)?;
        Ok(self.length(contract, key)?.is_some())
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
