//! Messages to other chains, and a commitment to those of a transaction from which each can be
//! proved alone.

use serde::{Deserialize, Serialize};

use super::Receipt;
use super::parts::hex_bytes;
use crate::codec::Writer;
use crate::{Address, Digest};

const MESSAGE: &str = "AIVM message v1";
const NODE: &str = "AIVM outbox node v1";
const ROOT: &str = "AIVM outbox root v1";

/// A message that a contract sent to another chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutboxMessage {
    /// The contract that sent it.
    pub contract: Address,
    /// Identifier of the chain that it goes to.
    pub destination: u64,
    /// Position among the contract's messages to that chain, from 0.
    pub sequence: u64,
    /// Who receives it, as that chain writes addresses; 1 to 64 bytes.
    #[serde(with = "hex_bytes")]
    pub recipient: Vec<u8>,
    /// What is sent.
    #[serde(with = "hex_bytes")]
    pub payload: Vec<u8>,
}

impl OutboxMessage {
    pub(super) fn write(&self, out: &mut Writer) {
        out.raw(&self.contract.0);
        out.u64(self.destination);
        out.u64(self.sequence);
        out.bytes(&self.recipient);
        out.bytes(&self.payload);
    }

    /// The message's identifier, different for each message of each chain: BLAKE3 over the source
    /// chain's identifier and the fields as the receipt has them. A receiving AIVM chain gives it to
    /// contracts under this number.
    pub fn id(&self, source_chain: u64) -> Digest {
        let mut out = Writer::default();
        out.u64(source_chain);
        self.write(&mut out);
        Digest::of(MESSAGE, &out.finish())
    }
}

/// Shows that a message is among those under a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxProof {
    /// Position of the message in the receipt.
    pub index: u32,
    /// Number of messages in the receipt.
    pub count: u32,
    /// The nodes beside the way from the message up, the lowest first.
    pub siblings: Vec<Digest>,
}

impl OutboxProof {
    /// Whether the message with this identifier stands at `index` under `root`.
    pub fn holds(&self, message: &Digest, root: &Digest) -> bool {
        let (mut index, mut count) = (self.index, self.count);
        if index >= count {
            return false;
        }
        let mut siblings = self.siblings.iter();
        let mut top = *message;
        while count > 1 {
            let alone = index == count - 1 && index.is_multiple_of(2);
            if !alone {
                let Some(sibling) = siblings.next() else {
                    return false;
                };
                top = match index.is_multiple_of(2) {
                    true => node(&top, sibling),
                    false => node(sibling, &top),
                };
            }
            index /= 2;
            count = count.div_ceil(2);
        }
        siblings.next().is_none() && root_of(self.count, &top) == *root
    }
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of(NODE, &[left.0, right.0].concat())
}

fn root_of(count: u32, top: &Digest) -> Digest {
    let mut out = Writer::default();
    out.u32(count);
    out.raw(&top.0);
    Digest::of(ROOT, &out.finish())
}

/// The level above; a node without a neighbour goes up as it is.
fn above(level: &[Digest]) -> Vec<Digest> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            other => other.first().copied().unwrap_or_default(),
        })
        .collect()
}

impl Receipt {
    fn outbox_ids(&self) -> Vec<Digest> {
        let messages = self.outbox.iter();
        messages.map(|m| m.id(self.chain_id)).collect()
    }

    /// Root of a binary tree over the identifiers of the messages sent, none when there are none.
    /// A chain puts it where other chains can verify it, for instance in a block's header.
    pub fn outbox_root(&self) -> Option<Digest> {
        let count = u32::try_from(self.outbox.len()).ok()?;
        let mut level = self.outbox_ids();
        while level.len() > 1 {
            level = above(&level);
        }
        level.first().map(|top| root_of(count, top))
    }

    /// Shows that the message at `index` is under [`outbox_root`](Self::outbox_root); none past the end.
    pub fn outbox_proof(&self, index: u32) -> Option<OutboxProof> {
        let count = u32::try_from(self.outbox.len()).ok()?;
        if index >= count {
            return None;
        }
        let mut level = self.outbox_ids();
        let mut siblings = Vec::new();
        let mut at = index as usize;
        while level.len() > 1 {
            siblings.extend(level.get(at ^ 1));
            level = above(&level);
            at /= 2;
        }
        Some(OutboxProof {
            index,
            count,
            siblings,
        })
    }
}
