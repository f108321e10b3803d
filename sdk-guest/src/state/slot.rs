//! Keys of 32 bytes.

use crate::{U256, Word, crypto};

/// Number of a slot: a key of 32 bytes in the contract's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot([u64; 4]);

impl Slot {
    /// The first slot of a contract.
    pub const FIRST: Self = Self([0; 4]);

    /// So many slots further. The lowest 64 bits count, without a carry.
    pub const fn plus(self, slots: u64) -> Self {
        let [low, a, b, c] = self.0;
        Self([low.wrapping_add(slots), a, b, c])
    }

    /// The slot as a word.
    pub fn word(self) -> Word {
        U256::from_limbs(self.0).into()
    }

    /// The key as bytes.
    pub fn key(self) -> [u8; 32] {
        U256::from_limbs(self.0).to_be_bytes()
    }

    fn le_bytes(self) -> [u8; 32] {
        le_bytes(self.0)
    }

    /// Where the elements of a list at this slot begin.
    pub(super) fn elements(self) -> Self {
        hash(&self.le_bytes())
    }

    /// Where the entry of a map at this slot is, for a key of one word.
    pub(super) fn entry(self, key: U256) -> Self {
        hash([le_bytes(key.limbs()), self.le_bytes()].as_flattened())
    }

    /// Where the entry of a map at this slot is, for a key of bytes.
    pub(super) fn entry_of_bytes(self, key: &[u8]) -> Self {
        let mut bytes = key.to_vec();
        bytes.extend_from_slice(&self.le_bytes());
        hash(&bytes)
    }
}

fn le_bytes(limbs: [u64; 4]) -> [u8; 32] {
    match limbs.map(u64::to_le_bytes).as_flattened().first_chunk() {
        Some(bytes) => *bytes,
        None => [0; 32],
    }
}

fn hash(bytes: &[u8]) -> Slot {
    Slot(U256::from(crypto::blake3(bytes)).limbs())
}
