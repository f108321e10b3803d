//! From a file and calibration inputs to a quantised file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::calibrate::{Facts, calibrate, range};
use super::error::QuantizeError;
use super::network::Network;
use super::operators::{Kind, OPSET, same_in_13};
use super::params::Params;
use super::plan::{Candidates, Plan, is_activation};
use super::report::{
    BoundaryTensor, FloatReason, Operator, Outcome, OutputDifference, QuantizeOptions, Quantized,
};
use super::rewrite::{Rewritten, rewrite};
use crate::array::Data;
use crate::error::ModelError;
use crate::kernels::strict::with_default_environment;
use crate::model::Model;
use crate::op::Op;
use crate::prepared::{Backend, prepare};
use crate::tensor::{ElementType, Tensor};

/// Attempts until all that is left has an integer form. Each takes out what the last one showed to have none.
const ATTEMPTS: usize = 12;

/// Quantises the `f32` model in `onnx`, an ONNX file of operator set 11 or later, with ranges from `samples`: lists of
/// inputs, each in the model's order.
///
/// The result depends on its arguments only: it has the same bytes on every machine.
///
/// # Errors
/// Without calibration inputs, on a model that is quantised already, where a tensor is NaN or infinite, where nothing can be
/// quantised, and where the file or an input is refused.
pub fn quantize(
    onnx: &[u8],
    samples: &[Vec<Tensor>],
    options: &QuantizeOptions,
) -> Result<Quantized, QuantizeError> {
    if samples.is_empty() {
        return Err(QuantizeError::NoCalibration);
    }
    // Scales are computed as the model's floats are.
    with_default_environment(|| attempts(onnx, samples, options))
}

fn attempts(
    onnx: &[u8],
    samples: &[Vec<Tensor>],
    options: &QuantizeOptions,
) -> Result<Quantized, QuantizeError> {
    for (tensor, &(low, high)) in &options.ranges {
        if !(low.is_finite() && high.is_finite() && low < high) {
            let tensor = tensor.clone();
            return Err(QuantizeError::Range { tensor, low, high });
        }
    }
    let model = Model::from_onnx_with(onnx, &options.limits, &options.bindings)?;
    let network = Network::read(onnx, &options.limits)?;
    let facts = calibrate(&network, &model, samples, options)?;
    check_opset(&network, &facts)?;
    let unknown = |name: &&String| !is_activation(&facts, name);
    if let Some(name) = options.ranges.keys().find(unknown) {
        return Err(QuantizeError::UnknownTensor(name.clone()));
    }
    let candidates = Candidates::find(&network, &facts);
    let mut excluded: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        let plan = candidates.plan(&network, &facts, &excluded);
        let contraction = |i: &usize| candidates.kinds[*i] == Kind::Contraction;
        if !plan.quantized.iter().any(contraction) {
            return Err(QuantizeError::Nothing);
        }
        let written = rewrite(&network, &facts, &candidates, &plan, options)?;
        let loaded = Model::from_onnx_with(&written.bytes, &options.limits, &options.bindings);
        let floats = match &loaded {
            Ok(model) => floats(model, &written),
            // For instance an accumulator that could overflow.
            Err(ModelError::Nodes(refusals)) => refusals
                .iter()
                .filter_map(|refusal| node_of(&network, &candidates, &plan, &refusal.node))
                .collect(),
            Err(error) => return Err(error.clone().into()),
        };
        let wrong: BTreeSet<usize> = floats.intersection(&plan.quantized).copied().collect();
        match loaded {
            Ok(loaded) if wrong.is_empty() => {
                return finish(
                    &network,
                    &facts,
                    &candidates,
                    &plan,
                    &excluded,
                    samples,
                    &model,
                    written,
                    loaded,
                );
            }
            Err(error) if wrong.is_empty() => return Err(error.into()),
            _ => excluded.extend(wrong),
        }
    }
    Err(QuantizeError::Nothing)
}

/// Refuses operator sets that cannot be raised to the one that is needed.
fn check_opset(network: &Network<'_>, facts: &Facts) -> Result<(), QuantizeError> {
    if network.opset >= OPSET {
        return Ok(());
    }
    let refuse = |operator: &str| QuantizeError::Opset {
        opset: network.opset,
        operator: operator.to_owned(),
    };
    if network.opset < 11 {
        return Err(refuse("QuantizeLinear"));
    }
    for node in &network.nodes {
        let x = node.proto.inputs.first();
        let rank = x.and_then(|x| facts.infos.get(*x)).map(|info| info.rank());
        if !same_in_13(&node.proto, rank) {
            return Err(refuse(node.proto.op_type));
        }
    }
    Ok(())
}

/// The nodes that the loaded model computes in `f32`.
fn floats(model: &Model, written: &Rewritten) -> BTreeSet<usize> {
    let graph = model.graph();
    let nodes = graph.nodes().iter().filter(|node| {
        let border = matches!(node.op, Op::Quantize { .. } | Op::Dequantize { .. });
        let operands = node.inputs.iter().flatten();
        let mut values = operands.chain(&node.outputs);
        !border && values.any(|id| graph.info(*id).ty.is_float())
    });
    nodes
        .filter_map(|node| written.names.get(&node.name).copied())
        .collect()
}

/// The quantised node that a refusal is about: its own name, or that of a pair around its result.
fn node_of(
    network: &Network<'_>,
    candidates: &Candidates,
    plan: &Plan<'_>,
    name: &str,
) -> Option<usize> {
    let mut quantized = plan.quantized.iter().copied();
    quantized.find(|i| {
        network.nodes[*i].name == name
            || name.starts_with(&format!(
                "{}_QuantizeLinear",
                candidates.output(network, *i)
            ))
    })
}

#[allow(clippy::too_many_arguments, reason = "all that one attempt has found")]
fn finish(
    network: &Network<'_>,
    facts: &Facts,
    candidates: &Candidates,
    plan: &Plan<'_>,
    excluded: &BTreeSet<usize>,
    samples: &[Vec<Tensor>],
    before: &Model,
    written: Rewritten,
    model: Model,
) -> Result<Quantized, QuantizeError> {
    let differences = compare(facts, samples, &model, &written)?;
    Ok(Quantized {
        weight_bytes: (before.weight_bytes(), model.weight_bytes()),
        profile: model.profile(),
        operators: operators(network, facts, candidates, plan, excluded),
        onnx: written.bytes,
        model,
        inputs: written.inputs,
        outputs: written.outputs,
        differences,
    })
}

/// What became of every node that depends on an input.
fn operators(
    network: &Network<'_>,
    facts: &Facts,
    candidates: &Candidates,
    plan: &Plan<'_>,
    excluded: &BTreeSet<usize>,
) -> Vec<Operator> {
    let mut folded: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, unit) in &candidates.units {
        if plan.quantized.contains(index) {
            folded.extend(unit.absorbed.iter().map(|i| (*i, *index)));
        }
    }
    let mut list = Vec::new();
    for (index, node) in network.nodes.iter().enumerate() {
        let constant = |name: &&str| facts.constants.contains_key(*name);
        if node.proto.outputs.iter().all(constant) {
            continue;
        }
        let names = node.proto.inputs.iter().chain(&node.proto.outputs);
        let in_floats = names.into_iter().any(|name| is_activation(facts, name));
        let outcome = if let Some(into) = folded.get(&index) {
            Outcome::Folded(network.nodes[*into].name.clone())
        } else if plan.quantized.contains(&index) {
            Outcome::Quantized
        } else if !in_floats {
            Outcome::Unchanged
        } else if let Some(reason) = candidates.refused.get(&index) {
            Outcome::Float(*reason)
        } else if excluded.contains(&index) {
            Outcome::Float(FloatReason::Form)
        } else {
            Outcome::Float(FloatReason::Alone)
        };
        list.push(Operator {
            node: node.name.clone(),
            operator: node.proto.op_type.to_owned(),
            outcome,
        });
    }
    list
}

/// Runs the quantised model on the calibration inputs and compares its outputs with what they were.
fn compare(
    facts: &Facts,
    samples: &[Vec<Tensor>],
    model: &Model,
    written: &Rewritten,
) -> Result<Vec<OutputDifference>, QuantizeError> {
    let run = |sample| move |source| QuantizeError::Run { sample, source };
    let prepared = prepare(Arc::new(model.clone()), Backend::default()).map_err(run(0))?;
    let mut found: BTreeMap<usize, OutputDifference> = BTreeMap::new();
    for (sample, (inputs, before)) in samples.iter().zip(&facts.outputs).enumerate() {
        let inputs: Vec<Tensor> = model
            .inputs()
            .iter()
            .zip(inputs)
            .map(|(info, tensor)| match params(&written.inputs, &info.name) {
                Some(params) => to_bytes(tensor, params),
                None => tensor.clone(),
            })
            .collect();
        let after = prepared.run(&inputs).map_err(run(sample))?;
        for (i, (info, (old, new))) in model
            .outputs()
            .iter()
            .zip(before.iter().zip(&after))
            .enumerate()
        {
            let (Some(old), Some(range)) = (floats_of(old), range(&old.data)) else {
                continue;
            };
            let new = match params(&written.outputs, &info.name) {
                Some(params) => new.data.iter().map(|b| params.dequantize(*b)).collect(),
                None => floats_of(new).unwrap_or_default(),
            };
            let largest = old.iter().zip(&new).map(|(a, b)| (a - b).abs());
            let largest = largest.fold(0.0, f32::max);
            let entry = found.entry(i).or_insert_with(|| OutputDifference {
                name: info.name.clone(),
                largest,
                range,
            });
            entry.largest = entry.largest.max(largest);
            entry.range = (entry.range.0.min(range.0), entry.range.1.max(range.1));
        }
    }
    Ok(found.into_values().collect())
}

fn params(list: &[BoundaryTensor], name: &str) -> Option<Params> {
    let found = list.iter().find(|b| b.name == name)?;
    Some(Params {
        scale: found.scale,
        zero: found.zero_point,
    })
}

fn floats_of(tensor: &Tensor) -> Option<Vec<f32>> {
    match (tensor.ty, Data::from_le_bytes(tensor.ty, &tensor.data)) {
        (ElementType::F32, Some(Data::F32(v))) => Some(v),
        _ => None,
    }
}

fn to_bytes(tensor: &Tensor, params: Params) -> Tensor {
    Tensor {
        ty: ElementType::U8,
        shape: tensor.shape.clone(),
        data: floats_of(tensor)
            .unwrap_or_default()
            .iter()
            .map(|x| params.quantize(*x))
            .collect(),
    }
}
