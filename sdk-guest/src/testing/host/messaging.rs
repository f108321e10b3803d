//! Only a chain has messages.

use crate::Word;
pub use crate::bindings::synergy::aivm::messaging::{Message, Refusal};

/// Only the VM has an outbox.
pub fn send(_destination: u64, _recipient: &[u8], _payload: &[u8]) -> u64 {
    panic!("messages to other chains work only in the VM")
}

/// Only the VM has an inbox.
pub fn peek(_id: Word) -> Result<Message, Refusal> {
    panic!("messages from other chains work only in the VM")
}

/// Only the VM has an inbox.
pub fn consume(_id: Word) -> Result<Message, Refusal> {
    panic!("messages from other chains work only in the VM")
}
