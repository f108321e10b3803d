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
use crate::engine::on_host_stack;
use crate::host::{Hash, Host, HostError, Peeked};
use crate::math::{to_u256, to_word};
use crate::slots::{Original, Slots, Value};

/// Bytes of a value that are read to learn whether there is one.
const PEEKED: usize = 1_024;

/// Where the undo log stood when a checkpoint was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint(usize);

/// A balance at the start of the call and now.
#[derive(Debug)]
struct Balance {
    original: U256,
    current: U256,
}

/// A contract whose storage was looked at: its place in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StorageId(usize);

/// An entry that was read or written: a place in the journal that stays the same as long as
/// the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryId {
    contract: StorageId,
    slot: usize,
}

/// What undoes one change.
#[derive(Debug)]
enum Undo {
    Storage(EntryId, Value),
    Balance(Address, U256),
    Contract(Address),
    Event,
    Message,
}

/// The overlay with its undo log.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Which place a contract has.
    places: BTreeMap<Address, StorageId>,
    storage: Vec<(Address, Slots)>,
    balances: BTreeMap<Address, Balance>,
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
            Undo::Storage(entry, value) => {
                if let Some((_, slots)) = self.storage.get_mut(entry.contract.0) {
                    slots.put_back(entry.slot, value);
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

    /// The place of a contract's storage.
    pub fn storage_of(&mut self, contract: Address) -> StorageId {
        let next = StorageId(self.storage.len());
        let place = *self.places.entry(contract).or_insert(next);
        if place == next {
            self.storage.push((contract, Slots::default()));
        }
        place
    }

    /// The entry, if it was read or written before in this transaction.
    #[inline]
    pub fn warm(&self, contract: StorageId, key: &[u8]) -> Option<EntryId> {
        let (_, slots) = self.storage.get(contract.0)?;
        let slot = slots.find(key)?;
        Some(EntryId { contract, slot })
    }

    /// The entry, asked of the chain; `read` says whether its value is wanted however long it is.
    /// It must not be warm.
    pub fn warm_up(
        &mut self,
        host: &dyn Host,
        contract: StorageId,
        key: &[u8],
        read: bool,
    ) -> Result<EntryId, HostError> {
        let Some((address, slots)) = self.storage.get_mut(contract.0) else {
            return Err(HostError::new("storage that no contract has"));
        };
        let original = on_host_stack(|| match read {
            true => host.storage_get(address, key).map(Original::Read),
            false => Ok(match host.storage_peek(address, key, PEEKED)? {
                None => Original::Read(None),
                Some(Peeked::Value(value)) => Original::Read(Some(value)),
                Some(Peeked::Longer(length)) => Original::Unread(length),
            }),
        })?;
        let slot = slots.insert(key, original);
        Ok(EntryId { contract, slot })
    }

    /// Value of an entry.
    pub fn value(&mut self, host: &dyn Host, entry: EntryId) -> Result<Option<&[u8]>, HostError> {
        let Some((address, slots)) = self.storage.get_mut(entry.contract.0) else {
            return Ok(None);
        };
        if let Some(key) = slots.unread(entry.slot) {
            let value = on_host_stack(|| host.storage_get(address, key))?;
            read(slots, entry, value)?;
        }
        Ok(slots.value(entry.slot))
    }

    /// Whether an entry has a value.
    pub fn is_present(&self, entry: EntryId) -> bool {
        let storage = self.storage.get(entry.contract.0);
        storage.is_some_and(|(_, slots)| slots.is_present(entry.slot))
    }

    /// Whether an entry has a value, and whether `value` would be another.
    pub fn compare(
        &mut self,
        host: &dyn Host,
        entry: EntryId,
        value: Option<&[u8]>,
    ) -> Result<(bool, bool), HostError> {
        let Some((address, slots)) = self.storage.get_mut(entry.contract.0) else {
            return Ok((false, value.is_some()));
        };
        // What is as long may be the same, now or in the end.
        if let Some(length) = value.map(<[u8]>::len)
            && let Some(key) = slots.unread_of(entry.slot, length)
        {
            let value = on_host_stack(|| host.storage_get(address, key))?;
            read(slots, entry, value)?;
        }
        Ok((slots.is_present(entry.slot), !slots.is(entry.slot, value)))
    }

    /// Sets or removes an entry, which was compared with the value.
    pub fn set(&mut self, entry: EntryId, value: Option<&[u8]>) {
        let Some((_, slots)) = self.storage.get_mut(entry.contract.0) else {
            return;
        };
        if let Some(previous) = slots.set(entry.slot, value) {
            self.undo.push(Undo::Storage(entry, previous));
        }
    }

    fn balance_slot(
        &mut self,
        host: &dyn Host,
        address: Address,
    ) -> Result<&mut Balance, HostError> {
        match self.balances.entry(address) {
            Entry::Occupied(slot) => Ok(slot.into_mut()),
            Entry::Vacant(slot) => {
                let balance = to_u256(host.balance(&address)?);
                Ok(slot.insert(Balance {
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
            let changed = slots.into_changes();
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

/// Takes up the value of an entry that was only peeked at.
fn read(slots: &mut Slots, entry: EntryId, value: Option<Vec<u8>>) -> Result<(), HostError> {
    match slots.read(entry.slot, value) {
        true => Ok(()),
        false => Err(HostError::new("a value is not as long as it was")),
    }
}

fn changed_balances(balances: BTreeMap<Address, Balance>) -> BTreeMap<Address, Word> {
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

    impl Journal {
        fn entry(&mut self, host: &MemoryHost, contract: Address, key: &[u8]) -> EntryId {
            let storage = self.storage_of(contract);
            match self.warm(storage, key) {
                Some(entry) => entry,
                None => self.warm_up(host, storage, key, true).unwrap(),
            }
        }
    }

    #[test]
    fn nested_checkpoints_undo_inner_then_outer() {
        let (host, mut journal) = (host(), Journal::default());
        let a = Address::from(A);
        let outer = journal.checkpoint();
        let kept = journal.entry(&host, a, b"kept");
        journal.set(kept, Some(b"1"));
        let inner = journal.checkpoint();
        journal.set(kept, None);
        assert!(
            journal
                .transfer(&host, a, B.into(), U256::from(60))
                .unwrap()
        );
        journal.create_contract(B.into(), [9; 32]);
        journal.rollback(inner);
        assert_eq!(journal.value(&host, kept).unwrap(), Some(&b"1"[..]));
        assert_eq!(journal.balance(&host, a).unwrap(), U256::from(100));
        assert_eq!(journal.contract(&host, B.into()).unwrap(), None);
        journal.rollback(outer);
        assert_eq!(journal.value(&host, kept).unwrap(), Some(&b"old"[..]));
        assert_eq!(journal.entry(&host, a, b"kept"), kept);
        assert!(journal.into_effects().delta.is_empty());
    }

    #[test]
    fn a_value_set_back_leaves_no_delta() {
        let (host, mut journal) = (host(), Journal::default());
        let a = Address::from(A);
        let kept = journal.entry(&host, a, b"kept");
        journal.set(kept, None);
        assert_eq!(journal.value(&host, kept).unwrap(), None);
        journal.set(kept, Some(b"old"));
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
