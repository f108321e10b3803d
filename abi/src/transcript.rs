//! The running hash of every host call.

mod entry;
mod file;

pub use entry::{Entry, EntryKind};
pub use file::{Bisect, TranscriptFile, bisect};

use crate::generated::TRANSCRIPT_DOMAIN;
use crate::{Exit, FuncId};
use entry::Retained;

/// Bytes gathered before they are hashed: BLAKE3 is several times faster on long inputs.
const CHUNK: usize = 64 * 1024;

/// Running BLAKE3 hash over every host call, with arguments and results, in order.
///
/// A call writes a frame when its arguments were read and another when it ends; calls made by
/// a callee lie between the two. Equal hashes mean equal frames. A transcript may also keep
/// its frames, so that two nodes that differ can find the first frame that does.
pub struct Transcript {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
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
            hasher: new_hasher(),
            buffer: Vec::new(),
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
        self.feed(bytes);
    }

    #[inline]
    fn feed(&mut self, bytes: &[u8]) {
        if bytes.len() < CHUNK {
            self.buffer.extend_from_slice(bytes);
        } else {
            self.flush();
            self.hasher.update(bytes);
        }
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
        self.feed(&self.length.to_le_bytes());
        if self.buffer.len() >= CHUNK {
            self.flush();
        }
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
        let mut hasher = self.hasher.clone();
        hasher.update(&self.buffer);
        hasher.finalize().into()
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
        if let Some(retained) = &mut self.retained {
            retained.begin();
            retained.put(&[kind.code(), low, high]);
        }
        self.length = 0;
        self.feed(&[kind.code(), low, high]);
    }

    #[cold]
    fn flush(&mut self) {
        self.hasher.update(&self.buffer);
        self.buffer.clear();
    }
}

fn new_hasher() -> blake3::Hasher {
    blake3::Hasher::new_derive_key(TRANSCRIPT_DOMAIN)
}
