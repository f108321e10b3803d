//! A verified model.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use aivm_gas::NnPrices;

use crate::canonical;
use crate::cost::{self, Profile, Quote};
use crate::error::ModelError;
use crate::graph::Graph;
use crate::import::{Imported, import};
use crate::kernels::strict::with_default_environment;
use crate::limits::ModelLimits;
use crate::memory;
use crate::tensor::{Tensor, TensorInfo};
use crate::trace;

/// What the file leaves open, decided by whoever loads it. It becomes part of the model's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// Symbolic dimensions by name, for instance `batch` → 1.
    pub dimensions: BTreeMap<String, u32>,
    /// Whole input shapes by input name; needed where a dimension has no name.
    pub shapes: BTreeMap<String, Vec<u32>>,
    /// Inputs frozen to a constant, by name. They are no inputs of the model any more.
    pub constants: BTreeMap<String, Tensor>,
}

/// A model that has been read, checked and brought into our own form.
#[derive(Clone, Debug)]
pub struct Model {
    graph: Graph,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    hash: [u8; 32],
    profile: Profile,
    /// By operation, whether traces commit to its results.
    committed: Arc<[bool]>,
}

impl Model {
    /// Reads and verifies an ONNX file, operator sets 7 to 27, and few operators of earlier ones.
    ///
    /// # Errors
    /// When the file is malformed, exceeds a limit, or has nodes that cannot be accepted; these are listed.
    pub fn from_onnx(bytes: &[u8], limits: &ModelLimits) -> Result<Model, ModelError> {
        Self::from_onnx_with(bytes, limits, &Bindings::default())
    }

    /// As [`Model::from_onnx`], for a file with symbolic dimensions or inputs to be frozen.
    ///
    /// # Errors
    /// As [`Model::from_onnx`]; also when a binding contradicts the file, or is of a name that the file does not have.
    pub fn from_onnx_with(
        bytes: &[u8],
        limits: &ModelLimits,
        bindings: &Bindings,
    ) -> Result<Model, ModelError> {
        Self::read(bytes, limits, bindings, &Cell::new(0))
    }

    /// As [`Model::from_onnx`], with the work that it took, also where it failed: what folding constants
    /// computed and moved, the elements that operators made, and 800 for each node that was lowered. Nodes in the
    /// body of a loop count each time, and so does each pass. With a limit on it, more work than
    /// [`ModelLimits::work`] means that it was given up.
    pub fn from_onnx_measured(
        bytes: &[u8],
        limits: &ModelLimits,
    ) -> (Result<Model, ModelError>, u64) {
        let work = Cell::new(0);
        let model = Self::read(bytes, limits, &Bindings::default(), &work);
        (model, work.get())
    }

    fn read(
        bytes: &[u8],
        limits: &ModelLimits,
        bindings: &Bindings,
        work: &Cell<u64>,
    ) -> Result<Model, ModelError> {
        // Constants are folded in strict floating point.
        let Imported {
            graph,
            inputs,
            outputs,
        } = with_default_environment(|| import(bytes, limits, bindings, work))?;
        Ok(Model {
            hash: canonical::hash(&graph, &inputs, &outputs),
            profile: cost::profile(&graph),
            committed: trace::committed(&graph),
            graph,
            inputs,
            outputs,
        })
    }

    /// Inputs in order.
    pub fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    /// Outputs in order.
    pub fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    /// The content address: BLAKE3 of the model's canonical form. Any change of a weight, a shape, a
    /// parameter or the signature changes it; names of nodes and comments do not.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// How the model is computed.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The operations.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn committed(&self) -> &Arc<[bool]> {
        &self.committed
    }

    /// Number of bytes of the weights.
    pub fn weight_bytes(&self) -> u64 {
        self.graph
            .constants
            .keys()
            .map(|id| self.graph.info(*id).bytes())
            .sum()
    }

    /// Bytes that a prepared model holds at most, whether it runs or not: weights, as they are and packed.
    pub fn held_bytes(&self) -> u64 {
        memory::held(&self.graph)
    }

    /// Multiply-accumulates of one inference.
    pub fn macs(&self) -> u64 {
        cost::macs(&self.graph)
    }

    /// Memory high-water mark of one inference in bytes, on any backend.
    pub fn memory(&self) -> u64 {
        memory::memory(&self.graph)
    }

    /// What one inference costs, from shapes alone: it is the same on every backend, and the charge.
    pub fn quote(&self, prices: &NnPrices) -> Quote {
        cost::quote(&self.graph, prices)
    }
}
