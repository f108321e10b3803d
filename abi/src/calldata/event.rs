//! Events, read with an ABI.

use std::fmt;

use alloy_dyn_abi::{DynSolValue, EventExt};
use alloy_json_abi::{Event, EventParam, JsonAbi};
use alloy_primitives::B256;

use super::{CalldataError, format_value};
use crate::Word;

/// One field of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct EventField {
    /// Name; may be empty.
    pub name: String,
    /// Its type in the ABI, such as `uint256`.
    pub ty: String,
    /// Value. For an indexed field of a dynamic type it is the Keccak-256 of the value, as
    /// 32 bytes: the value itself is not in the log.
    pub value: DynSolValue,
    /// Whether it is a topic.
    pub indexed: bool,
    /// Whether `value` is the hash of the value and not the value.
    pub hashed: bool,
}

/// An event, read.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedEvent {
    /// Its name.
    pub name: String,
    /// Its signature, whose Keccak-256 is the first topic.
    pub signature: String,
    /// Its fields, in the order of the declaration.
    pub fields: Vec<EventField>,
}

/// Reads an event by its first topic and its number of topics; anonymous events, which have no
/// such topic, are not found.
///
/// Only a log that encoding the values would give again is read: values with bits that their
/// type does not have, offsets that lead elsewhere, and bytes behind the end are not the event
/// that the ABI tells of. Of several events that match, the first that the log fits is taken.
///
/// # Errors
///
/// [`CalldataError::UnknownEvent`], or [`CalldataError::Data`] when the log is not the event's.
pub fn decode_event(
    abi: &JsonAbi,
    topics: &[Word],
    data: &[u8],
) -> Result<DecodedEvent, CalldataError> {
    let topics: Vec<B256> = topics
        .iter()
        .map(|topic| B256::new(topic.to_be_bytes()))
        .collect();
    let selector = topics.first().ok_or(CalldataError::UnknownEvent)?;
    // `transfer(address indexed, uint256)` and the same without `indexed` share a selector.
    let matching = abi.events().filter(|event| {
        let indexed = event.inputs.iter().filter(|input| input.indexed).count();
        !event.anonymous
            && event.selector() == *selector
            && indexed.checked_add(1) == Some(topics.len())
    });
    let mut first = CalldataError::UnknownEvent;
    for event in matching {
        match decode(event, &topics, data) {
            Ok(decoded) => return Ok(decoded),
            Err(error) if first == CalldataError::UnknownEvent => first = error,
            Err(_) => {}
        }
    }
    Err(first)
}

fn decode(event: &Event, topics: &[B256], data: &[u8]) -> Result<DecodedEvent, CalldataError> {
    let wrong = |reason: String| CalldataError::Data {
        signature: event.signature(),
        reason,
    };
    let decoded = event
        .decode_log_parts(topics.iter().copied(), data)
        .map_err(|error| wrong(error.to_string()))?;
    let again = decoded.encode_log_data();
    let mut values = decoded.indexed.iter().chain(&decoded.body);
    if !values.all(fits) || again.topics() != topics || *again.data != *data {
        return Err(wrong("its values are encoded otherwise".to_owned()));
    }
    let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
    let fields = event.inputs.iter().filter_map(|input| {
        let value = if input.indexed {
            indexed.next()
        } else {
            body.next()
        }?;
        let ty = input.selector_type().into_owned();
        Some(EventField {
            name: input.name.clone(),
            hashed: input.indexed && is_hashed(input),
            ty,
            value,
            indexed: input.indexed,
        })
    });
    Ok(DecodedEvent {
        fields: fields.collect(),
        name: event.name.clone(),
        signature: event.signature(),
    })
}

/// Whether a topic holds the hash of a parameter: all but values of one word are hashed.
fn is_hashed(input: &EventParam) -> bool {
    let ty = input.selector_type();
    ty.ends_with([']', ')']) || ty == "string" || ty == "bytes"
}

/// Whether a value has no bits that its type has not: the decoder gives whole words.
fn fits(value: &DynSolValue) -> bool {
    match value {
        DynSolValue::Uint(value, bits) => value.bit_len() <= *bits,
        DynSolValue::Int(value, bits) => value.bits() as usize <= *bits,
        DynSolValue::FixedBytes(word, size) => {
            let rest = word.as_slice().get(*size..);
            rest.is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
        }
        DynSolValue::Array(values)
        | DynSolValue::FixedArray(values)
        | DynSolValue::Tuple(values) => values.iter().all(fits),
        _ => true,
    }
}

/// `Transfer(from: syn1…, amount: 5)`.
impl fmt::Display for DecodedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            if !field.name.is_empty() {
                write!(f, "{}: ", field.name)?;
            }
            f.write_str(&format_value(&field.value))?;
        }
        f.write_str(")")
    }
}
