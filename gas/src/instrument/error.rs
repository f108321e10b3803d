//! Why a module is refused.

use std::fmt;

use crate::ScheduleError;

/// A module was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at byte {offset})")]
pub struct InstrumentError {
    /// Byte of the guest module at which the reason was found.
    pub offset: u64,
    /// Why.
    pub reason: Box<Reason>,
}

impl InstrumentError {
    #[cold]
    pub(crate) fn new(offset: u64, reason: Reason) -> Self {
        Self {
            offset,
            reason: Box::new(reason),
        }
    }
}

impl From<wasmparser::Error> for InstrumentError {
    fn from(error: wasmparser::Error) -> Self {
        Self::new(error.offset(), Reason::Invalid(error.message().to_string()))
    }
}

/// Why a module is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The bytes are not a valid WebAssembly module.
    #[error("invalid module: {0}")]
    Invalid(String),
    /// The module needs a feature that is off.
    #[error("{0} not allowed")]
    Feature(Feature),
    /// Too large.
    #[error("too many {limit}: {found}, at most {max} allowed")]
    TooMany {
        /// Of what.
        limit: Limit,
        /// How many there are; counting may have stopped at the limit.
        found: u64,
        /// How many are allowed.
        max: u64,
    },
    /// A start function would run before there is gas.
    #[error("a start function is not allowed")]
    Start,
    /// The name belongs to the instrumentation.
    #[error("the name `{0}` is reserved")]
    ReservedName(String),
    /// The schedule is out of range.
    #[error("gas schedule: {0}")]
    Schedule(ScheduleError),
    /// The instrumented module did not validate: a mistake of the instrumentation.
    #[error("internal: the instrumented module is invalid: {0}")]
    Internal(String),
}

/// A WebAssembly feature outside of the accepted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// 128-bit vectors, when the schedule turns them off.
    Simd,
    /// Vector instructions whose results may differ.
    RelaxedSimd,
    /// Atomics and shared memories.
    Threads,
    /// Tail calls.
    TailCall,
    /// Exceptions.
    Exceptions,
    /// 64-bit memories and tables.
    Memory64,
    /// More than one memory.
    MultiMemory,
    /// Arithmetic in constant expressions.
    ExtendedConst,
    /// Garbage-collected types and typed function references.
    Gc,
    /// 128-bit integer arithmetic.
    WideArithmetic,
    /// Stack switching.
    StackSwitching,
    /// Memory pages of another size, and memory control.
    MemoryControl,
    /// The component model.
    Components,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simd => "128-bit vectors are",
            Self::RelaxedSimd => "relaxed vector instructions are",
            Self::Threads => "threads are",
            Self::TailCall => "tail calls are",
            Self::Exceptions => "exceptions are",
            Self::Memory64 => "64-bit memory is",
            Self::MultiMemory => "more than one memory is",
            Self::ExtendedConst => "extended constant expressions are",
            Self::Gc => "garbage-collected types are",
            Self::WideArithmetic => "128-bit integer arithmetic is",
            Self::StackSwitching => "stack switching is",
            Self::MemoryControl => "memory control is",
            Self::Components => "components are",
        })
    }
}

/// What a limit counts; the names are those of [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each is documented at the field of `Limits` it is named after"
)]
pub enum Limit {
    ModuleBytes,
    InstrumentedBytes,
    Types,
    Params,
    Functions,
    BodyBytes,
    Locals,
    TotalLocals,
    Nesting,
    LoopNesting,
    Phis,
    TotalPhis,
    Blocks,
    BlockInstructions,
    StackValues,
    FrameWords,
    BrTable,
    TotalBrTable,
    MemoryGrows,
    Imports,
    Exports,
    NameBytes,
    Globals,
    Tables,
    TableElements,
    ElementSegments,
    DataSegments,
    InitialPages,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ModuleBytes => "bytes in the module",
            Self::InstrumentedBytes => "bytes in the instrumented module",
            Self::Types => "types",
            Self::Params => "parameters or results",
            Self::Functions => "functions",
            Self::BodyBytes => "bytes in a function",
            Self::Locals => "locals in a function",
            Self::TotalLocals => "locals in all functions",
            Self::Nesting => "nested blocks",
            Self::LoopNesting => "nested loops",
            Self::Phis => "joins times locals in a function",
            Self::TotalPhis => "joins times locals in all functions",
            Self::Blocks => "basic blocks in a function",
            Self::BlockInstructions => "instructions in a basic block",
            Self::StackValues => "values on the operand stack",
            Self::FrameWords => "words in a frame",
            Self::BrTable => "targets in a br_table",
            Self::TotalBrTable => "br_table targets in a function",
            Self::MemoryGrows => "memory.grow instructions",
            Self::Imports => "imports",
            Self::Exports => "exports",
            Self::NameBytes => "bytes in a name",
            Self::Globals => "globals",
            Self::Tables => "tables",
            Self::TableElements => "elements in a table",
            Self::ElementSegments => "element segments",
            Self::DataSegments => "data segments",
            Self::InitialPages => "initial memory pages",
        })
    }
}
