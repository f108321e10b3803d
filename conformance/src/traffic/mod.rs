//! A chain that is used: contracts of the corpus, and transactions that keep them busy.
//!
//! Everything is made from a seed, keys and signatures too, so that two machines that run the
//! same traffic must give the same receipts.

mod chain;
mod contracts;
mod keys;
mod numbers;
mod plan;
mod probe;
mod scene;

pub use chain::{Shape, run_chain, schedules};
pub use contracts::Contracts;
pub use plan::{Kind, Plan, Transaction};
pub use scene::{Clock, Scene, fingerprint};

use std::path::PathBuf;

/// Why there is no traffic.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrafficError {
    /// A file of the repository could not be read.
    #[error("cannot read {}: {source}; `--root` names the repository's folder", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A contract does not compile.
    #[error("{0}")]
    Compile(String),
    /// Arguments do not fit a contract.
    #[error(transparent)]
    Arguments(#[from] aivm_abi::calldata::CalldataError),
    /// The VM gave no receipt.
    #[error(transparent)]
    Vm(#[from] aivm::Error),
    /// The chain failed.
    #[error(transparent)]
    Host(#[from] aivm::HostError),
    /// A transaction that prepares the chain did not return.
    #[error("{what} ended in {status:?}: 0x{output}")]
    Setup {
        /// What it does.
        what: &'static str,
        /// How it ended.
        status: aivm::Status,
        /// Its output, in hexadecimal.
        output: String,
    },
    /// A signature could not be made.
    #[error("cannot sign: {0}")]
    Sign(&'static str),
    /// Two parts of this program do not fit.
    #[error("{0}")]
    Inconsistent(&'static str),
}
