//! `RNN`, `GRU` and `LSTM`, step by step.

use super::movement::part;
use crate::array::Data;
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::onnx::schema::Attribute;
use crate::op::{Binary, Op, Unary};
use crate::tensor::ElementType;

type Value = Result<ValueId, NodeError>;

/// Sizes of a layer.
#[derive(Clone, Copy)]
struct Layer {
    steps: usize,
    batch: usize,
    width: usize,
    hidden: usize,
    gates: usize,
}

/// The operands of one direction.
struct Direction {
    /// Input weights `[width, gates · hidden]`, recurrent weights `[hidden, gates · hidden]`.
    w: ValueId,
    r: ValueId,
    w_bias: ValueId,
    r_bias: ValueId,
    peepholes: Option<ValueId>,
    h: ValueId,
    cell: ValueId,
}

fn zeros(c: &mut Context<'_, '_, '_>, shape: Vec<usize>) -> Value {
    let zero = c.float_constant(0.0);
    let zero = c.reshape(zero, vec![1; shape.len()])?;
    c.emit(Op::Expand(shape), &[zero])
}

/// Clipping and activations other than the default ones are refused.
pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let gates = match c.node.op_type {
        "LSTM" => 4,
        "GRU" => 3,
        _ => 1,
    };
    let refused = ["activations", "clip", "activation_alpha", "activation_beta"];
    if let Some(name) = refused.into_iter().find(|n| c.attribute(n).is_some()) {
        return Err(bad(name));
    }
    if c.flag("input_forget")? {
        return Err(bad("input_forget"));
    }
    let (reverse, directions) = match c.string_or("direction", "forward")? {
        "forward" => (false, 1),
        "reverse" => (true, 1),
        "bidirectional" => (false, 2),
        _ => return Err(bad("direction")),
    };
    let hidden = match c.attribute("hidden_size") {
        Some(Attribute::Int(h)) if (1..1 << 16).contains(h) => *h as usize,
        _ => return Err(bad("hidden_size")),
    };
    // With layout 1 the batch comes first, everywhere.
    let batch_first = c.flag("layout")?;
    let mut x = c.input(0)?;
    if batch_first && c.rank(x) == 3 {
        x = c.emit(Op::Transpose(vec![1, 0, 2]), &[x])?;
    }
    let [steps, batch, width] = c.shape(x)[..] else {
        return Err(NodeError::Shape("[steps, batch, inputs] is expected"));
    };
    let layer = Layer {
        steps,
        batch,
        width,
        hidden,
        gates,
    };
    let (w, r) = (c.input(1)?, c.input(2)?);
    if c.shape(w) != [directions, gates * hidden, width]
        || c.shape(r) != [directions, gates * hidden, hidden]
        || steps == 0
        || c.ty(x) != ElementType::F32
    {
        return Err(NodeError::Shape("the weights do not fit"));
    }
    let lengths = match c.optional(4) {
        Some(n) if reverse || directions == 2 => {
            let _ = n;
            return Err(NodeError::Value(
                "sequences of different lengths run forward only",
            ));
        }
        Some(n) => Some(c.reshape(n, vec![batch, 1])?),
        None => None,
    };
    let (mut all, mut last_h, mut last_c) = (Vec::new(), Vec::new(), Vec::new());
    for direction in 0..directions {
        let state = operands(c, layer, direction, batch_first)?;
        let reverse = reverse || direction == 1;
        let (outputs, h, cell) = run(c, layer, x, state, lengths, reverse)?;
        let mut sequence = Vec::with_capacity(steps);
        for h in outputs {
            sequence.push(c.reshape(h, vec![1, 1, batch, hidden])?);
        }
        all.push(c.emit(Op::Concat(0), &sequence)?);
        last_h.push(c.reshape(h, vec![1, batch, hidden])?);
        last_c.push(c.reshape(cell, vec![1, batch, hidden])?);
    }
    let all = c.emit(Op::Concat(1), &all)?;
    let mut results = vec![all, c.emit(Op::Concat(0), &last_h)?];
    if gates == 4 {
        results.push(c.emit(Op::Concat(0), &last_c)?);
    }
    if batch_first {
        results[0] = c.emit(Op::Transpose(vec![2, 0, 1, 3]), &[results[0]])?;
        for state in &mut results[1..] {
            *state = c.emit(Op::Transpose(vec![1, 0, 2]), &[*state])?;
        }
    }
    Ok(results)
}

fn operands(
    c: &mut Context<'_, '_, '_>,
    layer: Layer,
    direction: usize,
    batch_first: bool,
) -> Result<Direction, NodeError> {
    let Layer {
        batch,
        width,
        hidden,
        gates,
        ..
    } = layer;
    let matrix = |c: &mut Context<'_, '_, '_>, i: usize, inner: usize| {
        let m = c.input(i)?;
        let m = part(c, m, 0, direction, 1)?;
        let m = c.reshape(m, vec![gates * hidden, inner])?;
        c.emit(Op::Transpose(vec![1, 0]), &[m])
    };
    let vector = |c: &mut Context<'_, '_, '_>, i: usize, n: usize| match c.optional(i) {
        Some(v) => {
            let v = part(c, v, 0, direction, 1)?;
            c.reshape(v, vec![n]).map(Some)
        }
        None => Ok(None),
    };
    let state = |c: &mut Context<'_, '_, '_>, i: usize| match c.optional(i) {
        Some(s) => {
            let s = part(c, s, usize::from(batch_first), direction, 1)?;
            c.reshape(s, vec![batch, hidden])
        }
        None => zeros(c, vec![batch, hidden]),
    };
    let bias = match vector(c, 3, 2 * gates * hidden)? {
        Some(bias) => bias,
        None => zeros(c, vec![2 * gates * hidden])?,
    };
    let h = state(c, 5)?;
    Ok(Direction {
        w: matrix(c, 1, width)?,
        r: matrix(c, 2, hidden)?,
        w_bias: part(c, bias, 0, 0, gates * hidden)?,
        r_bias: part(c, bias, 0, gates * hidden, gates * hidden)?,
        peepholes: if gates == 4 {
            vector(c, 7, 3 * hidden)?
        } else {
            None
        },
        cell: if gates == 4 { state(c, 6)? } else { h },
        h,
    })
}

/// Outputs in order of the steps, and the last states.
fn run(
    c: &mut Context<'_, '_, '_>,
    layer: Layer,
    x: ValueId,
    d: Direction,
    lengths: Option<ValueId>,
    reverse: bool,
) -> Result<(Vec<ValueId>, ValueId, ValueId), NodeError> {
    let Layer {
        steps,
        batch,
        width,
        hidden,
        gates,
    } = layer;
    let (mut h, mut cell) = (d.h, d.cell);
    // All steps' inputs in one product.
    let rows = c.reshape(x, vec![steps * batch, width])?;
    let rows = c.emit(Op::MatMul, &[rows, d.w])?;
    let rows = c.binary(Binary::Add, rows, d.w_bias)?;
    let mut outputs = vec![h; steps];
    for i in 0..steps {
        let step = if reverse { steps - 1 - i } else { i };
        let from_x = part(c, rows, 0, step * batch, batch)?;
        let from_h = c.emit(Op::MatMul, &[h, d.r])?;
        let (old_h, old_cell) = (h, cell);
        if gates == 3 {
            h = gru_step(c, (from_x, from_h), h, d.r, d.r_bias, hidden)?;
        } else {
            let from_h = c.binary(Binary::Add, from_h, d.r_bias)?;
            let sum = c.binary(Binary::Add, from_x, from_h)?;
            if gates == 4 {
                (h, cell) = lstm_step(c, sum, cell, d.peepholes, hidden)?;
            } else {
                h = c.emit(Op::Unary(Unary::Tanh), &[sum])?;
            }
        }
        outputs[step] = h;
        if let Some(lengths) = lengths {
            // Past its end a sequence keeps its states and gives zeros.
            let ty = c.ty(lengths);
            let now = c.builder.scalar(Data::I64(vec![step as i64]));
            let now = c.emit(Op::Cast(ty), &[now])?;
            let alive = c.binary(Binary::Less, now, lengths)?;
            let zero = c.float_constant(0.0);
            outputs[step] = c.emit(Op::Where, &[alive, h, zero])?;
            h = c.emit(Op::Where, &[alive, h, old_h])?;
            cell = c.emit(Op::Where, &[alive, cell, old_cell])?;
        }
    }
    Ok((outputs, h, cell))
}

fn lstm_step(
    c: &mut Context<'_, '_, '_>,
    sum: ValueId,
    cell: ValueId,
    peepholes: Option<ValueId>,
    hidden: usize,
) -> Result<(ValueId, ValueId), NodeError> {
    // Gates are stored as input, output, forget, cell; peepholes as input, output, forget.
    let gate = |c: &mut Context<'_, '_, '_>, i: usize, f, seen: Option<ValueId>| {
        let mut g = part(c, sum, 1, i * hidden, hidden)?;
        if let (Some(p), Some(cell)) = (peepholes, seen) {
            let p = part(c, p, 0, i * hidden, hidden)?;
            let p = c.binary(Binary::Mul, p, cell)?;
            g = c.binary(Binary::Add, g, p)?;
        }
        c.emit(Op::Unary(f), &[g])
    };
    let input = gate(c, 0, Unary::Sigmoid, Some(cell))?;
    let forget = gate(c, 2, Unary::Sigmoid, Some(cell))?;
    let update = gate(c, 3, Unary::Tanh, None)?;
    let kept = c.binary(Binary::Mul, forget, cell)?;
    let new = c.binary(Binary::Mul, input, update)?;
    let cell = c.binary(Binary::Add, kept, new)?;
    let output = gate(c, 1, Unary::Sigmoid, Some(cell))?;
    let t = c.emit(Op::Unary(Unary::Tanh), &[cell])?;
    Ok((c.binary(Binary::Mul, output, t)?, cell))
}
fn gru_step(
    c: &mut Context<'_, '_, '_>,
    (from_x, from_h): (ValueId, ValueId),
    h: ValueId,
    r: ValueId,
    r_bias: ValueId,
    hidden: usize,
) -> Value {
    let gate = |c: &mut Context<'_, '_, '_>, i: usize| {
        let x = part(c, from_x, 1, i * hidden, hidden)?;
        let y = part(c, from_h, 1, i * hidden, hidden)?;
        let bias = part(c, r_bias, 0, i * hidden, hidden)?;
        let y = c.binary(Binary::Add, y, bias)?;
        let sum = c.binary(Binary::Add, x, y)?;
        c.emit(Op::Unary(Unary::Sigmoid), &[sum])
    };
    let (update, reset) = (gate(c, 0)?, gate(c, 1)?);
    let bias = part(c, r_bias, 0, 2 * hidden, hidden)?;
    let recurrent = if c.flag("linear_before_reset")? {
        let y = part(c, from_h, 1, 2 * hidden, hidden)?;
        let y = c.binary(Binary::Add, y, bias)?;
        c.binary(Binary::Mul, reset, y)?
    } else {
        let y = c.binary(Binary::Mul, reset, h)?;
        let r = part(c, r, 1, 2 * hidden, hidden)?;
        let y = c.emit(Op::MatMul, &[y, r])?;
        c.binary(Binary::Add, y, bias)?
    };
    let x = part(c, from_x, 1, 2 * hidden, hidden)?;
    let y = c.binary(Binary::Add, x, recurrent)?;
    let candidate = c.emit(Op::Unary(Unary::Tanh), &[y])?;
    let one = c.float_constant(1.0);
    let rest = c.binary(Binary::Sub, one, update)?;
    let new = c.binary(Binary::Mul, rest, candidate)?;
    let old = c.binary(Binary::Mul, update, h)?;
    c.binary(Binary::Add, new, old)
}
