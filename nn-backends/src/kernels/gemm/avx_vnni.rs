//! The 256-bit `vpdpbusd` of processors without AVX-512.

use super::kernel::{Kernel, Lhs, Tile};
use std::arch::x86_64::*;

pub(super) static KERNEL: Kernel = Kernel {
    lhs: Lhs::U8,
    lanes: 8,
    vectors: 2,
    rows: &[6, 6],
    block: 256,
    tile,
    widen: None,
};

/// # Safety
/// See [`Kernel::tile`].
unsafe fn tile(t: &Tile) {
    macro_rules! choose {
        ($(($rows:literal, $vectors:literal)),*) => {
            match (t.rows, t.vectors) {
                // SAFETY: the caller vouches for the processor and for the tile.
                $(($rows, $vectors) => unsafe { block::<$rows, $vectors>(t) },)*
                _ => unreachable!("a tile beyond the kernel's limits"),
            }
        };
    }
    choose!(
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 1),
        (5, 1),
        (6, 1),
        (1, 2),
        (2, 2),
        (3, 2),
        (4, 2),
        (5, 2),
        (6, 2)
    );
}

#[target_feature(enable = "avx2,avxvnni")]
unsafe fn block<const R: usize, const V: usize>(t: &Tile) {
    if R == 1 {
        // SAFETY: passed on.
        return unsafe { vector::<V>(t) };
    }
    let mut sums = [[_mm256_setzero_si256(); V]; R];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for (r, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                let from = if t.init.is_null() {
                    t.c.add(r * t.c_stride)
                } else {
                    t.init
                };
                *sum = _mm256_loadu_si256(from.add(v * 8).cast());
            }
        }
        for quad in 0..t.quads {
            let b = t.b.add(quad * V * 32);
            let mut columns = [_mm256_setzero_si256(); V];
            for (v, column) in columns.iter_mut().enumerate() {
                *column = _mm256_load_si256(b.add(v * 32).cast());
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let a = _mm256_set1_epi32(
                    t.a.add(r * t.a_stride + quad * 4)
                        .cast::<i32>()
                        .read_unaligned(),
                );
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = _mm256_dpbusd_avx_epi32(*sum, a, column);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                _mm256_storeu_si256(t.c.add(r * t.c_stride + v * 8).cast(), sum);
            }
        }
    }
}

/// One row, four sets of sums against the latency of the addition.
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn vector<const V: usize>(t: &Tile) {
    let mut sums = [[_mm256_setzero_si256(); V]; 4];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        let from = if t.init.is_null() {
            t.c.cast_const()
        } else {
            t.init
        };
        for (v, sum) in sums[0].iter_mut().enumerate() {
            *sum = _mm256_loadu_si256(from.add(v * 8).cast());
        }
        let step = |quad: usize, sums: &mut [__m256i; V]| {
            let a = _mm256_set1_epi32(t.a.add(quad * 4).cast::<i32>().read_unaligned());
            for (v, sum) in sums.iter_mut().enumerate() {
                let b = _mm256_load_si256(t.b.add((quad * V + v) * 32).cast());
                *sum = _mm256_dpbusd_avx_epi32(*sum, a, b);
            }
        };
        let whole = t.quads / 4 * 4;
        for quad in (0..whole).step_by(4) {
            _mm_prefetch::<_MM_HINT_T0>(t.b.wrapping_add(quad * V * 32 + 2048).cast());
            for (i, sums) in sums.iter_mut().enumerate() {
                step(quad + i, sums);
            }
        }
        for quad in whole..t.quads {
            step(quad, &mut sums[0]);
        }
        let [s0, s1, s2, s3] = sums;
        for (v, ((s0, s1), (s2, s3))) in s0
            .into_iter()
            .zip(s1)
            .zip(s2.into_iter().zip(s3))
            .enumerate()
        {
            let (low, high) = (_mm256_add_epi32(s0, s1), _mm256_add_epi32(s2, s3));
            _mm256_storeu_si256(t.c.add(v * 8).cast(), _mm256_add_epi32(low, high));
        }
    }
}
