//! Matrix products and convolutions.

use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::kernels::ConvShape;
use crate::op::{Binary, Op};

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let id = match c.node.op_type {
        "MatMul" => {
            let (a, b) = (c.input(0)?, c.input(1)?);
            product(c, &Op::MatMul, a, b, &[])?
        }
        "MatMulInteger" => {
            let (a, b) = (c.input(0)?, c.input(1)?);
            let zeros = [c.optional(2), c.optional(3)];
            product(c, &Op::MatMulInteger, a, b, &zeros)?
        }
        "Gemm" => gemm(c)?,
        "Conv" => {
            let (x, w) = (c.input(0)?, c.input(1)?);
            let bias = c.optional(2);
            convolution(c, x, w, &[bias], Op::Conv)?
        }
        "ConvInteger" => {
            let (x, w) = (c.input(0)?, c.input(1)?);
            let zeros = [c.optional(2), c.optional(3)];
            convolution(c, x, w, &zeros, Op::ConvInteger)?
        }
        _ => return Err(NodeError::Operator),
    };
    Ok(vec![id])
}

/// A product of which either side may be a vector.
pub fn product(
    c: &mut Context<'_, '_, '_>,
    op: &Op,
    a: ValueId,
    b: ValueId,
    rest: &[Option<ValueId>],
) -> Value {
    let (shape_a, shape_b) = (c.shape(a), c.shape(b));
    let (mut x, mut y) = (a, b);
    if let [n] = shape_a[..] {
        x = c.reshape(a, vec![1, n])?;
    }
    if let [n] = shape_b[..] {
        y = c.reshape(b, vec![n, 1])?;
    }
    let mut inputs = vec![Some(x), Some(y)];
    inputs.extend(rest);
    let out = c.emit_optional(op.clone(), &inputs)?;
    let mut shape = c.shape(out);
    if shape_b.len() == 1 {
        shape.pop();
    }
    if shape_a.len() == 1 {
        let at = shape
            .len()
            .saturating_sub(if shape_b.len() == 1 { 1 } else { 2 });
        shape.remove(at);
    }
    c.reshape(out, shape)
}

/// An operand of `Gemm`, transposed if the attribute says so.
pub fn gemm_operand(c: &mut Context<'_, '_, '_>, i: usize, attribute: &str) -> Value {
    let x = c.input(i)?;
    if c.rank(x) != 2 {
        return Err(NodeError::Shape("matrices are expected"));
    }
    if c.flag(attribute)? {
        c.emit(Op::Transpose(vec![1, 0]), &[x])
    } else {
        Ok(x)
    }
}

fn gemm(c: &mut Context<'_, '_, '_>) -> Value {
    let (alpha, beta) = (c.float_or("alpha", 1.0)?, c.float_or("beta", 1.0)?);
    let a = gemm_operand(c, 0, "transA")?;
    let b = gemm_operand(c, 1, "transB")?;
    let mut y = c.emit(Op::MatMul, &[a, b])?;
    if alpha != 1.0 {
        let alpha = c.float_constant(alpha);
        y = c.binary(Binary::Mul, y, alpha)?;
    }
    if let Some(mut bias) = c.optional(2) {
        if beta != 1.0 {
            let beta = c.float_constant(beta);
            bias = c.binary(Binary::Mul, bias, beta)?;
        }
        y = c.binary(Binary::Add, y, bias)?;
    }
    Ok(y)
}

/// Size of an axis for an attribute list of one or two numbers; one-dimensional ones are widths.
pub fn pair(
    c: &Context<'_, '_, '_>,
    name: &str,
    spatial: usize,
    default: usize,
) -> Result<[usize; 2], NodeError> {
    let Some(values) = c.ints(name)? else {
        return Ok(if spatial == 1 {
            [1, default]
        } else {
            [default; 2]
        });
    };
    let get = |v: i64| u32::try_from(v).map(|v| v as usize).map_err(|_| bad(name));
    match (spatial, values) {
        (1, [w]) => Ok([1, get(*w)?]),
        (2, [h, w]) => Ok([get(*h)?, get(*w)?]),
        _ => Err(bad(name)),
    }
}

/// Padding at the top, left, bottom and right.
pub fn pads(
    c: &Context<'_, '_, '_>,
    spatial: usize,
    input: [usize; 2],
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
) -> Result<[usize; 4], NodeError> {
    let get = |v: i64| u16::try_from(v).map(usize::from).map_err(|_| bad("pads"));
    match c.string_or("auto_pad", "NOTSET")? {
        "NOTSET" => match (spatial, c.ints("pads")?) {
            (_, None) => Ok([0; 4]),
            (1, Some([l, r])) => Ok([0, get(*l)?, 0, get(*r)?]),
            (2, Some([t, l, b, r])) => Ok([get(*t)?, get(*l)?, get(*b)?, get(*r)?]),
            _ => Err(bad("pads")),
        },
        "VALID" => Ok([0; 4]),
        same @ ("SAME_UPPER" | "SAME_LOWER") => {
            let mut out = [0; 4];
            for axis in 0..2 {
                if strides[axis] == 0 || kernel[axis] == 0 {
                    return Err(bad("strides"));
                }
                let steps = input[axis].div_ceil(strides[axis]).saturating_sub(1);
                let reach = (kernel[axis] - 1).saturating_mul(dilations[axis]) + 1;
                let total = steps
                    .saturating_mul(strides[axis])
                    .saturating_add(reach)
                    .saturating_sub(input[axis]);
                let small = total / 2;
                let (begin, end) = if same == "SAME_UPPER" {
                    (small, total - small)
                } else {
                    (total - small, small)
                };
                (out[axis], out[axis + 2]) = (begin, end);
            }
            Ok(out)
        }
        _ => Err(bad("auto_pad")),
    }
}

/// A convolution with one or two spatial axes, as one with two.
pub fn convolution(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    w: ValueId,
    rest: &[Option<ValueId>],
    op: impl FnOnce(ConvShape) -> Op,
) -> Value {
    let (shape_x, shape_w) = (c.shape(x), c.shape(w));
    let spatial = shape_x.len().wrapping_sub(2);
    if !(1..=2).contains(&spatial) || shape_w.len() != shape_x.len() {
        return Err(NodeError::Shape(
            "convolutions have one or two spatial axes",
        ));
    }
    let flat = |shape: &[usize]| -> [usize; 2] {
        match shape[2..] {
            [w] => [1, w],
            [h, w] => [h, w],
            _ => [0, 0],
        }
    };
    let (input, kernel) = (flat(&shape_x), flat(&shape_w));
    if c.ints("kernel_shape")?.is_some() && pair(c, "kernel_shape", spatial, 1)? != kernel {
        return Err(bad("kernel_shape"));
    }
    let strides = pair(c, "strides", spatial, 1)?;
    let dilations = pair(c, "dilations", spatial, 1)?;
    let groups = usize::try_from(c.int_or("group", 1)?).map_err(|_| bad("group"))?;
    let shape = ConvShape {
        channels_in: shape_x[1],
        channels_out: shape_w[0],
        groups,
        input,
        kernel,
        strides,
        dilations,
        pads: pads(c, spatial, input, kernel, strides, dilations)?,
    };
    let x = c.reshape(x, vec![shape_x[0], shape_x[1], input[0], input[1]])?;
    let w = c.reshape(w, vec![shape_w[0], shape_w[1], kernel[0], kernel[1]])?;
    let mut inputs = vec![Some(x), Some(w)];
    inputs.extend(rest);
    let y = c.emit_optional(op(shape), &inputs)?;
    let mut out = c.shape(y);
    if spatial == 1 {
        out.remove(2);
    }
    c.reshape(y, out)
}
