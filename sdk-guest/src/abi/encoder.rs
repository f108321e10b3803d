//! Writing ABI data.

use alloc::vec::Vec;

use crate::U256;

/// Writes values in heads and tails.
///
/// Values of the frame that is open are written to its head one after the other; dynamic ones
/// leave an offset there and put themselves at the end of the output.
#[derive(Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
    base: usize,
    cursor: usize,
}

impl Encoder {
    /// With an open frame whose head has `head` bytes.
    pub fn with_head(head: usize) -> Self {
        let mut new = Self::default();
        new.frame(head);
        new
    }

    /// As [`with_head`](Self::with_head), behind a selector.
    pub fn after(selector: [u8; 4], head: usize) -> Self {
        let mut new = Self::default();
        new.put(&selector);
        new.frame(head);
        new
    }

    /// The data.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Writes a tuple whose parts have heads of `head` bytes together.
    pub fn tuple(&mut self, dynamic: bool, head: usize, parts: impl FnOnce(&mut Self)) {
        match dynamic {
            true => self.dynamic(|to| {
                to.frame(head);
                parts(to);
            }),
            false => parts(self),
        }
    }

    /// Writes 32 bytes to the head.
    pub(crate) fn word(&mut self, word: [u8; 32]) {
        if let Some(place) = self.out.get_mut(self.cursor..)
            && let Some(place) = place.first_chunk_mut::<32>()
        {
            *place = word;
        }
        self.cursor += 32;
    }

    /// Writes a number to the head.
    pub(crate) fn number(&mut self, value: U256) {
        self.word(value.to_be_bytes());
    }

    /// Writes a dynamic value: its offset to the head, and what `tail` writes to the end.
    pub(crate) fn dynamic(&mut self, tail: impl FnOnce(&mut Self)) {
        self.number(((self.out.len() - self.base) as u64).into());
        let saved = (self.base, self.cursor);
        tail(self);
        (self.base, self.cursor) = saved;
    }

    /// In a tail: opens a frame with a head of `head` bytes.
    pub(crate) fn frame(&mut self, head: usize) {
        self.base = self.out.len();
        self.cursor = self.base;
        self.grow(head);
    }

    /// In a tail: writes the length of what follows.
    pub(crate) fn length(&mut self, length: usize) {
        self.put(&U256::from(length as u64).to_be_bytes());
    }

    /// In a tail: writes bytes, padded with zeros to whole words.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.put(bytes);
        self.grow(bytes.len().wrapping_neg() % 32);
    }

    fn put(&mut self, bytes: &[u8]) {
        let start = self.out.len();
        self.grow(bytes.len());
        let places = self.out.iter_mut().skip(start);
        places.zip(bytes).for_each(|(place, byte)| *place = *byte);
    }

    /// Adds so many zeros. In Wasm the general growth of `Vec`, and the message it has for a failed
    /// allocation, would be a third of a small contract.
    #[cfg(all(target_arch = "wasm32", feature = "runtime"))]
    fn grow(&mut self, bytes: usize) {
        crate::runtime::add_zeros(&mut self.out, bytes);
    }

    /// Adds so many zeros.
    #[cfg(not(all(target_arch = "wasm32", feature = "runtime")))]
    fn grow(&mut self, bytes: usize) {
        self.out.resize(self.out.len() + bytes, 0);
    }
}
