//! An allocator for instances that live for one call: it only goes forward, except that the
//! newest block may be freed or grown in place.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::Cell;

const PAGE: usize = 65_536;

/// Address of the first free byte; 0 before the first use.
struct Bump(Cell<usize>);

// SAFETY: a contract has one thread; the VM refuses modules that could start another.
unsafe impl Sync for Bump {}

#[global_allocator]
static BUMP: Bump = Bump(Cell::new(0));

unsafe extern "C" {
    /// Where the linker's own data ends.
    static __heap_base: u8;
}

impl Bump {
    fn top(&self) -> usize {
        match self.0.get() {
            0 => &raw const __heap_base as usize,
            top => top,
        }
    }

    /// Makes memory reach up to `end`.
    fn reach(&self, end: usize) -> bool {
        let pages = wasm32::memory_size::<0>();
        let wanted = end.div_ceil(PAGE);
        wanted <= pages || wasm32::memory_grow::<0>(wanted - pages) != usize::MAX
    }

    /// Takes the bytes from `start` on. Reverts instead of giving null, so that callers need no
    /// code for it.
    fn block(&self, start: usize, size: usize) -> *mut u8 {
        match start.checked_add(size) {
            Some(end) if self.reach(end) => self.0.set(end),
            _ => out_of_memory(),
        }
        // SAFETY: the linker's data, or the first free byte behind it, does not lie at 0.
        unsafe { core::hint::assert_unchecked(start != 0) };
        start as *mut u8
    }
}

/// Ends the call with `Error("out of memory")`.
#[cold]
fn out_of_memory() -> ! {
    const DATA: [u8; 4 + 3 * 32] = {
        let text = b"out of memory";
        let mut data = [0; 4 + 3 * 32];
        [data[0], data[1], data[2], data[3]] = [0x08, 0xc3, 0x79, 0xa0];
        data[35] = 32;
        data[67] = text.len() as u8;
        let mut i = 0;
        while i < text.len() {
            data[68 + i] = text[i];
            i += 1;
        }
        data
    };
    crate::env::revert(&DATA)
}

// SAFETY: blocks lie behind everything that the linker placed, do not overlap because each begins
// at or after the end of those that are alive, and lie within memory that was grown to hold them.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Alignments are powers of two; the end of memory is far below the end of the numbers.
        let start = (self.top() + layout.align() - 1) & !(layout.align() - 1);
        self.block(start, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.top() {
            self.0.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if block as usize + layout.size() == self.top() {
            return self.block(block as usize, size);
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises that `size`, rounded up to the alignment, does not overflow.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        // SAFETY: both blocks have that many bytes, and the new one is behind the old.
        unsafe { block.copy_to_nonoverlapping(new, layout.size()) };
        new
    }
}
