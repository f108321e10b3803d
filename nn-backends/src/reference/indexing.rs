//! Operations whose result depends on positions: running sums, selection, scattering.

use super::movement::{resolve, strides, walk};
use super::{OPERANDS, double};
use crate::array::{Array, Data, map_each};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::strict::canonical;
use crate::op::Scatter;
use std::cmp::Ordering;

/// How elements are added, multiplied and compared.
trait Number: Copy + PartialOrd {
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    const ZERO: Self;
    const ONE: Self;
    fn is_nan(self) -> bool {
        false
    }
}

macro_rules! integers {
    ($($t:ty),*) => {
        $(impl Number for $t {
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            const ZERO: Self = 0;
            const ONE: Self = 1;
        })*
    };
}
integers!(u8, i8, u16, i16, u32, i32, u64, i64);

macro_rules! floats {
    ($($t:ty, $canonical:path);*) => {
        $(impl Number for $t {
            fn plus(self, other: Self) -> Self {
                $canonical(self + other)
            }
            fn times(self, other: Self) -> Self {
                $canonical(self * other)
            }
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            fn is_nan(self) -> bool {
                <$t>::is_nan(self)
            }
        })*
    };
}
floats!(f32, canonical; f64, double::canonical);

/// Runs a generic function on the vectors of numeric arrays.
macro_rules! numbers {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            Data::U8($v) => Data::U8($body),
            Data::I8($v) => Data::I8($body),
            Data::I16($v) => Data::I16($body),
            Data::I32($v) => Data::I32($body),
            Data::I64($v) => Data::I64($body),
            Data::U16($v) => Data::U16($body),
            Data::U32($v) => Data::U32($body),
            Data::U64($v) => Data::U64($body),
            Data::F32($v) => Data::F32($body),
            Data::F64($v) => Data::F64($body),
            Data::Bool(_) => return Err(OPERANDS),
        }
    };
}

/// Length, distance between neighbours and first offsets of the lines along an axis.
fn lines(shape: &[usize], axis: usize) -> (usize, usize, Vec<usize>) {
    let source = strides(shape);
    let mut outer = shape.to_vec();
    outer[axis] = 1;
    let mut starts = Vec::new();
    walk(&outer, &source, 0, |at| starts.push(at as usize));
    (shape[axis], source[axis] as usize, starts)
}

pub(super) fn cumulate(
    x: &Array,
    product: bool,
    axis: usize,
    exclusive: bool,
    reverse: bool,
) -> Result<Data, RunError> {
    let (len, step, starts) = lines(&x.shape, axis);
    fn run<T: Number>(
        v: &[T],
        (len, step, starts): (usize, usize, &[usize]),
        product: bool,
        exclusive: bool,
        reverse: bool,
    ) -> Vec<T> {
        let mut out = v.to_vec();
        for start in starts {
            let mut sum = if product { T::ONE } else { T::ZERO };
            for i in 0..len {
                let i = if reverse { len - 1 - i } else { i };
                let at = start + i * step;
                let (Some(x), Some(y)) = (v.get(at), out.get_mut(at)) else {
                    continue;
                };
                let next = if product { sum.times(*x) } else { sum.plus(*x) };
                *y = if exclusive { sum } else { next };
                sum = next;
            }
        }
        out
    }
    let lines = (len, step, &starts[..]);
    Ok(numbers!(&x.data, v => run(v, lines, product, exclusive, reverse)))
}

/// The order of selection: NaN is greater than every number, of equals the first wins.
fn order<T: Number>(a: T, b: T) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

/// The elements and their indices along the axis, best first.
pub(super) fn top_k(
    x: &Array,
    axis: usize,
    k: usize,
    largest: bool,
    results: &[Info],
) -> Result<Vec<Array>, RunError> {
    let (len, step, starts) = lines(&x.shape, axis);
    fn select<T: Number>(
        v: &[T],
        (len, step, starts): (usize, usize, &[usize]),
        k: usize,
        largest: bool,
    ) -> (Vec<usize>, Vec<usize>) {
        let (mut from, mut index) = (Vec::new(), Vec::new());
        for start in starts {
            let mut line: Vec<(usize, T)> = (0..len)
                .filter_map(|i| Some((i, *v.get(start + i * step)?)))
                .collect();
            // Stable: equal elements stay in order of their index.
            if largest {
                line.sort_by(|a, b| order(b.1, a.1));
            } else {
                line.sort_by(|a, b| order(a.1, b.1));
            }
            for (i, _) in line.iter().take(k) {
                from.push(start + i * step);
                index.push(*i);
            }
        }
        (from, index)
    }
    let lines = (len, step, &starts[..]);
    let (from, index) = match &x.data {
        Data::U8(v) => select(v, lines, k, largest),
        Data::I8(v) => select(v, lines, k, largest),
        Data::I16(v) => select(v, lines, k, largest),
        Data::I32(v) => select(v, lines, k, largest),
        Data::I64(v) => select(v, lines, k, largest),
        Data::U16(v) => select(v, lines, k, largest),
        Data::U32(v) => select(v, lines, k, largest),
        Data::U64(v) => select(v, lines, k, largest),
        Data::F32(v) => select(v, lines, k, largest),
        Data::F64(v) => select(v, lines, k, largest),
        Data::Bool(_) => return Err(OPERANDS),
    };
    let [values, indices] = results else {
        return Err(OPERANDS);
    };
    // Found line by line; the result has the axis in its place.
    let (_, out_step, out_starts) = self::lines(&values.shape, axis);
    let mut place = vec![0usize; from.len()];
    for (line, start) in out_starts.iter().enumerate() {
        for i in 0..k {
            let at = start + i * out_step;
            *place.get_mut(at).ok_or(OPERANDS)? = line * k + i;
        }
    }
    let data = map_each!(&x.data, v => place
        .iter()
        .filter_map(|i| v.get(*from.get(*i)?).copied())
        .collect());
    let index: Vec<i64> = place
        .iter()
        .filter_map(|i| index.get(*i).map(|i| *i as i64))
        .collect();
    Ok(vec![
        Array {
            shape: values.shape.clone(),
            data,
        },
        Array {
            shape: indices.shape.clone(),
            data: Data::I64(index),
        },
    ])
}

/// The offsets of the slices that rows of `indices` name, `batch` leading axes apart.
fn slices(x: &[usize], indices: &Array, batch: usize) -> Result<(Vec<usize>, usize), RunError> {
    let depth = indices.shape.last().copied().ok_or(OPERANDS)?;
    let source = strides(x);
    let inner: usize = x.get(batch + depth..).ok_or(OPERANDS)?.iter().product();
    let rows_per_batch: usize = indices.shape[batch..indices.shape.len() - 1]
        .iter()
        .product();
    let batch_size: usize = x[batch..].iter().product();
    let values = indices.to_i64().ok_or(OPERANDS)?;
    let rows: usize = indices.shape[..indices.shape.len() - 1].iter().product();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut at = row / rows_per_batch.max(1) * batch_size;
        for i in 0..depth {
            let index = *values.get(row * depth + i).ok_or(OPERANDS)?;
            at += resolve(index, x[batch + i])? * source[batch + i] as usize;
        }
        out.push(at);
    }
    Ok((out, inner))
}

pub(super) fn gather_nd(x: &Array, indices: &Array, batch: usize) -> Result<Data, RunError> {
    let (starts, inner) = slices(&x.shape, indices, batch)?;
    fn pick<T: Copy>(v: &[T], starts: &[usize], inner: usize) -> Vec<T> {
        starts
            .iter()
            .filter_map(|at| v.get(*at..at + inner))
            .flatten()
            .copied()
            .collect()
    }
    Ok(map_each!(&x.data, v => pick(v, &starts, inner)))
}

/// Writes `updates` to offsets, in order.
fn scatter(
    x: &Array,
    updates: &Array,
    at: &[usize],
    inner: usize,
    how: Scatter,
) -> Result<Data, RunError> {
    fn run<T: Copy>(
        v: &[T],
        updates: &[T],
        (at, inner): (&[usize], usize),
        combine: impl Fn(T, T) -> T,
    ) -> Option<Vec<T>> {
        let mut out = v.to_vec();
        for (row, at) in at.iter().enumerate() {
            for i in 0..inner {
                let y = out.get_mut(at + i)?;
                *y = combine(*y, *updates.get(row * inner + i)?);
            }
        }
        Some(out)
    }
    fn number<T: Number>(how: Scatter) -> fn(T, T) -> T {
        match how {
            Scatter::Replace => |_, b| b,
            Scatter::Add => T::plus,
            Scatter::Mul => T::times,
            Scatter::Max => |a, b| {
                if order(b, a) == Ordering::Greater {
                    b
                } else {
                    a
                }
            },
            Scatter::Min => |a: T, b: T| {
                if a.is_nan() || b.is_nan() {
                    if a.is_nan() { a } else { b }
                } else if b < a {
                    b
                } else {
                    a
                }
            },
        }
    }
    macro_rules! each_type {
        ($($v:ident),*) => {
            match (&x.data, &updates.data) {
                $((Data::$v(v), Data::$v(u)) => {
                    Data::$v(run(v, u, (at, inner), number(how)).ok_or(OPERANDS)?)
                })*
                (Data::Bool(v), Data::Bool(u)) if how == Scatter::Replace => {
                    Data::Bool(run(v, u, (at, inner), |_, b| b).ok_or(OPERANDS)?)
                }
                _ => return Err(OPERANDS),
            }
        };
    }
    Ok(each_type!(U8, I8, I16, I32, I64, U16, U32, U64, F32, F64))
}

pub(super) fn scatter_elements(
    x: &Array,
    indices: &Array,
    updates: &Array,
    axis: usize,
    how: Scatter,
) -> Result<Data, RunError> {
    let source = strides(&x.shape);
    let mut others = source.clone();
    others[axis] = 0;
    let mut bases = Vec::with_capacity(indices.len());
    walk(&indices.shape, &others, 0, |at| bases.push(at as usize));
    let at = indices
        .to_i64()
        .ok_or(OPERANDS)?
        .into_iter()
        .zip(bases)
        .map(|(i, base)| Ok(base + resolve(i, x.shape[axis])? * source[axis] as usize))
        .collect::<Result<Vec<_>, RunError>>()?;
    scatter(x, updates, &at, 1, how)
}

pub(super) fn scatter_nd(
    x: &Array,
    indices: &Array,
    updates: &Array,
    how: Scatter,
) -> Result<Data, RunError> {
    let (starts, inner) = slices(&x.shape, indices, 0)?;
    scatter(x, updates, &starts, inner, how)
}
