//! What a guest that was written for another host holds during one call: tensors, models,
//! contexts, errors, and lines of output that are not complete yet.

use std::sync::Arc;

use aivm_abi::canonical::Handles;
use aivm_abi::{Exit, TrapCode};
use aivm_nn::{ElementType, Tensor, TensorInfo};

use super::inference::Ready;
use crate::host::Hash;

/// Resources of all kinds that a call may hold at a time.
const MAX_RESOURCES: u32 = 1_024;

/// Bytes of output that are kept until their line ends.
const MAX_LINE: usize = 4_096;

/// Lines that one write gives one by one. The rest of it comes in pieces of several lines: a write
/// is paid for by the byte, and showing a line takes as long as a hundred of them.
const MAX_LINES: usize = 64;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Inputs, handles or names do not fit.
    Argument(&'static str),
    /// Not a model, or in a format that is not served.
    Encoding(&'static str),
    /// The model cannot be used in this way.
    Unsupported(&'static str),
    /// Too much memory, or too little room.
    TooLarge(&'static str),
    /// The chain has no such model.
    NotFound,
}

impl Refused {
    /// A sentence for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Argument(text)
            | Self::Encoding(text)
            | Self::Unsupported(text)
            | Self::TooLarge(text) => text,
            Self::NotFound => "the chain has no such model",
        }
    }
}

/// A model that the guest loaded.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub hash: Hash,
    pub ready: Arc<Ready>,
}

/// A tensor that the guest made or got; nothing about it is checked.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// None for element types that no model has.
    pub ty: GuestType,
    pub dimensions: Vec<u32>,
    pub data: Vec<u8>,
}

/// Element types of guests written for other hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GuestType {
    F16,
    F32,
    F64,
    Bf16,
    U8,
    I32,
    I64,
}

impl GuestType {
    /// How a model's element type crosses; none when it cannot.
    pub fn of(ty: ElementType) -> Option<Self> {
        Some(match ty {
            ElementType::U8 | ElementType::I8 | ElementType::Bool => Self::U8,
            ElementType::I32 => Self::I32,
            ElementType::I64 => Self::I64,
            ElementType::F32 => Self::F32,
            _ => return None,
        })
    }
}

impl Held {
    /// As an input of a model.
    pub fn input(self, info: &TensorInfo) -> Result<Tensor, Refused> {
        if GuestType::of(info.ty) != Some(self.ty) {
            return Err(Refused::Argument("an input has another element type"));
        }
        if self.dimensions != info.shape {
            return Err(Refused::Argument("an input has another shape"));
        }
        Tensor::new(info.ty, self.dimensions, self.data)
            .map_err(|_| Refused::Argument("an input's data does not fit its shape"))
    }
}

/// Values by number. The lowest free number is given next, so that the same run gives the same numbers.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Option<T>>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Keeps a value.
    ///
    /// # Errors
    /// `ResourceLimit` when there are too many.
    pub fn insert(&mut self, value: T) -> Result<u32, Exit> {
        let free = self.slots.iter().position(Option::is_none);
        let at = free.unwrap_or(self.slots.len());
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        if number >= MAX_RESOURCES {
            return Err(TrapCode::ResourceLimit.into());
        }
        match self.slots.get_mut(at) {
            Some(slot) => *slot = Some(value),
            None => self.slots.push(Some(value)),
        }
        Ok(number)
    }

    pub fn get(&self, number: u32) -> Option<&T> {
        self.slots.get(number as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.slots.get_mut(number as usize)?.as_mut()
    }

    pub fn remove(&mut self, number: u32) -> Option<T> {
        self.slots.get_mut(number as usize)?.take()
    }
}

/// A model and the tensors around it, for guests that set inputs one by one.
#[derive(Debug)]
pub(super) struct Context {
    pub graph: Graph,
    pub inputs: Vec<Option<Tensor>>,
    pub outputs: Option<Vec<Tensor>>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) handles: Handles,
    pub(super) tensors: Slots<Held>,
    pub(super) graphs: Slots<Graph>,
    pub(super) contexts: Slots<Graph>,
    pub(super) errors: Slots<Refused>,
    /// Models and contexts of guests that know them by number.
    pub(super) plain_graphs: Slots<Graph>,
    pub(super) plain_contexts: Slots<Context>,
    /// Bytes of all tensors.
    bytes: u64,
    /// Unfinished lines of standard output and standard error.
    lines: [Vec<u8>; 2],
}

impl Default for Session {
    fn default() -> Self {
        Self {
            handles: Handles::new(MAX_RESOURCES),
            tensors: Slots::default(),
            graphs: Slots::default(),
            contexts: Slots::default(),
            errors: Slots::default(),
            plain_graphs: Slots::default(),
            plain_contexts: Slots::default(),
            bytes: 0,
            lines: [Vec::new(), Vec::new()],
        }
    }
}

impl Session {
    /// Counts the bytes of a tensor that is kept from now on.
    ///
    /// # Errors
    /// `ResourceLimit` when all together pass `limit`.
    pub(super) fn keep(&mut self, bytes: usize, limit: u64) -> Result<(), Exit> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        match self.bytes <= limit {
            true => Ok(()),
            false => Err(TrapCode::ResourceLimit.into()),
        }
    }

    /// Counts the bytes of a tensor that is gone.
    pub(super) fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }

    /// Takes up output on stream 0 (standard output) or 1; gives the lines that it completes.
    pub(super) fn write(&mut self, stream: usize, bytes: &[u8]) -> Vec<String> {
        let Some(line) = self.lines.get_mut(stream) else {
            return Vec::new();
        };
        let mut complete = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in part.chunks(MAX_LINE) {
                line.extend_from_slice(piece);
                let ended = line.ends_with(b"\n") && complete.len() < MAX_LINES;
                if ended || line.len() >= MAX_LINE {
                    complete.push(text(line));
                    line.clear();
                }
            }
        }
        complete
    }

    /// What is left of the lines at the end.
    pub(super) fn rest(&self) -> Vec<String> {
        let unfinished = self.lines.iter().filter(|line| !line.is_empty());
        unfinished.map(|line| text(line)).collect()
    }
}

fn text(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end_matches(['\r', '\n']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE, MAX_LINES, Session};

    #[test]
    fn output_comes_in_lines() {
        let mut session = Session::default();
        assert!(session.write(1, b"thread ").is_empty());
        assert!(session.write(0, b"one").is_empty());
        assert_eq!(
            session.write(1, b"panicked\nat\r\n\nx"),
            ["thread panicked", "at", ""]
        );
        assert_eq!(session.rest(), ["one", "x"]);
        assert!(session.write(2, b"nowhere\n").is_empty());
        // A line without an end is cut, and bytes that are no text are shown as such.
        let long = vec![0xff; MAX_LINE + 1];
        assert_eq!(session.write(0, &long).len(), 1);
        assert_eq!(session.rest()[0].chars().last(), Some('\u{fffd}'));
    }

    #[test]
    fn a_write_of_many_lines_comes_in_few_pieces() {
        let mut session = Session::default();
        let lines: String = (0..10_000).map(|n| format!("{n}\n")).collect();
        let shown = session.write(0, lines.as_bytes());
        assert_eq!(
            (shown[0].as_str(), shown[MAX_LINES - 1].as_str()),
            ("0", "63")
        );
        assert!(
            shown.len() <= MAX_LINES + lines.len() / MAX_LINE,
            "{}",
            shown.len()
        );
        // Nothing is lost, and the next write has lines of its own.
        assert_eq!(session.write(0, b"and more\nx").len(), 1);
        assert_eq!(session.rest(), ["x"]);
        let mut whole = Session::default();
        let mut pieces = whole.write(0, lines.as_bytes());
        pieces.extend(whole.rest());
        let words: Vec<&str> = pieces
            .iter()
            .flat_map(|piece| piece.split_whitespace())
            .collect();
        assert!(words.concat() == lines.replace('\n', ""));
    }
}
