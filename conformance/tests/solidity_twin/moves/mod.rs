//! Calls that have a chance: each scenario's moves read the state and change random
//! arguments into ones that fit it. What they leave alone stays random.

mod markets;
mod money;
mod power;
mod words;

use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Function;
use alloy_primitives::U256;

use crate::random::Values;
use crate::world::{ACCOUNTS, Contract, World};

pub use markets::{escrow, nft, oracle};
pub use money::{credit, multisig, token, treasury, vesting};
pub use power::{dao, delegation, staking};
pub use words::{gate, names};

/// A call about to be made.
pub struct Shot {
    /// Number of the account.
    pub from: usize,
    pub value: u64,
    pub arguments: Vec<DynSolValue>,
}

/// Makes a random call one that has a chance.
pub type Move = fn(&World, &mut Values, &Contract, &Function, &mut Shot);

fn uint(n: u64) -> DynSolValue {
    DynSolValue::Uint(U256::from(n), 256)
}

fn sized(n: u64, bits: usize) -> DynSolValue {
    DynSolValue::Uint(U256::from(n), bits)
}

fn bytes(b: &[u8]) -> DynSolValue {
    DynSolValue::Bytes(b.to_vec())
}

fn text(t: impl Into<String>) -> DynSolValue {
    DynSolValue::String(t.into())
}

fn account(number: usize) -> DynSolValue {
    DynSolValue::Address([0xa1 + number as u8; 20].into())
}

/// The account's number, when it is one.
fn who(value: Option<&DynSolValue>) -> Option<usize> {
    let address = value?.as_address()?;
    (0..ACCOUNTS.len()).find(|n| address.0 == [0xa1 + *n as u8; 20])
}

fn number(value: Option<&DynSolValue>) -> u64 {
    let (n, _) = value.and_then(DynSolValue::as_uint).unwrap_or_default();
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn flag(value: Option<&DynSolValue>) -> bool {
    value.and_then(DynSolValue::as_bool).unwrap_or(false)
}

fn blob(value: Option<&DynSolValue>) -> Vec<u8> {
    let bytes = value.and_then(DynSolValue::as_bytes);
    bytes.map_or(Vec::new(), <[u8]>::to_vec)
}

fn encode(values: Vec<DynSolValue>) -> Vec<u8> {
    DynSolValue::Tuple(values).abi_encode_params()
}

/// A number below `count` that a test likes, looked for from a random one on; else any.
fn find(v: &mut Values, count: u64, mut good: impl FnMut(u64) -> bool) -> u64 {
    let first = v.random.below(count as usize) as u64;
    let mut numbers = (first..count).chain(0..first).take(24);
    numbers.find(|n| good(*n)).unwrap_or(first)
}
