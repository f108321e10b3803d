//! One end of a bridge for the native coin: what is deposited at one end the other end releases.
#![no_std]

use aivm_sdk::crypto::SignatureScheme;
use aivm_sdk::messages::{self, Message, MessageError, Remote, SendError};
use aivm_sdk::prelude::*;

/// What one end tells the other.
#[derive(AbiType, Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who gets it.
    pub to: Address,
    /// How much.
    pub amount: U256,
    /// Whatever the sender wants to say.
    pub note: Bytes,
}

/// What the contract keeps.
#[derive(State)]
pub struct Bridge {
    chain: Value<u64>,
    partner: Value<Bytes>,
}

/// Something was deposited, and the other end told of it.
#[derive(Event)]
pub struct Deposited {
    /// Number of the message.
    #[indexed]
    pub number: u64,
    /// Who gets it there.
    pub to: Address,
    /// How much.
    pub amount: U256,
}

/// Something was released that was deposited at the other end.
#[derive(Event)]
pub struct Released {
    /// The message.
    #[indexed]
    pub id: FixedBytes<32>,
    /// Who got it.
    pub to: Address,
    /// How much.
    pub amount: U256,
}

/// Why a call is refused.
#[derive(Revert)]
pub enum BridgeError {
    /// The partner's address has no byte, or more than 64.
    BadPartner,
    /// The note is too long.
    NoteTooLong,
    /// There is no such message.
    NoMessage,
    /// It was released before.
    AlreadyReleased,
    /// The message is no transfer.
    NoTransfer,
    /// Somebody else sent it.
    Stranger {
        /// The chain that it comes from.
        chain: u64,
        /// Who sent it.
        sender: Bytes,
    },
    /// There is not enough at this end.
    Short,
}

impl From<SendError> for BridgeError {
    fn from(why: SendError) -> Self {
        match why {
            SendError::BadRecipient => Self::BadPartner,
            SendError::PayloadTooLong => Self::NoteTooLong,
        }
    }
}

impl From<MessageError> for BridgeError {
    fn from(why: MessageError) -> Self {
        match why {
            MessageError::NoMessage => Self::NoMessage,
            MessageError::AlreadyConsumed => Self::AlreadyReleased,
            MessageError::MalformedPayload => Self::NoTransfer,
        }
    }
}

#[contract(events(Deposited, Released), errors(BridgeError))]
impl Bridge {
    /// Names the contract at the other end.
    #[constructor]
    #[payable]
    pub fn new(&mut self, chain: u64, partner: Bytes) {
        self.chain.set(chain);
        self.partner.set(partner);
    }

    /// Deposits the value that comes with the call; gives the number of the message.
    #[payable]
    pub fn deposit(&mut self, to: Address, note: Bytes) -> Result<u64, BridgeError> {
        let amount = env::value();
        let number = self.partner().try_send(&Transfer { to, amount, note })?;
        Deposited { number, to, amount }.emit();
        Ok(number)
    }

    /// As `deposit`, for the account that signs with a key of ML-DSA-65.
    #[payable]
    pub fn deposit_for_key(&mut self, key: Bytes) -> Result<u64, BridgeError> {
        let to = Address::of_key(SignatureScheme::Mldsa65, &key);
        self.deposit(to, Bytes::default())
    }

    /// Carries out what a message of the other end says.
    pub fn release(&mut self, id: FixedBytes<32>) -> Result<(), BridgeError> {
        let Transfer { to, amount, .. } = self.trusted(messages::consume(id)?)?;
        ensure!(env::transfer(to, amount), BridgeError::Short);
        Released { id, to, amount }.emit();
        Ok(())
    }

    /// What a message says that was not carried out yet.
    pub fn pending(&self, id: FixedBytes<32>) -> Result<Transfer, BridgeError> {
        self.trusted(messages::peek(id)?)
    }

    fn partner(&self) -> Remote {
        Remote::new(self.chain.get(), self.partner.get().0)
    }

    fn trusted(&self, message: Message<Transfer>) -> Result<Transfer, BridgeError> {
        let Message { from, payload } = message;
        ensure!(
            from == self.partner(),
            BridgeError::Stranger {
                chain: from.chain,
                sender: Bytes(from.address),
            }
        );
        Ok(payload)
    }
}
