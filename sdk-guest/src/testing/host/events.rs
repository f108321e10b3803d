//! Events.

use super::{BAD_ARGUMENT, writes};
use crate::testing::EventRecord;
use crate::testing::world::{frame, trap, with};
use crate::{U256, Word};

/// Records an event.
pub fn emit(topics: &[Word], data: &[u8]) {
    writes();
    if topics.len() > 4 {
        trap(BAD_ARGUMENT);
    }
    let record = EventRecord {
        contract: frame(|frame| frame.this),
        topics: topics.iter().map(|&topic| U256::from(topic)).collect(),
        data: data.to_vec(),
    };
    with(|world| world.state.events.push(record));
}
