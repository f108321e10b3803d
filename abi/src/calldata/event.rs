//! Events, read with an ABI.

use std::fmt;

use alloy_dyn_abi::{DynSolValue, EventExt};
use alloy_json_abi::JsonAbi;
use alloy_primitives::B256;

use super::{CalldataError, format_value};
use crate::Word;

/// One field of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct EventField {
    /// Name; may be empty.
    pub name: String,
    /// Value. For an indexed field of a dynamic type it is the Keccak-256 of the value, as
    /// 32 bytes: the value itself is not in the log.
    pub value: DynSolValue,
    /// Whether it is a topic.
    pub indexed: bool,
}

/// An event, read.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedEvent {
    /// Its name.
    pub name: String,
    /// Its fields, in the order of the declaration.
    pub fields: Vec<EventField>,
}

/// Reads an event by its first topic; anonymous events, which have no such topic, are not
/// found.
///
/// # Errors
///
/// [`CalldataError::UnknownEvent`], or [`CalldataError::Data`] when the data is not the event's.
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
    let event = abi
        .events()
        .find(|event| {
            let indexed = event.inputs.iter().filter(|input| input.indexed).count();
            !event.anonymous
                && event.selector() == *selector
                && indexed.checked_add(1) == Some(topics.len())
        })
        .ok_or(CalldataError::UnknownEvent)?;
    let decoded = event
        .decode_log_parts(topics, data)
        .map_err(|error| CalldataError::Data {
            signature: event.signature(),
            reason: error.to_string(),
        })?;
    let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
    let fields = event
        .inputs
        .iter()
        .filter_map(|input| {
            let value = if input.indexed {
                indexed.next()
            } else {
                body.next()
            }?;
            Some(EventField {
                name: input.name.clone(),
                value,
                indexed: input.indexed,
            })
        })
        .collect();
    Ok(DecodedEvent {
        name: event.name.clone(),
        fields,
    })
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
