//! Calls as people write them.

use aivm_abi::calldata::{
    DynSolValue, Function, JsonAbi, decode_output, decode_revert, encode_call, encode_constructor,
    find_function, format_value, parse_arguments,
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
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => {
            let inner = rest.trim_end().strip_suffix(')');
            (
                name,
                inner.ok_or_else(|| CliError::BadCall(text.to_owned()))?,
            )
        }
        None => (text, ""),
    };
    let function = find_function(abi, name.trim())?;
    let arguments = split(arguments);
    let values = parse_arguments(&function.signature(), &function.inputs, &arguments)?;
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
    let values = parse_arguments("constructor", inputs.unwrap_or_default(), &split(text))?;
    Ok(encode_constructor(abi, &values)?)
}

/// Splits at the commas outside of brackets, parentheses and quotes.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0u32, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.trim().is_empty() || !parts.is_empty() {
        parts.push(part.trim().to_owned());
    }
    parts
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

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn arguments_split_at_outer_commas() {
        assert_eq!(split(""), Vec::<String>::new());
        assert_eq!(
            split("1, [2,3], (4,5), \"a,b\""),
            ["1", "[2,3]", "(4,5)", "\"a,b\""]
        );
        assert_eq!(split("1,"), ["1", ""]);
    }
}
