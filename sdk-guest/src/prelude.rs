//! What contracts use: `use aivm_sdk::prelude::*;`.

pub use alloc::string::{String, ToString};
pub use alloc::vec::Vec;
pub use alloc::{format, vec};

pub use aivm_sdk_macros::{AbiType, Event, Revert, State};

pub use crate::abi::AbiType;
pub use crate::call::{Call, CallError};
#[cfg(feature = "nn")]
pub use crate::model;
pub use crate::model::Model;
pub use crate::state::{List, Map, State, Value};
pub use crate::{
    Address, Bytes, Contract, Event, FixedBytes, I256, Revert, U256, contract, ensure, env,
    interface,
};
