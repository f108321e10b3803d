//! Integer matrix products, `C[m,n] = Σₖ (A[m,k] − a_zp)·(B[k,n] − b_zp)` in 32 bits.
//!
//! Sums wrap. A model whose worst case could leave 32 bits is refused when it is loaded, so a wrapped sum is never
//! seen; but because wrapping addition is associative, every order of summation, block size, compensation for a
//! zero point and thread count gives the same bits, which is why the fast forms need no further argument.
//!
//! [`reference()`] is the definition. [`gemm()`] computes the same on a [`PackedB`], which is made once per weight.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx_vnni;
mod driver;
pub(super) mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
mod reference;
mod scalar;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vpdpbusd;

pub use driver::gemm;
pub(super) use pack::check_zeros;
pub use pack::{Order, PackedB};
pub use reference::reference;

/// An operand of 8-bit elements, row-major.
#[derive(Clone, Copy, Debug)]
pub enum Bytes<'a> {
    /// Unsigned elements.
    U8(&'a [u8]),
    /// Signed elements.
    I8(&'a [i8]),
}

impl<'a> Bytes<'a> {
    /// Number of elements.
    pub fn len(self) -> usize {
        match self {
            Self::U8(data) => data.len(),
            Self::I8(data) => data.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The elements' bits.
    pub(crate) fn bits(self) -> &'a [u8] {
        match self {
            Self::U8(data) => data,
            // SAFETY: `i8` and `u8` have one layout, and the lifetime is that of the slice.
            Self::I8(data) => unsafe {
                std::slice::from_raw_parts(data.as_ptr().cast(), data.len())
            },
        }
    }

    /// Elements of either sign by their bits.
    pub(crate) fn of_bits(bits: &'a [u8], signed: bool) -> Self {
        if !signed {
            return Self::U8(bits);
        }
        // SAFETY: as in `bits`.
        Self::I8(unsafe { std::slice::from_raw_parts(bits.as_ptr().cast(), bits.len()) })
    }

    /// Whether the elements are signed.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::I8(_))
    }

    /// Element `index` as a number; zero outside.
    pub(crate) fn get(self, index: usize) -> i32 {
        match self {
            Self::U8(data) => data.get(index).map_or(0, |&v| i32::from(v)),
            Self::I8(data) => data.get(index).map_or(0, |&v| i32::from(v)),
        }
    }
}

/// Zero points of an operand: one for the tensor, or one for each row of A or each column of B.
#[derive(Clone, Copy, Debug)]
pub enum ZeroPoints<'a> {
    /// The same for all.
    Same(i32),
    /// One for each row of A, or each column of B.
    Each(&'a [i32]),
}

impl ZeroPoints<'_> {
    /// The zero point of row or column `index`; zero outside.
    pub(crate) fn get(self, index: usize) -> i32 {
        match self {
            Self::Same(value) => value,
            Self::Each(values) => values.get(index).copied().unwrap_or(0),
        }
    }
}
