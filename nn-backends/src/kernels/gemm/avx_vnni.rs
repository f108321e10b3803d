//! The 256-bit `vpdpbusd` of processors without AVX-512.

use super::kernel::{Init, Kernel, Lhs, Tile, constant};
use super::vpdpbusd::vpdpbusd;
use std::arch::x86_64::*;

pub(super) static KERNEL: Kernel = Kernel {
    lhs: Lhs::U8,
    lanes: 8,
    vectors: 2,
    rows: &[6, 6],
    block: 256,
    swapped_rhs_signed: false,
    tile,
    widen: None,
};

/// # Safety
/// See [`Kernel::tile`].
unsafe fn tile(t: &Tile) {
    // SAFETY: the caller vouches for the processor and for the tile.
    unsafe {
        constant!(t.vectors, [1 2], V => constant!(t.rows, [1 2 3 4 5 6], R => match t.swapped {
            false => block::<R, V, false>(t),
            true => block::<R, V, true>(t),
        }));
    }
}

vpdpbusd!(
    #[target_feature(enable = "avx2,avxvnni")]
    __m256i, 8,
    zero: _mm256_setzero_si256, splat: _mm256_set1_epi32, load: _mm256_load_si256,
    load_unaligned: _mm256_loadu_si256, store: _mm256_storeu_si256, dot: _mm256_dpbusd_avx_epi32
);

/// One row, four sets of sums against the latency of the addition.
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn vector<const V: usize, const S: bool>(t: &Tile) {
    let mut sums = [[_mm256_setzero_si256(); V]; 4];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for (v, sum) in sums[0].iter_mut().enumerate() {
            *sum = start(t, 0, v);
        }
        let step = |quad: usize, sums: &mut [__m256i; V]| {
            let a = _mm256_set1_epi32(t.a.add(quad * 4).cast::<i32>().read_unaligned());
            for (v, sum) in sums.iter_mut().enumerate() {
                let b = _mm256_load_si256(t.b.add((quad * V + v) * 32).cast());
                *sum = dot::<S>(*sum, a, b);
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
