//! What `#[contract]` makes of an `impl` block.

use alloc::vec::Vec;

use crate::abi::{self, AbiType};
use crate::revert::Revert;
use crate::{U256, env};

/// Return data, or revert data.
pub type Reply = Result<Vec<u8>, Vec<u8>>;

/// A contract, by `#[contract]`.
pub trait Contract {
    /// Runs the constructor on its arguments.
    fn construct(input: &[u8]) -> Reply;
    /// Runs the function that the call data names.
    fn call(input: &[u8]) -> Reply;
    /// The ABI as JSON.
    #[cfg(not(target_arch = "wasm32"))]
    fn abi() -> String;
}

/// What a function of a contract may return: a value of the ABI, or `Result` of one.
pub trait IntoReply {
    /// The value.
    type Value: AbiType;
    /// Encodes it.
    fn into_reply(self) -> Reply;
}

impl<T: AbiType> IntoReply for T {
    type Value = T;
    fn into_reply(self) -> Reply {
        Ok(abi::encode(&self))
    }
}

impl<T: AbiType, E: Revert> IntoReply for Result<T, E> {
    type Value = T;
    fn into_reply(self) -> Reply {
        match self {
            Ok(value) => Ok(abi::encode(&value)),
            Err(error) => Err(error.revert_data()),
        }
    }
}

/// Decodes arguments; malformed ones revert with no data, as in Solidity.
pub fn arguments<T: AbiType>(input: &[u8]) -> Result<T, Vec<u8>> {
    abi::decode(input).map_err(|_| Vec::new())
}

/// Refuses native value.
///
/// # Errors
/// Reverts with no data, as in Solidity.
pub fn no_value() -> Result<(), Vec<u8>> {
    match env::value() == U256::ZERO {
        true => Ok(()),
        false => Err(Vec::new()),
    }
}
