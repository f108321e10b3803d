//! One entry into one instance.

use aivm_abi::export::{Output, lift_output, lower_input};
use aivm_abi::receipt::Status;
use aivm_abi::{Exit, TrapCode};

use super::compile::Compiled;
use super::places;
use crate::exec::Frame;

/// Which export runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Construct,
    Call,
    Query,
}

impl Entry {
    pub fn name(self) -> &'static str {
        match self {
            Self::Construct => "construct",
            Self::Call => "call",
            Self::Query => "query",
        }
    }
}

/// What a contract's run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Return(Vec<u8>),
    Revert(Vec<u8>),
    Trap(TrapCode),
}

impl Outcome {
    pub fn status(&self) -> Status {
        match self {
            Self::Return(_) => Status::Return,
            Self::Revert(_) => Status::Revert,
            Self::Trap(code) => Status::Trap(*code),
        }
    }

    /// Return or revert data.
    pub fn data(&self) -> &[u8] {
        match self {
            Self::Return(data) | Self::Revert(data) => data,
            Self::Trap(_) => &[],
        }
    }
}

/// Runs an export of an instance that nobody used before, as far as it can tell, on
/// behalf of `frame`, whose gas it spends.
///
/// # Errors
/// Everything but a return or revert by the export's own result.
pub(crate) fn run(
    compiled: &Compiled,
    frame: &mut Frame<'_, '_>,
    entry: Entry,
    input: &[u8],
) -> Result<Outcome, Exit> {
    let output_limit = frame.tx.active.schedule.call.max_output_bytes;
    let watched = frame.tx.inspector.is_some();
    let index = watched.then(|| places::exported(&compiled.module, entry.name()));
    let mut instance = compiled.instance()?;
    let function = instance.entry(entry);
    let initialize = instance.initialize();
    let result = instance.at_work(frame, index.flatten(), |guest| {
        if let Some(initialize) = initialize {
            // SAFETY: its type was checked when the instance was made.
            unsafe { guest.call_plain(initialize) }?;
        }
        let (address, length) = lower_input(guest, input)?;
        let arguments = [address.cast_signed(), length.cast_signed()];
        // SAFETY: the type of an entry was checked when the instance was made.
        let pointer = unsafe { guest.call(function, arguments) }?;
        Ok(match lift_output(guest, pointer, output_limit)? {
            Output::Return(data) => Outcome::Return(data),
            Output::Revert(data) => Outcome::Revert(data),
        })
    });
    if compiled.counters > 0
        && let Some(counting) = &mut frame.tx.counting
    {
        counting.add(&frame.code, &instance.counters(compiled.counters));
    }
    // After a failure of the machine nothing is known about the state of the instance.
    if !matches!(result, Err(Exit::Host(_))) {
        compiled.give_back(instance);
    }
    result
}
