//! What a vector is run against.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::vector::{Action, Chain, Hex, Outcome};

/// A vector without what is expected of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The chain before the first action.
    pub chain: Chain,
    /// What is done, in order. Code and models are hexadecimal.
    pub actions: Vec<Action>,
    /// Names of the contracts whose storage is asked for.
    pub storage: Vec<String>,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// One outcome for each action.
    pub outcomes: Vec<Outcome>,
    /// Storage at the end of each contract asked for.
    pub storage: BTreeMap<String, BTreeMap<Hex, Hex>>,
}

/// Why an implementation gave no results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// The implementation failed.
    #[error("the implementation failed: {0}")]
    Failed(String),
    /// The child process could not be started.
    #[error("cannot start the adapter `{command}`: {source}")]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// The child process went away or broke the pipe.
    #[error("the adapter stopped answering: {0}")]
    Pipe(#[from] std::io::Error),
    /// The child process answered something else than results.
    #[error("the adapter's answer is not understood: {0}")]
    Answer(#[from] serde_json::Error),
}

/// An implementation under test.
pub trait Adapter {
    /// Runs a case on a fresh chain.
    ///
    /// # Errors
    /// When the implementation gives no results; that is no outcome of the case.
    fn run(&mut self, case: &Case) -> Result<Results, AdapterError>;
}

/// An implementation in a child process: a case on a line of JSON in, results on a line out.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What a child process answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The case ran.
    Results(Results),
    /// It could not be run.
    Error(String),
}

impl Process {
    /// Starts `command`, a program and its arguments separated by blanks.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &str) -> Result<Self, AdapterError> {
        let mut words = command.split_whitespace();
        let failed = |source| AdapterError::Start {
            command: command.to_string(),
            source,
        };
        let mut child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let input = child.stdin.take();
        let output = child
            .stdout
            .take()
            .ok_or_else(|| failed(std::io::Error::other("its output is not connected")))?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }
}

impl Adapter for Process {
    fn run(&mut self, case: &Case) -> Result<Results, AdapterError> {
        let mut line = serde_json::to_string(case)?;
        line.push('\n');
        if let Some(input) = &mut self.input {
            input.write_all(line.as_bytes())?;
            input.flush()?;
        }
        line.clear();
        if self.output.read_line(&mut line)? == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        match serde_json::from_str(&line)? {
            Answer::Results(results) => Ok(results),
            Answer::Error(message) => Err(AdapterError::Failed(message)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Closing its input asks the child to end.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Answers cases from standard input until it ends: the other side of [`Process`].
///
/// # Errors
/// When the pipe breaks.
pub fn serve(adapter: &mut dyn Adapter) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(case) => match adapter.run(&case) {
                Ok(results) => Answer::Results(results),
                Err(error) => Answer::Error(error.to_string()),
            },
            Err(error) => Answer::Error(format!("the case is not understood: {error}")),
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}
