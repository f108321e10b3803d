//! Unsigned 256-bit integers.

use core::fmt;
use core::ops::{
    Add, AddAssign, BitAnd, BitOr, BitXor, Div, DivAssign, Mul, MulAssign, Not, Rem, RemAssign,
    Shl, Shr, Sub, SubAssign,
};

use crate::{Word, math};

/// An unsigned 256-bit integer, `uint256` in the ABI.
///
/// The operators panic where the result does not fit, as those of Rust's own integers do in a
/// contract; `checked_*` and `wrapping_*` do not. Division is a host call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct U256([u64; 4]);

impl U256 {
    /// 0.
    pub const ZERO: Self = Self([0; 4]);
    /// 1.
    pub const ONE: Self = Self([1, 0, 0, 0]);
    /// 2^256 − 1.
    pub const MAX: Self = Self([u64::MAX; 4]);

    /// From 64-bit limbs, least significant first.
    pub const fn from_limbs(limbs: [u64; 4]) -> Self {
        Self(limbs)
    }

    /// The 64-bit limbs, least significant first.
    pub const fn limbs(self) -> [u64; 4] {
        self.0
    }

    /// From 32 bytes, most significant first.
    pub const fn from_be_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0; 4];
        let mut i = 0;
        while i < 32 {
            limbs[3 - i / 8] = limbs[3 - i / 8] << 8 | bytes[i] as u64;
            i += 1;
        }
        Self(limbs)
    }

    /// 32 bytes, most significant first.
    pub fn to_be_bytes(self) -> [u8; 32] {
        let [a, b, c, d] = self.0.map(swapped);
        match [d, c, b, a]
            .map(u64::to_ne_bytes)
            .as_flattened()
            .first_chunk()
        {
            Some(bytes) => *bytes,
            None => [0; 32],
        }
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The value, if it fits 64 bits.
    pub fn to_u64(self) -> Option<u64> {
        match self.0 {
            [low, 0, 0, 0] => Some(low),
            _ => None,
        }
    }

    /// The value, if it fits 128 bits.
    pub fn to_u128(self) -> Option<u128> {
        match self.0 {
            [low, high, 0, 0] => Some(u128::from(high) << 64 | u128::from(low)),
            _ => None,
        }
    }

    /// Sum modulo 2^256, and whether it did not fit.
    pub fn overflowing_add(self, other: Self) -> (Self, bool) {
        let mut sum = [0; 4];
        let mut carry = false;
        for ((out, a), b) in sum.iter_mut().zip(self.0).zip(other.0) {
            let (first, over) = a.overflowing_add(b);
            let (second, again) = first.overflowing_add(u64::from(carry));
            *out = second;
            carry = over | again;
        }
        (Self(sum), carry)
    }

    /// Difference modulo 2^256, and whether `other` was greater.
    pub fn overflowing_sub(self, other: Self) -> (Self, bool) {
        let mut difference = [0; 4];
        let mut borrow = false;
        for ((out, a), b) in difference.iter_mut().zip(self.0).zip(other.0) {
            let (first, under) = a.overflowing_sub(b);
            let (second, again) = first.overflowing_sub(u64::from(borrow));
            *out = second;
            borrow = under | again;
        }
        (Self(difference), borrow)
    }

    /// Product modulo 2^256, and whether it did not fit.
    pub fn overflowing_mul(self, other: Self) -> (Self, bool) {
        let mut product = [0u64; 4];
        let mut over = false;
        for (i, a) in self.0.into_iter().enumerate() {
            let mut carry = 0u64;
            for (j, b) in other.0.into_iter().enumerate() {
                let Some(out) = product.get_mut(i + j) else {
                    over |= a != 0 && b != 0;
                    continue;
                };
                let wide = u128::from(a) * u128::from(b) + u128::from(*out) + u128::from(carry);
                *out = wide as u64;
                carry = (wide >> 64) as u64;
            }
            over |= carry != 0;
        }
        (Self(product), over)
    }

    /// Sum, unless it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        fitting(self.overflowing_add(other))
    }

    /// Difference, unless `other` is greater.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        fitting(self.overflowing_sub(other))
    }

    /// Product, unless it does not fit.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        fitting(self.overflowing_mul(other))
    }

    /// Quotient rounded down, unless `other` is 0.
    pub fn checked_div(self, other: Self) -> Option<Self> {
        (!other.is_zero()).then(|| math::div(self.into(), other.into()).into())
    }

    /// Remainder, unless `other` is 0.
    pub fn checked_rem(self, other: Self) -> Option<Self> {
        (!other.is_zero()).then(|| math::rem(self.into(), other.into()).into())
    }

    /// Sum modulo 2^256.
    pub fn wrapping_add(self, other: Self) -> Self {
        self.overflowing_add(other).0
    }

    /// Difference modulo 2^256.
    pub fn wrapping_sub(self, other: Self) -> Self {
        self.overflowing_sub(other).0
    }

    /// Product modulo 2^256.
    pub fn wrapping_mul(self, other: Self) -> Self {
        self.overflowing_mul(other).0
    }

    /// This to the power of `exponent`, modulo 2^256; a host call.
    pub fn wrapping_pow(self, exponent: Self) -> Self {
        math::exp(self.into(), exponent.into()).into()
    }
}

/// The limb's bytes, most significant first. Wasm has no instruction for it, so it is kept in one
/// place.
#[inline(never)]
fn swapped(limb: u64) -> u64 {
    limb.to_be()
}

fn fitting((value, over): (U256, bool)) -> Option<U256> {
    (!over).then_some(value)
}

macro_rules! from {
    ($($small:ty),*) => {$(
        impl From<$small> for U256 {
            fn from(value: $small) -> Self {
                Self([u64::from(value), 0, 0, 0])
            }
        }
    )*};
}
from!(u8, u16, u32, u64, bool);

impl From<u128> for U256 {
    fn from(value: u128) -> Self {
        Self([value as u64, (value >> 64) as u64, 0, 0])
    }
}

impl From<Word> for U256 {
    fn from(word: Word) -> Self {
        Self([word.l0, word.l1, word.l2, word.l3])
    }
}

impl From<U256> for Word {
    fn from(U256([l0, l1, l2, l3]): U256) -> Self {
        Self { l0, l1, l2, l3 }
    }
}

impl Ord for U256 {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for U256 {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

macro_rules! operators {
    ($($op:ident $method:ident $checked:ident $assign:ident $assign_method:ident $message:literal;)*) => {$(
        impl $op for U256 {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: Self) -> Self {
                match self.$checked(other) {
                    Some(value) => value,
                    None => panic!($message),
                }
            }
        }
        impl $assign for U256 {
            #[track_caller]
            fn $assign_method(&mut self, other: Self) {
                *self = $op::$method(*self, other);
            }
        }
    )*};
}
operators! {
    Add add checked_add AddAssign add_assign "attempt to add with overflow";
    Sub sub checked_sub SubAssign sub_assign "attempt to subtract with overflow";
    Mul mul checked_mul MulAssign mul_assign "attempt to multiply with overflow";
    Div div checked_div DivAssign div_assign "attempt to divide by zero";
    Rem rem checked_rem RemAssign rem_assign "attempt to calculate the remainder with a divisor of zero";
}

macro_rules! bitwise {
    ($($op:ident $method:ident;)*) => {$(
        impl $op for U256 {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
                Self([a0.$method(b0), a1.$method(b1), a2.$method(b2), a3.$method(b3)])
            }
        }
    )*};
}
bitwise! { BitAnd bitand; BitOr bitor; BitXor bitxor; }

impl Not for U256 {
    type Output = Self;
    fn not(self) -> Self {
        Self(self.0.map(|limb| !limb))
    }
}

/// Bits shifted out are lost; a shift by 256 or more gives 0.
impl Shl<u32> for U256 {
    type Output = Self;
    fn shl(self, by: u32) -> Self {
        let (limbs, bits) = ((by / 64) as usize, by % 64);
        let mut out = [0; 4];
        for (i, out) in out.iter_mut().enumerate().skip(limbs) {
            let at = |i: Option<usize>| i.and_then(|i| self.0.get(i)).copied().unwrap_or(0);
            let low = at(i.checked_sub(limbs + 1));
            *out = at(i.checked_sub(limbs)) << bits | low.checked_shr(64 - bits).unwrap_or(0);
        }
        Self(out)
    }
}

/// A shift by 256 or more gives 0.
impl Shr<u32> for U256 {
    type Output = Self;
    fn shr(self, by: u32) -> Self {
        let (limbs, bits) = ((by / 64) as usize, by % 64);
        let mut out = [0; 4];
        for (i, out) in out.iter_mut().enumerate() {
            let at = |i: usize| self.0.get(i).copied().unwrap_or(0);
            let high = at(i + limbs + 1);
            *out = at(i + limbs) >> bits | high.checked_shl(64 - bits).unwrap_or(0);
        }
        Self(out)
    }
}

/// Decimal digits.
impl fmt::Display for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [b'0'; 78];
        let mut rest = self.0;
        let mut first = 77;
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            let mut remainder = 0u64;
            for limb in rest.iter_mut().rev() {
                let wide = u128::from(remainder) << 64 | u128::from(*limb);
                *limb = (wide / 10) as u64;
                remainder = (wide % 10) as u64;
            }
            *digit += remainder as u8;
            if remainder != 0 {
                first = at;
            }
        }
        let used = digits.get(first..).unwrap_or_default();
        f.pad_integral(true, "", core::str::from_utf8(used).unwrap_or_default())
    }
}

impl fmt::Debug for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
