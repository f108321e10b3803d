use super::Run;
use std::arch::x86_64::*;

/// # Safety
/// The processor has AVX-512 F, BW, VL and DQ; `acc` and `out` have one length; the table has a multiplier for each
/// element or, with `ONE`, at least one.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) unsafe fn run<const ONE: bool>(run: Run<'_>) {
    let count = run.acc.len();
    let (acc, out) = (run.acc.as_ptr(), run.out.as_mut_ptr());
    let load = |list: &[i32], i: usize, mask: __mmask16| {
        if ONE {
            _mm512_set1_epi32(list[0])
        } else {
            // SAFETY: the list has an element for each bit of the mask.
            unsafe { _mm512_maskz_loadu_epi32(mask, list.as_ptr().add(i)) }
        }
    };
    let (zero, low, high) = (
        _mm512_set1_epi32(run.zero),
        _mm512_set1_epi32(run.low),
        _mm512_set1_epi32(run.high),
    );
    for i in (0..count).step_by(16) {
        let mask = if count - i >= 16 {
            !0
        } else {
            (1u16 << (count - i)) - 1
        };
        // SAFETY: only elements below `count` are in the mask.
        let x = unsafe { _mm512_maskz_loadu_epi32(mask, acc.add(i)) };
        let x = _mm512_max_epi32(x, load(run.table.low, i, mask));
        let x = _mm512_min_epi32(x, load(run.table.high, i, mask));
        let (m, shift) = (load(run.table.m, i, mask), load(run.table.shift, i, mask));
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
        let y = _mm512_add_epi32(rounded, zero);
        let y = _mm512_min_epi32(_mm512_max_epi32(y, low), high);
        // SAFETY: only elements below `count` are in the mask.
        unsafe { _mm512_mask_cvtepi32_storeu_epi8(out.add(i).cast(), mask, y) };
    }
}

/// The rounded products of the even elements.
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
