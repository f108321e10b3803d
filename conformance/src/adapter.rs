//! What vectors are run against.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Duration;

use aivm::Word;
use serde::{Deserialize, Serialize};

use crate::action::{Action, Hex};
use crate::outcome::Outcome;
use crate::vector::Chain;

/// A vector without what is expected of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The chain before the first action.
    pub chain: Chain,
    /// What is done, in order. Code and models are hexadecimal.
    pub actions: Vec<Action>,
    /// Names of the contracts whose storage is asked for.
    #[serde(default)]
    pub storage: Vec<String>,
    /// Names of the contracts, and addresses, whose balance is asked for.
    #[serde(default)]
    pub balances: Vec<String>,
}

/// What came of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// One outcome for each action.
    pub outcomes: Vec<Outcome>,
    /// Storage at the end of each contract asked for.
    #[serde(default)]
    pub storage: BTreeMap<String, BTreeMap<Hex, Hex>>,
    /// Each balance asked for, at the end.
    #[serde(default)]
    pub balances: BTreeMap<String, Word>,
}

/// Why an implementation gave no results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// The implementation failed.
    #[error("the implementation failed: {0}")]
    Failed(String),
    /// The implementation does not have what the case needs.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The child process could not be started.
    #[error("cannot start the adapter `{command}`: {source}")]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// The child process went away.
    #[error("the adapter ended without an answer")]
    Ended,
    /// The child process does not answer.
    #[error("the adapter gave no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The child process answered something else than results.
    #[error("the adapter's answer is not understood: {0}")]
    Answer(String),
    /// The child process failed to answer several times in a row.
    #[error("gave the adapter up after {count} failures in a row, the last of which was: {last}")]
    GaveUp {
        /// How many.
        count: u32,
        /// What was wrong in the end.
        last: String,
    },
}

impl AdapterError {
    /// True when no other case has a chance.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::GaveUp { .. })
    }
}

/// An implementation under test.
pub trait Adapter {
    /// Runs a case on a fresh chain.
    ///
    /// # Errors
    /// When the implementation gives no results; that is no outcome of the case.
    fn run(&mut self, case: &Case) -> Result<Results, AdapterError>;
}

/// What a child process answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The case ran.
    Results(Results),
    /// It could not be run.
    Error(String),
    /// The implementation does not have what the case needs.
    Unsupported(String),
}

/// Answers cases from `input` until it ends: the other side of [`Process`](crate::Process).
///
/// # Errors
/// When one of the pipes breaks.
pub fn serve(
    adapter: &mut dyn Adapter,
    input: impl BufRead,
    mut output: impl Write,
) -> std::io::Result<()> {
    for line in input.lines() {
        let line = line?;
        let answer = match serde_json::from_str(&line) {
            Ok(case) => match adapter.run(&case) {
                Ok(results) => Answer::Results(results),
                Err(AdapterError::Unsupported(why)) => Answer::Unsupported(why),
                Err(error) => Answer::Error(error.to_string()),
            },
            Err(error) => match unknown_action(&line) {
                Some(name) => Answer::Unsupported(format!("the action `{name}`")),
                None => Answer::Error(format!("the case is not understood: {error}")),
            },
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

/// The first action of a case that this version does not know: a later one has more.
fn unknown_action(line: &str) -> Option<String> {
    let case: serde_json::Value = serde_json::from_str(line).ok()?;
    let names = case["actions"].as_array()?.iter();
    let mut names = names.filter_map(|action| action["do"].as_str());
    let unknown = names.find(|name| !Action::NAMES.contains(name));
    unknown.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Answer, serve};
    use crate::interpreter::Interpreter;

    fn answer(line: &str) -> Answer {
        let mut output = Vec::new();
        serve(&mut Interpreter::default(), line.as_bytes(), &mut output).unwrap();
        serde_json::from_slice(&output).unwrap()
    }

    #[test]
    fn an_action_of_a_later_version_is_unsupported() {
        let later = r#"{"chain": {}, "actions": [{"do": "abandon"}, {"do": "fly"}]}"#;
        match answer(later) {
            Answer::Unsupported(why) => assert!(why.contains("`fly`"), "{why}"),
            other => panic!("{other:?}"),
        }
        for wrong in [
            r#"{"chain": {}, "actions": [{"do": "abandon", "more": 1}]}"#,
            r#"{"chain": {}, "actions": [{"do": 7}]}"#,
            r#"{"actions": "abandon"}"#,
            "nonsense",
        ] {
            assert!(matches!(answer(wrong), Answer::Error(_)), "{wrong}");
        }
        let known = r#"{"chain": {}, "actions": [{"do": "abandon"}]}"#;
        assert!(matches!(answer(known), Answer::Results(_)));
    }
}
