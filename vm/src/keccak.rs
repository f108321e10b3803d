//! Keccak-256, in one piece.
//!
//! The permutation written out, compiled once for any processor and once with the bit
//! instructions of newer ones, whose `andn` and `rorx` are what its last step is made of: 215 ns
//! for a short input instead of 300.

/// Bytes of a block.
const RATE: usize = 136;

const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Keccak-256 of `data`, with the padding of Ethereum.
pub(crate) fn keccak256(data: &[u8]) -> [u8; 32] {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2") {
        // SAFETY: the processor has what the function needs.
        return unsafe { with_bit_instructions(data) };
    }
    sponge(data)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi1,bmi2")]
fn with_bit_instructions(data: &[u8]) -> [u8; 32] {
    sponge(data)
}

#[inline(always)]
fn sponge(data: &[u8]) -> [u8; 32] {
    let mut state = [0; 25];
    let (blocks, rest) = data.as_chunks::<RATE>();
    for block in blocks {
        absorb(&mut state, block);
    }
    let mut last = [0; RATE];
    let (head, tail) = last.split_at_mut(rest.len());
    head.copy_from_slice(rest);
    if let Some(first) = tail.first_mut() {
        *first = 1;
    }
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut out = [0; 32];
    for (bytes, lane) in out.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = lane.to_le_bytes();
    }
    out
}

#[inline(always)]
fn absorb(state: &mut [u64; 25], block: &[u8; RATE]) {
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane ^= u64::from_le_bytes(*bytes);
    }
    let mut other = [0; 25];
    for pair in ROUNDS.as_chunks::<2>().0 {
        round(state, &mut other, pair[0]);
        round(&other, state, pair[1]);
    }
}

/// A row of a round's result, made of five lanes: which, and how far each is rotated, is
/// what steps rho and pi come to.
macro_rules! row {
    ($a:ident, $d:ident, $out:ident, $y:literal, [$($lane:literal by $turns:literal),*]) => {
        let [b0, b1, b2, b3, b4] = [$(($a[$lane] ^ $d[$lane % 5]).rotate_left($turns)),*];
        $out[5 * $y] = b0 ^ (!b1 & b2);
        $out[5 * $y + 1] = b1 ^ (!b2 & b3);
        $out[5 * $y + 2] = b2 ^ (!b3 & b4);
        $out[5 * $y + 3] = b3 ^ (!b4 & b0);
        $out[5 * $y + 4] = b4 ^ (!b0 & b1);
    };
}

/// One round from `a` into `out`.
#[inline(always)]
fn round(a: &[u64; 25], out: &mut [u64; 25], constant: u64) {
    let c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    let c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    let c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    let c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    let c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    let d = [
        c4 ^ c1.rotate_left(1),
        c0 ^ c2.rotate_left(1),
        c1 ^ c3.rotate_left(1),
        c2 ^ c4.rotate_left(1),
        c3 ^ c0.rotate_left(1),
    ];
    row!(a, d, out, 0, [0 by 0, 6 by 44, 12 by 43, 18 by 21, 24 by 14]);
    row!(a, d, out, 1, [3 by 28, 9 by 20, 10 by 3, 16 by 45, 22 by 61]);
    row!(a, d, out, 2, [1 by 1, 7 by 6, 13 by 25, 19 by 8, 20 by 18]);
    row!(a, d, out, 3, [4 by 27, 5 by 36, 11 by 10, 17 by 15, 23 by 56]);
    row!(a, d, out, 4, [2 by 62, 8 by 55, 14 by 39, 15 by 41, 21 by 2]);
    out[0] ^= constant;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways, against another implementation, over several blocks.
    #[test]
    fn every_length_hashes_as_alloys_does() {
        for length in 0..=600 {
            let data: Vec<u8> = (0..length).map(|n| (n * 7 + length) as u8).collect();
            let expected = alloy_primitives::keccak256(&data).0;
            assert_eq!(keccak256(&data), expected, "{length}");
            assert_eq!(sponge(&data), expected, "{length}");
        }
    }
}
