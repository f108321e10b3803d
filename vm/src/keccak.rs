//! Keccak-256, in one piece.
//!
//! The permutation written out, compiled once for any processor and once with the bit
//! instructions of newer ones, whose `andn` and `rorx` are what its last step is made of: 225 ns
//! instead of 270 for the `keccak` crate's.

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

/// One round from `a` into `out`. A row of the result is made of five lanes of `a`: which,
/// and how far each is rotated, is what steps rho and pi come to.
#[inline(always)]
fn round(a: &[u64; 25], out: &mut [u64; 25], constant: u64) {
    let column = |x: usize| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    let c = [column(0), column(1), column(2), column(3), column(4)];
    let d = [
        c[4] ^ c[1].rotate_left(1),
        c[0] ^ c[2].rotate_left(1),
        c[1] ^ c[3].rotate_left(1),
        c[2] ^ c[4].rotate_left(1),
        c[3] ^ c[0].rotate_left(1),
    ];
    let mut row = |y: usize, lanes: [usize; 5], turns: [u32; 5]| {
        let lane = |x: usize| (a[lanes[x]] ^ d[lanes[x] % 5]).rotate_left(turns[x]);
        let b = [lane(0), lane(1), lane(2), lane(3), lane(4)];
        out[5 * y] = b[0] ^ (!b[1] & b[2]);
        out[5 * y + 1] = b[1] ^ (!b[2] & b[3]);
        out[5 * y + 2] = b[2] ^ (!b[3] & b[4]);
        out[5 * y + 3] = b[3] ^ (!b[4] & b[0]);
        out[5 * y + 4] = b[4] ^ (!b[0] & b[1]);
    };
    row(0, [0, 6, 12, 18, 24], [0, 44, 43, 21, 14]);
    row(1, [3, 9, 10, 16, 22], [28, 20, 3, 45, 61]);
    row(2, [1, 7, 13, 19, 20], [1, 6, 25, 8, 18]);
    row(3, [4, 5, 11, 17, 23], [27, 36, 10, 15, 56]);
    row(4, [2, 8, 14, 15, 21], [62, 55, 39, 41, 2]);
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
