//! The protobuf wire format, read in place: no copies, no allocation, no recursion.

/// Why a protobuf message could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The message ends inside a field.
    #[error("the message is cut short")]
    Truncated,
    /// A variable-length integer is longer than 64 bits.
    #[error("a variable-length integer has more than 64 bits")]
    VarintTooLong,
    /// The field number is zero or does not fit 29 bits.
    #[error("invalid field number")]
    FieldNumber,
    /// A group or an unassigned wire type.
    #[error("unsupported wire type {0}")]
    WireType(u8),
    /// A known field has another wire type than the schema's.
    #[error("field {0} has the wrong wire type")]
    Mismatch(u32),
    /// A repeated field has more elements than the reader takes.
    #[error("field {0} has too many elements")]
    TooMany(u32),
    /// A string is not UTF-8.
    #[error("field {0} is not valid UTF-8")]
    Utf8(u32),
}

/// The payload of one field, borrowed from the message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payload<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: bytes, a string, a message or packed scalars.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// Field number of the schema.
    pub number: u32,
    /// Its payload.
    pub payload: Payload<'a>,
}

impl<'a> Field<'a> {
    /// The payload as bytes (also: an embedded message).
    pub fn bytes(&self) -> Result<&'a [u8], WireError> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(WireError::Mismatch(self.number)),
        }
    }

    /// The payload as a UTF-8 string.
    pub fn string(&self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::Utf8(self.number))
    }

    /// The payload as an `int64` (or an enum).
    pub fn int(&self) -> Result<i64, WireError> {
        match self.payload {
            Payload::Varint(v) => Ok(v as i64),
            _ => Err(WireError::Mismatch(self.number)),
        }
    }

    /// The payload as a `float`.
    pub fn float(&self) -> Result<f32, WireError> {
        match self.payload {
            Payload::Fixed32(v) => Ok(f32::from_bits(v)),
            _ => Err(WireError::Mismatch(self.number)),
        }
    }

    /// Appends a repeated integer field, packed or not, until `out` holds `max` elements.
    pub fn ints(&self, out: &mut Vec<i64>, max: usize) -> Result<(), WireError> {
        let mut push = |v: u64| {
            if out.len() >= max {
                return Err(WireError::TooMany(self.number));
            }
            out.push(v as i64);
            Ok(())
        };
        match self.payload {
            Payload::Varint(v) => push(v),
            Payload::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    push(varint(&mut bytes)?)?;
                }
                Ok(())
            }
            _ => Err(WireError::Mismatch(self.number)),
        }
    }

    /// Appends a repeated `double` field, packed or not, until `out` holds `max` elements.
    pub fn doubles(&self, out: &mut Vec<f64>, max: usize) -> Result<(), WireError> {
        let mut push = |v: u64| {
            if out.len() >= max {
                return Err(WireError::TooMany(self.number));
            }
            out.push(f64::from_bits(v));
            Ok(())
        };
        match self.payload {
            Payload::Fixed64(v) => push(v),
            Payload::Bytes(bytes) => {
                let (chunks, rest) = bytes.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(WireError::Truncated);
                }
                chunks.iter().try_for_each(|c| push(u64::from_le_bytes(*c)))
            }
            _ => Err(WireError::Mismatch(self.number)),
        }
    }

    /// Appends a repeated `float` field, packed or not, until `out` holds `max` elements.
    pub fn floats(&self, out: &mut Vec<f32>, max: usize) -> Result<(), WireError> {
        match self.payload {
            Payload::Fixed32(v) if out.len() < max => out.push(f32::from_bits(v)),
            Payload::Bytes(bytes) => {
                let (chunks, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(WireError::Truncated);
                }
                if chunks.len() > max.saturating_sub(out.len()) {
                    return Err(WireError::TooMany(self.number));
                }
                out.extend(chunks.iter().map(|c| f32::from_le_bytes(*c)));
            }
            Payload::Fixed32(_) => return Err(WireError::TooMany(self.number)),
            _ => return Err(WireError::Mismatch(self.number)),
        }
        Ok(())
    }
}

/// Iterates over the fields of a message; ends after the first error.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of `message`.
    pub fn new(message: &'a [u8]) -> Self {
        Fields { rest: message }
    }

    fn read(&mut self) -> Result<Field<'a>, WireError> {
        let key = varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3).map_err(|_| WireError::FieldNumber)?;
        if number == 0 || number >= 1 << 29 {
            return Err(WireError::FieldNumber);
        }
        let payload = match (key & 7) as u8 {
            0 => Payload::Varint(varint(&mut self.rest)?),
            1 => Payload::Fixed64(u64::from_le_bytes(take(&mut self.rest)?)),
            2 => {
                let len = varint(&mut self.rest)?;
                let len = usize::try_from(len).map_err(|_| WireError::Truncated)?;
                let (bytes, rest) = self
                    .rest
                    .split_at_checked(len)
                    .ok_or(WireError::Truncated)?;
                self.rest = rest;
                Payload::Bytes(bytes)
            }
            5 => Payload::Fixed32(u32::from_le_bytes(take(&mut self.rest)?)),
            other => return Err(WireError::WireType(other)),
        };
        Ok(Field { number, payload })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], WireError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(WireError::Truncated)?;
    *rest = tail;
    Ok(*head)
}

fn varint(rest: &mut &[u8]) -> Result<u64, WireError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take::<1>(rest)?;
        if shift == 63 && byte > 1 {
            return Err(WireError::VarintTooLong);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireError::VarintTooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_wire_type() {
        let message = [
            0x08, 0x96, 0x01, // 1: varint 150
            0x12, 0x03, b'a', b'b', b'c', // 2: bytes
            0x1d, 0, 0, 0x80, 0x3f, // 3: 1.0f32
            0x21, 1, 0, 0, 0, 0, 0, 0, 0, // 4: fixed64
        ];
        let fields: Vec<_> = Fields::new(&message).collect::<Result<_, _>>().unwrap();
        assert_eq!(fields.len(), 4);
        assert_eq!(fields[0].int(), Ok(150));
        assert_eq!(fields[1].string(), Ok("abc"));
        assert_eq!(fields[2].float(), Ok(1.0));
        assert_eq!(fields[3].payload, Payload::Fixed64(1));
        assert_eq!(fields[3].int(), Err(WireError::Mismatch(4)));
    }

    #[test]
    fn reads_packed_and_unpacked_scalars() {
        let mut ints = Vec::new();
        for field in Fields::new(&[0x0a, 0x03, 0x01, 0xac, 0x02, 0x08, 0x07]) {
            field.unwrap().ints(&mut ints, 3).unwrap();
        }
        assert_eq!(ints, [1, 300, 7]);
        let packed = Fields::new(&[0x0a, 0x01, 0x01]).next().unwrap().unwrap();
        assert_eq!(packed.ints(&mut ints, 3), Err(WireError::TooMany(1)));
    }

    #[test]
    fn refuses_malformed_messages() {
        let error = |bytes: &[u8]| Fields::new(bytes).find_map(Result::err);
        assert_eq!(error(&[0x08]), Some(WireError::Truncated));
        assert_eq!(error(&[0x12, 5, 1]), Some(WireError::Truncated));
        assert_eq!(error(&[0x0b]), Some(WireError::WireType(3)));
        assert_eq!(error(&[0x00, 0x00]), Some(WireError::FieldNumber));
        let long = [0xff; 11];
        assert_eq!(error(&long), Some(WireError::VarintTooLong));
        let huge = [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(error(&huge), Some(WireError::Truncated));
    }

    #[test]
    fn a_negative_int_is_ten_bytes() {
        let bytes = [
            0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        let field = Fields::new(&bytes).next().unwrap().unwrap();
        assert_eq!(field.int(), Ok(-1));
    }
}
