//! Test vectors: what is run, and what must come out.

use std::collections::BTreeMap;

use aivm::{Address, GasSchedule, Word};
use aivm_abi::Digest;
use aivm_abi::receipt::{Event, GasUsed, Status};
use serde::{Deserialize, Serialize};

/// Version of the vector format.
pub const SCHEMA: u32 = 1;

/// A file of vectors.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// Version of the format, [`SCHEMA`].
    pub schema: u32,
    /// Suite that the vectors belong to.
    pub suite: String,
    /// The vectors, in order.
    pub vectors: Vec<Vector>,
}

/// One history of a small chain with the exact outcome of each step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Unique name in its suite.
    pub name: String,
    /// The rule that is tested.
    pub rule: String,
    /// Why the expected outcome is right: an independent source, or a proof in words.
    pub reason: String,
    /// The chain before the first step.
    #[serde(default)]
    pub chain: Chain,
    /// What happens, and what must come of it.
    pub steps: Vec<Step>,
    /// Storage of contracts at the end, by the contract's name in the steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<String, BTreeMap<Hex, Hex>>,
}

/// A chain at the start of a vector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chain {
    /// Identifier of the chain.
    pub chain_id: u64,
    /// Height of the block that everything runs in.
    pub block_number: u64,
    /// Time of the block in seconds since the Unix epoch.
    pub block_timestamp: u64,
    /// Native balances.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub balances: BTreeMap<Address, Word>,
    /// Gas schedule; the built-in first version when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Box<GasSchedule>>,
}

/// An action and its outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What must come of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Outcome>,
}

/// What can be done to a chain. Names given by `name` are used by later steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// Creates a contract.
    Deploy {
        /// Name of the contract.
        name: String,
        /// Name of its code.
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
}

/// What deployments, calls and queries have in common.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who sends it.
    pub from: Address,
    /// Call data.
    #[serde(default)]
    pub input: Hex,
    /// Native value.
    #[serde(default)]
    pub value: Word,
    /// Gas limit; the VM's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_limit: Option<u64>,
}

/// A file's content.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bytes {
    /// As hexadecimal text.
    Hex(Hex),
    /// As a Wasm module in text form; adapters in other processes get the binary.
    Wat(String),
    /// In a file, relative to the folder of vectors; adapters in other processes get the bytes.
    File(String),
}

/// Bytes as hexadecimal text with `0x`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex(pub Vec<u8>);

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
}

/// The parts of a receipt that vectors show, and the hash over all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// How it ended.
    pub status: Status,
    /// Return or revert data.
    pub output: Hex,
    /// Gas by cause.
    pub gas: GasUsed,
    /// Events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Hash of the canonical bytes of the receipt.
    pub receipt: Digest,
}
