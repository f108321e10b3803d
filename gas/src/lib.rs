//! Gas for AIVM: what every piece of work costs, and how WebAssembly is made to pay.
//!
//! - [`GasSchedule`] holds every price and limit of the virtual machine in one versioned,
//!   hashed value; [`ScheduleSet`] tells which one is in force at a block height.
//! - [`instrument`] (feature `instrument`, default) turns a guest module into one that pays for itself. It is a pure
//!   function from bytes to bytes: the result is ordinary WebAssembly and uses the same
//!   gas on every engine.
//!
//! # Contract between an instrumented module and its host
//! The module exports three mutable globals, named by [`GAS_EXPORT`], [`STACK_EXPORT`] and
//! [`EXIT_EXPORT`]. Before **every** entry into the module the host sets gas (below 2^63)
//! and stack; a host function that calls back into the module restores the stack global to
//! the value it found, and leaves the gas global as the callback left it. Host functions
//! read and lower the gas global: it is exact whenever one runs. After a normal return
//! the gas global holds what is left. After a trap its value means nothing (a trap
//! consumes everything) and the exit global says why, see [`ExitCode`].
#![forbid(unsafe_code)]

#[cfg(feature = "instrument")]
mod instrument;
mod schedule;

#[cfg(feature = "instrument")]
pub use instrument::{
    Block, BlockOpcode, Counted, EXIT_EXPORT, ExitCode, Feature, GAS_EXPORT, InstrumentError,
    Instrumented, Limit, OffsetMap, RESERVED_PREFIX, Reason, STACK_EXPORT, Stats, count_blocks,
    instrument, instrument_plainly, least_gas, offset_map,
};
pub use schedule::{
    CallPrices, Change, GasSchedule, HostPrice, Limits, NnPrices, PqcPrice, PqcPrices,
    ScheduleError, ScheduleSet, StoragePrices, UploadPrices, Value, WasmPrices,
};
