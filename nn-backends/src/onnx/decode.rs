//! `TensorProto` to [`Array`].

use super::schema::TensorProto;
use super::wire::Fields;
use crate::array::{Array, Data};
use crate::error::{ModelError, TensorReason};
use crate::format::{Format, Narrow};
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
        4 => ElementType::U16,
        11 => ElementType::F64,
        12 => ElementType::U32,
        13 => ElementType::U64,
        _ => return None,
    })
}

/// The narrow type for a `TensorProto.DataType` that one of ours carries.
pub fn narrow(code: i64) -> Option<Narrow> {
    let int = |bits, signed| Narrow::Int { bits, signed };
    Some(match code {
        10 => Narrow::Float(Format::F16),
        16 => Narrow::Float(Format::BF16),
        17 => Narrow::Float(Format::F8E4M3FN),
        18 => Narrow::Float(Format::F8E4M3FNUZ),
        19 => Narrow::Float(Format::F8E5M2),
        20 => Narrow::Float(Format::F8E5M2FNUZ),
        21 => int(4, false),
        22 => int(4, true),
        23 => Narrow::Float(Format::F4E2M1),
        24 => Narrow::Float(Format::F8E8M0),
        25 => int(2, false),
        26 => int(2, true),
        _ => return None,
    })
}

/// Our element type for a `TensorProto.DataType`, or the one that carries it.
pub fn carrier(code: i64) -> Option<ElementType> {
    element_type(code).or_else(|| narrow(code).map(Narrow::carrier))
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
    let ty = carrier(proto.data_type).ok_or(TensorReason::ElementType(proto.data_type))?;
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
    let data = match (narrow(proto.data_type), proto.raw) {
        (Some(narrow), raw) => narrow_elements(narrow, count, raw, proto.message)?,
        (None, Some(raw)) => from_raw(ty, count, raw)?,
        (None, None) => from_fields(ty, count, proto.message)?,
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

/// Elements of fewer bits than their carrier has: in raw bytes, or in the integers of `int32_data`, of which
/// each holds one element of 16 or 8 bits, or a byte of smaller ones.
fn narrow_elements(
    narrow: Narrow,
    count: usize,
    raw: Option<&[u8]>,
    message: &[u8],
) -> Result<Data, Failure> {
    let bits = narrow.bits() as usize;
    let per_unit = if bits < 8 { 8 / bits } else { 1 };
    if let Some(raw) = raw {
        length(count.div_ceil(per_unit) * bits.div_ceil(8), raw.len())?;
    }
    let units: Vec<u16> = match raw {
        Some(raw) if bits == 16 => match Data::from_le_bytes(ElementType::U16, raw) {
            Some(Data::U16(units)) => units,
            _ => return Err(TensorReason::Range.into()),
        },
        Some(raw) => raw.iter().map(|b| u16::from(*b)).collect(),
        None => {
            let mut ints = Vec::new();
            for field in Fields::new(message) {
                let field = field?;
                if field.number == 5 {
                    field.ints(&mut ints, count.saturating_add(1))?;
                }
            }
            let unit = |v: &i64| u16::try_from(*v).map_err(|_| TensorReason::Range);
            ints.iter().map(unit).collect::<Result<_, _>>()?
        }
    };
    length(count.div_ceil(per_unit), units.len())?;
    let mask = ((1u32 << bits) - 1) as u16;
    let elements = units
        .iter()
        .flat_map(|unit| (0..per_unit).map(move |i| (unit >> (i * bits)) & mask))
        .take(count);
    Ok(match narrow {
        Narrow::Float(format) => Data::F32(elements.map(|e| format.decode(e)).collect()),
        Narrow::Int { signed: false, .. } => Data::U8(elements.map(|e| e as u8).collect()),
        // The sign bit moves to the top and back.
        Narrow::Int { signed: true, .. } => Data::I8(
            elements
                .map(|e| ((e << (8 - bits)) as u8 as i8) >> (8 - bits))
                .collect(),
        ),
    })
}

fn from_fields(ty: ElementType, count: usize, message: &[u8]) -> Result<Data, Failure> {
    let (mut floats, mut doubles, mut ints) = (Vec::new(), Vec::new(), Vec::new());
    // Reading stops one past `count`, which is enough to tell that there are too many.
    let max = count.saturating_add(1);
    let number = match ty {
        ElementType::F32 => 4,
        ElementType::I64 => 7,
        ElementType::F64 => 10,
        ElementType::U32 | ElementType::U64 => 11,
        _ => 5,
    };
    for field in Fields::new(message) {
        let field = field?;
        if field.number == number {
            match ty {
                ElementType::F32 => field.floats(&mut floats, max)?,
                ElementType::F64 => field.doubles(&mut doubles, max)?,
                _ => field.ints(&mut ints, max)?,
            }
        }
    }
    if ty == ElementType::F32 {
        length(count, floats.len())?;
        return Ok(Data::F32(floats));
    }
    if ty == ElementType::F64 {
        length(count, doubles.len())?;
        return Ok(Data::F64(doubles));
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
        ElementType::U16 => Data::U16(narrow(&ints)?),
        ElementType::U32 => Data::U32(narrow(&ints)?),
        // The wire's 64 bits have no sign.
        ElementType::U64 => Data::U64(ints.into_iter().map(|v| v as u64).collect()),
        ElementType::I64 | ElementType::F32 | ElementType::F64 => Data::I64(ints),
        ElementType::Bool => {
            let bits = narrow::<u8>(&ints)?;
            if bits.iter().any(|b| *b > 1) {
                return Err(TensorReason::Range.into());
            }
            Data::Bool(bits.iter().map(|b| *b == 1).collect())
        }
    })
}
