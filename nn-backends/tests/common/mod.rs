//! Writes small ONNX files.
#![allow(dead_code)]

#[cfg(feature = "cpu")]
pub mod backends;
pub mod cache;
pub mod networks;
mod protobuf;
pub mod random;
pub mod tensors;
pub mod wire;

pub use protobuf::*;

pub fn float(name: &str, x: f32) -> Message {
    tensor(name, FLOAT, &[], &x.to_le_bytes())
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
