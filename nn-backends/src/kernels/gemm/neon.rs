//! NEON: `smull` and `sadalp`, which never saturate on 8-bit elements, or `sdot`.

use super::kernel::{Init, Kernel, Lhs, Tile, constant};
use std::arch::aarch64::*;
use std::arch::asm;

pub(super) static BASE: Kernel = Kernel {
    lhs: Lhs::I8,
    lanes: 4,
    vectors: 2,
    rows: &[4, 4],
    block: 512,
    swapped_rhs_signed: true,
    tile: base_tile,
    widen: None,
};

pub(super) static DOT: Kernel = Kernel {
    lhs: Lhs::I8,
    lanes: 4,
    vectors: 4,
    rows: &[6, 6, 6, 6],
    block: 256,
    swapped_rhs_signed: true,
    tile: dot_tile,
    widen: None,
};

/// # Safety
/// See [`Kernel::tile`].
unsafe fn base_tile(t: &Tile) {
    // SAFETY: the caller vouches for the processor and for the tile.
    unsafe {
        constant!(t.vectors, [1 2], V => constant!(t.rows, [1 2 3 4], R => base::<R, V>(t)));
    }
}

/// # Safety
/// See [`Kernel::tile`].
unsafe fn dot_tile(t: &Tile) {
    // SAFETY: the caller vouches for the processor and for the tile.
    unsafe {
        constant!(t.vectors, [1 2 3 4], V => constant!(t.rows, [1 2 3 4 5 6], R => dot::<R, V>(t)));
    }
}

#[target_feature(enable = "neon")]
unsafe fn base<const R: usize, const V: usize>(t: &Tile) {
    // Two partial sums for each column: two vectors of sums for each vector of columns.
    let mut sums = [[[vdupq_n_s32(0); 2]; V]; R];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for quad in 0..t.quads {
            let mut b = [vdupq_n_s8(0); V];
            for (v, b) in b.iter_mut().enumerate() {
                *b = vld1q_s8(t.b.add((quad * V + v) * 16));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let a =
                    t.a.add(r * t.a_stride + quad * 4)
                        .cast::<i32>()
                        .read_unaligned();
                let a = vreinterpret_s8_s32(vdup_n_s32(a));
                for (sums, &b) in sums.iter_mut().zip(&b) {
                    sums[0] = vpadalq_s16(sums[0], vmull_s8(vget_low_s8(b), a));
                    sums[1] = vpadalq_s16(sums[1], vmull_s8(vget_high_s8(b), a));
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, sums) in sums.iter().enumerate() {
                let c = t.c.add(r * t.c_stride + v * 4);
                vst1q_s32(c, vaddq_s32(start(t, r, v), vpaddq_s32(sums[0], sums[1])));
            }
        }
    }
}

#[target_feature(enable = "neon,dotprod")]
unsafe fn dot<const R: usize, const V: usize>(t: &Tile) {
    let mut sums = [[vdupq_n_s32(0); V]; R];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for (r, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = start(t, r, v);
            }
        }
        for quad in 0..t.quads {
            let mut b = [vdupq_n_s8(0); V];
            for (v, b) in b.iter_mut().enumerate() {
                *b = vld1q_s8(t.b.add((quad * V + v) * 16));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let a =
                    t.a.add(r * t.a_stride + quad * 4)
                        .cast::<i32>()
                        .read_unaligned();
                let a = vreinterpretq_s8_s32(vdupq_n_s32(a));
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = sdot(*sum, a, b);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                vst1q_s32(t.c.add(r * t.c_stride + v * 4), sum);
            }
        }
    }
}

/// What the sums of a row and a vector of columns start from.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn start(t: &Tile, row: usize, vector: usize) -> int32x4_t {
    // SAFETY: the caller vouches for the tile, the row and the vector.
    unsafe {
        match t.init {
            Init::Stored => vld1q_s32(t.c.add(row * t.c_stride + vector * 4)),
            Init::Columns(init) => vld1q_s32(init.add(vector * 4)),
            Init::Rows(init) => vdupq_n_s32(*init.add(row)),
        }
    }
}

/// Four sums of four products; the intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let mut sum = sum;
    // SAFETY: one instruction on registers; the feature is enabled on this function.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}
