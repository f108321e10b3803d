//! The state of a chain, and the hash of what a transaction changed in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aivm::{Address, Word};
use aivm_abi::host::messaging::Message;
use aivm_abi::receipt::{Event, OutboxMessage};
use alloy_primitives::U256;

use super::Fault;
use super::nn::Registered;
use crate::vector::Answer;

pub(super) type Hash = [u8; 32];

/// Everything that a transaction can undo. A checkpoint is a copy of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub storage: BTreeMap<Address, BTreeMap<Vec<u8>, Vec<u8>>>,
    pub balances: BTreeMap<Address, Word>,
    pub contracts: BTreeMap<Address, Hash>,
    /// Of the transaction that runs.
    pub events: Vec<Event>,
    pub outbox: Vec<OutboxMessage>,
}

/// Code and models, which no transaction undoes.
#[derive(Clone, Debug, Default)]
pub(super) struct Library {
    pub codes: BTreeMap<Hash, Arc<Vec<u8>>>,
    pub models: BTreeMap<Hash, Arc<Registered>>,
}

/// What the chain itself brings to contracts: models' names, messages from other chains, and
/// functions of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    pub names: BTreeMap<String, Hash>,
    pub inbox: BTreeMap<Hash, Arrived>,
    /// What each function answers, with its gas, by its name and arguments.
    pub functions: BTreeMap<(String, Vec<u8>), (u64, Answer)>,
}

/// A message that the chain has verified.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub recipient: Address,
    /// The chain that it was sent to.
    pub destination: u64,
    pub message: Message,
}

/// The block that a transaction runs in.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub chain_id: u64,
    pub number: u64,
    pub timestamp: u64,
    /// PQ-Gas that its transactions have used.
    pub pq: u64,
}

/// Where transactions run: all that they cannot change.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub library: Library,
    pub outside: Outside,
    pub block: Block,
}

impl Library {
    /// Keeps code under its hash.
    pub fn add_code(&mut self, wasm: &[u8]) -> Hash {
        let hash = blake3::derive_key("aivm contract code v1", wasm);
        self.codes.insert(hash, Arc::new(wasm.to_vec()));
        hash
    }
}

impl Ledger {
    pub fn balance(&self, account: &Address) -> Word {
        self.balances.get(account).copied().unwrap_or_default()
    }

    /// Moves native value; false, and nothing moves, when it does not suffice or would be more
    /// than a word holds.
    pub fn transfer(&mut self, from: Address, to: Address, amount: Word) -> bool {
        let amount: U256 = amount.into();
        let available: U256 = self.balance(&from).into();
        let Some(left) = available.checked_sub(amount) else {
            return false;
        };
        if from == to {
            return true;
        }
        let present: U256 = self.balance(&to).into();
        let Some(credited) = present.checked_add(amount) else {
            return false;
        };
        self.balances.insert(from, left.into());
        self.balances.insert(to, credited.into());
        true
    }

    /// Goes back to a checkpoint.
    pub fn undo(&mut self, checkpoint: &Self, fault: Option<Fault>) {
        let storage = std::mem::take(&mut self.storage);
        *self = checkpoint.clone();
        if fault == Some(Fault::Revert) {
            self.storage = storage;
        }
    }

    /// BLAKE3 of what is other than in `before`, as `docs/receipts.md` lays it out.
    pub fn delta_since(&self, before: &Self) -> Hash {
        let mut delta = Delta::default();
        let empty = BTreeMap::new();
        let mut storage = Vec::new();
        let contracts: std::collections::BTreeSet<&Address> =
            self.storage.keys().chain(before.storage.keys()).collect();
        for contract in contracts {
            let old = before.storage.get(contract).unwrap_or(&empty);
            let new = self.storage.get(contract).unwrap_or(&empty);
            let keys: std::collections::BTreeSet<&Vec<u8>> = old.keys().chain(new.keys()).collect();
            let changed: Vec<_> = keys
                .into_iter()
                .filter(|key| old.get(*key) != new.get(*key))
                .map(|key| (key, new.get(key)))
                .collect();
            if !changed.is_empty() {
                storage.push((contract, changed));
            }
        }
        delta.section(b's', storage.len());
        for (contract, entries) in storage {
            delta.bytes(&contract.0);
            delta.length(entries.len());
            for (key, value) in entries {
                delta.bytes(key);
                delta.0.push(u8::from(value.is_some()));
                if let Some(value) = value {
                    delta.bytes(value);
                }
            }
        }
        let balances: Vec<_> = self
            .balances
            .iter()
            .filter(|(account, balance)| before.balance(account) != **balance)
            .collect();
        delta.section(b'b', balances.len());
        for (account, balance) in balances {
            delta.bytes(&account.0);
            delta.bytes(&balance.to_be_bytes());
        }
        let created: Vec<_> = self
            .contracts
            .iter()
            .filter(|(contract, _)| !before.contracts.contains_key(contract))
            .collect();
        delta.section(b'c', created.len());
        for (contract, code) in created {
            delta.bytes(&contract.0);
            delta.bytes(code);
        }
        delta.section(b'w', 0);
        delta.section(b'm', 0);
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"aivm state delta v1\0");
        hasher.update(&delta.0);
        *hasher.finalize().as_bytes()
    }
}

/// Bytes of a delta, each piece with its length.
#[derive(Default)]
struct Delta(Vec<u8>);

impl Delta {
    fn section(&mut self, tag: u8, entries: usize) {
        self.0.push(tag);
        self.length(entries);
    }

    fn length(&mut self, length: usize) {
        self.0.extend((length as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend(bytes);
    }
}
