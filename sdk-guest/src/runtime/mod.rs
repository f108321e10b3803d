//! What a `no_std` contract needs to run: an allocator, and a panic handler that reverts.

mod allocator;
mod panic;

use alloc::alloc::{Layout, alloc, realloc};
use alloc::vec::Vec;
use core::mem::{ManuallyDrop, take};

/// Adds zeros to the end. The allocator grows the newest block in place, so growing by no more than
/// what is needed costs nothing.
pub(crate) fn add_zeros(to: &mut Vec<u8>, bytes: usize) {
    let length = to.len() + bytes;
    let mut old = ManuallyDrop::new(take(to));
    let (mut capacity, mut block) = (old.capacity(), old.as_mut_ptr());
    if length > capacity {
        // SAFETY: a size that is not zero, since it exceeds the capacity, at an alignment of one;
        // `block` is the vector's own when it has a capacity. The allocator never gives null.
        block = unsafe {
            match capacity {
                0 => alloc(Layout::from_size_align_unchecked(length, 1)),
                _ => realloc(
                    block,
                    Layout::from_size_align_unchecked(capacity, 1),
                    length,
                ),
            }
        };
        capacity = length;
    }
    // SAFETY: the block has `capacity` bytes, of which the first ones are the old contents and the
    // others up to `length` are set here.
    *to = unsafe {
        block.add(old.len()).write_bytes(0, bytes);
        Vec::from_raw_parts(block, length, capacity)
    };
}
