//! Brings four rows of the input into the order of a panel: `[column][4]`.

use crate::kernels::isa::Isa;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Writes `out[4·c + i] = rows[i][c]` for `width` columns.
///
/// # Safety
/// The processor has `isa`; each row is valid for `width` bytes and `out` for four times as many.
#[inline]
pub(super) unsafe fn interleave(isa: Isa, rows: [*const u8; 4], out: *mut u8, width: usize) {
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller vouches for `width` columns, of which `done` are fewer.
    let rest = |done: usize| unsafe { (rows.map(|row| row.add(done)), out.add(done * 4)) };
    // SAFETY: the caller vouches for the processor and for `width` columns; each step stays below it.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        {
            if isa == Isa::Avx512Vnni {
                while done + 64 <= width {
                    let (rows, out) = rest(done);
                    columns64(rows, out);
                    done += 64;
                }
            }
            while done + 16 <= width {
                let (rows, out) = rest(done);
                columns16(rows, out);
                done += 16;
            }
            if done + 8 <= width {
                let (rows, out) = rest(done);
                columns8(rows, out);
                done += 8;
            }
        }
        #[cfg(target_arch = "aarch64")]
        while done + 16 <= width {
            use std::arch::aarch64::*;
            let (a, b) = (vld1q_u8(rows[0].add(done)), vld1q_u8(rows[1].add(done)));
            let (c, d) = (vld1q_u8(rows[2].add(done)), vld1q_u8(rows[3].add(done)));
            vst4q_u8(out.add(done * 4), uint8x16x4_t(a, b, c, d));
            done += 16;
        }
        let _ = isa;
        for column in done..width {
            for (i, row) in rows.iter().enumerate() {
                *out.add(column * 4 + i) = *row.add(column);
            }
        }
    }
}

/// # Safety
/// As [`interleave`], for 64 columns.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn columns64(rows: [*const u8; 4], out: *mut u8) {
    // Unpacking works within lanes of 16 bytes: first give lane `l` the columns 4l…, 16 + 4l…, 32 + 4l…, 48 + 4l….
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    // SAFETY: the caller vouches for 64 columns.
    let (a, b, c, d) = unsafe {
        (
            _mm512_permutexvar_epi32(order, _mm512_loadu_si512(rows[0].cast())),
            _mm512_permutexvar_epi32(order, _mm512_loadu_si512(rows[1].cast())),
            _mm512_permutexvar_epi32(order, _mm512_loadu_si512(rows[2].cast())),
            _mm512_permutexvar_epi32(order, _mm512_loadu_si512(rows[3].cast())),
        )
    };
    let (ab0, ab1) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
    let (cd0, cd1) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
    // SAFETY: as above.
    unsafe {
        _mm512_storeu_si512(out.cast(), _mm512_unpacklo_epi16(ab0, cd0));
        _mm512_storeu_si512(out.add(64).cast(), _mm512_unpackhi_epi16(ab0, cd0));
        _mm512_storeu_si512(out.add(128).cast(), _mm512_unpacklo_epi16(ab1, cd1));
        _mm512_storeu_si512(out.add(192).cast(), _mm512_unpackhi_epi16(ab1, cd1));
    }
}

/// # Safety
/// As [`interleave`], for 16 columns.
#[cfg(target_arch = "x86_64")]
unsafe fn columns16(rows: [*const u8; 4], out: *mut u8) {
    // SAFETY: the caller vouches for 16 columns; SSE2 is part of x86-64.
    unsafe {
        let (a, b) = (
            _mm_loadu_si128(rows[0].cast()),
            _mm_loadu_si128(rows[1].cast()),
        );
        let (c, d) = (
            _mm_loadu_si128(rows[2].cast()),
            _mm_loadu_si128(rows[3].cast()),
        );
        let (ab0, ab1) = (_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b));
        let (cd0, cd1) = (_mm_unpacklo_epi8(c, d), _mm_unpackhi_epi8(c, d));
        _mm_storeu_si128(out.cast(), _mm_unpacklo_epi16(ab0, cd0));
        _mm_storeu_si128(out.add(16).cast(), _mm_unpackhi_epi16(ab0, cd0));
        _mm_storeu_si128(out.add(32).cast(), _mm_unpacklo_epi16(ab1, cd1));
        _mm_storeu_si128(out.add(48).cast(), _mm_unpackhi_epi16(ab1, cd1));
    }
}

/// # Safety
/// As [`interleave`], for 8 columns.
#[cfg(target_arch = "x86_64")]
unsafe fn columns8(rows: [*const u8; 4], out: *mut u8) {
    // SAFETY: the caller vouches for 8 columns; SSE2 is part of x86-64.
    unsafe {
        let (a, b) = (
            _mm_loadl_epi64(rows[0].cast()),
            _mm_loadl_epi64(rows[1].cast()),
        );
        let (c, d) = (
            _mm_loadl_epi64(rows[2].cast()),
            _mm_loadl_epi64(rows[3].cast()),
        );
        let (ab, cd) = (_mm_unpacklo_epi8(a, b), _mm_unpacklo_epi8(c, d));
        _mm_storeu_si128(out.cast(), _mm_unpacklo_epi16(ab, cd));
        _mm_storeu_si128(out.add(16).cast(), _mm_unpackhi_epi16(ab, cd));
    }
}
