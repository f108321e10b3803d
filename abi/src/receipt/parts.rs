//! The fields of a receipt.

use serde::{Deserialize, Serialize};

use super::OutboxMessage;
use crate::{Address, Digest, TrapCode, Word};

/// What a transaction did and what it cost.
///
/// Everything in it is consensus data: no error text, no timing, nothing that depends on the
/// machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Numeric identifier of the chain.
    pub chain_id: u64,
    /// Name of the network.
    pub network: String,
    /// Height of the block.
    pub block_height: u64,
    /// Time of the block in seconds since the Unix epoch.
    pub block_time: u64,
    /// Hash of the transaction, as the chain computes it.
    pub tx_hash: Digest,
    /// What was asked.
    pub kind: Kind,
    /// Who asked.
    pub caller: Address,
    /// The contract that ran; for a deployment the new one.
    pub contract: Address,
    /// How it ended.
    pub status: Status,
    /// Gas the caller allowed.
    pub gas_limit: u64,
    /// Gas that was used, by cause.
    pub gas: GasUsed,
    /// Return data, or revert data; empty after a trap.
    #[serde(with = "hex_bytes")]
    pub output: Vec<u8>,
    /// Events in order; none unless the call returned.
    pub events: Vec<Event>,
    /// Digest of all changes of state.
    pub state_delta: Digest,
    /// State root before, where the host has one.
    pub state_root_before: Option<Digest>,
    /// State root after, where the host has one.
    pub state_root_after: Option<Digest>,
    /// Inferences in order.
    pub inferences: Vec<Inference>,
    /// Post-quantum checks in order.
    pub pqc: Vec<PqcCheck>,
    /// Hash of the host-call transcript.
    pub transcript: Digest,
    /// Root over the intermediate tensors of the inferences, where the host keeps one.
    pub inference_trace: Option<Digest>,
    /// Hash of the gas schedule that priced it.
    pub schedule: Digest,
    /// Messages to other chains, in order; none unless the call returned. A receipt without any has the
    /// same bytes as one from before there were messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<OutboxMessage>,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A new contract.
    Deploy,
    /// A call that may change state.
    Call,
    /// A call that only reads.
    Query,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The contract returned.
    Return,
    /// The contract reverted; its effects are undone.
    Revert,
    /// The sandbox stopped it; its effects are undone and all gas is spent.
    Trap(TrapCode),
}

impl Status {
    /// True for a return.
    pub fn is_success(self) -> bool {
        self == Self::Return
    }
}

/// As text: `return`, `revert` or `trap:` and the code's name.
impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Return => f.write_str("return"),
            Self::Revert => f.write_str("revert"),
            Self::Trap(code) => write!(f, "trap:{code}"),
        }
    }
}

impl Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "return" => Ok(Self::Return),
            "revert" => Ok(Self::Revert),
            other => match other.strip_prefix("trap:") {
                Some(name) => name.parse().map(Self::Trap).map_err(D::Error::custom),
                None => Err(D::Error::custom(format!("`{other}` is not a status"))),
            },
        }
    }
}

/// Gas by cause. All but `pq` belong to the one gas lane that the gas limit bounds; `pq` is
/// the lane of post-quantum cryptography, with limits of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GasUsed {
    /// Instructions, locals, frames, memory. After a trap also all that was left.
    pub execution: u64,
    /// Host calls: base prices and bytes.
    pub host: u64,
    /// Storage reads and writes.
    pub storage: u64,
    /// Neural networks.
    pub inference: u64,
    /// Uploading code and models.
    pub upload: u64,
    /// PQ-Gas.
    pub pq: u64,
}

impl GasUsed {
    /// Gas of the first lane: everything but PQ-Gas.
    pub fn total(&self) -> u64 {
        let causes = [
            self.execution,
            self.host,
            self.storage,
            self.inference,
            self.upload,
        ];
        causes.into_iter().fold(0, u64::saturating_add)
    }
}

/// What a contract told the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// The contract that told it.
    pub contract: Address,
    /// Up to four topics.
    pub topics: Vec<Word>,
    /// The rest.
    #[serde(with = "hex_bytes")]
    pub data: Vec<u8>,
}

/// One run of a neural network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Inference {
    /// Content address of the model.
    pub model: Digest,
    /// The contract that asked.
    pub contract: Address,
    /// Gas charged.
    pub gas: u64,
    /// Multiply-accumulate operations.
    pub macs: u64,
}

/// One post-quantum operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PqcCheck {
    /// Scheme, as the WIT names it, such as `mldsa65`.
    pub scheme: String,
    /// The contract that asked.
    pub contract: Address,
    /// Whether the signature held, or the secret was decapsulated.
    pub ok: bool,
    /// PQ-Gas charged.
    pub gas: u64,
}

/// Bytes as hexadecimal text with `0x`.
pub(super) mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("0x{}", hex::encode(bytes)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text.strip_prefix("0x").unwrap_or(&text)).map_err(serde::de::Error::custom)
    }
}
