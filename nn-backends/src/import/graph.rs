//! Lowers the nodes of a graph in order.

use std::collections::BTreeMap;

use crate::array::{Array, Data};
use crate::cost;
use crate::error::{ModelError, NodeError, Refusal};
use crate::graph::{Graph, Info, ValueId};
use crate::import::builder::Builder;
use crate::import::context::{Context, bad, node_name};
use crate::import::signature::{Signature, check_names};
use crate::import::{fuse, ops};
use crate::limits::ModelLimits;
use crate::model::Bindings;
use crate::onnx::decode;
use crate::onnx::schema::{Attribute, Budget, GraphProto, ModelProto, NodeProto, TensorProto};
use crate::tensor::TensorInfo;

/// A verified graph with its signature.
pub(crate) struct Imported {
    pub graph: Graph,
    pub inputs: Vec<TensorInfo>,
    pub outputs: Vec<TensorInfo>,
}

/// At most this many refused nodes are listed.
const MAX_REFUSALS: usize = 64;

/// Names of one graph; `None` is the result of a node that was refused.
type Scope<'a> = BTreeMap<&'a str, Option<ValueId>>;

struct Importer<'l, 'a> {
    builder: Builder<'l>,
    opsets: BTreeMap<&'a str, i64>,
    /// Innermost last.
    scopes: Vec<Scope<'a>>,
    refusals: Vec<Refusal>,
    budget: Budget<'l>,
    weight_bytes: u64,
}

pub(crate) fn import(
    bytes: &[u8],
    limits: &ModelLimits,
    bindings: &Bindings,
) -> Result<Imported, ModelError> {
    let mut budget = Budget::new(limits);
    let proto = ModelProto::parse(bytes, &mut budget)?;
    let opset = proto.opsets.get("").copied().unwrap_or_default();
    if !(10..=22).contains(&opset) {
        return Err(ModelError::Opset(opset));
    }
    let graph = proto.graph.ok_or(ModelError::Malformed("no graph"))?;
    let graph = GraphProto::parse(graph, &mut budget)?;
    check_names(&graph, &|_| false)?;
    let signature = Signature::read(&graph, bindings, limits)?;
    let mut importer = Importer {
        builder: Builder::new(limits),
        opsets: proto.opsets,
        scopes: vec![Scope::new()],
        refusals: Vec::new(),
        budget,
        weight_bytes: 0,
    };
    let mut inputs = signature.inputs.iter().peekable();
    for info in &graph.inputs {
        let id = match bindings.constants.get(info.name) {
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
        importer.define(info.name, Some(id));
    }
    importer.initializers(&graph.initializers)?;
    importer.nodes(&graph.nodes)?;
    if !importer.refusals.is_empty() {
        return Err(ModelError::Nodes(importer.refusals));
    }
    for info in &graph.outputs {
        let id = importer.lookup(info.name).ok_or(ModelError::Undefined {
            node: "(outputs)".to_owned(),
            name: info.name.to_owned(),
        })?;
        importer.builder.graph.outputs.push(id);
    }
    let names: Vec<&str> = graph.outputs.iter().map(|info| info.name).collect();
    finish(importer.builder, signature.inputs, &names, limits)
}

/// Recognises patterns, folds what is left, and checks the limits that need the whole graph.
fn finish(
    builder: Builder<'_>,
    inputs: Vec<TensorInfo>,
    names: &[&str],
    limits: &ModelLimits,
) -> Result<Imported, ModelError> {
    let graph = fuse::fuse(builder).map_err(|refusal| ModelError::Nodes(vec![refusal]))?;
    let memory = cost::memory(&graph);
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
    fn define(&mut self, name: &'a str, id: Option<ValueId>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, id);
        }
    }

    fn find(&self, name: &str) -> Option<Option<ValueId>> {
        self.scopes.iter().rev().find_map(|s| s.get(name).copied())
    }

    fn lookup(&self, name: &str) -> Option<ValueId> {
        self.find(name).flatten()
    }

    fn initializers(&mut self, tensors: &[TensorProto<'a>]) -> Result<(), ModelError> {
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
            self.define(tensor.name, Some(id));
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &[NodeProto<'a>]) -> Result<(), ModelError> {
        for node in nodes {
            let mut inputs = Vec::with_capacity(node.inputs.len());
            let mut poisoned = false;
            for name in &node.inputs {
                if name.is_empty() {
                    inputs.push(None);
                } else {
                    let id = self.lookup(name);
                    poisoned |= id.is_none();
                    inputs.push(id);
                }
            }
            // Trailing absent inputs say nothing.
            while inputs.last() == Some(&None) {
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
        inputs: Vec<Option<ValueId>>,
    ) -> Result<Vec<ValueId>, Failure> {
        if node.domain.is_empty() && node.op_type == "If" {
            return self.branch(node, &inputs);
        }
        let opset = self.opsets.get(node.domain).copied().unwrap_or_default();
        Ok(ops::lower(&mut Context {
            builder: &mut self.builder,
            node,
            inputs,
            opset,
        })?)
    }

    /// `If` with a condition known at load: the branch's nodes take its place.
    fn branch(
        &mut self,
        node: &NodeProto<'a>,
        inputs: &[Option<ValueId>],
    ) -> Result<Vec<ValueId>, Failure> {
        let condition = inputs.first().copied().flatten();
        let condition = condition.ok_or(NodeError::MissingInput(0))?;
        let taken = match self.builder.constant(condition).map(|a| &a.data) {
            Some(Data::Bool(v)) if v.len() == 1 => v[0],
            _ => return Err(NodeError::NotConstant(0).into()),
        };
        let name = if taken { "then_branch" } else { "else_branch" };
        let Some(Attribute::Graph(bytes)) = node.attributes.get(name) else {
            return Err(bad(name).into());
        };
        if self.scopes.len() > self.builder.limits.depth {
            return Err(NodeError::Limit("depth of nested graphs").into());
        }
        let graph = GraphProto::parse(bytes, &mut self.budget)?;
        check_names(&graph, &|name| self.find(name).is_some())?;
        if !graph.inputs.is_empty() {
            return Err(NodeError::Shape("a branch takes no inputs").into());
        }
        self.scopes.push(Scope::new());
        let outcome = (|| {
            self.initializers(&graph.initializers)?;
            self.nodes(&graph.nodes)?;
            Ok::<Option<Vec<ValueId>>, ModelError>(
                graph.outputs.iter().map(|o| self.lookup(o.name)).collect(),
            )
        })();
        self.scopes.pop();
        // A refusal inside the branch has been listed already.
        Ok(outcome?.unwrap_or_default())
    }
}

enum Failure {
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
