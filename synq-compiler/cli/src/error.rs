//! Why a command did not succeed, and the exit code that says so.

use std::path::PathBuf;

use serde_json::Value;
use synq_compiler::Diagnostics;

/// A command that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source has errors; they are printed as diagnostics.
    #[error("the source has errors")]
    Source(Box<Diagnostics>),
    /// A check said no: files are not formatted, a test failed, bytes differ.
    #[error("{0}")]
    Check(String),
    /// Already said on the output.
    #[error("failed")]
    Said,
    /// The virtual machine refused a module or a request, or failed.
    #[error(transparent)]
    Vm(#[from] aivm::Error),
    /// A call does not fit the contract's ABI.
    #[error(transparent)]
    Call(#[from] aivm_abi::calldata::CalldataError),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Some files could not be formatted.
    #[error("{}", join(errors))]
    Formatting {
        /// Why, for each of them.
        errors: Vec<Error>,
        /// The others that were written, or with `--check` would be.
        changed: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

impl Error {
    /// An error about a file.
    pub fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::File {
            path: path.into(),
            reason: reason.to_string(),
        }
    }

    /// The process's exit code; `synqc --help` lists them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Source(_) | Self::Check(_) | Self::Said | Self::Vm(_) => 1,
            Self::Usage(_) | Self::Call(_) => 2,
            Self::File { .. } => 3,
            Self::Formatting { errors, .. } => {
                errors.iter().map(Self::exit_code).max().unwrap_or(1)
            }
        }
    }

    /// What is wrong with the source, for programs.
    pub fn diagnostics(&self) -> Vec<Value> {
        match self {
            Self::Source(found) => match found.to_json() {
                Value::Array(list) => list,
                _ => Vec::new(),
            },
            Self::Formatting { errors, .. } => errors.iter().flat_map(Self::diagnostics).collect(),
            _ => Vec::new(),
        }
    }
}

/// The errors as one text, each once.
fn join(errors: &[Error]) -> String {
    let mut texts: Vec<String> = errors.iter().map(Error::to_string).collect();
    texts.dedup();
    texts.join("; ")
}
