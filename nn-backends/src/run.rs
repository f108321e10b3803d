//! Running a model: inputs are checked, nodes run in order, tensors are dropped after their last use.

use std::sync::Arc;

use crate::array::Array;
use crate::cost::last_uses;
use crate::error::RunError;
use crate::graph::{Graph, Info, Node};
use crate::kernels::strict::{canonical, with_default_environment};
use crate::model::Model;
use crate::reference;
use crate::tensor::Tensor;
use crate::{Data, ElementType};

/// Computes the operations of one model.
pub trait Executor {
    /// Runs node `index`; `inputs` fit its operation, `results` are the types and shapes to give.
    ///
    /// # Errors
    /// When an index is out of range or an integer is divided by zero.
    fn node(
        &self,
        index: usize,
        node: &Node,
        inputs: &[Option<&Array>],
        results: &[Info],
    ) -> Result<Vec<Array>, RunError>;
}

/// The scalar reference: slow, and by definition right.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Executor for Reference {
    fn node(
        &self,
        _index: usize,
        node: &Node,
        inputs: &[Option<&Array>],
        results: &[Info],
    ) -> Result<Vec<Array>, RunError> {
        reference::run(&node.op, reference::Operands(inputs), results)
    }
}

/// Observes the results of operations.
pub trait Observer {
    /// Called after node `index` with its results.
    fn results(&mut self, index: usize, node: &Node, results: &[Arc<Array>]);
}

impl Observer for () {
    fn results(&mut self, _: usize, _: &Node, _: &[Arc<Array>]) {}
}

/// Runs `model` on `inputs`, in the model's order, and gives its outputs in order.
///
/// # Errors
/// When the inputs do not have the model's types and shapes, an index is out of range, or an integer is
/// divided by zero.
pub fn run(
    model: &Model,
    executor: &dyn Executor,
    inputs: &[Tensor],
    observer: &mut dyn Observer,
) -> Result<Vec<Tensor>, RunError> {
    let inputs = check(model, inputs)?;
    let outputs = run_graph(model.graph(), executor, inputs, observer)?;
    Ok(outputs
        .iter()
        .map(|array| canonical_output(array))
        .collect())
}

/// The inputs as arrays, if their number, types and shapes are the model's.
pub(crate) fn check(model: &Model, inputs: &[Tensor]) -> Result<Vec<Arc<Array>>, RunError> {
    if inputs.len() != model.inputs().len() {
        return Err(RunError::InputCount {
            expected: model.inputs().len(),
            found: inputs.len(),
        });
    }
    let mut arrays = Vec::with_capacity(inputs.len());
    for (index, (tensor, info)) in inputs.iter().zip(model.inputs()).enumerate() {
        tensor
            .check()
            .map_err(|source| RunError::Tensor { index, source })?;
        if tensor.ty != info.ty || tensor.shape != info.shape {
            return Err(RunError::Input { index });
        }
        let array = Array::from_tensor(tensor).ok_or(RunError::Input { index })?;
        arrays.push(Arc::new(array));
    }
    Ok(arrays)
}

const LOST: RunError = RunError::Internal("a value is used before it is computed");

/// Runs `graph` on inputs that fit it.
pub(crate) fn run_graph(
    graph: &Graph,
    executor: &dyn Executor,
    inputs: Vec<Arc<Array>>,
    observer: &mut dyn Observer,
) -> Result<Vec<Arc<Array>>, RunError> {
    with_default_environment(|| run_nodes(graph, executor, inputs, observer))
}

fn run_nodes(
    graph: &Graph,
    executor: &dyn Executor,
    inputs: Vec<Arc<Array>>,
    observer: &mut dyn Observer,
) -> Result<Vec<Arc<Array>>, RunError> {
    let last = last_uses(graph);
    let mut values: Vec<Option<Arc<Array>>> = vec![None; graph.value_count()];
    for (id, array) in graph.inputs().iter().zip(inputs) {
        values[id.index()] = Some(array);
    }
    for (id, array) in graph.constants() {
        values[id.index()] = Some(array.clone());
    }
    for (index, node) in graph.nodes().iter().enumerate() {
        let mut operands = Vec::with_capacity(node.inputs.len());
        for id in &node.inputs {
            operands.push(match id {
                None => None,
                Some(id) => Some(values[id.index()].as_deref().ok_or(LOST)?),
            });
        }
        let infos: Vec<Info> = node
            .outputs
            .iter()
            .map(|id| graph.info(*id).clone())
            .collect();
        let results = executor.node(index, node, &operands, &infos)?;
        if results.len() != infos.len() {
            return Err(RunError::Internal("an operation gave too few results"));
        }
        let results: Vec<Arc<Array>> = results.into_iter().map(Arc::new).collect();
        observer.results(index, node, &results);
        for (id, array) in node.outputs.iter().zip(results) {
            values[id.index()] = Some(array);
        }
        for id in node.inputs.iter().flatten().chain(&node.outputs) {
            if last[id.index()] == index {
                values[id.index()] = None;
            }
        }
    }
    graph
        .outputs()
        .iter()
        .map(|id| values[id.index()].clone().ok_or(LOST))
        .collect()
}

/// NaN and −0 have one form each on output, even where the model only moves its input.
pub(crate) fn canonical_output(array: &Array) -> Tensor {
    if array.ty() != ElementType::F32 {
        return array.to_tensor();
    }
    let data = array.as_f32().unwrap_or_default();
    Array {
        shape: array.shape.clone(),
        data: Data::F32(data.iter().map(|x| canonical(*x)).collect()),
    }
    .to_tensor()
}
