//! Control flow that is decided when the model is loaded: branches with a known condition, loops with a known
//! number of passes.

use crate::array::Data;
use crate::error::{ModelError, NodeError};
use crate::graph::ValueId;
use crate::import::context::{bad, normalise};
use crate::import::graph::{Failure, Importer, Scope};
use crate::import::narrow::Named;
use crate::import::ops::part;
use crate::import::signature::check_names;
use crate::onnx::schema::{Attribute, GraphProto, NodeProto};
use crate::op::Op;

type Values = Result<Vec<Named>, Failure>;

fn plain(id: ValueId) -> Named {
    Named { id, narrow: None }
}

impl<'a> Importer<'_, 'a> {
    fn boolean(&self, id: ValueId) -> Option<bool> {
        match self.builder.constant(id).map(|a| &a.data) {
            Some(Data::Bool(v)) if v.len() == 1 => Some(v[0]),
            _ => None,
        }
    }

    /// A node's graph, with its names checked.
    fn body(&mut self, node: &NodeProto<'a>, name: &str) -> Result<GraphProto<'a>, Failure> {
        let Some(Attribute::Graph(bytes)) = node.attributes.get(name) else {
            return Err(bad(name).into());
        };
        if self.scopes.len() > self.builder.limits.depth {
            return Err(NodeError::Limit("depth of nested graphs").into());
        }
        let graph = self.inner(bytes)?;
        check_names(&graph, &|name| self.find(name).is_some())?;
        Ok(graph)
    }

    /// Lowers a graph's nodes with its inputs bound; empty if something in it was refused.
    fn inline(&mut self, graph: &GraphProto<'a>, inputs: &[Named]) -> Values {
        if graph.inputs.len() != inputs.len() {
            return Err(NodeError::Shape("the graph takes another number of inputs").into());
        }
        let mut scope = Scope::new();
        for (info, named) in graph.inputs.iter().zip(inputs) {
            scope.insert(info.name, Some(*named));
        }
        self.scopes.push(scope);
        let outcome = (|| {
            self.initializers(&graph.initializers)?;
            self.nodes(&graph.nodes)?;
            Ok::<Option<Vec<Named>>, ModelError>(
                graph.outputs.iter().map(|o| self.lookup(o.name)).collect(),
            )
        })();
        self.scopes.pop();
        // A refusal inside the graph has been listed already.
        Ok(outcome?.unwrap_or_default())
    }

    /// `If` with a condition known at load: the branch's nodes take its place.
    pub(super) fn branch(&mut self, node: &NodeProto<'a>, inputs: &[Option<Named>]) -> Values {
        let condition = inputs.first().copied().flatten();
        let condition = condition.ok_or(NodeError::MissingInput(0))?;
        let taken = self
            .boolean(condition.id)
            .ok_or(NodeError::NotConstant(0))?;
        let name = if taken { "then_branch" } else { "else_branch" };
        let graph = self.body(node, name)?;
        self.inline(&graph, &[])
    }

    /// `Loop` with a known number of passes and conditions that are known to hold: its body, again and again.
    pub(super) fn repeat(&mut self, node: &NodeProto<'a>, inputs: &[Option<Named>]) -> Values {
        let passes = match inputs.first().copied().flatten() {
            Some(count) => match self.builder.constant(count.id).and_then(|a| a.to_i64()) {
                Some(v) if v.len() == 1 => v[0],
                _ => return Err(NodeError::NotConstant(0).into()),
            },
            None => i64::MAX,
        };
        let graph = self.body(node, "body")?;
        let known = |this: &Self, named: Named| {
            this.boolean(named.id)
                .ok_or(Failure::from(NodeError::NotConstant(1)))
        };
        let mut goes_on = match inputs.get(1).copied().flatten() {
            Some(condition) => known(self, condition)?,
            None => true,
        };
        let mut carried = Vec::new();
        for (i, input) in inputs.iter().enumerate().skip(2) {
            carried.push(input.ok_or(NodeError::MissingInput(i))?);
        }
        let count = carried.len();
        let scanned = graph
            .outputs
            .len()
            .checked_sub(1 + count)
            .ok_or(NodeError::Shape("the body gives too little"))?;
        let mut collected: Vec<Vec<Named>> = vec![Vec::new(); scanned];
        let mut pass = 0i64;
        while goes_on && pass < passes {
            self.step()?;
            let index = self.builder.scalar(Data::I64(vec![pass]));
            let condition = self.builder.scalar(Data::Bool(vec![true]));
            let mut arguments = vec![plain(index), plain(condition)];
            arguments.extend(&carried);
            let results = self.inline(&graph, &arguments)?;
            let [condition, ref rest @ ..] = results[..] else {
                return Ok(Vec::new());
            };
            goes_on = known(self, condition)?;
            carried = rest[..count].to_vec();
            for (list, value) in collected.iter_mut().zip(&rest[count..]) {
                list.push(*value);
            }
            pass += 1;
            // Every pass costs something even where the body is empty.
            if pass as u64 > self.builder.limits.nodes as u64 {
                return Err(NodeError::Limit("passes of a loop").into());
            }
        }
        let mut results = carried;
        for list in collected {
            results.push(self.stack(node, &list, 0)?);
        }
        Ok(results)
    }

    /// `Scan`: the body for each element of its sequences.
    pub(super) fn scan(
        &mut self,
        node: &NodeProto<'a>,
        inputs: &[Option<Named>],
        opset: i64,
    ) -> Values {
        // Before operator set 9 the first input was the lengths, and every other had a batch.
        if opset < 9 {
            return Err(bad("directions").into());
        }
        let graph = self.body(node, "body")?;
        let inputs: Vec<Named> = inputs
            .iter()
            .enumerate()
            .map(|(i, named)| named.ok_or(NodeError::MissingInput(i)))
            .collect::<Result<_, _>>()?;
        let context = self.context(node);
        let sequences = usize::try_from(context.int_or("num_scan_inputs", 0)?).unwrap_or(0);
        let list = |c: &crate::import::context::Context<'_, '_, '_>, name: &str, n: usize| {
            let values = c.ints(name)?.map_or_else(|| vec![0; n], <[i64]>::to_vec);
            if values.len() == n {
                Ok(values)
            } else {
                Err(bad(name))
            }
        };
        let states = inputs
            .len()
            .checked_sub(sequences)
            .filter(|_| sequences > 0)
            .ok_or_else(|| bad("num_scan_inputs"))?;
        let collects = graph
            .outputs
            .len()
            .checked_sub(states)
            .ok_or(NodeError::Shape("the body gives too little"))?;
        let in_axes = list(&context, "scan_input_axes", sequences)?;
        let in_reverse = list(&context, "scan_input_directions", sequences)?;
        let out_axes = list(&context, "scan_output_axes", collects)?;
        let out_reverse = list(&context, "scan_output_directions", collects)?;
        let mut axes = Vec::with_capacity(sequences);
        let mut length = None;
        for (named, axis) in inputs[states..].iter().zip(in_axes) {
            let shape = &self.builder.info(named.id).shape;
            let axis = normalise(axis, shape.len()).ok_or_else(|| bad("scan_input_axes"))?;
            if *length.get_or_insert(shape[axis]) != shape[axis] {
                return Err(NodeError::Shape("the sequences differ in length").into());
            }
            axes.push(axis);
        }
        let length = length.unwrap_or(0);
        if length > self.builder.limits.nodes {
            return Err(NodeError::Limit("passes of a loop").into());
        }
        let mut carried = inputs[..states].to_vec();
        let mut collected: Vec<Vec<Named>> = vec![Vec::new(); collects];
        for pass in 0..length {
            self.step()?;
            let mut arguments = carried.clone();
            for (i, named) in inputs[states..].iter().enumerate() {
                let at = if in_reverse[i] == 0 {
                    pass
                } else {
                    length - 1 - pass
                };
                let mut c = self.context(node);
                let element = part(&mut c, named.id, axes[i], at, 1)?;
                let mut shape = c.shape(element);
                shape.remove(axes[i]);
                arguments.push(Named {
                    id: c.reshape(element, shape)?,
                    narrow: named.narrow,
                });
            }
            let results = self.inline(&graph, &arguments)?;
            if results.is_empty() {
                return Ok(Vec::new());
            }
            carried = results[..states].to_vec();
            for (list, value) in collected.iter_mut().zip(&results[states..]) {
                list.push(*value);
            }
        }
        let mut results = carried;
        for (i, mut list) in collected.into_iter().enumerate() {
            if out_reverse[i] != 0 {
                list.reverse();
            }
            results.push(self.stack(node, &list, out_axes[i])?);
        }
        Ok(results)
    }

    /// One value for each pass, along a new axis.
    fn stack(
        &mut self,
        node: &NodeProto<'a>,
        list: &[Named],
        axis: i64,
    ) -> Result<Named, NodeError> {
        let first = *list
            .first()
            .ok_or(NodeError::Shape("a loop without a pass gives nothing"))?;
        let mut shape = self.builder.info(first.id).shape.clone();
        let axis = normalise(axis, shape.len() + 1).ok_or_else(|| bad("scan_output_axes"))?;
        shape.insert(axis, 1);
        let mut c = self.context(node);
        let mut parts = Vec::with_capacity(list.len());
        for named in list {
            parts.push(c.reshape(named.id, shape.clone())?);
        }
        Ok(Named {
            id: c.emit(Op::Concat(axis), &parts)?,
            narrow: first.narrow,
        })
    }
}
