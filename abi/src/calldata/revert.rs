//! Why a contract reverted.

use std::fmt;

use alloy_dyn_abi::{DynSolType, DynSolValue, JsonAbiExt};
use alloy_json_abi::JsonAbi;

use super::format_value;
use crate::text::Printable;

const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// Revert data, read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RevertReason {
    /// No data.
    Empty,
    /// `Error(string)`: `revert("…")` or a failed `require`.
    Error(String),
    /// `Panic(uint256)`: a failed check of the language.
    Panic(u64),
    /// An error that the ABI declares.
    Custom {
        /// Its name.
        name: String,
        /// Names and values of its parameters.
        fields: Vec<(String, DynSolValue)>,
    },
    /// Anything else.
    Raw(Vec<u8>),
}

/// Reads revert data. Without an ABI, custom errors stay raw. Never fails: a contract may
/// revert with any bytes.
pub fn decode_revert(abi: Option<&JsonAbi>, data: &[u8]) -> RevertReason {
    let raw = || RevertReason::Raw(data.to_vec());
    let Some((selector, body)) = data.split_first_chunk::<4>() else {
        return if data.is_empty() {
            RevertReason::Empty
        } else {
            raw()
        };
    };
    match *selector {
        ERROR => match DynSolType::String.abi_decode_params(body) {
            Ok(DynSolValue::String(message)) => RevertReason::Error(message),
            _ => raw(),
        },
        PANIC => match DynSolType::Uint(256).abi_decode_params(body) {
            Ok(DynSolValue::Uint(code, _)) => {
                code.try_into().map_or_else(|_| raw(), RevertReason::Panic)
            }
            _ => raw(),
        },
        selector => {
            let Some(error) =
                abi.and_then(|abi| abi.errors().find(|error| error.selector() == selector))
            else {
                return raw();
            };
            match error.abi_decode_input(body) {
                Ok(values) => RevertReason::Custom {
                    name: error.name.clone(),
                    fields: error
                        .inputs
                        .iter()
                        .map(|param| param.name.clone())
                        .zip(values)
                        .collect(),
                },
                Err(_) => raw(),
            }
        }
    }
}

/// What a panic code of Solidity means.
pub const fn panic_meaning(code: u64) -> &'static str {
    match code {
        0x01 => "assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "not a value of the enum",
        0x22 => "storage bytes are badly encoded",
        0x31 => "pop on an empty array",
        0x32 => "index out of range",
        0x41 => "too much memory",
        0x51 => "call of an uninitialised function",
        _ => "unknown panic",
    }
}

impl fmt::Display for RevertReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no reason given"),
            Self::Error(message) => Printable(message).fmt(f),
            Self::Panic(code) => write!(f, "{} (panic 0x{code:02x})", panic_meaning(*code)),
            Self::Custom { name, fields } => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| match name.as_str() {
                        "" => format_value(value),
                        name => format!("{name}: {}", format_value(value)),
                    })
                    .collect();
                write!(f, "{name}({})", fields.join(", "))
            }
            Self::Raw(data) => write!(f, "0x{}", hex::encode(data)),
        }
    }
}
