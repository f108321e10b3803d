//! A chain in memory on which the contracts of a project run.
//!
//! [`Library`] holds compiled code; [`Ledger`] is the chain's state; [`cheats`] are what tests may
//! do to it; [`trace`] watches calls and [`show`] puts them into words.

pub mod cheats;
pub mod costs;
mod ledger;
mod library;
pub mod show;
pub mod trace;

pub use ledger::Ledger;
pub use library::{Code, Library};

use aivm::{Address, Receipt, Status, Word};
use aivm_abi::calldata::{DynSolValue, encode_constructor, parse_arguments, split_arguments};

use crate::error::Error;

/// Who deploys and calls when nobody else is named.
pub const YOU: Address = Address([0x11; 20]);

/// What an account begins with: 2^96, as much as anybody wants.
pub fn plenty() -> Word {
    let mut bytes = [0; 32];
    if let Some(byte) = bytes.get_mut(19) {
        *byte = 1;
    }
    Word::from_be_bytes(bytes)
}

/// Encodes a constructor's arguments from text. Without a text, each is the zero of its type.
pub fn constructor_input(code: &Code, text: Option<&str>) -> Result<Vec<u8>, Error> {
    let abi = &code.artifact.abi;
    let inputs = abi.constructor.as_ref().map_or(&[][..], |c| &c.inputs);
    let values = match text {
        Some(text) => parse_arguments("constructor", inputs, &split_arguments(text))?,
        None => zeros(inputs)?,
    };
    Ok(encode_constructor(abi, &values)?)
}

/// The zero value of each parameter.
pub fn zeros(params: &[aivm_abi::calldata::Param]) -> Result<Vec<DynSolValue>, Error> {
    let zero = |param: &aivm_abi::calldata::Param| {
        use alloy_dyn_abi::Specifier;
        let ty = param
            .resolve()
            .map_err(|e| Error::Check(format!("parameter `{}`: {e}", param.name)))?;
        Ok(zero(&ty))
    };
    params.iter().map(zero).collect()
}

fn zero(ty: &alloy_dyn_abi::DynSolType) -> DynSolValue {
    use alloy_dyn_abi::DynSolType as T;
    match ty {
        T::Bool => DynSolValue::Bool(false),
        T::Int(bits) => DynSolValue::Int(Default::default(), *bits),
        T::Uint(bits) => DynSolValue::Uint(Default::default(), *bits),
        T::FixedBytes(size) => DynSolValue::FixedBytes(Default::default(), *size),
        T::Address => DynSolValue::Address(Default::default()),
        T::Bytes => DynSolValue::Bytes(Vec::new()),
        T::String => DynSolValue::String(String::new()),
        T::Array(_) => DynSolValue::Array(Vec::new()),
        T::FixedArray(ty, length) => DynSolValue::FixedArray(vec![zero(ty); *length]),
        T::Tuple(types) => DynSolValue::Tuple(types.iter().map(zero).collect()),
        _ => DynSolValue::Bytes(Vec::new()),
    }
}

/// Whether a call did what it should.
pub fn succeeded(receipt: &Receipt) -> bool {
    receipt.status == Status::Return
}
