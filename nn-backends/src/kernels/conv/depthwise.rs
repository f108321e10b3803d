//! A channel that is its own group, on AVX-512: its neighbourhoods go from the planes to the sums in registers.

use std::arch::x86_64::*;

/// Writes 64 sums, which start from `init`, of the products of `weights`, padded to whole quads, with the bytes at
/// `planes + offset` for each of the offsets.
///
/// # Safety
/// The processor has AVX-512 F, BW and VNNI; there are 64 bytes at each offset from `planes`; `weights` has an element
/// for each offset and fills whole quads; `out` is valid for 64 elements.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn chunk(
    planes: *const u8,
    offsets: &[usize],
    weights: &[u8],
    init: i32,
    out: *mut i32,
) {
    let mut sums = [_mm512_set1_epi32(init); 4];
    for (quad, weights) in offsets.chunks(4).zip(weights.chunks_exact(4)) {
        // A quad that the depth does not fill has zero weights beyond: any bytes will do.
        let row = |i: usize| {
            let offset = *quad.get(i).unwrap_or(&quad[0]);
            // SAFETY: the caller vouches for 64 bytes at each offset.
            unsafe { _mm512_loadu_si512(planes.add(offset).cast()) }
        };
        let weights = i32::from_le_bytes([weights[0], weights[1], weights[2], weights[3]]);
        let weights = _mm512_set1_epi32(weights);
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        let (ab0, ab1) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
        let (cd0, cd1) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
        sums[0] = _mm512_dpbusd_epi32(sums[0], _mm512_unpacklo_epi16(ab0, cd0), weights);
        sums[1] = _mm512_dpbusd_epi32(sums[1], _mm512_unpackhi_epi16(ab0, cd0), weights);
        sums[2] = _mm512_dpbusd_epi32(sums[2], _mm512_unpacklo_epi16(ab1, cd1), weights);
        sums[3] = _mm512_dpbusd_epi32(sums[3], _mm512_unpackhi_epi16(ab1, cd1), weights);
    }
    // Unpacking works within lanes of 16 bytes: lane `l` of sum `s` has columns 16·l + 4·s and on.
    let (s0, s1) = (
        _mm512_shuffle_i32x4::<0x44>(sums[0], sums[1]),
        _mm512_shuffle_i32x4::<0xee>(sums[0], sums[1]),
    );
    let (s2, s3) = (
        _mm512_shuffle_i32x4::<0x44>(sums[2], sums[3]),
        _mm512_shuffle_i32x4::<0xee>(sums[2], sums[3]),
    );
    // SAFETY: the caller vouches for 64 elements of `out`.
    unsafe {
        _mm512_storeu_si512(out.cast(), _mm512_shuffle_i32x4::<0x88>(s0, s2));
        _mm512_storeu_si512(out.add(16).cast(), _mm512_shuffle_i32x4::<0xdd>(s0, s2));
        _mm512_storeu_si512(out.add(32).cast(), _mm512_shuffle_i32x4::<0x88>(s1, s3));
        _mm512_storeu_si512(out.add(48).cast(), _mm512_shuffle_i32x4::<0xdd>(s1, s3));
    }
}
