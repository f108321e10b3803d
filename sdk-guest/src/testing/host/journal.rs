//! Nested checkpoints inside one call.

use super::CHECKPOINT;
use crate::testing::world::{frame, trap, with};

/// Opens a checkpoint.
pub fn begin() {
    let state = with(|world| world.state.clone());
    frame(|frame| frame.checkpoints.push(state));
}

/// Closes the newest checkpoint and keeps its effects.
pub fn commit() {
    if frame(|frame| frame.checkpoints.pop()).is_none() {
        trap(CHECKPOINT);
    }
}

/// Closes the newest checkpoint and undoes its effects.
pub fn rollback() {
    match frame(|frame| frame.checkpoints.pop()) {
        Some(state) => with(|world| world.state = state),
        None => trap(CHECKPOINT),
    }
}
