//! AVX-512 VNNI: `vpdpbusd`, in the form that wraps.

use super::kernel::{Init, Kernel, Lhs, Tile};
use std::arch::x86_64::*;

pub(super) static KERNEL: Kernel = Kernel {
    lhs: Lhs::U8,
    lanes: 16,
    vectors: 4,
    rows: &[8, 8, 8, 6],
    block: 128,
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
        // SAFETY: the caller vouches for the processor and for the tile.
        (3, false) => unsafe { rows::<3, false>(t) },
        // SAFETY: the caller vouches for the processor and for the tile.
        (3, true) => unsafe { rows::<3, true>(t) },
        // SAFETY: the caller vouches for the processor and for the tile.
        (4, false) => unsafe { rows::<4, false>(t) },
        // SAFETY: the caller vouches for the processor and for the tile.
        (4, true) => unsafe { rows::<4, true>(t) },
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
            7 => block::<7, V, S>(t),
            8 => block::<8, V, S>(t),
            _ => unreachable!("a tile beyond the kernel's limits"),
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn block<const R: usize, const V: usize, const S: bool>(t: &Tile) {
    // One row leaves most registers free and is bound by the latency of the sums: two sets of sums halve it.
    if R == 1 {
        // SAFETY: passed on.
        return unsafe { vector::<V, S>(t) };
    }
    let mut sums = [[_mm512_setzero_si512(); V]; R];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for (r, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = start(t, r, v);
            }
        }
        for quad in 0..t.quads {
            let b = t.b.add(quad * V * 64);
            let mut columns = [_mm512_setzero_si512(); V];
            for (v, column) in columns.iter_mut().enumerate() {
                *column = _mm512_load_si512(b.add(v * 64).cast());
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let a = _mm512_set1_epi32(
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
                _mm512_storeu_si512(t.c.add(r * t.c_stride + v * 16).cast(), sum);
            }
        }
    }
}

/// One row: bound by how fast B arrives.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn vector<const V: usize, const S: bool>(t: &Tile) {
    let mut even = [_mm512_setzero_si512(); V];
    let mut odd = [_mm512_setzero_si512(); V];
    // SAFETY: the caller vouches for every pointer in the tile's shape; a prefetch reads nothing.
    unsafe {
        for (v, sum) in even.iter_mut().enumerate() {
            *sum = start(t, 0, v);
        }
        let mut b = t.b;
        for pair in 0..t.quads / 2 {
            let a = t.a.add(pair * 8).cast::<i32>();
            let (a0, a1) = (
                _mm512_set1_epi32(a.read_unaligned()),
                _mm512_set1_epi32(a.add(1).read_unaligned()),
            );
            for v in 0..V {
                _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(PREFETCH + v * 64).cast());
                _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(PREFETCH + (V + v) * 64).cast());
                even[v] = dot::<S>(even[v], a0, _mm512_load_si512(b.add(v * 64).cast()));
                odd[v] = dot::<S>(odd[v], a1, _mm512_load_si512(b.add((V + v) * 64).cast()));
            }
            b = b.add(V * 128);
        }
        if t.quads % 2 == 1 {
            let a = _mm512_set1_epi32(t.a.add((t.quads - 1) * 4).cast::<i32>().read_unaligned());
            for (v, sum) in even.iter_mut().enumerate() {
                *sum = dot::<S>(*sum, a, _mm512_load_si512(b.add(v * 64).cast()));
            }
        }
        for v in 0..V {
            _mm512_storeu_si512(t.c.add(v * 16).cast(), _mm512_add_epi32(even[v], odd[v]));
        }
    }
}

/// How far ahead of its use B is fetched, in bytes.
const PREFETCH: usize = 2048;

/// What the sums of a row and a vector of columns start from.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn start(t: &Tile, row: usize, vector: usize) -> __m512i {
    // SAFETY: the caller vouches for the tile, the row and the vector.
    unsafe {
        match t.init {
            Init::Stored => _mm512_loadu_si512(t.c.add(row * t.c_stride + vector * 16).cast()),
            Init::Columns(init) => _mm512_loadu_si512(init.add(vector * 16).cast()),
            Init::Rows(init) => _mm512_set1_epi32(*init.add(row)),
        }
    }
}

/// Adds four products to each sum; `S`: the signed factor is `a`, not `b`.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn dot<const S: bool>(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    if S {
        _mm512_dpbusd_epi32(sum, b, a)
    } else {
        _mm512_dpbusd_epi32(sum, a, b)
    }
}
