//! Instrumentation of WebAssembly modules.

mod cost;
mod count;
mod emit;
mod error;
mod features;
mod flow;
mod function;
mod least;
mod module;
mod moves;
mod offsets;
mod plan;
mod simd;

pub use count::{Block, BlockOpcode, Counted, count_blocks};
pub use error::{Feature, InstrumentError, Limit, Reason};
pub use least::least_gas;
pub use offsets::OffsetMap;

use crate::GasSchedule;

/// Names that begin like this belong to the instrumentation; guests cannot use them.
pub const RESERVED_PREFIX: &str = "aivm:";
/// Exported mutable i64: gas left.
pub const GAS_EXPORT: &str = "aivm:gas";
/// Exported mutable i64: words left on the logical stack.
pub const STACK_EXPORT: &str = "aivm:stack";
/// Exported mutable i32: why the instrumentation stopped the guest, an [`ExitCode`].
pub const EXIT_EXPORT: &str = "aivm:exit";

/// Why the instrumentation ran into `unreachable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitCode {
    /// The gas did not suffice for the next block.
    OutOfGas,
    /// The logical stack did not suffice for the next frame.
    StackLimit,
    /// The memory would have grown beyond the schedule's limit.
    MemoryLimit,
}

impl ExitCode {
    /// Value of the exit global; 0 stands for none of these.
    pub const fn code(self) -> i32 {
        match self {
            Self::OutOfGas => 1,
            Self::StackLimit => 2,
            Self::MemoryLimit => 3,
        }
    }

    /// The exit code of a value of the exit global.
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::OutOfGas),
            2 => Some(Self::StackLimit),
            3 => Some(Self::MemoryLimit),
            _ => None,
        }
    }
}

/// A module that pays for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instrumented {
    /// The module.
    pub wasm: Vec<u8>,
    /// Gas for uploading it.
    pub upload_gas: u64,
    /// What was counted on the way.
    pub stats: Stats,
}

/// Sizes of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes of the guest module.
    pub guest_bytes: u64,
    /// Bytes of the instrumented module.
    pub bytes: u64,
    /// Bytes of the guest module's custom sections, which the instrumented one has not.
    pub custom_bytes: u64,
    /// Defined functions.
    pub functions: u64,
    /// Locals of all functions, parameters included.
    pub locals: u64,
    /// Basic blocks of all functions.
    pub blocks: u64,
    /// Joins of control flow times locals, summed over all functions.
    pub phis: u64,
    /// Values that branches put in place where more than four of them meet, weighted by how many
    /// meet there, summed over all functions.
    pub moves: u64,
    /// Words of the largest frame.
    pub largest_frame: u64,
    /// Pages of the memory at the start.
    pub initial_pages: u64,
}

/// Validates a guest module and makes it pay for what it does.
///
/// The result depends on the two arguments alone. Custom sections are left out.
///
/// # Errors
/// Refuses whatever is not valid, needs a feature that is off, breaks a limit, has a start
/// function or uses a reserved name, with the byte at which it shows.
pub fn instrument(wasm: &[u8], schedule: &GasSchedule) -> Result<Instrumented, InstrumentError> {
    module::instrument(wasm, schedule, true, None)
}

/// Leads from the module that [`instrument`] makes of these arguments back to the guest's own
/// code. It does the work of `instrument` once more, so it is for tools that need it.
///
/// # Errors
/// As [`instrument`].
pub fn offset_map(wasm: &[u8], schedule: &GasSchedule) -> Result<OffsetMap, InstrumentError> {
    let mut map = OffsetMap::default();
    module::instrument(wasm, schedule, true, Some(&mut map))?;
    Ok(map)
}

/// As [`instrument`], but every block charges its own cost at its own head. Uses the same
/// gas, only more slowly; it exists to be compared with.
#[doc(hidden)]
pub fn instrument_plainly(
    wasm: &[u8],
    schedule: &GasSchedule,
) -> Result<Instrumented, InstrumentError> {
    module::instrument(wasm, schedule, false, None)
}
