//! Writes small ONNX files.
#![allow(dead_code)]

#[cfg(feature = "cpu")]
pub mod backends;
pub mod cache;
pub mod networks;
pub mod random;
pub mod wire;

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

pub fn tensor(name: &str, ty: i64, dims: &[i64], raw: &[u8]) -> Message {
    let mut message = Message::default();
    for dim in dims {
        message = message.int(1, *dim);
    }
    message.int(2, ty).bytes(8, name).bytes(9, raw)
}

pub fn float(name: &str, x: f32) -> Message {
    tensor(name, FLOAT, &[], &x.to_le_bytes())
}

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

pub fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let mut message = Message::default();
    for input in inputs {
        message = message.bytes(1, input);
    }
    for output in outputs {
        message = message.bytes(2, output);
    }
    message.bytes(4, op)
}

/// The parts of a graph.
#[derive(Default)]
pub struct Graph {
    pub nodes: Vec<Message>,
    pub initializers: Vec<Message>,
    pub inputs: Vec<Message>,
    pub outputs: Vec<Message>,
}

impl Graph {
    /// The `GraphProto`.
    pub fn graph(&self) -> Message {
        let mut graph = Message::default();
        let lists = [
            (1, &self.nodes),
            (5, &self.initializers),
            (11, &self.inputs),
            (12, &self.outputs),
        ];
        for (field, list) in lists {
            for message in list {
                graph = graph.bytes(field, message);
            }
        }
        graph
    }

    /// The model file, operator set 17.
    pub fn model(&self) -> Vec<u8> {
        self.model_of(17)
    }

    /// The model file with a version of the default operator set.
    pub fn model_of(&self, opset: i64) -> Vec<u8> {
        let graph = self.graph();
        let opset = Message::default().int(2, opset);
        Message::default()
            .int(1, 8)
            .bytes(7, graph)
            .bytes(8, opset)
            .0
    }
}
