//! Integer types, and numbers that are too large for none of them.

use alloy_primitives::{U256, U512};

use crate::abi::selector;

/// An integer type: whether it is signed, and its bits.
#[derive(Clone, Copy)]
pub struct Int(pub bool, pub u32);

pub const TYPES: [Int; 12] = [
    Int(false, 8),
    Int(false, 16),
    Int(false, 32),
    Int(false, 64),
    Int(false, 128),
    Int(false, 256),
    Int(true, 8),
    Int(true, 16),
    Int(true, 32),
    Int(true, 64),
    Int(true, 128),
    Int(true, 256),
];

/// A number that is too large for no type: a sign and a magnitude.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Number {
    pub negative: bool,
    pub size: U512,
}

impl Number {
    pub fn new(negative: bool, size: U512) -> Self {
        Self {
            negative: negative && !size.is_zero(),
            size,
        }
    }
    pub fn small(v: i64) -> Self {
        Self::new(v < 0, U512::from(v.unsigned_abs()))
    }
    pub fn add(self, other: Self) -> Self {
        if self.negative == other.negative {
            return Self::new(self.negative, self.size + other.size);
        }
        match self.size >= other.size {
            true => Self::new(self.negative, self.size - other.size),
            false => Self::new(other.negative, other.size - self.size),
        }
    }
    pub fn negate(self) -> Self {
        Self::new(!self.negative, self.size)
    }
    pub fn cmp(self, other: Self) -> std::cmp::Ordering {
        match (self.negative, other.negative) {
            (true, false) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
            (false, false) => self.size.cmp(&other.size),
            (true, true) => other.size.cmp(&self.size),
        }
    }
    /// The word that the ABI has for it.
    pub fn word(self) -> [u8; 32] {
        let low: U256 = self.size.wrapping_to();
        let value = if self.negative {
            U256::ZERO.wrapping_sub(low)
        } else {
            low
        };
        value.to_be_bytes()
    }
}

impl Int {
    pub fn synq(self) -> String {
        format!("{}{}", if self.0 { "Int" } else { "UInt" }, self.1)
    }
    pub fn abi(self) -> String {
        self.synq().to_lowercase()
    }
    pub fn greatest(self) -> Number {
        let bits = self.1 - u32::from(self.0);
        Number::new(false, (U512::from(1) << bits as usize) - U512::from(1))
    }
    pub fn least(self) -> Number {
        match self.0 {
            false => Number::small(0),
            true => Number::new(true, U512::from(1) << (self.1 - 1) as usize),
        }
    }
    pub fn holds(self, n: Number) -> bool {
        n.cmp(self.least()).is_ge() && n.cmp(self.greatest()).is_le()
    }
    /// Bits of a word as this type.
    pub fn truncated(self, word: [u8; 32]) -> Number {
        let value = U256::from_be_bytes(word);
        let mask = if self.1 == 256 {
            U256::MAX
        } else {
            (U256::from(1) << self.1 as usize) - U256::from(1)
        };
        let value = value & mask;
        let negative = self.0 && value.bit(self.1 as usize - 1);
        let wide = U512::from(value);
        match negative {
            false => Number::new(false, wide),
            true => Number::new(true, (U512::from(1) << self.1 as usize) - wide),
        }
    }
    pub fn samples(self) -> Vec<Number> {
        let one = Number::small(1);
        let mut all = vec![
            Number::small(0),
            one,
            Number::small(2),
            Number::small(7),
            self.greatest(),
            self.greatest().add(one.negate()),
        ];
        let half = Number::new(false, self.greatest().size >> 1);
        all.push(half);
        if self.0 {
            all.extend([
                Number::small(-1),
                Number::small(-2),
                Number::small(-7),
                self.least(),
                self.least().add(one),
            ]);
        } else {
            all.extend([half.add(one), Number::small(100)]);
        }
        all
    }
}

/// Call data of a function with these words.
pub fn data(signature: &str, words: &[[u8; 32]]) -> Vec<u8> {
    [&selector(signature)[..], &words.concat()].concat()
}
