//! The unsigned 256-bit operations of the `math` interface. Division by zero gives zero.

use aivm_abi::Word;
use alloy_primitives::U256;

pub(crate) fn to_u256(word: Word) -> U256 {
    word.into()
}

pub(crate) fn to_word(value: U256) -> Word {
    value.into()
}

pub(crate) fn mul(a: Word, b: Word) -> Word {
    to_word(to_u256(a).wrapping_mul(to_u256(b)))
}

pub(crate) fn div(a: Word, b: Word) -> Word {
    to_word(to_u256(a).checked_div(to_u256(b)).unwrap_or(U256::ZERO))
}

pub(crate) fn rem(a: Word, b: Word) -> Word {
    to_word(to_u256(a).checked_rem(to_u256(b)).unwrap_or(U256::ZERO))
}

pub(crate) fn add_mod(a: Word, b: Word, m: Word) -> Word {
    to_word(to_u256(a).add_mod(to_u256(b), to_u256(m)))
}

pub(crate) fn mul_mod(a: Word, b: Word, m: Word) -> Word {
    to_word(to_u256(a).mul_mod(to_u256(b), to_u256(m)))
}

pub(crate) fn exp(a: Word, b: Word) -> Word {
    to_word(to_u256(a).wrapping_pow(to_u256(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn w(value: u64) -> Word {
        to_word(U256::from(value))
    }

    #[test]
    fn division_by_zero_is_zero() {
        assert_eq!(div(w(7), w(0)), w(0));
        assert_eq!(rem(w(7), w(0)), w(0));
        assert_eq!(add_mod(w(7), w(8), w(0)), w(0));
        assert_eq!(mul_mod(w(7), w(8), w(0)), w(0));
    }

    #[test]
    fn sums_and_products_are_not_truncated_before_the_remainder() {
        let max = to_word(U256::MAX);
        // 2^256 ≡ 1 mod 5, so 2^256 − 1 ≡ 0; and mod 7 it is 2^256 − 1 ≡ 1.
        assert_eq!(add_mod(max, w(3), w(5)), w(3));
        assert_eq!(mul_mod(max, max, w(7)), w(1));
        assert_eq!(mul(max, max), w(1));
        assert_eq!(add_mod(max, max, max), w(0));
    }

    #[test]
    fn powers_wrap() {
        assert_eq!(exp(w(0), w(0)), w(1));
        assert_eq!(exp(w(3), w(5)), w(243));
        assert_eq!(exp(w(2), w(256)), w(0));
        assert_eq!(exp(to_word(U256::MAX), w(3)), to_word(U256::MAX));
    }
}
