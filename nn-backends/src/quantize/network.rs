//! A file's graph: nodes with their own bytes, who gives and who takes what.

use std::collections::{BTreeMap, BTreeSet};

use super::error::QuantizeError;
use super::operators::is_quantized;
use crate::error::ModelError;
use crate::import::node_name;
use crate::limits::ModelLimits;
use crate::onnx::decode::narrow;
use crate::onnx::schema::{Attribute, Budget, GraphProto, ModelProto, NodeProto, TensorProto};
use crate::onnx::wire::Fields;

/// A node of the main graph.
pub(super) struct NetworkNode<'a> {
    pub proto: NodeProto<'a>,
    /// The node's own bytes.
    pub bytes: &'a [u8],
    /// Its name, or its first output's.
    pub name: String,
}

/// The main graph of a file that this library has loaded before: its names are sound.
pub(super) struct Network<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// The graph's message.
    pub graph: &'a [u8],
    pub opset: i64,
    pub nodes: Vec<NetworkNode<'a>>,
    pub initializers: BTreeMap<&'a str, TensorProto<'a>>,
    /// Inputs that are no initialisers, in order.
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    /// The node that gives a tensor.
    pub producer: BTreeMap<&'a str, usize>,
    /// The nodes that take a tensor, ascending.
    pub consumers: BTreeMap<&'a str, Vec<usize>>,
    /// Names that nodes inside branches and loops use.
    pub captured: BTreeSet<&'a str>,
    /// Names that depend on an input.
    pub dynamic: BTreeSet<&'a str>,
}

impl<'a> Network<'a> {
    pub fn read(bytes: &'a [u8], limits: &ModelLimits) -> Result<Self, QuantizeError> {
        let mut budget = Budget::new(limits);
        let model = ModelProto::parse(bytes, &mut budget)?;
        let graph = model.graph.ok_or(ModelError::Malformed("no graph"))?;
        let proto = GraphProto::parse(graph, &mut budget)?;
        let mut own = Vec::with_capacity(proto.nodes.len());
        for field in Fields::new(graph) {
            let field = field.map_err(ModelError::Wire)?;
            if field.number == 1 {
                own.push(field.bytes().map_err(ModelError::Wire)?);
            }
        }
        let initializers: BTreeMap<&str, TensorProto<'_>> = proto
            .initializers
            .into_iter()
            .map(|tensor| (tensor.name, tensor))
            .collect();
        let inputs: Vec<&str> = proto
            .inputs
            .iter()
            .map(|info| info.name)
            .filter(|name| !initializers.contains_key(name))
            .collect();
        let half = |ty: i64| narrow(ty).is_some();
        for (name, ty) in initializers
            .values()
            .map(|tensor| (tensor.name, tensor.data_type))
            .chain(
                proto
                    .inputs
                    .iter()
                    .filter_map(|i| Some((i.name, i.data_type?))),
            )
        {
            if half(ty) {
                return Err(QuantizeError::HalfPrecision(name.to_owned()));
            }
        }
        let mut network = Network {
            bytes,
            graph,
            opset: model.opsets.get("").copied().unwrap_or_default(),
            nodes: Vec::with_capacity(proto.nodes.len()),
            dynamic: inputs.iter().copied().collect(),
            initializers,
            inputs,
            outputs: proto.outputs.iter().map(|info| info.name).collect(),
            producer: BTreeMap::new(),
            consumers: BTreeMap::new(),
            captured: BTreeSet::new(),
        };
        for (index, (proto, bytes)) in proto.nodes.into_iter().zip(own).enumerate() {
            let name = node_name(&proto);
            if is_quantized(&proto) {
                return Err(QuantizeError::AlreadyQuantized(name));
            }
            if let Some(Attribute::Int(to)) = proto.attributes.get("to")
                && half(*to)
            {
                return Err(QuantizeError::HalfPrecision(name));
            }
            let mut dynamic = proto.inputs.iter().any(|i| network.dynamic.contains(i));
            for attribute in proto.attributes.values() {
                if let Attribute::Graph(graph) = attribute {
                    capture(graph, &mut network.captured, &mut budget, limits.depth)?;
                    dynamic = true;
                }
            }
            for name in proto.inputs.iter().filter(|name| !name.is_empty()) {
                let list = network.consumers.entry(name).or_default();
                if list.last() != Some(&index) {
                    list.push(index);
                }
            }
            for name in proto.outputs.iter().filter(|name| !name.is_empty()) {
                network.producer.insert(name, index);
                if dynamic {
                    network.dynamic.insert(name);
                }
            }
            network.nodes.push(NetworkNode { proto, bytes, name });
        }
        Ok(network)
    }

    /// The nodes that take a tensor.
    pub fn consumers(&self, name: &str) -> &[usize] {
        self.consumers.get(name).map_or(&[], Vec::as_slice)
    }

    /// The one node that takes a tensor, if nothing else looks at it.
    pub fn only_consumer(&self, name: &str) -> Option<usize> {
        match self.consumers(name) {
            [one] if !self.seen_outside(name) => Some(*one),
            _ => None,
        }
    }

    /// Whether an output or a branch has the tensor.
    pub fn seen_outside(&self, name: &str) -> bool {
        self.outputs.contains(&name) || self.captured.contains(name)
    }
}

/// Collects the names that a nested graph uses, its own ones among them.
fn capture<'a>(
    graph: &'a [u8],
    names: &mut BTreeSet<&'a str>,
    budget: &mut Budget<'_>,
    depth: usize,
) -> Result<(), ModelError> {
    let depth = depth
        .checked_sub(1)
        .ok_or(ModelError::Malformed("graphs are nested too deeply"))?;
    let graph = GraphProto::parse(graph, budget)?;
    names.extend(graph.outputs.iter().map(|info| info.name));
    for node in graph.nodes {
        names.extend(node.inputs);
        for attribute in node.attributes.into_values() {
            if let Attribute::Graph(graph) = attribute {
                capture(graph, names, budget, depth)?;
            }
        }
    }
    Ok(())
}
