//! Aligned memory for packed weights, and scratch memory that outlives a call.

use std::cell::Cell;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Zeroed bytes on a cache-line boundary.
#[derive(Clone, Default)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// At least `bytes` zeroed bytes.
    pub(crate) fn zeroed(bytes: usize) -> Self {
        Self {
            lines: vec![Line([0; 64]); bytes.div_ceil(64)],
        }
    }

    /// Grows to at least `bytes`; what the buffer holds afterwards is unspecified, but initialised.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        let lines = bytes.div_ceil(64);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0; 64]));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len() * 64
    }

    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.lines.as_ptr().cast()
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: `Line` is 64 initialised bytes without padding, and `len` counts those of the whole vector.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len()) }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: as in `as_mut_slice`.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
    }

    /// The first `count` elements, read as `i16`.
    pub(crate) fn as_i16_mut(&mut self, count: usize) -> &mut [i16] {
        assert!(count * 2 <= self.len());
        // SAFETY: in bounds by the line above, aligned to 64, and any bits are an `i16`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), count) }
    }

    /// All elements, read as `f32`.
    pub(crate) fn as_f32(&self) -> &[f32] {
        // SAFETY: aligned to 64, in bounds, and any bits are an `f32`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len() / 4) }
    }

    /// The first `count` elements, read as `f32`.
    pub(crate) fn as_f32_mut(&mut self, count: usize) -> &mut [f32] {
        assert!(count * 4 <= self.len());
        // SAFETY: in bounds by the line above, aligned to 64, and any bits are an `f32`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), count) }
    }

    /// The first `count` elements, read as `i32`.
    pub(crate) fn as_i32_mut(&mut self, count: usize) -> &mut [i32] {
        assert!(count * 4 <= self.len());
        // SAFETY: in bounds by the line above, aligned to 64, and any bits are an `i32`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), count) }
    }
}

/// Scratch memory of one kernel call. Kept per thread between calls: a fresh allocation would cost a page fault for
/// every 4 KiB, more than a small layer takes to compute.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) lhs: Aligned,
    pub(crate) planes: Aligned,
    pub(crate) rhs: Aligned,
    pub(crate) init: Aligned,
    pub(crate) tile: Aligned,
    pub(crate) sums: Vec<i32>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Lends this thread's scratch memory to `work`; a call from within `work` gets memory of its own.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let result = work(&mut scratch);
    SCRATCH.set(Some(scratch));
    result
}

/// Copies a rectangle of `rows` × `columns` elements, whose rows lie as many elements apart as each side says.
///
/// # Safety
/// Both pointers are valid for the rectangle, and the two do not overlap.
pub(crate) unsafe fn copy<T: Copy>(
    from: *const T,
    from_stride: usize,
    to: *mut T,
    to_stride: usize,
    (rows, columns): (usize, usize),
) {
    for row in 0..rows {
        // SAFETY: passed on, a row at a time.
        unsafe {
            let (from, to) = (from.add(row * from_stride), to.add(row * to_stride));
            std::ptr::copy_nonoverlapping(from, to, columns);
        }
    }
}
