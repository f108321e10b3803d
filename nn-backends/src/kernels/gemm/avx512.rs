//! AVX-512 VNNI: `vpdpbusd`, in the form that wraps.

use super::kernel::{Init, Kernel, Lhs, Tile, constant};
use super::vpdpbusd::vpdpbusd;
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
    // SAFETY: the caller vouches for the processor and for the tile.
    unsafe {
        constant!(t.vectors, [1 2 3 4], V => constant!(t.rows, [1 2 3 4 5 6 7 8], R => match t.swapped {
            false => block::<R, V, false>(t),
            true => block::<R, V, true>(t),
        }));
    }
}

vpdpbusd!(
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    __m512i, 16,
    zero: _mm512_setzero_si512, splat: _mm512_set1_epi32, load: _mm512_load_si512,
    load_unaligned: _mm512_loadu_si512, store: _mm512_storeu_si512, dot: _mm512_dpbusd_epi32
);

/// One row: bound by how fast B arrives. It leaves most registers free, and two sets of sums halve their latency.
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
