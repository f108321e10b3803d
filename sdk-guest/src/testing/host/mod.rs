//! The host interface in this process: functions with the names and types of the bindings.

pub mod accounts;
pub mod calls;
pub mod context;
pub mod crypto;
pub mod events;
pub mod ext;
pub mod journal;
pub mod log;
pub mod math;
pub mod messaging;
pub mod nn;
pub mod storage;

use super::world::{frame, trap};

/// Trap codes, as receipts print them.
const BAD_ARGUMENT: u32 = 21;
const WRITE_IN_QUERY: u32 = 30;
const OUTPUT_LIMIT: u32 = 33;
const NO_SUCH_EXTENSION: u32 = 34;
const CHECKPOINT: u32 = 35;

/// Refuses changes of state in a read-only call.
fn writes() {
    if frame(|frame| frame.read_only) {
        trap(WRITE_IN_QUERY);
    }
}
