//! A verified model.

use std::collections::BTreeMap;

use crate::error::ModelError;
use crate::import::{Signature, check_names};
use crate::limits::ModelLimits;
use crate::onnx::decode::element_type;
use crate::onnx::schema::{Budget, Dim, GraphProto, ModelProto};
use crate::tensor::{Tensor, TensorInfo};

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
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
}

impl Model {
    /// Reads and verifies an ONNX file, operator sets 11 to 22.
    pub fn from_onnx(bytes: &[u8], limits: &ModelLimits) -> Result<Model, ModelError> {
        Self::from_onnx_with(bytes, limits, &Bindings::default())
    }

    /// As [`Model::from_onnx`], for a file with symbolic dimensions or inputs to be frozen.
    pub fn from_onnx_with(
        bytes: &[u8],
        limits: &ModelLimits,
        bindings: &Bindings,
    ) -> Result<Model, ModelError> {
        let mut budget = Budget::new(limits);
        let proto = ModelProto::parse(bytes, &mut budget)?;
        let opset = proto.opsets.get("").copied().unwrap_or_default();
        if !(11..=22).contains(&opset) {
            return Err(ModelError::Opset(opset));
        }
        let graph = proto.graph.ok_or(ModelError::Malformed("no graph"))?;
        let graph = GraphProto::parse(graph, &mut budget)?;
        check_names(&graph, None)?;
        let signature = Signature::read(&graph, bindings, limits)?;
        let outputs = graph
            .outputs
            .iter()
            .map(|info| {
                let refuse = |reason| ModelError::Signature {
                    name: info.name.to_owned(),
                    reason,
                };
                let shape = info.shape.as_ref().ok_or(refuse("its rank is unknown"))?;
                Ok(TensorInfo {
                    name: info.name.to_owned(),
                    ty: info
                        .data_type
                        .and_then(element_type)
                        .ok_or(refuse("its element type is not supported"))?,
                    shape: shape
                        .iter()
                        .map(|dim| match dim {
                            Dim::Value(v) => u32::try_from(*v).ok(),
                            _ => None,
                        })
                        .collect::<Option<Vec<u32>>>()
                        .ok_or(refuse("a dimension is unknown"))?,
                })
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        Ok(Model {
            inputs: signature.inputs,
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
}
