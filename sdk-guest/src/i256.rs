//! Signed 256-bit integers.

use core::fmt;
use core::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use crate::U256;

/// A signed 256-bit integer in two's complement, `int256` in the ABI. The operators panic where
/// the result does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct I256(U256);

const SIGN: u64 = 1 << 63;

impl I256 {
    /// 0.
    pub const ZERO: Self = Self(U256::ZERO);
    /// 2^255 − 1.
    pub const MAX: Self = Self(U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, !SIGN]));
    /// −2^255.
    pub const MIN: Self = Self(U256::from_limbs([0, 0, 0, SIGN]));

    /// The number with these bits.
    pub const fn from_bits(bits: U256) -> Self {
        Self(bits)
    }

    /// Its bits.
    pub const fn bits(self) -> U256 {
        self.0
    }

    /// Whether it is below 0.
    pub fn is_negative(self) -> bool {
        let [_, _, _, high] = self.0.limbs();
        high & SIGN != 0
    }

    /// Its distance from 0.
    pub fn magnitude(self) -> U256 {
        match self.is_negative() {
            true => U256::ZERO.wrapping_sub(self.0),
            false => self.0,
        }
    }

    /// The value, if it fits 128 bits.
    pub fn to_i128(self) -> Option<i128> {
        let [low, high, ..] = self.0.limbs();
        let value = (u128::from(high) << 64 | u128::from(low)) as i128;
        (Self::from(value) == self).then_some(value)
    }

    /// Sum, unless it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = Self(self.0.wrapping_add(other.0));
        let over =
            self.is_negative() == other.is_negative() && sum.is_negative() != self.is_negative();
        (!over).then_some(sum)
    }

    /// Difference, unless it does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let difference = Self(self.0.wrapping_sub(other.0));
        let over = self.is_negative() != other.is_negative()
            && difference.is_negative() != self.is_negative();
        (!over).then_some(difference)
    }

    /// Product, unless it does not fit.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let size = self.magnitude().checked_mul(other.magnitude())?;
        let negative = self.is_negative() != other.is_negative();
        let product = match negative {
            true => Self(U256::ZERO.wrapping_sub(size)),
            false => Self(size),
        };
        (size.is_zero() || product.is_negative() == negative).then_some(product)
    }

    /// Quotient rounded towards 0, unless `other` is 0 or the quotient is 2^255.
    pub fn checked_div(self, other: Self) -> Option<Self> {
        let size = self.magnitude().checked_div(other.magnitude())?;
        match self.is_negative() == other.is_negative() {
            true => Some(Self(size)).filter(|quotient| !quotient.is_negative()),
            false => Some(Self(U256::ZERO.wrapping_sub(size))),
        }
    }

    /// What [`checked_div`](Self::checked_div) leaves, with the sign of `self`; none where it gives none.
    pub fn checked_rem(self, other: Self) -> Option<Self> {
        if self == Self::MIN && other == Self(U256::MAX) {
            return None;
        }
        let size = self.magnitude().checked_rem(other.magnitude())?;
        Some(match self.is_negative() {
            true => Self(U256::ZERO.wrapping_sub(size)),
            false => Self(size),
        })
    }
}

macro_rules! operators {
    ($($op:ident $method:ident $checked:ident $assign:ident $assign_method:ident $message:literal;)*) => {$(
        impl $op for I256 {
            type Output = Self;
            #[track_caller]
            fn $method(self, other: Self) -> Self {
                match self.$checked(other) {
                    Some(value) => value,
                    None => panic!($message),
                }
            }
        }
        impl $assign for I256 {
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
    Div div checked_div DivAssign div_assign "attempt to divide by zero, or with overflow";
    Rem rem checked_rem RemAssign rem_assign "attempt to take the remainder of a division by zero, or of one with overflow";
}

impl Neg for I256 {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        match Self::ZERO.checked_sub(self) {
            Some(value) => value,
            None => panic!("attempt to negate with overflow"),
        }
    }
}

impl From<i128> for I256 {
    fn from(value: i128) -> Self {
        let fill = (value >> 127) as u64;
        Self(U256::from_limbs([
            value as u64,
            (value >> 64) as u64,
            fill,
            fill,
        ]))
    }
}

macro_rules! from {
    ($($small:ty),*) => {$(
        impl From<$small> for I256 {
            fn from(value: $small) -> Self {
                i128::from(value).into()
            }
        }
    )*};
}
from!(i8, i16, i32, i64);

impl Ord for I256 {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let flipped = |value: Self| {
            let [a, b, c, high] = value.0.limbs();
            U256::from_limbs([a, b, c, high ^ SIGN])
        };
        flipped(*self).cmp(&flipped(*other))
    }
}

impl PartialOrd for I256 {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Decimal digits, with a minus sign below 0.
impl fmt::Display for I256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negative() {
            f.write_str("-")?;
        }
        fmt::Display::fmt(&self.magnitude(), f)
    }
}

impl fmt::Debug for I256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
