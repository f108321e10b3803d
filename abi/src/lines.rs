//! Where code came from: the custom section that leads from a byte of a module's code to the
//! source file and line it was compiled from.
//!
//! A compiler appends the section named [`LINES_SECTION`]; tools read it to name source lines in
//! traps, traces and profiles. It means nothing to the machine: whether it is there, and what
//! it says, changes no result.
//!
//! # Format
//! All numbers are unsigned LEB128 unless said otherwise.
//! ```text
//! version   1
//! files     count, then each: length, UTF-8 path
//! rows      count, then each:
//!             offset   difference to the row before (to 0 for the first)
//!             file     0: the code has no source; n: file n - 1
//!             line     signed LEB128, only with a file: difference to the last line (to 0)
//! ```
//! An offset counts bytes from the beginning of the code section's contents, its function count
//! included. A row holds up to the next one; offsets never decrease.

use crate::codec::{DecodeError, Reader, Writer};
use crate::text::Printable;

/// Name of the custom section.
pub const LINES_SECTION: &str = "aivm:lines";

const VERSION: u8 = 1;
const FORMAT: &str = "source lines";
/// Most files of a table.
const MAX_FILES: u64 = 4_096;
/// Longest path of a file.
const MAX_PATH: u64 = 4_096;
/// Most rows of a table.
const MAX_ROWS: u64 = 1 << 22;

/// A stretch of code and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    offset: u32,
    /// Index of the file, and the line from 1.
    place: Option<(u32, u32)>,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceLine<'a> {
    /// Path of the file, as the compiler was given it.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u32,
}

impl std::fmt::Display for SourceLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", Printable(self.file), self.line)
    }
}

/// Leads from code to source lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineTable {
    files: Vec<String>,
    rows: Vec<Row>,
}

impl LineTable {
    /// An empty table over these files.
    pub fn new(files: Vec<String>) -> Self {
        Self {
            files,
            rows: Vec::new(),
        }
    }

    /// Paths of the files.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Says that code from `offset` on came from a line (from 1) of a file (an index into
    /// [`files`](Self::files)), or from no source. An offset below the last one is raised to it,
    /// and a file that is not there stands for no source.
    pub fn push(&mut self, offset: u32, place: Option<(u32, u32)>) {
        let place = place.filter(|(file, _)| (*file as usize) < self.files.len());
        if let Some(last) = self.rows.last_mut() {
            if last.place == place {
                return;
            }
            if offset <= last.offset {
                last.place = place;
                return;
            }
        } else if place.is_none() {
            return;
        }
        self.rows.push(Row { offset, place });
    }

    /// Where the code at an offset came from, if that is known.
    pub fn lookup(&self, offset: u32) -> Option<SourceLine<'_>> {
        let index = self.rows.partition_point(|row| row.offset <= offset);
        let (file, line) = self.rows.get(index.checked_sub(1)?)?.place?;
        let file = self.files.get(file as usize)?;
        Some(SourceLine { file, line })
    }

    /// The first line that code in a range of offsets came from, if any of it came from one.
    pub fn first_in(&self, range: std::ops::Range<u32>) -> Option<SourceLine<'_>> {
        let next = self.rows.partition_point(|row| row.offset <= range.start);
        let rows = self.rows.get(next..).unwrap_or_default().iter();
        let inside = rows.map(|row| row.offset).take_while(|at| *at < range.end);
        std::iter::once(range.start)
            .filter(|at| *at < range.end)
            .chain(inside)
            .find_map(|at| self.lookup(at))
    }

    /// Contents of the section.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u8(VERSION);
        unsigned(&mut out, self.files.len() as u64);
        for file in &self.files {
            unsigned(&mut out, file.len() as u64);
            out.raw(file.as_bytes());
        }
        unsigned(&mut out, self.rows.len() as u64);
        let (mut offset, mut line) = (0, 0);
        for row in &self.rows {
            unsigned(&mut out, u64::from(row.offset - offset));
            offset = row.offset;
            match row.place {
                None => unsigned(&mut out, 0),
                Some((file, at)) => {
                    unsigned(&mut out, u64::from(file) + 1);
                    signed(&mut out, i64::from(at) - i64::from(line));
                    line = at;
                }
            }
        }
        out.finish()
    }

    /// Reads the contents of a section, which may be anything at all.
    ///
    /// # Errors
    /// When the bytes are not in the format; memory stays within a small multiple of theirs.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let version = input.u8("version")?;
        if version != VERSION {
            return Err(DecodeError::Version {
                format: FORMAT,
                found: u16::from(version),
            });
        }
        let mut files = Vec::new();
        for _ in 0..count(&mut input, "files", MAX_FILES)? {
            let at = input.at();
            let length = count(&mut input, "file", MAX_PATH)?;
            let path = input.raw("file", length as usize)?;
            let path =
                std::str::from_utf8(path).map_err(|_| DecodeError::Utf8 { at, field: "file" })?;
            files.push(path.to_owned());
        }
        let mut rows: Vec<Row> = Vec::new();
        let (mut offset, mut line) = (0_u32, 0_u32);
        for _ in 0..count(&mut input, "rows", MAX_ROWS)? {
            let at = input.at();
            let bad = |field| DecodeError::NotCanonical { at, field };
            let step = read_unsigned(&mut input, "offset")?;
            offset = u32::try_from(step)
                .ok()
                .and_then(|step| offset.checked_add(step))
                .ok_or_else(|| bad("offset"))?;
            let file = read_unsigned(&mut input, "file")?;
            let place = match file.checked_sub(1) {
                None => None,
                Some(file) if file < files.len() as u64 => {
                    let step = read_signed(&mut input, "line")?;
                    line = i64::from(line)
                        .checked_add(step)
                        .and_then(|line| u32::try_from(line).ok())
                        .ok_or_else(|| bad("line"))?;
                    Some((u32::try_from(file).map_err(|_| bad("file"))?, line))
                }
                Some(_) => return Err(bad("file")),
            };
            rows.push(Row { offset, place });
        }
        input.end()?;
        Ok(Self { files, rows })
    }
}

fn count(input: &mut Reader<'_>, field: &'static str, limit: u64) -> Result<u64, DecodeError> {
    let at = input.at();
    let found = read_unsigned(input, field)?;
    if found > limit {
        return Err(DecodeError::TooLong {
            at,
            field,
            found,
            limit,
        });
    }
    Ok(found)
}

fn unsigned(out: &mut Writer, mut value: u64) {
    while value >= 0x80 {
        out.u8((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.u8(value as u8);
}

fn signed(out: &mut Writer, mut value: i64) {
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            out.u8(byte);
            return;
        }
        out.u8(byte | 0x80);
    }
}

/// At most five bytes, 35 bits: no number of the format is larger.
fn read_unsigned(input: &mut Reader<'_>, field: &'static str) -> Result<u64, DecodeError> {
    Ok(leb(input, field)?.0)
}

fn read_signed(input: &mut Reader<'_>, field: &'static str) -> Result<i64, DecodeError> {
    let (value, bits) = leb(input, field)?;
    let shift = 64 - bits;
    Ok((value << shift).cast_signed() >> shift)
}

/// A number and how many bits stood there.
fn leb(input: &mut Reader<'_>, field: &'static str) -> Result<(u64, u32), DecodeError> {
    let at = input.at();
    let (mut value, mut bits) = (0_u64, 0);
    while bits < 35 {
        let byte = input.u8(field)?;
        value |= u64::from(byte & 0x7f) << bits;
        bits += 7;
        if byte & 0x80 == 0 {
            return Ok((value, bits));
        }
    }
    Err(DecodeError::NotCanonical { at, field })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::LineTable;

    fn table() -> LineTable {
        let mut table = LineTable::new(vec!["a.synq".into(), "lib/b.synq".into()]);
        table.push(3, Some((0, 10)));
        table.push(9, Some((1, 2)));
        table.push(9, Some((1, 3)));
        table.push(20, None);
        table.push(1_000, Some((0, 100_000)));
        table
    }

    #[test]
    fn rows_hold_up_to_the_next() {
        let table = table();
        let at = |offset| table.lookup(offset).map(|place| place.to_string());
        assert_eq!(at(0), None);
        assert_eq!(at(2), None);
        assert_eq!(at(3).as_deref(), Some("a.synq:10"));
        assert_eq!(at(8).as_deref(), Some("a.synq:10"));
        assert_eq!(at(9).as_deref(), Some("lib/b.synq:3"));
        assert_eq!(at(20), None);
        assert_eq!(at(u32::MAX).as_deref(), Some("a.synq:100000"));
    }

    #[test]
    fn a_range_has_the_first_line_in_it() {
        let table = table();
        let first = |range| table.first_in(range).map(|place| place.to_string());
        assert_eq!(first(0..3), None);
        assert_eq!(first(0..4).as_deref(), Some("a.synq:10"));
        assert_eq!(first(5..9).as_deref(), Some("a.synq:10"));
        assert_eq!(first(10..30).as_deref(), Some("lib/b.synq:3"));
        assert_eq!(first(20..1_000), None);
        assert_eq!(first(20..1_001).as_deref(), Some("a.synq:100000"));
        assert_eq!(first(9..9), None);
        let (start, end) = (u32::MAX, 0);
        assert_eq!(first(start..end), None);
        assert_eq!(LineTable::default().first_in(0..u32::MAX), None);
    }

    #[test]
    fn a_path_cannot_do_anything_to_a_terminal() {
        let mut table = LineTable::new(vec!["a\u{1b}[2J\nb/ü".into()]);
        table.push(0, Some((0, 7)));
        let shown = table.lookup(0).unwrap().to_string();
        assert_eq!(shown, "a\\u{1b}[2J\\nb/ü:7");
    }

    #[test]
    fn bytes_are_as_documented() {
        let mut table = LineTable::new(vec!["a".into()]);
        table.push(1, Some((0, 200)));
        table.push(130, Some((0, 199)));
        table.push(131, None);
        assert_eq!(
            table.encode(),
            [
                1, 1, 1, b'a', 3, 1, 1, 0xc8, 0x01, 0x81, 0x01, 1, 0x7f, 1, 0
            ]
        );
        assert_eq!(LineTable::decode(&table.encode()), Ok(table));
    }

    #[test]
    fn bad_bytes_are_refused() {
        let good = table().encode();
        for length in 0..good.len() {
            assert!(LineTable::decode(&good[..length]).is_err(), "{length}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert!(LineTable::decode(&longer).is_err());
        for bytes in [
            &[2, 0, 0][..],                                    // version
            &[1, 1, 1, 0xff, 0],                               // a path that is not UTF-8
            &[1, 0, 1, 0, 1, 0],                               // a file that is not there
            &[1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f],             // too many rows
            &[1, 0xff, 0xff, 0x7f],                            // too many files
            &[1, 1, 0, 1, 0, 1, 0x7f],                         // line -1
            &[1, 1, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80],       // a number without an end
            &[1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1, 0], // an offset of 2^32
        ] {
            assert!(LineTable::decode(bytes).is_err(), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(
            (any::<u16>(), prop::option::of((0_u32..3, any::<u32>()))), 0..60,
        )) {
            let mut table = LineTable::new(vec!["a".into(), "b/c".into(), "ü".into()]);
            let mut offset = 0_u32;
            for (step, place) in rows {
                offset += u32::from(step);
                table.push(offset, place);
            }
            prop_assert_eq!(LineTable::decode(&table.encode()), Ok(table));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(table) = LineTable::decode(&bytes) {
                let _ = table.lookup(7);
                prop_assert!(table.rows.len() <= bytes.len());
            }
        }
    }
}
