//! Windows over planes.

use super::OPERANDS;
use super::quantize::saturate;
use crate::array::{Array, Data};
use crate::error::RunError;
use crate::kernels::strict::canonical;
use crate::op::{Requantize, Window};

impl Window {
    /// Calls `f` for each result with the number of elements a mean divides by, and the offsets of the
    /// elements in the plane.
    pub(crate) fn each(
        &self,
        [height, width]: [usize; 2],
        count_padding: bool,
        mut f: impl FnMut(usize, &[usize]),
    ) {
        let taps = |axis: usize, o: usize, len: usize| -> (Vec<usize>, usize) {
            let start = o * self.strides[axis];
            let inside = (0..self.kernel[axis])
                .filter_map(|i| (start + i * self.dilations[axis]).checked_sub(self.pads[axis]))
                .filter(|i| *i < len)
                .collect();
            // A padded mean counts the declared padding, but not what rounding up adds beyond it.
            let padded = self.pads[axis] + len + self.end_pads[axis];
            let counted = (0..self.kernel[axis])
                .filter(|i| start + i * self.dilations[axis] < padded)
                .count();
            (inside, counted)
        };
        let rows: Vec<_> = (0..self.output[0]).map(|o| taps(0, o, height)).collect();
        let columns: Vec<_> = (0..self.output[1]).map(|o| taps(1, o, width)).collect();
        let mut at = Vec::new();
        for (ys, counted_y) in &rows {
            for (xs, counted_x) in &columns {
                at.clear();
                at.extend(
                    ys.iter()
                        .flat_map(|y| xs.iter().map(move |x| y * width + x)),
                );
                let count = if count_padding {
                    counted_y * counted_x
                } else {
                    at.len()
                };
                f(count.max(1), &at);
            }
        }
    }
}

fn planes(x: &Array) -> Result<(usize, [usize; 2]), RunError> {
    match x.shape[..] {
        [_, _, h, w] if h > 0 && w > 0 => Ok((h * w, [h, w])),
        _ => Err(OPERANDS),
    }
}

pub(super) fn pool(
    x: &Array,
    average: bool,
    count_padding: bool,
    window: &Window,
) -> Result<Data, RunError> {
    let (plane, size) = planes(x)?;
    macro_rules! max {
        ($variant:ident, $t:ty, $v:expr, $least:expr, $max:expr) => {{
            let mut out = Vec::new();
            for plane in $v.chunks(plane) {
                window.each(size, false, |_, at| {
                    let elements = at.iter().filter_map(|i| plane.get(*i).copied());
                    out.push(elements.fold($least, $max));
                });
            }
            Data::$variant(out)
        }};
    }
    Ok(match &x.data {
        Data::F32(v) if average => {
            let mut out = Vec::new();
            for plane in v.chunks(plane) {
                window.each(size, count_padding, |count, at| {
                    let mut sum = 0.0f32;
                    for i in at {
                        sum += plane.get(*i).copied().unwrap_or_default();
                    }
                    out.push(canonical(sum / count as f32));
                });
            }
            Data::F32(out)
        }
        _ if average => return Err(OPERANDS),
        Data::F32(v) => max!(F32, f32, v, f32::NEG_INFINITY, |a, b| canonical(
            super::elementwise::max_f32(a, b)
        )),
        Data::U8(v) => max!(U8, u8, v, u8::MIN, u8::max),
        Data::I8(v) => max!(I8, i8, v, i8::MIN, i8::max),
        Data::I16(v) => max!(I16, i16, v, i16::MIN, i16::max),
        Data::I32(v) => max!(I32, i32, v, i32::MIN, i32::max),
        Data::I64(v) => max!(I64, i64, v, i64::MIN, i64::max),
        Data::U16(v) => max!(U16, u16, v, u16::MIN, u16::max),
        Data::U32(v) => max!(U32, u32, v, u32::MIN, u32::max),
        Data::U64(v) => max!(U64, u64, v, u64::MIN, u64::max),
        Data::F64(_) | Data::Bool(_) => return Err(OPERANDS),
    })
}

/// The index of each window's greatest element in the whole operand; the first of equals. A window of
/// padding only has the plane's first element.
pub(super) fn indices(x: &Array, window: &Window, columns: bool) -> Result<Data, RunError> {
    let (plane, [height, width]) = planes(x)?;
    fn best<T: Copy + PartialOrd>(plane: &[T], at: &[usize]) -> usize {
        let mut best: Option<(usize, T)> = None;
        for i in at {
            if let Some(x) = plane.get(*i)
                && best.is_none_or(|(_, y)| *x > y)
            {
                best = Some((*i, *x));
            }
        }
        best.map_or(0, |(i, _)| i)
    }
    let mut out = Vec::new();
    for start in (0..x.len()).step_by(plane) {
        window.each([height, width], false, |_, at| {
            macro_rules! best {
                ($v:expr) => {
                    best($v.get(start..start + plane).unwrap_or_default(), at)
                };
            }
            let i = match &x.data {
                Data::U8(v) => best!(v),
                Data::I8(v) => best!(v),
                Data::I16(v) => best!(v),
                Data::I32(v) => best!(v),
                Data::I64(v) => best!(v),
                Data::U16(v) => best!(v),
                Data::U32(v) => best!(v),
                Data::U64(v) => best!(v),
                Data::F32(v) => best!(v),
                Data::F64(v) => best!(v),
                Data::Bool(v) => best!(v),
            };
            let i = if columns {
                i % width * height + i / width
            } else {
                i
            };
            out.push((start + i) as i64);
        });
    }
    Ok(Data::I64(out))
}

pub(super) fn quantized_average(
    x: &Array,
    window: &Window,
    count_padding: bool,
    x_zero: i32,
    requantize: &Requantize,
) -> Result<Data, RunError> {
    let (plane, size) = planes(x)?;
    let values = x.to_i64().ok_or(OPERANDS)?;
    let scale = requantize.scales.first().copied().ok_or(OPERANDS)?;
    // One multiplier for each number of elements a window can have.
    let mut kernels = std::collections::BTreeMap::new();
    let mut out = Vec::new();
    let mut failed = None;
    for plane in values.chunks(plane) {
        window.each(size, count_padding, |count, at| {
            let kernel = kernels.entry(count).or_insert_with(|| {
                Requantize {
                    scales: vec![scale / count as f32],
                    ..requantize.clone()
                }
                .kernel()
            });
            let sum: i64 = at
                .iter()
                .filter_map(|i| plane.get(*i))
                .map(|x| x - i64::from(x_zero))
                .sum();
            match kernel {
                Ok(kernel) => out.push(i64::from(kernel.element(sum as i32, 0))),
                Err(error) => failed = Some(error.clone()),
            }
        });
    }
    match failed {
        Some(error) => Err(error),
        None => saturate(out.into_iter(), requantize.ty),
    }
}
