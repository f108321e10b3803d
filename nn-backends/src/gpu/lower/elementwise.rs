//! Operations on single elements, written as WGSL expressions of `x`, `z` and `w`.

use super::{Context, Dispatch, Source, narrow, small, words};
use crate::gpu::shader;
use crate::op::{Binary, Requantize, Unary};
use crate::placement::CpuReason;
use crate::reference::movement::broadcast_strides;
use crate::reference::quantize::split_scale;
use crate::tensor::ElementType;

/// Multiplier, shift and bounds of a scale, as `rescale` reads them.
pub(super) fn multiplier(scale: f32) -> Result<[u32; 4], CpuReason> {
    let multiplier = crate::kernels::Multiplier::new(scale).map_err(|_| CpuReason::NoKernel)?;
    Ok(multiplier.parts().map(i32::cast_unsigned))
}

/// Zero point and bounds of an 8-bit result.
pub(super) fn range(zero: i32, ty: ElementType) -> Result<[u32; 3], CpuReason> {
    let (low, high) = match ty {
        ElementType::U8 => (0, 255),
        ElementType::I8 => (-128, 127),
        _ => return Err(CpuReason::NoKernel),
    };
    Ok([zero, low, high].map(i32::cast_unsigned))
}

/// Lengths and steps of the fewest axes that walk all operands.
fn axes(shape: &[usize], operands: &[&[usize]]) -> Vec<(usize, Vec<isize>)> {
    let steps: Vec<Vec<isize>> = operands
        .iter()
        .map(|s| broadcast_strides(s, shape))
        .collect();
    let mut out: Vec<(usize, Vec<isize>)> = Vec::new();
    for (axis, &length) in shape.iter().enumerate() {
        if length == 1 {
            continue;
        }
        let inner: Vec<isize> = steps.iter().map(|s| s[axis]).collect();
        if let Some((last, outer)) = out.last_mut()
            && outer
                .iter()
                .zip(&inner)
                .all(|(o, i)| *o == *i * length as isize)
        {
            *last *= length;
            *outer = inner;
            continue;
        }
        out.push((length, inner));
    }
    out
}

fn map(c: &Context<'_>, function: &str, parameters: &[u32]) -> Result<Dispatch, CpuReason> {
    let (_, result) = c.result()?;
    narrow(result.ty)?;
    let (mut sources, mut types, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
    let mut params = vec![words(result), result.elements() as u32];
    for i in 0..c.node.inputs.len().min(3) {
        let info = c.info(i)?;
        narrow(info.ty)?;
        sources.push(Source::Value(c.input(i)?));
        types.push(info.ty);
        shapes.push(info.shape.as_slice());
        params.push(c.stride(c.input(i)?));
    }
    params.resize(5, 0);
    let axes = axes(&result.shape, &shapes);
    params.extend([small(axes.len())?, small(7 + 4 * axes.len())?]);
    for (length, steps) in axes {
        params.push(small(length)?);
        for i in 0..3 {
            params.push(small(steps.get(i).copied().unwrap_or(0).cast_unsigned())?);
        }
    }
    params.extend(parameters);
    c.elements(shader::map(&types, result.ty, function), sources, params)
}

pub(super) fn cast(c: &Context<'_>, ty: ElementType) -> Result<Dispatch, CpuReason> {
    // Narrower integers drop bits, which storing them does.
    map(
        c,
        if ty == ElementType::Bool {
            "select(0, 1, x != 0)"
        } else {
            "x"
        },
        &[],
    )
}

pub(super) fn select(c: &Context<'_>) -> Result<Dispatch, CpuReason> {
    map(c, "select(w, z, x != 0)", &[])
}

pub(super) fn unary(c: &Context<'_>, f: Unary) -> Result<Dispatch, CpuReason> {
    let function = match f {
        Unary::Neg => "0 - x",
        Unary::Abs => "select(x, 0 - x, x < 0)",
        Unary::Sign => "select(select(0, 1, x > 0), -1, x < 0)",
        Unary::Not => "1 - x",
        Unary::BitNot => "~x",
        _ => return Err(CpuReason::NoKernel),
    };
    map(c, function, &[])
}

pub(super) fn binary(c: &Context<'_>, f: Binary) -> Result<Dispatch, CpuReason> {
    let function = match f {
        Binary::Add => "x + z",
        Binary::Sub => "x - z",
        Binary::Mul => "x * z",
        Binary::Min => "min(x, z)",
        Binary::Max => "max(x, z)",
        Binary::And | Binary::BitAnd => "x & z",
        Binary::Or | Binary::BitOr => "x | z",
        Binary::Xor | Binary::BitXor => "x ^ z",
        Binary::Equal => "select(0, 1, x == z)",
        Binary::Less => "select(0, 1, x < z)",
        Binary::LessOrEqual => "select(0, 1, x <= z)",
        Binary::Greater => "select(0, 1, x > z)",
        Binary::GreaterOrEqual => "select(0, 1, x >= z)",
        Binary::ShiftLeft | Binary::ShiftRight if c.info(0)?.ty != ElementType::U8 => {
            return Err(CpuReason::NoKernel);
        }
        // Of bytes: shifting by the width or more leaves nothing.
        Binary::ShiftLeft => "x << bitcast<u32>(min(z, 8))",
        Binary::ShiftRight => "x >> bitcast<u32>(min(z, 8))",
        _ => return Err(CpuReason::NoKernel),
    };
    map(c, function, &[])
}

pub(super) fn table(c: &Context<'_>, table: &[u8; 256]) -> Result<Dispatch, CpuReason> {
    let (entries, _) = table.as_chunks::<4>();
    let words: Vec<u32> = entries.iter().map(|c| u32::from_le_bytes(*c)).collect();
    let look =
        "bitcast<i32>(p[at + ((bitcast<u32>(x) & 0xffu) >> 2u)] >> ((bitcast<u32>(x) & 3u) << 3u))";
    map(c, look, &words)
}

pub(super) fn add(
    c: &Context<'_>,
    zeros: [i32; 2],
    scales: [f32; 2],
    (zero, ty): (i32, ElementType),
) -> Result<Dispatch, CpuReason> {
    let function =
        "fixed_point_sum(x - bitcast<i32>(p[at]), z - bitcast<i32>(p[at + 1u]), at + 2u)";
    let mut parameters = zeros.map(i32::cast_unsigned).to_vec();
    for scale in scales {
        let (m, shift) = split_scale(scale);
        parameters.extend([m, shift]);
    }
    parameters.extend(range(zero, ty)?);
    map(c, function, &parameters)
}

pub(super) fn multiply(
    c: &Context<'_>,
    zeros: [i32; 2],
    requantize: &Requantize,
) -> Result<Dispatch, CpuReason> {
    let function = "saturate_to(rescale((x - bitcast<i32>(p[at])) * (z - bitcast<i32>(p[at + 1u])), at + 2u), at + 6u)";
    let mut parameters = zeros.map(i32::cast_unsigned).to_vec();
    let scale = requantize.scales.first().ok_or(CpuReason::NoKernel)?;
    parameters.extend(multiplier(*scale)?);
    parameters.extend(range(requantize.zero, requantize.ty)?);
    map(c, function, &parameters)
}
