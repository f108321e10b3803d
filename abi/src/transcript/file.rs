//! Transcripts as files, and the search for the first difference between two.

use super::entry::{Entry, EntryKind};
use super::{Transcript, new_hasher};
use crate::codec::{DecodeError, Reader, Writer};
use crate::{Digest, FuncId, WIT_PACKAGE};

const MAGIC: &[u8] = b"AIVM-TRANSCRIPT";
const VERSION: u16 = 1;

impl Transcript {
    /// The kept frames as a file, with the hash of the whole transcript.
    pub fn to_file(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(MAGIC);
        out.u16(VERSION);
        out.bytes(WIT_PACKAGE.as_bytes());
        out.raw(&self.hash());
        out.u64(self.count());
        for entry in self.entries() {
            let [low, high] = entry.func.get().to_le_bytes();
            out.count(entry.payload.len());
            out.raw(&[entry.kind.code(), low, high]);
            out.raw(entry.payload);
        }
        out.finish()
    }
}

/// A transcript read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptFile<'a> {
    /// The WIT package whose functions the frames name.
    pub package: &'a str,
    /// Hash of the whole transcript, as a receipt holds it.
    pub hash: Digest,
    /// Frames of the whole transcript; the file may hold fewer.
    pub count: u64,
    entries: Vec<Entry<'a>>,
}

impl<'a> TranscriptFile<'a> {
    /// Reads a file. Its size bounds the memory that is used.
    ///
    /// # Errors
    ///
    /// The place where the bytes are not a transcript.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        input.magic(MAGIC, "a transcript")?;
        input.version("transcripts", VERSION)?;
        let package = input.text("package")?;
        let hash = Digest(input.array("hash")?);
        let count_at = input.at();
        let count = input.u64("count")?;
        let mut entries = Vec::new();
        while !input.is_empty() {
            let length = input.u32("frame length")?;
            let kind = input.tag("frame kind", EntryKind::from_code)?;
            let func = FuncId::new(input.u16("function")?);
            let payload = input.raw("frame", length as usize)?;
            entries.push(Entry {
                kind,
                func,
                payload,
            });
        }
        if entries.len() as u64 > count {
            let found = entries.len() as u64;
            return Err(DecodeError::TooLong {
                at: count_at,
                field: "frames",
                found,
                limit: count,
            });
        }
        Ok(Self {
            package,
            hash,
            count,
            entries,
        })
    }

    /// The frames in the file.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// Whether the file has every frame of the transcript.
    pub fn is_complete(&self) -> bool {
        self.entries.len() as u64 == self.count
    }

    /// Whether the frames hash to the file's hash; none when the file is not complete or names
    /// another WIT package.
    pub fn verify(&self) -> Option<bool> {
        if !self.is_complete() || self.package != WIT_PACKAGE {
            return None;
        }
        let mut hasher = new_hasher();
        for entry in &self.entries {
            let [low, high] = entry.func.get().to_le_bytes();
            hasher.update(&[entry.kind.code(), low, high]);
            hasher.update(entry.payload);
            hasher.update(&(entry.payload.len() as u32).to_le_bytes());
        }
        Some(hasher.finalize() == blake3::Hash::from(self.hash.0))
    }
}

/// What a comparison of two transcripts found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bisect<'a> {
    /// The same frames, and the same hash.
    Equal,
    /// They name different WIT packages: function numbers mean different things.
    Packages {
        /// The first one's.
        a: &'a str,
        /// The second one's.
        b: &'a str,
    },
    /// The first frame that differs. A side without a frame there has ended.
    Differs {
        /// Frames before it, which are the same.
        index: usize,
        /// The first one's frame.
        a: Option<Entry<'a>>,
        /// The second one's frame.
        b: Option<Entry<'a>>,
    },
    /// All frames that both files hold are the same; the difference, if there is one, lies
    /// behind the frames that were kept.
    BeyondKept {
        /// Frames that were compared.
        compared: usize,
    },
}

/// Finds the first frame in which two transcripts differ.
pub fn bisect<'a>(a: &TranscriptFile<'a>, b: &TranscriptFile<'a>) -> Bisect<'a> {
    if a.package != b.package {
        return Bisect::Packages {
            a: a.package,
            b: b.package,
        };
    }
    let compared = a
        .entries
        .iter()
        .zip(&b.entries)
        .take_while(|(a, b)| a == b)
        .count();
    let (next_a, next_b) = (
        a.entries.get(compared).copied(),
        b.entries.get(compared).copied(),
    );
    let ended =
        |file: &TranscriptFile<'_>, next: Option<Entry<'_>>| next.is_none() && !file.is_complete();
    if ended(a, next_a) || ended(b, next_b) {
        Bisect::BeyondKept { compared }
    } else if next_a.is_none() && next_b.is_none() {
        if a.hash == b.hash {
            Bisect::Equal
        } else {
            Bisect::BeyondKept { compared }
        }
    } else {
        Bisect::Differs {
            index: compared,
            a: next_a,
            b: next_b,
        }
    }
}
