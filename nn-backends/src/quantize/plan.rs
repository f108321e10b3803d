//! Which operators to quantise, and which tensors lie between them as bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::calibrate::Facts;
use super::network::Network;
use super::operators::{Kind, kind};
use super::report::FloatReason;
use crate::array::Array;
use crate::onnx::schema::{Attribute, NodeProto};
use crate::tensor::ElementType;

/// A convolution or product with constant weights, and what was folded into them.
pub(super) struct Unit {
    pub weights: Vec<f32>,
    pub shape: Vec<usize>,
    /// The axis of the output channels; none where one scale has to do.
    pub axis: Option<usize>,
    /// One number for each output channel.
    pub bias: Option<Vec<f32>>,
    /// The nodes that went into weights and bias, in order.
    pub absorbed: Vec<usize>,
}

impl Unit {
    /// Channels, and elements between neighbours of one channel.
    pub fn channels(&self) -> (usize, usize) {
        match self.axis {
            None => (1, 1),
            Some(axis) => {
                let inner = self.shape.iter().skip(axis + 1).product();
                (self.shape.get(axis).copied().unwrap_or(1), inner)
            }
        }
    }
}

/// What is known of the nodes before anything is decided.
pub(super) struct Candidates {
    pub kinds: Vec<Kind>,
    /// Why a node cannot be quantised, where it cannot.
    pub refused: BTreeMap<usize, FloatReason>,
    /// Contractions with constant weights.
    pub units: BTreeMap<usize, Unit>,
}

/// What is decided in one attempt.
pub(super) struct Plan<'a> {
    /// Nodes to compute on integers, without absorbed ones.
    pub quantized: BTreeSet<usize>,
    /// Tensors that become bytes.
    pub bytes: BTreeSet<&'a str>,
}

fn is_float(facts: &Facts, name: &str) -> bool {
    facts
        .infos
        .get(name)
        .is_some_and(|info| info.ty == ElementType::F32)
}

/// Whether a tensor changes from run to run and is `f32`.
pub(super) fn is_activation(facts: &Facts, name: &str) -> bool {
    !name.is_empty() && is_float(facts, name) && !facts.constants.contains_key(name)
}

/// The value of a tensor that the file itself has, whatever its inputs are.
pub(super) fn fixed<'f>(network: &Network<'_>, facts: &'f Facts, name: &str) -> Option<&'f Array> {
    if network.dynamic.contains(name) {
        return None;
    }
    facts.constants.get(name).map(|array| &**array)
}

fn float_attribute(node: &NodeProto<'_>, name: &str, default: f32) -> f32 {
    match node.attributes.get(name) {
        Some(Attribute::Float(x)) => *x,
        _ => default,
    }
}

fn flag(node: &NodeProto<'_>, name: &str) -> bool {
    matches!(node.attributes.get(name), Some(Attribute::Int(x)) if *x != 0)
}

impl Candidates {
    pub fn find(network: &Network<'_>, facts: &Facts) -> Self {
        let mut found = Candidates {
            kinds: network.nodes.iter().map(|node| kind(&node.proto)).collect(),
            refused: BTreeMap::new(),
            units: BTreeMap::new(),
        };
        for index in 0..network.nodes.len() {
            if let Some(unit) = unit(network, facts, index) {
                found.units.insert(index, unit);
            }
            if let Some(reason) = found.reason(network, facts, index) {
                found.refused.insert(index, reason);
            }
        }
        found
    }

    fn reason(&self, network: &Network<'_>, facts: &Facts, index: usize) -> Option<FloatReason> {
        let node = &network.nodes.get(index)?.proto;
        let activations = node.inputs.iter().filter(|name| is_activation(facts, name));
        let activations = activations.count();
        let others = node.inputs.iter().filter(|name| is_float(facts, name));
        // A constant that is one only because shapes were bound must not get into the file.
        let frozen = others.into_iter().any(|name| {
            facts
                .constants
                .get(*name)
                .is_some_and(|array| array.len() != 1 && network.dynamic.contains(name))
        });
        match self.kinds.get(index)? {
            Kind::None => Some(FloatReason::Operator),
            _ if activations == 0 => Some(FloatReason::Operator),
            Kind::Contraction if node.op_type == "MatMul" && activations == 2 => None,
            Kind::Contraction if !self.units.contains_key(&index) => Some(FloatReason::Operand),
            Kind::Contraction => None,
            _ if frozen => Some(FloatReason::Operand),
            Kind::FunctionOfTwo if activations > 1 && !same_source(node) => {
                Some(FloatReason::TwoActivations)
            }
            _ => None,
        }
    }

    /// Decides, with these nodes left out.
    pub fn plan<'a>(
        &self,
        network: &Network<'a>,
        facts: &Facts,
        excluded: &BTreeSet<usize>,
    ) -> Plan<'a> {
        let mut quantized: BTreeSet<usize> = (0..network.nodes.len())
            .filter(|i| !self.refused.contains_key(i) && !excluded.contains(i))
            .filter(|i| {
                let results = &network.nodes[*i].proto.outputs;
                results.iter().any(|name| is_activation(facts, name))
            })
            .collect();
        let absorbed: BTreeSet<usize> = self
            .units
            .iter()
            .filter(|(index, _)| quantized.contains(index))
            .flat_map(|(_, unit)| unit.absorbed.iter().copied())
            .collect();
        quantized.retain(|i| !absorbed.contains(i));
        self.drop_edges(network, facts, &mut quantized);
        self.drop_islands(network, facts, &mut quantized);
        let bytes = self.bytes(network, facts, &quantized);
        Plan { quantized, bytes }
    }

    /// The tensor that a node gives, once it has absorbed others.
    pub fn output<'a>(&self, network: &Network<'a>, index: usize) -> &'a str {
        let last = self.units.get(&index).and_then(|unit| unit.absorbed.last());
        let node = network.nodes.get(*last.unwrap_or(&index));
        node.and_then(|node| node.proto.outputs.first().copied())
            .unwrap_or_default()
    }

    /// The activations that a node takes and gives.
    fn touched<'a>(&self, network: &Network<'a>, facts: &Facts, index: usize) -> Vec<&'a str> {
        let node = &network.nodes[index].proto;
        let mut names: Vec<&str> = node.inputs.clone();
        names.push(self.output(network, index));
        names.extend(node.outputs.iter().skip(1));
        names.retain(|name| is_activation(facts, name));
        names
    }

    /// Takes out what would turn to bytes only what comes from `f32`, or only what goes there: a normalisation behind
    /// a convolution, for instance, keeps its full precision. Contractions stay.
    fn drop_edges(&self, network: &Network<'_>, facts: &Facts, quantized: &mut BTreeSet<usize>) {
        loop {
            let given: BTreeSet<&str> = quantized
                .iter()
                .flat_map(|i| {
                    let rest = network.nodes[*i].proto.outputs.iter().skip(1).copied();
                    rest.chain([self.output(network, *i)])
                })
                .chain(network.inputs.iter().copied())
                .collect();
            let attached = self.attached(network, facts, quantized);
            let kept: BTreeSet<usize> = quantized
                .iter()
                .filter(|i| {
                    let node = &network.nodes[**i].proto;
                    let mut operands = node.inputs.iter().filter(|x| is_activation(facts, x));
                    let mut results = node.outputs.iter();
                    let taken = |name: &&str| {
                        network.outputs.contains(name)
                            || network
                                .consumers(name)
                                .iter()
                                .any(|i| quantized.contains(i))
                    };
                    self.kinds[**i] == Kind::Contraction
                        || attached.contains(i)
                        || operands.any(|x| given.contains(x)) && results.any(taken)
                })
                .copied()
                .collect();
            if kept.len() == quantized.len() {
                return;
            }
            *quantized = kept;
        }
    }

    /// The sums and bounds that become part of the contraction before them: a product's bias, a rectification.
    fn attached(
        &self,
        network: &Network<'_>,
        facts: &Facts,
        quantized: &BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let mut attached = BTreeSet::new();
        for i in quantized
            .iter()
            .filter(|i| self.kinds[**i] == Kind::Contraction)
        {
            let mut name = self.output(network, *i);
            let next = |name: &str| {
                network
                    .only_consumer(name)
                    .filter(|n| quantized.contains(n))
            };
            let is_bias = |next: usize| {
                let node = &network.nodes[next].proto;
                node.op_type == "Add"
                    && network.nodes[*i].proto.op_type == "MatMul"
                    && self.units.contains_key(i)
                    && node.inputs.iter().any(|c| is_row(network, facts, c, name))
            };
            if let Some(sum) = next(name).filter(|next| is_bias(*next)) {
                attached.insert(sum);
                name = self.output(network, sum);
            }
            let bound = next(name)
                .filter(|next| matches!(network.nodes[*next].proto.op_type, "Relu" | "Clip"));
            attached.extend(bound);
        }
        attached
    }

    /// Takes out what hangs together without a contraction.
    fn drop_islands(&self, network: &Network<'_>, facts: &Facts, quantized: &mut BTreeSet<usize>) {
        let mut island: BTreeMap<usize, usize> = quantized.iter().map(|i| (*i, *i)).collect();
        fn root(island: &mut BTreeMap<usize, usize>, mut i: usize) -> usize {
            while let Some(up) = island.get(&i).copied().filter(|up| *up != i) {
                let next = island.get(&up).copied().unwrap_or(up);
                island.insert(i, next);
                i = up;
            }
            i
        }
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for i in quantized.iter() {
            for name in self.touched(network, facts, *i) {
                let other = *first.entry(name).or_insert(*i);
                let (a, b) = (root(&mut island, *i), root(&mut island, other));
                island.insert(a, b);
            }
        }
        let with: BTreeSet<usize> = quantized
            .iter()
            .filter(|i| self.kinds[**i] == Kind::Contraction)
            .copied()
            .collect::<Vec<_>>()
            .into_iter()
            .map(|i| root(&mut island, i))
            .collect();
        quantized.retain(|i| with.contains(&root(&mut island, *i)));
    }

    /// The tensors between quantised nodes, less those inside what the importer recognises as a whole.
    fn bytes<'a>(
        &self,
        network: &Network<'a>,
        facts: &Facts,
        quantized: &BTreeSet<usize>,
    ) -> BTreeSet<&'a str> {
        let mut bytes = BTreeSet::new();
        for i in quantized {
            bytes.extend(self.touched(network, facts, *i));
        }
        // A contraction with its rectification, a product with its bias.
        let attached = self.attached(network, facts, quantized);
        let inner: BTreeSet<&str> = attached
            .iter()
            .flat_map(|i| self.touched(network, facts, *i))
            .filter(|name| {
                let next = network.only_consumer(name);
                next.is_some_and(|next| attached.contains(&next))
            })
            .collect();
        bytes.retain(|name| !inner.contains(name));
        self.drop_chains(network, facts, quantized, &inner, &mut bytes);
        bytes
    }

    /// Takes out what lies inside chains of functions of one tensor.
    fn drop_chains<'a>(
        &self,
        network: &Network<'a>,
        facts: &Facts,
        quantized: &BTreeSet<usize>,
        inner: &BTreeSet<&str>,
        bytes: &mut BTreeSet<&'a str>,
    ) {
        let all = bytes.clone();
        // Every tensor might lie inside a chain; those that do not are found one round after the other.
        let mut whole: BTreeSet<&str> = BTreeSet::new();
        for round in 0.. {
            let mut source: BTreeMap<&str, &str> = BTreeMap::new();
            let ends = whole.clone();
            let source_of = |source: &BTreeMap<&str, &'a str>, name: &'a str| {
                let known = source.get(name).copied().unwrap_or(name);
                if ends.contains(name) { name } else { known }
            };
            for i in quantized {
                let node = &network.nodes[*i].proto;
                let out = self.output(network, *i);
                let functions = [Kind::Function, Kind::Pair, Kind::FunctionOfTwo];
                let mut sources = BTreeSet::new();
                let mut plain = functions.contains(&self.kinds[*i]);
                for name in node.inputs.iter().filter(|name| is_float(facts, name)) {
                    match facts.constants.get(*name) {
                        Some(array) => plain &= array.len() == 1,
                        None => {
                            plain &= !inner.contains(name);
                            sources.insert(source_of(&source, name));
                        }
                    }
                }
                let one = sources.first().copied().filter(|s| {
                    let shape = |name: &str| facts.infos.get(name).map(|info| &info.shape);
                    plain && sources.len() == 1 && shape(s) == shape(out)
                });
                source.insert(out, one.unwrap_or(out));
            }
            let before = whole.len();
            for name in &all {
                let own = source_of(&source, name);
                let inside = own != *name
                    && round < 64
                    && !network.seen_outside(name)
                    && !network.consumers(name).is_empty()
                    && network.consumers(name).iter().all(|next| {
                        quantized.contains(next)
                            && source.get(self.output(network, *next)) == Some(&own)
                    });
                if !inside {
                    whole.insert(name);
                }
            }
            if whole.len() == before {
                break;
            }
        }
        *bytes = whole;
    }
}

/// Whether both operands are one tensor.
fn same_source(node: &NodeProto<'_>) -> bool {
    matches!(node.inputs[..], [a, b] if a == b)
}

/// Whether `name` is a constant row that fits the last axis of `product`.
fn is_row(network: &Network<'_>, facts: &Facts, name: &str, product: &str) -> bool {
    let (Some(row), Some(info)) = (fixed(network, facts, name), facts.infos.get(product)) else {
        return false;
    };
    row.shape.last() == info.shape.last()
        && row.shape.iter().product::<usize>() == row.len()
        && row.shape.iter().rev().skip(1).all(|d| *d == 1)
}

/// The unit that a node makes with constant weights.
fn unit(network: &Network<'_>, facts: &Facts, index: usize) -> Option<Unit> {
    let node = &network.nodes.get(index)?.proto;
    let (x, w) = (node.inputs.first()?, node.inputs.get(1)?);
    if !is_activation(facts, x) || !node.domain.is_empty() {
        return None;
    }
    let weights = fixed(network, facts, w)?;
    let shape = weights.shape.clone();
    let axis = match node.op_type {
        "Conv" => Some(0),
        "Gemm" => {
            let plain = float_attribute(node, "alpha", 1.0) == 1.0
                && float_attribute(node, "beta", 1.0) == 1.0
                && !flag(node, "transA");
            if !plain || shape.len() != 2 {
                return None;
            }
            Some(usize::from(!flag(node, "transB")))
        }
        "MatMul" if shape.len() == 2 => Some(1),
        "MatMul" if shape.len() > 2 => None,
        _ => return None,
    };
    let mut unit = Unit {
        weights: weights.as_f32()?.to_vec(),
        axis,
        shape,
        bias: None,
        absorbed: Vec::new(),
    };
    let channels = unit.channels().0;
    if let Some(name) = node.inputs.get(2).filter(|name| !name.is_empty()) {
        let bias = fixed(network, facts, name)?;
        let row = [vec![channels], vec![1, channels]].contains(&bias.shape);
        // Another form of bias stays what it is.
        if row {
            unit.bias = Some(bias.as_f32()?.to_vec());
        } else if node.op_type == "Conv" {
            return None;
        }
    }
    if node.op_type == "Conv" {
        let mut name = *node.outputs.first()?;
        while let Some(next) = network.only_consumer(name) {
            if !absorb(network, facts, &mut unit, next, name) {
                break;
            }
            unit.absorbed.push(next);
            name = network.nodes[next].proto.outputs.first()?;
        }
    }
    Some(unit)
}

/// Folds a batch normalisation, or a sum with one number for each channel, into a convolution's weights.
fn absorb(network: &Network<'_>, facts: &Facts, unit: &mut Unit, index: usize, name: &str) -> bool {
    let node = &network.nodes[index].proto;
    let (channels, inner) = unit.channels();
    let value = |i: usize| {
        let name = node.inputs.get(i)?;
        fixed(network, facts, name)?.as_f32()
    };
    match (node.domain, node.op_type) {
        ("", "BatchNormalization") => {
            let results = node.outputs.iter().filter(|name| !name.is_empty()).count();
            if node.inputs.first() != Some(&name) || results != 1 || flag(node, "training_mode") {
                return false;
            }
            let (Some(gamma), Some(beta), Some(mean), Some(variance)) =
                (value(1), value(2), value(3), value(4))
            else {
                return false;
            };
            if [gamma, beta, mean, variance]
                .iter()
                .any(|v| v.len() != channels)
            {
                return false;
            }
            let epsilon = f64::from(float_attribute(node, "epsilon", 1e-5));
            let factor: Vec<f64> = gamma
                .iter()
                .zip(variance)
                .map(|(g, v)| f64::from(*g) / (f64::from(*v) + epsilon).sqrt())
                .collect();
            for (i, w) in unit.weights.iter_mut().enumerate() {
                *w = (f64::from(*w) * factor[i / inner % channels]) as f32;
            }
            let bias = unit.bias.get_or_insert_with(|| vec![0.0; channels]);
            for (i, b) in bias.iter_mut().enumerate() {
                let moved = (f64::from(*b) - f64::from(mean[i])) * factor[i];
                *b = (moved + f64::from(beta[i])) as f32;
            }
            true
        }
        ("", "Add") => {
            let Some(other) = (0..2).find(|i| node.inputs.get(*i) != Some(&name)) else {
                return false;
            };
            let rank = facts.infos.get(name).map_or(0, |info| info.rank());
            let shape = node
                .inputs
                .get(other)
                .and_then(|name| fixed(network, facts, name))
                .map(|array| array.shape.clone())
                .unwrap_or_default();
            // `[channels, 1, 1]`, with or without ones in front.
            let fits = shape.len() <= rank
                && (0..shape.len()).all(|i| {
                    let axis = rank - shape.len() + i;
                    shape[i] == if axis == 1 { channels } else { 1 }
                })
                && shape.len() + 1 >= rank;
            let Some(sum) = value(other).filter(|sum| fits && sum.len() == channels) else {
                return false;
            };
            let bias = unit.bias.get_or_insert_with(|| vec![0.0; channels]);
            for (b, x) in bias.iter_mut().zip(sum) {
                *b += x;
            }
            true
        }
        _ => false,
    }
}
