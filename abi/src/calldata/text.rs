//! Values as people write them.

use std::borrow::Cow;

use alloy_dyn_abi::{DynSolType, DynSolValue};

use crate::Address;

/// Longest nesting of brackets that is read; deeper text is not a value of any sane type.
const MAX_DEPTH: usize = 32;

/// Reads a value of a type from text. On failure gives the reason.
pub(super) fn parse_value(ty: &DynSolType, text: &str) -> Result<DynSolValue, String> {
    let mut depth = 0usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'(' => depth = depth.saturating_add(1),
            b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH && !matches!(ty, DynSolType::String) {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
    }
    let text = if has_address(ty) {
        replace_addresses(text)?
    } else {
        Cow::Borrowed(text)
    };
    let text = if is_number(ty) {
        Cow::Owned(text.replace('_', ""))
    } else {
        text
    };
    ty.coerce_str(&text).map_err(|error| error.to_string())
}

/// A number or an array of them, where `1_000` is one thousand.
fn is_number(ty: &DynSolType) -> bool {
    match ty {
        DynSolType::Uint(_) | DynSolType::Int(_) => true,
        DynSolType::Array(ty) | DynSolType::FixedArray(ty, _) => is_number(ty),
        _ => false,
    }
}

fn has_address(ty: &DynSolType) -> bool {
    match ty {
        DynSolType::Address => true,
        DynSolType::Array(ty) | DynSolType::FixedArray(ty, _) => has_address(ty),
        DynSolType::Tuple(types) => types.iter().any(has_address),
        _ => false,
    }
}

/// Puts hexadecimal in the place of each Bech32m address outside of quotes.
fn replace_addresses(text: &str) -> Result<Cow<'_, str>, String> {
    let prefix = format!("{}1", crate::DEFAULT_PREFIX);
    if !text.contains(&prefix) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut quoted = None;
    for token in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = token.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if quoted.is_none() && word.starts_with(&prefix) {
            let address: Address = word.parse().map_err(|error| format!("`{word}`: {error}"))?;
            out += "0x";
            out += &hex::encode(address.0);
        } else {
            out += word;
        }
        for c in token.chars().skip(word.chars().count()) {
            match (quoted, c) {
                (None, '"' | '\'') => quoted = Some(c),
                (Some(open), c) if open == c => quoted = None,
                _ => {}
            }
            out.push(c);
        }
    }
    Ok(Cow::Owned(out))
}

/// A value as text, in the form that [`parse_arguments`](super::parse_arguments) reads.
/// Addresses come out in Bech32m.
pub fn format_value(value: &DynSolValue) -> String {
    let list = |items: &[DynSolValue], open: char, close: char| {
        let items: Vec<String> = items.iter().map(format_value).collect();
        format!("{open}{}{close}", items.join(", "))
    };
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, size) => {
            format!(
                "0x{}",
                hex::encode(word.as_slice().get(..*size).unwrap_or_default())
            )
        }
        DynSolValue::Address(address) => Address::from(*address).to_string(),
        DynSolValue::Function(function) => format!("0x{}", hex::encode(function.as_slice())),
        DynSolValue::Bytes(bytes) => format!("0x{}", hex::encode(bytes)),
        DynSolValue::String(text) => format!("{text:?}"),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) => list(items, '[', ']'),
        DynSolValue::Tuple(items) => list(items, '(', ')'),
    }
}
