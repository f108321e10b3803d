//! A model's inputs and outputs, and the checks on names that need no knowledge of operators.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Bound, ModelError};
use crate::limits::ModelLimits;
use crate::model::Bindings;
use crate::onnx::decode::carrier;
use crate::onnx::schema::{Dim, GraphProto, ValueInfoProto, limit};
use crate::tensor::TensorInfo;

/// What a model takes.
pub(crate) struct Signature {
    /// Inputs that are neither initialisers nor bound to a constant, in the file's order.
    pub inputs: Vec<TensorInfo>,
}

impl Signature {
    pub fn read(
        graph: &GraphProto<'_>,
        bindings: &Bindings,
        limits: &ModelLimits,
    ) -> Result<Self, ModelError> {
        // Before IR version 4 every initialiser was listed among the inputs as well.
        let initial: BTreeSet<&str> = graph.initializers.iter().map(|t| t.name).collect();
        check_bindings(graph, &initial, bindings)?;
        let mut inputs = Vec::new();
        for info in &graph.inputs {
            if !initial.contains(info.name) && !bindings.constants.contains_key(info.name) {
                inputs.push(input(info, bindings, limits)?);
            }
        }
        Ok(Signature { inputs })
    }
}

/// What a binding names is there: one of a misspelt name would leave open what it was to decide.
fn check_bindings(
    graph: &GraphProto<'_>,
    initial: &BTreeSet<&str>,
    bindings: &Bindings,
) -> Result<(), ModelError> {
    let open: Vec<&ValueInfoProto<'_>> = graph
        .inputs
        .iter()
        .filter(|info| !initial.contains(info.name))
        .collect();
    let inputs: BTreeSet<&str> = open.iter().map(|info| info.name).collect();
    let symbol = |dim: &Dim<'_>| match dim {
        Dim::Symbol(name) => Some((*name).to_owned()),
        _ => None,
    };
    let dims = open.iter().flat_map(|info| info.shape.iter().flatten());
    let symbols: BTreeSet<String> = dims.filter_map(symbol).collect();
    let refuse = |what, name: &str, known: Vec<String>| {
        Err(ModelError::Binding {
            what,
            name: name.to_owned(),
            known,
        })
    };
    let named = || -> Vec<String> { inputs.iter().map(|name| (*name).to_owned()).collect() };
    let mut dimensions = bindings.dimensions.keys();
    if let Some(name) = dimensions.find(|name| !symbols.contains(*name)) {
        return refuse(Bound::Dimension, name, symbols.into_iter().collect());
    }
    let mut shapes = bindings.shapes.keys();
    if let Some(name) = shapes.find(|name| !inputs.contains(name.as_str())) {
        return refuse(Bound::Shape, name, named());
    }
    // A constant may take the place of an initialiser that is listed among the inputs.
    let any = |name: &str| graph.inputs.iter().any(|info| info.name == name);
    let mut constants = bindings.constants.keys();
    if let Some(name) = constants.find(|name| !any(name.as_str())) {
        return refuse(Bound::Constant, name, named());
    }
    Ok(())
}

fn input(
    info: &ValueInfoProto<'_>,
    bindings: &Bindings,
    limits: &ModelLimits,
) -> Result<TensorInfo, ModelError> {
    let refuse = |reason| ModelError::Signature {
        name: info.name.to_owned(),
        reason,
    };
    let ty = info
        .data_type
        .and_then(carrier)
        .ok_or_else(|| refuse("its element type is not supported"))?;
    let shape = match bindings.shapes.get(info.name) {
        Some(shape) => {
            let fits = info.shape.as_ref().is_none_or(|declared| {
                declared.len() == shape.len()
                    && declared.iter().zip(shape).all(|(d, s)| match d {
                        // Some exporters write −1 where they know no dimension.
                        Dim::Value(v) => *v < 0 || *v == i64::from(*s),
                        _ => true,
                    })
            });
            if !fits {
                return Err(refuse("the shape bound to it contradicts the declared one"));
            }
            shape.clone()
        }
        None => {
            let dims = info
                .shape
                .as_ref()
                .ok_or_else(|| refuse("its rank is not declared"))?;
            dims.iter()
                .map(|dim| match dim {
                    // Some exporters write −1 where they know no dimension.
                    Dim::Value(-1) => Err(refuse("a dimension is open: bind the whole shape")),
                    Dim::Value(v) => {
                        u32::try_from(*v).map_err(|_| refuse("a dimension is out of range"))
                    }
                    Dim::Symbol(name) => bindings
                        .dimensions
                        .get(*name)
                        .copied()
                        .ok_or_else(|| refuse("a dimension is symbolic: bind it to a number")),
                    Dim::Unknown => Err(refuse("a dimension is unknown: bind the whole shape")),
                })
                .collect::<Result<Vec<u32>, _>>()?
        }
    };
    limit("dimensions", shape.len(), limits.rank)?;
    shape
        .iter()
        .try_fold(1u64, |n, d| n.checked_mul(u64::from(*d)))
        .filter(|n| *n <= limits.elements)
        .ok_or_else(|| refuse("it has too many elements"))?;
    Ok(TensorInfo {
        name: info.name.to_owned(),
        ty,
        shape,
    })
}

/// Each name is defined once, before it is used. `outer` tells the names a branch may capture.
pub(crate) fn check_names(
    graph: &GraphProto<'_>,
    outer: &dyn Fn(&str) -> bool,
) -> Result<(), ModelError> {
    let mut defined: BTreeMap<&str, bool> = BTreeMap::new();
    for info in &graph.inputs {
        if defined.insert(info.name, true).is_some() {
            return Err(ModelError::Redefined(info.name.to_owned()));
        }
    }
    for tensor in &graph.initializers {
        // An initialiser may be a default for an input, once.
        if defined.insert(tensor.name, false) == Some(false) {
            return Err(ModelError::Redefined(tensor.name.to_owned()));
        }
    }
    let known = |defined: &BTreeMap<&str, bool>, name: &str| {
        name.is_empty() || defined.contains_key(name) || outer(name)
    };
    for node in &graph.nodes {
        for name in &node.inputs {
            if !known(&defined, name) {
                let node = if node.name.is_empty() {
                    node.outputs.first().copied().unwrap_or_default()
                } else {
                    node.name
                };
                return Err(ModelError::Undefined {
                    node: node.to_owned(),
                    name: (*name).to_owned(),
                });
            }
        }
        for name in node.outputs.iter().filter(|n| !n.is_empty()) {
            if defined.insert(name, false).is_some() {
                return Err(ModelError::Redefined((*name).to_owned()));
            }
        }
    }
    for info in &graph.outputs {
        if info.name.is_empty() || !known(&defined, info.name) {
            return Err(ModelError::Undefined {
                node: "(outputs)".to_owned(),
                name: info.name.to_owned(),
            });
        }
    }
    Ok(())
}
