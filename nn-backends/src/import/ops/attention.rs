//! Attention and what surrounds it, composed in a fixed order.

use super::contraction::convolution;
use super::math::zero_like;
use super::movement::part;
use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::op::{Binary, Op, PadMode, Reduce, Unary};
use crate::tensor::ElementType;

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    match c.node.op_type {
        "Attention" => attention(c),
        "RMSNormalization" => Ok(vec![rms(c)?]),
        "RotaryEmbedding" => Ok(vec![rotary(c)?]),
        "CausalConvWithState" => causal_conv(c),
        "LinearAttention" => linear_attention(c),
        _ => Err(NodeError::Operator),
    }
}

/// A positive attribute.
fn count(c: &Context<'_, '_, '_>, name: &str) -> Result<Option<usize>, NodeError> {
    match c.int(name)? {
        None | Some(0) => Ok(None),
        Some(n) => usize::try_from(n).map(Some).map_err(|_| bad(name)),
    }
}

/// `[batch, steps, heads · size]` as `[batch, heads, steps, size]`.
fn heads(c: &mut Context<'_, '_, '_>, x: ValueId, heads: Option<usize>) -> Value {
    let [batch, steps, width] = c.shape(x)[..] else {
        return Ok(x);
    };
    let heads = heads.ok_or_else(|| bad("q_num_heads"))?;
    if !width.is_multiple_of(heads) {
        return Err(NodeError::Shape("heads do not divide the width"));
    }
    let x = c.reshape(x, vec![batch, steps, heads, width / heads])?;
    c.emit(Op::Transpose(vec![0, 2, 1, 3]), &[x])
}

/// Each head `n` times, one after the other.
fn repeated(c: &mut Context<'_, '_, '_>, x: ValueId, n: usize) -> Value {
    let [batch, heads, steps, size] = c.shape(x)[..] else {
        return Err(NodeError::Shape("rank 4 is expected"));
    };
    if n == 1 {
        return Ok(x);
    }
    let x = c.reshape(x, vec![batch, heads, 1, steps, size])?;
    let x = c.emit(Op::Expand(vec![batch, heads, n, steps, size]), &[x])?;
    c.reshape(x, vec![batch, heads * n, steps, size])
}

fn minus_infinity(c: &mut Context<'_, '_, '_>) -> ValueId {
    c.float_constant(f32::NEG_INFINITY)
}

fn attention(c: &mut Context<'_, '_, '_>) -> Lowered {
    let flat = c.rank(c.input(0)?) == 3;
    let (q_heads, kv_heads) = (count(c, "q_num_heads")?, count(c, "kv_num_heads")?);
    let (q, k, v) = (c.input(0)?, c.input(1)?, c.input(2)?);
    if !matches!(c.int_or("softmax_precision", 1)?, 0 | 1 | 10 | 11 | 16) {
        return Err(bad("softmax_precision"));
    }
    let q = heads(c, q, q_heads)?;
    let (mut k, mut v) = (heads(c, k, kv_heads)?, heads(c, v, kv_heads)?);
    let past = match c.optional(4) {
        Some(key) => {
            let value = c.input(5)?;
            k = c.emit(Op::Concat(2), &[key, k])?;
            v = c.emit(Op::Concat(2), &[value, v])?;
            *c.shape(key)
                .get(2)
                .ok_or(NodeError::Shape("the cache does not fit"))?
        }
        None => 0,
    };
    let (present_key, present_value) = (k, v);
    let ([batch, heads_q, steps, size], [_, heads_k, length, _]) =
        (&c.shape(q)[..], &c.shape(k)[..])
    else {
        return Err(NodeError::Shape("rank 3 or 4 is expected"));
    };
    let (batch, heads_q, steps, size) = (*batch, *heads_q, *steps, *size);
    let (heads_k, length) = (*heads_k, *length);
    if heads_k == 0 || !heads_q.is_multiple_of(heads_k) {
        return Err(bad("kv_num_heads"));
    }
    let bias = mask(c, (batch, steps, length), past)?;
    k = repeated(c, k, heads_q / heads_k)?;
    v = repeated(c, v, heads_q / heads_k)?;
    // Both sides are scaled by the root, as the standard has it.
    let scale = match c.float_or("scale", 0.0)? {
        0.0 => 1.0 / (size as f32).sqrt(),
        scale if scale > 0.0 => scale,
        _ => return Err(bad("scale")),
    };
    let root = c.float_constant(scale.sqrt());
    let q = c.binary(Binary::Mul, q, root)?;
    let k = c.emit(Op::Transpose(vec![0, 1, 3, 2]), &[k])?;
    let k = c.binary(Binary::Mul, k, root)?;
    let product = c.emit(Op::MatMul, &[q, k])?;
    let cap = c.float_or("softcap", 0.0)?;
    let capped = if cap > 0.0 {
        let cap = c.float_constant(cap);
        let y = c.binary(Binary::Div, product, cap)?;
        let y = c.emit(Op::Unary(Unary::Tanh), &[y])?;
        c.binary(Binary::Mul, y, cap)?
    } else {
        product
    };
    let biased = match bias {
        Some(bias) => c.binary(Binary::Add, capped, bias)?,
        None => capped,
    };
    let weights = c.emit(Op::Softmax, &[biased])?;
    let shown = match c.int_or("qk_matmul_output_mode", 0)? {
        0 | 1 => capped,
        2 => biased,
        3 => weights,
        _ => return Err(bad("qk_matmul_output_mode")),
    };
    let mut y = c.emit(Op::MatMul, &[weights, v])?;
    if flat {
        y = c.emit(Op::Transpose(vec![0, 2, 1, 3]), &[y])?;
        let width = c.shape(y)[2] * c.shape(y)[3];
        y = c.reshape(y, vec![batch, steps, width])?;
    }
    Ok(vec![y, present_key, present_value, shown])
}

/// What is added to the scores: 0 where a key counts, −∞ where it does not, or a given bias.
fn mask(
    c: &mut Context<'_, '_, '_>,
    (batch, steps, length): (usize, usize, usize),
    past: usize,
) -> Result<Option<ValueId>, NodeError> {
    let zero = c.float_constant(0.0);
    let hidden = minus_infinity(c);
    let mut bias = None;
    if let Some(mut given) = c.optional(3) {
        if c.ty(given) == ElementType::Bool {
            given = c.emit(Op::Where, &[given, zero, hidden])?;
        }
        let rank = c.rank(given);
        let has = *c.shape(given).last().ok_or(NodeError::Shape("no mask"))?;
        if has < length {
            let mut pads = vec![(0, 0); rank];
            pads[rank - 1].1 = (length - has) as isize;
            given = c.emit(Op::Pad(pads, PadMode::Constant), &[given, hidden])?;
        }
        bias = Some(given);
    }
    let add = |c: &mut Context<'_, '_, '_>, bias: Option<ValueId>, more| match bias {
        Some(bias) => c.binary(Binary::Add, bias, more).map(Some),
        None => Ok(Some(more)),
    };
    if c.flag("is_causal")? {
        c.builder
            .may_make((steps as u64).saturating_mul(length as u64))?;
        let rows = (0..steps).flat_map(|i| (0..length).map(move |j| j > i + past));
        let later = rows
            .map(|later| if later { f32::NEG_INFINITY } else { 0.0 })
            .collect();
        let later = c.builder.keep(Array {
            shape: vec![steps, length],
            data: Data::F32(later),
        });
        bias = add(c, bias, later)?;
    }
    if let Some(lengths) = c.optional(6) {
        c.builder.may_make(length as u64)?;
        let index = c.builder.keep(Array {
            shape: vec![length],
            data: Data::I64((0..length as i64).collect()),
        });
        let lengths = c.emit(Op::Cast(ElementType::I64), &[lengths])?;
        let lengths = c.reshape(lengths, vec![batch, 1, 1, 1])?;
        let there = c.binary(Binary::Less, index, lengths)?;
        let padding = c.emit(Op::Where, &[there, zero, hidden])?;
        bias = add(c, bias, padding)?;
    }
    Ok(bias)
}

/// x ÷ √(mean of squares + ε) · scale.
fn rms(c: &mut Context<'_, '_, '_>) -> Value {
    let (x, scale) = (c.input(0)?, c.input(1)?);
    let rank = c.rank(x);
    let axis = c.axis("axis", -1, rank)?;
    let epsilon = c.float_or("epsilon", 1e-5)?;
    let epsilon = c.float_constant(epsilon);
    let y = c.binary(Binary::Mul, x, x)?;
    let y = c.emit(Op::Reduce(Reduce::Mean, (axis..rank).collect()), &[y])?;
    let y = c.binary(Binary::Add, y, epsilon)?;
    let y = c.emit(Op::Unary(Unary::Sqrt), &[y])?;
    let y = c.binary(Binary::Div, x, y)?;
    c.binary(Binary::Mul, y, scale)
}

/// Pairs of elements turned by angles that depend on their position.
fn rotary(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let original = c.shape(x);
    // [batch, steps, heads, size]
    let x = match original[..] {
        [_, _, _, _] => c.emit(Op::Transpose(vec![0, 2, 1, 3]), &[x])?,
        [batch, steps, width] => {
            let heads = count(c, "num_heads")?.ok_or_else(|| bad("num_heads"))?;
            if !width.is_multiple_of(heads) {
                return Err(bad("num_heads"));
            }
            c.reshape(x, vec![batch, steps, heads, width / heads])?
        }
        _ => return Err(NodeError::Shape("rank 3 or 4 is expected")),
    };
    let shape = c.shape(x);
    let size = shape[3];
    let turned = count(c, "rotary_embedding_dim")?.unwrap_or(size);
    if turned > size || turned % 2 != 0 {
        return Err(bad("rotary_embedding_dim"));
    }
    let half = turned / 2;
    let cache = |c: &mut Context<'_, '_, '_>, i: usize| {
        let mut cache = c.input(i)?;
        if let Some(positions) = c.optional(3) {
            cache = c.emit(Op::Gather(0), &[cache, positions])?;
        }
        let [batch, steps, n] = c.shape(cache)[..] else {
            return Err(NodeError::Shape("the angles do not fit"));
        };
        c.reshape(cache, vec![batch, steps, 1, n])
    };
    let (cos, sin) = (cache(c, 1)?, cache(c, 2)?);
    let front = part(c, x, 3, 0, turned)?;
    let interleaved = c.flag("interleaved")?;
    let mut pairs = shape[..3].to_vec();
    let (a, b) = if interleaved {
        pairs.extend([half, 2]);
        let y = c.reshape(front, pairs)?;
        let mut one = shape[..3].to_vec();
        one.push(half);
        let (a, b) = (part(c, y, 4, 0, 1)?, part(c, y, 4, 1, 1)?);
        (c.reshape(a, one.clone())?, c.reshape(b, one)?)
    } else {
        (part(c, front, 3, 0, half)?, part(c, front, 3, half, half)?)
    };
    let times = |c: &mut Context<'_, '_, '_>, x, y| c.binary(Binary::Mul, x, y);
    let (ac, bs) = (times(c, a, cos)?, times(c, b, sin)?);
    let (a_s, bc) = (times(c, a, sin)?, times(c, b, cos)?);
    let real = c.binary(Binary::Sub, ac, bs)?;
    let imaginary = c.binary(Binary::Add, a_s, bc)?;
    let mut y = if interleaved {
        let mut one = shape[..3].to_vec();
        one.extend([half, 1]);
        let real = c.reshape(real, one.clone())?;
        let imaginary = c.reshape(imaginary, one)?;
        let y = c.emit(Op::Concat(4), &[real, imaginary])?;
        let mut joined = shape[..3].to_vec();
        joined.push(turned);
        c.reshape(y, joined)?
    } else {
        c.emit(Op::Concat(3), &[real, imaginary])?
    };
    if turned < size {
        let rest = part(c, x, 3, turned, size - turned)?;
        y = c.emit(Op::Concat(3), &[y, rest])?;
    }
    if original.len() == 4 {
        y = c.emit(Op::Transpose(vec![0, 2, 1, 3]), &[y])?;
    }
    c.reshape(y, original)
}

/// A convolution of each channel with what came before, which is carried from call to call.
fn causal_conv(c: &mut Context<'_, '_, '_>) -> Lowered {
    let (x, w) = (c.input(0)?, c.input(1)?);
    let ([batch, channels, _], [_, _, k]) = (&c.shape(x)[..], &c.shape(w)[..]) else {
        return Err(NodeError::Shape("rank 3 is expected"));
    };
    let (before, channels) = (vec![*batch, *channels, k.saturating_sub(1)], *channels);
    let state = match c.optional(3) {
        Some(state) => state,
        None => {
            let zero = zero_like(c, x)?;
            let zero = c.reshape(zero, vec![1; 3])?;
            c.emit(Op::Expand(before.clone()), &[zero])?
        }
    };
    let padded = c.emit(Op::Concat(2), &[state, x])?;
    let bias = c.optional(2);
    let y = convolution(c, padded, w, &[bias], |mut shape| {
        shape.groups = channels;
        Op::Conv(shape)
    })?;
    let y = match c.string_or("activation", "none")? {
        "none" => y,
        "silu" | "swish" => {
            let s = c.emit(Op::Unary(Unary::Sigmoid), &[y])?;
            c.binary(Binary::Mul, y, s)?
        }
        _ => return Err(bad("activation")),
    };
    let length = c.shape(padded)[2];
    let start = length
        .checked_sub(before[2])
        .ok_or(NodeError::Shape("the state does not fit"))?;
    let present = part(c, padded, 2, start, before[2])?;
    Ok(vec![y, present])
}

/// A recurrence over a matrix for each head: decay, correction, an outer product, a query.
fn linear_attention(c: &mut Context<'_, '_, '_>) -> Lowered {
    let rule = c.string_or("update_rule", "gated_delta")?;
    let (gated, delta) = match rule {
        "linear" => (false, false),
        "gated" => (true, false),
        "delta" => (false, true),
        "gated_delta" => (true, true),
        _ => return Err(bad("update_rule")),
    };
    let q_heads = count(c, "q_num_heads")?.ok_or_else(|| bad("q_num_heads"))?;
    let kv_heads = count(c, "kv_num_heads")?.ok_or_else(|| bad("kv_num_heads"))?;
    if !q_heads.is_multiple_of(kv_heads) {
        return Err(bad("q_num_heads"));
    }
    let (q, k, v) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (q, k, v) = (
        heads(c, q, Some(q_heads))?,
        heads(c, k, Some(kv_heads))?,
        heads(c, v, Some(kv_heads))?,
    );
    let ([batch, _, steps, d_k], [.., d_v]) = (&c.shape(q)[..], &c.shape(v)[..]) else {
        return Err(NodeError::Shape("rank 3 is expected"));
    };
    let (batch, steps, d_k, d_v) = (*batch, *steps, *d_k, *d_v);
    let mut state = match c.optional(3) {
        Some(state) => state,
        None => {
            let zero = c.float_constant(0.0);
            let zero = c.reshape(zero, vec![1; 4])?;
            c.emit(Op::Expand(vec![batch, kv_heads, d_k, d_v]), &[zero])?
        }
    };
    let decay = if gated {
        let decay = c.input(4)?;
        let decay = heads(c, decay, Some(kv_heads))?;
        Some(c.emit(Op::Unary(Unary::Exp), &[decay])?)
    } else {
        None
    };
    let beta = if delta {
        let beta = c.input(5)?;
        let n = c.shape(beta).get(2).copied();
        Some(heads(c, beta, n)?)
    } else {
        None
    };
    let scale = match c.float_or("scale", 0.0)? {
        0.0 => 1.0 / (d_k as f32).sqrt(),
        scale => scale,
    };
    let scale = c.float_constant(scale);
    let mut outputs = Vec::with_capacity(steps);
    for i in 0..steps {
        let q = part(c, q, 2, i, 1)?;
        let row = part(c, k, 2, i, 1)?;
        let column = c.emit(Op::Transpose(vec![0, 1, 3, 2]), &[row])?;
        let mut value = part(c, v, 2, i, 1)?;
        if let Some(decay) = decay {
            let g = part(c, decay, 2, i, 1)?;
            let g = c.emit(Op::Transpose(vec![0, 1, 3, 2]), &[g])?;
            state = c.binary(Binary::Mul, state, g)?;
        }
        if let Some(beta) = beta {
            let b = part(c, beta, 2, i, 1)?;
            let known = c.emit(Op::MatMul, &[row, state])?;
            let rest = c.binary(Binary::Sub, value, known)?;
            value = c.binary(Binary::Mul, b, rest)?;
        }
        let outer = c.binary(Binary::Mul, column, value)?;
        state = c.binary(Binary::Add, state, outer)?;
        let read = repeated(c, state, q_heads / kv_heads)?;
        let y = c.emit(Op::MatMul, &[q, read])?;
        outputs.push(c.binary(Binary::Mul, y, scale)?);
    }
    let y = c.emit(Op::Concat(2), &outputs)?;
    let y = c.emit(Op::Transpose(vec![0, 2, 1, 3]), &[y])?;
    let y = c.reshape(y, vec![batch, steps, q_heads * d_v])?;
    Ok(vec![y, state])
}
