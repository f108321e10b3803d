//! Operations along axes.

use super::elementwise::{max_f32, min_f32};
use super::movement::{strides, walk};
use super::{OPERANDS, double};
use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::{Isa, strict};
use crate::op::Reduce;

/// The elements that each result is made of, in row-major order: for each result its first offset,
/// and the offsets within a group.
fn groups(x: &Array, axes: &[usize]) -> (Vec<isize>, Vec<isize>) {
    let source = strides(&x.shape);
    let (mut outer, mut inner) = (x.shape.clone(), x.shape.clone());
    for axis in 0..x.shape.len() {
        if axes.contains(&axis) {
            outer[axis] = 1;
        } else {
            inner[axis] = 1;
        }
    }
    let (mut starts, mut offsets) = (Vec::new(), Vec::new());
    walk(&outer, &source, 0, |at| starts.push(at));
    walk(&inner, &source, 0, |at| offsets.push(at));
    (starts, offsets)
}

pub(super) fn reduce(
    x: &Array,
    kind: Reduce,
    axes: &[usize],
    result: &Info,
) -> Result<Data, RunError> {
    let (starts, offsets) = groups(x, axes);
    let count = offsets.len();
    macro_rules! fold {
        ($v:expr, $init:expr, $f:expr) => {
            starts
                .iter()
                .map(|start| {
                    offsets.iter().fold($init($v, *start), |acc, offset| {
                        let at = (start + offset) as usize;
                        $v.get(at).map_or(acc, |x| $f(acc, *x))
                    })
                })
                .collect()
        };
    }
    macro_rules! integers {
        ($variant:ident, $t:ty, $v:expr) => {{
            Data::$variant(match kind {
                Reduce::Sum => fold!($v, |_: &[$t], _| 0 as $t, |a: $t, b: $t| a.wrapping_add(b)),
                Reduce::Prod => fold!($v, |_: &[$t], _| 1 as $t, |a: $t, b: $t| a.wrapping_mul(b)),
                Reduce::Max => fold!($v, |_: &[$t], _| <$t>::MIN, |a: $t, b: $t| a.max(b)),
                Reduce::Min => fold!($v, |_: &[$t], _| <$t>::MAX, |a: $t, b: $t| a.min(b)),
                Reduce::Mean => {
                    let sums: Vec<i128> =
                        fold!($v, |_: &[$t], _| 0i128, |a: i128, b: $t| a + b as i128);
                    // Towards zero, as integer division is.
                    sums.iter()
                        .map(|s| (s / count.max(1) as i128) as $t)
                        .collect()
                }
            })
        }};
    }
    let data = match &x.data {
        Data::F32(v) => {
            let values: Vec<f32> = match kind {
                Reduce::Sum | Reduce::Mean => starts
                    .iter()
                    .map(|start| {
                        let group: Vec<f32> = offsets
                            .iter()
                            .filter_map(|o| v.get((start + o) as usize).copied())
                            .collect();
                        let sum = strict::sum(Isa::Scalar, &group);
                        if kind == Reduce::Mean {
                            sum / count as f32
                        } else {
                            sum
                        }
                    })
                    .collect(),
                Reduce::Prod => fold!(v, |_: &[f32], _| 1.0, |a: f32, b: f32| a * b),
                Reduce::Max => fold!(v, |_: &[f32], _| f32::NEG_INFINITY, max_f32),
                Reduce::Min => fold!(v, |_: &[f32], _| f32::INFINITY, min_f32),
            };
            Data::F32(values.into_iter().map(strict::canonical).collect())
        }
        Data::U8(v) => integers!(U8, u8, v),
        Data::I8(v) => integers!(I8, i8, v),
        Data::I16(v) => integers!(I16, i16, v),
        Data::I32(v) => integers!(I32, i32, v),
        Data::I64(v) => integers!(I64, i64, v),
        Data::U16(v) => integers!(U16, u16, v),
        Data::U32(v) => integers!(U32, u32, v),
        Data::U64(v) => integers!(U64, u64, v),
        Data::F64(v) => {
            let values: Vec<f64> = match kind {
                Reduce::Sum => fold!(v, |_: &[f64], _| 0.0, |a: f64, b: f64| a + b),
                Reduce::Mean => {
                    let sums: Vec<f64> = fold!(v, |_: &[f64], _| 0.0, |a: f64, b: f64| a + b);
                    sums.into_iter().map(|s| s / count as f64).collect()
                }
                Reduce::Prod => fold!(v, |_: &[f64], _| 1.0, |a: f64, b: f64| a * b),
                Reduce::Max => fold!(v, |_: &[f64], _| f64::NEG_INFINITY, double::max),
                Reduce::Min => fold!(v, |_: &[f64], _| f64::INFINITY, double::min),
            };
            Data::F64(values.into_iter().map(double::canonical).collect())
        }
        Data::Bool(_) => return Err(OPERANDS),
    };
    debug_assert_eq!(data.len() as u64, result.elements());
    Ok(data)
}

pub(super) fn arg_reduce(
    x: &Array,
    max: bool,
    axis: usize,
    last: bool,
    _result: &Info,
) -> Result<Data, RunError> {
    let (starts, offsets) = groups(x, &[axis]);
    fn best<T: Copy + PartialOrd>(
        v: &[T],
        starts: &[isize],
        offsets: &[isize],
        max: bool,
        last: bool,
    ) -> Vec<i64> {
        let better = |a: T, b: T| {
            if last && a == b {
                true
            } else if max {
                a > b
            } else {
                a < b
            }
        };
        starts
            .iter()
            .map(|start| {
                let mut found: Option<(usize, T)> = None;
                for (i, offset) in offsets.iter().enumerate() {
                    let Some(&x) = v.get((start + offset) as usize) else {
                        continue;
                    };
                    if found.is_none_or(|(_, y)| better(x, y)) {
                        found = Some((i, x));
                    }
                }
                found.map_or(0, |(i, _)| i as i64)
            })
            .collect()
    }
    let out = match &x.data {
        Data::U8(v) => best(v, &starts, &offsets, max, last),
        Data::I8(v) => best(v, &starts, &offsets, max, last),
        Data::I16(v) => best(v, &starts, &offsets, max, last),
        Data::I32(v) => best(v, &starts, &offsets, max, last),
        Data::I64(v) => best(v, &starts, &offsets, max, last),
        Data::F32(v) => best(v, &starts, &offsets, max, last),
        Data::U16(v) => best(v, &starts, &offsets, max, last),
        Data::U32(v) => best(v, &starts, &offsets, max, last),
        Data::U64(v) => best(v, &starts, &offsets, max, last),
        Data::F64(v) => best(v, &starts, &offsets, max, last),
        Data::Bool(_) => return Err(OPERANDS),
    };
    Ok(Data::I64(out))
}

pub(super) fn softmax(x: &Array) -> Result<Data, RunError> {
    let mut out = x.as_f32().ok_or(OPERANDS)?.to_vec();
    let columns = x.shape.last().copied().ok_or(OPERANDS)?;
    strict::softmax(Isa::Scalar, &mut out, columns).map_err(|_| OPERANDS)?;
    Ok(Data::F32(out))
}
