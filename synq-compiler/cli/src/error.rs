//! Why a command did not succeed, and the exit code that says so.

use std::path::PathBuf;

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
        }
    }
}
