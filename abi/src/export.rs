//! Calling what a guest exports: [`EXPORTS`](crate::EXPORTS) take call data as pointer and
//! length and return a pointer to `result<list<u8>, list<u8>>`.

use crate::canonical::{Value, lower_bytes};
use crate::{Exit, Guest, TrapCode};

/// Name of the exported linear memory.
pub const MEMORY: &str = "memory";

/// Name of the exported allocator, `(old, old size, align, new size) -> pointer`, all `i32`.
pub const REALLOC: &str = "cabi_realloc";

/// Name of the function that a library built for WASI exports to make itself ready. Where a guest
/// has it, it runs before the call, each time, on the call's gas.
pub const INITIALIZE: &str = "_initialize";

/// What a contract gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Return data.
    Return(Vec<u8>),
    /// Revert data.
    Revert(Vec<u8>),
}

/// Copies call data into the guest; gives the two arguments of the export.
///
/// # Errors
///
/// Whatever the guest's allocator ends with, or `BadRealloc`.
pub fn lower_input<G: Guest>(guest: &mut G, input: &[u8]) -> Result<(u32, u32), Exit> {
    lower_bytes(guest, input)
}

/// Reads what the export returned, before its `post_return` runs.
///
/// # Errors
///
/// `BadResult` when the pointer or what it points at is malformed, `OutputLimit` when the
/// data is longer than `limit` bytes.
pub fn lift_output<G: Guest>(guest: &mut G, pointer: u32, limit: u32) -> Result<Output, Exit> {
    type Raw = Result<Vec<u8>, Vec<u8>>;
    let bad = Exit::Trap(TrapCode::BadResult);
    let (memory, _) = guest.parts()?;
    if !pointer.is_multiple_of(Raw::ALIGN) {
        return Err(bad);
    }
    let at = |offset: u32| {
        let start = pointer.checked_add(offset)? as usize;
        memory
            .get(start..)?
            .first_chunk::<4>()
            .map(|bytes| u32::from_le_bytes(*bytes))
    };
    let (Some(tag), Some(data), Some(length)) = (at(0), at(4), at(8)) else {
        return Err(bad);
    };
    let start = data as usize;
    let Some(bytes) = start
        .checked_add(length as usize)
        .and_then(|end| memory.get(start..end))
    else {
        return Err(bad);
    };
    // The other three bytes of the tag's word are padding.
    let output: fn(Vec<u8>) -> Output = match tag & 0xff {
        0 => Output::Return,
        1 => Output::Revert,
        _ => return Err(bad),
    };
    if length > limit {
        return Err(Exit::Trap(TrapCode::OutputLimit));
    }
    Ok(output(bytes.to_vec()))
}
