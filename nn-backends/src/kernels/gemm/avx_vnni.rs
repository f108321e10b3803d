//! The 256-bit `vpdpbusd` of processors without AVX-512.

use super::kernel::{Init, Kernel, Lhs, Tile};
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
    match (t.vectors, t.swapped) {
        // SAFETY: the caller vouches for the processor and for the tile.
        (1, false) => unsafe { rows::<1, false>(t) },
        // SAFETY: the caller vouches for the processor and for the tile.
        (1, true) => unsafe { rows::<1, true>(t) },
        // SAFETY: the caller vouches for the processor and for the tile.
        (2, false) => unsafe { rows::<2, false>(t) },
        // SAFETY: the caller vouches for the processor and for the tile.
        (2, true) => unsafe { rows::<2, true>(t) },
        _ => unreachable!("a tile beyond the kernel's limits"),
    }
}

/// # Safety
/// See [`Kernel::tile`].
unsafe fn rows<const V: usize, const S: bool>(t: &Tile) {
    // SAFETY: the caller vouches for the processor and for the tile.
    unsafe {
        match t.rows {
            1 => block::<1, V, S>(t),
            2 => block::<2, V, S>(t),
            3 => block::<3, V, S>(t),
            4 => block::<4, V, S>(t),
            5 => block::<5, V, S>(t),
            6 => block::<6, V, S>(t),
            _ => unreachable!("a tile beyond the kernel's limits"),
        }
    }
}

#[target_feature(enable = "avx2,avxvnni")]
unsafe fn block<const R: usize, const V: usize, const S: bool>(t: &Tile) {
    if R == 1 {
        // SAFETY: passed on.
        return unsafe { vector::<V, S>(t) };
    }
    let mut sums = [[_mm256_setzero_si256(); V]; R];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for (r, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = start(t, r, v);
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
                    *sum = dot::<S>(*sum, a, column);
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

/// What the sums of a row and a vector of columns start from.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn start(t: &Tile, row: usize, vector: usize) -> __m256i {
    // SAFETY: the caller vouches for the tile, the row and the vector.
    unsafe {
        match t.init {
            Init::Stored => _mm256_loadu_si256(t.c.add(row * t.c_stride + vector * 8).cast()),
            Init::Columns(init) => _mm256_loadu_si256(init.add(vector * 8).cast()),
            Init::Rows(init) => _mm256_set1_epi32(*init.add(row)),
        }
    }
}

/// Adds four products to each sum; `S`: the signed factor is `a`, not `b`.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn dot<const S: bool>(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    if S {
        _mm256_dpbusd_avx_epi32(sum, b, a)
    } else {
        _mm256_dpbusd_avx_epi32(sum, a, b)
    }
}
