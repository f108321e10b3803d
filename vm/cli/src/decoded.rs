//! What contracts say, in the words of their ABI.

use aivm::{Receipt, Status};
use aivm_abi::Address;
use aivm_abi::calldata::{
    CalldataError, DecodedEvent, DynSolValue, Function, JsonAbi, RevertReason, decode_event,
    decode_output, decode_revert,
};
use aivm_abi::receipt::Event;
use serde_json::{Value, json};

/// What an ABI tells of an event.
pub enum Told {
    /// It is this one.
    Event(DecodedEvent),
    /// It has the name of one, and is another: why.
    Other(CalldataError),
    /// Nothing.
    Unknown,
}

/// Reads an event.
pub fn event(abi: Option<&JsonAbi>, event: &Event) -> Told {
    match abi.map(|abi| decode_event(abi, &event.topics, &event.data)) {
        Some(Ok(event)) => Told::Event(event),
        None | Some(Err(CalldataError::UnknownEvent)) => Told::Unknown,
        Some(Err(error)) => Told::Other(error),
    }
}

/// An event for people, behind the address of its contract.
pub fn event_text(abi: Option<&JsonAbi>, of: &Event) -> String {
    let raw = || {
        let topics: Vec<String> = of.topics.iter().map(ToString::to_string).collect();
        format!("[{}] 0x{}", topics.join(", "), hex::encode(&of.data))
    };
    match event(abi, of) {
        Told::Event(event) => event.to_string(),
        Told::Other(error) => format!("{} ({error})", raw()),
        Told::Unknown => raw(),
    }
}

/// The events of a receipt, in its order. Topics and data are in the receipt itself.
pub fn events_json(receipt: &Receipt, abi: Option<&JsonAbi>) -> Vec<Value> {
    let events = receipt.events.iter().map(|of| {
        let contract = of.contract.to_string();
        let (event, problem) = match event(abi, of) {
            Told::Event(event) => (Some(event), None),
            Told::Other(error) => (None, Some(error.to_string())),
            Told::Unknown => (None, None),
        };
        json!({
            "contract": contract,
            "name": event.as_ref().map(|event| &event.name),
            "signature": event.as_ref().map(|event| &event.signature),
            "arguments": event.as_ref().map(arguments_json),
            "problem": problem,
        })
    });
    events.collect()
}

fn arguments_json(event: &DecodedEvent) -> Vec<Value> {
    let arguments = event.fields.iter().map(|field| {
        json!({
            "name": field.name,
            "type": field.ty,
            "indexed": field.indexed,
            "hashed": field.hashed,
            "value": value_json(&field.value),
        })
    });
    arguments.collect()
}

/// What a function returned: its results with their names and types.
pub fn results_json(function: Option<&Function>, receipt: &Receipt) -> Option<Vec<Value>> {
    let function = function.filter(|_| receipt.status == Status::Return)?;
    let values = decode_output(function, &receipt.output).ok()?;
    let results = function.outputs.iter().zip(&values).map(|(param, value)| {
        json!({
            "name": param.name,
            "type": param.selector_type(),
            "value": value_json(value),
        })
    });
    Some(results.collect())
}

/// The error that a call reverted with, if the ABI declares it.
pub fn error_json(receipt: &Receipt, abi: Option<&JsonAbi>) -> Option<Value> {
    if receipt.status != Status::Revert {
        return None;
    }
    let RevertReason::Custom { name, fields } = decode_revert(abi, &receipt.output) else {
        return None;
    };
    let arguments = fields
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value_json(value) }));
    Some(json!({ "name": name, "arguments": arguments.collect::<Vec<_>>() }))
}

/// A value as JSON: numbers are text in base 10, since they may be longer than those of JSON;
/// bytes are hexadecimal, addresses Bech32m, arrays and tuples arrays.
fn value_json(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(value) => json!(value),
        DynSolValue::Int(value, _) => json!(value.to_string()),
        DynSolValue::Uint(value, _) => json!(value.to_string()),
        DynSolValue::FixedBytes(word, size) => {
            let bytes = word.as_slice().get(..*size).unwrap_or_default();
            json!(format!("0x{}", hex::encode(bytes)))
        }
        DynSolValue::Address(address) => json!(Address::from(*address).to_string()),
        DynSolValue::Function(function) => json!(format!("0x{}", hex::encode(function.as_slice()))),
        DynSolValue::Bytes(bytes) => json!(format!("0x{}", hex::encode(bytes))),
        DynSolValue::String(text) => json!(text),
        DynSolValue::Array(values)
        | DynSolValue::FixedArray(values)
        | DynSolValue::Tuple(values) => values.iter().map(value_json).collect(),
    }
}
