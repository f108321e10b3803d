use super::{Job, SAFE, scalar};
use std::arch::x86_64::*;

/// # Safety
/// The processor has AVX2; `acc` and `out` have one length; the table has a multiplier for each element or, with
/// `ONE`, at least one.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn run<const ONE: bool>(run: Job<'_>) {
    let whole = run.acc.len() / 8 * 8;
    let (least, most) = (
        _mm256_set1_ps((run.low - run.zero) as f32),
        _mm256_set1_ps((run.high - run.zero) as f32),
    );
    let zero = _mm256_set1_epi32(run.zero);
    // The low byte of each of four 32-bit elements, in both halves of a vector.
    let gather = _mm256_set1_epi32(0x0c08_0400);
    for i in (0..whole).step_by(8) {
        // SAFETY: eight elements from `i` on are inside `acc`, and the table has a scale for each.
        let (acc, scale) = unsafe {
            let scales = run.table.scale;
            let scale = if ONE {
                _mm256_set1_ps(scales[0])
            } else {
                _mm256_loadu_ps(scales.as_ptr().add(i))
            };
            (_mm256_loadu_si256(run.acc.as_ptr().add(i).cast()), scale)
        };
        let product = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale);
        let product = _mm256_min_ps(_mm256_max_ps(product, least), most);
        let rounded = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(product);
        let distance = _mm256_andnot_ps(_mm256_set1_ps(-0.0), _mm256_sub_ps(product, rounded));
        let near = _mm256_cmp_ps::<_CMP_GE_OQ>(distance, _mm256_set1_ps(SAFE));
        let y = if _mm256_movemask_ps(near) == 0 {
            _mm256_add_epi32(_mm256_cvtps_epi32(rounded), zero)
        } else {
            // SAFETY: passed on.
            unsafe { exact::<ONE>(&run, acc, i) }
        };
        let y = _mm256_shuffle_epi8(y, gather);
        let y = _mm_unpacklo_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256::<1>(y));
        // SAFETY: eight elements from `i` on are inside `out`.
        unsafe { _mm_storel_epi64(run.out.as_mut_ptr().add(i).cast(), y) };
    }
    scalar::<ONE>(run, whole);
}

/// Eight outputs in integers.
///
/// # Safety
/// As [`run`], for the eight elements from `i` on.
#[target_feature(enable = "avx2")]
unsafe fn exact<const ONE: bool>(run: &Job<'_>, acc: __m256i, i: usize) -> __m256i {
    let load = |list: &[i32]| {
        if ONE {
            _mm256_set1_epi32(list[0])
        } else {
            // SAFETY: the list has an element for each of the eight.
            unsafe { _mm256_loadu_si256(list.as_ptr().add(i).cast()) }
        }
    };
    let x = _mm256_min_epi32(
        _mm256_max_epi32(acc, load(run.table.low)),
        load(run.table.high),
    );
    let (m, shift) = (load(run.table.m), load(run.table.shift));
    let even = half(
        x,
        m,
        _mm256_and_si256(shift, _mm256_set1_epi64x(0xffff_ffff)),
    );
    let odd = half(
        _mm256_srli_epi64::<32>(x),
        _mm256_srli_epi64::<32>(m),
        _mm256_srli_epi64::<32>(shift),
    );
    let rounded = _mm256_blend_epi32::<0xaa>(even, _mm256_slli_epi64::<32>(odd));
    let y = _mm256_add_epi32(rounded, _mm256_set1_epi32(run.zero));
    _mm256_min_epi32(
        _mm256_max_epi32(y, _mm256_set1_epi32(run.low)),
        _mm256_set1_epi32(run.high),
    )
}

/// The rounded products of the even elements. There is no arithmetic shift of 64 bits in AVX2: the product is raised
/// by 2⁶² before a logical shift and lowered again after it.
#[target_feature(enable = "avx2")]
fn half(x: __m256i, m: __m256i, shift: __m256i) -> __m256i {
    let (one, raise) = (_mm256_set1_epi64x(1), _mm256_set1_epi64x(1 << 62));
    let product = _mm256_mul_epi32(x, m);
    let below_half = _mm256_sub_epi64(_mm256_srli_epi64::<1>(_mm256_sllv_epi64(one, shift)), one);
    let odd = _mm256_and_si256(_mm256_srlv_epi64(product, shift), one);
    let sum = _mm256_add_epi64(
        _mm256_add_epi64(product, odd),
        _mm256_add_epi64(below_half, raise),
    );
    _mm256_sub_epi64(
        _mm256_srlv_epi64(sum, shift),
        _mm256_srlv_epi64(raise, shift),
    )
}
