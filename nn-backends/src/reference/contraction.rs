//! Matrix products and convolutions: batches of the kernels' scalar definitions.

use super::movement::{broadcast_strides, walk};
use super::{OPERANDS, Operands};
use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::{Bytes, ConvShape, ZeroPoints, conv, gemm, strict};

/// Dimensions of a product and, for each matrix of the result, the matrices it is the product of.
pub(crate) struct Batches {
    pub m: usize,
    pub k: usize,
    pub n: usize,
    /// Index of the matrix of each operand.
    pub pairs: Vec<(usize, usize)>,
}

impl Batches {
    pub fn new(a: &[usize], b: &[usize], result: &[usize]) -> Result<Self, RunError> {
        let ([batch_a @ .., m, k], [batch_b @ .., _, n], [batch @ .., _, _]) = (a, b, result)
        else {
            return Err(OPERANDS);
        };
        let list = |shape: &[usize]| {
            let mut out = Vec::new();
            walk(batch, &broadcast_strides(shape, batch), 0, |at| {
                out.push(at as usize);
            });
            out
        };
        Ok(Batches {
            m: *m,
            k: *k,
            n: *n,
            pairs: list(batch_a).into_iter().zip(list(batch_b)).collect(),
        })
    }
}

/// An 8-bit array as the kernels take it.
pub(crate) fn bytes(x: &Array) -> Result<Bytes<'_>, RunError> {
    match &x.data {
        Data::U8(v) => Ok(Bytes::U8(v)),
        Data::I8(v) => Ok(Bytes::I8(v)),
        _ => Err(OPERANDS),
    }
}

/// Part of an 8-bit array.
pub(crate) fn part(x: &Array, at: std::ops::Range<usize>) -> Result<Bytes<'_>, RunError> {
    match &x.data {
        Data::U8(v) => v.get(at).map(Bytes::U8).ok_or(OPERANDS),
        Data::I8(v) => v.get(at).map(Bytes::I8).ok_or(OPERANDS),
        _ => Err(OPERANDS),
    }
}

/// The zero points of an operand; 0 if there are none.
pub(crate) fn zero_points(x: Option<&Array>) -> Result<Vec<i32>, RunError> {
    match x {
        None => Ok(vec![0]),
        Some(x) => Ok(x
            .to_i64()
            .ok_or(OPERANDS)?
            .into_iter()
            .map(|z| z as i32)
            .collect()),
    }
}

/// As the kernels take them.
pub(crate) fn zeros(list: &[i32]) -> ZeroPoints<'_> {
    match list {
        [one] => ZeroPoints::Same(*one),
        each => ZeroPoints::Each(each),
    }
}

pub(super) fn matmul_integer(x: Operands<'_>, result: &Info) -> Result<Vec<i32>, RunError> {
    let (a, b) = (x.get(0)?, x.get(1)?);
    let (a_zero, b_zero) = (zero_points(x.optional(2))?, zero_points(x.optional(3))?);
    let batches = Batches::new(&a.shape, &b.shape, &result.shape)?;
    let (m, k, n) = (batches.m, batches.k, batches.n);
    let mut out = Vec::new();
    for (i, j) in batches.pairs {
        let a = part(a, i * m * k..(i + 1) * m * k)?;
        let b = part(b, j * k * n..(j + 1) * k * n)?;
        out.extend(gemm::reference(
            a,
            zeros(&a_zero),
            b,
            zeros(&b_zero),
            (m, k, n),
        ));
    }
    Ok(out)
}

pub(super) fn conv_integer(x: Operands<'_>, shape: &ConvShape) -> Result<Vec<i32>, RunError> {
    let (x_zero, w_zero) = (zero_points(x.optional(2))?, zero_points(x.optional(3))?);
    let [x_zero] = x_zero[..] else {
        return Err(OPERANDS);
    };
    let batch = x.get(0)?.shape.first().copied().unwrap_or_default();
    let (x, w) = (bytes(x.get(0)?)?, bytes(x.get(1)?)?);
    conv::reference(x, x_zero, w, zeros(&w_zero), shape, batch).map_err(|_| OPERANDS)
}

/// Adds a bias for each channel; a channel has `plane` consecutive elements.
pub(crate) fn add_bias(
    acc: &mut [i32],
    bias: Option<&Array>,
    plane: usize,
) -> Result<(), RunError> {
    let Some(bias) = bias else { return Ok(()) };
    let Data::I32(bias) = &bias.data else {
        return Err(OPERANDS);
    };
    if bias.is_empty() || plane == 0 {
        return Ok(());
    }
    for (acc, bias) in acc.chunks_mut(plane).zip(bias.iter().cycle()) {
        for acc in acc {
            *acc = acc.wrapping_add(*bias);
        }
    }
    Ok(())
}

pub(super) fn matmul(x: Operands<'_>, result: &Info) -> Result<Data, RunError> {
    let batches = Batches::new(&x.get(0)?.shape, &x.get(1)?.shape, &result.shape)?;
    let (a, b) = (x.f32(0)?, x.f32(1)?);
    let (m, k, n) = (batches.m, batches.k, batches.n);
    let mut out = Vec::new();
    for (i, j) in batches.pairs {
        let a = a.get(i * m * k..(i + 1) * m * k).ok_or(OPERANDS)?;
        let b = b.get(j * k * n..(j + 1) * k * n).ok_or(OPERANDS)?;
        out.extend(strict::gemm_reference(a, b, None, (m, k, n)));
    }
    Ok(Data::F32(out))
}

pub(super) fn conv(x: Operands<'_>, shape: &ConvShape) -> Result<Data, RunError> {
    let batch = x.get(0)?.shape.first().copied().unwrap_or_default();
    let bias = match x.optional(2) {
        Some(bias) => Some(bias.as_f32().ok_or(OPERANDS)?),
        None => None,
    };
    strict::conv_reference(x.f32(0)?, x.f32(1)?, bias, shape, batch)
        .map(Data::F32)
        .map_err(|_| OPERANDS)
}
