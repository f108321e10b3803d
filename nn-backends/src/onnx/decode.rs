//! `TensorProto` to [`Array`].

use super::schema::TensorProto;
use super::wire::Fields;
use crate::array::{Array, Data};
use crate::error::{ModelError, TensorReason};
use crate::limits::ModelLimits;
use crate::tensor::ElementType;

/// Our element type for a `TensorProto.DataType`.
pub fn element_type(code: i64) -> Option<ElementType> {
    Some(match code {
        1 => ElementType::F32,
        2 => ElementType::U8,
        3 => ElementType::I8,
        5 => ElementType::I16,
        6 => ElementType::I32,
        7 => ElementType::I64,
        9 => ElementType::Bool,
        _ => return None,
    })
}

/// Decodes `proto`; the allocation is bounded by the limits and by the bytes that are really there.
pub fn tensor(proto: &TensorProto<'_>, limits: &ModelLimits) -> Result<Array, ModelError> {
    decode(proto, limits).map_err(|e| match e {
        Failure::Tensor(reason) => ModelError::Tensor {
            name: proto.name.to_owned(),
            reason,
        },
        Failure::Model(error) => error,
    })
}

enum Failure {
    Tensor(TensorReason),
    Model(ModelError),
}

impl From<TensorReason> for Failure {
    fn from(reason: TensorReason) -> Self {
        Failure::Tensor(reason)
    }
}

impl From<super::wire::WireError> for Failure {
    fn from(error: super::wire::WireError) -> Self {
        Failure::Model(error.into())
    }
}

fn decode(proto: &TensorProto<'_>, limits: &ModelLimits) -> Result<Array, Failure> {
    if proto.external {
        return Err(TensorReason::External.into());
    }
    // Some exporters store 16-bit or boolean data as int32; doubles are only ever scalars in practice.
    let ty = element_type(proto.data_type).ok_or(TensorReason::ElementType(proto.data_type))?;
    let mut shape = Vec::with_capacity(proto.dims.len());
    let mut elements = 1u64;
    for &dim in &proto.dims {
        let d = u32::try_from(dim).map_err(|_| TensorReason::Dimension(dim))?;
        elements = elements
            .checked_mul(u64::from(d))
            .filter(|n| *n <= limits.elements)
            .ok_or(Failure::Model(ModelError::Limit {
                what: "elements in a tensor",
                found: u64::MAX,
                max: limits.elements,
            }))?;
        shape.push(d as usize);
    }
    let count = usize::try_from(elements).map_err(|_| TensorReason::Dimension(-1))?;
    let data = match proto.raw {
        Some(raw) => from_raw(ty, count, raw)?,
        None => from_fields(ty, count, proto.message)?,
    };
    Ok(Array { shape, data })
}

fn length(expected: usize, found: usize) -> Result<(), TensorReason> {
    if expected != found {
        return Err(TensorReason::Length {
            expected: expected as u64,
            found: found as u64,
        });
    }
    Ok(())
}

fn from_raw(ty: ElementType, count: usize, raw: &[u8]) -> Result<Data, TensorReason> {
    length(count.saturating_mul(ty.size()), raw.len())?;
    Data::from_le_bytes(ty, raw).ok_or(TensorReason::Range)
}

fn from_fields(ty: ElementType, count: usize, message: &[u8]) -> Result<Data, Failure> {
    let (mut floats, mut ints) = (Vec::new(), Vec::new());
    // Reading stops one past `count`, which is enough to tell that there are too many.
    let max = count.saturating_add(1);
    let number = match ty {
        ElementType::F32 => 4,
        ElementType::I64 => 7,
        _ => 5,
    };
    for field in Fields::new(message) {
        let field = field?;
        if field.number == number {
            if ty == ElementType::F32 {
                field.floats(&mut floats, max)?;
            } else {
                field.ints(&mut ints, max)?;
            }
        }
    }
    if ty == ElementType::F32 {
        length(count, floats.len())?;
        return Ok(Data::F32(floats));
    }
    length(count, ints.len())?;
    fn narrow<T: TryFrom<i64>>(ints: &[i64]) -> Result<Vec<T>, TensorReason> {
        ints.iter()
            .map(|v| T::try_from(*v).map_err(|_| TensorReason::Range))
            .collect()
    }
    Ok(match ty {
        ElementType::U8 => Data::U8(narrow(&ints)?),
        ElementType::I8 => Data::I8(narrow(&ints)?),
        ElementType::I16 => Data::I16(narrow(&ints)?),
        ElementType::I32 => Data::I32(narrow(&ints)?),
        ElementType::I64 | ElementType::F32 => Data::I64(ints),
        ElementType::Bool => {
            let bits = narrow::<u8>(&ints)?;
            if bits.iter().any(|b| *b > 1) {
                return Err(TensorReason::Range.into());
            }
            Data::Bool(bits.iter().map(|b| *b == 1).collect())
        }
    })
}
