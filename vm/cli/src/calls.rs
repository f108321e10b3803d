//! Calls as people write them.

use aivm_abi::calldata::{
    DynSolValue, Function, JsonAbi, decode_output, decode_revert, encode_call, encode_constructor,
    format_value, parse_arguments, parse_call, split_arguments,
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

/// Encodes `text`: hexadecimal call data, or with an ABI `name(argument, ...)`.
pub fn encode(text: &str, abi: Option<&JsonAbi>) -> Result<Encoded, CliError> {
    if let Some(input) = hexadecimal(text) {
        return Ok(Encoded {
            input,
            function: None,
        });
    }
    let abi = abi.ok_or_else(|| CliError::NeedsAbi(text.to_owned()))?;
    let (function, values) = parse_call(abi, text)?;
    Ok(Encoded {
        input: encode_call(function, &values)?,
        function: Some(function.clone()),
    })
}

/// Encodes the constructor's arguments.
pub fn encode_init(text: &str, abi: Option<&JsonAbi>) -> Result<Vec<u8>, CliError> {
    if let Some(input) = hexadecimal(text) {
        return match abi {
            // Check that no argument is missing.
            Some(abi) if input.is_empty() => Ok(encode_constructor(abi, &[])?),
            _ => Ok(input),
        };
    }
    let abi = abi.ok_or_else(|| CliError::NeedsAbi(text.to_owned()))?;
    let inputs = abi.constructor.as_ref().map(|c| c.inputs.as_slice());
    let values = parse_arguments(
        "constructor",
        inputs.unwrap_or_default(),
        &split_arguments(text),
    )?;
    Ok(encode_constructor(abi, &values)?)
}

/// Return data as text; none without a function to read it by.
pub fn returned(function: Option<&Function>, output: &[u8]) -> Option<String> {
    let values = decode_output(function?, output).ok()?;
    let texts: Vec<String> = values.iter().map(format_value).collect();
    Some(texts.join(", "))
}

/// Revert data as text.
pub fn reverted(abi: Option<&JsonAbi>, output: &[u8]) -> String {
    use aivm_abi::calldata::RevertReason;
    match decode_revert(abi, output) {
        RevertReason::Empty => "no reason given".to_owned(),
        RevertReason::Error(message) => message,
        RevertReason::Panic(code) => format!("panic {code:#x}"),
        RevertReason::Custom { name, fields } => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value): &(String, DynSolValue)| {
                    format!("{name}: {}", format_value(value))
                })
                .collect();
            format!("{name}({})", fields.join(", "))
        }
        _ => format!("0x{}", hex::encode(output)),
    }
}
