//! Typed arrays: what constants and intermediate results are inside the library.

use std::borrow::Cow;

use crate::kernels::bytes_of;
use crate::tensor::{ElementType, Tensor};

/// Elements in row-major order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Data {
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// Signed 8-bit integers.
    I8(Vec<i8>),
    /// Signed 16-bit integers.
    I16(Vec<i16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// IEEE 754 binary32.
    F32(Vec<f32>),
    /// Booleans.
    Bool(Vec<bool>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// IEEE 754 binary64.
    F64(Vec<f64>),
}

/// Runs an expression with `$v` bound to the vector of whatever type the data has.
macro_rules! each {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            $crate::array::Data::U8($v) => $body,
            $crate::array::Data::I8($v) => $body,
            $crate::array::Data::I16($v) => $body,
            $crate::array::Data::I32($v) => $body,
            $crate::array::Data::I64($v) => $body,
            $crate::array::Data::F32($v) => $body,
            $crate::array::Data::Bool($v) => $body,
            $crate::array::Data::U16($v) => $body,
            $crate::array::Data::U32($v) => $body,
            $crate::array::Data::U64($v) => $body,
            $crate::array::Data::F64($v) => $body,
        }
    };
}
/// Like `each!`, giving `Data` of the same type from an expression that gives a vector.
macro_rules! map_each {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            $crate::array::Data::U8($v) => $crate::array::Data::U8($body),
            $crate::array::Data::I8($v) => $crate::array::Data::I8($body),
            $crate::array::Data::I16($v) => $crate::array::Data::I16($body),
            $crate::array::Data::I32($v) => $crate::array::Data::I32($body),
            $crate::array::Data::I64($v) => $crate::array::Data::I64($body),
            $crate::array::Data::F32($v) => $crate::array::Data::F32($body),
            $crate::array::Data::Bool($v) => $crate::array::Data::Bool($body),
            $crate::array::Data::U16($v) => $crate::array::Data::U16($body),
            $crate::array::Data::U32($v) => $crate::array::Data::U32($body),
            $crate::array::Data::U64($v) => $crate::array::Data::U64($body),
            $crate::array::Data::F64($v) => $crate::array::Data::F64($body),
        }
    };
}
pub(crate) use map_each;

impl Data {
    /// Number of elements.
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Type of the elements.
    pub fn ty(&self) -> ElementType {
        match self {
            Data::U8(_) => ElementType::U8,
            Data::I8(_) => ElementType::I8,
            Data::I16(_) => ElementType::I16,
            Data::I32(_) => ElementType::I32,
            Data::I64(_) => ElementType::I64,
            Data::F32(_) => ElementType::F32,
            Data::Bool(_) => ElementType::Bool,
            Data::U16(_) => ElementType::U16,
            Data::U32(_) => ElementType::U32,
            Data::U64(_) => ElementType::U64,
            Data::F64(_) => ElementType::F64,
        }
    }

    /// Reads little-endian elements; `None` if the length is no multiple of the element size or a
    /// boolean is neither 0 nor 1.
    pub fn from_le_bytes(ty: ElementType, bytes: &[u8]) -> Option<Data> {
        fn chunks<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
            let (chunks, rest) = bytes.as_chunks::<N>();
            rest.is_empty()
                .then(|| chunks.iter().map(|c| read(*c)).collect())
        }
        Some(match ty {
            ElementType::U8 => Data::U8(bytes.to_vec()),
            ElementType::I8 => Data::I8(bytes.iter().map(|b| *b as i8).collect()),
            ElementType::I16 => Data::I16(chunks(bytes, i16::from_le_bytes)?),
            ElementType::I32 => Data::I32(chunks(bytes, i32::from_le_bytes)?),
            ElementType::I64 => Data::I64(chunks(bytes, i64::from_le_bytes)?),
            ElementType::F32 => Data::F32(chunks(bytes, f32::from_le_bytes)?),
            ElementType::U16 => Data::U16(chunks(bytes, u16::from_le_bytes)?),
            ElementType::U32 => Data::U32(chunks(bytes, u32::from_le_bytes)?),
            ElementType::U64 => Data::U64(chunks(bytes, u64::from_le_bytes)?),
            ElementType::F64 => Data::F64(chunks(bytes, f64::from_le_bytes)?),
            ElementType::Bool => {
                if bytes.iter().any(|b| *b > 1) {
                    return None;
                }
                Data::Bool(bytes.iter().map(|b| *b == 1).collect())
            }
        })
    }

    /// The elements' bytes, little-endian. Negative zero and NaN are written as they are.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        self.le_bytes().into_owned()
    }

    /// As [`to_le_bytes`](Self::to_le_bytes), without a copy on machines that are little-endian themselves.
    pub(crate) fn le_bytes(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "little") {
            return Cow::Borrowed(each!(self, v => bytes_of(v)));
        }
        Cow::Owned(match self {
            Data::U8(_) | Data::I8(_) | Data::Bool(_) => each!(self, v => bytes_of(v).to_vec()),
            Data::I16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::I32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::I64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::U16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::U32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::U64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::F64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        })
    }
}

/// A dense array in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Elements; as many as the shape asks for.
    pub data: Data,
}

impl Array {
    /// Type of the elements.
    pub fn ty(&self) -> ElementType {
        self.data.ty()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The integers of an integer or boolean array, widened; `None` if one does not fit.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        Some(match &self.data {
            Data::U8(v) => v.iter().map(|x| i64::from(*x)).collect(),
            Data::I8(v) => v.iter().map(|x| i64::from(*x)).collect(),
            Data::I16(v) => v.iter().map(|x| i64::from(*x)).collect(),
            Data::I32(v) => v.iter().map(|x| i64::from(*x)).collect(),
            Data::I64(v) => v.clone(),
            Data::Bool(v) => v.iter().map(|x| i64::from(*x)).collect(),
            Data::U16(v) => v.iter().map(|x| i64::from(*x)).collect(),
            Data::U32(v) => v.iter().map(|x| i64::from(*x)).collect(),
            Data::U64(v) => v
                .iter()
                .map(|x| i64::try_from(*x).ok())
                .collect::<Option<_>>()?,
            Data::F32(_) | Data::F64(_) => return None,
        })
    }

    /// The elements of an `f32` array.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.data {
            Data::F32(v) => Some(v),
            _ => None,
        }
    }

    /// From the border's form; `None` if the tensor contradicts itself.
    pub fn from_tensor(tensor: &Tensor) -> Option<Array> {
        tensor.check().ok()?;
        Some(Array {
            shape: tensor.shape.iter().map(|d| *d as usize).collect(),
            data: Data::from_le_bytes(tensor.ty, &tensor.data)?,
        })
    }

    /// To the border's form.
    pub fn to_tensor(&self) -> Tensor {
        Tensor {
            ty: self.ty(),
            shape: self.shape.iter().map(|d| *d as u32).collect(),
            data: self.data.to_le_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip() {
        let arrays = [
            Data::U8(vec![0, 255]),
            Data::I8(vec![-128, 127]),
            Data::I16(vec![i16::MIN, 7]),
            Data::I32(vec![i32::MIN, 7]),
            Data::I64(vec![i64::MIN, 7]),
            Data::F32(vec![-0.0, 1.5]),
            Data::Bool(vec![true, false]),
            Data::U16(vec![u16::MAX, 7]),
            Data::U32(vec![u32::MAX, 7]),
            Data::U64(vec![u64::MAX, 7]),
            Data::F64(vec![-0.0, 1.5]),
        ];
        for data in arrays {
            let bytes = data.to_le_bytes();
            assert_eq!(bytes.len(), 2 * data.ty().size());
            assert_eq!(Data::from_le_bytes(data.ty(), &bytes), Some(data));
        }
        assert_eq!(Data::from_le_bytes(ElementType::I32, &[0; 3]), None);
        assert_eq!(Data::from_le_bytes(ElementType::Bool, &[2]), None);
    }
}
