//! Numbers and hex text as written.

use alloy_primitives::U256;

/// Value of a number literal; none when it is not an integer or does not fit 256 bits.
pub(crate) fn integer(text: &str) -> Option<U256> {
    let text: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        if hex.is_empty() || hex.len() > 64 {
            return None;
        }
        return U256::from_str_radix(hex, 16).ok();
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<u32>().ok()?),
        None => (text.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let shift = exponent.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(U256::ZERO);
    }
    if digits.len() > 78 || shift > 78 {
        return None;
    }
    let value = U256::from_str_radix(digits, 10).ok()?;
    let scale = U256::from(10).checked_pow(U256::from(shift))?;
    value.checked_mul(scale)
}

/// `0x` and exactly 40 digits.
pub(crate) fn is_address(text: &str) -> bool {
    text.len() == 42 && text.starts_with("0x") && !text.contains('_')
}

/// Bytes of a text of hex digits; none when it is not one.
pub(crate) fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    hex::decode(text).ok()
}
