//! Pooling.

use super::contraction::{pads, pair};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::op::{Op, Reduce, Window};

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.input(0)?;
    let shape = c.shape(x);
    let id = match c.node.op_type {
        "GlobalAveragePool" => {
            c.emit(Op::Reduce(Reduce::Mean, (2..shape.len()).collect()), &[x])?
        }
        "GlobalMaxPool" => c.emit(Op::Reduce(Reduce::Max, (2..shape.len()).collect()), &[x])?,
        op => {
            if c.node.outputs.get(1).is_some_and(|name| !name.is_empty()) {
                return Err(NodeError::Shape("the indices of a pool are not supported"));
            }
            let (x, window, out) = window(c, x)?;
            let average = op == "AveragePool";
            let y = c.emit(
                Op::Pool {
                    average,
                    count_padding: c.flag("count_include_pad")?,
                    window,
                },
                &[x],
            )?;
            c.reshape(y, out)?
        }
    };
    Ok(vec![id])
}

/// The operand as `[n, c, h, w]`, the windows over it, and the shape of the result.
pub fn window(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
) -> Result<(ValueId, Window, Vec<usize>), NodeError> {
    let shape = c.shape(x);
    let spatial = shape.len().wrapping_sub(2);
    let input = match shape[..] {
        [_, _, w] => [1, w],
        [_, _, h, w] => [h, w],
        _ => return Err(NodeError::Shape("pooling has one or two spatial axes")),
    };
    if c.ints("kernel_shape")?.is_none() {
        return Err(bad("kernel_shape"));
    }
    let kernel = pair(c, "kernel_shape", spatial, 1)?;
    let strides = pair(c, "strides", spatial, 1)?;
    let dilations = pair(c, "dilations", spatial, 1)?;
    let pads = pads(c, spatial, input, kernel, strides, dilations)?;
    let ceil = c.flag("ceil_mode")?;
    let mut output = [0; 2];
    for axis in 0..2 {
        if kernel[axis] == 0 || strides[axis] == 0 || dilations[axis] == 0 {
            return Err(bad("kernel_shape"));
        }
        let reach = (kernel[axis] - 1)
            .checked_mul(dilations[axis])
            .ok_or_else(|| bad("kernel_shape"))?;
        let room = (input[axis] + pads[axis] + pads[axis + 2])
            .checked_sub(reach + 1)
            .ok_or(NodeError::Shape(
                "the window is larger than the padded input",
            ))?;
        output[axis] = if ceil {
            let n = room.div_ceil(strides[axis]) + 1;
            // The last window must start inside the input or its left padding.
            if (n - 1) * strides[axis] >= input[axis] + pads[axis] {
                n - 1
            } else {
                n
            }
        } else {
            room / strides[axis] + 1
        };
    }
    let x4 = c.reshape(x, vec![shape[0], shape[1], input[0], input[1]])?;
    let mut out = vec![shape[0], shape[1]];
    out.extend(&output[2 - spatial..]);
    let window = Window {
        kernel,
        strides,
        dilations,
        pads: [pads[0], pads[1]],
        end_pads: [pads[2], pads[3]],
        output,
    };
    Ok((x4, window, out))
}
