//! AVX-512 VNNI: `vpdpbusd`, in the form that wraps.

use super::kernel::{Kernel, Lhs, Tile};
use std::arch::x86_64::*;

pub(super) static KERNEL: Kernel = Kernel {
    lhs: Lhs::U8,
    lanes: 16,
    vectors: 4,
    rows: &[8, 8, 8, 6],
    block: 128,
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
        (7, 1),
        (8, 1),
        (1, 2),
        (2, 2),
        (3, 2),
        (4, 2),
        (5, 2),
        (6, 2),
        (7, 2),
        (8, 2),
        (1, 3),
        (2, 3),
        (3, 3),
        (4, 3),
        (5, 3),
        (6, 3),
        (7, 3),
        (8, 3),
        (1, 4),
        (2, 4),
        (3, 4),
        (4, 4),
        (5, 4),
        (6, 4)
    );
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn block<const R: usize, const V: usize>(t: &Tile) {
    // One row leaves most registers free and is bound by the latency of the sums: two sets of sums halve it.
    if R == 1 {
        // SAFETY: passed on.
        return unsafe { vector::<V>(t) };
    }
    let mut sums = [[_mm512_setzero_si512(); V]; R];
    // SAFETY: the caller vouches for every pointer in the tile's shape.
    unsafe {
        for (r, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                let from = if t.init.is_null() {
                    t.c.add(r * t.c_stride)
                } else {
                    t.init
                };
                *sum = _mm512_loadu_si512(from.add(v * 16).cast());
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
                    *sum = _mm512_dpbusd_epi32(*sum, a, column);
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
unsafe fn vector<const V: usize>(t: &Tile) {
    let mut even = [_mm512_setzero_si512(); V];
    let mut odd = [_mm512_setzero_si512(); V];
    // SAFETY: the caller vouches for every pointer in the tile's shape; a prefetch reads nothing.
    unsafe {
        let from = if t.init.is_null() {
            t.c.cast_const()
        } else {
            t.init
        };
        for (v, sum) in even.iter_mut().enumerate() {
            *sum = _mm512_loadu_si512(from.add(v * 16).cast());
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
                even[v] = _mm512_dpbusd_epi32(even[v], a0, _mm512_load_si512(b.add(v * 64).cast()));
                odd[v] =
                    _mm512_dpbusd_epi32(odd[v], a1, _mm512_load_si512(b.add((V + v) * 64).cast()));
            }
            b = b.add(V * 128);
        }
        if t.quads % 2 == 1 {
            let a = _mm512_set1_epi32(t.a.add((t.quads - 1) * 4).cast::<i32>().read_unaligned());
            for (v, sum) in even.iter_mut().enumerate() {
                *sum = _mm512_dpbusd_epi32(*sum, a, _mm512_load_si512(b.add(v * 64).cast()));
            }
        }
        for v in 0..V {
            _mm512_storeu_si512(t.c.add(v * 16).cast(), _mm512_add_epi32(even[v], odd[v]));
        }
    }
}

/// How far ahead of its use B is fetched, in bytes.
const PREFETCH: usize = 2048;
