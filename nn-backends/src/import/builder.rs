//! Adds operations to a graph: infers shapes, checks limits, proves accumulators, folds constants.

use std::cell::Cell;
use std::sync::Arc;

use crate::array::{Array, Data};
use crate::cost;
use crate::error::NodeError;
use crate::graph::{Graph, Info, Node, ValueId};
use crate::infer::{Operands, infer};
use crate::limits::ModelLimits;
use crate::op::{Op, Requantize};
use crate::reference;

/// A graph under construction.
pub(crate) struct Builder<'l> {
    pub graph: Graph,
    pub limits: &'l ModelLimits,
    /// See [`Model::from_onnx_measured`](crate::Model::from_onnx_measured).
    pub work: &'l Cell<u64>,
    /// Work that folding may still do.
    folding: u64,
    /// Bytes of the constants that operators made, apart from folding.
    pub kept: u64,
    /// Dequantised weights stay as they are until the patterns around them have been recognised.
    pub fold_dequantize: bool,
}

impl<'l> Builder<'l> {
    pub fn new(limits: &'l ModelLimits, work: &'l Cell<u64>) -> Self {
        Builder {
            graph: Graph::default(),
            limits,
            work,
            folding: limits.folding,
            kept: 0,
            fold_dequantize: false,
        }
    }

    pub fn info(&self, id: ValueId) -> &Info {
        self.graph.info(id)
    }

    pub fn constant(&self, id: ValueId) -> Option<&Arc<Array>> {
        self.graph.constant(id)
    }

    /// A constant with one element and no axes.
    pub fn scalar(&mut self, data: Data) -> ValueId {
        self.keep(Array {
            shape: vec![],
            data,
        })
    }

    /// A constant that an operator brings along. Its size counts: many nodes may each bring one.
    pub fn keep(&mut self, array: Array) -> ValueId {
        let bytes = (array.len() as u64).saturating_mul(array.ty().size() as u64);
        self.kept = self.kept.saturating_add(bytes);
        self.count(array.len() as u64);
        self.graph.add_constant(array)
    }

    fn count(&self, work: u64) {
        self.work.set(self.work.get().saturating_add(work));
    }

    /// Counts work, if there may be so much.
    pub fn spend(&self, work: u64) -> Result<(), NodeError> {
        self.count(work);
        match self.work.get() <= self.limits.work {
            true => Ok(()),
            false => Err(NodeError::Limit("work of reading the model")),
        }
    }

    /// Whether an operator may make a constant of so many elements.
    pub fn may_make(&self, elements: u64) -> Result<(), NodeError> {
        if elements > self.limits.folding {
            return Err(NodeError::Limit("constants made at load"));
        }
        Ok(())
    }

    /// Adds an operation with one result.
    pub fn one(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[Option<ValueId>],
    ) -> Result<ValueId, NodeError> {
        self.emit(name, op, inputs)?
            .first()
            .copied()
            .ok_or(NodeError::Shape("no result"))
    }

    /// Adds an operation, or the constants it gives.
    pub fn emit(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[Option<ValueId>],
    ) -> Result<Vec<ValueId>, NodeError> {
        let operands = Operands(
            inputs
                .iter()
                .map(|id| id.map(|id| self.graph.info(id)))
                .collect(),
        );
        let results = infer(&op, &operands)?;
        for info in &results {
            self.check(info)?;
        }
        if let (Some(Some(x)), true) = (inputs.first(), changes_nothing(&op, &operands, &results)) {
            return Ok(vec![*x]);
        }
        self.check_scales(&op, inputs)?;
        self.check_accumulator(&op, inputs)?;
        let constants: Option<Vec<Option<&Array>>> = inputs
            .iter()
            .map(|id| match id {
                None => Some(None),
                Some(id) => self.graph.constant(*id).map(|a| Some(&**a)),
            })
            .collect();
        let foldable = self.fold_dequantize || !matches!(op, Op::Dequantize { .. });
        if let (Some(constants), true) = (constants, foldable) {
            let work = cost::work(&op, &operands, &results);
            if work <= self.folding {
                self.spend(work)?;
                self.folding -= work;
                let arrays = reference::run(&op, reference::Operands(&constants), &results)
                    .map_err(|e| NodeError::Fold(Box::new(e)))?;
                return Ok(arrays
                    .into_iter()
                    .map(|array| self.graph.add_constant(array))
                    .collect());
            }
        }
        let outputs: Vec<ValueId> = results
            .into_iter()
            .map(|info| self.graph.value(info))
            .collect();
        self.graph.nodes.push(Node {
            op,
            inputs: inputs.to_vec(),
            outputs: outputs.clone(),
            name: name.to_owned(),
        });
        // One ONNX node may become several operations, but not arbitrarily many.
        if self.graph.nodes.len() > self.limits.nodes.saturating_mul(8) {
            return Err(NodeError::Limit("operations"));
        }
        Ok(outputs)
    }

    fn check(&self, info: &Info) -> Result<(), NodeError> {
        if info.rank() > self.limits.rank {
            return Err(NodeError::Limit("dimensions"));
        }
        if info.elements() > self.limits.elements {
            return Err(NodeError::Limit("elements in a tensor"));
        }
        if info.shape.iter().any(|d| u32::try_from(*d).is_err()) {
            return Err(NodeError::Limit("length of an axis"));
        }
        Ok(())
    }

    fn check_scales(&self, op: &Op, inputs: &[Option<ValueId>]) -> Result<(), NodeError> {
        let check = |scales: &[f32]| match scales.iter().find(|s| !s.is_normal() || **s < 0.0) {
            Some(scale) => Err(NodeError::Scale(*scale)),
            None => Ok(()),
        };
        match op {
            Op::Quantize { .. } | Op::Dequantize { .. } => {
                match inputs
                    .get(1)
                    .copied()
                    .flatten()
                    .and_then(|id| self.constant(id))
                {
                    Some(scale) => check(scale.as_f32().unwrap_or_default()),
                    None => Ok(()),
                }
            }
            Op::QMatMul(r) | Op::QConv(_, r) => check(&r.scales),
            Op::QMul { requantize: r, .. } | Op::QAveragePool { requantize: r, .. } => {
                check(&r.scales)
            }
            // Beyond, a step of the input is more than all of the output, and the sum's arithmetic ends.
            Op::QAdd { scales, .. } => match scales.iter().find(|s| **s >= 16_777_216.0) {
                Some(scale) => Err(NodeError::Scale(*scale)),
                None => check(scales),
            },
            _ => Ok(()),
        }
    }

    /// The greatest magnitude of `x − zero point` over all that `x` may hold.
    fn magnitude(&self, x: ValueId, zero: Option<ValueId>) -> u64 {
        let (low, high) = match self.info(x).ty {
            crate::tensor::ElementType::U8 => (0i64, 255i64),
            _ => (-128, 127),
        };
        let Some(zero) = zero else {
            return low.unsigned_abs().max(high.unsigned_abs());
        };
        match self.constant(zero).and_then(|z| z.to_i64()) {
            Some(zeros) => zeros
                .iter()
                .map(|z| (low - z).unsigned_abs().max((high - z).unsigned_abs()))
                .max()
                .unwrap_or(255),
            None => 255,
        }
    }

    fn check_accumulator(&self, op: &Op, inputs: &[Option<ValueId>]) -> Result<(), NodeError> {
        let get = |i: usize| inputs.get(i).copied().flatten();
        let (Op::MatMulInteger | Op::QMatMul(_) | Op::ConvInteger(_) | Op::QConv(..)) = op else {
            return Ok(());
        };
        let (Some(a), Some(b)) = (get(0), get(1)) else {
            return Ok(());
        };
        let shape = &self.info(b).shape;
        // How the second operand's elements belong to outputs: (depth, distance) for matrices and kernels.
        let depth = match op {
            Op::ConvInteger(c) | Op::QConv(c, _) => c.depth(),
            _ => shape.len().checked_sub(2).map_or(0, |i| shape[i]),
        } as u64;
        let a_max = self.magnitude(a, get(2));
        let mut worst = depth
            .saturating_mul(a_max)
            .saturating_mul(self.magnitude(b, get(3)));
        if worst > i32::MAX as u64 {
            // The weights are known: their own sum is a sharper bound.
            if let (Some(weights), zero) = (self.constant(b), get(3)) {
                worst = worst.min(
                    sum_bound(op, weights, zero.map(|z| self.constant(z))).saturating_mul(a_max),
                );
            }
        }
        if let Some(bias) = get(4) {
            let bias = match self.constant(bias).and_then(|b| b.to_i64()) {
                Some(bias) => bias.iter().map(|b| b.unsigned_abs()).max().unwrap_or(0),
                None => return Err(NodeError::NotConstant(4)),
            };
            worst = worst.saturating_add(bias);
        }
        if worst > i32::MAX as u64 {
            return Err(NodeError::Accumulator { worst });
        }
        Ok(())
    }
}

/// The greatest Σ|w − zero| over one output's weights; `u64::MAX` if the zero points are not known.
fn sum_bound(op: &Op, weights: &Array, zero: Option<Option<&Arc<Array>>>) -> u64 {
    let zeros = match zero {
        None => vec![0],
        Some(Some(zeros)) => zeros.to_i64().unwrap_or_default(),
        Some(None) => return u64::MAX,
    };
    let Some(values) = weights.to_i64() else {
        return u64::MAX;
    };
    let (channels, matrix) = match op {
        Op::ConvInteger(c) | Op::QConv(c, _) => (c.channels_out, false),
        _ => (weights.shape.last().copied().unwrap_or(1), true),
    };
    if channels == 0 || zeros.is_empty() {
        return u64::MAX;
    }
    let depth = values.len() / channels;
    let mut sums = vec![0u64; channels];
    for (i, value) in values.iter().enumerate() {
        let channel = if matrix {
            i % channels
        } else {
            i / depth.max(1)
        };
        let zero = zeros[if zeros.len() == 1 {
            0
        } else {
            channel % zeros.len()
        }];
        sums[channel % channels] += (value - zero).unsigned_abs();
    }
    sums.into_iter().max().unwrap_or(0)
}

/// Whether the result is the first operand, unchanged.
fn changes_nothing(op: &Op, operands: &Operands<'_>, results: &[Info]) -> bool {
    let same = || matches!((operands.0.first(), results), (Some(Some(x)), [y]) if *x == y);
    match op {
        Op::Reshape(_) | Op::Expand(_) | Op::Cast(_) => same(),
        Op::Transpose(perm) => perm.iter().enumerate().all(|(i, axis)| i == *axis),
        Op::Concat(_) => operands.0.len() == 1,
        Op::Slice(axes) => {
            same()
                && axes
                    .iter()
                    .all(|(start, step, _)| *start == 0 && *step == 1)
        }
        Op::Pad(pads, _) => pads.iter().all(|p| *p == (0, 0)),
        Op::Reduce(_, axes) => axes.is_empty(),
        _ => false,
    }
}

impl Requantize {
    /// Scales `x_scale · w_scale / y_scale`, each step rounded to the nearest `f32`.
    pub fn contraction(
        x_scale: f32,
        w_scales: &[f32],
        y_scale: f32,
        zero: i32,
        ty: crate::tensor::ElementType,
    ) -> Self {
        Requantize {
            scales: w_scales.iter().map(|w| x_scale * w / y_scale).collect(),
            zero,
            ty,
        }
    }
}
