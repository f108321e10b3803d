//! Why a command did not work.

use std::path::PathBuf;

/// Something the user can mend, with a hint where there is one.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// Neither hexadecimal nor, for want of an ABI, anything else.
    #[error("`{0}` is not hexadecimal; to call functions by name, give the contract's --abi")]
    NeedsAbi(String),
    /// A call that cannot be read.
    #[error("`{0}` is not a call; write it as 'name(argument, ...)'")]
    BadCall(String),
    /// The ABI does not fit the call.
    #[error(transparent)]
    Calldata(#[from] aivm_abi::calldata::CalldataError),
    /// An address that cannot be read.
    #[error("`{text}` is not an address: {source}")]
    Address {
        /// What was given.
        text: String,
        /// Why not.
        source: aivm_abi::AddressError,
    },
    /// The VM refused, or failed.
    #[error(transparent)]
    Vm(#[from] aivm::Error),
    /// The chain's database failed.
    #[error("{}", chain(.0))]
    Host(#[from] aivm::HostError),
    /// The constructor did not return.
    #[error("the constructor ended with {0}")]
    Constructor(String),
    /// A transcript that cannot be read.
    #[error("{path}: {source}")]
    Transcript {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: aivm_abi::DecodeError,
    },
    /// There is nothing to do.
    #[error("there is no --call to {0}")]
    NoCall(&'static str),
}

/// An error and what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
