//! The net effect of a call on the chain's state.

use std::collections::BTreeMap;

use aivm_abi::{Address, Word};

use crate::host::Hash;

/// Domain of the state-delta hash, so that it equals no other hash of the same bytes.
const DOMAIN: &[u8] = b"aivm state delta v1\0";

/// What [`Host::commit`](crate::Host::commit) has to apply: only entries whose new value
/// differs from the one before the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateDelta {
    /// New storage values by contract and key; `None` removes the entry.
    pub storage: BTreeMap<Address, BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
    /// New balances.
    pub balances: BTreeMap<Address, Word>,
    /// New contracts and their code hashes.
    pub contracts: BTreeMap<Address, Hash>,
    /// New code by its hash.
    pub codes: BTreeMap<Hash, Vec<u8>>,
    /// New models by their content address.
    pub models: BTreeMap<Hash, Vec<u8>>,
}

impl StateDelta {
    /// True when there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.storage.values().all(BTreeMap::is_empty)
            && self.balances.is_empty()
            && self.contracts.is_empty()
            && self.codes.is_empty()
            && self.models.is_empty()
    }

    /// BLAKE3 over the entries in ascending order, each length-prefixed.
    pub fn hash(&self) -> Hash {
        let mut h = Hasher::new();
        h.section(b's', self.storage.len());
        for (contract, entries) in &self.storage {
            h.bytes(&contract.0);
            h.length(entries.len());
            for (key, value) in entries {
                h.bytes(key);
                match value {
                    Some(value) => {
                        h.raw(&[1]);
                        h.bytes(value);
                    }
                    None => h.raw(&[0]),
                }
            }
        }
        h.section(b'b', self.balances.len());
        for (address, balance) in &self.balances {
            h.bytes(&address.0);
            h.bytes(&balance.to_be_bytes());
        }
        h.section(b'c', self.contracts.len());
        for (address, code) in &self.contracts {
            h.bytes(&address.0);
            h.bytes(code);
        }
        h.section(b'w', self.codes.len());
        for (hash, code) in &self.codes {
            h.bytes(hash);
            h.bytes(code);
        }
        h.section(b'm', self.models.len());
        for (hash, model) in &self.models {
            h.bytes(hash);
            h.bytes(model);
        }
        h.finish()
    }
}

/// Bytes that are hashed together: many short updates take longer than one.
const TOGETHER: usize = 16 * 1024;

/// Length-prefixed hashing, so that no two deltas share their bytes.
struct Hasher {
    gathered: Vec<u8>,
    /// Holds what no longer was to be gathered.
    inner: Option<Box<blake3::Hasher>>,
}

impl Hasher {
    fn new() -> Self {
        // Enough for a few entries.
        let mut gathered = Vec::with_capacity(1024);
        gathered.extend_from_slice(DOMAIN);
        Self {
            gathered,
            inner: None,
        }
    }

    fn section(&mut self, tag: u8, entries: usize) {
        self.raw(&[tag]);
        self.length(entries);
    }

    fn length(&mut self, length: usize) {
        self.raw(&(length as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }

    #[inline]
    fn raw(&mut self, bytes: &[u8]) {
        if self.gathered.len() + bytes.len() > TOGETHER {
            let inner = self.inner.get_or_insert_default();
            inner.update(&self.gathered).update(bytes);
            self.gathered.clear();
        } else {
            self.gathered.extend_from_slice(bytes);
        }
    }

    fn finish(self) -> Hash {
        match self.inner {
            Some(mut inner) => inner.update(&self.gathered).finalize().into(),
            None => blake3::hash(&self.gathered).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_entry(key: &[u8], value: Option<&[u8]>) -> StateDelta {
        let mut delta = StateDelta::default();
        delta
            .storage
            .entry(Address::from([1; 20]))
            .or_default()
            .insert(key.to_vec(), value.map(<[u8]>::to_vec));
        delta
    }

    /// Against the format written out with nothing but appending.
    #[test]
    fn the_hash_is_that_of_the_bytes_however_many() {
        for size in [0, 1, 900, 15_000, 16_300, 16_384, 40_000, 200_000] {
            let mut delta = with_entry(b"key", Some(&vec![7; size]));
            delta.codes.insert([3; 32], vec![9; size / 2]);
            let mut bytes = DOMAIN.to_vec();
            let number = |n: usize| (n as u64).to_le_bytes();
            bytes.push(b's');
            bytes.extend(number(1));
            bytes.extend(number(20));
            bytes.extend([1; 20]);
            bytes.extend(number(1));
            bytes.extend(number(3));
            bytes.extend(b"key");
            bytes.push(1);
            bytes.extend(number(size));
            bytes.extend(vec![7; size]);
            for (tag, count) in [(b'b', 0), (b'c', 0), (b'w', 1)] {
                bytes.push(tag);
                bytes.extend(number(count));
            }
            bytes.extend(number(32));
            bytes.extend([3; 32]);
            bytes.extend(number(size / 2));
            bytes.extend(vec![9; size / 2]);
            bytes.push(b'm');
            bytes.extend(number(0));
            assert_eq!(delta.hash(), *blake3::hash(&bytes).as_bytes(), "{size}");
        }
    }

    #[test]
    fn each_difference_changes_the_hash() {
        let deltas = [
            StateDelta::default(),
            with_entry(b"a", None),
            with_entry(b"a", Some(b"")),
            with_entry(b"a", Some(b"b")),
            with_entry(b"ab", Some(b"")),
        ];
        for (i, a) in deltas.iter().enumerate() {
            for (j, b) in deltas.iter().enumerate() {
                assert_eq!(a.hash() == b.hash(), i == j, "{i} and {j}");
            }
        }
    }
}
