//! Small ONNX files, written byte by byte.

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

    pub fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }
}

pub const F32: i64 = 1;
pub const U8: i64 = 2;
pub const I8: i64 = 3;
pub const I32: i64 = 6;
pub const I64: i64 = 7;
pub const BOOL: i64 = 9;

/// A constant.
pub fn tensor(name: &str, ty: i64, dims: &[i64], raw: &[u8]) -> Message {
    let message = dims
        .iter()
        .fold(Message::default(), |m, dim| m.int(1, *dim));
    message.int(2, ty).text(8, name).bytes(9, raw)
}

fn value(name: &str, ty: i64, dims: &[i64]) -> Message {
    let shape = dims.iter().fold(Message::default(), |m, dim| {
        m.bytes(1, &Message::default().int(1, *dim).0)
    });
    let tensor = Message::default().int(1, ty).bytes(2, &shape.0);
    let ty = Message::default().bytes(1, &tensor.0);
    Message::default().text(1, name).bytes(2, &ty.0)
}

/// An integer attribute.
pub fn int(name: &str, v: i64) -> Message {
    Message::default().text(1, name).int(3, v).int(20, 2)
}

/// An attribute of several integers.
pub fn ints(name: &str, values: &[i64]) -> Message {
    let message = Message::default().text(1, name);
    values.iter().fold(message, |m, v| m.int(8, *v)).int(20, 7)
}

/// A tensor's type and dimensions.
pub type Shape<'a> = (i64, &'a [i64]);

/// A model of one node: inputs `x0`, `x1` ..., then constants, one output `y`.
pub fn one(
    op: &str,
    inputs: &[Shape<'_>],
    constants: &[Message],
    attributes: &[Message],
    output: Shape<'_>,
) -> Vec<u8> {
    let mut node = Message::default();
    for i in 0..inputs.len() {
        node = node.text(1, &format!("x{i}"));
    }
    for i in 0..constants.len() {
        node = node.text(1, &format!("c{i}"));
    }
    node = node.text(2, "y").text(4, op);
    for attribute in attributes {
        node = node.bytes(5, &attribute.0);
    }
    let mut graph = Message::default().bytes(1, &node.0).text(2, "g");
    for constant in constants {
        graph = graph.bytes(5, &constant.0);
    }
    for (i, (ty, dims)) in inputs.iter().enumerate() {
        graph = graph.bytes(11, &value(&format!("x{i}"), *ty, dims).0);
    }
    graph = graph.bytes(12, &value("y", output.0, output.1).0);
    let opset = Message::default().text(1, "").int(2, 17);
    Message::default()
        .int(1, 8)
        .bytes(7, &graph.0)
        .bytes(8, &opset.0)
        .0
}
