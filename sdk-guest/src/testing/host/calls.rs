//! Calls to other contracts.

pub use crate::bindings::synergy::aivm::calls::Failure;
use crate::testing::world::{Code, Ended, Frame, frame, run, with};
use crate::{Address, U256, Word};

/// Longest chain of calls.
const DEPTH: usize = 64;

fn enter(target: Word, value: U256, input: &[u8], query: bool) -> Result<Vec<u8>, Failure> {
    let this = Address::from_u256(target.into());
    let (caller, read_only) = frame(|frame| (frame.this, frame.read_only || query));
    if value != U256::ZERO {
        super::writes();
    }
    let code: Code = with(|world| {
        if world.frames.len() >= DEPTH {
            return Err(Failure::DepthExceeded);
        }
        let open = |frame: &Frame| frame.this == this && !frame.reentrant;
        if world.frames.iter().any(open) {
            return Err(Failure::Reentrancy);
        }
        let code = world.state.contracts.get(&this).copied();
        code.ok_or(Failure::NoContract)
    })?;
    let before = with(|world| world.state.clone());
    if !with(|world| world.state.transfer(caller, this, value)) {
        return Err(Failure::InsufficientBalance);
    }
    let new = Frame {
        this,
        caller,
        value,
        read_only,
        reentrant: false,
        checkpoints: Vec::new(),
    };
    let result = run(code.call, new, input).map_err(failure);
    if result.is_err() {
        with(|world| world.state = before);
    }
    result
}

fn failure(ended: Ended) -> Failure {
    match ended {
        Ended::Revert(data) => Failure::Reverted(data),
        Ended::Trap(code) => Failure::Trapped(code),
    }
}

/// Calls `target` with `value` and `input`. Gas is not counted here.
///
/// # Errors
/// When the call fails; its effects are undone.
pub fn call(target: Word, value: Word, _gas: u64, input: &[u8]) -> Result<Vec<u8>, Failure> {
    enter(target, value.into(), input, false)
}

/// Calls `target` read-only.
///
/// # Errors
/// When the call fails.
pub fn query(target: Word, _gas: u64, input: &[u8]) -> Result<Vec<u8>, Failure> {
    enter(target, U256::ZERO, input, true)
}

/// Runs one of the contract's own functions as a nested call; sender and value stay.
///
/// # Errors
/// When the call fails; its effects are undone.
pub fn self_call(_gas: u64, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let new = frame(|frame| Frame {
        this: frame.this,
        caller: frame.caller,
        value: frame.value,
        read_only: frame.read_only,
        reentrant: frame.reentrant,
        checkpoints: Vec::new(),
    });
    let code = with(|world| {
        if world.frames.len() >= DEPTH {
            return Err(Failure::DepthExceeded);
        }
        let code = world.state.contracts.get(&new.this).copied();
        code.ok_or(Failure::NoContract)
    })?;
    run(code.call, new, input).map_err(failure)
}

/// Lets other contracts call back into this one while the present call runs.
pub fn allow_reentrancy(allowed: bool) {
    frame(|frame| frame.reentrant = allowed);
}
