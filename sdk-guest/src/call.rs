//! Typed calls.

use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::abi::{self, AbiType, Malformed};
use crate::{Address, U256, calls};

/// A call of a function that gives an `R`: what `#[contract]` and `#[interface]` make for each
/// function, for other contracts and for tests.
#[derive(Debug, Clone)]
pub struct Call<R> {
    /// Selector and arguments; of a constructor the arguments alone.
    pub input: Vec<u8>,
    /// Native value to send.
    pub value: U256,
    gives: PhantomData<fn() -> R>,
}

/// Why a call of another contract gave no result.
#[derive(Debug, Clone)]
pub enum CallError {
    /// The call failed; the callee's effects are undone.
    Failed(calls::Failure),
    /// It returned what is not of the type.
    Malformed,
}

impl From<Malformed> for CallError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl<R: AbiType> Call<R> {
    /// A call with this call data.
    pub fn new(input: Vec<u8>) -> Self {
        Self {
            input,
            value: U256::ZERO,
            gives: PhantomData,
        }
    }

    /// Sends native value with it.
    pub fn with_value(mut self, value: U256) -> Self {
        self.value = value;
        self
    }

    /// Calls `target` with all gas that may be passed on.
    ///
    /// # Errors
    /// When the call fails or returns something else.
    pub fn call(&self, target: Address) -> Result<R, CallError> {
        let value = self.value.into();
        let output = calls::call(target.into(), value, u64::MAX, &self.input);
        Ok(abi::decode(&output.map_err(CallError::Failed)?)?)
    }

    /// Calls `target` read-only.
    ///
    /// # Errors
    /// When the call fails or returns something else.
    pub fn query(&self, target: Address) -> Result<R, CallError> {
        let output = calls::query(target.into(), u64::MAX, &self.input);
        Ok(abi::decode(&output.map_err(CallError::Failed)?)?)
    }
}
