//! Operators whose results are known when a model is loaded.

use super::movement::dims;
use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::onnx::decode;
use crate::onnx::schema::Attribute;
use crate::op::Op;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let id = match c.node.op_type {
        "Shape" => {
            let x = c.input(0)?;
            let shape = c.shape(x);
            let bound = |v: i64| {
                let v = if v < 0 {
                    v.saturating_add(shape.len() as i64)
                } else {
                    v
                };
                v.clamp(0, shape.len() as i64) as usize
            };
            let start = bound(c.int_or("start", 0)?);
            let end = bound(c.int_or("end", shape.len() as i64)?);
            let part: Vec<i64> = shape
                .get(start..end)
                .unwrap_or_default()
                .iter()
                .map(|d| *d as i64)
                .collect();
            c.builder.keep(Array {
                shape: vec![part.len()],
                data: Data::I64(part),
            })
        }
        "Size" => {
            let x = c.input(0)?;
            let n = c.info(x).elements() as i64;
            c.builder.scalar(Data::I64(vec![n]))
        }
        "Constant" => constant(c)?,
        "ConstantOfShape" => {
            let shape = dims(&c.constant_ints(0)?.ok_or(NodeError::MissingInput(0))?)?;
            let value = match c.attribute("value") {
                None => Array {
                    shape: vec![],
                    data: Data::F32(vec![0.0]),
                },
                Some(Attribute::Tensor(t)) => {
                    decode::tensor(t, c.builder.limits).map_err(|_| bad("value"))?
                }
                Some(_) => return Err(bad("value")),
            };
            if value.len() != 1 {
                return Err(bad("value"));
            }
            let value = c.builder.keep(value);
            let value = c.reshape(value, vec![1; shape.len()])?;
            c.emit(Op::Expand(shape), &[value])?
        }
        "Range" => range(c)?,
        _ => return Err(NodeError::Operator),
    };
    Ok(vec![id])
}

fn constant(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let vector = |data: Data| Array {
        shape: vec![data.len()],
        data,
    };
    let array = if let Some(Attribute::Tensor(t)) = c.attribute("value") {
        decode::tensor(t, c.builder.limits).map_err(|_| bad("value"))?
    } else if let Some(Attribute::Float(v)) = c.attribute("value_float") {
        Array {
            shape: vec![],
            data: Data::F32(vec![*v]),
        }
    } else if let Some(Attribute::Int(v)) = c.attribute("value_int") {
        Array {
            shape: vec![],
            data: Data::I64(vec![*v]),
        }
    } else if let Some(Attribute::Floats(v)) = c.attribute("value_floats") {
        vector(Data::F32(v.clone()))
    } else if let Some(Attribute::Ints(v)) = c.attribute("value_ints") {
        vector(Data::I64(v.clone()))
    } else {
        return Err(bad("value"));
    };
    Ok(c.builder.keep(array))
}

fn range(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let get = |i| c.constant(i)?.ok_or(NodeError::MissingInput(i));
    let (start, limit, delta) = (get(0)?, get(1)?, get(2)?);
    let data = match (&start.data, &limit.data, &delta.data) {
        (Data::F32(s), Data::F32(l), Data::F32(d)) => {
            let ([s], [l], [d]) = (&s[..], &l[..], &d[..]) else {
                return Err(NodeError::Shape("scalars are expected"));
            };
            let n = ((l - s) / d).ceil();
            if n.is_nan() || n > c.builder.limits.folding as f32 {
                return Err(NodeError::Limit("constants made at load"));
            }
            Data::F32((0..n.max(0.0) as u64).map(|i| s + i as f32 * d).collect())
        }
        _ => {
            let ints = |a: &Array| match a.to_i64().as_deref() {
                Some([v]) => Ok(i128::from(*v)),
                _ => Err(NodeError::Shape("integer scalars are expected")),
            };
            let (s, l, d) = (ints(&start)?, ints(&limit)?, ints(&delta)?);
            if d == 0 {
                return Err(NodeError::Value("a step of zero"));
            }
            let n = (l - s + d - d.signum()) / d;
            if n > i128::from(c.builder.limits.folding) {
                return Err(NodeError::Limit("constants made at load"));
            }
            Data::I64((0..n.max(0)).map(|i| (s + i * d) as i64).collect())
        }
    };
    let ty = start.ty();
    let id = c.builder.keep(Array {
        shape: vec![data.len()],
        data,
    });
    c.emit(Op::Cast(ty), &[id])
}
