//! What comes of the steps of a vector.

use aivm::Address;
use aivm_abi::Digest;
use aivm_abi::receipt::{Event, GasUsed, Status};
use serde::{Deserialize, Serialize};

use crate::action::Hex;

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Code or a model was accepted.
    Accepted {
        /// Content address.
        hash: Digest,
        /// Price in gas.
        gas: u64,
    },
    /// The request was refused before anything ran; the code of the error.
    Refused(String),
    /// There is a receipt.
    Receipt(Box<Summary>),
    /// A new block began.
    Block,
    /// It is done; there is nothing to tell.
    Done,
    /// Canonical bytes were read, and are those that the value is written as; the BLAKE3 of
    /// what was written.
    Read(Digest),
}

/// The parts of a receipt that vectors show, and the hash over all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// How it ended.
    pub status: Status,
    /// Return or revert data.
    #[serde(default, skip_serializing_if = "Hex::is_empty")]
    pub output: Hex,
    /// Gas by cause.
    pub gas: Gas,
    /// Events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Messages to other chains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Sent>,
    /// Root over the identifiers of the messages, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox_root: Option<Digest>,
    /// Hash of the canonical bytes of the receipt.
    pub receipt: Digest,
}

/// A message in the outbox of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The contract that sent it.
    pub contract: Address,
    /// Identifier of the chain that it goes to.
    pub destination: u64,
    /// Position among the contract's messages to that chain, from 0.
    pub sequence: u64,
    /// Who receives it, as that chain writes addresses.
    pub recipient: Hex,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Hex::is_empty")]
    pub payload: Hex,
    /// Identifier of the message.
    pub id: Digest,
}

/// Gas by cause; what is not written is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gas {
    /// Instructions, locals, frames, instances, the transaction itself.
    #[serde(skip_serializing_if = "is_zero")]
    pub execution: u64,
    /// Host functions.
    #[serde(skip_serializing_if = "is_zero")]
    pub host: u64,
    /// Persistent state.
    #[serde(skip_serializing_if = "is_zero")]
    pub storage: u64,
    /// Neural networks.
    #[serde(skip_serializing_if = "is_zero")]
    pub inference: u64,
    /// PQ-Gas, a lane of its own.
    #[serde(skip_serializing_if = "is_zero")]
    pub pq: u64,
}

fn is_false(claimed: &bool) -> bool {
    !claimed
}

fn is_zero(gas: &u64) -> bool {
    *gas == 0
}

impl From<GasUsed> for Gas {
    fn from(gas: GasUsed) -> Self {
        Self {
            execution: gas.execution,
            host: gas.host,
            storage: gas.storage,
            inference: gas.inference,
            pq: gas.pq,
        }
    }
}

impl Gas {
    /// Gas of the first lane.
    pub fn total(&self) -> u64 {
        [self.host, self.storage, self.inference]
            .into_iter()
            .fold(self.execution, u64::saturating_add)
    }
}

/// What is known of an outcome from elsewhere. What is absent is not claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Claim {
    /// It is a receipt with this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// It is a receipt with this output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Hex>,
    /// It is a receipt with these topics and data of its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<(Vec<aivm::Word>, Hex)>>,
    /// It is a receipt with these messages to other chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox: Option<Vec<Sent>>,
    /// It is a receipt whose messages have this root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox_root: Option<Digest>,
    /// It is a receipt with this gas for execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<u64>,
    /// It is a receipt with this gas for host functions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<u64>,
    /// It is a receipt with this gas for storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<u64>,
    /// It is a receipt with this gas for inference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inference: Option<u64>,
    /// It is a receipt with this PQ-Gas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pq: Option<u64>,
    /// It is a receipt with this gas in the first lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// It is a refusal with this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Something was accepted.
    #[serde(skip_serializing_if = "is_false")]
    pub accepted: bool,
    /// It is done.
    #[serde(skip_serializing_if = "is_false")]
    pub done: bool,
    /// Something was accepted or read, under this hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
    /// Something was accepted at this price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<u64>,
}

impl Claim {
    /// A receipt with this status.
    pub fn status(status: Status) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// A return with this output.
    pub fn returns(output: impl Into<Vec<u8>>) -> Self {
        Self {
            output: Some(Hex(output.into())),
            ..Self::status(Status::Return)
        }
    }

    /// An upload or registration that was accepted.
    pub fn accepted() -> Self {
        Self {
            accepted: true,
            ..Self::default()
        }
    }

    /// Something that is done.
    pub fn done() -> Self {
        Self {
            done: true,
            ..Self::default()
        }
    }

    /// A refusal.
    pub fn refused(code: &str) -> Self {
        Self {
            refused: Some(code.to_owned()),
            ..Self::default()
        }
    }

    /// The first contradiction, in words.
    pub fn contradiction(&self, outcome: &Outcome) -> Option<String> {
        let receipt = match outcome {
            Outcome::Receipt(receipt) => Some(receipt.as_ref()),
            _ => None,
        };
        let (hash, price) = match outcome {
            Outcome::Accepted { hash, gas } => (Some(*hash), Some(*gas)),
            Outcome::Read(hash) => (Some(*hash), None),
            _ => (None, None),
        };
        let refused = match outcome {
            Outcome::Refused(code) => Some(code.clone()),
            _ => None,
        };
        let events = receipt.map(|receipt| {
            let events = receipt.events.iter();
            events
                .map(|event| (event.topics.clone(), Hex(event.data.clone())))
                .collect()
        });
        let gas = |cause: fn(&Gas) -> u64| receipt.map(|receipt| cause(&receipt.gas));
        let outbox = receipt.map(|receipt| receipt.outbox.clone());
        let root = receipt.and_then(|receipt| receipt.outbox_root);
        let accepted = matches!(outcome, Outcome::Accepted { .. });
        let done = *outcome == Outcome::Done;
        differs("acceptance", &self.accepted.then_some(true), Some(accepted))
            .or_else(|| differs("completion", &self.done.then_some(true), Some(done)))
            .or_else(|| differs("status", &self.status, receipt.map(|r| r.status)))
            .or_else(|| differs("output", &self.output, receipt.map(|r| r.output.clone())))
            .or_else(|| differs("events", &self.events, events))
            .or_else(|| differs("outbox", &self.outbox, outbox))
            .or_else(|| differs("outbox root", &self.outbox_root, root))
            .or_else(|| differs("execution gas", &self.execution, gas(|g| g.execution)))
            .or_else(|| differs("host gas", &self.host, gas(|g| g.host)))
            .or_else(|| differs("storage gas", &self.storage, gas(|g| g.storage)))
            .or_else(|| differs("inference gas", &self.inference, gas(|g| g.inference)))
            .or_else(|| differs("PQ-Gas", &self.pq, gas(|g| g.pq)))
            .or_else(|| differs("gas", &self.total, gas(Gas::total)))
            .or_else(|| differs("refusal", &self.refused, refused))
            .or_else(|| differs("hash", &self.hash, hash))
            .or_else(|| differs("price", &self.price, price))
            .map(|what| format!("{what}; the outcome is {}", text(outcome)))
    }
}

fn text(of: &impl Serialize) -> String {
    serde_json::to_string(of).unwrap_or_default()
}

fn differs<T: PartialEq + Serialize>(
    what: &str,
    claimed: &Option<T>,
    found: Option<T>,
) -> Option<String> {
    if claimed.is_none() || *claimed == found {
        return None;
    }
    Some(format!(
        "the {what} is {}, but {} is claimed",
        text(&found),
        text(claimed)
    ))
}
