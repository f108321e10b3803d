//! From places in an instrumented module back to the guest's own code.

/// Leads from a byte of an instrumented module to the byte of the guest module that it stands
/// for. Both count from the beginning of the module.
///
/// Code that instrumentation added stands for the instruction in front of which it was put;
/// what ends a function for want of gas or stack stands for the function's first instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    runs: Vec<Run>,
    code: u64,
}

/// Code from one byte of the instrumented module on, up to the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    from: u64,
    /// The byte of the guest that stands there.
    guest: u64,
    /// Bytes that were copied; what follows them was added, and stands for the next one.
    copied: u64,
}

impl OffsetMap {
    /// The byte of the guest module that a byte of the instrumented module stands for.
    pub fn guest_offset(&self, offset: u64) -> Option<u64> {
        let index = self.runs.partition_point(|run| run.from <= offset);
        let run = self.runs.get(index.checked_sub(1)?)?;
        Some(run.guest + (offset - run.from).min(run.copied))
    }

    /// Whether a byte of the instrumented module was copied from the guest.
    pub fn is_guest(&self, offset: u64) -> bool {
        let index = self.runs.partition_point(|run| run.from <= offset);
        let run = index.checked_sub(1).and_then(|index| self.runs.get(index));
        run.is_some_and(|run| offset - run.from < run.copied)
    }

    /// Where the contents of the guest module's code section begin.
    pub fn guest_code(&self) -> u64 {
        self.code
    }

    /// Notes the runs of a body that begins at a byte of the instrumented module.
    pub(super) fn body(&mut self, start: u64, runs: &[BodyRun]) {
        self.runs.extend(runs.iter().map(|run| Run {
            from: start + run.at as u64,
            guest: run.guest,
            copied: run.copied,
        }));
    }

    /// Says where the contents of the code section begin in the instrumented module, when
    /// bodies were noted from there on, and in the guest module.
    pub(super) fn place(&mut self, start: u64, guest: u64) {
        for run in &mut self.runs {
            run.from += start;
        }
        self.code = guest;
    }
}

/// A run within a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyRun {
    /// Byte of the body at which it begins.
    pub(super) at: usize,
    /// The byte of the guest that stands there.
    pub(super) guest: u64,
    /// Bytes that were copied from it.
    pub(super) copied: u64,
}
