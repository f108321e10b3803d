use super::kernel::{Init, Kernel, Lhs, Tile};

const LANES: usize = 8;

pub(super) static KERNEL: Kernel = Kernel {
    lhs: Lhs::U8,
    lanes: LANES,
    vectors: 1,
    rows: &[1],
    block: 1024,
    swapped_rhs_signed: false,
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
            std::slice::from_raw_parts(t.b.cast::<u8>(), t.quads * LANES * 4),
            std::slice::from_raw_parts_mut(t.c, LANES),
        )
    };
    // SAFETY: as above.
    unsafe {
        match t.init {
            Init::Stored => {}
            Init::Columns(init) => c.copy_from_slice(std::slice::from_raw_parts(init, LANES)),
            Init::Rows(init) => c.fill(*init),
        }
    }
    let (a_sign, b_sign) = if t.swapped { (0x80, 0) } else { (0, 0x80) };
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(LANES * 4)) {
        for (sum, b) in c.iter_mut().zip(b.chunks_exact(4)) {
            for (&a, &b) in a.iter().zip(b) {
                *sum = sum.wrapping_add(number(a, a_sign) * number(b, b_sign));
            }
        }
    }
}

/// The number that a byte stands for: signed if `sign` is its sign bit, unsigned if `sign` is zero.
fn number(byte: u8, sign: u8) -> i32 {
    i32::from(byte ^ sign) - i32::from(sign)
}
