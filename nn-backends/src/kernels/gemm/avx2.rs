//! AVX2: both operands as 16-bit numbers and `vpmaddwd`, whose sum of two products always fits 32 bits.
//!
//! `vpmaddubsw` would do twice the work in an instruction, but its 16-bit sums saturate: never use it here.
//!
//! A vector of sums holds two partial sums for each of four columns; they are folded when the tile is stored.

use super::kernel::{Init, Kernel, Lhs, Tile, constant};
use std::arch::x86_64::*;

pub(super) static KERNEL: Kernel = Kernel {
    lhs: Lhs::I16,
    lanes: 4,
    vectors: 2,
    rows: &[6, 6],
    block: 256,
    swapped_rhs_signed: false,
    tile,
    widen: Some(widen),
};

/// The form of B: bytes of either sign, or 16-bit numbers.
const SIGNED: u8 = 0;
const UNSIGNED: u8 = 1;
const WIDE: u8 = 2;

/// # Safety
/// See [`Kernel::tile`].
unsafe fn tile(t: &Tile) {
    let rhs = match (t.b_wide, t.swapped) {
        (true, _) => WIDE,
        (false, false) => SIGNED,
        (false, true) => UNSIGNED,
    };
    // SAFETY: the caller vouches for the processor and for the tile.
    unsafe {
        constant!(t.vectors, [1 2], V => constant!(t.rows, [1 2 3 4 5 6], R => match rhs {
            SIGNED => block::<R, V, SIGNED>(t),
            UNSIGNED => block::<R, V, UNSIGNED>(t),
            _ => block::<R, V, WIDE>(t),
        }));
    }
}

/// # Safety
/// See [`Kernel::widen`].
unsafe fn widen(from: *const i8, to: *mut i16, count: usize) {
    #[target_feature(enable = "avx2")]
    unsafe fn run(from: *const i8, to: *mut i16, count: usize) {
        for i in (0..count).step_by(16) {
            // SAFETY: both pointers are valid for `count`, a multiple of 16.
            unsafe {
                let narrow = _mm_loadu_si128(from.add(i).cast());
                _mm256_storeu_si256(to.add(i).cast(), _mm256_cvtepi8_epi16(narrow));
            }
        }
    }
    // SAFETY: passed on.
    unsafe { run(from, to, count) }
}

/// Sixteen elements of B, as 16-bit numbers.
#[target_feature(enable = "avx2")]
unsafe fn columns<const RHS: u8>(b: *const i8, index: usize) -> __m256i {
    // SAFETY: the caller vouches for sixteen elements at `index`.
    unsafe {
        match RHS {
            WIDE => _mm256_load_si256(b.cast::<i16>().add(index).cast()),
            UNSIGNED => _mm256_cvtepu8_epi16(_mm_loadu_si128(b.add(index).cast())),
            _ => _mm256_cvtepi8_epi16(_mm_load_si128(b.add(index).cast())),
        }
    }
}

#[target_feature(enable = "avx2")]
unsafe fn block<const R: usize, const V: usize, const RHS: u8>(t: &Tile) {
    if R == 1 {
        // SAFETY: passed on.
        return unsafe { vector::<V, RHS>(t) };
    }
    let mut sums = [[_mm256_setzero_si256(); V]; R];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for quad in 0..t.quads {
            let mut b = [_mm256_setzero_si256(); V];
            for (v, b) in b.iter_mut().enumerate() {
                *b = columns::<RHS>(t.b, (quad * V + v) * 16);
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let a = _mm256_set1_epi64x(
                    t.a.add(r * t.a_stride + quad * 8)
                        .cast::<i64>()
                        .read_unaligned(),
                );
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(a, b));
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                store(t, r, v, sum);
            }
        }
    }
}

/// One row, four sets of sums against the latency of the addition.
#[target_feature(enable = "avx2")]
unsafe fn vector<const V: usize, const RHS: u8>(t: &Tile) {
    let mut sums = [[_mm256_setzero_si256(); V]; 4];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        let step = |quad: usize, sums: &mut [__m256i; V]| {
            let a = _mm256_set1_epi64x(t.a.add(quad * 8).cast::<i64>().read_unaligned());
            for (v, sum) in sums.iter_mut().enumerate() {
                let b = columns::<RHS>(t.b, (quad * V + v) * 16);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(a, b));
            }
        };
        let whole = t.quads / 4 * 4;
        for quad in (0..whole).step_by(4) {
            _mm_prefetch::<_MM_HINT_T0>(t.b.wrapping_add(quad * V * 16 + 1024).cast());
            _mm_prefetch::<_MM_HINT_T0>(t.b.wrapping_add(quad * V * 16 + 1088).cast());
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
            store(t, 0, v, _mm256_add_epi32(low, high));
        }
    }
}

/// Folds the two partial sums of four columns and adds them to where the tile starts from.
#[target_feature(enable = "avx2")]
unsafe fn store(t: &Tile, row: usize, vector: usize, sum: __m256i) {
    let folded = _mm_hadd_epi32(
        _mm256_castsi256_si128(sum),
        _mm256_extracti128_si256::<1>(sum),
    );
    // SAFETY: the caller vouches for the row and the vector.
    unsafe {
        let c = t.c.add(row * t.c_stride + vector * 4);
        let start = match t.init {
            Init::Stored => _mm_loadu_si128(c.cast_const().cast()),
            Init::Columns(init) => _mm_loadu_si128(init.add(vector * 4).cast()),
            Init::Rows(init) => _mm_set1_epi32(*init.add(row)),
        };
        _mm_storeu_si128(c.cast(), _mm_add_epi32(start, folded));
    }
}
