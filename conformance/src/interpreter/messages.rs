//! Messages to and from other chains, and what commits to those that were sent.

use aivm::{Address, Word};
use aivm_abi::host::messaging::{Host, Message, Refusal};
use aivm_abi::receipt::OutboxMessage;
use aivm_abi::{Digest, Exit, TrapCode};

use super::chain::Hash;
use super::frame::Frame;
use super::hosts::per_kb;

/// Numbers, and which messages were consumed, are kept in the storage of an account that nobody has.
fn account() -> Address {
    let mut account = Address::ZERO;
    let hash = blake3::hash(b"AIVM messaging ledger v1");
    account.0.copy_from_slice(&hash.as_bytes()[..20]);
    account
}

fn consumed(id: Word) -> Vec<u8> {
    [&b"c"[..], &id.to_be_bytes()].concat()
}

impl Host for Frame {
    fn send(&mut self, destination: u64, recipient: &[u8], payload: &[u8]) -> Result<u64, Exit> {
        self.writes()?;
        if recipient.is_empty() || recipient.len() > 64 {
            return Err(TrapCode::BadArgument.into());
        }
        if payload.len() > 65_536 {
            return Err(TrapCode::OutputLimit.into());
        }
        let contract = self.message.contract;
        let key = [&b"s"[..], &contract.0, &destination.to_be_bytes()].concat();
        let sequence = match self.read_entry(account(), &key)? {
            None => 0,
            Some(next) => u64::from_be_bytes(
                next.try_into()
                    .map_err(|_| Exit::host("a damaged sequence number"))?,
            ),
        };
        let next = sequence.saturating_add(1).to_be_bytes();
        self.write_entry(account(), &key, Some(&next))?;
        self.shared.ledger.outbox.push(OutboxMessage {
            contract,
            destination,
            sequence,
            recipient: recipient.to_vec(),
            payload: payload.to_vec(),
        });
        Ok(sequence)
    }

    fn peek(&mut self, id: Word) -> Result<Result<Message, Refusal>, Exit> {
        self.spend_storage(self.shared.schedule.storage.read)?;
        let key = consumed(id);
        self.look(account(), &key)?;
        let gone = self.entry(&account(), &key).is_some();
        let inbox = &self.shared.world.outside.inbox;
        let Some(arrived) = inbox.get(&id.to_be_bytes()).cloned() else {
            return Ok(Err(Refusal::Unknown));
        };
        let bytes = arrived.message.sender.len() + arrived.message.payload.len();
        let price = per_kb(self.shared.schedule.storage.read_per_kb, bytes);
        self.spend_storage(price)?;
        let here = (self.message.contract, self.shared.world.block.chain_id);
        Ok(match (arrived.recipient, arrived.destination) == here {
            false => Err(Refusal::Unknown),
            true if gone => Err(Refusal::Consumed),
            true => Ok(arrived.message),
        })
    }

    fn consume(&mut self, id: Word) -> Result<Result<Message, Refusal>, Exit> {
        self.writes()?;
        let found = self.peek(id)?;
        if found.is_ok() {
            self.write_entry(account(), &consumed(id), Some(&[1]))?;
        }
        Ok(found)
    }
}

fn hash(context: &str, parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    Digest(*hasher.finalize().as_bytes())
}

/// The identifier of a message from this chain, as `docs/receipts.md` lays it out.
pub(super) fn identifier(chain: u64, message: &OutboxMessage) -> Digest {
    let list = |bytes: &[u8]| [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat();
    hash(
        "AIVM message v1",
        &[
            &chain.to_le_bytes(),
            &message.contract.0,
            &message.destination.to_le_bytes(),
            &message.sequence.to_le_bytes(),
            &list(&message.recipient),
            &list(&message.payload),
        ],
    )
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash("AIVM outbox node v1", &[&left.0, &right.0])
}

fn under(count: u32, top: &Digest) -> Digest {
    hash("AIVM outbox root v1", &[&count.to_le_bytes(), &top.0])
}

/// Leaves below the left child of the top of a tree with more than one.
fn left(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

fn top(ids: &[Digest]) -> Option<Digest> {
    match ids {
        [] => None,
        [one] => Some(*one),
        _ => {
            let (a, b) = ids.split_at_checked(left(ids.len()))?;
            Some(node(&top(a)?, &top(b)?))
        }
    }
}

/// The root over the identifiers of a receipt's messages; none when there are none.
pub(super) fn root(ids: &[Digest]) -> Option<Digest> {
    let count = u32::try_from(ids.len()).ok()?;
    top(ids).map(|top| under(count, &top))
}

/// The top of the tree of `count` leaves that has `leaf` at `index`, with what stands beside the way up; the
/// siblings must be as many as there are.
fn climb(leaf: Digest, index: usize, count: usize, siblings: &[Digest]) -> Option<Digest> {
    if count <= 1 {
        return siblings.is_empty().then_some(leaf);
    }
    let (beside, below) = siblings.split_last()?;
    let half = left(count);
    Some(match index < half {
        true => node(&climb(leaf, index, half, below)?, beside),
        false => node(beside, &climb(leaf, index - half, count - half, below)?),
    })
}

/// Whether a proof holds.
pub(super) fn holds(
    message: &Digest,
    root: &Hash,
    index: u32,
    count: u32,
    siblings: &[Digest],
) -> bool {
    index < count
        && climb(*message, index as usize, count as usize, siblings)
            .is_some_and(|top| under(count, &top).0 == *root)
}
