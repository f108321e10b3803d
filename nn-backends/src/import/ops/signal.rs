//! Windows, Fourier transforms, grids: products with matrices that are made when the model is loaded.

use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad, normalise};
use crate::op::{Binary, Op};
use crate::tensor::ElementType;
use std::f64::consts::PI;

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let id = match c.node.op_type {
        "HannWindow" | "HammingWindow" | "BlackmanWindow" => window(c)?,
        "MelWeightMatrix" => mel(c)?,
        "DFT" => dft(c)?,
        "STFT" => stft(c)?,
        "AffineGrid" => affine_grid(c)?,
        _ => return Err(NodeError::Operator),
    };
    Ok(vec![id])
}

/// A constant scalar integer input.
fn number(c: &Context<'_, '_, '_>, i: usize) -> Result<Option<i64>, NodeError> {
    match c.constant_ints(i)?.as_deref() {
        None => Ok(None),
        Some([v]) => Ok(Some(*v)),
        Some(_) => Err(NodeError::Value("one number is expected")),
    }
}

/// A length that a constant matrix may have.
fn length(c: &Context<'_, '_, '_>, n: i64) -> Result<usize, NodeError> {
    usize::try_from(n)
        .ok()
        .filter(|n| (*n as u64) <= c.builder.limits.folding)
        .ok_or(NodeError::Value("a length is out of range"))
}

fn constant(c: &mut Context<'_, '_, '_>, shape: Vec<usize>, data: Vec<f64>) -> ValueId {
    c.builder.keep(Array {
        shape,
        data: Data::F32(data.into_iter().map(|v| v as f32).collect()),
    })
}

fn window(c: &mut Context<'_, '_, '_>) -> Value {
    let size = number(c, 0)?.ok_or(NodeError::MissingInput(0))?;
    let size = length(c, size)?;
    let n = if c.int_or("periodic", 1)? != 0 {
        size as f64
    } else {
        size as f64 - 1.0
    };
    let terms = match c.node.op_type {
        "HannWindow" => [0.5, 0.5, 0.0],
        "HammingWindow" => [25.0 / 46.0, 21.0 / 46.0, 0.0],
        _ => [0.42, 0.5, 0.08],
    };
    let values = (0..size)
        .map(|i| {
            let angle = 2.0 * PI * i as f64 / n;
            terms[0] - terms[1] * libm::cos(angle) + terms[2] * libm::cos(2.0 * angle)
        })
        .collect();
    let ty = match c.attribute("output_datatype") {
        Some(_) => c.element_type("output_datatype")?,
        None => ElementType::F32,
    };
    let y = constant(c, vec![size], values);
    c.emit(Op::Cast(ty), &[y])
}

/// Triangles over the bins of a spectrum, evenly spaced on the mel scale.
fn mel(c: &mut Context<'_, '_, '_>) -> Value {
    let get = |i| number(c, i)?.ok_or(NodeError::MissingInput(i));
    let (bins, size, rate) = (length(c, get(0)?)?, length(c, get(1)?)?, get(2)?);
    let edge = |i| c.constant_float(i)?.ok_or(NodeError::MissingInput(i));
    let (low, high) = (f64::from(edge(3)?), f64::from(edge(4)?));
    let rows = size / 2 + 1;
    if rate <= 0 || (rows as u64).saturating_mul(bins as u64) > c.builder.limits.folding {
        return Err(NodeError::Limit("constants folded at load"));
    }
    let mel = |hertz: f64| 2595.0 * libm::log10(1.0 + hertz / 700.0);
    let step = (mel(high) - mel(low)) / (bins + 2) as f64;
    let places: Vec<i64> = (0..bins + 2)
        .map(|i| {
            let hertz = 700.0 * (libm::pow(10.0, (i as f64 * step + mel(low)) / 2595.0) - 1.0);
            ((size + 1) as f64 * hertz / rate as f64).floor() as i64
        })
        .collect();
    let mut out = vec![0.0; rows * bins];
    let mut set = |row: i64, column: usize, value: f64| -> Result<(), NodeError> {
        let row = usize::try_from(row).ok().filter(|r| *r < rows);
        let row = row.ok_or(NodeError::Value("an edge is beyond the spectrum"))?;
        out[row * bins + column] = value;
        Ok(())
    };
    for i in 0..bins {
        let (left, centre, right) = (places[i], places[i + 1], places[i + 2]);
        if left == centre {
            set(centre, i, 1.0)?;
        } else {
            for j in left..=centre {
                set(j, i, (j - left) as f64 / (centre - left) as f64)?;
            }
        }
        for j in centre..right {
            set(j, i, (right - j) as f64 / (right - centre) as f64)?;
        }
    }
    Ok(constant(c, vec![rows, bins], out))
}

/// The matrix `[length · parts, bins · 2]` of a transform of interleaved real and imaginary parts.
fn matrix(
    c: &mut Context<'_, '_, '_>,
    (taken, length): (usize, usize),
    bins: usize,
    parts: usize,
    inverse: bool,
) -> Value {
    let (rows, columns) = (taken * parts, bins * 2);
    if (rows as u64).saturating_mul(columns as u64) > c.builder.limits.folding {
        return Err(NodeError::Limit("constants folded at load"));
    }
    let mut out = vec![0.0; rows * columns];
    let scale = if inverse { 1.0 / length as f64 } else { 1.0 };
    for n in 0..taken {
        for k in 0..bins {
            // The angle is reduced before it is rounded.
            let turn = (n as u128 * k as u128 % length as u128) as f64 / length as f64;
            let angle = if inverse { 2.0 } else { -2.0 } * PI * turn;
            let (cos, sin) = (libm::cos(angle) * scale, libm::sin(angle) * scale);
            out[n * parts * columns + 2 * k] = cos;
            out[n * parts * columns + 2 * k + 1] = sin;
            if parts == 2 {
                out[(n * 2 + 1) * columns + 2 * k] = -sin;
                out[(n * 2 + 1) * columns + 2 * k + 1] = cos;
            }
        }
    }
    Ok(constant(c, vec![rows, columns], out))
}

/// The transform of the last two axes `[…, length, parts]`, cut or filled up to `length`.
fn transform(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    length: usize,
    bins: usize,
    inverse: bool,
) -> Value {
    let shape = c.shape(x);
    let (outer, [has, parts]) = match shape.split_at(shape.len().saturating_sub(2)) {
        (outer, [n, parts @ (1 | 2)]) => (outer.to_vec(), [*n, *parts]),
        _ => return Err(NodeError::Shape("[…, length, 1 or 2] is expected")),
    };
    let taken = has.min(length);
    let x = super::movement::part(c, x, outer.len(), 0, taken)?;
    let rows: usize = outer.iter().product();
    let x = c.reshape(x, vec![rows, taken * parts])?;
    let m = matrix(c, (taken, length), bins, parts, inverse)?;
    let y = c.emit(Op::MatMul, &[x, m])?;
    let mut out = outer;
    out.extend([bins, 2]);
    c.reshape(y, out)
}

fn dft(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let rank = c.rank(x);
    let axis = if c.opset < 20 {
        c.int_or("axis", 1)?
    } else {
        number(c, 2)?.unwrap_or(-2)
    };
    let axis = normalise(axis, rank)
        .filter(|axis| axis + 1 < rank)
        .ok_or_else(|| bad("axis"))?;
    let (inverse, onesided) = (c.flag("inverse")?, c.flag("onesided")?);
    if inverse && onesided {
        return Err(bad("onesided"));
    }
    let size = match number(c, 1)? {
        Some(n) => length(c, n)?,
        None => c.shape(x)[axis],
    };
    if size == 0 {
        return Err(NodeError::Value("a length is out of range"));
    }
    let bins = if onesided { size / 2 + 1 } else { size };
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(axis, rank - 2);
    let x = c.emit(Op::Transpose(perm.clone()), &[x])?;
    let y = transform(c, x, size, bins, inverse)?;
    c.emit(Op::Transpose(perm), &[y])
}

/// Transforms of overlapping pieces of a signal `[batch, length, parts]`.
fn stft(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let step = number(c, 1)?.ok_or(NodeError::MissingInput(1))?;
    let step = length(c, step)?;
    let shape = c.shape(x);
    let &[batch, samples, ref parts @ ..] = &shape[..] else {
        return Err(NodeError::Shape("[batch, length, parts] is expected"));
    };
    let parts = parts.first().copied().unwrap_or(1);
    let size = match (c.optional(2), number(c, 3)?) {
        (_, Some(n)) => length(c, n)?,
        (Some(window), None) => c.shape(window).first().copied().unwrap_or(0),
        (None, None) => return Err(NodeError::MissingInput(3)),
    };
    let frames = match samples.checked_sub(size) {
        Some(rest) if step > 0 && size > 0 => rest / step + 1,
        _ => return Err(NodeError::Value("a length is out of range")),
    };
    if (frames as u64).saturating_mul(size as u64) > c.builder.limits.folding {
        return Err(NodeError::Limit("constants folded at load"));
    }
    let index = (0..frames)
        .flat_map(|f| (0..size).map(move |i| (f * step + i) as i64))
        .collect();
    let index = c.builder.keep(Array {
        shape: vec![frames, size],
        data: Data::I64(index),
    });
    let x = c.reshape(x, vec![batch, samples, parts])?;
    let mut x = c.emit(Op::Gather(1), &[x, index])?;
    if let Some(window) = c.optional(2) {
        let window = c.reshape(window, vec![size, 1])?;
        x = c.binary(Binary::Mul, x, window)?;
    }
    let onesided = c.int_or("onesided", 1)? != 0;
    let bins = if onesided { size / 2 + 1 } else { size };
    transform(c, x, size, bins, false)
}

/// The points of a regular grid, moved by a matrix for each batch.
fn affine_grid(c: &mut Context<'_, '_, '_>) -> Value {
    let theta = c.input(0)?;
    let size = c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?;
    let plane = size
        .iter()
        .skip(2)
        .map(|n| length(c, *n))
        .collect::<Result<Vec<_>, _>>()?;
    let total = plane.iter().fold(1u64, |n, d| n.saturating_mul(*d as u64));
    let dims = plane.len();
    let batch = *c
        .shape(theta)
        .first()
        .ok_or(NodeError::Shape("no matrix"))?;
    if !(2..=3).contains(&dims) || total.saturating_mul(4) > c.builder.limits.folding {
        return Err(NodeError::Limit("constants folded at load"));
    }
    let corners = c.flag("align_corners")?;
    let place = |i: usize, n: usize| {
        if corners {
            -1.0 + 2.0 * i as f64 / (n as f64 - 1.0)
        } else {
            -1.0 + (2.0 * i as f64 + 1.0) / n as f64
        }
    };
    // One column for each point: x, y, (z,) 1.
    let total = total as usize;
    let mut points = vec![1.0; (dims + 1) * total];
    for at in 0..total {
        let mut rest = at;
        for axis in (0..dims).rev() {
            let i = rest % plane[axis];
            rest /= plane[axis];
            points[(dims - 1 - axis) * total + at] = place(i, plane[axis]);
        }
    }
    let points = constant(c, vec![dims + 1, total], points);
    let y = c.emit(Op::MatMul, &[theta, points])?;
    let y = c.emit(Op::Transpose(vec![0, 2, 1]), &[y])?;
    let mut out = vec![batch];
    out.extend(&plane);
    out.push(dims);
    c.reshape(y, out)
}
