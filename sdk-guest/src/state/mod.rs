//! Typed persistent state, in the layout that SynQ contracts use.
//!
//! Each value takes a slot of its own, numbered in the order of declaration; a struct or array
//! takes its parts' slots in order. The entry of a [`Map`] is at BLAKE3(key ‖ slot), the elements
//! of a [`List`] start at BLAKE3(slot) and its length is at the slot. Byte strings and text are
//! one entry of any length under the slot's 32 bytes.

mod list;
mod map;
mod slot;
mod value;

pub use list::List;
pub use map::{Map, MapKey};
pub use slot::Slot;
pub use value::{Stored, Value, WordValue};

use core::ops::Deref;

/// A place in state: [`Value`], [`Map`], [`List`], and structs of them by `#[derive(State)]`.
pub trait State {
    /// Number of slots that it takes.
    const SLOTS: u64;

    /// The place that begins at a slot.
    fn at(slot: Slot) -> Self;
}

/// A place that may be read only.
#[derive(Debug)]
pub struct View<S>(S);

impl<S> Deref for View<S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.0
    }
}
