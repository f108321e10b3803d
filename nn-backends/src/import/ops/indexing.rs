//! Operators that select, scatter or accumulate by position.

use super::math::zero_like;
use super::movement::part;
use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad, normalise};
use crate::op::{Binary, Op, Scatter};
use crate::tensor::ElementType;

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let id = match c.node.op_type {
        "TopK" => return top_k(c),
        "GatherND" => {
            let batch =
                usize::try_from(c.int_or("batch_dims", 0)?).map_err(|_| bad("batch_dims"))?;
            let (x, indices) = (c.input(0)?, c.input(1)?);
            c.emit(Op::GatherNd(batch), &[x, indices])?
        }
        "ScatterElements" | "Scatter" => {
            let how = reduction(c)?;
            let axis = c.axis("axis", 0, c.rank(c.input(0)?))?;
            let inputs = [c.input(0)?, c.input(1)?, c.input(2)?];
            c.emit(Op::ScatterElements(axis, how), &inputs)?
        }
        "ScatterND" => {
            let how = reduction(c)?;
            let inputs = [c.input(0)?, c.input(1)?, c.input(2)?];
            c.emit(Op::ScatterNd(how), &inputs)?
        }
        "CumSum" | "CumProd" => {
            let x = c.input(0)?;
            let axis = match c.constant_ints(1)?.as_deref() {
                Some([axis]) => normalise(*axis, c.rank(x)).ok_or_else(|| bad("axis"))?,
                _ => return Err(NodeError::Value("one axis is expected")),
            };
            let op = Op::Cumulate {
                product: c.node.op_type == "CumProd",
                axis,
                exclusive: c.flag("exclusive")?,
                reverse: c.flag("reverse")?,
            };
            c.emit(op, &[x])?
        }
        "OneHot" => one_hot(c)?,
        "EyeLike" => eye_like(c)?,
        "Compress" => compress(c)?,
        "NonZero" => non_zero(c)?,
        "Unique" => return unique(c),
        "ReverseSequence" => reverse_sequence(c)?,
        "TensorScatter" => tensor_scatter(c)?,
        _ => return Err(NodeError::Operator),
    };
    Ok(vec![id])
}

fn reduction(c: &Context<'_, '_, '_>) -> Result<Scatter, NodeError> {
    Ok(match c.string_or("reduction", "none")? {
        "none" => Scatter::Replace,
        "add" => Scatter::Add,
        "mul" => Scatter::Mul,
        "max" => Scatter::Max,
        "min" => Scatter::Min,
        _ => return Err(bad("reduction")),
    })
}

fn index_constant(c: &mut Context<'_, '_, '_>, shape: Vec<usize>, list: Vec<i64>) -> ValueId {
    c.builder.keep(Array {
        shape,
        data: Data::I64(list),
    })
}

/// Unsorted results are sorted as well: the standard leaves their order open.
fn top_k(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.input(0)?;
    let k = match c.opset {
        ..10 => c.int("k")?,
        _ => match c.constant_ints(1)?.as_deref() {
            Some([k]) => Some(*k),
            _ => None,
        },
    };
    let k = k
        .and_then(|k| usize::try_from(k).ok())
        .ok_or(NodeError::Value("one number of elements is expected"))?;
    let op = Op::TopK {
        axis: c.axis("axis", -1, c.rank(x))?,
        k,
        largest: c.int_or("largest", 1)? != 0,
    };
    let name = c.name();
    c.builder.emit(&name, op, &[Some(x)])
}

/// `on` where the index along a new axis is the operand's, else `off`.
fn one_hot(c: &mut Context<'_, '_, '_>) -> Value {
    let (indices, values) = (c.input(0)?, c.input(2)?);
    let depth = c.constant(1)?.ok_or(NodeError::MissingInput(1))?;
    let depth = match (&depth.data, depth.len()) {
        (Data::F32(v), 1) => v[0] as i64,
        (_, 1) => depth.to_i64().map_or(-1, |v| v[0]),
        _ => -1,
    };
    let depth = usize::try_from(depth)
        .ok()
        .filter(|d| *d as u64 <= c.builder.limits.folding)
        .ok_or(NodeError::Value("one depth is expected"))?;
    let mut shape = c.shape(indices);
    let rank = shape.len() + 1;
    let axis = c.axis("axis", -1, rank)?;
    shape.insert(axis, 1);
    let indices = c.emit(Op::Cast(ElementType::I64), &[indices])?;
    let indices = c.reshape(indices, shape)?;
    // Negative indices count from the end.
    let zero = zero_like(c, indices)?;
    let n = c.builder.scalar(Data::I64(vec![depth as i64]));
    let wrapped = c.binary(Binary::Add, indices, n)?;
    let below = c.binary(Binary::Less, indices, zero)?;
    let indices = c.emit(Op::Where, &[below, wrapped, indices])?;
    let mut line = vec![1; rank];
    line[axis] = depth;
    let line = index_constant(c, line, (0..depth as i64).collect());
    let hit = c.binary(Binary::Equal, line, indices)?;
    let scalar = |c: &mut Context<'_, '_, '_>, i| {
        let v = part(c, values, 0, i, 1)?;
        c.reshape(v, vec![])
    };
    let (off, on) = (scalar(c, 0)?, scalar(c, 1)?);
    c.emit(Op::Where, &[hit, on, off])
}

fn eye_like(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let [rows, columns] = c.shape(x)[..] else {
        return Err(NodeError::Shape("a matrix is expected"));
    };
    c.builder
        .may_make((rows as u64).saturating_mul(columns as u64))?;
    let k = c.int_or("k", 0)?;
    let ty = match c.attribute("dtype") {
        Some(_) => c.element_type("dtype")?,
        None => c.ty(x),
    };
    let eye = (0..rows as i64)
        .flat_map(|i| (0..columns as i64).map(move |j| u8::from(j.checked_sub(i) == Some(k))))
        .collect();
    let eye = c.builder.keep(Array {
        shape: vec![rows, columns],
        data: Data::U8(eye),
    });
    c.emit(Op::Cast(ty), &[eye])
}

/// The shape depends on the condition, which therefore has to be known.
fn compress(c: &mut Context<'_, '_, '_>) -> Value {
    let mut x = c.input(0)?;
    let condition = c.constant(1)?.ok_or(NodeError::MissingInput(1))?;
    let Data::Bool(condition) = &condition.data else {
        return Err(NodeError::Value("a boolean vector is expected"));
    };
    let axis = match c.int("axis")? {
        Some(_) => c.axis("axis", 0, c.rank(x))?,
        None => {
            let n = c.info(x).elements() as usize;
            x = c.reshape(x, vec![n])?;
            0
        }
    };
    let picked: Vec<i64> = (0..)
        .zip(condition)
        .filter(|(_, keep)| **keep)
        .map(|(i, _)| i)
        .collect();
    let picked = index_constant(c, vec![picked.len()], picked);
    c.emit(Op::Gather(axis), &[x, picked])
}

fn non_zero(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.constant(0)?.ok_or(NodeError::MissingInput(0))?;
    let set: Vec<bool> = match &x.data {
        Data::F32(v) => v.iter().map(|x| *x != 0.0).collect(),
        Data::F64(v) => v.iter().map(|x| *x != 0.0).collect(),
        Data::U64(v) => v.iter().map(|x| *x != 0).collect(),
        _ => match x.to_i64() {
            Some(v) => v.iter().map(|x| *x != 0).collect(),
            None => return Err(NodeError::Operator),
        },
    };
    let found: Vec<usize> = (0..set.len()).filter(|i| set[*i]).collect();
    c.builder
        .may_make((found.len() as u64).saturating_mul(x.shape.len() as u64))?;
    let mut rows = Vec::with_capacity(found.len().saturating_mul(x.shape.len()));
    for axis in 0..x.shape.len() {
        let inner: usize = x.shape[axis + 1..].iter().product();
        rows.extend(found.iter().map(|at| (at / inner % x.shape[axis]) as i64));
    }
    let shape = vec![x.shape.len(), found.len()];
    Ok(index_constant(c, shape, rows))
}

/// Distinct elements or slices of a constant: their values, first positions, the group of each, counts.
fn unique(c: &mut Context<'_, '_, '_>) -> Lowered {
    let x = c.constant(0)?.ok_or(NodeError::MissingInput(0))?;
    // Sorting keeps a key for each element.
    c.builder.may_make((x.len() as u64).saturating_mul(16))?;
    let (shape, axis) = match c.int("axis")? {
        Some(_) => (x.shape.clone(), c.axis("axis", 0, x.shape.len())?),
        None => (vec![x.len()], 0),
    };
    let len = shape[axis];
    let inner: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    // A key that sorts as the elements do.
    fn key<T: Copy>(
        v: &[T],
        (outer, len, inner): (usize, usize, usize),
        i: usize,
        order: impl Fn(T) -> i128,
    ) -> Vec<i128> {
        (0..outer)
            .flat_map(|o| (0..inner).map(move |k| (o * len + i) * inner + k))
            .filter_map(|at| v.get(at).map(|x| order(*x)))
            .collect()
    }
    // Negative floats sort by their magnitude, downwards.
    let float = |bits: i64| i128::from(if bits < 0 { i64::MIN - bits } else { bits });
    let dims = (outer, len, inner);
    let mut keys: Vec<(Vec<i128>, usize)> = (0..len)
        .map(|i| {
            let key = match &x.data {
                Data::F32(v) => key(v, dims, i, |x| float(f64::from(x).to_bits() as i64)),
                Data::F64(v) => key(v, dims, i, |x| float(x.to_bits() as i64)),
                Data::U64(v) => key(v, dims, i, i128::from),
                _ => match x.to_i64() {
                    Some(v) => key(&v, dims, i, i128::from),
                    None => Vec::new(),
                },
            };
            (key, i)
        })
        .collect();
    keys.sort();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut last: Option<&Vec<i128>> = None;
    for (key, i) in &keys {
        match groups.last_mut() {
            Some(group) if last == Some(key) => group.push(*i),
            _ => groups.push(vec![*i]),
        }
        last = Some(key);
    }
    if c.int_or("sorted", 1)? == 0 {
        groups.sort_by_key(|g| g[0]);
    }
    let first: Vec<i64> = groups.iter().map(|g| g[0] as i64).collect();
    let counts: Vec<i64> = groups.iter().map(|g| g.len() as i64).collect();
    let mut inverse = vec![0i64; len];
    for (n, group) in (0..).zip(&groups) {
        for i in group {
            inverse[*i] = n;
        }
    }
    let x = c.input(0)?;
    let flat = c.reshape(x, shape)?;
    let index = index_constant(c, vec![first.len()], first);
    Ok(vec![
        c.emit(Op::Gather(axis), &[flat, index])?,
        index,
        index_constant(c, vec![len], inverse),
        index_constant(c, vec![counts.len()], counts),
    ])
}

/// Each batch's first elements of known number in reverse order.
fn reverse_sequence(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    let lengths = c.constant_ints(1)?.ok_or(NodeError::MissingInput(1))?;
    let shape = c.shape(x);
    let (batch, time) = (
        c.axis("batch_axis", 1, shape.len())?,
        c.axis("time_axis", 0, shape.len())?,
    );
    if lengths.len() != shape[batch] || batch + time != 1 {
        return Err(NodeError::Shape("one length for each batch"));
    }
    let steps = shape[time] as i64;
    if lengths.iter().any(|n| !(0..=steps).contains(n)) {
        return Err(NodeError::Value("a length is out of range"));
    }
    c.builder
        .may_make((shape[0] as u64).saturating_mul(shape[1] as u64))?;
    let mut list = Vec::with_capacity(shape[0].saturating_mul(shape[1]));
    for i in 0..shape[0] as i64 {
        for j in 0..shape[1] as i64 {
            let (t, b) = if time == 0 { (i, j) } else { (j, i) };
            let n = lengths[b as usize];
            list.push(if t < n { n - 1 - t } else { t });
        }
    }
    let inner: usize = shape[2..].iter().product();
    let index = index_constant(c, vec![shape[0], shape[1], 1], list);
    let wide = vec![shape[0], shape[1], inner];
    let index = c.emit(Op::Expand(wide.clone()), &[index])?;
    let y = c.reshape(x, wide)?;
    let y = c.emit(Op::GatherElements(time), &[y, index])?;
    c.reshape(y, shape)
}

/// Writes an update into a cache, at a position for each batch.
fn tensor_scatter(c: &mut Context<'_, '_, '_>) -> Value {
    let (cache, update) = (c.input(0)?, c.input(1)?);
    let shape = c.shape(cache);
    let axis = c.axis("axis", -2, shape.len())?;
    let steps = *c
        .shape(update)
        .get(axis)
        .ok_or(NodeError::Shape("the update does not fit"))?;
    c.builder.may_make(steps as u64)?;
    let mut at = vec![1; shape.len()];
    at[axis] = steps;
    let mut index = index_constant(c, at, (0..steps as i64).collect());
    if let Some(start) = c.optional(2) {
        if axis == 0 {
            return Err(bad("axis"));
        }
        let mut batch = vec![1; shape.len()];
        batch[0] = shape[0];
        let start = c.emit(Op::Cast(ElementType::I64), &[start])?;
        let start = c.reshape(start, batch)?;
        index = c.binary(Binary::Add, index, start)?;
    }
    match c.string_or("mode", "linear")? {
        "linear" => {}
        "circular" => {
            let n = c.builder.scalar(Data::I64(vec![shape[axis] as i64]));
            index = c.binary(Binary::Mod, index, n)?;
        }
        _ => return Err(bad("mode")),
    }
    let to = c.shape(update);
    let index = c.emit(Op::Expand(to), &[index])?;
    let op = Op::ScatterElements(axis, Scatter::Replace);
    c.emit(op, &[cache, index, update])
}
