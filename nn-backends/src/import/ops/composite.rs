//! Operators composed of simpler ones: transposed convolutions, triangles.

use super::contraction::{pads, pair};
use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::kernels::ConvShape;
use crate::op::{Op, PadMode, Scatter};

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    match c.node.op_type {
        "ConvTranspose" => Ok(vec![conv_transpose(c)?]),
        "Trilu" => Ok(vec![trilu(c)?]),
        "CenterCropPad" => Ok(vec![center_crop_pad(c)?]),
        "Col2Im" => Ok(vec![columns_to_image(c)?]),
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
    let strides = pair(c, "strides", spatial, 1)?;
    let dilations = pair(c, "dilations", spatial, 1)?;
    let extra = match pair(c, "output_padding", spatial, 0)? {
        [_, w] if spatial == 1 => [0, w],
        both => both,
    };
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
    let pads = transposed_pads(c, spatial, input, kernel, strides, dilations, extra)?;
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
            reach - pads[axis],
            reach - pads[axis + 2] + extra[axis] as isize - (strides[axis] as isize - 1),
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

/// What is cut off a transposed convolution: given, or what a wanted shape leaves over.
fn transposed_pads(
    c: &Context<'_, '_, '_>,
    spatial: usize,
    input: [usize; 2],
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    extra: [usize; 2],
) -> Result<[isize; 4], NodeError> {
    let mode = c.string_or("auto_pad", "NOTSET")?;
    let wanted = match (c.ints("output_shape")?.is_some(), mode) {
        (true, _) => pair(c, "output_shape", spatial, 1)?,
        (false, "SAME_UPPER" | "SAME_LOWER") => [input[0] * strides[0], input[1] * strides[1]],
        _ => {
            let given = pads(c, spatial, input, kernel, strides, dilations)?;
            return Ok(given.map(|p| p as isize));
        }
    };
    let mut out = [0; 4];
    for axis in 0..2 {
        let full = strides[axis] * (input[axis] - 1)
            + extra[axis]
            + (kernel[axis] - 1) * dilations[axis]
            + 1;
        let over = full as isize - wanted[axis] as isize;
        let small = over.div_euclid(2);
        (out[axis], out[axis + 2]) = if mode == "SAME_UPPER" {
            (small, over - small)
        } else {
            (over - small, small)
        };
    }
    Ok(out)
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
    c.builder
        .may_make((rows as u64).saturating_mul(columns as u64))?;
    let mask = (0..rows as i64)
        .flat_map(|i| (0..columns as i64).map(move |j| (i, j)))
        .map(|(i, j)| {
            let d = j - i;
            if upper { d >= k } else { d <= k }
        })
        .collect();
    let mask = c.builder.keep(Array {
        shape: vec![rows, columns],
        data: Data::Bool(mask),
    });
    let zero = super::math::zero_like(c, x)?;
    c.emit(Op::Where, &[mask, x, zero])
}

/// Cuts or fills axes up to wanted lengths, the same on both sides; an odd one goes to the end.
fn center_crop_pad(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let shape = c.shape(x);
    let wanted = c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?;
    let axes = c.axes_in_order(shape.len())?;
    if axes.len() != wanted.len() {
        return Err(NodeError::Shape("one length for each axis"));
    }
    let mut pads = vec![(0isize, 0isize); shape.len()];
    for (axis, wanted) in axes.into_iter().zip(wanted) {
        let wanted =
            u32::try_from(wanted).map_err(|_| NodeError::Value("a length is out of range"))?;
        let difference = wanted as isize - shape[axis] as isize;
        // Towards zero: the smaller half in front.
        let front = difference / 2;
        pads[axis] = (front, difference - front);
    }
    let zero = super::math::zero_like(c, x)?;
    c.emit(Op::Pad(pads, PadMode::Constant), &[x, zero])
}

/// Sums columns, of which each is a window of the image, where they overlap.
fn columns_to_image(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let get = |i: usize| c.constant_ints(i)?.ok_or(NodeError::MissingInput(i));
    let (image, block) = (get(1)?, get(2)?);
    let dims = image.len();
    let number = |v: &i64| u16::try_from(*v).map(usize::from).map_err(|_| bad("pads"));
    let list = |values: &[i64]| values.iter().map(number).collect::<Result<Vec<_>, _>>();
    let (image, block) = (list(&image)?, list(&block)?);
    let attribute = |name: &str, n: usize, default: i64| match c.ints(name)? {
        Some(values) if values.len() == n => list(values),
        Some(_) => Err(bad(name)),
        None => list(&vec![default; n]),
    };
    let dilations = attribute("dilations", dims, 1)?;
    let strides = attribute("strides", dims, 1)?;
    let pads = attribute("pads", 2 * dims, 0)?;
    let taps = block.iter().fold(1usize, |n, d| n.saturating_mul(*d));
    let [n, rows, columns] = c.shape(x)[..] else {
        return Err(NodeError::Shape("rank 3 is expected"));
    };
    if !(1..=3).contains(&dims)
        || block.len() != dims
        || taps == 0
        || rows % taps != 0
        || strides.contains(&0)
    {
        return Err(NodeError::Shape("the columns do not fit"));
    }
    let channels = rows / taps;
    let mut padded = Vec::new();
    let mut places = Vec::new();
    for i in 0..dims {
        let all = image[i] + pads[i] + pads[i + dims];
        let room = all
            .checked_sub((block[i].max(1) - 1) * dilations[i] + 1)
            .ok_or(NodeError::Shape("the window is larger than the image"))?;
        padded.push(all);
        places.push(room / strides[i] + 1);
    }
    let total = padded.iter().fold(1usize, |n, d| n.saturating_mul(*d));
    let windows: usize = places.iter().product();
    if windows != columns || (taps as u64).saturating_mul(windows as u64) > c.builder.limits.folding
    {
        return Err(NodeError::Shape("the columns do not fit"));
    }
    // Where each element of a column goes in the padded image.
    let mut index = Vec::with_capacity(taps * windows);
    for tap in 0..taps {
        for window in 0..windows {
            let (mut tap, mut window, mut at, mut step) = (tap, window, 0, 1);
            for i in (0..dims).rev() {
                let offset = tap % block[i] * dilations[i] + window % places[i] * strides[i];
                (tap, window) = (tap / block[i], window / places[i]);
                at += offset * step;
                step *= padded[i];
            }
            index.push(at as i64);
        }
    }
    let index = c.builder.keep(Array {
        shape: vec![1, taps * windows],
        data: Data::I64(index),
    });
    let planes = n * channels;
    let y = c.reshape(x, vec![planes, taps * windows])?;
    let index = c.emit(Op::Expand(vec![planes, taps * windows]), &[index])?;
    let zero = super::math::zero_like(c, x)?;
    let zero = c.reshape(zero, vec![1, 1])?;
    let empty = c.emit(Op::Expand(vec![planes, total]), &[zero])?;
    let op = Op::ScatterElements(1, Scatter::Add);
    let y = c.emit(op, &[empty, index, y])?;
    let mut shape = vec![n, channels];
    shape.extend(&padded);
    let y = c.reshape(y, shape)?;
    let mut cut = vec![(0, 1, n), (0, 1, channels)];
    cut.extend((0..dims).map(|i| (pads[i], 1, image[i])));
    c.emit(Op::Slice(cut), &[y])
}
