//! Operations that move elements and compute nothing.

use super::{OPERANDS, Operands};
use crate::array::{Array, Data, map_each};
use crate::error::RunError;
use crate::graph::Info;
use crate::op::PadMode;

/// Distance in elements from one index to the next, for each axis.
pub(crate) fn strides(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i] as isize;
    }
    strides
}

/// Calls `f` with the offset of each index of `shape`, last axis fastest.
pub(crate) fn walk(shape: &[usize], strides: &[isize], start: isize, mut f: impl FnMut(isize)) {
    if shape.contains(&0) {
        return;
    }
    let Some((&inner, outer)) = shape.split_last() else {
        return f(start);
    };
    let step = strides[outer.len()];
    let mut index = vec![0usize; outer.len()];
    let mut base = start;
    loop {
        let mut at = base;
        for _ in 0..inner {
            f(at);
            at += step;
        }
        let mut axis = outer.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            base += strides[axis];
            if index[axis] < outer[axis] {
                break;
            }
            base -= strides[axis] * outer[axis] as isize;
            index[axis] = 0;
        }
    }
}

/// The elements of a strided view.
fn view(data: &Data, shape: &[usize], strides: &[isize], start: isize) -> Result<Data, RunError> {
    fn collect<T: Copy>(
        source: &[T],
        shape: &[usize],
        strides: &[isize],
        start: isize,
    ) -> Result<Vec<T>, RunError> {
        let mut out = Vec::with_capacity(shape.iter().product());
        walk(shape, strides, start, |at| {
            out.extend(source.get(at as usize));
        });
        Ok(out)
    }
    Ok(map_each!(data, v => collect(v, shape, strides, start)?))
}

pub(super) fn transpose(x: &Array, perm: &[usize], result: &Info) -> Result<Data, RunError> {
    let source = strides(&x.shape);
    let strides: Vec<isize> = perm.iter().map(|&axis| source[axis]).collect();
    view(&x.data, &result.shape, &strides, 0)
}

/// Strides that read an array of `shape` as if it had been broadcast to `to`.
pub(crate) fn broadcast_strides(shape: &[usize], to: &[usize]) -> Vec<isize> {
    let source = strides(shape);
    (0..to.len())
        .map(|i| match (i + shape.len()).checked_sub(to.len()) {
            Some(i) if shape[i] != 1 => source[i],
            _ => 0,
        })
        .collect()
}

pub(super) fn expand(x: &Array, result: &Info) -> Result<Data, RunError> {
    let strides = broadcast_strides(&x.shape, &result.shape);
    view(&x.data, &result.shape, &strides, 0)
}

pub(super) fn slice(x: &Array, axes: &[(usize, isize, usize)]) -> Result<Data, RunError> {
    let source = strides(&x.shape);
    let mut start = 0isize;
    let (mut shape, mut steps) = (Vec::new(), Vec::new());
    for (&(first, step, len), stride) in axes.iter().zip(source) {
        start += first as isize * stride;
        shape.push(len);
        steps.push(step * stride);
    }
    view(&x.data, &shape, &steps, start)
}

pub(super) fn concat(x: Operands<'_>, axis: usize) -> Result<Data, RunError> {
    let first = x.get(0)?;
    let outer: usize = first.shape[..axis].iter().product();
    let mut parts = Vec::new();
    for i in 0..x.0.len() {
        let part = x.get(i)?;
        let row: usize = part.shape[axis..].iter().product();
        parts.push((&part.data, row));
    }
    fn join<T: Copy>(
        outer: usize,
        parts: &[(&Data, usize)],
        get: impl Fn(&Data) -> Option<&[T]>,
    ) -> Result<Vec<T>, RunError> {
        let mut out = Vec::new();
        for i in 0..outer {
            for (data, row) in parts {
                let data = get(data).ok_or(OPERANDS)?;
                out.extend_from_slice(data.get(i * row..(i + 1) * row).ok_or(OPERANDS)?);
            }
        }
        Ok(out)
    }
    macro_rules! join {
        ($($v:ident),*) => {
            match &first.data {
                $(Data::$v(_) => Data::$v(join(outer, &parts, |d| match d {
                    Data::$v(v) => Some(v.as_slice()),
                    _ => None,
                })?),)*
            }
        };
    }
    Ok(join!(U8, I8, I16, I32, I64, F32, Bool, U16, U32, U64, F64))
}

/// An index along an axis of `len` elements, counted from the end where it is negative.
pub(super) fn resolve(index: i64, len: usize) -> Result<usize, RunError> {
    let at = if index < 0 {
        index.checked_add(len as i64).unwrap_or(-1)
    } else {
        index
    };
    usize::try_from(at)
        .ok()
        .filter(|at| *at < len)
        .ok_or(RunError::IndexOutOfRange)
}

pub(super) fn gather(x: &Array, indices: &Array, axis: usize) -> Result<Data, RunError> {
    let len = x.shape[axis];
    let inner: usize = x.shape[axis + 1..].iter().product();
    let outer: usize = x.shape[..axis].iter().product();
    let rows = indices
        .to_i64()
        .ok_or(OPERANDS)?
        .into_iter()
        .map(|i| resolve(i, len))
        .collect::<Result<Vec<_>, _>>()?;
    fn pick<T: Copy>(v: &[T], outer: usize, len: usize, inner: usize, rows: &[usize]) -> Vec<T> {
        let mut out = Vec::with_capacity(outer * rows.len() * inner);
        for i in 0..outer {
            for row in rows {
                let at = (i * len + row) * inner;
                out.extend(v.get(at..at + inner).unwrap_or_default());
            }
        }
        out
    }
    Ok(map_each!(&x.data, v => pick(v, outer, len, inner, &rows)))
}

pub(super) fn gather_elements(x: &Array, indices: &Array, axis: usize) -> Result<Data, RunError> {
    let source = strides(&x.shape);
    let mut others = source.clone();
    others[axis] = 0;
    let values = indices.to_i64().ok_or(OPERANDS)?;
    let mut at = Vec::with_capacity(values.len());
    let mut failed = None;
    let mut values = values.into_iter();
    walk(&indices.shape, &others, 0, |base| {
        match values.next().map(|i| resolve(i, x.shape[axis])) {
            Some(Ok(i)) => at.push(base + i as isize * source[axis]),
            Some(Err(e)) => failed = Some(e),
            None => {}
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    fn pick<T: Copy>(v: &[T], at: &[isize]) -> Vec<T> {
        at.iter()
            .filter_map(|i| v.get(*i as usize).copied())
            .collect()
    }
    Ok(map_each!(&x.data, v => pick(v, &at)))
}

pub(super) fn pad(
    x: &Array,
    value: Option<&Array>,
    pads: &[(isize, isize)],
    mode: PadMode,
    result: &Info,
) -> Result<Data, RunError> {
    // Where each index of each axis comes from; `None` is the constant.
    let source = strides(&x.shape);
    let mut maps = Vec::with_capacity(pads.len());
    for (axis, &(before, _)) in pads.iter().enumerate() {
        let len = x.shape[axis] as isize;
        let map: Vec<Option<isize>> = (0..result.shape[axis] as isize)
            .map(|i| {
                let i = i - before;
                let inside = match mode {
                    _ if (0..len).contains(&i) => i,
                    PadMode::Constant => return None,
                    PadMode::Edge => i.clamp(0, len - 1),
                    PadMode::Reflect if i < 0 => -i,
                    PadMode::Reflect => 2 * (len - 1) - i,
                    PadMode::Wrap => i.rem_euclid(len),
                };
                Some(inside * source[axis])
            })
            .collect();
        maps.push(map);
    }
    let mut at: Vec<Option<isize>> = vec![Some(0)];
    for map in &maps {
        at = at
            .iter()
            .flat_map(|base| map.iter().map(move |i| Some((*base)? + (*i)?)))
            .collect();
    }
    fn pick<T: Copy + Default>(v: &[T], at: &[Option<isize>], value: Option<T>) -> Vec<T> {
        let value = value.unwrap_or_default();
        at.iter()
            .map(|i| i.and_then(|i| v.get(i as usize).copied()).unwrap_or(value))
            .collect()
    }
    macro_rules! pad {
        ($($v:ident),*) => {
            match &x.data {
                $(Data::$v(v) => Data::$v(pick(v, &at, value.and_then(|c| match &c.data {
                    Data::$v(c) => c.first().copied(),
                    _ => None,
                }))),)*
            }
        };
    }
    Ok(pad!(U8, I8, I16, I32, I64, F32, Bool, U16, U32, U64, F64))
}
