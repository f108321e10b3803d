//! Between numbers and 8 bits.

use super::contraction::zero_points;
use super::movement::{broadcast_strides, walk};
use super::{Broadcast, OPERANDS, Operands};
use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::strict::canonical;
use crate::kernels::{ByteType, Requantizer};
use crate::op::Requantize;
use crate::tensor::ElementType;

impl Requantize {
    /// In the kernels' form.
    pub(crate) fn kernel(&self) -> Result<Requantizer, RunError> {
        Requantizer::new(&self.scales, self.zero, byte_type(self.ty)?).map_err(|_| OPERANDS)
    }
}

/// An 8-bit type as the kernels name it.
pub(crate) fn byte_type(ty: ElementType) -> Result<ByteType, RunError> {
    match ty {
        ElementType::U8 => Ok(ByteType::U8),
        ElementType::I8 => Ok(ByteType::I8),
        _ => Err(OPERANDS),
    }
}

/// Narrows to an 8-bit type.
pub(super) fn saturate(
    values: impl Iterator<Item = i64>,
    ty: ElementType,
) -> Result<Data, RunError> {
    Ok(match ty {
        ElementType::U8 => Data::U8(values.map(|v| v.clamp(0, 255) as u8).collect()),
        ElementType::I8 => Data::I8(values.map(|v| v.clamp(-128, 127) as i8).collect()),
        ElementType::I16 => Data::I16(values.map(|v| v.clamp(-32768, 32767) as i16).collect()),
        ElementType::U16 => Data::U16(values.map(|v| v.clamp(0, 65535) as u16).collect()),
        _ => return Err(OPERANDS),
    })
}

/// Requantises accumulators of which each channel has `plane` consecutive ones.
pub(super) fn requantize(
    acc: &[i32],
    requantize: &Requantize,
    plane: usize,
) -> Result<Data, RunError> {
    let kernel = requantize.kernel()?;
    let values = acc
        .iter()
        .enumerate()
        .map(|(i, acc)| i64::from(kernel.element(*acc, i / plane.max(1))));
    saturate(values, requantize.ty)
}

/// A scale as m · 2⁻ˢ, a 24-bit m and s from 0 to 60: beyond these exponents a term is nothing, or saturates.
pub(crate) fn split_scale(scale: f32) -> (u32, u32) {
    let bits = scale.to_bits();
    let exponent = (bits >> 23) as i32;
    let m = (bits & 0x7f_ffff) | 0x80_0000;
    (m, (150 - exponent).clamp(0, 60) as u32)
}

/// RNE(a·scales[0] + b·scales[1]), exact until it is rounded once.
pub(crate) fn fixed_point_sum(a: i32, b: i32, scales: [f32; 2]) -> i64 {
    let ((m_a, s_a), (m_b, s_b)) = (split_scale(scales[0]), split_scale(scales[1]));
    let (m_a, m_b) = (i128::from(m_a), i128::from(m_b));
    let shift = s_a.max(s_b);
    let sum = ((i128::from(a) * m_a) << (shift - s_a)) + ((i128::from(b) * m_b) << (shift - s_b));
    let floor = sum >> shift;
    let rest = sum - (floor << shift);
    let twice = rest << 1;
    let unit = 1i128 << shift;
    let up = twice > unit || (twice == unit && floor & 1 == 1);
    (floor + i128::from(up)).clamp(-(1 << 40), 1 << 40) as i64
}

fn integers(x: &Array) -> Result<Vec<i32>, RunError> {
    Ok(x.to_i64()
        .ok_or(OPERANDS)?
        .into_iter()
        .map(|v| v as i32)
        .collect())
}

pub(super) fn add(
    x: Operands<'_>,
    zeros: [i32; 2],
    scales: [f32; 2],
    (zero, ty): (i32, ElementType),
    result: &Info,
) -> Result<Data, RunError> {
    let (a, b) = (x.get(0)?, x.get(1)?);
    let pairs = Broadcast::new(&a.shape, &b.shape, &result.shape);
    let values = pairs.map(&integers(a)?, &integers(b)?, |a, b| {
        i64::from(zero) + fixed_point_sum(a - zeros[0], b - zeros[1], scales)
    });
    saturate(values.into_iter(), ty)
}

pub(super) fn mul(
    x: Operands<'_>,
    zeros: [i32; 2],
    requantize: &Requantize,
    result: &Info,
) -> Result<Data, RunError> {
    let (a, b) = (x.get(0)?, x.get(1)?);
    let pairs = Broadcast::new(&a.shape, &b.shape, &result.shape);
    let kernel = requantize.kernel()?;
    let values = pairs.map(&integers(a)?, &integers(b)?, |a, b| {
        i64::from(kernel.element((a - zeros[0]) * (b - zeros[1]), 0))
    });
    saturate(values.into_iter(), requantize.ty)
}

/// For each element of an array, the index of its scale.
fn channel_of(shape: &[usize], axis: usize, channels: usize) -> Vec<usize> {
    let mut one = vec![1; shape.len()];
    if let (true, Some(dim)) = (channels != 1, one.get_mut(axis)) {
        *dim = channels;
    }
    let mut out = Vec::new();
    walk(shape, &broadcast_strides(&one, shape), 0, |at| {
        out.push(at as usize);
    });
    out
}

pub(super) fn quantize(x: Operands<'_>, axis: usize, ty: ElementType) -> Result<Data, RunError> {
    let array = x.get(0)?;
    let scales = x.f32(1)?;
    let zeros = zero_points(x.optional(2))?;
    let numbers: Vec<f32> = match &array.data {
        Data::F32(v) => v.clone(),
        Data::I32(v) => v.iter().map(|v| *v as f32).collect(),
        _ => return Err(OPERANDS),
    };
    let channels = channel_of(&array.shape, axis, scales.len().max(zeros.len()));
    let values = numbers.iter().zip(channels).map(|(x, channel)| {
        let scale = scales.get(channel).or(scales.first());
        let zero = zeros.get(channel).or(zeros.first()).copied().unwrap_or(0);
        // NaN becomes 0, as every float to integer conversion here does.
        let quotient = (x / scale.copied().unwrap_or(1.0)).round_ties_even() as i64;
        quotient.clamp(-(1 << 40), 1 << 40) + i64::from(zero)
    });
    saturate(values, ty)
}

pub(super) fn dequantize(x: Operands<'_>, axis: usize) -> Result<Data, RunError> {
    let array = x.get(0)?;
    let scales = x.f32(1)?;
    let zeros = zero_points(x.optional(2))?;
    let channels = channel_of(&array.shape, axis, scales.len().max(zeros.len()));
    let values = integers(array)?;
    Ok(Data::F32(
        values
            .iter()
            .zip(channels)
            .map(|(x, channel)| {
                let scale = scales.get(channel).or(scales.first());
                let zero = zeros.get(channel).or(zeros.first()).copied().unwrap_or(0);
                canonical(x.wrapping_sub(zero) as f32 * scale.copied().unwrap_or(1.0))
            })
            .collect(),
    ))
}

/// Scale and zero point of `DynamicQuantizeLinear`, from the least and the greatest element.
pub(crate) fn dynamic_parameters(x: &[f32]) -> (f32, u8) {
    let (mut least, mut greatest) = (0.0f32, 0.0f32);
    for &x in x {
        if x < least {
            least = x;
        }
        if x > greatest {
            greatest = x;
        }
    }
    dynamic_parameters_of(least, greatest)
}

/// As [`dynamic_parameters`], from a range that includes 0; NaN is left out of it.
pub(crate) fn dynamic_parameters_of(least: f32, greatest: f32) -> (f32, u8) {
    let scale = (greatest - least) / 255.0;
    // Only zeros: any scale does, and 1 is one that nothing divides by in vain.
    let scale = if scale > 0.0 && scale.is_finite() {
        scale
    } else {
        1.0
    };
    let zero = (-least / scale).clamp(0.0, 255.0).round_ties_even();
    (scale, zero as u8)
}

pub(super) fn dynamic(x: &Array) -> Result<Vec<Array>, RunError> {
    let numbers = x.as_f32().ok_or(OPERANDS)?;
    let (scale, zero) = dynamic_parameters(numbers);
    let elements = numbers
        .iter()
        .map(|x| {
            let y = (x / scale).round_ties_even() as i64;
            (y.clamp(-(1 << 40), 1 << 40) + i64::from(zero)).clamp(0, 255) as u8
        })
        .collect();
    let scalar = |data| Array {
        shape: vec![],
        data,
    };
    Ok(vec![
        Array {
            shape: x.shape.clone(),
            data: Data::U8(elements),
        },
        scalar(Data::F32(vec![scale])),
        scalar(Data::U8(vec![zero])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Multiplier;

    #[test]
    fn a_sum_is_rounded_once_to_even() {
        assert_eq!(fixed_point_sum(1, 0, [0.5, 0.5]), 0);
        assert_eq!(fixed_point_sum(3, 0, [0.5, 0.5]), 2);
        assert_eq!(fixed_point_sum(1, 1, [0.5, 0.5]), 1);
        assert_eq!(fixed_point_sum(-1, -2, [0.5, 0.5]), -2);
        assert_eq!(fixed_point_sum(255, -255, [1.0, 1.0]), 0);
        assert_eq!(fixed_point_sum(10, 10, [0.25, 3.0]), 32);
    }

    #[test]
    fn a_product_agrees_with_the_multiplier() {
        for scale in [0.1f32, 0.003, 1.0, 7.5] {
            let multiplier = Multiplier::new(scale).unwrap();
            for a in -255..=255 {
                assert_eq!(
                    fixed_point_sum(a, 0, [scale, scale]),
                    i64::from(multiplier.apply(a))
                );
            }
        }
    }
}
