//! Contractions, sums, products and means of dequantised operands, computed on integers.

use super::{Fuser, Params};
use crate::array::{Array, Data};
use crate::graph::{Node, ValueId};
use crate::op::{Binary, Op, Requantize};
use crate::tensor::ElementType;

impl Fuser<'_> {
    pub(super) fn convolution(
        &mut self,
        node: &Node,
        shape: &crate::kernels::ConvShape,
        p: Params,
    ) -> Option<ValueId> {
        let (x, x_params) = self.byte_source(node.inputs[0]?, 0)?;
        let (w, scales, zero) = self.weights(node.inputs[1]?, 0)?;
        let bias = match node.inputs.get(2).copied().flatten() {
            Some(bias) => Some(self.bias(bias, x_params.scale, &scales, shape.channels_out)?),
            None => None,
        };
        let requantize = Requantize::contraction(x_params.scale, &scales, p.scale, p.zero, p.ty);
        let x_zero = self.byte_constant(x_params.zero, x_params.ty)?;
        let op = Op::QConv(*shape, requantize);
        self.emit(op, &[Some(x), Some(w), Some(x_zero), zero, bias])
    }

    /// An 8-bit weight with its scales, one for each index of `axis`, and zero points.
    pub(super) fn weights(
        &mut self,
        id: ValueId,
        axis: usize,
    ) -> Option<(ValueId, Vec<f32>, Option<ValueId>)> {
        if let Some(d) = self.dequantized(id) {
            let one = d.scales.len() == 1;
            let info = self.builder.info(d.x);
            if !info.ty.is_8bit() || !(one || d.axis == axis) {
                return None;
            }
            return Some((d.x, d.scales, d.zero));
        }
        let node = self.node_of(id)?;
        match &node.op {
            Op::Transpose(perm) => {
                let axis = *perm.get(axis)?;
                let (x, scales, zero) = self.weights(node.inputs[0]?, axis)?;
                let x = self.emit(node.op.clone(), &[Some(x)])?;
                Some((x, scales, zero))
            }
            // Reshapes that keep the channels in front, as between one and two spatial axes.
            Op::Reshape(to) => {
                let from = self.builder.info(node.inputs[0]?).shape.clone();
                if axis != 0 || from.first() != to.first() {
                    return None;
                }
                let (x, scales, zero) = self.weights(node.inputs[0]?, axis)?;
                let x = self.emit(node.op.clone(), &[Some(x)])?;
                Some((x, scales, zero))
            }
            _ => None,
        }
    }

    /// The bias as accumulators: as it was quantised if that was with the product of the scales, else
    /// divided by it and rounded.
    pub(super) fn bias(
        &mut self,
        id: ValueId,
        x_scale: f32,
        w_scales: &[f32],
        channels: usize,
    ) -> Option<ValueId> {
        let product: Vec<f32> = w_scales.iter().map(|w| x_scale * w).collect();
        let scale = |list: &[f32], i: usize| list.get(i).or(list.first()).copied();
        let mut accumulators: Vec<i32> = Vec::new();
        if let Some(d) = self.dequantized(id) {
            let array = self.builder.constant(d.x)?.clone();
            let zero = self.scalar_int(d.zero)?;
            if array.ty() != ElementType::I32 {
                return None;
            }
            for (i, q) in array.to_i64()?.into_iter().enumerate() {
                let q = i32::try_from(q - i64::from(zero)).ok()?;
                let (from, to) = (scale(&d.scales, i)?, scale(&product, i)?);
                accumulators.push(if from == to {
                    q
                } else {
                    rounded(q as f32 * from / to)?
                });
            }
        } else {
            let array = self.builder.constant(id)?.clone();
            for (i, b) in array.as_f32()?.iter().enumerate() {
                accumulators.push(rounded(b / scale(&product, i)?)?);
            }
        }
        if accumulators.len() == 1 {
            accumulators = vec![accumulators[0]; channels];
        }
        (accumulators.len() == channels).then(|| {
            self.builder.graph.add_constant(Array {
                shape: vec![channels],
                data: Data::I32(accumulators),
            })
        })
    }

    pub(super) fn product(
        &mut self,
        id: ValueId,
        bias: Option<ValueId>,
        p: Params,
    ) -> Option<ValueId> {
        let node = self.node_of(id)?;
        if node.op != Op::MatMul {
            return None;
        }
        let (a, a_params) = self.byte_source(node.inputs[0]?, 0)?;
        let b_shape = self.builder.info(node.inputs[1]?).shape.clone();
        let columns = *b_shape.last()?;
        let (b, scales, zero) = self.weights(node.inputs[1]?, b_shape.len() - 1)?;
        let bias = match bias {
            Some(bias) => {
                let info = self.builder.info(bias).clone();
                if info.elements() != columns as u64 && info.elements() != 1 {
                    return None;
                }
                // `[1, n]` and `[n]` are the same bias.
                if info.shape.last() != Some(&columns) && info.elements() != 1 {
                    return None;
                }
                Some(self.bias(bias, a_params.scale, &scales, columns)?)
            }
            None => None,
        };
        let requantize = Requantize::contraction(a_params.scale, &scales, p.scale, p.zero, p.ty);
        let a_zero = self.byte_constant(a_params.zero, a_params.ty)?;
        let op = Op::QMatMul(requantize);
        self.emit(op, &[Some(a), Some(b), Some(a_zero), zero, bias])
    }

    pub(super) fn pointwise(
        &mut self,
        f: Binary,
        (a, ap): (ValueId, Params),
        (b, bp): (ValueId, Params),
        p: Params,
    ) -> Option<ValueId> {
        let zeros = [ap.zero, bp.zero];
        let op = if f == Binary::Add {
            Op::QAdd {
                zeros,
                scales: [ap.scale / p.scale, bp.scale / p.scale],
                zero: p.zero,
                ty: p.ty,
            }
        } else {
            Op::QMul {
                zeros,
                requantize: Requantize::contraction(ap.scale, &[bp.scale], p.scale, p.zero, p.ty),
            }
        };
        self.emit(op, &[Some(a), Some(b)])
    }

    pub(super) fn mean(
        &mut self,
        x: ValueId,
        window: crate::op::Window,
        count_padding: bool,
        p: Params,
        depth: usize,
    ) -> Option<ValueId> {
        let (x, xp) = self.byte_source(x, depth)?;
        let shape = self.builder.info(x).shape.clone();
        let [n, c, ref plane @ ..] = shape[..] else {
            return None;
        };
        let (h, w) = match plane {
            [w] => (1, *w),
            [h, w] => (*h, *w),
            _ => return None,
        };
        let x = self.emit(Op::Reshape(vec![n, c, h, w]), &[Some(x)])?;
        let op = Op::QAveragePool {
            window,
            count_padding,
            x_zero: xp.zero,
            requantize: Requantize {
                scales: vec![xp.scale / p.scale],
                zero: p.zero,
                ty: p.ty,
            },
        };
        self.emit(op, &[Some(x)])
    }
}

fn rounded(x: f32) -> Option<i32> {
    let x = x.round_ties_even();
    (x.abs() < 2_147_483_648.0).then_some(x as i32)
}
