//! Mappings.

use alloc::string::String;
use core::marker::PhantomData;

use super::{Slot, State, Stored, Value, View, WordValue};
use crate::{Address, Bytes, FixedBytes, I256, U256};

/// A mapping from keys to places. It knows no length and cannot be walked.
#[derive(Debug)]
pub struct Map<K, S> {
    slot: Slot,
    of: PhantomData<(K, S)>,
}

impl<K, S> State for Map<K, S> {
    const SLOTS: u64 = 1;
    fn at(slot: Slot) -> Self {
        Self {
            slot,
            of: PhantomData,
        }
    }
}

impl<K: MapKey, S: State> Map<K, S> {
    /// The place under a key, to read.
    pub fn at(&self, key: K) -> View<S> {
        View(S::at(key.entry(self.slot)))
    }

    /// The place under a key, to read and write.
    pub fn at_mut(&mut self, key: K) -> S {
        S::at(key.entry(self.slot))
    }
}

impl<K: MapKey, T: Stored> Map<K, Value<T>> {
    /// The value under a key.
    pub fn get(&self, key: K) -> T {
        T::load(key.entry(self.slot))
    }

    /// Sets the value under a key.
    pub fn set(&mut self, key: K, value: T) {
        value.store(key.entry(self.slot));
    }

    /// Removes the value under a key.
    pub fn clear(&mut self, key: K) {
        T::erase(key.entry(self.slot));
    }
}

/// What a [`Map`] can be indexed by.
pub trait MapKey {
    /// Where the entry of the map at `slot` is.
    fn entry(&self, slot: Slot) -> Slot;
}

macro_rules! words {
    ($($ty:ty),*) => {$(
        impl MapKey for $ty {
            fn entry(&self, slot: Slot) -> Slot {
                slot.entry(self.to_word())
            }
        }
    )*};
}
words!(
    u8, u16, u32, u64, u128, U256, i8, i16, i32, i64, i128, I256, bool, Address
);

impl<const N: usize> MapKey for FixedBytes<N> {
    fn entry(&self, slot: Slot) -> Slot {
        slot.entry(self.to_word())
    }
}

impl MapKey for Bytes {
    fn entry(&self, slot: Slot) -> Slot {
        slot.entry_of_bytes(self)
    }
}

impl MapKey for String {
    fn entry(&self, slot: Slot) -> Slot {
        slot.entry_of_bytes(self.as_bytes())
    }
}

impl MapKey for &str {
    fn entry(&self, slot: Slot) -> Slot {
        slot.entry_of_bytes(self.as_bytes())
    }
}
