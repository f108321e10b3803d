//! 256-bit words, as `types.word` in the WIT states them.

use std::fmt;
use std::str::FromStr;

/// A 256-bit value as four 64-bit limbs, least significant first.
///
/// Where bytes are needed (a storage key, a hash, an event topic) it is the 32
/// big-endian bytes of the number, as in the Solidity ABI.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Word(pub [u64; 4]);

impl Word {
    /// Zero.
    pub const ZERO: Self = Self([0; 4]);

    /// The number written in 32 big-endian bytes.
    #[inline]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        let [
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6,
            a7,
            b0,
            b1,
            b2,
            b3,
            b4,
            b5,
            b6,
            b7,
            c0,
            c1,
            c2,
            c3,
            c4,
            c5,
            c6,
            c7,
            d0,
            d1,
            d2,
            d3,
            d4,
            d5,
            d6,
            d7,
        ] = bytes;
        Self([
            u64::from_be_bytes([d0, d1, d2, d3, d4, d5, d6, d7]),
            u64::from_be_bytes([c0, c1, c2, c3, c4, c5, c6, c7]),
            u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]),
            u64::from_be_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
        ])
    }

    /// The number as 32 big-endian bytes.
    #[inline]
    pub fn to_be_bytes(self) -> [u8; 32] {
        let [l0, l1, l2, l3] = self.0;
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip([l3, l2, l1, l0]) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    }

    /// The number as 32 little-endian bytes: its form in guest memory.
    #[inline]
    pub fn to_le_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    /// True for zero.
    #[inline]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 4]
    }

    /// The number as a `u64`, if it fits.
    pub fn to_u64(self) -> Option<u64> {
        match self.0 {
            [low, 0, 0, 0] => Some(low),
            _ => None,
        }
    }

    /// The number in decimal digits, for people; [`Display`](fmt::Display) is the form for programs.
    pub fn to_decimal(self) -> String {
        alloy_primitives::U256::from_limbs(self.0).to_string()
    }
}

impl From<u64> for Word {
    fn from(value: u64) -> Self {
        Self([value, 0, 0, 0])
    }
}

impl From<u128> for Word {
    fn from(value: u128) -> Self {
        Self([value as u64, (value >> 64) as u64, 0, 0])
    }
}

impl From<[u8; 32]> for Word {
    fn from(bytes: [u8; 32]) -> Self {
        Self::from_be_bytes(bytes)
    }
}

impl From<Word> for [u8; 32] {
    fn from(word: Word) -> Self {
        word.to_be_bytes()
    }
}

impl From<alloy_primitives::U256> for Word {
    fn from(value: alloy_primitives::U256) -> Self {
        Self(value.into_limbs())
    }
}

impl From<Word> for alloy_primitives::U256 {
    fn from(word: Word) -> Self {
        Self::from_limbs(word.0)
    }
}

/// Words order as the numbers they are.
impl Ord for Word {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({self})")
    }
}

/// `0x` and 64 hexadecimal digits.
impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.to_be_bytes()))
    }
}

/// Text that is not `0x` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a word is `0x` and 64 hexadecimal digits")]
pub struct BadWord;

impl FromStr for Word {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        let mut bytes = [0; 32];
        let digits = text.strip_prefix("0x").ok_or(BadWord)?;
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| BadWord)?;
        Ok(Self::from_be_bytes(bytes))
    }
}

crate::text::serde_as_text!(Word);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limbs_are_least_significant_first() {
        let mut bytes = [0; 32];
        bytes[31] = 1;
        bytes[0] = 0x80;
        let word = Word::from_be_bytes(bytes);
        assert_eq!(word.0, [1, 0, 0, 0x8000_0000_0000_0000]);
        assert_eq!(word.to_be_bytes(), bytes);
        let mut reversed = bytes;
        reversed.reverse();
        assert_eq!(word.to_le_bytes(), reversed);
    }

    #[test]
    fn words_order_as_numbers() {
        assert!(Word([0, 1, 0, 0]) > Word([u64::MAX, 0, 0, 0]));
        assert!(Word([1, 0, 0, 2]) > Word([9, 9, 9, 1]));
        assert_eq!(Word::from(7u64).to_u64(), Some(7));
        assert_eq!(Word([7, 1, 0, 0]).to_u64(), None);
        assert_eq!(Word::ZERO.to_decimal(), "0");
        assert_eq!(Word([7, 1, 0, 0]).to_decimal(), "18446744073709551623");
    }
}
