//! Messages of ONNX files, byte by byte.

/// A protobuf message under construction.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    fn varint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.0.push(v as u8 | 0x80);
            v >>= 7;
        }
        self.0.push(v as u8);
    }

    pub fn int(mut self, field: u32, v: i64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(v as u64);
        self
    }

    pub fn bytes(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend(bytes.as_ref());
        self
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

pub const FLOAT: i64 = 1;
pub const U8: i64 = 2;
pub const I8: i64 = 3;
pub const I32: i64 = 6;
pub const I64: i64 = 7;

/// A constant.
pub fn tensor(name: &str, ty: i64, dims: &[i64], raw: &[u8]) -> Message {
    let mut message = Message::default();
    for dim in dims {
        message = message.int(1, *dim);
    }
    message.int(2, ty).bytes(8, name).bytes(9, raw)
}

/// A name with a type and dimensions.
pub fn value(name: &str, ty: i64, dims: &[i64]) -> Message {
    let mut shape = Message::default();
    for dim in dims {
        shape = shape.bytes(1, Message::default().int(1, *dim));
    }
    let tensor = Message::default().int(1, ty).bytes(2, shape);
    Message::default()
        .bytes(1, name)
        .bytes(2, Message::default().bytes(1, tensor))
}
