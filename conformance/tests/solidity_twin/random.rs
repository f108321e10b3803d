//! Random call data: wild enough to fail in each way, tame enough to succeed often.

use aivm::Address;
use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{I256, U256};

/// SplitMix64: the sequence is the same on each machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; zero when there is none.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Makes values; remembers some that contracts returned, so that identifiers come back.
pub struct Values {
    pub random: Random,
    pub addresses: Vec<Address>,
    pub seen: Vec<DynSolValue>,
    pub now: u64,
}

const TEXTS: [&str; 10] = [
    "",
    "a",
    "ab",
    "alice",
    "bob-1",
    "-no",
    "Not a name",
    "url",
    "zzzzz",
    "a text of more than thirty-two bytes, so that it takes more than one word",
];

impl Values {
    pub fn new(seed: u64, addresses: Vec<Address>, now: u64) -> Self {
        Self {
            random: Random(seed),
            addresses,
            seen: Vec::new(),
            now,
        }
    }

    pub fn remember(&mut self, values: Vec<DynSolValue>) {
        for value in values {
            if self.seen.len() < 64 {
                self.seen.push(value);
            } else {
                let at = self.random.below(64);
                self.seen[at] = value;
            }
        }
    }

    fn number(&mut self) -> U256 {
        match self.random.below(20) {
            0..=7 => U256::from(self.random.below(4)),
            8..=11 => U256::from(self.random.below(20)),
            12..=14 => U256::from(self.random.below(3_000)),
            15 => U256::from(self.now + self.random.below(2_000) as u64 - 1_000),
            16 => U256::from(10).pow(U256::from(self.random.below(30))),
            17 => U256::MAX - U256::from(self.random.below(2)),
            18 => U256::from(self.random.next()),
            _ => U256::from(1) << self.random.below(256),
        }
    }

    pub fn value(&mut self, ty: &DynSolType) -> DynSolValue {
        if self.random.one_in(3) {
            let fitting: Vec<&DynSolValue> = self.seen.iter().filter(|v| ty.matches(v)).collect();
            if !fitting.is_empty() {
                return (*self.random.pick(&fitting)).clone();
            }
        }
        match ty {
            DynSolType::Bool => DynSolValue::Bool(self.random.one_in(2)),
            DynSolType::Uint(bits) => {
                let mask = match bits {
                    256 => U256::MAX,
                    bits => (U256::from(1) << *bits) - U256::from(1),
                };
                DynSolValue::Uint(self.number() & mask, *bits)
            }
            DynSolType::Int(bits) => {
                let raw = match self.random.below(12) {
                    0 => U256::MAX >> (257 - *bits),
                    1 => U256::MAX << (*bits - 1),
                    2..=5 => self.number() & U256::from(0x7f),
                    _ => self.number().wrapping_neg(),
                };
                // Cut to the type's bits, with the sign spread.
                let unused = 256 - *bits;
                let cut = I256::from_raw(raw << unused).asr(unused);
                DynSolValue::Int(cut, *bits)
            }
            DynSolType::Address => {
                let address = if self.random.one_in(12) {
                    Address([0; 20])
                } else {
                    *self.random.pick(&self.addresses)
                };
                DynSolValue::Address(address.0.into())
            }
            DynSolType::FixedBytes(n) => {
                let mut word = [0u8; 32];
                word[..*n].fill(self.random.below(3) as u8);
                DynSolValue::FixedBytes(word.into(), *n)
            }
            DynSolType::String => DynSolValue::String((*self.random.pick(&TEXTS)).to_owned()),
            DynSolType::Bytes => {
                let length = *self.random.pick(&[0, 1, 4, 31, 32, 33, 64, 100]);
                DynSolValue::Bytes((0..length).map(|_| self.random.below(3) as u8).collect())
            }
            DynSolType::Array(inner) => {
                let length = self.random.below(4);
                DynSolValue::Array((0..length).map(|_| self.value(inner)).collect())
            }
            DynSolType::FixedArray(inner, n) => {
                DynSolValue::FixedArray((0..*n).map(|_| self.value(inner)).collect())
            }
            DynSolType::Tuple(types) => {
                DynSolValue::Tuple(types.iter().map(|t| self.value(t)).collect())
            }
            DynSolType::Function => unreachable!("SynQ has no function values"),
        }
    }
}
