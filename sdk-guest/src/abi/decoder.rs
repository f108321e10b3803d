//! Reading ABI data.

use super::{AbiType, MAX_DEPTH};
use crate::U256;

/// Reads values from heads and tails, as strictly as Solidity does.
///
/// After a value that is missing or not of its type it gives zeros, and [`decode`](crate::abi::decode)
/// fails in the end: one check instead of one per value keeps contracts small.
#[derive(Debug)]
pub struct Decoder<'a> {
    data: &'a [u8],
    base: usize,
    cursor: usize,
    failed: bool,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            base: 0,
            cursor: 0,
            failed: false,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// Notes that the data is malformed.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    fn rest(&self) -> &'a [u8] {
        match self.failed {
            true => &[],
            false => self.data.get(self.cursor..).unwrap_or_default(),
        }
    }

    /// The next word of the head.
    pub(crate) fn word(&mut self) -> [u8; 32] {
        match self.rest().first_chunk::<32>() {
            Some(word) => {
                self.cursor += 32;
                *word
            }
            None => {
                self.failed = true;
                [0; 32]
            }
        }
    }

    /// The next word as a number.
    pub(crate) fn number(&mut self) -> U256 {
        U256::from_be_bytes(self.word())
    }

    /// The next word as an unsigned number of so many bytes.
    pub(crate) fn unsigned(&mut self, bytes: usize) -> U256 {
        self.filled(bytes, 0)
    }

    /// The next word as the bits of a signed number of so many bytes.
    pub(crate) fn signed(&mut self, bytes: usize) -> U256 {
        let sign = self.rest().get(32 - bytes).copied().unwrap_or(0) >> 7;
        self.filled(bytes, 0u8.wrapping_sub(sign))
    }

    /// The next word, all of whose bytes but the last so many have one value.
    fn filled(&mut self, bytes: usize, fill: u8) -> U256 {
        let word = self.word();
        let above = word.get(..32 - bytes).unwrap_or_default();
        if above.iter().any(|&byte| byte != fill) {
            self.failed = true;
        }
        U256::from_be_bytes(word)
    }

    /// The next word as a number that can address memory: one of four bytes.
    fn size(&mut self) -> usize {
        let [size, ..] = self.unsigned(4).limbs();
        size as usize
    }

    /// Reads an argument, or a result.
    pub(crate) fn parameter<T: AbiType>(&mut self) -> T {
        const { assert!(T::DEPTH <= MAX_DEPTH, "the type is nested too deep") };
        // A head that is read anyway needs no look ahead.
        if T::MIN > T::HEAD && self.rest().len() < T::MIN {
            self.failed = true;
        }
        T::decode(self)
    }

    /// Reads a dynamic value: follows the offset in the head and comes back.
    pub(crate) fn dynamic<T>(&mut self, tail: impl FnOnce(&mut Self) -> T) -> T {
        let offset = self.size();
        let saved = (self.base, self.cursor);
        match self.base.checked_add(offset) {
            Some(at) => self.cursor = at,
            None => self.failed = true,
        }
        self.base = self.cursor;
        let value = tail(self);
        (self.base, self.cursor) = saved;
        value
    }

    /// In a tail: the number of elements that follow, each of at least `each` bytes. Opens
    /// their frame.
    pub(crate) fn length(&mut self, each: usize) -> usize {
        let length = self.size();
        self.base = self.cursor;
        if length
            .checked_mul(each)
            .is_some_and(|bytes| bytes <= self.rest().len())
        {
            return length;
        }
        self.failed = true;
        0
    }

    /// In a tail: the bytes of a byte string.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let length = self.length(1);
        self.rest().get(..length).unwrap_or_default()
    }
}
