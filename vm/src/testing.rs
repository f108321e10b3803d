//! Contracts that test contracts: what a test may change about the world around it.
//!
//! A test contract calls chain extensions that a [`Director`] turns into [`Cheat`]s. They work
//! in [`Vm::call_in_test`](crate::Vm::call_in_test) only, which no chain calls.

use aivm_abi::{Address, TrapCode, Word};

use crate::host::{ExtensionCall, ExtensionResult, Hash};

/// Something that only a test may do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cheat {
    /// Sets the time of the block, in seconds.
    Timestamp(u64),
    /// Sets the number of the block.
    BlockNumber(u64),
    /// Sets a native balance.
    Balance(Address, Word),
    /// The calls that this frame makes come from another account: the next one, or all of them
    /// until [`Cheat::StopCaller`].
    Caller {
        /// Who calls.
        who: Address,
        /// All of them.
        stays: bool,
    },
    /// Ends [`Cheat::Caller`].
    StopCaller,
    /// The next call that this frame makes is handed to [`Director::judge`].
    Judge,
    /// Creates a contract from code that the host has. The answer is its address, as a word of
    /// 32 bytes, or the revert data of its constructor.
    Deploy {
        /// Hash of the code.
        code: Hash,
        /// Input of the constructor.
        input: Vec<u8>,
        /// Native value, from the contract that deploys.
        value: Word,
    },
    /// Only answers.
    Answer(ExtensionResult),
}

/// How a call that is judged ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEnd<'a> {
    /// It returned.
    Return(&'a [u8]),
    /// It reverted, with this data.
    Revert(&'a [u8]),
    /// The sandbox stopped it.
    Trap(TrapCode),
    /// It could not begin.
    Refused(&'static str),
}

/// Decides what the extension calls of a test mean.
pub trait Director {
    /// What a call means; none for an extension of the chain itself.
    fn cheat(&mut self, call: &ExtensionCall<'_>) -> Option<Cheat>;

    /// What the call behind [`Cheat::Judge`] gives to the test: return data, or revert data
    /// with which the test itself reverts.
    fn judge(&mut self, end: CallEnd<'_>) -> ExtensionResult;
}
