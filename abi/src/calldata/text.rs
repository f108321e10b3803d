//! Values as people write them.

use alloy_dyn_abi::{DynSolType, DynSolValue};

use crate::Address;

/// Why text is no value.
#[derive(Debug, thiserror::Error)]
pub(super) enum TextError {
    /// No list or tuple in its brackets.
    #[error("`{0}...{1}` is expected")]
    Brackets(char, char),
    /// Two commas in a row, or one at an end.
    #[error("nothing stands before or behind a comma; an empty text is written \"\"")]
    Missing,
    /// Too few or too many parts.
    #[error("{expected} values are expected, {found} given")]
    Count { expected: usize, found: usize },
    /// A quote that does not end, or ends before the text does.
    #[error("text in quotes ends with the quote that it begins with")]
    Quotes,
    /// A backslash before something else.
    #[error(
        "`\\{0}` is no escape; there are \\n \\r \\t \\\\ \\\" \\' \\xNN \\uNNNN and \\u{{...}}"
    )]
    Escape(String),
    /// Bytes written as `\xNN` that are no text.
    #[error("the escaped bytes are no UTF-8")]
    Utf8,
    /// No address.
    #[error("`{word}`: {source}")]
    Address {
        word: String,
        source: crate::AddressError,
    },
    /// No value of an elementary type.
    #[error(transparent)]
    Value(#[from] alloy_dyn_abi::Error),
}

/// Reads a value of a type from text.
pub(super) fn parse_value(ty: &DynSolType, text: &str) -> Result<DynSolValue, TextError> {
    match ty {
        DynSolType::String => string(text).map(DynSolValue::String),
        // Quotes around another value mean nothing.
        _ if text.trim().starts_with(is_quote) => parse_value(ty, &unquoted(text.trim())?),
        DynSolType::Array(ty) => Ok(DynSolValue::Array(list(ty, text)?)),
        DynSolType::FixedArray(ty, length) => {
            let values = list(ty, text)?;
            count(*length, values.len())?;
            Ok(DynSolValue::FixedArray(values))
        }
        DynSolType::Tuple(types) => {
            let parts = parts(text, '(', ')')?;
            count(types.len(), parts.len())?;
            let values = types.iter().zip(parts);
            let values = values.map(|(ty, part)| parse_value(ty, part));
            Ok(DynSolValue::Tuple(values.collect::<Result<_, _>>()?))
        }
        DynSolType::Address if is_bech32(text) => {
            let word = text.trim();
            let address: Address = word.parse().map_err(|source| TextError::Address {
                word: word.to_owned(),
                source,
            })?;
            Ok(DynSolValue::Address(address.into()))
        }
        // `1_000` is one thousand.
        DynSolType::Uint(_) | DynSolType::Int(_) => {
            Ok(ty.coerce_str(&text.trim().replace('_', ""))?)
        }
        _ => Ok(ty.coerce_str(text.trim())?),
    }
}

fn is_bech32(text: &str) -> bool {
    let rest = text.trim().strip_prefix(crate::DEFAULT_PREFIX);
    rest.is_some_and(|rest| rest.starts_with('1'))
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

fn list(ty: &DynSolType, text: &str) -> Result<Vec<DynSolValue>, TextError> {
    let parts = parts(text, '[', ']')?.into_iter();
    parts.map(|part| parse_value(ty, part)).collect()
}

fn count(expected: usize, found: usize) -> Result<(), TextError> {
    match expected == found {
        true => Ok(()),
        false => Err(TextError::Count { expected, found }),
    }
}

/// The parts of a list or tuple.
fn parts(text: &str, open: char, close: char) -> Result<Vec<&str>, TextError> {
    let inner = text.trim().strip_prefix(open);
    let inner = inner.and_then(|inner| inner.strip_suffix(close));
    let parts = split(inner.ok_or(TextError::Brackets(open, close))?);
    match parts.contains(&"") {
        true => Err(TextError::Missing),
        false => Ok(parts),
    }
}

/// Splits at the commas outside of brackets, parentheses and quotes, and trims the parts. A quote
/// opens only where a value begins: that in `it's` is a letter.
pub(super) fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0u32);
    let (mut quote, mut begins) = (None, true);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if begins => quote = Some(c),
            (None, '(' | '[') => depth = depth.saturating_add(1),
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at.saturating_add(1);
            }
            (None, _) => {}
        }
        begins = matches!(c, '(' | '[' | ',') || (begins && c.is_whitespace());
    }
    let last = text.get(start..).unwrap_or_default().trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}

/// Text with or without quotes.
fn string(text: &str) -> Result<String, TextError> {
    match text.starts_with(is_quote) {
        true => unquoted(text.trim_end()),
        false => Ok(text.trim_end().to_owned()),
    }
}

/// Text without the quotes around it, its escapes read as in Solidity.
fn unquoted(text: &str) -> Result<String, TextError> {
    let mut chars = text.chars();
    let quote = chars.next().ok_or(TextError::Quotes)?;
    let mut bytes = Vec::with_capacity(text.len());
    loop {
        match chars.next().ok_or(TextError::Quotes)? {
            '\\' => escape(&mut chars, &mut bytes)?,
            c if c == quote => break,
            c => push(&mut bytes, c),
        }
    }
    match chars.next() {
        Some(_) => Err(TextError::Quotes),
        None => String::from_utf8(bytes).map_err(|_| TextError::Utf8),
    }
}

/// Reads what follows a backslash.
fn escape(chars: &mut std::str::Chars<'_>, bytes: &mut Vec<u8>) -> Result<(), TextError> {
    let kind = chars.next().ok_or(TextError::Quotes)?;
    let single = match kind {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '\\' | '"' | '\'' => Some(kind),
        _ => None,
    };
    if let Some(c) = single {
        push(bytes, c);
        return Ok(());
    }
    let rest = chars.as_str();
    let (digits, behind) = match kind {
        'x' => rest.split_at_checked(2).unwrap_or((rest, "")),
        'u' => match rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or((braced, "")),
            None => rest.split_at_checked(4).unwrap_or((rest, "")),
        },
        other => return Err(TextError::Escape(other.into())),
    };
    let wrong = || {
        let shown = std::iter::once(kind).chain(digits.chars().take(8));
        TextError::Escape(shown.collect())
    };
    let whole = match (kind, rest.starts_with('{')) {
        ('x', _) => digits.len() == 2,
        (_, false) => digits.len() == 4,
        (_, true) => (1..=6).contains(&digits.len()),
    };
    // The reader of numbers takes signs as well.
    if !whole || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
    match (kind, u8::try_from(number)) {
        ('x', Ok(byte)) => bytes.push(byte),
        _ => push(bytes, char::from_u32(number).ok_or_else(wrong)?),
    }
    *chars = behind.chars();
    Ok(())
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
}

/// Text in quotes, with everything escaped that would not show.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        match c {
            // Solidity has no `\0`.
            '\0' => out.push_str("\\x00"),
            '\'' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    out.push('"');
    out
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
        DynSolValue::String(text) => quoted(text),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) => list(items, '[', ']'),
        DynSolValue::Tuple(items) => list(items, '(', ')'),
    }
}
