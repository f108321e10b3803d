//! Test vectors: what is run, and what must come out.

use std::collections::BTreeMap;

use aivm::{Address, GasSchedule, ScheduleSet, Word};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, Bytes, Hex};
use crate::outcome::{Claim, Outcome};

/// Version of the vector format.
pub const SCHEMA: u32 = 2;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the contract, one of those in the text.
    pub contract: String,
    /// The text of the file.
    pub synq: String,
}

impl Source {
    /// Name of the file when it is compiled: code names its source lines.
    pub const FILE: &str = "a.synq";
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
}

/// A schedule of a vector is none.
#[derive(Debug, thiserror::Error)]
#[error("the schedule from height {height} on: {message}")]
pub struct ChainError {
    height: u64,
    message: String,
}

impl Chain {
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
