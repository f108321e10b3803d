//! Writing guest memory, and the frames of the transcript.

use super::Value;
use crate::{Exit, FuncId, Guest, Meter, TrapCode};

/// Writes `bytes` at `pointer`.
///
/// # Errors
///
/// A trap with `code` when the place is misaligned or out of bounds.
#[inline]
pub fn write<G: Guest>(
    guest: &mut G,
    pointer: u32,
    bytes: &[u8],
    align: u32,
    code: TrapCode,
) -> Result<(), Exit> {
    if pointer & (align - 1) != 0 {
        return Err(Exit::Trap(code));
    }
    let start = pointer as usize;
    guest.will_write(start, bytes.len())?;
    let (memory, _) = guest.parts()?;
    let place = start
        .checked_add(bytes.len())
        .and_then(|end| memory.get_mut(start..end))
        .ok_or(Exit::Trap(code))?;
    place.copy_from_slice(bytes);
    Ok(())
}

/// Memory from the guest's allocator, checked: aligned and inside linear memory.
fn allocate<G: Guest>(guest: &mut G, size: u32, align: u32) -> Result<u32, Exit> {
    let pointer = guest.realloc(align, size)?;
    let end = u64::from(pointer) + u64::from(size);
    let (memory, _) = guest.parts()?;
    if pointer & (align - 1) != 0 || end > memory.len() as u64 {
        return Err(Exit::Trap(TrapCode::BadRealloc));
    }
    Ok(pointer)
}

/// Copies `bytes` to memory from the guest's allocator; gives address and length.
///
/// This is how the input of an export reaches the guest.
///
/// # Errors
///
/// Whatever the allocator ends with, `BadRealloc`, and `TransferLimit` past 4 GiB.
pub fn lower_bytes<G: Guest>(guest: &mut G, bytes: &[u8]) -> Result<(u32, u32), Exit> {
    let length = u32::try_from(bytes.len()).map_err(|_| Exit::Trap(TrapCode::TransferLimit))?;
    let pointer = allocate(guest, length, 1)?;
    write(guest, pointer, bytes, 1, TrapCode::BadRealloc)?;
    Ok((pointer, length))
}

pub(super) fn lower_elements<T: Value, G: Guest>(items: &[T], guest: &mut G) -> Result<u32, Exit> {
    let limit = || Exit::Trap(TrapCode::TransferLimit);
    let count = u32::try_from(items.len()).map_err(|_| limit())?;
    let size = count.checked_mul(T::SIZE).ok_or_else(limit)?;
    let pointer = allocate(guest, size, T::ALIGN)?;
    let mut bytes = vec![0; size as usize];
    for (item, out) in items.iter().zip(bytes.chunks_exact_mut(T::SIZE as usize)) {
        item.lower(guest, out)?;
    }
    write(guest, pointer, &bytes, T::ALIGN, TrapCode::BadRealloc)?;
    Ok(pointer)
}

/// Pays for the lists in `value` and writes it at `pointer`, with `area` as scratch space of
/// its size, all zero.
///
/// # Errors
///
/// Out of gas, `TransferLimit`, `BadPointer`, or as [`Value::lower`].
#[inline]
pub fn lower_result<T: Value, G: Guest>(
    guest: &mut G,
    func: FuncId,
    value: &T,
    pointer: u32,
    area: &mut [u8],
) -> Result<(), Exit> {
    let bytes = value.list_bytes();
    if bytes != 0 {
        let (_, host) = guest.parts()?;
        if bytes > u64::from(host.transfer_limit()) {
            return Err(Exit::Trap(TrapCode::TransferLimit));
        }
        host.charge_bytes(func, bytes)?;
    }
    value.lower(guest, area)?;
    write(guest, pointer, area, T::ALIGN, TrapCode::BadPointer)
}

/// Pays for `bytes` and writes them to a buffer of the guest that holds `capacity` bytes.
///
/// # Errors
///
/// Out of gas, `BadPointer`; a failure of the host when it gives more than there is room for.
pub fn fill_buffer<G: Guest>(
    guest: &mut G,
    func: FuncId,
    bytes: &[u8],
    pointer: u32,
    capacity: u32,
) -> Result<(), Exit> {
    if bytes.len() > capacity as usize {
        return Err(Exit::host("a result is longer than the guest's buffer"));
    }
    let (_, host) = guest.parts()?;
    host.charge_bytes(func, bytes.len() as u64)?;
    write(guest, pointer, bytes, 1, TrapCode::BadPointer)
}

/// Records the arguments of a call.
#[inline]
pub fn call_frame<M: Meter>(
    host: &mut M,
    func: FuncId,
    arguments: impl FnOnce(&mut crate::Transcript),
) {
    let transcript = host.transcript();
    transcript.begin_call(func);
    arguments(transcript);
    transcript.end();
}

/// Records the result of a call.
#[inline]
pub fn return_frame<M: Meter>(
    host: &mut M,
    func: FuncId,
    result: impl FnOnce(&mut crate::Transcript),
) {
    let transcript = host.transcript();
    transcript.begin_return(func);
    result(transcript);
    transcript.end();
}

/// Records that a call gave no result.
#[cold]
pub fn exit_frame<G: Guest>(guest: &mut G, func: FuncId, exit: Exit) -> Exit {
    if let Ok((_, host)) = guest.parts() {
        host.transcript().exit(func, &exit);
    }
    exit
}
