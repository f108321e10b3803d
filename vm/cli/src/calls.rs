//! Calls as people write them, and what comes back.

use std::path::Path;

use aivm::Status;
use aivm_abi::calldata::{
    CalldataError, Function, JsonAbi, decode_call, decode_output, decode_revert, encode_call,
    encode_constructor, format_value, parse_arguments, parse_call, split_arguments,
};

use crate::error::CliError;

/// A call, encoded.
#[derive(Debug)]
pub struct Encoded {
    pub input: Vec<u8>,
    pub function: Option<Function>,
}

/// Reads hexadecimal, with or without `0x`; none when it is something else.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.trim().trim_start_matches("0x")).ok()
}

/// What has to be said to somebody who calls by name without an ABI.
fn needs_abi(text: &str, contract: &Path) -> CliError {
    // Where `synqc build` puts it.
    let beside = contract.with_extension("abi.json");
    CliError::NeedsAbi {
        text: text.to_owned(),
        beside: beside.exists().then_some(beside),
    }
}

/// Encodes `text`: hexadecimal call data, or with an ABI `name(argument, ...)`.
pub fn encode(text: &str, abi: Option<&JsonAbi>, contract: &Path) -> Result<Encoded, CliError> {
    let Some(abi) = abi else {
        let input = hexadecimal(text).ok_or_else(|| needs_abi(text, contract))?;
        let function = None;
        return Ok(Encoded { input, function });
    };
    // Names come first: `feed` is hexadecimal as well.
    match (parse_call(abi, text), hexadecimal(text)) {
        (Ok((function, values)), _) => Ok(Encoded {
            input: encode_call(function, &values)?,
            function: Some(function.clone()),
        }),
        (Err(CalldataError::NoFunction { .. }), Some(input)) => Ok(Encoded {
            function: decode_call(abi, &input)
                .ok()
                .map(|(function, _)| function.clone()),
            input,
        }),
        (Err(error), _) => Err(error.into()),
    }
}

/// Encodes the constructor's arguments. With an ABI, hexadecimal is taken for encoded arguments
/// only where it cannot be arguments, and is whole words.
pub fn encode_init(
    text: &str,
    abi: Option<&JsonAbi>,
    contract: &Path,
) -> Result<Vec<u8>, CliError> {
    let Some(abi) = abi else {
        return hexadecimal(text).ok_or_else(|| needs_abi(text, contract));
    };
    let inputs = abi.constructor.as_ref().map(|c| c.inputs.as_slice());
    let inputs = inputs.unwrap_or_default();
    let types: Vec<String> = inputs
        .iter()
        .map(|input| format!("{} {}", input.selector_type(), input.name))
        .collect();
    let signature = format!("constructor({})", types.join(", "));
    let values = parse_arguments(&signature, inputs, &split_arguments(text));
    let error = match values.and_then(|values| encode_constructor(abi, &values)) {
        Ok(input) => return Ok(input),
        Err(error) => error,
    };
    let encoded = hexadecimal(text).filter(|i| !i.is_empty() && i.len().is_multiple_of(32));
    encoded.ok_or(CliError::Init(error))
}

/// Return data as text, with the names that the ABI gives results; none without a function to read it by.
pub fn returned(function: Option<&Function>, output: &[u8]) -> Option<String> {
    let function = function?;
    let values = decode_output(function, output).ok()?;
    let texts = function.outputs.iter().zip(&values);
    let texts: Vec<String> = texts
        .map(|(output, value)| match output.name.as_str() {
            "" => format_value(value),
            name => format!("{name}: {}", format_value(value)),
        })
        .collect();
    Some(texts.join(", "))
}

/// Why a call did not return, as text; none when it did.
pub fn reason(status: Status, abi: Option<&JsonAbi>, output: &[u8]) -> Option<String> {
    match status {
        Status::Return => None,
        Status::Revert => Some(decode_revert(abi, output).to_string()),
        Status::Trap(code) => Some(code.description().to_owned()),
    }
}
