//! Test vectors: what is run, and what must come out.

use std::collections::BTreeMap;

use aivm::{Address, GasSchedule, ScheduleSet, Word};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use synq_compiler::{ChainProfile, MemoryLoader, Options, ProfileError};

use crate::action::{Action, Bytes, Hex};
use crate::outcome::{Claim, Outcome};

/// Version of the vector format.
pub const SCHEMA: u32 = 3;

/// A file of vectors.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// Version of the format, [`SCHEMA`].
    pub schema: u32,
    /// Suite that the vectors belong to.
    pub suite: String,
    /// What wrote the file; absent when people did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
    /// Why the expected outcomes are right, for vectors that give no reason of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The chain before the first step, for vectors that name none.
    #[serde(default)]
    pub chain: Chain,
    /// Code and models that several vectors use, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shared: BTreeMap<String, Bytes>,
    /// What shared code was compiled from, by the code's name. The runner ignores it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Source>,
    /// The vectors, in order.
    pub vectors: Vec<Vector>,
}

/// A contract in SynQ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the contract, one of those in the text.
    pub contract: String,
    /// The text of the file.
    pub synq: String,
    /// The files that it imports, by their paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The profile of the chain whose functions it calls, in TOML.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub profile: String,
}

impl Source {
    /// Name of the file when it is compiled: code names its source lines.
    pub const FILE: &str = "a.synq";

    /// A contract of one file.
    pub fn new(contract: impl Into<String>, synq: impl Into<String>) -> Self {
        Self {
            contract: contract.into(),
            synq: synq.into(),
            ..Self::default()
        }
    }

    /// The file and those that it imports, for the compiler.
    pub fn loader(&self) -> MemoryLoader {
        let loader = MemoryLoader::new().with_source(Self::FILE, self.synq.as_str());
        let files = self.files.iter();
        files.fold(loader, |loader, (path, text)| {
            loader.with_source(path, text)
        })
    }

    /// What the compiler has to know beside the files.
    ///
    /// # Errors
    /// When the profile is none.
    pub fn options(&self) -> Result<Options, ProfileError> {
        Ok(Options::new().with_profile(ChainProfile::from_toml(&self.profile)?))
    }
}

/// One history of a small chain with the exact outcome of each step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Unique name in its suite.
    pub name: String,
    /// The rule that is tested.
    pub rule: String,
    /// Why the expected outcome is right: an independent source, or a proof in words. The
    /// file's reason when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The chain before the first step; the file's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// What happens, and what must come of it.
    pub steps: Vec<Step>,
    /// Storage of contracts at the end, by the contract's name in the steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<String, BTreeMap<Hex, Hex>>,
    /// Native balances at the end, by the contract's name in the steps or by address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub balances: BTreeMap<String, Word>,
}

/// A chain at the start of a vector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chain {
    /// Identifier of the chain.
    pub chain_id: u64,
    /// Height of the block that the first step runs in.
    pub block_number: u64,
    /// Time of that block in seconds since the Unix epoch.
    pub block_timestamp: u64,
    /// Native balances.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub balances: BTreeMap<Address, Word>,
    /// Gas schedules by the height from which each is in force, as what is other than in the
    /// built-in first one: a path such as `wasm/multiply`, and the value there. The built-in
    /// one is in force where this says nothing. The `version` of the schedule at height 0 is
    /// 1, and one more for each that follows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schedules: BTreeMap<u64, BTreeMap<String, Value>>,
    /// What the chain's own functions answer. A call for which there is nothing here is one of a
    /// function that the chain lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
}

/// What a function of the chain answers to some arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Name of the function.
    pub name: String,
    /// The arguments, byte for byte.
    #[serde(default, skip_serializing_if = "Hex::is_empty")]
    pub arguments: Hex,
    /// What it costs beside the price of the host function.
    pub gas: u64,
    /// The answer.
    pub answer: Answer,
}

/// How a function of the chain ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It returns this.
    Returns(Hex),
    /// It reverts with this.
    Reverts(Hex),
}

impl From<Answer> for aivm::ExtensionResult {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Returns(data) => Ok(data.0),
            Answer::Reverts(data) => Err(data.0),
        }
    }
}

/// A schedule of a vector is none.
#[derive(Debug, thiserror::Error)]
#[error("the schedule from height {height} on: {message}")]
pub struct ChainError {
    height: u64,
    message: String,
}

impl Chain {
    /// What the chain has to say to a call of one of its functions.
    pub fn extension(&self, name: &str, arguments: &[u8]) -> Option<&Extension> {
        self.extensions
            .iter()
            .find(|one| one.name == name && one.arguments.0 == arguments)
    }

    /// The schedules in full.
    ///
    /// # Errors
    /// When a path names nothing in a schedule, or the schedule is not valid with it.
    pub fn schedule_set(&self) -> Result<ScheduleSet, ChainError> {
        let mut heights = self.schedules.iter().peekable();
        let genesis = match heights.next_if(|(height, _)| **height == 0) {
            Some((_, changes)) => changed(0, 1, changes)?,
            None => GasSchedule::v1(),
        };
        let refused = |height: u64| {
            move |error: aivm_gas::ScheduleError| ChainError {
                height,
                message: error.to_string(),
            }
        };
        let mut set = ScheduleSet::new(genesis).map_err(refused(0))?;
        for (version, (height, changes)) in (2..).zip(heights) {
            let schedule = changed(*height, version, changes)?;
            set.activate(*height, schedule).map_err(refused(*height))?;
        }
        Ok(set)
    }
}

/// The built-in schedule with some values changed.
fn changed(
    height: u64,
    version: u32,
    changes: &BTreeMap<String, Value>,
) -> Result<GasSchedule, ChainError> {
    let error = |message: String| ChainError { height, message };
    let mut schedule = GasSchedule::v1();
    schedule.version = version;
    let mut all = serde_json::to_value(schedule).map_err(|e| error(e.to_string()))?;
    for (path, value) in changes {
        let place = all.pointer_mut(&format!("/{path}"));
        *place.ok_or_else(|| error(format!("there is no `{path}`")))? = value.clone();
    }
    serde_json::from_value(all).map_err(|e| error(e.to_string()))
}

/// An action and its outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What the vector's reason promises. The runner ignores it; no outcome that contradicts
    /// it is ever written into `expect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// What must come of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Outcome>,
}
