//! Lists.

use core::marker::PhantomData;

use super::{Slot, State, Stored, WordValue};
use crate::U256;

/// A list of values: a dynamic array in state.
#[derive(Debug)]
pub struct List<T> {
    slot: Slot,
    of: PhantomData<T>,
}

impl<T: Stored> State for List<T> {
    const SLOTS: u64 = 1;
    fn at(slot: Slot) -> Self {
        Self {
            slot,
            of: PhantomData,
        }
    }
}

impl<T: Stored> List<T> {
    /// Number of elements.
    pub fn len(&self) -> u64 {
        u64::load(self.slot)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn place(&self, index: u64) -> Slot {
        self.slot.elements().plus(index.wrapping_mul(T::SLOTS))
    }

    /// The element at an index, if there is one.
    pub fn get(&self, index: u64) -> Option<T> {
        (index < self.len()).then(|| T::load(self.place(index)))
    }

    /// Replaces the element at an index; panics unless there is one.
    #[track_caller]
    pub fn set(&mut self, index: u64, value: T) {
        assert!(index < self.len(), "the list has no such index");
        value.store(self.place(index));
    }

    /// Adds an element behind the last.
    pub fn push(&mut self, value: T) {
        let length = self.len();
        value.store(self.place(length));
        U256::from(length + 1).store(self.slot);
    }

    /// Removes the last element and gives it.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.len().checked_sub(1)?;
        let value = T::load(self.place(last));
        T::erase(self.place(last));
        last.to_word().store(self.slot);
        Some(value)
    }

    /// All elements in order, each read when it is reached.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        let start = self.slot.elements();
        (0..self.len()).map(move |i| T::load(start.plus(i.wrapping_mul(T::SLOTS))))
    }
}
