//! Why a trace cannot be read or does not hold together.

/// What is wrong with a trace or a question about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The bytes do not begin as a trace does.
    #[error("not an inference trace")]
    Magic,
    /// A version of the format that this library does not read.
    #[error("version {0} of the trace format is not supported")]
    Version(u16),
    /// The bytes end within a field.
    #[error("the trace ends within its {0}")]
    Truncated(&'static str),
    /// Bytes follow the last entry.
    #[error("{0} bytes follow the last entry")]
    Trailing(usize),
    /// A field has a value that it cannot have.
    #[error("entry {entry}: {what}")]
    Entry {
        /// Number of the entry.
        entry: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The entries do not have the root that the file states.
    #[error("the entries do not have the root that the file states")]
    Root,
    /// The trace is of another model.
    #[error("the trace is of another model")]
    Model,
    /// There is no such operation, output or tile.
    #[error("the trace has no {0} with this number")]
    Missing(&'static str),
    /// The inference does not commit to the operation's results.
    #[error(
        "operation {0} has no place in a trace: it is neither a convolution nor a product nor an output, and follows from those before it"
    )]
    NotCommitted(u32),
    /// The tensor is not in the file, only its digest.
    #[error("the file has the digest of entry {0} but not its bytes")]
    NotKept(usize),
    /// The operation cannot be computed from the operands in the trace.
    #[error("the operation cannot be recomputed: {0}")]
    Run(#[from] crate::RunError),
}
