//! Small ONNX files, written byte by byte.

#[path = "../../../nn-backends/tests/common/protobuf.rs"]
mod protobuf;

use protobuf::value;
pub use protobuf::{FLOAT as F32, I8, I32, I64, Message, U8, tensor};

pub const BOOL: i64 = 9;

/// An integer attribute.
pub fn int(name: &str, v: i64) -> Message {
    Message::default().bytes(1, name).int(3, v).int(20, 2)
}

/// An attribute of several integers.
pub fn ints(name: &str, values: &[i64]) -> Message {
    let message = Message::default().bytes(1, name);
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
        node = node.bytes(1, format!("x{i}"));
    }
    for i in 0..constants.len() {
        node = node.bytes(1, format!("c{i}"));
    }
    node = node.bytes(2, "y").bytes(4, op);
    for attribute in attributes {
        node = node.bytes(5, attribute);
    }
    let mut graph = Message::default().bytes(1, node).bytes(2, "g");
    for constant in constants {
        graph = graph.bytes(5, constant);
    }
    for (i, (ty, dims)) in inputs.iter().enumerate() {
        graph = graph.bytes(11, value(&format!("x{i}"), *ty, dims));
    }
    graph = graph.bytes(12, value("y", output.0, output.1));
    let opset = Message::default().bytes(1, "").int(2, 17);
    Message::default()
        .int(1, 8)
        .bytes(7, graph)
        .bytes(8, opset)
        .0
}
