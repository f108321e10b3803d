use super::kernel::{Kernel, Lhs, Tile};

const LANES: usize = 8;

pub(super) static KERNEL: Kernel = Kernel {
    lhs: Lhs::U8,
    lanes: LANES,
    vectors: 1,
    rows: &[1],
    block: 1024,
    tile,
    widen: None,
};

/// # Safety
/// See [`Kernel::tile`].
unsafe fn tile(t: &Tile) {
    // SAFETY: the caller vouches for the pointers and the shape.
    let (a, b, c) = unsafe {
        (
            std::slice::from_raw_parts(t.a, t.quads * 4),
            std::slice::from_raw_parts(t.b, t.quads * LANES * 4),
            std::slice::from_raw_parts_mut(t.c, LANES),
        )
    };
    if !t.init.is_null() {
        // SAFETY: as above.
        c.copy_from_slice(unsafe { std::slice::from_raw_parts(t.init, LANES) });
    }
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(LANES * 4)) {
        for (sum, b) in c.iter_mut().zip(b.chunks_exact(4)) {
            for (&a, &b) in a.iter().zip(b) {
                *sum = sum.wrapping_add(i32::from(a) * i32::from(b));
            }
        }
    }
}
