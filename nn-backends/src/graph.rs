//! The graph a model is brought into: values with known types and shapes, constants, nodes in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::array::Array;
use crate::op::Op;
use crate::tensor::ElementType;

/// A value of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub(crate) u32);

impl ValueId {
    /// Index among the graph's values.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Element type and shape of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Element type.
    pub ty: ElementType,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
}

impl Info {
    /// An element type with a shape.
    pub fn new(ty: ElementType, shape: impl Into<Vec<usize>>) -> Self {
        Info {
            ty,
            shape: shape.into(),
        }
    }

    /// Number of elements.
    pub fn elements(&self) -> u64 {
        self.shape
            .iter()
            .fold(1u64, |n, d| n.saturating_mul(*d as u64))
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        self.elements().saturating_mul(self.ty.size() as u64)
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// Operands; `None` where an optional one is absent.
    pub inputs: Vec<Option<ValueId>>,
    /// Results, at least one.
    pub outputs: Vec<ValueId>,
    /// Name in the model file, for people; no part of the model's identity.
    pub name: String,
}

/// A graph in topological order in which every shape is known.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) values: Vec<Info>,
    pub(crate) constants: BTreeMap<ValueId, Arc<Array>>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) outputs: Vec<ValueId>,
}

impl Graph {
    /// Nodes, each after those whose results it uses.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Inputs in order.
    pub fn inputs(&self) -> &[ValueId] {
        &self.inputs
    }

    /// Outputs in order.
    pub fn outputs(&self) -> &[ValueId] {
        &self.outputs
    }

    /// The value's array if it is a constant.
    pub fn constant(&self, id: ValueId) -> Option<&Arc<Array>> {
        self.constants.get(&id)
    }

    /// Constants by value.
    pub fn constants(&self) -> &BTreeMap<ValueId, Arc<Array>> {
        &self.constants
    }

    /// Number of values.
    pub fn value_count(&self) -> usize {
        self.values.len()
    }

    /// Element type and shape of a value of this graph.
    ///
    /// # Panics
    /// If `id` is of another graph.
    pub fn info(&self, id: ValueId) -> &Info {
        &self.values[id.index()]
    }

    pub(crate) fn value(&mut self, info: Info) -> ValueId {
        let id = ValueId(self.values.len() as u32);
        self.values.push(info);
        id
    }

    pub(crate) fn add_constant(&mut self, array: Array) -> ValueId {
        let id = self.value(Info::new(array.ty(), array.shape.clone()));
        self.constants.insert(id, Arc::new(array));
        id
    }

    /// Drops nodes and constants that no output depends on, and renumbers: inputs, then constants in
    /// order of first use, then results. The outcome depends on nothing but what is computed.
    pub(crate) fn pruned(&self) -> Graph {
        let mut live = vec![false; self.values.len()];
        for id in &self.outputs {
            live[id.index()] = true;
        }
        let mut keep = vec![false; self.nodes.len()];
        for (node, keep) in self.nodes.iter().zip(&mut keep).rev() {
            *keep = node.outputs.iter().any(|id| live[id.index()]);
            if *keep {
                for id in node.inputs.iter().flatten() {
                    live[id.index()] = true;
                }
            }
        }
        let mut graph = Graph::default();
        let mut renamed: Vec<Option<ValueId>> = vec![None; self.values.len()];
        for id in &self.inputs {
            let new = graph.value(self.info(*id).clone());
            renamed[id.index()] = Some(new);
            graph.inputs.push(new);
        }
        let used = self
            .nodes
            .iter()
            .zip(&keep)
            .filter(|(_, keep)| **keep)
            .flat_map(|(node, _)| node.inputs.iter().flatten())
            .chain(&self.outputs);
        for id in used {
            if let (None, Some(array)) = (renamed[id.index()], self.constants.get(id)) {
                let new = graph.value(self.info(*id).clone());
                graph.constants.insert(new, array.clone());
                renamed[id.index()] = Some(new);
            }
        }
        for (node, _) in self.nodes.iter().zip(&keep).filter(|(_, keep)| **keep) {
            let mut node = node.clone();
            for id in node.inputs.iter_mut().flatten() {
                if let Some(new) = renamed[id.index()] {
                    *id = new;
                }
            }
            for id in &mut node.outputs {
                let new = graph.value(self.info(*id).clone());
                renamed[id.index()] = Some(new);
                *id = new;
            }
            graph.nodes.push(node);
        }
        graph.outputs = self
            .outputs
            .iter()
            .filter_map(|id| renamed[id.index()])
            .collect();
        graph
    }
}
