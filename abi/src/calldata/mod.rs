//! Call data, return data, revert data and events in the Solidity ABI.
//!
//! A thin layer over `alloy-dyn-abi`: functions found by name, arguments read from text,
//! errors that say what was expected.

mod call;
mod error;
mod event;
mod revert;
mod text;

pub use alloy_dyn_abi::{DynSolType, DynSolValue};
pub use alloy_json_abi::{Constructor, Function, JsonAbi, Param};
pub use call::{
    decode_call, decode_output, encode_call, encode_constructor, find_function, parse_abi,
    parse_arguments, parse_call, split_arguments,
};
pub use error::CalldataError;
pub use event::{DecodedEvent, EventField, decode_event};
pub use revert::{RevertReason, decode_revert, panic_meaning};
pub use text::format_value;
