//! Writing protobuf messages: the counterpart of [`super::wire`], and the ONNX messages that a quantised model needs.

use super::wire::{Field, Payload};

/// A message under construction. Fields stand in the order in which they are added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// The message's bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, number: u32, wire_type: u64) {
        self.varint(u64::from(number) << 3 | wire_type);
    }

    /// An `int64`, or an enum.
    pub fn int(&mut self, number: u32, value: i64) {
        self.key(number, 0);
        self.varint(value as u64);
    }

    /// Bytes.
    pub fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.key(number, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A string.
    pub fn string(&mut self, number: u32, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    /// An embedded message.
    pub fn message(&mut self, number: u32, message: &Message) {
        self.bytes(number, &message.0);
    }

    /// A field as it was read.
    pub fn copy(&mut self, field: &Field<'_>) {
        match field.payload {
            Payload::Varint(value) => {
                self.key(field.number, 0);
                self.varint(value);
            }
            Payload::Fixed64(value) => {
                self.key(field.number, 1);
                self.0.extend(value.to_le_bytes());
            }
            Payload::Bytes(bytes) => self.bytes(field.number, bytes),
            Payload::Fixed32(value) => {
                self.key(field.number, 5);
                self.0.extend(value.to_le_bytes());
            }
        }
    }
}

/// `TensorProto` with raw data. `data_type` is a `TensorProto.DataType`.
pub fn tensor(name: &str, data_type: i64, dims: &[usize], raw: &[u8]) -> Message {
    let mut message = Message::default();
    for dim in dims {
        message.int(1, *dim as i64);
    }
    message.int(2, data_type);
    message.string(8, name);
    message.bytes(9, raw);
    message
}

/// `NodeProto` of the default domain, with the attribute `axis` if there is one.
pub fn node(
    operator: &str,
    name: &str,
    inputs: &[&str],
    outputs: &[&str],
    axis: Option<usize>,
) -> Message {
    let mut message = Message::default();
    for input in inputs {
        message.string(1, input);
    }
    for output in outputs {
        message.string(2, output);
    }
    message.string(3, name);
    message.string(4, operator);
    if let Some(axis) = axis {
        let mut attribute = Message::default();
        attribute.string(1, "axis");
        attribute.int(3, axis as i64);
        attribute.int(20, 2);
        message.message(5, &attribute);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::super::wire::Fields;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_are_those_of_the_protobuf_documentation() {
        // developers.google.com/protocol-buffers/docs/encoding: field 1 is 150, field 2 is "testing".
        let mut message = Message::default();
        message.int(1, 150);
        message.string(2, "testing");
        let expected = [0x08, 0x96, 0x01, 0x12, 0x07];
        let bytes = message.into_bytes();
        assert_eq!(bytes[..5], expected);
        assert_eq!(&bytes[5..], b"testing");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            ints in proptest::collection::vec((1u32..1 << 29, any::<i64>()), 0..8),
            texts in proptest::collection::vec((1u32..1 << 29, ".{0,200}"), 0..8),
        ) {
            let mut message = Message::default();
            for (number, value) in &ints {
                message.int(*number, *value);
            }
            for (number, text) in &texts {
                message.string(*number, text);
            }
            let bytes = message.into_bytes();
            let fields: Vec<_> = Fields::new(&bytes).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(fields.len(), ints.len() + texts.len());
            let mut again = Message::default();
            for (field, (number, value)) in fields.iter().zip(&ints) {
                prop_assert_eq!((field.number, field.int()), (*number, Ok(*value)));
            }
            for (field, (number, text)) in fields[ints.len()..].iter().zip(&texts) {
                prop_assert_eq!((field.number, field.string()), (*number, Ok(text.as_str())));
            }
            for field in &fields {
                again.copy(field);
            }
            prop_assert_eq!(again.into_bytes(), bytes);
        }
    }
}
