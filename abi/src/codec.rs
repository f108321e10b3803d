//! The canonical binary form shared by receipts, transcripts and envelopes: little-endian
//! numbers of fixed width, byte strings and lists with a 32-bit count, options with one byte.
//!
//! Every value has exactly one form, so equal hashes mean equal values and the other way.

/// Why bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends inside a field.
    #[error("cut short at byte {at}: `{field}` needs {needed} bytes more")]
    Truncated {
        /// Where the input ends.
        at: usize,
        /// Field being read.
        field: &'static str,
        /// Missing bytes.
        needed: u64,
    },
    /// Bytes follow the last field.
    #[error("{extra} bytes follow the end at byte {at}")]
    Trailing {
        /// Where the value ends.
        at: usize,
        /// Bytes behind it.
        extra: usize,
    },
    /// The input does not start with the magic of its format.
    #[error("not {expected}: the first bytes differ")]
    Magic {
        /// What was expected, in words.
        expected: &'static str,
    },
    /// A version that this library does not know.
    #[error("version {found} of {format} is not known")]
    Version {
        /// Format, in words.
        format: &'static str,
        /// Version found.
        found: u16,
    },
    /// A number that stands for none of the field's cases.
    #[error("byte {at}: {value} is not a value of `{field}`")]
    Tag {
        /// Where it stands.
        at: usize,
        /// Field being read.
        field: &'static str,
        /// Number found.
        value: u32,
    },
    /// Text that is not UTF-8.
    #[error("byte {at}: `{field}` is not UTF-8")]
    Utf8 {
        /// Where it starts.
        at: usize,
        /// Field being read.
        field: &'static str,
    },
    /// A list or text longer than its field allows.
    #[error("byte {at}: `{field}` holds {found} items, {limit} are allowed")]
    TooLong {
        /// Where it starts.
        at: usize,
        /// Field being read.
        field: &'static str,
        /// Items found.
        found: u64,
        /// Items allowed.
        limit: u64,
    },
    /// A list that is out of order, has duplicates, or otherwise is not the one form.
    #[error("byte {at}: `{field}` is not in canonical form")]
    NotCanonical {
        /// Where it starts.
        at: usize,
        /// Field being read.
        field: &'static str,
    },
}

/// Appends canonical bytes.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.raw(&[value]);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// A count; what does not fit is not in memory on any machine we run on.
    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        for item in items {
            each(self, item);
        }
    }

    pub(crate) fn option<T>(&mut self, item: Option<&T>, each: impl FnOnce(&mut Self, &T)) {
        self.bool(item.is_some());
        if let Some(item) = item {
            each(self, item);
        }
    }
}

/// Reads canonical bytes; never allocates more than a small multiple of the input.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn raw(
        &mut self,
        field: &'static str,
        count: usize,
    ) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((head, rest)) => {
                self.rest = rest;
                self.at += count;
                Ok(head)
            }
            None => Err(DecodeError::Truncated {
                at: self.at + self.rest.len(),
                field,
                needed: (count - self.rest.len()) as u64,
            }),
        }
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.raw(field, N)?);
        Ok(array)
    }

    pub(crate) fn magic(
        &mut self,
        magic: &[u8],
        expected: &'static str,
    ) -> Result<(), DecodeError> {
        match self.rest.strip_prefix(magic) {
            Some(rest) => {
                self.rest = rest;
                self.at += magic.len();
                Ok(())
            }
            None => Err(DecodeError::Magic { expected }),
        }
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// Reads the version of a format; there is one.
    pub(crate) fn version(&mut self, format: &'static str, known: u16) -> Result<(), DecodeError> {
        match self.u16("version")? {
            found if found == known => Ok(()),
            found => Err(DecodeError::Version { format, found }),
        }
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_le_bytes)
    }

    pub(crate) fn bool(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        let at = self.at;
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::Tag {
                at,
                field,
                value: u32::from(value),
            }),
        }
    }

    /// A byte that `parse` turns into a case of an enum.
    pub(crate) fn tag<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(u8) -> Option<T>,
    ) -> Result<T, DecodeError> {
        let at = self.at;
        let value = self.u8(field)?;
        parse(value).ok_or(DecodeError::Tag {
            at,
            field,
            value: u32::from(value),
        })
    }

    pub(crate) fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let count = self.u32(field)?;
        self.raw(field, count as usize)
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<&'a str, DecodeError> {
        let at = self.at;
        std::str::from_utf8(self.bytes(field)?).map_err(|_| DecodeError::Utf8 { at, field })
    }

    /// A list whose items take at least `least` bytes each.
    pub(crate) fn list<T>(
        &mut self,
        field: &'static str,
        least: usize,
        mut each: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.u32(field)? as usize;
        let needed = count.saturating_mul(least);
        if needed > self.rest.len() {
            // Known before anything is allocated.
            return Err(DecodeError::Truncated {
                at: self.at + self.rest.len(),
                field,
                needed: (needed - self.rest.len()) as u64,
            });
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(each(self)?);
        }
        Ok(items)
    }

    pub(crate) fn option<T>(
        &mut self,
        field: &'static str,
        each: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.bool(field)? {
            each(self).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(DecodeError::Trailing { at: self.at, extra }),
        }
    }
}
