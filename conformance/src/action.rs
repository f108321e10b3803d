//! What the steps of a vector do.

use aivm::{Address, Word};
use aivm_abi::Digest;
use serde::{Deserialize, Serialize};

/// What can be done to a chain. Names given by `name` are used by later steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Uploads code.
    Upload {
        /// Name of the code.
        name: String,
        /// The module.
        code: Bytes,
    },
    /// Registers a model.
    RegisterModel {
        /// The ONNX file.
        model: Bytes,
    },
    /// Creates a contract. Its salt is the BLAKE3 of its name.
    Deploy {
        /// Name of the contract.
        name: String,
        /// Name of its code, or the code's hash in hexadecimal.
        code: String,
        /// The transaction.
        message: Message,
    },
    /// Calls a contract.
    Call {
        /// Name of the contract.
        to: String,
        /// The transaction.
        message: Message,
    },
    /// Calls a contract read-only.
    Query {
        /// Name of the contract.
        to: String,
        /// The transaction.
        message: Message,
    },
    /// Goes on in another block.
    Block {
        /// Its height.
        number: u64,
        /// Its time in seconds since the Unix epoch.
        timestamp: u64,
    },
    /// Gives the block up: what uploads, registrations and transactions have done since the last
    /// `block`, or since the start, is undone. What other chains sent and how models are called
    /// stays, since it is the chain's own.
    Abandon {},
    /// The chain gives a model a name, by which guests written for other hosts may load it.
    NameModel {
        /// The name.
        name: String,
        /// The model's content address.
        model: Digest,
    },
    /// A message from another chain arrives, which this chain has verified.
    Deliver {
        /// Its identifier, which no other message of any chain has.
        id: Digest,
        /// The contract that it is for: its name in the steps, or its address.
        to: String,
        /// Identifier of the chain that it comes from.
        source_chain: u64,
        /// Identifier of the chain that it was sent to; this chain's when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        destination: Option<u64>,
        /// Who sent it, as that chain writes addresses.
        #[serde(default, skip_serializing_if = "Hex::is_empty")]
        sender: Hex,
        /// What was sent.
        #[serde(default, skip_serializing_if = "Hex::is_empty")]
        payload: Hex,
    },
    /// Shows that a message is among those of a receipt, under the root of its outbox.
    Prove {
        /// Identifier of the message.
        message: Digest,
        /// Root of the outbox.
        root: Digest,
        /// Position of the message in the receipt.
        index: u32,
        /// Number of messages in the receipt.
        count: u32,
        /// The nodes beside the way from the message up, the lowest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        siblings: Vec<Digest>,
    },
    /// Reads canonical bytes and writes them again.
    Read {
        /// What they are said to be.
        what: Format,
        /// The bytes.
        bytes: Hex,
    },
}

impl Action {
    /// What `do` can be.
    pub const NAMES: [&str; 11] = [
        "upload",
        "register-model",
        "deploy",
        "call",
        "query",
        "block",
        "abandon",
        "name-model",
        "deliver",
        "prove",
        "read",
    ];
}

/// Formats with canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A receipt.
    Receipt,
    /// A signed transaction.
    Transaction,
    /// An address in Bech32m, as text.
    Address,
}

/// What deployments, calls and queries have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who sends it.
    pub from: Address,
    /// Call data.
    #[serde(default, skip_serializing_if = "Hex::is_empty")]
    pub input: Hex,
    /// Native value.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub value: Word,
    /// Gas limit; 100 million when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_limit: Option<u64>,
    /// PQ-Gas limit; the schedule's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pq_gas_limit: Option<u64>,
}

fn is_zero(value: &Word) -> bool {
    value.is_zero()
}

impl Message {
    /// A message without value, with the default limits.
    pub fn new(from: Address, input: impl Into<Vec<u8>>) -> Self {
        Self {
            from,
            input: Hex(input.into()),
            value: Word::ZERO,
            gas_limit: None,
            pq_gas_limit: None,
        }
    }

    /// Sets the native value.
    pub fn with_value(mut self, value: Word) -> Self {
        self.value = value;
        self
    }

    /// Sets the gas limit.
    pub fn with_gas_limit(mut self, limit: u64) -> Self {
        self.gas_limit = Some(limit);
        self
    }

    /// Sets the PQ-Gas limit.
    pub fn with_pq_gas_limit(mut self, limit: u64) -> Self {
        self.pq_gas_limit = Some(limit);
        self
    }
}

/// A file's content. Adapters always get it as `hex`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bytes {
    /// As hexadecimal text.
    Hex(Hex),
    /// As a Wasm module in text form.
    Wat(String),
    /// In a file, relative to the folder of the file of vectors.
    File(String),
    /// Under this name in `shared` of the same file of vectors.
    Shared(String),
}

/// Bytes as hexadecimal text with `0x`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex(pub Vec<u8>);

impl Hex {
    /// True when there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("0x{}", hex::encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| serde::de::Error::custom("hexadecimal text begins with `0x`"))?;
        hex::decode(digits)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}
