//! Messages between chains: what was sent, and what the test delivered.

use super::{BAD_ARGUMENT, OUTPUT_LIMIT, writes};
pub use crate::bindings::synergy::aivm::messaging::{Message, Refusal};
use crate::messages::{MAX_PAYLOAD, MAX_RECIPIENT};
use crate::testing::SentMessage;
use crate::testing::world::{frame, trap, with};
use crate::{U256, Word};

/// Sends a message; gives its number among those of this contract to that chain.
pub fn send(destination: u64, recipient: &[u8], payload: &[u8]) -> u64 {
    writes();
    if recipient.is_empty() || recipient.len() > MAX_RECIPIENT {
        trap(BAD_ARGUMENT);
    }
    if payload.len() > MAX_PAYLOAD {
        trap(OUTPUT_LIMIT);
    }
    let contract = frame(|frame| frame.this);
    with(|world| {
        let sent = world.state.sent.entry((contract, destination)).or_default();
        let sequence = *sent;
        *sent = sent.saturating_add(1);
        world.state.outbox.push(SentMessage {
            contract,
            destination,
            sequence,
            recipient: recipient.to_vec(),
            payload: payload.to_vec(),
        });
        sequence
    })
}

/// A message to this contract; it stays where it is.
///
/// # Errors
/// When the test delivered none to this contract, or it was consumed.
pub fn peek(id: Word) -> Result<Message, Refusal> {
    let id = U256::from(id).to_be_bytes();
    let this = frame(|frame| frame.this);
    with(|world| {
        let found = world.inbox.get(&id);
        let found =
            found.filter(|found| found.recipient == this && found.destination == world.chain_id);
        let found = found.ok_or(Refusal::Unknown)?;
        match world.state.consumed.contains(&id) {
            true => Err(Refusal::Consumed),
            false => Ok(Message {
                source_chain: found.source_chain,
                sender: found.sender.clone(),
                payload: found.payload.clone(),
            }),
        }
    })
}

/// A message to this contract, which is then consumed unless the call is undone.
///
/// # Errors
/// As [`peek`].
pub fn consume(id: Word) -> Result<Message, Refusal> {
    writes();
    let message = peek(id)?;
    let id = U256::from(id).to_be_bytes();
    with(|world| world.state.consumed.insert(id));
    Ok(message)
}
