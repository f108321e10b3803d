//! Element types and dense tensors as they cross the library's border.

use std::fmt;

use crate::error::TensorError;

/// Type of a tensor's elements. The codes are stable: they are hashed and cross the guest border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 8-bit integer.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// IEEE 754 binary32.
    F32,
    /// One byte, 0 or 1.
    Bool,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// IEEE 754 binary64.
    F64,
}

/// In order of their codes.
const ALL: [ElementType; 11] = [
    ElementType::U8,
    ElementType::I8,
    ElementType::I16,
    ElementType::I32,
    ElementType::I64,
    ElementType::F32,
    ElementType::Bool,
    ElementType::U16,
    ElementType::U32,
    ElementType::U64,
    ElementType::F64,
];

impl ElementType {
    /// Size of one element in bytes.
    pub fn size(self) -> usize {
        match self {
            ElementType::U8 | ElementType::I8 | ElementType::Bool => 1,
            ElementType::I16 | ElementType::U16 => 2,
            ElementType::I32 | ElementType::U32 | ElementType::F32 => 4,
            ElementType::I64 | ElementType::U64 | ElementType::F64 => 8,
        }
    }

    /// Stable code; up to 6 it is the case index of `tensor-type` in the host interface.
    pub fn code(self) -> u8 {
        match self {
            ElementType::U8 => 0,
            ElementType::I8 => 1,
            ElementType::I16 => 2,
            ElementType::I32 => 3,
            ElementType::I64 => 4,
            ElementType::F32 => 5,
            ElementType::Bool => 6,
            ElementType::U16 => 7,
            ElementType::U32 => 8,
            ElementType::U64 => 9,
            ElementType::F64 => 10,
        }
    }

    /// The type with this [`code`](Self::code).
    pub fn from_code(code: u8) -> Option<Self> {
        ALL.get(usize::from(code)).copied()
    }

    /// Whether a contract can pass tensors of this type; the others occur only inside a model.
    pub fn crosses_host_border(self) -> bool {
        self.code() <= ElementType::Bool.code()
    }

    /// Whether this is a floating-point type.
    pub fn is_float(self) -> bool {
        matches!(self, ElementType::F32 | ElementType::F64)
    }

    /// The type with this name, as [`Display`](fmt::Display) writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.into_iter().find(|ty| ty.to_string() == name)
    }

    /// Whether this is a signed or unsigned 8-bit integer.
    pub fn is_8bit(self) -> bool {
        matches!(self, ElementType::U8 | ElementType::I8)
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ElementType::U8 => "u8",
            ElementType::I8 => "i8",
            ElementType::I16 => "i16",
            ElementType::I32 => "i32",
            ElementType::I64 => "i64",
            ElementType::F32 => "f32",
            ElementType::Bool => "bool",
            ElementType::U16 => "u16",
            ElementType::U32 => "u32",
            ElementType::U64 => "u64",
            ElementType::F64 => "f64",
        })
    }
}

/// Name, element type and shape of a model's input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name in the model file.
    pub name: String,
    /// Element type.
    pub ty: ElementType,
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<u32>,
}

/// A dense tensor in row-major order, elements little-endian without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Element type.
    pub ty: ElementType,
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<u32>,
    /// The elements' bytes.
    pub data: Vec<u8>,
}

impl Tensor {
    /// A tensor whose data has exactly the length its shape asks for, and whose booleans are 0 or 1.
    pub fn new(ty: ElementType, shape: Vec<u32>, data: Vec<u8>) -> Result<Self, TensorError> {
        let tensor = Tensor { ty, shape, data };
        tensor.check()?;
        Ok(tensor)
    }

    /// Checks what [`Tensor::new`] promises; the fields are public, so a caller may have broken it.
    pub fn check(&self) -> Result<(), TensorError> {
        let bytes = byte_len(self.ty, &self.shape).ok_or(TensorError::TooLarge)?;
        if bytes != self.data.len() as u64 {
            return Err(TensorError::Length {
                expected: bytes,
                found: self.data.len() as u64,
            });
        }
        if self.ty == ElementType::Bool && self.data.iter().any(|b| *b > 1) {
            return Err(TensorError::Boolean);
        }
        Ok(())
    }
}

/// Bytes of a tensor, or `None` if that does not fit 63 bits.
pub(crate) fn byte_len(ty: ElementType, shape: &[u32]) -> Option<u64> {
    shape
        .iter()
        .try_fold(ty.size() as u64, |n, d| n.checked_mul(u64::from(*d)))
        .filter(|n| *n < 1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_must_match_the_shape() {
        assert!(Tensor::new(ElementType::I32, vec![2, 3], vec![0; 24]).is_ok());
        assert_eq!(
            Tensor::new(ElementType::I32, vec![2, 3], vec![0; 23]),
            Err(TensorError::Length {
                expected: 24,
                found: 23
            })
        );
        assert!(Tensor::new(ElementType::F32, vec![], vec![0; 4]).is_ok());
        assert!(Tensor::new(ElementType::F32, vec![0, 7], vec![]).is_ok());
    }

    #[test]
    fn huge_shapes_do_not_overflow() {
        assert_eq!(
            Tensor::new(ElementType::U8, vec![u32::MAX; 1000], vec![]),
            Err(TensorError::TooLarge)
        );
    }

    #[test]
    fn booleans_are_zero_or_one() {
        assert_eq!(
            Tensor::new(ElementType::Bool, vec![2], vec![1, 2]),
            Err(TensorError::Boolean)
        );
    }

    #[test]
    fn codes_round_trip() {
        for code in 0..11 {
            let ty = ElementType::from_code(code).unwrap();
            assert_eq!(ty.code(), code);
            assert_eq!(ty.crosses_host_border(), code < 7);
            assert_eq!(ElementType::from_name(&ty.to_string()), Some(ty));
        }
        assert_eq!(ElementType::from_name("U8"), None);
        assert_eq!(ElementType::from_code(11), None);
    }
}
