use thiserror::Error;

/// Why a kernel refused its arguments. No output has been written when one of these comes back.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelError {
    /// A slice does not have the length that the shape asks for.
    #[error("{what} holds {found} elements where the shape asks for {expected}")]
    Length {
        /// Which argument.
        what: &'static str,
        /// Elements that the shape asks for.
        expected: usize,
        /// Elements in the slice.
        found: usize,
    },
    /// The product of the dimensions does not fit the address space.
    #[error("the shape of {0} is too large")]
    TooLarge(&'static str),
    /// A zero point lies outside its type.
    #[error("zero point {0} is out of range")]
    ZeroPoint(i32),
    /// A scale is zero, negative, infinite or not a number.
    #[error("a scale must be finite and above zero")]
    Scale,
    /// A stride, dilation, group count or window that has no meaning.
    #[error("invalid {0}")]
    Geometry(&'static str),
    /// The processor lacks the instruction set that was asked for.
    #[error("this processor lacks the instruction set")]
    Unavailable,
}

/// `Ok` when `found` is what the shape asks for.
pub(crate) fn expect_len(
    what: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), KernelError> {
    if found == expected {
        Ok(())
    } else {
        Err(KernelError::Length {
            what,
            expected,
            found,
        })
    }
}

/// The elements of a shape.
pub(crate) fn elements(what: &'static str, dims: &[usize]) -> Result<usize, KernelError> {
    dims.iter()
        .try_fold(1usize, |n, &d| n.checked_mul(d))
        .ok_or(KernelError::TooLarge(what))
}

/// `Ok` when `found` is what a shape of these dimensions asks for.
pub(crate) fn expect_shape(
    what: &'static str,
    found: usize,
    dims: &[usize],
) -> Result<(), KernelError> {
    expect_len(what, found, elements(what, dims)?)
}
