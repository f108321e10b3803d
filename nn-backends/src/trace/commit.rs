//! What is hashed: tensors, leaves, the root of an inference and the root of a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::tree::{Value, hash};
use crate::array::Array;
use crate::graph::{Graph, Info, Node, ValueId};
use crate::model::Model;
use crate::op::Op;
use crate::run::Observer;
use crate::tensor::{ElementType, Tensor};

const LEAF: &[u8; 32] = b"AIVM inference trace v2 leaf    ";
pub(super) const LIST: &[u8; 32] = b"AIVM inference trace v2 list    ";
const ROOT: &[u8; 32] = b"AIVM inference trace v2 root    ";
const TRANSACTION: &[u8; 32] = b"AIVM inference trace v2 receipt ";

/// Bytes of the longest leaf message whose tensor has eight dimensions.
const USUAL: usize = 73;

/// Where a tensor comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An input of the model, by position.
    Input(u32),
    /// A result of an operation.
    Result {
        /// Index of the operation in the graph.
        node: u32,
        /// Position among its results.
        output: u16,
    },
}

impl Place {
    /// Kind, index and position, as they are written.
    pub(super) fn code(self) -> (u8, u32, u16) {
        match self {
            Place::Input(index) => (0, index, 0),
            Place::Result { node, output } => (1, node, output),
        }
    }

    pub(super) fn from_code(kind: u8, index: u32, output: u16) -> Option<Self> {
        match (kind, output) {
            (0, 0) => Some(Place::Input(index)),
            (1, output) => Some(Place::Result {
                node: index,
                output,
            }),
            _ => None,
        }
    }
}

/// A tensor of an inference by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it comes from.
    pub place: Place,
    /// Element type.
    pub ty: ElementType,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
    /// BLAKE3 of its elements, little-endian, in row-major order.
    pub digest: [u8; 32],
}

impl Entry {
    /// The tensor's leaf in the tree under the root.
    pub fn leaf(&self) -> [u8; 32] {
        leaf(
            self.place,
            self.ty,
            self.shape.iter().copied(),
            &self.digest,
        )
    }

    /// Bytes of the tensor; none if that does not fit 63 bits.
    pub fn bytes(&self) -> Option<u64> {
        crate::tensor::byte_len(self.ty, &self.shape)
    }
}

fn leaf(
    place: Place,
    ty: ElementType,
    shape: impl ExactSizeIterator<Item = u32>,
    digest: &Value,
) -> Value {
    let mut message = Vec::with_capacity(USUAL);
    let (kind, index, output) = place.code();
    message.push(kind);
    message.extend(index.to_le_bytes());
    message.extend(output.to_le_bytes());
    message.push(ty.code());
    // A graph's tensors have eight dimensions at most.
    message.push(u8::try_from(shape.len()).unwrap_or(u8::MAX));
    for dim in shape {
        message.extend(dim.to_le_bytes());
    }
    message.extend(digest);
    hash(&message, Some(LEAF))
}

/// The root of an inference from the leaves of its tensors, one behind the other.
pub(super) fn root(model: &Value, leaves: &[u8]) -> Value {
    root_of_list(model, &hash(leaves, Some(LIST)))
}

/// As [`root`], from the hash of the list of leaves.
pub(super) fn root_of_list(model: &Value, list: &Value) -> Value {
    let mut message = [0; 64];
    message[..32].copy_from_slice(model);
    message[32..].copy_from_slice(list);
    hash(&message, Some(ROOT))
}

/// The root of a transaction from the roots of its inferences, in the order in which they ended; none if there were
/// none.
pub fn transaction_root(roots: &[[u8; 32]]) -> Option<[u8; 32]> {
    (!roots.is_empty()).then(|| hash(roots.as_flattened(), Some(TRANSACTION)))
}

/// For each operation, whether an inference commits to its results: to those of convolutions and products, and to the
/// model's outputs. All others follow from these by operations without multiply-accumulates, which are cheap to repeat.
pub(crate) fn committed(graph: &Graph) -> Arc<[bool]> {
    let outputs: BTreeSet<ValueId> = graph.outputs().iter().copied().collect();
    let commits = |node: &Node| {
        matches!(
            node.op,
            Op::MatMul
                | Op::Conv(_)
                | Op::MatMulInteger
                | Op::QMatMul(_)
                | Op::ConvInteger(_)
                | Op::QConv(..)
        ) || node.outputs.iter().any(|id| outputs.contains(id))
    };
    graph.nodes().iter().map(commits).collect()
}

/// Whether an inference of `model` commits to the results of the operation of this number.
pub(super) fn commits_to(model: &Model, node: usize) -> bool {
    model.committed().get(node).copied().unwrap_or(false)
}

/// Makes the root of an inference while it runs.
#[derive(Clone, Debug)]
pub struct Commitment {
    model: Value,
    /// By operation, whether its results are committed to.
    committed: Arc<[bool]>,
    leaves: Vec<u8>,
    /// Digests so far, so that a reshaped tensor, which has its operand's bytes, is not hashed again.
    digests: BTreeMap<ValueId, Value>,
}

impl Commitment {
    /// For an inference of `model` on `inputs`.
    pub fn new(model: &Model, inputs: &[Tensor]) -> Self {
        let graph = model.graph();
        let mut commitment = Commitment {
            model: model.hash(),
            committed: model.committed().clone(),
            leaves: Vec::new(),
            digests: BTreeMap::new(),
        };
        for (i, (tensor, id)) in inputs.iter().zip(graph.inputs()).enumerate() {
            let digest = hash(&tensor.data, None);
            commitment.digests.insert(*id, digest);
            let place = Place::Input(i as u32);
            let leaf = leaf(place, tensor.ty, tensor.shape.iter().copied(), &digest);
            commitment.leaves.extend(leaf);
        }
        commitment
    }

    /// The root over all that was seen.
    pub fn root(&self) -> [u8; 32] {
        root(&self.model, &self.leaves)
    }

    /// Adds the results of an operation and gives their digests, if the inference commits to them.
    pub(super) fn add(
        &mut self,
        index: usize,
        node: &Node,
        results: &[Arc<Array>],
    ) -> Option<Vec<Value>> {
        if !self.committed.get(index).copied().unwrap_or(false) {
            return None;
        }
        let moved = match (&node.op, node.inputs.first()) {
            (Op::Reshape(_), Some(Some(x))) => self.digests.get(x).copied(),
            _ => None,
        };
        let mut digests = Vec::with_capacity(results.len());
        for (output, (array, id)) in results.iter().zip(&node.outputs).enumerate() {
            let digest = moved.unwrap_or_else(|| hash(&array.data.le_bytes(), None));
            self.digests.insert(*id, digest);
            let place = Place::Result {
                node: index as u32,
                output: output as u16,
            };
            let shape = array.shape.iter().map(|d| *d as u32);
            self.leaves.extend(leaf(place, array.ty(), shape, &digest));
            digests.push(digest);
        }
        Some(digests)
    }
}

impl Observer for Commitment {
    fn results(&mut self, index: usize, node: &Node, results: &[Arc<Array>]) {
        self.add(index, node, results);
    }
}

/// The tensors that an inference of `model` commits to, in order.
pub(super) fn places(model: &Model) -> impl Iterator<Item = (Place, Info)> {
    let graph = model.graph();
    let inputs = graph.inputs().iter().enumerate();
    let inputs = inputs.map(|(i, id)| (Place::Input(i as u32), graph.info(*id).clone()));
    let nodes = graph.nodes().iter().enumerate();
    let nodes = nodes.filter(move |(node, _)| commits_to(model, *node));
    inputs.chain(nodes.flat_map(move |(node, n)| {
        n.outputs.iter().enumerate().map(move |(output, id)| {
            let place = Place::Result {
                node: node as u32,
                output: output as u16,
            };
            (place, graph.info(*id).clone())
        })
    }))
}
