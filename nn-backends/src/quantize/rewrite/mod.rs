//! The quantised file.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use super::calibrate::Facts;
use super::error::QuantizeError;
use super::network::Network;
use super::operators::Kind;
use super::params::{self, Params};
use super::plan::{Candidates, Plan, fixed, is_activation};
use super::report::{BoundaryTensor, QuantizeOptions};
use crate::error::ModelError;
use crate::kernels::bytes_of;
use crate::onnx::encode::{Message, node, tensor};
use crate::onnx::wire::Fields;

/// `TensorProto.DataType`s.
const FLOAT: i64 = 1;
const UINT8: i64 = 2;
const INT8: i64 = 3;
const INT32: i64 = 6;

/// The file, and what crosses its border as bytes.
pub(super) struct Rewritten {
    pub bytes: Vec<u8>,
    pub inputs: Vec<BoundaryTensor>,
    pub outputs: Vec<BoundaryTensor>,
    /// Nodes by the names that they have in the file.
    pub names: BTreeMap<String, usize>,
}

/// Names of a tensor that is kept as bytes.
struct Named {
    /// What its producer gives; none where the bytes are an input.
    raw: Option<String>,
    bytes: String,
    back: String,
    /// What nodes in `f32` read.
    float: String,
    params: Params,
}

/// A node to be written, with what keeps it alive.
struct Written {
    message: Message,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

struct Writer<'n, 'a> {
    network: &'n Network<'a>,
    facts: &'n Facts,
    candidates: &'n Candidates,
    plan: &'n Plan<'a>,
    taken: BTreeSet<String>,
    named: BTreeMap<&'a str, Named>,
    nodes: Vec<Written>,
    initializers: Vec<(String, Message)>,
    /// Quantised constants by what they were made of.
    made: BTreeMap<(String, Vec<u32>), String>,
}

pub(super) fn rewrite(
    network: &Network<'_>,
    facts: &Facts,
    candidates: &Candidates,
    plan: &Plan<'_>,
    options: &QuantizeOptions,
) -> Result<Rewritten, QuantizeError> {
    let mut writer = Writer {
        network,
        facts,
        candidates,
        plan,
        taken: names(network),
        named: BTreeMap::new(),
        nodes: Vec::new(),
        initializers: Vec::new(),
        made: BTreeMap::new(),
    };
    let (inputs, outputs) = writer.name_tensors(options);
    for name in &network.inputs {
        writer.boundary(name);
    }
    let absorbed: BTreeMap<usize, usize> = candidates
        .units
        .iter()
        .filter(|(index, _)| plan.quantized.contains(index))
        .flat_map(|(index, unit)| unit.absorbed.iter().map(move |i| (*i, *index)))
        .collect();
    let mut by_name = BTreeMap::new();
    for index in 0..network.nodes.len() {
        by_name.insert(network.nodes[index].name.clone(), index);
        if !absorbed.contains_key(&index) {
            writer.node(index)?;
        }
    }
    let bytes = writer.finish(&inputs, &outputs)?;
    Ok(Rewritten {
        bytes,
        inputs,
        outputs,
        names: by_name,
    })
}

fn in_order<'a>(
    names: &[&'a str],
    mut found: BTreeMap<&'a str, BoundaryTensor>,
) -> Vec<BoundaryTensor> {
    names.iter().filter_map(|name| found.remove(name)).collect()
}

/// Every name of the main graph and those that its branches use.
fn names(network: &Network<'_>) -> BTreeSet<String> {
    let nodes = network.nodes.iter();
    let nodes = nodes.flat_map(|n| n.proto.inputs.iter().chain(&n.proto.outputs));
    nodes
        .chain(&network.inputs)
        .chain(&network.captured)
        .chain(network.initializers.keys())
        .map(|name| (*name).to_owned())
        .collect()
}

impl<'a> Writer<'_, 'a> {
    fn fresh(&mut self, name: &str, suffix: &str) -> String {
        let mut text = format!("{name}_{suffix}");
        let mut number = 1;
        while !self.taken.insert(text.clone()) {
            number += 1;
            text = format!("{name}_{suffix}_{number}");
        }
        text
    }

    /// Scale and zero point of a tensor. What only moves elements keeps those of its operand.
    fn params(&self, name: &str, options: &QuantizeOptions) -> Params {
        let mut name = name;
        for _ in 0..self.network.nodes.len() {
            if let Some((low, high)) = options.ranges.get(name) {
                return Params::of_range(*low, *high);
            }
            let moved = self.network.producer.get(name).filter(|i| {
                self.plan.quantized.contains(i) && self.candidates.kinds[**i] == Kind::Movement
            });
            let operand = moved.and_then(|i| self.network.nodes[*i].proto.inputs.first());
            match operand.filter(|operand| self.plan.bytes.contains(**operand)) {
                Some(operand) => name = operand,
                None => break,
            }
        }
        let (low, high) = self.facts.ranges.get(name).copied().unwrap_or((0.0, 0.0));
        Params::of_range(low, high)
    }

    /// Gives every tensor that becomes bytes its names.
    fn name_tensors(
        &mut self,
        options: &QuantizeOptions,
    ) -> (Vec<BoundaryTensor>, Vec<BoundaryTensor>) {
        let (mut inputs, mut outputs) = (BTreeMap::new(), BTreeMap::new());
        let quantized = self.plan.quantized.iter();
        let by_integers: BTreeSet<&str> = quantized
            .flat_map(|i| {
                let rest = self.network.nodes[*i].proto.outputs.iter().skip(1).copied();
                rest.chain([self.candidates.output(self.network, *i)])
            })
            .collect();
        for name in self.plan.bytes.iter().copied() {
            let params = self.params(name, options);
            let open = !options.float_boundary && !self.network.captured.contains(name);
            let input = self.network.inputs.contains(&name);
            let output = self.network.outputs.contains(&name);
            let boundary = BoundaryTensor {
                name: name.to_owned(),
                scale: params.scale,
                zero_point: params.zero,
            };
            let own = name.to_owned();
            // A model that hands its input on keeps its type.
            let keeps = (input && output) || !(input && open || by_integers.contains(name));
            let named = if keeps {
                let (bytes, back) = (
                    self.fresh(name, "quantized"),
                    self.fresh(name, "dequantized"),
                );
                Named {
                    raw: Some(own.clone()),
                    bytes,
                    back,
                    float: own,
                    params,
                }
            } else if input && open {
                inputs.insert(name, boundary);
                let back = self.fresh(name, "dequantized");
                Named {
                    raw: None,
                    bytes: own,
                    float: back.clone(),
                    back,
                    params,
                }
            } else if output && open {
                outputs.insert(name, boundary);
                let (raw, back) = (self.fresh(name, "real"), self.fresh(name, "dequantized"));
                Named {
                    raw: Some(raw),
                    bytes: own,
                    float: back.clone(),
                    back,
                    params,
                }
            } else {
                let (raw, bytes) = (self.fresh(name, "real"), self.fresh(name, "quantized"));
                Named {
                    raw: Some(raw),
                    bytes,
                    back: own.clone(),
                    float: own,
                    params,
                }
            };
            self.named.insert(name, named);
        }
        (
            in_order(&self.network.inputs, inputs),
            in_order(&self.network.outputs, outputs),
        )
    }

    fn push(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        output: &str,
        axis: Option<usize>,
    ) {
        self.nodes.push(Written {
            message: node(operator, name, inputs, &[output], axis),
            inputs: inputs.iter().map(|i| (*i).to_owned()).collect(),
            outputs: vec![output.to_owned()],
        });
    }

    fn initializer(&mut self, name: String, data_type: i64, dims: &[usize], raw: &[u8]) {
        let message = tensor(&name, data_type, dims, raw);
        self.initializers.push((name, message));
    }

    /// Writes the pair around a tensor's bytes.
    fn boundary(&mut self, name: &'a str) {
        let Some(named) = self.named.get(name) else {
            return;
        };
        let (raw, bytes, back, params) = (
            named.raw.clone(),
            named.bytes.clone(),
            named.back.clone(),
            named.params,
        );
        let scale = self.fresh(name, "scale");
        let zero = self.fresh(name, "zero_point");
        self.initializer(scale.clone(), FLOAT, &[], &params.scale.to_le_bytes());
        self.initializer(zero.clone(), UINT8, &[], &[params.zero]);
        if let Some(raw) = raw {
            let title = self.fresh(name, "QuantizeLinear");
            self.push(
                "QuantizeLinear",
                &title,
                &[&raw, &scale, &zero],
                &bytes,
                None,
            );
        }
        let title = self.fresh(name, "DequantizeLinear");
        self.push(
            "DequantizeLinear",
            &title,
            &[&bytes, &scale, &zero],
            &back,
            None,
        );
    }

    /// Writes elements of a byte type, with the dimensions and bytes of their scales and zero points,
    /// and a dequantisation; gives that one's result.
    fn dequantized(
        &mut self,
        name: &str,
        (ty, shape, values): (i64, &[usize], &[u8]),
        (dims, scales, zeros): (&[usize], &[u8], &[u8]),
        axis: Option<usize>,
    ) -> String {
        let bytes = self.fresh(name, "quantized");
        let scale = self.fresh(name, "scale");
        let zero = self.fresh(name, "zero_point");
        let back = self.fresh(name, "dequantized");
        self.initializer(bytes.clone(), ty, shape, values);
        self.initializer(scale.clone(), FLOAT, dims, scales);
        self.initializer(zero.clone(), ty, dims, zeros);
        let title = self.fresh(name, "DequantizeLinear");
        self.push(
            "DequantizeLinear",
            &title,
            &[&bytes, &scale, &zero],
            &back,
            axis,
        );
        back
    }

    /// A constant as bytes with a dequantisation; gives that one's result.
    fn constant(&mut self, name: &str) -> Result<Option<String>, QuantizeError> {
        let Some(array) = fixed(self.network, self.facts, name) else {
            return Ok(None);
        };
        let (Some(elements), shape) = (array.as_f32(), array.shape.clone()) else {
            return Ok(None);
        };
        if elements.len() == 1 {
            return Ok(None);
        }
        let key = (name.to_owned(), Vec::new());
        if let Some(made) = self.made.get(&key) {
            return Ok(Some(made.clone()));
        }
        let (low, high) = super::calibrate::range(bytes_of(elements))
            .ok_or_else(|| QuantizeError::Weight(name.to_owned()))?;
        let params = Params::of_range(low, high);
        let raw: Vec<u8> = elements.iter().map(|x| params.quantize(*x)).collect();
        let scale = params.scale.to_le_bytes();
        let elements = (UINT8, shape.as_slice(), raw.as_slice());
        let back = self.dequantized(name, elements, (&[], &scale, &[params.zero]), None);
        self.made.insert(key, back.clone());
        Ok(Some(back))
    }

    /// Weights and bias of a unit as integers with dequantisations; gives these ones' results.
    fn weights(
        &mut self,
        index: usize,
        x_scale: f32,
    ) -> Result<Option<(String, Option<String>)>, QuantizeError> {
        let Some(unit) = self.candidates.units.get(&index) else {
            return Ok(None);
        };
        let name = self.network.nodes[index].proto.inputs[1];
        let finite = |v: &[f32]| v.iter().all(|x| x.is_finite());
        if !finite(&unit.weights) || !unit.bias.as_deref().is_none_or(finite) {
            return Err(QuantizeError::Weight(name.to_owned()));
        }
        let w = params::weight(
            &unit.weights,
            unit.channels(),
            unit.bias.as_deref(),
            x_scale,
        );
        // A weight that several nodes use is written once, if nothing was folded into it.
        let mut parts: Vec<u32> = w.scales.iter().map(|s| s.to_bits()).collect();
        parts.push(unit.axis.map_or(u32::MAX, |axis| axis as u32));
        if !unit.absorbed.is_empty() {
            parts.push(index as u32);
        }
        let key = (name.to_owned(), parts);
        let weight = match self.made.get(&key) {
            Some(made) => made.clone(),
            None => {
                let dims: Vec<usize> = unit.axis.iter().map(|_| w.scales.len()).collect();
                let values: Vec<u8> = w.values.iter().map(|v| *v as u8).collect();
                let (scales, zeros) = (floats(&w.scales), vec![0; w.scales.len()]);
                let elements = (INT8, unit.shape.as_slice(), values.as_slice());
                let back = self.dequantized(name, elements, (&dims, &scales, &zeros), unit.axis);
                self.made.insert(key, back.clone());
                back
            }
        };
        let Some(bias) = unit.bias.as_deref() else {
            return Ok(Some((weight, None)));
        };
        let (steps, scales) = params::bias(bias, x_scale, &w.scales);
        let node = &self.network.nodes[index];
        let own = node.proto.inputs.get(2).copied().unwrap_or_default();
        let name = if own.is_empty() {
            node.name.clone()
        } else {
            own.to_owned()
        };
        let bytes = self.fresh(&name, "bias_quantized");
        let scale = self.fresh(&name, "bias_scale");
        let back = self.fresh(&name, "bias_dequantized");
        let raw: Vec<u8> = steps.iter().flat_map(|s| s.to_le_bytes()).collect();
        self.initializer(bytes.clone(), INT32, &[steps.len()], &raw);
        self.initializer(scale.clone(), FLOAT, &[scales.len()], &floats(&scales));
        let title = self.fresh(&name, "bias_DequantizeLinear");
        self.push(
            "DequantizeLinear",
            &title,
            &[&bytes, &scale],
            &back,
            Some(0),
        );
        Ok(Some((weight, Some(back))))
    }

    /// Writes a node with what its operands need, and the pairs around its results.
    fn node(&mut self, index: usize) -> Result<(), QuantizeError> {
        let network = self.network;
        let own = &network.nodes[index];
        let quantized = self.plan.quantized.contains(&index);
        let mut inputs: Vec<String> = own.proto.inputs.iter().map(|i| (*i).to_owned()).collect();
        for (name, input) in own.proto.inputs.iter().zip(&mut inputs) {
            if let Some(named) = self.named.get(name) {
                let read = if quantized { &named.back } else { &named.float };
                input.clone_from(read);
            }
        }
        if quantized {
            let x = own.proto.inputs.first().copied().unwrap_or_default();
            let x_scale = self.named.get(x).map_or(1.0, |named| named.params.scale);
            if let Some((weight, bias)) = self.weights(index, x_scale)? {
                inputs[1] = weight;
                if let Some(bias) = bias {
                    inputs.truncate(2);
                    inputs.push(bias);
                }
            } else if !self.is_bias_sum(index) {
                for (i, name) in own.proto.inputs.iter().enumerate() {
                    if let Some(constant) = self.constant_operand(index, name)? {
                        inputs[i] = constant;
                    }
                }
            }
        }
        let mut results: Vec<&'a str> = own.proto.outputs.clone();
        if quantized && let Some(first) = results.first_mut() {
            *first = self.candidates.output(network, index);
        }
        let outputs: Vec<String> = results
            .iter()
            .map(|name| match self.named.get(name) {
                Some(Named { raw: Some(raw), .. }) => raw.clone(),
                _ => (*name).to_owned(),
            })
            .collect();
        let mut message = Message::default();
        for input in &inputs {
            message.string(1, input);
        }
        for output in &outputs {
            message.string(2, output);
        }
        message.string(3, &own.name);
        for field in Fields::new(own.bytes) {
            let field = field.map_err(ModelError::Wire)?;
            if field.number > 3 {
                message.copy(&field);
            }
        }
        self.nodes.push(Written {
            message,
            inputs,
            outputs,
        });
        for name in results {
            self.boundary(name);
        }
        Ok(())
    }

    /// Whether the node adds the bias of a product that is quantised together with it.
    fn is_bias_sum(&self, index: usize) -> bool {
        let node = &self.network.nodes[index].proto;
        node.op_type == "Add"
            && node.inputs.iter().any(|name| {
                !self.plan.bytes.contains(name)
                    && self.network.producer.get(name).is_some_and(|i| {
                        self.plan.quantized.contains(i)
                            && self.network.nodes[*i].proto.op_type == "MatMul"
                    })
            })
    }

    /// A constant operand of elements that must become bytes.
    fn constant_operand(
        &mut self,
        index: usize,
        name: &str,
    ) -> Result<Option<String>, QuantizeError> {
        let joins = matches!(
            (
                self.candidates.kinds[index],
                self.network.nodes[index].proto.op_type
            ),
            (Kind::Pair | Kind::FunctionOfTwo, _) | (_, "Concat")
        );
        if !joins || is_activation(self.facts, name) {
            return Ok(None);
        }
        self.constant(name)
    }
}

fn floats(list: &[f32]) -> Vec<u8> {
    list.iter().flat_map(|x| x.to_le_bytes()).collect()
}
