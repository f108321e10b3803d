//! Single values in state.

use alloc::string::String;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::{Slot, State};
use crate::{Address, Bytes, FixedBytes, I256, U256, storage};

/// A value in state. An entry that was never written is the default: zero, false, empty.
#[derive(Debug)]
pub struct Value<T> {
    slot: Slot,
    of: PhantomData<T>,
}

impl<T: Stored> State for Value<T> {
    const SLOTS: u64 = T::SLOTS;
    fn at(slot: Slot) -> Self {
        Self {
            slot,
            of: PhantomData,
        }
    }
}

impl<T: Stored> Value<T> {
    /// Reads it.
    pub fn get(&self) -> T {
        T::load(self.slot)
    }

    /// Writes it.
    pub fn set(&mut self, value: T) {
        value.store(self.slot);
    }

    /// Makes it the default again and frees its storage.
    pub fn clear(&mut self) {
        T::erase(self.slot);
    }
}

/// What a [`Value`] can hold.
pub trait Stored: Sized {
    /// Slots that it takes.
    const SLOTS: u64 = 1;
    /// Reads it.
    fn load(slot: Slot) -> Self;
    /// Writes it.
    fn store(&self, slot: Slot);
    /// Removes its entries.
    fn erase(slot: Slot);
}

/// What fits one word.
pub trait WordValue: Sized {
    /// As a word.
    fn to_word(&self) -> U256;
    /// From a word that [`to_word`](Self::to_word) made.
    fn from_word(word: U256) -> Self;
}

impl<T: WordValue> Stored for T {
    fn load(slot: Slot) -> Self {
        Self::from_word(storage::load(slot.word()).into())
    }
    fn store(&self, slot: Slot) {
        storage::store(slot.word(), self.to_word().into());
    }
    fn erase(slot: Slot) {
        storage::store(slot.word(), U256::ZERO.into());
    }
}

macro_rules! unsigned {
    ($($ty:ty),*) => {$(
        impl WordValue for $ty {
            fn to_word(&self) -> U256 {
                U256::from(*self)
            }
            fn from_word(word: U256) -> Self {
                let [low, ..] = word.limbs();
                low as $ty
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64);

macro_rules! signed {
    ($($ty:ty),*) => {$(
        impl WordValue for $ty {
            fn to_word(&self) -> U256 {
                I256::from(*self).bits()
            }
            fn from_word(word: U256) -> Self {
                let [low, ..] = word.limbs();
                low as $ty
            }
        }
    )*};
}
signed!(i8, i16, i32, i64);

impl WordValue for u128 {
    fn to_word(&self) -> U256 {
        U256::from(*self)
    }
    fn from_word(word: U256) -> Self {
        let [low, high, ..] = word.limbs();
        u128::from(high) << 64 | u128::from(low)
    }
}

impl WordValue for i128 {
    fn to_word(&self) -> U256 {
        I256::from(*self).bits()
    }
    fn from_word(word: U256) -> Self {
        u128::from_word(word) as Self
    }
}

impl WordValue for U256 {
    fn to_word(&self) -> U256 {
        *self
    }
    fn from_word(word: U256) -> Self {
        word
    }
}

impl WordValue for I256 {
    fn to_word(&self) -> U256 {
        self.bits()
    }
    fn from_word(word: U256) -> Self {
        Self::from_bits(word)
    }
}

impl WordValue for bool {
    fn to_word(&self) -> U256 {
        U256::from(*self)
    }
    fn from_word(word: U256) -> Self {
        !word.is_zero()
    }
}

impl WordValue for Address {
    fn to_word(&self) -> U256 {
        U256::from(*self)
    }
    fn from_word(word: U256) -> Self {
        Self::from_u256(word)
    }
}

/// Left-aligned in the word, as in the ABI.
impl<const N: usize> WordValue for FixedBytes<N> {
    fn to_word(&self) -> U256 {
        U256::from_be_bytes(crate::abi::left_aligned(&self.0))
    }
    fn from_word(word: U256) -> Self {
        match word.to_be_bytes().first_chunk::<N>() {
            Some(bytes) => Self(*bytes),
            None => Self([0; N]),
        }
    }
}

fn load_bytes(slot: Slot) -> Vec<u8> {
    storage::get(&slot.key()).unwrap_or_default()
}

fn store_bytes(slot: Slot, bytes: &[u8]) {
    match bytes {
        [] => {
            storage::remove(&slot.key());
        }
        _ => storage::set(&slot.key(), bytes),
    }
}

impl Stored for Bytes {
    fn load(slot: Slot) -> Self {
        Self(load_bytes(slot))
    }
    fn store(&self, slot: Slot) {
        store_bytes(slot, self);
    }
    fn erase(slot: Slot) {
        store_bytes(slot, &[]);
    }
}

/// Bytes that are not UTF-8, which this type never writes, read as empty.
impl Stored for String {
    fn load(slot: Slot) -> Self {
        Self::from_utf8(load_bytes(slot)).unwrap_or_default()
    }
    fn store(&self, slot: Slot) {
        store_bytes(slot, self.as_bytes());
    }
    fn erase(slot: Slot) {
        store_bytes(slot, &[]);
    }
}

impl<T: Stored, const N: usize> Stored for [T; N] {
    const SLOTS: u64 = T::SLOTS * N as u64;
    fn load(slot: Slot) -> Self {
        core::array::from_fn(|i| T::load(slot.plus(T::SLOTS * i as u64)))
    }
    fn store(&self, slot: Slot) {
        let slots = (0..).map(|i| slot.plus(T::SLOTS * i));
        self.iter()
            .zip(slots)
            .for_each(|(item, slot)| item.store(slot));
    }
    fn erase(slot: Slot) {
        (0..N as u64).for_each(|i| T::erase(slot.plus(T::SLOTS * i)));
    }
}
