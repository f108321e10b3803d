//! Messages to other chains, and those that the host chain has verified from them.

use aivm_abi::host::messaging::{Host, Message, Refusal};
use aivm_abi::receipt::OutboxMessage;
use aivm_abi::{Address, Exit, TrapCode, Word};

use super::frame::Frame;
use super::gas::Cause;
use super::tx::fail;
use crate::host::{HostError, InboxMessage};

/// Storage under this address holds sequence numbers and consumed messages. It is a hash, so no
/// contract is there that could change it.
fn ledger() -> Address {
    let mut address = Address::ZERO;
    let hash = crate::hash::blake3(b"AIVM messaging ledger v1");
    for (to, from) in address.0.iter_mut().zip(hash) {
        *to = from;
    }
    address
}

/// Bytes of a recipient's address.
const MAX_RECIPIENT: usize = 64;

/// Bytes of a payload.
const MAX_PAYLOAD: usize = 1 << 16;

fn sequence_key(contract: &Address, destination: u64) -> Vec<u8> {
    [b"s".as_slice(), &contract.0, &destination.to_be_bytes()].concat()
}

fn consumed_key(id: &[u8; 32]) -> Vec<u8> {
    [b"c".as_slice(), id].concat()
}

impl Frame<'_, '_> {
    /// The message, if the chain has it and it is for this contract of this chain.
    fn inbox(&mut self, id: &[u8; 32]) -> Result<Result<InboxMessage, Refusal>, Exit> {
        let read = self.tx.active.schedule.storage.read;
        self.spend(Cause::Storage, read)?;
        let consumed = self.has_entry(ledger(), &consumed_key(id))?;
        let Some(message) = self.tx.host.inbox_message(id).map_err(fail)? else {
            return Ok(Err(Refusal::Unknown));
        };
        // It was read, whoever it is for.
        let length = (message.sender.len() as u64).saturating_add(message.payload.len() as u64);
        let gas = self.tx.active.schedule.storage.read_bytes(length);
        self.spend(Cause::Storage, gas)?;
        // Whether somebody else's message was consumed is nobody's business.
        let (recipient, chain) = (self.contract, self.tx.block.chain_id);
        if message.recipient != recipient || message.destination != chain {
            return Ok(Err(Refusal::Unknown));
        }
        Ok(match consumed {
            true => Err(Refusal::Consumed),
            false => Ok(message),
        })
    }
}

fn message(message: InboxMessage) -> Message {
    Message {
        source_chain: message.source_chain,
        sender: message.sender,
        payload: message.payload,
    }
}

impl Host for Frame<'_, '_> {
    fn send(&mut self, destination: u64, recipient: &[u8], payload: &[u8]) -> Result<u64, Exit> {
        self.writes()?;
        if recipient.is_empty() || recipient.len() > MAX_RECIPIENT {
            return Err(TrapCode::BadArgument.into());
        }
        if payload.len() > MAX_PAYLOAD {
            return Err(TrapCode::OutputLimit.into());
        }
        let key = sequence_key(&self.contract, destination);
        let last = self.read_entry(ledger(), &key)?;
        let sequence = match last.map(<[u8; 8]>::try_from) {
            None => 0,
            Some(Ok(next)) => u64::from_be_bytes(next),
            Some(Err(_)) => return Err(fail(HostError::new("a damaged sequence number"))),
        };
        let next = sequence.saturating_add(1).to_be_bytes();
        self.write_entry(ledger(), &key, Some(&next))?;
        self.tx.journal.send(OutboxMessage {
            contract: self.contract,
            destination,
            sequence,
            recipient: recipient.to_vec(),
            payload: payload.to_vec(),
        });
        Ok(sequence)
    }

    fn peek(&mut self, id: Word) -> Result<Result<Message, Refusal>, Exit> {
        Ok(self.inbox(&id.to_be_bytes())?.map(message))
    }

    fn consume(&mut self, id: Word) -> Result<Result<Message, Refusal>, Exit> {
        self.writes()?;
        let id = id.to_be_bytes();
        let found = match self.inbox(&id)? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.write_entry(ledger(), &consumed_key(&id), Some(&[1]))?;
        Ok(Ok(message(found)))
    }
}
