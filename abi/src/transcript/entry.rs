//! Frames kept in memory.

use std::fmt;

use crate::{FuncId, TrapCode};

/// Payload bytes that are printed.
const SHOWN: usize = 128;

/// What a frame tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A host function was called; the payload is its arguments.
    Call,
    /// It returned; the payload is its result.
    Return,
    /// It trapped; the payload is the trap code, 32 bits.
    Trap,
    /// It ended the guest with a revert.
    Revert,
    /// The host failed.
    HostFailure,
}

impl EntryKind {
    #[inline]
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Call => 1,
            Self::Return => 2,
            Self::Trap => 3,
            Self::Revert => 4,
            Self::HostFailure => 5,
        }
    }

    pub(super) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Call,
            2 => Self::Return,
            3 => Self::Trap,
            4 => Self::Revert,
            5 => Self::HostFailure,
            _ => return None,
        })
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "call",
            Self::Return => "return",
            Self::Trap => "trap",
            Self::Revert => "revert",
            Self::HostFailure => "host failure",
        })
    }
}

/// One frame of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What it tells.
    pub kind: EntryKind,
    /// The host function.
    pub func: FuncId,
    /// Canonical bytes of the arguments or of the result.
    pub payload: &'a [u8],
}

/// `return storage.load 0x…`; long payloads are cut.
impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.func.key())?;
        if self.kind == EntryKind::Trap
            && let Ok(code) = self.payload.try_into()
            && let Some(code) = TrapCode::from_code(u32::from_le_bytes(code))
        {
            return write!(f, " {code}");
        }
        let shown = self.payload.get(..SHOWN).unwrap_or(self.payload);
        write!(f, " 0x{}", hex::encode(shown))?;
        match self.payload.len().saturating_sub(shown.len()) {
            0 => Ok(()),
            more => write!(f, "… and {more} bytes"),
        }
    }
}

impl<'a> Entry<'a> {
    /// Reads one frame; none when it is cut short or of an unknown kind.
    pub(super) fn parse(frame: &'a [u8]) -> Option<Self> {
        let ([kind, low, high], payload) = frame.split_first_chunk::<3>()?;
        Some(Self {
            kind: EntryKind::from_code(*kind)?,
            func: FuncId::new(u16::from_le_bytes([*low, *high])),
            payload,
        })
    }
}

/// Frames up to a limit, one behind the other.
pub(super) struct Retained {
    bytes: Vec<u8>,
    /// End of each frame in `bytes`.
    ends: Vec<usize>,
    limit: usize,
    truncated: bool,
}

impl Retained {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            limit,
            truncated: false,
        }
    }

    pub(super) fn begin(&mut self) {
        // A frame that was left open is not one.
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        if self.truncated || self.bytes.len().saturating_add(bytes.len()) > self.limit {
            self.truncated = true;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    pub(super) fn end(&mut self) {
        if self.truncated {
            self.begin();
        } else {
            self.ends.push(self.bytes.len());
        }
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.truncated
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(self.ends.iter().copied())
            .filter_map(|(start, end)| Entry::parse(self.bytes.get(start..end)?))
    }
}
