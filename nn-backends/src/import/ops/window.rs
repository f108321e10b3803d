//! Pooling.

use super::contraction::{pads, pair};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::kernels::ConvShape;
use crate::op::{Binary, Op, PadMode, Reduce, Scatter, Unary, Window};

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.input(0)?;
    let shape = c.shape(x);
    let id = match c.node.op_type {
        "GlobalAveragePool" => {
            c.emit(Op::Reduce(Reduce::Mean, (2..shape.len()).collect()), &[x])?
        }
        "GlobalMaxPool" => c.emit(Op::Reduce(Reduce::Max, (2..shape.len()).collect()), &[x])?,
        "LRN" => local_response(c, x)?,
        "LpPool" => lp_pool(c, x)?,
        "MaxUnpool" => max_unpool(c, x)?,
        op if shape.len() == 5 => volume(c, x, op == "AveragePool")?,
        op => {
            let (x, window, out) = window(c, x)?;
            let mut results = Vec::new();
            if c.node.outputs.get(1).is_some_and(|name| !name.is_empty()) {
                let columns = c.flag("storage_order")?;
                let y = c.emit(Op::PoolIndices(window.clone(), columns), &[x])?;
                results.push(c.reshape(y, out.clone())?);
            }
            let y = c.emit(
                Op::Pool {
                    average: op == "AveragePool",
                    count_padding: c.flag("count_include_pad")?,
                    window,
                },
                &[x],
            )?;
            results.insert(0, c.reshape(y, out)?);
            return Ok(results);
        }
    };
    Ok(vec![id])
}

/// Windows over three axes, the last two first: both a maximum and a mean over a box are separable.
fn volume(c: &mut Context<'_, '_, '_>, x: ValueId, average: bool) -> Value {
    if c.node.outputs.get(1).is_some_and(|name| !name.is_empty()) {
        return Err(NodeError::Shape("indices are of one or two spatial axes"));
    }
    let shape = c.shape(x);
    let axes = geometry(c, &shape[2..])?;
    let [depth, rows, columns] = axes[..] else {
        return Err(NodeError::Shape("three spatial axes are expected"));
    };
    let count_padding = c.flag("count_include_pad")?;
    let (planes, d) = (shape[0] * shape[1], shape[2]);
    let pool = |c: &mut Context<'_, '_, '_>, x, window| {
        let op = Op::Pool {
            average,
            count_padding,
            window,
        };
        c.emit(op, &[x])
    };
    let y = c.reshape(x, vec![planes, d, shape[3], shape[4]])?;
    let y = pool(c, y, joined(rows, columns))?;
    let flat = rows.output * columns.output;
    let y = c.reshape(y, vec![planes, 1, d, flat])?;
    let y = pool(c, y, joined(depth, whole(flat)))?;
    let out = vec![
        shape[0],
        shape[1],
        depth.output,
        rows.output,
        columns.output,
    ];
    c.reshape(y, out)
}

/// x ÷ (bias + alpha · mean of the squares of neighbouring channels)^beta.
fn local_response(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let shape = c.shape(x);
    let size = match c.int("size")? {
        Some(n) if (1..1 << 12).contains(&n) => n as usize,
        _ => return Err(bad("size")),
    };
    let [n, channels, ref rest @ ..] = shape[..] else {
        return Err(NodeError::Shape("channels are expected"));
    };
    let plane = rest.iter().product();
    let square = c.binary(Binary::Mul, x, x)?;
    let y = c.reshape(square, vec![n, 1, channels, plane])?;
    let along = Along {
        kernel: size,
        stride: 1,
        dilation: 1,
        begin: (size - 1) / 2,
        end: size / 2,
        output: channels,
    };
    let op = Op::Pool {
        average: true,
        count_padding: true,
        window: joined(along, whole(plane)),
    };
    let y = c.emit(op, &[y])?;
    let y = c.reshape(y, shape)?;
    let (alpha, beta) = (c.float_or("alpha", 1e-4)?, c.float_or("beta", 0.75)?);
    let bias = c.float_or("bias", 1.0)?;
    let (alpha, beta) = (c.float_constant(alpha), c.float_constant(beta));
    let bias = c.float_constant(bias);
    let y = c.binary(Binary::Mul, y, alpha)?;
    let y = c.binary(Binary::Add, y, bias)?;
    let y = c.binary(Binary::Pow, y, beta)?;
    c.binary(Binary::Div, x, y)
}

/// The p-th root of the sum of p-th powers: a convolution with ones.
fn lp_pool(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let p = c.int_or("p", 2)?;
    if !(1..=16).contains(&p) {
        return Err(bad("p"));
    }
    if c.rank(x) == 5 {
        return Err(NodeError::Shape("one or two spatial axes are expected"));
    }
    let (x, window, out) = window(c, x)?;
    let shape = c.shape(x);
    let channels = shape[1];
    let y = c.emit(Op::Unary(Unary::Abs), &[x])?;
    let y = super::math::power(c, y, p as u32)?;
    // Rounding up adds windows that reach beyond the declared padding.
    let mut pads = [window.pads[0], window.pads[1], 0, 0];
    for axis in 0..2 {
        let reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
        let all = (window.output[axis] - 1) * window.strides[axis] + reach;
        pads[axis + 2] = all.saturating_sub(shape[axis + 2] + window.pads[axis]);
    }
    let conv = ConvShape {
        channels_in: channels,
        channels_out: channels,
        groups: channels,
        input: [shape[2], shape[3]],
        kernel: window.kernel,
        strides: window.strides,
        dilations: window.dilations,
        pads,
    };
    let one = c.float_constant(1.0);
    let one = c.reshape(one, vec![1; 4])?;
    let to = vec![channels, 1, window.kernel[0], window.kernel[1]];
    let ones = c.emit(Op::Expand(to), &[one])?;
    let y = c.emit(Op::Conv(conv), &[y, ones])?;
    let y = match p {
        1 => y,
        2 => c.emit(Op::Unary(Unary::Sqrt), &[y])?,
        _ => {
            let root = c.float_constant(1.0 / p as f32);
            c.binary(Binary::Pow, y, root)?
        }
    };
    c.reshape(y, out)
}

/// Elements back where the indices say, zeros elsewhere.
fn max_unpool(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let indices = c.input(1)?;
    let shape = c.shape(x);
    let spatial = shape.len().wrapping_sub(2);
    if !(1..=2).contains(&spatial) || c.shape(indices) != shape {
        return Err(NodeError::Shape("one or two spatial axes are expected"));
    }
    let kernel = pair(c, "kernel_shape", spatial, 1)?;
    let strides = pair(c, "strides", spatial, 1)?;
    let plane = [
        if spatial == 2 { shape[2] } else { 1 },
        shape[shape.len() - 1],
    ];
    let pads = pads(c, spatial, plane, kernel, strides, [1, 1])?;
    let mut size = [0; 2];
    for axis in 0..2 {
        size[axis] = (plane[axis].saturating_sub(1))
            .checked_mul(strides[axis])
            .and_then(|n| (n + kernel[axis]).checked_sub(pads[axis] + pads[axis + 2]))
            .ok_or_else(|| bad("pads"))?;
    }
    let mut inferred = shape[..2].to_vec();
    inferred.extend(&size[2 - spatial..]);
    let zero = super::math::zero_like(c, x)?;
    let zero = c.reshape(zero, vec![1])?;
    let total = inferred
        .iter()
        .try_fold(1usize, |n, d| n.checked_mul(*d))
        .ok_or(NodeError::Limit("elements in a tensor"))?;
    let empty = c.emit(Op::Expand(vec![total]), &[zero])?;
    let n = c.info(x).elements() as usize;
    let (values, at) = (c.reshape(x, vec![n])?, c.reshape(indices, vec![n])?);
    let op = Op::ScatterElements(0, Scatter::Replace);
    let y = c.emit(op, &[empty, at, values])?;
    let y = c.reshape(y, inferred.clone())?;
    let Some(wanted) = c.constant_ints(2)? else {
        return Ok(y);
    };
    let mut list = Vec::new();
    for (wanted, has) in wanted.iter().zip(&inferred) {
        let wanted = u32::try_from(*wanted).map_err(|_| bad("output_shape"))?;
        list.push((0, wanted as isize - *has as isize));
    }
    if list.len() != inferred.len() || list.iter().any(|(_, end)| *end < 0) {
        return Err(NodeError::Shape("the output shape is too small"));
    }
    let zero = super::math::zero_like(c, x)?;
    c.emit(Op::Pad(list, PadMode::Constant), &[y, zero])
}

/// Windows along one axis.
#[derive(Clone, Copy)]
struct Along {
    kernel: usize,
    stride: usize,
    dilation: usize,
    begin: usize,
    end: usize,
    output: usize,
}

/// Every element by itself.
fn whole(output: usize) -> Along {
    Along {
        kernel: 1,
        stride: 1,
        dilation: 1,
        begin: 0,
        end: 0,
        output,
    }
}

fn joined(a: Along, b: Along) -> Window {
    Window {
        kernel: [a.kernel, b.kernel],
        strides: [a.stride, b.stride],
        dilations: [a.dilation, b.dilation],
        pads: [a.begin, b.begin],
        end_pads: [a.end, b.end],
        output: [a.output, b.output],
    }
}

/// A list attribute with one number for each spatial axis.
fn numbers(
    c: &Context<'_, '_, '_>,
    name: &str,
    count: usize,
    default: usize,
) -> Result<Vec<usize>, NodeError> {
    let Some(values) = c.ints(name)? else {
        return Ok(vec![default; count]);
    };
    if values.len() != count {
        return Err(bad(name));
    }
    let number = |v: &i64| u16::try_from(*v).map(usize::from).map_err(|_| bad(name));
    values.iter().map(number).collect()
}

/// The windows along each spatial axis.
fn geometry(c: &Context<'_, '_, '_>, input: &[usize]) -> Result<Vec<Along>, NodeError> {
    let n = input.len();
    if c.ints("kernel_shape")?.is_none() {
        return Err(bad("kernel_shape"));
    }
    let kernel = numbers(c, "kernel_shape", n, 1)?;
    let strides = numbers(c, "strides", n, 1)?;
    let dilations = numbers(c, "dilations", n, 1)?;
    let pads = numbers(c, "pads", 2 * n, 0)?;
    let mode = c.string_or("auto_pad", "NOTSET")?;
    let ceil = c.flag("ceil_mode")?;
    let mut out = Vec::with_capacity(n);
    for i in 0..n {
        let (kernel, stride, dilation) = (kernel[i], strides[i], dilations[i]);
        if kernel == 0 || stride == 0 || dilation == 0 {
            return Err(bad("kernel_shape"));
        }
        let reach = (kernel - 1) * dilation + 1;
        let (begin, end) = match mode {
            "NOTSET" => (pads[i], pads[i + n]),
            "VALID" => (0, 0),
            "SAME_UPPER" | "SAME_LOWER" => {
                let steps = input[i].div_ceil(stride).saturating_sub(1);
                let total = (steps * stride + reach).saturating_sub(input[i]);
                let small = total / 2;
                if mode == "SAME_UPPER" {
                    (small, total - small)
                } else {
                    (total - small, small)
                }
            }
            _ => return Err(bad("auto_pad")),
        };
        let room = (input[i] + begin + end)
            .checked_sub(reach)
            .ok_or(NodeError::Shape(
                "the window is larger than the padded input",
            ))?;
        let output = if ceil {
            let n = room.div_ceil(stride) + 1;
            // The last window must start inside the input or its left padding.
            if (n - 1) * stride >= input[i] + begin {
                n - 1
            } else {
                n
            }
        } else {
            room / stride + 1
        };
        if output == 0 {
            return Err(NodeError::Shape("no window fits"));
        }
        out.push(Along {
            kernel,
            stride,
            dilation,
            begin,
            end,
            output,
        });
    }
    Ok(out)
}

/// The operand as `[n, c, h, w]`, the windows over it, and the shape of the result.
pub fn window(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
) -> Result<(ValueId, Window, Vec<usize>), NodeError> {
    let shape = c.shape(x);
    let (input, window) = match shape[..] {
        [_, _, w] => match geometry(c, &[w])?[..] {
            [columns] => ([1, w], joined(whole(1), columns)),
            _ => return Err(bad("kernel_shape")),
        },
        [_, _, h, w] => match geometry(c, &[h, w])?[..] {
            [rows, columns] => ([h, w], joined(rows, columns)),
            _ => return Err(bad("kernel_shape")),
        },
        _ => return Err(NodeError::Shape("pooling has one to three spatial axes")),
    };
    let x = c.reshape(x, vec![shape[0], shape[1], input[0], input[1]])?;
    let mut out = vec![shape[0], shape[1]];
    out.extend(&window.output[4 - shape.len()..]);
    Ok((x, window, out))
}
