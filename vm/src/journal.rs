//! Effects of a running call: kept in memory, undone to any checkpoint, handed to the
//! host as one delta at the end.
//!
//! The current state is an overlay over the host's; an undo log holds what each change
//! replaced. A checkpoint is a length of that log, so opening one costs nothing and
//! keeping its effects costs nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use aivm_abi::receipt::{Event, OutboxMessage};
use aivm_abi::{Address, Word};
use alloy_primitives::U256;

use crate::delta::StateDelta;
use crate::host::{Hash, Host, HostError};
use crate::math::{to_u256, to_word};

/// Where the undo log stood when a checkpoint was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint(usize);

/// A value at the start of the call and now.
#[derive(Debug)]
struct Slot<T> {
    original: T,
    current: T,
}

/// What undoes one change.
#[derive(Debug)]
enum Undo {
    Storage(Address, Vec<u8>, Option<Vec<u8>>),
    Balance(Address, U256),
    Contract(Address),
    Event,
    Message,
}

type StorageSlots = BTreeMap<Vec<u8>, Slot<Option<Vec<u8>>>>;

/// The overlay with its undo log.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    storage: BTreeMap<Address, StorageSlots>,
    balances: BTreeMap<Address, Slot<U256>>,
    contracts: BTreeMap<Address, Hash>,
    events: Vec<Event>,
    outbox: Vec<OutboxMessage>,
    undo: Vec<Undo>,
}

/// What a finished call leaves behind.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub delta: StateDelta,
    pub events: Vec<Event>,
    pub outbox: Vec<OutboxMessage>,
}

impl Journal {
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint(self.undo.len())
    }

    /// Undoes everything since `checkpoint`.
    pub fn rollback(&mut self, checkpoint: Checkpoint) {
        while self.undo.len() > checkpoint.0 {
            let Some(undo) = self.undo.pop() else { return };
            self.undo_one(undo);
        }
    }

    fn undo_one(&mut self, undo: Undo) {
        match undo {
            Undo::Storage(contract, key, value) => {
                if let Some(slot) = self
                    .storage
                    .get_mut(&contract)
                    .and_then(|slots| slots.get_mut(&key))
                {
                    slot.current = value;
                }
            }
            Undo::Balance(address, balance) => {
                if let Some(slot) = self.balances.get_mut(&address) {
                    slot.current = balance;
                }
            }
            Undo::Contract(address) => {
                self.contracts.remove(&address);
            }
            Undo::Event => {
                self.events.pop();
            }
            Undo::Message => {
                self.outbox.pop();
            }
        }
    }

    fn slot(
        &mut self,
        host: &dyn Host,
        contract: Address,
        key: &[u8],
    ) -> Result<&mut Slot<Option<Vec<u8>>>, HostError> {
        let slots = self.storage.entry(contract).or_default();
        if !slots.contains_key(key) {
            let original = host.storage_get(&contract, key)?;
            let current = original.clone();
            slots.insert(key.to_vec(), Slot { original, current });
        }
        // Just inserted when it was absent.
        slots
            .get_mut(key)
            .ok_or_else(|| HostError::new("storage slot vanished"))
    }

    /// Whether the entry was read or written before in this transaction.
    pub fn is_warm(&self, contract: &Address, key: &[u8]) -> bool {
        self.storage
            .get(contract)
            .is_some_and(|slots| slots.contains_key(key))
    }

    /// Value of a storage entry.
    pub fn get(
        &mut self,
        host: &dyn Host,
        contract: Address,
        key: &[u8],
    ) -> Result<Option<&[u8]>, HostError> {
        let slot = self.slot(host, contract, key)?;
        Ok(slot.current.as_deref())
    }

    /// Sets or removes a storage entry.
    pub fn set(
        &mut self,
        host: &dyn Host,
        contract: Address,
        key: &[u8],
        value: Option<Vec<u8>>,
    ) -> Result<(), HostError> {
        let slot = self.slot(host, contract, key)?;
        if slot.current == value {
            return Ok(());
        }
        let previous = std::mem::replace(&mut slot.current, value);
        self.undo
            .push(Undo::Storage(contract, key.to_vec(), previous));
        Ok(())
    }

    fn balance_slot(
        &mut self,
        host: &dyn Host,
        address: Address,
    ) -> Result<&mut Slot<U256>, HostError> {
        match self.balances.entry(address) {
            Entry::Occupied(slot) => Ok(slot.into_mut()),
            Entry::Vacant(slot) => {
                let balance = to_u256(host.balance(&address)?);
                Ok(slot.insert(Slot {
                    original: balance,
                    current: balance,
                }))
            }
        }
    }

    /// Native balance.
    pub fn balance(&mut self, host: &dyn Host, address: Address) -> Result<U256, HostError> {
        Ok(self.balance_slot(host, address)?.current)
    }

    /// Sets a native balance.
    pub fn set_balance(
        &mut self,
        host: &dyn Host,
        address: Address,
        balance: U256,
    ) -> Result<(), HostError> {
        let slot = self.balance_slot(host, address)?;
        let previous = std::mem::replace(&mut slot.current, balance);
        self.undo.push(Undo::Balance(address, previous));
        Ok(())
    }

    /// Moves native value; false, and nothing moves, when it does not suffice or the
    /// receiver's balance would overflow.
    pub fn transfer(
        &mut self,
        host: &dyn Host,
        from: Address,
        to: Address,
        amount: U256,
    ) -> Result<bool, HostError> {
        let available = self.balance(host, from)?;
        let Some(left) = available.checked_sub(amount) else {
            return Ok(false);
        };
        if from == to || amount.is_zero() {
            return Ok(true);
        }
        let Some(credited) = self.balance(host, to)?.checked_add(amount) else {
            return Ok(false);
        };
        self.set_balance(host, from, left)?;
        self.set_balance(host, to, credited)?;
        Ok(true)
    }

    /// Code hash of the contract at `address`, one created in this call included.
    pub fn contract(&self, host: &dyn Host, address: Address) -> Result<Option<Hash>, HostError> {
        match self.contracts.get(&address) {
            Some(code) => Ok(Some(*code)),
            None => host.contract(&address),
        }
    }

    /// Puts a contract at a free address.
    pub fn create_contract(&mut self, address: Address, code: Hash) {
        self.contracts.insert(address, code);
        self.undo.push(Undo::Contract(address));
    }

    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
        self.undo.push(Undo::Event);
    }

    pub fn send(&mut self, message: OutboxMessage) {
        self.outbox.push(message);
        self.undo.push(Undo::Message);
    }

    /// Ends the call: entries that ended where they began drop out of the delta.
    pub fn into_effects(self) -> Effects {
        let mut delta = StateDelta::default();
        for (contract, slots) in self.storage {
            let changed: BTreeMap<_, _> = slots
                .into_iter()
                .filter(|(_, slot)| slot.current != slot.original)
                .map(|(key, slot)| (key, slot.current))
                .collect();
            if !changed.is_empty() {
                delta.storage.insert(contract, changed);
            }
        }
        delta.balances = changed_balances(self.balances);
        delta.contracts = self.contracts;
        Effects {
            delta,
            events: self.events,
            outbox: self.outbox,
        }
    }
}

fn changed_balances(balances: BTreeMap<Address, Slot<U256>>) -> BTreeMap<Address, Word> {
    balances
        .into_iter()
        .filter(|(_, slot)| slot.current != slot.original)
        .map(|(address, slot)| (address, to_word(slot.current)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_host::MemoryHost;

    const A: [u8; 20] = [1; 20];
    const B: [u8; 20] = [2; 20];

    fn host() -> MemoryHost {
        let mut host = MemoryHost::new();
        host.set_storage(A.into(), b"kept", Some(b"old"));
        host.set_balance(A.into(), to_word(U256::from(100)));
        host
    }

    #[test]
    fn nested_checkpoints_undo_inner_then_outer() {
        let (host, mut journal) = (host(), Journal::default());
        let a = Address::from(A);
        let outer = journal.checkpoint();
        journal.set(&host, a, b"kept", Some(b"1".to_vec())).unwrap();
        let inner = journal.checkpoint();
        journal.set(&host, a, b"kept", None).unwrap();
        assert!(
            journal
                .transfer(&host, a, B.into(), U256::from(60))
                .unwrap()
        );
        journal.create_contract(B.into(), [9; 32]);
        journal.rollback(inner);
        assert_eq!(journal.get(&host, a, b"kept").unwrap(), Some(&b"1"[..]));
        assert_eq!(journal.balance(&host, a).unwrap(), U256::from(100));
        assert_eq!(journal.contract(&host, B.into()).unwrap(), None);
        journal.rollback(outer);
        assert_eq!(journal.get(&host, a, b"kept").unwrap(), Some(&b"old"[..]));
        assert!(journal.into_effects().delta.is_empty());
    }

    #[test]
    fn a_value_set_back_leaves_no_delta() {
        let (host, mut journal) = (host(), Journal::default());
        let a = Address::from(A);
        journal.set(&host, a, b"kept", None).unwrap();
        journal
            .set(&host, a, b"kept", Some(b"old".to_vec()))
            .unwrap();
        journal.transfer(&host, a, B.into(), U256::from(5)).unwrap();
        journal.transfer(&host, B.into(), a, U256::from(5)).unwrap();
        assert!(journal.into_effects().delta.is_empty());
    }

    #[test]
    fn transfers_neither_overdraw_nor_overflow() {
        let (mut host, mut journal) = (host(), Journal::default());
        host.set_balance(B.into(), to_word(U256::MAX));
        let (a, b) = (Address::from(A), Address::from(B));
        assert!(!journal.transfer(&host, a, b, U256::from(101)).unwrap());
        assert!(!journal.transfer(&host, a, b, U256::from(1)).unwrap());
        assert!(journal.transfer(&host, a, a, U256::from(100)).unwrap());
        assert!(!journal.transfer(&host, a, a, U256::from(101)).unwrap());
        assert_eq!(journal.balance(&host, a).unwrap(), U256::from(100));
    }
}
