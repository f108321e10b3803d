use super::{Job, Requantizer, Run, SAFE};
use std::arch::x86_64::*;

// Only plain loops and functions of this file work on vectors here: a closure that passes through a function of the
// standard library is compiled without the instruction set, and then every vector goes through memory.

/// As [`Requantizer::planes_runs`].
///
/// # Safety
/// As there.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) unsafe fn planes(
    requantizer: &Requantizer,
    first: usize,
    (acc, stride): (&[i32], usize),
    (out, plane): (*mut u8, usize),
    runs: &[Run],
) {
    for (row, acc) in acc.chunks_exact(stride).enumerate() {
        let channel = if requantizer.channels == 1 {
            0
        } else {
            first + row
        };
        let table = requantizer.table.from(channel);
        for place in runs {
            // SAFETY: the caller vouches for the run in each row and in each plane.
            unsafe {
                let out = out.add(row * plane + place.to);
                run::<true>(Job {
                    acc: acc.get_unchecked(place.from..place.from + place.count),
                    out: std::slice::from_raw_parts_mut(out, place.count),
                    table,
                    zero: requantizer.zero,
                    low: requantizer.low,
                    high: requantizer.high,
                });
            }
        }
    }
}

/// # Safety
/// The processor has AVX-512 F, BW, VL and DQ; `acc` and `out` have one length; the table has a multiplier for each
/// element or, with `ONE`, at least one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) unsafe fn run<const ONE: bool>(run: Job<'_>) {
    let count = run.acc.len();
    let (acc, scales, out) = (run.acc.as_ptr(), run.table.scale, run.out.as_mut_ptr());
    let bounds = [
        _mm512_set1_ps((run.low - run.zero) as f32),
        _mm512_set1_ps((run.high - run.zero) as f32),
    ];
    let (zero, safe) = (_mm512_set1_epi32(run.zero), _mm512_set1_ps(SAFE));
    let mut scale = _mm512_set1_ps(scales[0]);
    let mut i = 0;
    while i + 64 <= count {
        let mut rounded = [_mm512_setzero_ps(); 4];
        let mut distance = [_mm512_setzero_ps(); 4];
        for v in 0..4 {
            // SAFETY: sixteen elements from here on are inside `acc`, and the table has a scale for each.
            let acc = unsafe { _mm512_loadu_si512(acc.add(i + v * 16).cast()) };
            if !ONE {
                // SAFETY: as above.
                scale = unsafe { _mm512_loadu_ps(scales.as_ptr().add(i + v * 16)) };
            }
            (rounded[v], distance[v]) = estimate(acc, scale, bounds);
        }
        let farthest = _mm512_max_ps(
            _mm512_max_ps(distance[0], distance[1]),
            _mm512_max_ps(distance[2], distance[3]),
        );
        let all_safe = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(farthest, safe) == 0;
        for v in 0..4 {
            let at = i + v * 16;
            let mut y = _mm512_add_epi32(_mm512_cvtps_epi32(rounded[v]), zero);
            if !all_safe && _mm512_cmp_ps_mask::<_CMP_GE_OQ>(distance[v], safe) != 0 {
                // SAFETY: passed on.
                y = unsafe { exact::<ONE>(&run, at, !0) };
            }
            // SAFETY: sixteen elements from here on are inside `out`.
            unsafe { _mm_storeu_si128(out.add(at).cast(), _mm512_cvtepi32_epi8(y)) };
        }
        i += 64;
    }
    while i < count {
        let mask = if count - i >= 16 {
            !0
        } else {
            (1u16 << (count - i)) - 1
        };
        // SAFETY: only elements below `count` are in the mask, and the table has a scale for each.
        let acc = unsafe { _mm512_maskz_loadu_epi32(mask, acc.add(i)) };
        if !ONE {
            // SAFETY: as above.
            scale = unsafe { _mm512_maskz_loadu_ps(mask, scales.as_ptr().add(i)) };
        }
        let (rounded, distance) = estimate(acc, scale, bounds);
        let mut y = _mm512_add_epi32(_mm512_cvtps_epi32(rounded), zero);
        if _mm512_cmp_ps_mask::<_CMP_GE_OQ>(distance, safe) != 0 {
            // SAFETY: passed on.
            y = unsafe { exact::<ONE>(&run, i, mask) };
        }
        // SAFETY: only elements below `count` are in the mask. (To narrow while storing is slow on some processors.)
        unsafe { _mm_mask_storeu_epi8(out.add(i).cast(), mask, _mm512_cvtepi32_epi8(y)) };
        i += 16;
    }
}

/// The products within `bounds`, rounded, and how far they were from it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn estimate(acc: __m512i, scale: __m512, bounds: [__m512; 2]) -> (__m512, __m512) {
    let product = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale);
    let product = _mm512_min_ps(_mm512_max_ps(product, bounds[0]), bounds[1]);
    let rounded =
        _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(product);
    (rounded, _mm512_abs_ps(_mm512_sub_ps(product, rounded)))
}

/// Elements of a list, or its first for all.
///
/// # Safety
/// The list has an element for each bit of the mask from `i` on or, with `ONE`, at least one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn element<const ONE: bool>(list: &[i32], i: usize, mask: __mmask16) -> __m512i {
    if ONE {
        return _mm512_set1_epi32(list[0]);
    }
    // SAFETY: the caller vouches for it.
    unsafe { _mm512_maskz_loadu_epi32(mask, list.as_ptr().add(i)) }
}

/// Sixteen outputs in integers.
///
/// # Safety
/// As [`run`], for the elements from `i` on that are in the mask.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
#[cold]
unsafe fn exact<const ONE: bool>(run: &Job<'_>, i: usize, mask: __mmask16) -> __m512i {
    let t = run.table;
    // SAFETY: the caller vouches for the elements, and for a multiplier for each.
    let (x, low, high, m, shift) = unsafe {
        (
            _mm512_maskz_loadu_epi32(mask, run.acc.as_ptr().add(i)),
            element::<ONE>(t.low, i, mask),
            element::<ONE>(t.high, i, mask),
            element::<ONE>(t.m, i, mask),
            element::<ONE>(t.shift, i, mask),
        )
    };
    let x = _mm512_min_epi32(_mm512_max_epi32(x, low), high);
    let even = half(
        x,
        m,
        _mm512_and_si512(shift, _mm512_set1_epi64(0xffff_ffff)),
    );
    let odd = half(
        _mm512_srli_epi64::<32>(x),
        _mm512_srli_epi64::<32>(m),
        _mm512_srli_epi64::<32>(shift),
    );
    let rounded = _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64::<32>(odd));
    let y = _mm512_add_epi32(rounded, _mm512_set1_epi32(run.zero));
    _mm512_min_epi32(
        _mm512_max_epi32(y, _mm512_set1_epi32(run.low)),
        _mm512_set1_epi32(run.high),
    )
}

/// The rounded products of the even elements.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn half(x: __m512i, m: __m512i, shift: __m512i) -> __m512i {
    let one = _mm512_set1_epi64(1);
    let product = _mm512_mul_epi32(x, m);
    let below_half = _mm512_sub_epi64(_mm512_srli_epi64::<1>(_mm512_sllv_epi64(one, shift)), one);
    let odd = _mm512_and_si512(_mm512_srlv_epi64(product, shift), one);
    _mm512_srav_epi64(
        _mm512_add_epi64(_mm512_add_epi64(product, below_half), odd),
        shift,
    )
}
