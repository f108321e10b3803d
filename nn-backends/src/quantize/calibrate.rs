//! What every tensor of a file is: its type and shape, its value if it is constant, its range if it is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::QuantizeError;
use super::network::Network;
use super::report::QuantizeOptions;
use crate::array::{Array, Data};
use crate::graph::Info;
use crate::model::Model;
use crate::onnx::encode::Message;
use crate::onnx::wire::Fields;
use crate::prepared::{Backend, prepare};
use crate::tensor::{ElementType, Tensor};

/// What calibration knows.
pub(super) struct Facts {
    /// Type and shape by name.
    pub infos: BTreeMap<String, Info>,
    /// Values of tensors that depend on no data.
    pub constants: BTreeMap<String, Arc<Array>>,
    /// Least and greatest element by name.
    pub ranges: BTreeMap<String, (f32, f32)>,
    /// The model's outputs for each calibration input.
    pub outputs: Vec<Vec<Tensor>>,
}

/// The file with all results of its nodes as outputs, and their names.
fn shown(network: &Network<'_>) -> Result<(Vec<u8>, Vec<String>), QuantizeError> {
    let mut names: Vec<String> = Vec::new();
    let mut graph = Message::default();
    for field in Fields::new(network.graph) {
        let field = field.map_err(crate::error::ModelError::Wire)?;
        if field.number != 12 {
            graph.copy(&field);
        }
    }
    let results = network.nodes.iter().flat_map(|node| &node.proto.outputs);
    let results = results.copied().filter(|name| !name.is_empty());
    let initial = network.initializers.keys().copied();
    for name in results.chain(initial) {
        let mut info = Message::default();
        info.string(1, name);
        graph.message(12, &info);
        names.push(name.to_owned());
    }
    let mut model = Message::default();
    for field in Fields::new(network.bytes) {
        let field = field.map_err(crate::error::ModelError::Wire)?;
        match field.number {
            7 => model.message(7, &graph),
            _ => model.copy(&field),
        }
    }
    Ok((model.into_bytes(), names))
}

/// Runs the model on every calibration input.
pub(super) fn calibrate(
    network: &Network<'_>,
    model: &Model,
    samples: &[Vec<Tensor>],
    options: &QuantizeOptions,
) -> Result<Facts, QuantizeError> {
    let (bytes, names) = shown(network)?;
    let mut limits = options.limits.clone();
    limits.memory = limits.memory.saturating_mul(8);
    limits.bytes = limits.bytes.saturating_mul(2);
    // Every tensor is an output.
    limits.border = usize::MAX;
    let all = Model::from_onnx_with(&bytes, &limits, &options.bindings)?;
    let mut facts = Facts {
        infos: BTreeMap::new(),
        constants: BTreeMap::new(),
        ranges: BTreeMap::new(),
        outputs: Vec::with_capacity(samples.len()),
    };
    let graph = all.graph();
    for (input, id) in all.inputs().iter().zip(graph.inputs()) {
        let info = graph.info(*id).clone();
        facts.infos.insert(input.name.clone(), info);
    }
    for (name, id) in names.iter().zip(graph.outputs()) {
        facts.infos.insert(name.clone(), graph.info(*id).clone());
        if let Some(array) = graph.constant(*id) {
            facts.constants.insert(name.clone(), array.clone());
        }
    }
    let run = |sample| move |source| QuantizeError::Run { sample, source };
    let prepared = prepare(Arc::new(all), Backend::default()).map_err(run(0))?;
    let plain = prepare(Arc::new(model.clone()), Backend::default()).map_err(run(0))?;
    for (sample, inputs) in samples.iter().enumerate() {
        facts.outputs.push(plain.run(inputs).map_err(run(sample))?);
        let results = prepared.run(inputs).map_err(run(sample))?;
        let named = model.inputs().iter().map(|info| &info.name).zip(inputs);
        for (name, tensor) in named.chain(names.iter().zip(&results)) {
            if tensor.ty != ElementType::F32 || facts.constants.contains_key(name) {
                continue;
            }
            let Some((low, high)) = range(&tensor.data) else {
                return Err(QuantizeError::NotFinite {
                    tensor: name.clone(),
                    sample,
                });
            };
            let known = facts.ranges.entry(name.clone()).or_insert((low, high));
            *known = (known.0.min(low), known.1.max(high));
        }
    }
    Ok(facts)
}

/// Least and greatest of little-endian elements; zeros where there are none, nothing where one is not finite.
pub(super) fn range(bytes: &[u8]) -> Option<(f32, f32)> {
    let Some(Data::F32(elements)) = Data::from_le_bytes(ElementType::F32, bytes) else {
        return None;
    };
    let first = elements.first().copied().unwrap_or_default();
    elements.iter().try_fold((first, first), |(low, high), x| {
        x.is_finite().then_some((low.min(*x), high.max(*x)))
    })
}
