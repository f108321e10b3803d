//! The quantised file around the nodes that were written.

use std::collections::BTreeSet;

use super::super::error::QuantizeError;
use super::super::network::Network;
use super::super::operators::OPSET;
use super::super::report::BoundaryTensor;
use super::{UINT8, Writer};
use crate::error::ModelError;
use crate::onnx::encode::Message;
use crate::onnx::wire::Fields;

impl Writer<'_, '_> {
    /// The file: nodes and initialisers that something needs, and the border.
    pub(super) fn finish(
        self,
        inputs: &[BoundaryTensor],
        outputs: &[BoundaryTensor],
    ) -> Result<Vec<u8>, QuantizeError> {
        let network = self.network;
        let mut live: BTreeSet<&str> = network.outputs.iter().copied().collect();
        live.extend(&network.captured);
        let mut kept = Vec::new();
        for written in self.nodes.iter().rev() {
            if written
                .outputs
                .iter()
                .any(|name| live.contains(name.as_str()))
            {
                live.extend(written.inputs.iter().map(String::as_str));
                kept.push(&written.message);
            }
        }
        let mut graph = Message::default();
        for message in kept.into_iter().rev() {
            graph.message(1, message);
        }
        let bytes = |list: &[BoundaryTensor], name: &str| list.iter().any(|b| b.name == name);
        for field in Fields::new(network.graph) {
            let field = field.map_err(ModelError::Wire)?;
            match field.number {
                // Nodes are above; shapes and annotations of tensors between them are no longer right.
                1 | 13 | 14 => {}
                5 => {
                    let message = field.bytes().map_err(ModelError::Wire)?;
                    if live.contains(name_in(message, 8)?) {
                        graph.copy(&field);
                    }
                }
                11 | 12 => {
                    let message = field.bytes().map_err(ModelError::Wire)?;
                    let name = name_in(message, 1)?;
                    let list = if field.number == 11 { inputs } else { outputs };
                    if network.initializers.contains_key(name) && field.number == 11 {
                        continue;
                    }
                    match bytes(list, name) {
                        true => graph.message(field.number, &as_bytes(message)?),
                        false => graph.copy(&field),
                    }
                }
                _ => graph.copy(&field),
            }
        }
        for (name, message) in &self.initializers {
            if live.contains(name.as_str()) {
                graph.message(5, message);
            }
        }
        model(network, &graph, inputs, outputs)
    }
}

/// The string in a field of a message; empty if there is none.
fn name_in(message: &[u8], number: u32) -> Result<&str, ModelError> {
    for field in Fields::new(message) {
        let field = field?;
        if field.number == number {
            return Ok(field.string()?);
        }
    }
    Ok("")
}

/// A `ValueInfoProto` with the element type of bytes.
fn as_bytes(message: &[u8]) -> Result<Message, ModelError> {
    /// Copies a message with a change to one field, inside the messages that `path` names.
    fn with(message: &[u8], path: &[u32]) -> Result<Message, ModelError> {
        let mut out = Message::default();
        for field in Fields::new(message) {
            let field = field?;
            match path {
                [last] if field.number == *last => out.int(*last, UINT8),
                [first, rest @ ..] if field.number == *first && !rest.is_empty() => {
                    out.message(*first, &with(field.bytes()?, rest)?);
                }
                _ => out.copy(&field),
            }
        }
        Ok(out)
    }
    // ValueInfoProto.type, TypeProto.tensor_type, its elem_type.
    with(message, &[2, 1, 1])
}

/// The `ModelProto` around the graph.
fn model(
    network: &Network<'_>,
    graph: &Message,
    inputs: &[BoundaryTensor],
    outputs: &[BoundaryTensor],
) -> Result<Vec<u8>, QuantizeError> {
    let mut model = Message::default();
    for field in Fields::new(network.bytes) {
        let field = field.map_err(ModelError::Wire)?;
        match field.number {
            // Version 7 is the first that knows operator set 13.
            1 => model.int(1, field.int().map_err(ModelError::Wire)?.max(7)),
            // The producer and its version.
            2 | 3 => {}
            7 => model.message(7, graph),
            8 => {
                let bytes = field.bytes().map_err(ModelError::Wire)?;
                let domain = name_in(bytes, 1)?;
                if domain.is_empty() || domain == "ai.onnx" {
                    let mut set = Message::default();
                    set.string(1, "");
                    set.int(2, network.opset.max(OPSET));
                    model.message(8, &set);
                } else {
                    model.copy(&field);
                }
            }
            _ => model.copy(&field),
        }
    }
    model.string(2, "aivm model quantize");
    for (kind, list) in [("input", inputs), ("output", outputs)] {
        for b in list {
            let mut entry = Message::default();
            entry.string(1, &format!("aivm.{kind}.{}", b.name));
            entry.string(2, &format!("scale={} zero_point={}", b.scale, b.zero_point));
            model.message(14, &entry);
        }
    }
    Ok(model.into_bytes())
}
