//! The normative definition of every operation: scalar, in order, meant to be read.
//!
//! Other executors must give the same bits. Operands have been checked by shape inference, so an
//! operand that does not fit is an error of this library and never a panic.

mod cast;
pub(crate) mod contraction;
mod double;
mod elementwise;
mod indexing;
pub(crate) mod movement;
mod pool;
pub(crate) mod quantize;
mod reduce;

use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::strict::canonical;
use crate::op::Op;

use elementwise::Broadcast;
#[cfg(feature = "cpu")]
pub(crate) use elementwise::{max_f32, min_f32, unary_f32};

pub(crate) const OPERANDS: RunError = RunError::Internal("operands do not fit the operation");

/// The operands of one operation, by position.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a>(pub &'a [Option<&'a Array>]);

impl<'a> Operands<'a> {
    pub fn get(&self, i: usize) -> Result<&'a Array, RunError> {
        self.optional(i).ok_or(OPERANDS)
    }

    pub fn optional(&self, i: usize) -> Option<&'a Array> {
        self.0.get(i).copied().flatten()
    }

    pub fn f32(&self, i: usize) -> Result<&'a [f32], RunError> {
        self.get(i)?.as_f32().ok_or(OPERANDS)
    }
}

/// Runs `op`; `results` are the inferred types and shapes.
pub(crate) fn run(op: &Op, x: Operands<'_>, results: &[Info]) -> Result<Vec<Array>, RunError> {
    let result = results.first().ok_or(OPERANDS)?;
    let data = match op {
        Op::Reshape(_) => x.get(0)?.data.clone(),
        Op::Transpose(perm) => movement::transpose(x.get(0)?, perm, result)?,
        Op::Expand(_) => movement::expand(x.get(0)?, result)?,
        Op::Slice(axes) => movement::slice(x.get(0)?, axes)?,
        Op::Concat(axis) => movement::concat(x, *axis)?,
        Op::Gather(axis) => movement::gather(x.get(0)?, x.get(1)?, *axis)?,
        Op::GatherElements(axis) => movement::gather_elements(x.get(0)?, x.get(1)?, *axis)?,
        Op::Pad(pads, mode) => movement::pad(x.get(0)?, x.optional(1), pads, *mode, result)?,
        Op::Cast(ty) => cast::cast(x.get(0)?, *ty),
        Op::BitCast(ty) => cast::bit_cast(x.get(0)?, *ty)?,
        Op::Narrow(format, saturate) => {
            let round = |x: &f32| canonical(format.round(*x, *saturate));
            Data::F32(x.f32(0)?.iter().map(round).collect())
        }
        Op::Cumulate {
            product,
            axis,
            exclusive,
            reverse,
        } => indexing::cumulate(x.get(0)?, *product, *axis, *exclusive, *reverse)?,
        Op::TopK { axis, k, largest } => {
            return indexing::top_k(x.get(0)?, *axis, *k, *largest, results);
        }
        Op::GatherNd(batch) => indexing::gather_nd(x.get(0)?, x.get(1)?, *batch)?,
        Op::ScatterElements(axis, how) => {
            indexing::scatter_elements(x.get(0)?, x.get(1)?, x.get(2)?, *axis, *how)?
        }
        Op::ScatterNd(how) => indexing::scatter_nd(x.get(0)?, x.get(1)?, x.get(2)?, *how)?,
        Op::PoolIndices(window, columns) => pool::indices(x.get(0)?, window, *columns)?,
        Op::Where => elementwise::select(x, result)?,
        Op::Unary(f) => elementwise::unary(*f, x.get(0)?)?,
        Op::Binary(f) => elementwise::binary(*f, x.get(0)?, x.get(1)?, result)?,
        Op::Table(table, ty) => elementwise::table(x.get(0)?, table, *ty)?,
        Op::Reduce(kind, axes) => reduce::reduce(x.get(0)?, *kind, axes, result)?,
        Op::ArgReduce { max, axis, last } => {
            reduce::arg_reduce(x.get(0)?, *max, *axis, *last, result)?
        }
        Op::Softmax => reduce::softmax(x.get(0)?)?,
        Op::MatMul => contraction::matmul(x, result)?,
        Op::Conv(shape) => contraction::conv(x, shape)?,
        Op::MatMulInteger => Data::I32(contraction::matmul_integer(x, result)?),
        Op::ConvInteger(shape) => Data::I32(contraction::conv_integer(x, shape)?),
        Op::QMatMul(requantize) => {
            let mut acc = contraction::matmul_integer(x, result)?;
            contraction::add_bias(&mut acc, x.optional(4), 1)?;
            quantize::requantize(&acc, requantize, 1)?
        }
        Op::QConv(shape, requantize) => {
            let mut acc = contraction::conv_integer(x, shape)?;
            let plane = result.shape.iter().skip(2).product();
            contraction::add_bias(&mut acc, x.optional(4), plane)?;
            quantize::requantize(&acc, requantize, plane)?
        }
        Op::QAdd {
            zeros,
            scales,
            zero,
            ty,
        } => quantize::add(x, *zeros, *scales, (*zero, *ty), result)?,
        Op::QMul { zeros, requantize } => quantize::mul(x, *zeros, requantize, result)?,
        Op::QAveragePool {
            window,
            count_padding,
            x_zero,
            requantize,
        } => pool::quantized_average(x.get(0)?, window, *count_padding, *x_zero, requantize)?,
        Op::Quantize { axis, ty } => quantize::quantize(x, *axis, *ty)?,
        Op::Dequantize { axis } => quantize::dequantize(x, *axis)?,
        Op::DynamicQuantize => return quantize::dynamic(x.get(0)?),
        Op::Pool {
            average,
            count_padding,
            window,
        } => pool::pool(x.get(0)?, *average, *count_padding, window)?,
    };
    if data.len() as u64 != result.elements() || data.ty() != result.ty {
        return Err(OPERANDS);
    }
    Ok(vec![Array {
        shape: result.shape.clone(),
        data,
    }])
}
