//! Operators composed of simpler ones: transposed convolutions, resampling, recurrent layers.

use super::contraction::{pads, pair};
use super::movement::part;
use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::kernels::ConvShape;
use crate::onnx::schema::Attribute;
use crate::op::{Binary, Op, PadMode, Unary};
use crate::tensor::ElementType;

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    match c.node.op_type {
        "ConvTranspose" => Ok(vec![conv_transpose(c)?]),
        "Resize" => Ok(vec![resize(c)?]),
        "LSTM" | "GRU" => recurrent(c),
        "Trilu" => Ok(vec![trilu(c)?]),
        _ => Err(NodeError::Operator),
    }
}

/// Zeros between the elements, then an ordinary convolution with the kernel reversed.
fn conv_transpose(c: &mut Context<'_, '_, '_>) -> Value {
    let (x, w) = (c.input(0)?, c.input(1)?);
    let (shape_x, shape_w) = (c.shape(x), c.shape(w));
    let (spatial, input, kernel) = match (&shape_x[..], &shape_w[..]) {
        ([_, _, w], [_, _, k]) => (1, [1, *w], [1, *k]),
        ([_, _, h, w], [_, _, j, k]) => (2, [*h, *w], [*j, *k]),
        _ => {
            return Err(NodeError::Shape(
                "convolutions have one or two spatial axes",
            ));
        }
    };
    if c.ints("output_shape")?.is_some() || c.string_or("auto_pad", "NOTSET")? != "NOTSET" {
        return Err(bad("auto_pad"));
    }
    let strides = pair(c, "strides", spatial, 1)?;
    let dilations = pair(c, "dilations", spatial, 1)?;
    let extra = match pair(c, "output_padding", spatial, 0)? {
        [_, w] if spatial == 1 => [0, w],
        both => both,
    };
    let pads = pads(c, spatial, input, kernel, strides, dilations)?;
    let groups = usize::try_from(c.int_or("group", 1)?).map_err(|_| bad("group"))?;
    let (n, channels) = (shape_x[0], shape_x[1]);
    let per_group = shape_w[1];
    if groups == 0 || channels != shape_w[0] || channels % groups != 0 {
        return Err(bad("group"));
    }
    if strides.contains(&0) || dilations.contains(&0) || kernel.contains(&0) || input.contains(&0) {
        return Err(bad("strides"));
    }
    if strides
        .iter()
        .chain(&dilations)
        .chain(&kernel)
        .any(|v| *v > 1 << 16)
    {
        return Err(bad("strides"));
    }
    let [h, width] = input;
    let y = c.reshape(x, vec![n, channels, h, 1, width, 1])?;
    let zero = c.float_constant(0.0);
    let gaps = |i: usize| (0, (strides[i] - 1) as isize);
    let list = vec![(0, 0), (0, 0), (0, 0), gaps(0), (0, 0), gaps(1)];
    let y = c.emit(Op::Pad(list, PadMode::Constant), &[y, zero])?;
    let spread = [h * strides[0], width * strides[1]];
    let y = c.reshape(y, vec![n, channels, spread[0], spread[1]])?;
    // What a kernel reaches, less the declared padding, and less the zeros after the last element.
    let mut list = vec![(0, 0), (0, 0)];
    for axis in 0..2 {
        let reach = ((kernel[axis] - 1) * dilations[axis]) as isize;
        list.push((
            reach - pads[axis] as isize,
            reach - pads[axis + 2] as isize + extra[axis] as isize - (strides[axis] as isize - 1),
        ));
    }
    let y = c.emit(Op::Pad(list, PadMode::Constant), &[y, zero])?;
    let padded = c.shape(y);
    // [in, out / groups, kh, kw] → [out, in / groups, kh, kw], reversed.
    let inner = channels / groups;
    let w = c.reshape(w, vec![groups, inner, per_group, kernel[0], kernel[1]])?;
    let w = c.emit(Op::Transpose(vec![0, 2, 1, 3, 4]), &[w])?;
    let out_channels = groups
        .checked_mul(per_group)
        .ok_or(NodeError::Limit("channels"))?;
    let w = c.reshape(w, vec![out_channels, inner, kernel[0], kernel[1]])?;
    let w = c.emit(
        Op::Slice(vec![
            (0, 1, out_channels),
            (0, 1, inner),
            (kernel[0] - 1, -1, kernel[0]),
            (kernel[1] - 1, -1, kernel[1]),
        ]),
        &[w],
    )?;
    let shape = ConvShape {
        channels_in: channels,
        channels_out: out_channels,
        groups,
        input: [padded[2], padded[3]],
        kernel,
        strides: [1, 1],
        dilations,
        pads: [0; 4],
    };
    let inputs = [Some(y), Some(w), c.optional(2)];
    let y = c.emit_optional(Op::Conv(shape), &inputs)?;
    let mut out = c.shape(y);
    if spatial == 1 {
        out.remove(2);
    }
    c.reshape(y, out)
}

/// Nearest and linear resampling, one axis after the other.
fn resize(c: &mut Context<'_, '_, '_>) -> Value {
    let mut x = c.input(0)?;
    let shape = c.shape(x);
    if c.ints("axes")?.is_some() || c.flag("antialias")? || c.flag("exclude_outside")? {
        return Err(bad("axes"));
    }
    if c.string_or("keep_aspect_ratio_policy", "stretch")? != "stretch" {
        return Err(bad("keep_aspect_ratio_policy"));
    }
    let linear = match c.string_or("mode", "nearest")? {
        "nearest" => false,
        "linear" => true,
        _ => return Err(bad("mode")),
    };
    let transform = c.string_or("coordinate_transformation_mode", "half_pixel")?;
    let rounding = c.string_or("nearest_mode", "round_prefer_floor")?;
    let scales = match c.constant(2)? {
        Some(scales) if !scales.is_empty() => Some(
            scales
                .as_f32()
                .ok_or(NodeError::Value("scales are floats"))?
                .to_vec(),
        ),
        _ => None,
    };
    let sizes = c.constant_ints(3)?;
    for axis in 0..shape.len() {
        let len = shape[axis];
        let (out, scale) = match (&sizes, &scales) {
            (Some(sizes), _) if !sizes.is_empty() => {
                let size = sizes.get(axis).and_then(|s| u32::try_from(*s).ok());
                let size = size.ok_or(NodeError::Value("a size is out of range"))? as usize;
                (size, size as f32 / len as f32)
            }
            (_, Some(scales)) => {
                let scale = scales.get(axis).copied().unwrap_or(0.0);
                if !scale.is_normal() || scale < 0.0 {
                    return Err(NodeError::Scale(scale));
                }
                ((len as f32 * scale).floor() as usize, scale)
            }
            _ => return Err(NodeError::MissingInput(2)),
        };
        if out == len && scale == 1.0 {
            continue;
        }
        if len == 0 || out == 0 || out as u64 > c.builder.limits.elements {
            return Err(NodeError::Limit("elements in a tensor"));
        }
        let source = |i: usize| -> Result<f32, NodeError> {
            let i = i as f32;
            Ok(match transform {
                "half_pixel" => (i + 0.5) / scale - 0.5,
                "pytorch_half_pixel" if out > 1 => (i + 0.5) / scale - 0.5,
                "pytorch_half_pixel" => 0.0,
                "asymmetric" => i / scale,
                // The resized length before it is rounded down, as the standard has it.
                "align_corners" if out > 1 => i * (len - 1) as f32 / (len as f32 * scale - 1.0),
                "align_corners" => 0.0,
                _ => return Err(bad("coordinate_transformation_mode")),
            })
        };
        let clamp = |v: f32| (v as i64).clamp(0, len as i64 - 1);
        let (mut low, mut high, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..out {
            let at = source(i)?;
            if linear {
                let at = at.clamp(0.0, (len - 1) as f32);
                low.push(clamp(at.floor()));
                high.push(clamp(at.floor() + 1.0));
                weights.push(at - at.floor());
            } else {
                low.push(clamp(match rounding {
                    "round_prefer_floor" => (at - 0.5).ceil(),
                    "round_prefer_ceil" => (at + 0.5).floor(),
                    "floor" => at.floor(),
                    "ceil" => at.ceil(),
                    _ => return Err(bad("nearest_mode")),
                }));
            }
        }
        let indices = |c: &mut Context<'_, '_, '_>, list: Vec<i64>| {
            c.builder.graph.add_constant(Array {
                shape: vec![out],
                data: Data::I64(list),
            })
        };
        let low = indices(c, low);
        let first = c.emit(Op::Gather(axis), &[x, low])?;
        x = if linear {
            let high = indices(c, high);
            let second = c.emit(Op::Gather(axis), &[x, high])?;
            let mut dims = vec![1; shape.len()];
            dims[axis] = out;
            let weights = c.builder.graph.add_constant(Array {
                shape: dims,
                data: Data::F32(weights),
            });
            let difference = c.binary(Binary::Sub, second, first)?;
            let step = c.binary(Binary::Mul, difference, weights)?;
            c.binary(Binary::Add, first, step)?
        } else {
            first
        };
    }
    Ok(x)
}

/// Elements outside the triangle become zero, by a mask made at load.
fn trilu(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let shape = c.shape(x);
    let [.., rows, columns] = shape[..] else {
        return Err(NodeError::Shape("matrices are expected"));
    };
    let k = match c.constant_ints(1)?.as_deref() {
        None => 0,
        Some([k]) => *k,
        Some(_) => return Err(NodeError::Value("one diagonal is expected")),
    };
    let upper = c.int_or("upper", 1)? != 0;
    if (rows as u64).saturating_mul(columns as u64) > c.builder.limits.folding {
        return Err(NodeError::Limit("constants folded at load"));
    }
    let mask = (0..rows as i64)
        .flat_map(|i| (0..columns as i64).map(move |j| (i, j)))
        .map(|(i, j)| {
            let d = j - i;
            if upper { d >= k } else { d <= k }
        })
        .collect();
    let mask = c.builder.graph.add_constant(Array {
        shape: vec![rows, columns],
        data: Data::Bool(mask),
    });
    let zero = super::math::zero_like(c, x)?;
    c.emit(Op::Where, &[mask, x, zero])
}

/// `LSTM` and `GRU`, step by step. Peepholes, clipping and other activations are refused.
fn recurrent(c: &mut Context<'_, '_, '_>) -> Lowered {
    let lstm = c.node.op_type == "LSTM";
    let gates = if lstm { 4 } else { 3 };
    let refused = ["activations", "clip", "activation_alpha", "activation_beta"];
    if let Some(name) = refused.into_iter().find(|n| c.attribute(n).is_some()) {
        return Err(bad(name));
    }
    if c.flag("input_forget")? || c.flag("layout")? {
        return Err(bad("layout"));
    }
    if c.optional(4).is_some() || c.optional(7).is_some() {
        return Err(NodeError::Value(
            "sequence lengths and peepholes are not supported",
        ));
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
    let x = c.input(0)?;
    let [steps, batch, width] = c.shape(x)[..] else {
        return Err(NodeError::Shape("[steps, batch, inputs] is expected"));
    };
    let (w, r) = (c.input(1)?, c.input(2)?);
    if c.shape(w) != [directions, gates * hidden, width]
        || c.shape(r) != [directions, gates * hidden, hidden]
        || steps == 0
        || c.ty(x) != ElementType::F32
    {
        return Err(NodeError::Shape("the weights do not fit"));
    }
    let zeros = |c: &mut Context<'_, '_, '_>, shape: Vec<usize>| {
        c.builder.graph.add_constant(Array {
            data: Data::F32(vec![0.0; shape.iter().product()]),
            shape,
        })
    };
    let (mut all, mut last_h, mut last_c) = (Vec::new(), Vec::new(), Vec::new());
    for direction in 0..directions {
        let reverse = reverse || direction == 1;
        let matrix = |c: &mut Context<'_, '_, '_>, m: ValueId, inner: usize| {
            let m = part(c, m, 0, direction, 1)?;
            let m = c.reshape(m, vec![gates * hidden, inner])?;
            c.emit(Op::Transpose(vec![1, 0]), &[m])
        };
        let (w, r) = (matrix(c, w, width)?, matrix(c, r, hidden)?);
        let bias = match c.optional(3) {
            Some(b) => {
                let b = part(c, b, 0, direction, 1)?;
                c.reshape(b, vec![2 * gates * hidden])?
            }
            None => zeros(c, vec![2 * gates * hidden]),
        };
        let w_bias = part(c, bias, 0, 0, gates * hidden)?;
        let r_bias = part(c, bias, 0, gates * hidden, gates * hidden)?;
        let state = |c: &mut Context<'_, '_, '_>, i: usize| match c.optional(i) {
            Some(s) => {
                let s = part(c, s, 0, direction, 1)?;
                c.reshape(s, vec![batch, hidden])
            }
            None => Ok(zeros(c, vec![batch, hidden])),
        };
        let mut h = state(c, 5)?;
        let mut cell = if lstm { state(c, 6)? } else { h };
        // All steps' inputs in one product.
        let rows = c.reshape(x, vec![steps * batch, width])?;
        let rows = c.emit(Op::MatMul, &[rows, w])?;
        let rows = c.binary(Binary::Add, rows, w_bias)?;
        let mut outputs = vec![h; steps];
        for i in 0..steps {
            let step = if reverse { steps - 1 - i } else { i };
            let from_x = part(c, rows, 0, step * batch, batch)?;
            let from_h = c.emit(Op::MatMul, &[h, r])?;
            if lstm {
                let from_h = c.binary(Binary::Add, from_h, r_bias)?;
                let sum = c.binary(Binary::Add, from_x, from_h)?;
                let gate = |c: &mut Context<'_, '_, '_>, i: usize, f| {
                    let g = part(c, sum, 1, i * hidden, hidden)?;
                    c.emit(Op::Unary(f), &[g])
                };
                let input = gate(c, 0, Unary::Sigmoid)?;
                let output = gate(c, 1, Unary::Sigmoid)?;
                let forget = gate(c, 2, Unary::Sigmoid)?;
                let update = gate(c, 3, Unary::Tanh)?;
                let kept = c.binary(Binary::Mul, forget, cell)?;
                let new = c.binary(Binary::Mul, input, update)?;
                cell = c.binary(Binary::Add, kept, new)?;
                let t = c.emit(Op::Unary(Unary::Tanh), &[cell])?;
                h = c.binary(Binary::Mul, output, t)?;
            } else {
                h = gru_step(c, (from_x, from_h), h, r, r_bias, hidden)?;
            }
            outputs[step] = h;
        }
        let mut sequence = Vec::with_capacity(steps);
        for h in outputs {
            sequence.push(c.reshape(h, vec![1, 1, batch, hidden])?);
        }
        all.push(c.emit(Op::Concat(0), &sequence)?);
        last_h.push(c.reshape(h, vec![1, batch, hidden])?);
        last_c.push(c.reshape(cell, vec![1, batch, hidden])?);
    }
    let mut results = vec![
        c.emit(Op::Concat(1), &all)?,
        c.emit(Op::Concat(0), &last_h)?,
    ];
    if lstm {
        results.push(c.emit(Op::Concat(0), &last_c)?);
    }
    Ok(results)
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
