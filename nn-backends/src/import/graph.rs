//! Lowers the nodes of a graph in order.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::array::Array;
use crate::error::{ModelError, NodeError, Refusal};
use crate::graph::{Graph, Info};
use crate::import::builder::Builder;
use crate::import::context::{Context, node_name};
use crate::import::fuse;
use crate::import::narrow::{self, Named};
use crate::import::signature::{Signature, check_names};
use crate::limits::ModelLimits;
use crate::memory;
use crate::model::Bindings;
use crate::onnx::decode;
use crate::onnx::schema::{Budget, GraphProto, ModelProto, NodeProto, TensorProto, limit};
use crate::tensor::TensorInfo;

/// A verified graph with its signature.
pub(crate) struct Imported {
    pub graph: Graph,
    pub inputs: Vec<TensorInfo>,
    pub outputs: Vec<TensorInfo>,
}

/// Versions of the default operator set that are read.
const OPSETS: std::ops::RangeInclusive<i64> = 1..=27;

/// Units of work that lowering a node takes beside what it folds.
const NODE: u64 = 800;

/// At most this many refused nodes are listed.
const MAX_REFUSALS: usize = 64;

/// Names of one graph; `None` is the result of a node that was refused.
pub(super) type Scope<'a> = BTreeMap<&'a str, Option<Named>>;

pub(super) struct Importer<'l, 'a> {
    pub builder: Builder<'l>,
    opsets: BTreeMap<&'a str, i64>,
    /// Innermost last.
    pub scopes: Vec<Scope<'a>>,
    refusals: Vec<Refusal>,
    pub budget: Budget<'l>,
    weight_bytes: u64,
    /// Nodes lowered so far, and passes of loops; nodes in the body of a loop count each time.
    lowered: usize,
    /// Bytes of graphs in nodes read so far; those in the body of a loop count each time.
    read: usize,
}

pub(crate) fn import(
    bytes: &[u8],
    limits: &ModelLimits,
    bindings: &Bindings,
    work: &Cell<u64>,
) -> Result<Imported, ModelError> {
    let mut budget = Budget::new(limits);
    let proto = ModelProto::parse(bytes, &mut budget)?;
    let opset = proto.opsets.get("").copied().unwrap_or_default();
    if !OPSETS.contains(&opset) {
        return Err(ModelError::Opset(opset));
    }
    let graph = proto.graph.ok_or(ModelError::Malformed("no graph"))?;
    let graph = GraphProto::parse(graph, &mut budget)?;
    check_names(&graph, &|_| false)?;
    let signature = Signature::read(&graph, bindings, limits)?;
    limit("inputs", signature.inputs.len(), limits.border)?;
    limit("outputs", graph.outputs.len(), limits.border)?;
    let mut importer = Importer {
        builder: Builder::new(limits, work),
        opsets: proto.opsets,
        scopes: vec![Scope::new()],
        refusals: Vec::new(),
        budget,
        weight_bytes: 0,
        lowered: 0,
        read: 0,
    };
    let mut inputs = signature.inputs.iter().peekable();
    for info in &graph.inputs {
        let narrow = info.data_type.and_then(decode::narrow);
        let mut id = match bindings.constants.get(info.name) {
            Some(tensor) => {
                let array = Array::from_tensor(tensor).ok_or(ModelError::Signature {
                    name: info.name.to_owned(),
                    reason: "the constant bound to it contradicts itself",
                })?;
                importer.builder.graph.add_constant(array)
            }
            None => match inputs.next_if(|input| input.name == info.name) {
                Some(input) => {
                    let shape: Vec<usize> = input.shape.iter().map(|d| *d as usize).collect();
                    let id = importer.builder.graph.value(Info::new(input.ty, shape));
                    importer.builder.graph.inputs.push(id);
                    id
                }
                // An initialiser follows.
                None => continue,
            },
        };
        if let Some(narrow) = narrow.filter(|n| n.carrier() == importer.builder.info(id).ty) {
            // What a caller passes need not be a number of the narrow type.
            let refuse = |reason| importer_refusal(info.name, reason);
            id = narrow::onto(&mut importer.builder, info.name, id, narrow, true, true)
                .map_err(refuse)?;
        }
        importer.define(info.name, Some(Named { id, narrow }));
    }
    importer.initializers(&graph.initializers)?;
    importer.nodes(&graph.nodes)?;
    if !importer.refusals.is_empty() {
        return Err(ModelError::Nodes(importer.refusals));
    }
    for info in &graph.outputs {
        let named = importer.lookup(info.name).ok_or(ModelError::Undefined {
            node: "(outputs)".to_owned(),
            name: info.name.to_owned(),
        })?;
        importer.builder.graph.outputs.push(named.id);
    }
    let names: Vec<&str> = graph.outputs.iter().map(|info| info.name).collect();
    finish(importer.builder, signature.inputs, &names, limits)
}

fn importer_refusal(name: &str, reason: NodeError) -> ModelError {
    ModelError::Nodes(vec![Refusal {
        node: name.to_owned(),
        operator: "input".to_owned(),
        reason,
    }])
}

/// Recognises patterns, folds what is left, and checks the limits that need the whole graph.
fn finish(
    builder: Builder<'_>,
    inputs: Vec<TensorInfo>,
    names: &[&str],
    limits: &ModelLimits,
) -> Result<Imported, ModelError> {
    let graph = fuse::fuse(builder).map_err(|refusal| ModelError::Nodes(vec![refusal]))?;
    let memory = memory::memory(&graph);
    if memory > limits.memory {
        return Err(ModelError::Limit {
            what: "bytes of memory",
            found: memory,
            max: limits.memory,
        });
    }
    let outputs = graph
        .outputs
        .iter()
        .zip(names)
        .map(|(id, name)| {
            let info = graph.info(*id);
            TensorInfo {
                name: (*name).to_owned(),
                ty: info.ty,
                shape: info.shape.iter().map(|d| *d as u32).collect(),
            }
        })
        .collect();
    Ok(Imported {
        graph,
        inputs,
        outputs,
    })
}

impl<'l, 'a> Importer<'l, 'a> {
    pub(super) fn define(&mut self, name: &'a str, named: Option<Named>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, named);
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<Option<Named>> {
        self.scopes.iter().rev().find_map(|s| s.get(name).copied())
    }

    pub(super) fn lookup(&self, name: &str) -> Option<Named> {
        self.find(name).flatten()
    }

    pub(super) fn initializers(&mut self, tensors: &[TensorProto<'a>]) -> Result<(), ModelError> {
        for tensor in tensors {
            if self
                .scopes
                .last()
                .is_some_and(|s| s.contains_key(tensor.name))
            {
                // Bound by the caller.
                continue;
            }
            let array = decode::tensor(tensor, self.builder.limits)?;
            let info = Info::new(array.ty(), array.shape.clone());
            self.weight_bytes = self.weight_bytes.saturating_add(info.bytes());
            if self.weight_bytes > self.builder.limits.weight_bytes {
                return Err(ModelError::Limit {
                    what: "bytes of weights",
                    found: self.weight_bytes,
                    max: self.builder.limits.weight_bytes,
                });
            }
            let id = self.builder.graph.add_constant(array);
            let narrow = decode::narrow(tensor.data_type);
            self.define(tensor.name, Some(Named { id, narrow }));
        }
        Ok(())
    }

    /// Counts a node, or a pass of a loop.
    pub(super) fn step(&mut self) -> Result<(), ModelError> {
        self.lowered += 1;
        let most = self.budget.limits.nodes.saturating_mul(8);
        limit("nodes, with every pass of a loop", self.lowered, most)?;
        let max = self.builder.limits.work;
        self.builder.spend(NODE).map_err(|_| ModelError::Limit {
            what: "units of work for reading it",
            found: self.builder.work.get(),
            max,
        })
    }

    /// Reads the graph of a node.
    pub(super) fn inner(&mut self, bytes: &'a [u8]) -> Result<GraphProto<'a>, ModelError> {
        self.read = self.read.saturating_add(bytes.len());
        let most = self.budget.limits.bytes.saturating_mul(4);
        limit(
            "bytes of graphs, with every pass of a loop",
            self.read,
            most,
        )?;
        GraphProto::parse(bytes, &mut self.budget)
    }

    pub(super) fn nodes(&mut self, nodes: &[NodeProto<'a>]) -> Result<(), ModelError> {
        for node in nodes {
            self.step()?;
            let mut inputs = Vec::with_capacity(node.inputs.len());
            let mut poisoned = false;
            for name in &node.inputs {
                if name.is_empty() {
                    inputs.push(None);
                } else {
                    let named = self.lookup(name);
                    poisoned |= named.is_none();
                    inputs.push(named);
                }
            }
            // Trailing absent inputs say nothing.
            while let Some(None) = inputs.last() {
                inputs.pop();
            }
            let mut results = Vec::new();
            if !poisoned {
                match self.node(node, inputs) {
                    Ok(ids) => results = ids,
                    Err(Failure::Node(reason)) => self.refuse(node, reason),
                    Err(Failure::Model(error)) => return Err(error),
                }
            }
            let made = self.builder.limits.weight_bytes;
            if self.builder.kept > made {
                return Err(ModelError::Limit {
                    what: "bytes of constants that operators make",
                    found: self.builder.kept,
                    max: made,
                });
            }
            for (i, name) in node.outputs.iter().enumerate() {
                if name.is_empty() {
                    continue;
                }
                let id = results.get(i).copied();
                if id.is_none() && !results.is_empty() {
                    self.refuse(
                        node,
                        NodeError::Shape("more outputs than the operator gives"),
                    );
                }
                self.define(name, id);
            }
        }
        Ok(())
    }

    fn refuse(&mut self, node: &NodeProto<'_>, reason: NodeError) {
        if self.refusals.len() < MAX_REFUSALS {
            let operator = if node.domain.is_empty() {
                node.op_type.to_owned()
            } else {
                format!("{}::{}", node.domain, node.op_type)
            };
            self.refusals.push(Refusal {
                node: node_name(node),
                operator,
                reason,
            });
        }
    }

    fn node(
        &mut self,
        node: &NodeProto<'a>,
        inputs: Vec<Option<Named>>,
    ) -> Result<Vec<Named>, Failure> {
        let opset = self.opsets.get(node.domain).copied().unwrap_or_default();
        match (node.domain, node.op_type) {
            ("", "If") => return self.branch(node, &inputs),
            ("", "Loop") => return self.repeat(node, &inputs),
            ("", "Scan") => return self.scan(node, &inputs, opset),
            _ => {}
        }
        Ok(narrow::lower(&mut Context {
            builder: &mut self.builder,
            node,
            narrow: inputs.iter().map(|i| i.and_then(|i| i.narrow)).collect(),
            inputs: inputs.into_iter().map(|i| i.map(|i| i.id)).collect(),
            opset,
        })?)
    }

    /// The context of a node that is lowered here and not by an operator of [`ops`].
    pub(super) fn context<'c>(&'c mut self, node: &'c NodeProto<'a>) -> Context<'c, 'l, 'a> {
        Context {
            builder: &mut self.builder,
            node,
            inputs: Vec::new(),
            narrow: Vec::new(),
            opset: 0,
        }
    }
}

pub(super) enum Failure {
    Node(NodeError),
    Model(ModelError),
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        Failure::Node(error)
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Failure::Model(error)
    }
}
