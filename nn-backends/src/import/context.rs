//! What an operator's lowering sees: its node, its operands, and the graph it adds to.

use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::format::Narrow;
use crate::graph::{Info, ValueId};
use crate::import::builder::Builder;
use crate::onnx::decode;
use crate::onnx::schema::{Attribute, NodeProto};
use crate::op::{Binary, Op};
use crate::tensor::ElementType;
use std::sync::Arc;

/// One node being lowered.
pub(crate) struct Context<'c, 'l, 'a> {
    pub builder: &'c mut Builder<'l>,
    pub node: &'c NodeProto<'a>,
    pub inputs: Vec<Option<ValueId>>,
    /// The narrow types of the inputs that have one.
    pub narrow: Vec<Option<Narrow>>,
    /// Version of the node's operator set.
    pub opset: i64,
}

/// Result of lowering one node: its outputs in order.
pub(crate) type Lowered = Result<Vec<ValueId>, NodeError>;

pub(crate) fn bad(attribute: &str) -> NodeError {
    NodeError::Attribute(attribute.to_owned())
}

impl<'a> Context<'_, '_, 'a> {
    pub fn optional(&self, i: usize) -> Option<ValueId> {
        self.inputs.get(i).copied().flatten()
    }

    pub fn input(&self, i: usize) -> Result<ValueId, NodeError> {
        self.optional(i).ok_or(NodeError::MissingInput(i))
    }

    pub fn info(&self, id: ValueId) -> &Info {
        self.builder.info(id)
    }

    pub fn shape(&self, id: ValueId) -> Vec<usize> {
        self.builder.info(id).shape.clone()
    }

    pub fn rank(&self, id: ValueId) -> usize {
        self.builder.info(id).rank()
    }

    pub fn ty(&self, id: ValueId) -> ElementType {
        self.builder.info(id).ty
    }

    pub fn emit(&mut self, op: Op, inputs: &[ValueId]) -> Result<ValueId, NodeError> {
        let inputs: Vec<Option<ValueId>> = inputs.iter().map(|id| Some(*id)).collect();
        self.emit_optional(op, &inputs)
    }

    pub fn emit_optional(
        &mut self,
        op: Op,
        inputs: &[Option<ValueId>],
    ) -> Result<ValueId, NodeError> {
        let name = self.name();
        self.builder.one(&name, op, inputs)
    }

    pub fn binary(&mut self, f: Binary, a: ValueId, b: ValueId) -> Result<ValueId, NodeError> {
        self.emit(Op::Binary(f), &[a, b])
    }

    pub fn reshape(&mut self, x: ValueId, shape: Vec<usize>) -> Result<ValueId, NodeError> {
        self.emit(Op::Reshape(shape), &[x])
    }

    /// A scalar `f32` constant.
    pub fn float_constant(&mut self, x: f32) -> ValueId {
        self.builder.scalar(Data::F32(vec![x]))
    }

    pub fn name(&self) -> String {
        node_name(self.node)
    }

    /// Input `i` if it is there; an error if it is not constant.
    pub fn constant(&self, i: usize) -> Result<Option<Arc<Array>>, NodeError> {
        match self.optional(i) {
            None => Ok(None),
            Some(id) => match self.builder.constant(id) {
                Some(array) => Ok(Some(array.clone())),
                None => Err(NodeError::NotConstant(i)),
            },
        }
    }

    /// The integers of constant input `i` if it is there.
    pub fn constant_ints(&self, i: usize) -> Result<Option<Vec<i64>>, NodeError> {
        match self.constant(i)? {
            None => Ok(None),
            Some(array) => array
                .to_i64()
                .map(Some)
                .ok_or(NodeError::Value("integers are expected")),
        }
    }

    /// The one `f32` of constant input `i`.
    pub fn constant_float(&self, i: usize) -> Result<Option<f32>, NodeError> {
        match self.constant(i)? {
            None => Ok(None),
            Some(array) => match array.as_f32() {
                Some([x]) => Ok(Some(*x)),
                _ => Err(NodeError::Value("one float is expected")),
            },
        }
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.node.attributes.get(name)
    }

    pub fn int(&self, name: &str) -> Result<Option<i64>, NodeError> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Int(v)) => Ok(Some(*v)),
            Some(_) => Err(bad(name)),
        }
    }

    pub fn int_or(&self, name: &str, default: i64) -> Result<i64, NodeError> {
        Ok(self.int(name)?.unwrap_or(default))
    }

    pub fn flag(&self, name: &str) -> Result<bool, NodeError> {
        Ok(self.int_or(name, 0)? != 0)
    }

    pub fn float_or(&self, name: &str, default: f32) -> Result<f32, NodeError> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Float(v)) if v.is_finite() => Ok(*v),
            Some(_) => Err(bad(name)),
        }
    }

    pub fn ints(&self, name: &str) -> Result<Option<&[i64]>, NodeError> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Ints(v)) => Ok(Some(v)),
            Some(_) => Err(bad(name)),
        }
    }

    pub fn string_or(&self, name: &str, default: &'a str) -> Result<&'a str, NodeError> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::String(v)) => std::str::from_utf8(v).map_err(|_| bad(name)),
            Some(_) => Err(bad(name)),
        }
    }

    pub fn element_type(&self, name: &str) -> Result<ElementType, NodeError> {
        self.int(name)?
            .and_then(decode::carrier)
            .ok_or_else(|| bad(name))
    }

    /// The narrow type of input `i`, if it has one.
    pub fn narrow(&self, i: usize) -> Option<Narrow> {
        self.narrow.get(i).copied().flatten()
    }

    /// An attribute's axis, counted from the end where it is negative.
    pub fn axis(&self, name: &str, default: i64, rank: usize) -> Result<usize, NodeError> {
        let axis = self.int_or(name, default)?;
        normalise(axis, rank).ok_or_else(|| bad(name))
    }

    /// The axes in `axes`, in the order in which they are given; all of `rank` without it.
    pub fn axes_in_order(&self, rank: usize) -> Result<Vec<usize>, NodeError> {
        let Some(axes) = self.ints("axes")? else {
            return Ok((0..rank).collect());
        };
        axes.iter()
            .map(|axis| normalise(*axis, rank).ok_or_else(|| bad("axes")))
            .collect()
    }
}

/// An axis of `rank`, counted from the end where it is negative.
pub(crate) fn normalise(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 {
        axis.checked_add(rank as i64)?
    } else {
        axis
    };
    usize::try_from(axis).ok().filter(|axis| *axis < rank)
}

/// Distinct axes, ascending.
pub(crate) fn normalise_all(axes: &[i64], rank: usize) -> Result<Vec<usize>, NodeError> {
    let mut out = axes
        .iter()
        .map(|axis| normalise(*axis, rank).ok_or(NodeError::Shape("axis out of range")))
        .collect::<Result<Vec<_>, _>>()?;
    out.sort_unstable();
    if out.windows(2).any(|w| w[0] == w[1]) {
        return Err(NodeError::Shape("an axis is given twice"));
    }
    Ok(out)
}

/// The node's name, or its first output's.
pub(crate) fn node_name(node: &NodeProto<'_>) -> String {
    if node.name.is_empty() {
        node.outputs.first().copied().unwrap_or_default().to_owned()
    } else {
        node.name.to_owned()
    }
}
