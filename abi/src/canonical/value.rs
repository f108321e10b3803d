//! The trait of every value that crosses the border.

use super::{Flat, Lifter};
use crate::{Exit, Guest, Transcript};

/// A value of a WIT type.
pub trait Value: Sized {
    /// Bytes in linear memory.
    const SIZE: u32;
    /// Alignment in linear memory, a power of two.
    const ALIGN: u32;
    /// Core values when passed flat.
    const FLAT: u32;

    /// Reads it from flat core values.
    ///
    /// # Errors
    ///
    /// A trap for values that the type does not have and for bad pointers.
    fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit>;

    /// Reads it from its [`SIZE`](Self::SIZE) bytes in memory.
    ///
    /// # Errors
    ///
    /// As [`lift_flat`](Self::lift_flat).
    fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit>;

    /// Writes it to `out`, [`SIZE`](Self::SIZE) bytes that are zero; lists go to memory that
    /// the guest's allocator gives.
    ///
    /// # Errors
    ///
    /// Whatever the allocator ends with, and `BadRealloc`.
    fn lower<G: Guest>(&self, guest: &mut G, out: &mut [u8]) -> Result<(), Exit>;

    /// Bytes of all lists and strings in it.
    #[inline]
    fn list_bytes(&self) -> u64 {
        0
    }

    /// Writes its canonical bytes: little-endian numbers without padding, lists as a 32-bit
    /// count and the elements, cases as a 32-bit index and the payload.
    fn encode(&self, out: &mut Transcript);

    /// Reads a list of such values.
    ///
    /// # Errors
    ///
    /// As [`Lifter::list`].
    fn lift_list(cx: &mut Lifter<'_, '_>, pointer: u32, count: u32) -> Result<Vec<Self>, Exit> {
        cx.list(pointer, count)
    }

    /// Writes a list of such values to memory from the guest's allocator; gives its address.
    ///
    /// # Errors
    ///
    /// As [`lower`](Self::lower).
    fn lower_list<G: Guest>(items: &[Self], guest: &mut G) -> Result<u32, Exit> {
        super::lower::lower_elements(items, guest)
    }

    /// Writes the canonical bytes of a list's elements.
    fn encode_list(items: &[Self], out: &mut Transcript) {
        for item in items {
            item.encode(out);
        }
    }
}

/// A value that is one flat core value, so that a function can return it without memory.
pub trait Scalar: Value {
    /// The core value, widened to 64 bits; floats by their bits.
    fn to_flat(&self) -> u64;
}

/// Canonical bytes of a `list<u8>` or a `string`.
#[inline]
pub fn encode_bytes(bytes: &[u8], out: &mut Transcript) {
    // Guest lists have 32-bit lengths; host results are limited before they are lowered.
    out.put(&(bytes.len() as u32).to_le_bytes());
    out.put(bytes);
}
