//! Sizes and offsets.

use crate::{Exit, TrapCode};

/// `offset` rounded up to a multiple of `align`, a power of two.
pub const fn align_to(offset: u32, align: u32) -> u32 {
    (offset + align - 1) & !(align - 1)
}

/// The greater of the two.
pub const fn max(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

/// Bytes of the discriminant of a variant with `cases` cases.
pub const fn discriminant_size(cases: u32) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// `size` bytes of `bytes` at `offset`.
///
/// # Errors
///
/// A trap when they are not there.
#[inline]
pub fn field(bytes: &[u8], offset: u32, size: u32) -> Result<&[u8], Exit> {
    let start = offset as usize;
    bytes
        .get(start..start.saturating_add(size as usize))
        .ok_or(Exit::Trap(TrapCode::BadPointer))
}

/// `size` bytes of `bytes` at `offset`, to write to.
///
/// # Errors
///
/// A trap when they are not there.
#[inline]
pub fn field_mut(bytes: &mut [u8], offset: u32, size: u32) -> Result<&mut [u8], Exit> {
    let start = offset as usize;
    bytes
        .get_mut(start..start.saturating_add(size as usize))
        .ok_or(Exit::Trap(TrapCode::BadPointer))
}
