//! Messages between chains, with typed payloads.
//!
//! ```
//! use aivm_sdk::messages::{self, MessageError, Remote};
//! use aivm_sdk::prelude::*;
//!
//! /// Tells a partner on chain 5, and counts what the partner tells.
//! #[derive(State)]
//! pub struct Tally {
//!     total: Value<u64>,
//! }
//!
//! fn partner() -> Remote {
//!     Remote::contract(5, Address([0xbb; 20]))
//! }
//!
//! #[contract(errors(MessageError))]
//! impl Tally {
//!     /// Gives the number of the message.
//!     pub fn tell(&mut self, votes: u64) -> u64 {
//!         partner().send(&votes)
//!     }
//!
//!     pub fn hear(&mut self, id: FixedBytes<32>) -> Result<(), MessageError> {
//!         let message = messages::consume::<u64>(id)?;
//!         assert!(message.from == partner(), "from a stranger");
//!         self.total.set(self.total.get() + message.payload);
//!         Ok(())
//!     }
//! }
//! # fn main() {
//! use aivm_sdk::testing::{ArrivedMessage, Chain, Native};
//!
//! let mut chain = Native::new().with_contract::<Tally>("tally");
//! let me = Address([1; 20]);
//! let tally = chain.deploy("tally", me, &TallyCall::construct()).unwrap();
//! assert_eq!(chain.call(me, tally, &TallyCall::tell(7)), Ok(0));
//! assert_eq!(chain.outbox()[0].payload::<u64>(), Ok(7));
//!
//! let id = [9; 32];
//! chain.deliver(id, ArrivedMessage::new(&partner(), tally, &30u64));
//! assert_eq!(chain.call(me, tally, &TallyCall::hear(id.into())), Ok(()));
//! assert!(chain.call(me, tally, &TallyCall::hear(id.into())).is_err());
//! # }
//! ```
//!
//! The host chain carries messages and verifies those that arrive: a contract gets only verified ones
//! that are for it. Whom it believes is its own affair: compare [`Message::from`].

use alloc::vec::Vec;

use aivm_sdk_macros::Revert;

use crate::abi::{self, AbiType};
use crate::messaging::{self, Refusal};
use crate::{Address, FixedBytes, U256, Word};

/// Bytes that the address of a recipient may have.
pub const MAX_RECIPIENT: usize = 64;

/// Bytes that an encoded payload may have.
pub const MAX_PAYLOAD: usize = 65_536;

/// Somebody on another chain: where a message goes to, or where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Identifier of the chain.
    pub chain: u64,
    /// Address, as that chain writes them; 20 bytes on a chain of the AIVM.
    pub address: Vec<u8>,
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Revert)]
pub enum SendError {
    /// The recipient has no byte, or more than [`MAX_RECIPIENT`].
    BadRecipient,
    /// The encoded payload has more than [`MAX_PAYLOAD`] bytes.
    PayloadTooLong,
}

impl Remote {
    /// An address on a chain.
    pub fn new(chain: u64, address: impl Into<Vec<u8>>) -> Self {
        Self {
            chain,
            address: address.into(),
        }
    }

    /// A contract on a chain of the AIVM.
    pub fn contract(chain: u64, address: Address) -> Self {
        Self::new(chain, address.0)
    }

    /// Sends a value, ABI-encoded, and gives its number among the messages of this contract to that
    /// chain, from 0. It leaves if the call and all that made it return. In a query it is a trap.
    ///
    /// # Errors
    /// When the recipient or the payload has a length that the host refuses.
    pub fn try_send<T: AbiType>(&self, payload: &T) -> Result<u64, SendError> {
        let payload = abi::encode(payload);
        if self.address.is_empty() || self.address.len() > MAX_RECIPIENT {
            return Err(SendError::BadRecipient);
        }
        if payload.len() > MAX_PAYLOAD {
            return Err(SendError::PayloadTooLong);
        }
        Ok(messaging::send(self.chain, &self.address, &payload))
    }

    /// As [`try_send`](Self::try_send); what would be an error is a panic.
    #[track_caller]
    pub fn send<T: AbiType>(&self, payload: &T) -> u64 {
        match self.try_send(payload) {
            Ok(number) => number,
            Err(SendError::BadRecipient) => panic!("a recipient has 1 to 64 bytes"),
            Err(SendError::PayloadTooLong) => panic!("a payload has at most 65536 bytes"),
        }
    }
}

/// A message that the chain has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<T> {
    /// Who sent it.
    pub from: Remote,
    /// What was sent.
    pub payload: T,
}

/// Why there is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Revert)]
pub enum MessageError {
    /// The chain has verified no message with this identifier for this contract.
    NoMessage,
    /// It was consumed before.
    AlreadyConsumed,
    /// Its payload is not of the type.
    MalformedPayload,
}

fn word(id: FixedBytes<32>) -> Word {
    U256::from_be_bytes(id.0).into()
}

fn opened<T: AbiType>(
    found: Result<messaging::Message, Refusal>,
) -> Result<Message<T>, MessageError> {
    let found = found.map_err(|why| match why {
        Refusal::Unknown => MessageError::NoMessage,
        Refusal::Consumed => MessageError::AlreadyConsumed,
    })?;
    let payload = abi::decode(&found.payload).map_err(|_| MessageError::MalformedPayload)?;
    Ok(Message {
        from: Remote::new(found.source_chain, found.sender),
        payload,
    })
}

/// The message with this identifier; it stays where it is.
///
/// # Errors
/// When there is none for this contract, or it holds something else.
pub fn peek<T: AbiType>(id: FixedBytes<32>) -> Result<Message<T>, MessageError> {
    opened(messaging::peek(word(id)))
}

/// Takes the message with this identifier: no call gets it again, unless this one is undone. In a
/// query it is a trap.
///
/// # Errors
/// When there is none for this contract, or it holds something else. One with a malformed payload is
/// consumed as well, unless the contract reverts, as it does when it returns the error.
pub fn consume<T: AbiType>(id: FixedBytes<32>) -> Result<Message<T>, MessageError> {
    opened(messaging::consume(word(id)))
}
