//! From one element type to another.

use super::OPERANDS;
use super::double;
use crate::array::{Array, Data};
use crate::error::RunError;
use crate::kernels::strict::canonical;
use crate::tensor::ElementType;

/// Converts: floats to integers towards zero and saturating, NaN to 0; integers to narrower ones by
/// dropping bits; anything but 0 to true.
pub(super) fn cast(x: &Array, ty: ElementType) -> Data {
    macro_rules! from {
        ($v:expr, $zero:expr) => {
            match ty {
                ElementType::U8 => Data::U8($v.iter().map(|x| *x as u8).collect()),
                ElementType::I8 => Data::I8($v.iter().map(|x| *x as i8).collect()),
                ElementType::I16 => Data::I16($v.iter().map(|x| *x as i16).collect()),
                ElementType::I32 => Data::I32($v.iter().map(|x| *x as i32).collect()),
                ElementType::I64 => Data::I64($v.iter().map(|x| *x as i64).collect()),
                ElementType::U16 => Data::U16($v.iter().map(|x| *x as u16).collect()),
                ElementType::U32 => Data::U32($v.iter().map(|x| *x as u32).collect()),
                ElementType::U64 => Data::U64($v.iter().map(|x| *x as u64).collect()),
                ElementType::F32 => Data::F32($v.iter().map(|x| canonical(*x as f32)).collect()),
                ElementType::F64 => {
                    Data::F64($v.iter().map(|x| double::canonical(*x as f64)).collect())
                }
                ElementType::Bool => Data::Bool($v.iter().map(|x| *x != $zero).collect()),
            }
        };
    }
    match &x.data {
        Data::U8(v) => from!(v, 0),
        Data::I8(v) => from!(v, 0),
        Data::I16(v) => from!(v, 0),
        Data::I32(v) => from!(v, 0),
        Data::I64(v) => from!(v, 0),
        Data::U16(v) => from!(v, 0),
        Data::U32(v) => from!(v, 0),
        Data::U64(v) => from!(v, 0),
        Data::F32(v) => from!(v, 0.0),
        Data::F64(v) => from!(v, 0.0),
        Data::Bool(v) => {
            let v: Vec<u8> = v.iter().map(|x| u8::from(*x)).collect();
            from!(v, 0)
        }
    }
}

/// The same bits as elements of another type of the same size.
pub(super) fn bit_cast(x: &Array, ty: ElementType) -> Result<Data, RunError> {
    let data = Data::from_le_bytes(ty, &x.data.to_le_bytes()).ok_or(OPERANDS)?;
    Ok(match data {
        Data::F32(v) => Data::F32(v.into_iter().map(canonical).collect()),
        Data::F64(v) => Data::F64(v.into_iter().map(double::canonical).collect()),
        other => other,
    })
}
