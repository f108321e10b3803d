//! Classification losses.

use super::math::zero_like;
use crate::array::Data;
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::op::{Binary, Op, Reduce, Unary};

type Value = Result<ValueId, NodeError>;

/// `NegativeLogLikelihoodLoss`, and `SoftmaxCrossEntropyLoss`, which takes the logarithms first.
pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let mut x = c.input(0)?;
    let rank = c.rank(x);
    if rank < 2 {
        return Err(NodeError::Shape("[batch, classes, …] is expected"));
    }
    if c.node.op_type == "NegativeLogLikelihoodLoss" {
        return Ok(vec![loss(c, x)?]);
    }
    let greatest = c.emit(Op::Reduce(Reduce::Max, vec![1]), &[x])?;
    x = c.binary(Binary::Sub, x, greatest)?;
    let e = c.emit(Op::Unary(Unary::Exp), &[x])?;
    let sum = c.emit(Op::Reduce(Reduce::Sum, vec![1]), &[e])?;
    let log = c.emit(Op::Unary(Unary::Log), &[sum])?;
    x = c.binary(Binary::Sub, x, log)?;
    Ok(vec![loss(c, x)?, x])
}

/// The weighted negative of the wanted class' logarithm.
fn loss(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let target = c.input(1)?;
    let target_shape = c.shape(target);
    let mut shape = c.shape(x);
    shape[1] = 1;
    let target = c.reshape(target, shape)?;
    // An ignored target need not be a class: it is looked up as class 0, with no weight.
    let ignored = match c.int("ignore_index")? {
        Some(index) => {
            let ty = c.ty(target);
            let index = c.builder.scalar(Data::I64(vec![index]));
            let index = c.emit(Op::Cast(ty), &[index])?;
            Some(c.binary(Binary::Equal, target, index)?)
        }
        None => None,
    };
    let class = match ignored {
        Some(ignored) => {
            let zero = zero_like(c, target)?;
            c.emit(Op::Where, &[ignored, zero, target])?
        }
        None => target,
    };
    let picked = c.emit(Op::GatherElements(1), &[x, class])?;
    let mut losses = c.emit(Op::Unary(Unary::Neg), &[picked])?;
    let mut weights = match c.optional(2) {
        Some(weights) => Some(c.emit(Op::Gather(0), &[weights, class])?),
        None => None,
    };
    if let Some(ignored) = ignored {
        let zero = zero_like(c, x)?;
        let one = match weights {
            Some(weights) => weights,
            None => c.float_constant(1.0),
        };
        weights = Some(c.emit(Op::Where, &[ignored, zero, one])?);
        losses = c.emit(Op::Where, &[ignored, zero, losses])?;
    }
    if let Some(weights) = weights {
        losses = c.binary(Binary::Mul, losses, weights)?;
    }
    let all: Vec<usize> = (0..c.rank(losses)).collect();
    let total = |c: &mut Context<'_, '_, '_>, x| {
        let y = c.emit(Op::Reduce(Reduce::Sum, all.clone()), &[x])?;
        c.reshape(y, vec![])
    };
    match (c.string_or("reduction", "mean")?, weights) {
        ("none", _) => c.reshape(losses, target_shape),
        ("sum", _) => total(c, losses),
        ("mean", Some(weights)) => {
            let (sum, weight) = (total(c, losses)?, total(c, weights)?);
            c.binary(Binary::Div, sum, weight)
        }
        ("mean", None) => {
            let y = c.emit(Op::Reduce(Reduce::Mean, all.clone()), &[losses])?;
            c.reshape(y, vec![])
        }
        _ => Err(bad("reduction")),
    }
}
