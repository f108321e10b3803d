//! The running hash of every host call.

mod buffer;
mod entry;
mod file;

use std::sync::OnceLock;

pub use entry::{Entry, EntryKind};
pub use file::{Bisect, TranscriptFile, bisect};

use crate::generated::TRANSCRIPT_DOMAIN;
use crate::{Exit, FuncId};
use buffer::Buffer;
use entry::Retained;

/// Running BLAKE3 hash over every host call, with arguments and results, in order.
///
/// A call writes a frame when its arguments were read and another when it ends; calls made by
/// a callee lie between the two. Equal hashes mean equal frames. A transcript may also keep
/// its frames, so that two nodes that differ can find the first frame that does.
pub struct Transcript {
    buffer: Buffer,
    count: u64,
    /// Payload bytes of the open frame.
    length: u32,
    retained: Option<Retained>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self::new()
    }
}

impl Transcript {
    /// An empty transcript that hashes only.
    pub fn new() -> Self {
        Self {
            buffer: Buffer::default(),
            count: 0,
            length: 0,
            retained: None,
        }
    }

    /// An empty transcript that also keeps its frames, up to `limit` bytes of them.
    pub fn retaining(limit: usize) -> Self {
        Self {
            retained: Some(Retained::new(limit)),
            ..Self::new()
        }
    }

    /// Begins the frame of a call's arguments.
    #[inline]
    pub fn begin_call(&mut self, func: FuncId) {
        self.begin(EntryKind::Call, func);
    }

    /// Begins the frame of a call's result.
    #[inline]
    pub fn begin_return(&mut self, func: FuncId) {
        self.begin(EntryKind::Return, func);
    }

    /// Appends bytes to the open frame.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u32);
        if let Some(retained) = &mut self.retained {
            retained.put(bytes);
        }
        self.buffer.push(bytes);
    }

    /// Closes the open frame.
    #[inline]
    pub fn end(&mut self) {
        self.count += 1;
        if let Some(retained) = &mut self.retained {
            retained.end();
        }
        // Behind the payload, so that it need not be known before: read from its end, the
        // hashed stream falls into frames in one way only.
        let length = self.length.to_le_bytes();
        self.buffer.push(&length);
    }

    /// Records that a call ended without a result.
    pub fn exit(&mut self, func: FuncId, exit: &Exit) {
        match exit {
            Exit::Trap(code) => {
                self.begin(EntryKind::Trap, func);
                self.put(&code.code().to_le_bytes());
            }
            Exit::Revert(_) => self.begin(EntryKind::Revert, func),
            // No consensus result comes of it, so the content is of no account.
            Exit::Host(_) => self.begin(EntryKind::HostFailure, func),
        }
        self.end();
    }

    /// Number of frames.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Hash of all frames so far.
    pub fn hash(&self) -> [u8; 32] {
        self.buffer.hash()
    }

    /// The frames that were kept; empty unless made with [`retaining`](Self::retaining).
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.retained.iter().flat_map(Retained::entries)
    }

    /// True when frames were dropped because they did not fit.
    pub fn is_truncated(&self) -> bool {
        self.retained.as_ref().is_some_and(Retained::is_truncated)
    }

    #[inline]
    fn begin(&mut self, kind: EntryKind, func: FuncId) {
        let [low, high] = func.get().to_le_bytes();
        let head = [kind.code(), low, high];
        if let Some(retained) = &mut self.retained {
            retained.begin();
            retained.put(&head);
        }
        self.length = 0;
        self.buffer.push(&head);
    }
}

/// A hasher in the transcript's domain; deriving one anew would take longer than many calls.
fn new_hasher() -> blake3::Hasher {
    static HASHER: OnceLock<blake3::Hasher> = OnceLock::new();
    HASHER
        .get_or_init(|| blake3::Hasher::new_derive_key(TRANSCRIPT_DOMAIN))
        .clone()
}
