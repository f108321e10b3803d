//! The contract's own persistent state.

use super::{BAD_ARGUMENT, writes};
use crate::testing::world::{frame, trap, with};
use crate::{U256, Word};

fn write(key: &[u8], value: Option<&[u8]>) -> bool {
    writes();
    let this = frame(|frame| frame.this);
    with(|world| {
        let entries = world.state.storage.entry(this).or_default();
        let before = match value {
            Some(value) => entries.insert(key.to_vec(), value.to_vec()),
            None => entries.remove(key),
        };
        before.is_some()
    })
}

/// Value under a 32-byte key; zero when absent.
pub fn load(key: Word) -> Word {
    let value = match get(&U256::from(key).to_be_bytes()) {
        None => U256::ZERO,
        Some(value) => match <[u8; 32]>::try_from(value) {
            Ok(bytes) => U256::from_be_bytes(bytes),
            Err(_) => trap(BAD_ARGUMENT),
        },
    };
    value.into()
}

/// Sets the value under a 32-byte key; zero removes the entry.
pub fn store(key: Word, value: Word) {
    let (key, value) = (U256::from(key).to_be_bytes(), U256::from(value));
    let bytes = value.to_be_bytes();
    write(&key, (!value.is_zero()).then_some(bytes.as_slice()));
}

/// Value under `key`, if there is one.
pub fn get(key: &[u8]) -> Option<Vec<u8>> {
    let this = frame(|frame| frame.this);
    with(|world| world.state.storage.get(&this)?.get(key).cloned())
}

/// Sets the value under `key`.
pub fn set(key: &[u8], value: &[u8]) {
    write(key, Some(value));
}

/// Removes `key`; tells whether it was there.
pub fn remove(key: &[u8]) -> bool {
    write(key, None)
}

/// Tells whether `key` is there.
pub fn has(key: &[u8]) -> bool {
    get(key).is_some()
}
