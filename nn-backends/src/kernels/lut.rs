//! Tables of 256 entries: any unary function of an 8-bit tensor, evaluated once at load.

use super::error::{KernelError, expect_len};
use super::isa::Isa;

/// An output for each of the 256 inputs; signed elements are looked up and stored as their bits.
pub type Table = [u8; 256];

/// Writes `table[x]` for each element of `x`.
///
/// # Errors
/// When the lengths differ.
pub fn lookup(isa: Isa, table: &Table, x: &[u8], out: &mut [u8]) -> Result<(), KernelError> {
    expect_len("output", out.len(), x.len())?;
    #[cfg(target_arch = "x86_64")]
    let (x, out) =
        if isa == Isa::Avx512Vnni && isa.is_available() && is_x86_feature_detected!("avx512vbmi") {
            let whole = x.len() / 64 * 64;
            // SAFETY: the processor has the instruction set, and the lengths are one, a multiple of 64.
            unsafe { permute(table, &x[..whole], &mut out[..whole]) };
            (&x[whole..], &mut out[whole..])
        } else {
            (x, out)
        };
    let _ = isa;
    for (out, &x) in out.iter_mut().zip(x) {
        *out = table[usize::from(x)];
    }
    Ok(())
}

/// # Safety
/// The processor has AVX-512 F, BW and VBMI; the lengths are one, a multiple of 64.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn permute(table: &Table, x: &[u8], out: &mut [u8]) {
    use std::arch::x86_64::*;
    // SAFETY: four vectors of 64 are the table.
    let [t0, t1, t2, t3] =
        [0, 64, 128, 192].map(|i| unsafe { _mm512_loadu_si512(table.as_ptr().add(i).cast()) });
    for i in (0..x.len()).step_by(64) {
        // SAFETY: 64 elements from `i` on are inside both slices.
        unsafe {
            let x = _mm512_loadu_si512(x.as_ptr().add(i).cast());
            let (low, high) = (
                _mm512_permutex2var_epi8(t0, x, t1),
                _mm512_permutex2var_epi8(t2, x, t3),
            );
            let y = _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
            _mm512_storeu_si512(out.as_mut_ptr().add(i).cast(), y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_isa_looks_up_every_byte() {
        let table: Table = std::array::from_fn(|i| (i * 167 + 13) as u8);
        let x: Vec<u8> = (0..1000).map(|i| (i * 7 % 256) as u8).collect();
        let expected: Vec<u8> = x.iter().map(|&x| table[usize::from(x)]).collect();
        for isa in Isa::available() {
            for length in [0, 1, 63, 64, 65, 1000] {
                let mut out = vec![0; length];
                lookup(isa, &table, &x[..length], &mut out).unwrap();
                assert_eq!(out, expected[..length], "{isa:?}");
            }
        }
        assert!(lookup(Isa::Scalar, &table, &x, &mut [0; 3]).is_err());
    }
}
