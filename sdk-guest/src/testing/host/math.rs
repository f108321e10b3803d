//! Unsigned 256-bit operations. Division by zero gives zero.

use crate::{U256, Word};

fn bit(value: U256, i: u32) -> bool {
    value >> i & U256::ONE == U256::ONE
}

fn divided(a: U256, b: U256) -> (U256, U256) {
    let (mut quotient, mut rest) = (U256::ZERO, U256::ZERO);
    if b.is_zero() {
        return (quotient, rest);
    }
    for i in (0..256).rev() {
        let over = bit(rest, 255);
        rest = rest << 1 | U256::from(bit(a, i));
        if over || rest >= b {
            rest = rest.wrapping_sub(b);
            quotient = quotient | U256::ONE << i;
        }
    }
    (quotient, rest)
}

/// Sum of two numbers below `m`, modulo `m`.
fn sum(a: U256, b: U256, m: U256) -> U256 {
    let (sum, over) = a.overflowing_add(b);
    match over || sum >= m {
        true => sum.wrapping_sub(m),
        false => sum,
    }
}

/// a · b mod 2^256.
pub fn mul(a: Word, b: Word) -> Word {
    U256::from(a).wrapping_mul(b.into()).into()
}

/// Quotient, rounded down.
pub fn div(a: Word, b: Word) -> Word {
    divided(a.into(), b.into()).0.into()
}

/// Remainder.
pub fn rem(a: Word, b: Word) -> Word {
    divided(a.into(), b.into()).1.into()
}

/// (a + b) mod m, the sum not truncated.
pub fn add_mod(a: Word, b: Word, m: Word) -> Word {
    let m: U256 = m.into();
    if m.is_zero() {
        return U256::ZERO.into();
    }
    let reduce = |value: Word| divided(value.into(), m).1;
    sum(reduce(a), reduce(b), m).into()
}

/// (a · b) mod m, the product not truncated.
pub fn mul_mod(a: Word, b: Word, m: Word) -> Word {
    let m: U256 = m.into();
    if m.is_zero() {
        return U256::ZERO.into();
    }
    let (a, b) = (divided(a.into(), m).1, U256::from(b));
    let mut product = U256::ZERO;
    for i in (0..256).rev() {
        product = sum(product, product, m);
        if bit(b, i) {
            product = sum(product, a, m);
        }
    }
    product.into()
}

/// a^b mod 2^256.
pub fn exp(a: Word, b: Word) -> Word {
    let (a, b) = (U256::from(a), U256::from(b));
    let mut power = U256::ONE;
    for i in (0..256).rev() {
        power = power.wrapping_mul(power);
        if bit(b, i) {
            power = power.wrapping_mul(a);
        }
    }
    power.into()
}
