//! The message, the block, the contract itself.

use alloc::vec::Vec;

use crate::{Address, U256, Word, accounts, context};

fn address(word: Word) -> Address {
    Address::from_u256(word.into())
}

/// Who made this call: an account, or a contract that called this one.
pub fn caller() -> Address {
    address(context::caller())
}

/// The account whose transaction started it all.
pub fn origin() -> Address {
    address(context::origin())
}

/// The contract that runs.
pub fn this() -> Address {
    address(context::self_address())
}

/// Native value sent with the call.
pub fn value() -> U256 {
    context::value().into()
}

/// Height of the block.
pub fn block_number() -> u64 {
    context::block_number()
}

/// Time of the block in seconds since the Unix epoch.
pub fn block_timestamp() -> u64 {
    context::block_timestamp()
}

/// Identifier of the chain.
pub fn chain_id() -> u64 {
    context::chain_id()
}

/// Native balance of an address.
pub fn balance(of: Address) -> U256 {
    accounts::balance(of.into()).into()
}

/// Moves native value from the contract; false when its balance does not suffice. Runs no code
/// at the receiver.
pub fn transfer(to: Address, amount: U256) -> bool {
    accounts::transfer(to.into(), amount.into())
}

/// Ends the call: its effects are undone and the caller gets `data`.
pub fn revert(data: &[u8]) -> ! {
    context::revert(data);
    unreachable()
}

/// Ends the call with Solidity's `Error(string)`, as a panic does.
pub fn revert_with(message: &str) -> ! {
    revert(&error_string(message))
}

/// Call data of `Error(string)`.
pub(crate) fn error_string(message: &str) -> Vec<u8> {
    let mut encoder = crate::abi::Encoder::after([0x08, 0xc3, 0x79, 0xa0], 32);
    encoder.dynamic(|to| to.bytes(message.as_bytes()));
    encoder.finish()
}

#[cfg(target_arch = "wasm32")]
fn unreachable() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
fn unreachable() -> ! {
    unreachable!("revert does not return")
}
