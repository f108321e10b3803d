//! The message and the block.

use crate::Word;
use crate::testing::world::{Ended, end, frame, with};

/// Address that made this call.
pub fn caller() -> Word {
    frame(|frame| frame.caller).into()
}

/// Address of the account whose transaction started it all.
pub fn origin() -> Word {
    with(|world| world.origin).into()
}

/// Address of the contract that runs.
pub fn self_address() -> Word {
    frame(|frame| frame.this).into()
}

/// Native value sent with the call.
pub fn value() -> Word {
    frame(|frame| frame.value).into()
}

/// Height of the block.
pub fn block_number() -> u64 {
    with(|world| world.block_number)
}

/// Time of the block.
pub fn block_timestamp() -> u64 {
    with(|world| world.block_timestamp)
}

/// Identifier of the chain.
pub fn chain_id() -> u64 {
    with(|world| world.chain_id)
}

/// Gas is not counted here.
pub fn gas_left() -> u64 {
    u64::MAX
}

/// Ends the call, undoes its effects and gives `data` to the caller.
pub fn revert(data: &[u8]) {
    end(Ended::Revert(data.to_vec()))
}
