//! BLAKE3 of short inputs.
//!
//! Most of what a call hashes is a chunk or two, of a kilobyte each: the transcript of a short
//! call, its state delta, its receipt, slots of mappings. Inside a chunk each block waits for
//! the one before, so that vectors help little: on Zen 5, whose vector instructions answer
//! later than its scalar ones, the assembly of the `blake3` crate takes 85 ns a block and the
//! code below 53. Longer inputs are that crate's, which hashes many chunks side by side.

const CHUNK: usize = 1024;

/// The longest input that is hashed here.
const SHORT: usize = 2 * CHUNK;

const BLOCK: usize = 64;

const START: u32 = 1;
const END: u32 = 1 << 1;
const PARENT: u32 = 1 << 2;
const ROOT: u32 = 1 << 3;
const CONTEXT: u32 = 1 << 5;
const MATERIAL: u32 = 1 << 6;

const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Which words of the message each round takes, in order.
const SCHEDULE: [[usize; 16]; 7] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8],
    [3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1],
    [10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6],
    [12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4],
    [9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7],
    [11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13],
];

/// BLAKE3 of `bytes`, whatever their length.
pub fn blake3(bytes: &[u8]) -> [u8; 32] {
    match bytes.len() <= SHORT {
        true => short(IV, bytes, 0),
        false => *blake3::hash(bytes).as_bytes(),
    }
}

/// BLAKE3's key derivation under a context, prepared when the program is compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashDomain {
    context: &'static str,
    key: [u32; 8],
}

impl HashDomain {
    /// The domain that `context` names, at most a kilobyte of text.
    pub(crate) const fn new(context: &'static str) -> Self {
        assert!(context.len() <= CHUNK);
        Self {
            context,
            key: chunk(IV, context.as_bytes(), 0, CONTEXT | ROOT),
        }
    }

    /// What `blake3::derive_key` gives for the context and `bytes`.
    pub(crate) fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        match bytes.len() <= SHORT {
            true => short(self.key, bytes, MATERIAL),
            false => blake3::derive_key(self.context, bytes),
        }
    }
}

/// Hashes one chunk or two.
fn short(key: [u32; 8], bytes: &[u8], flags: u32) -> [u8; 32] {
    let words = match bytes.split_first_chunk::<CHUNK>() {
        Some((left, right)) if !right.is_empty() => {
            let left = chunk(key, left, 0, flags);
            let right = chunk(key, right, 1, flags);
            let mut block = [0; BLOCK];
            let words = left.iter().chain(&right);
            for (place, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(words) {
                *place = word.to_le_bytes();
            }
            compress(&key, &block, 0, BLOCK as u32, flags | PARENT | ROOT)
        }
        _ => chunk(key, bytes, 0, flags | ROOT),
    };
    let mut out = [0; 32];
    for (place, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
    out
}

/// The words that come of the chunk with this number; `flags` may hold [`ROOT`] if it is all
/// there is.
const fn chunk(key: [u32; 8], bytes: &[u8], number: u32, flags: u32) -> [u32; 8] {
    let (mut value, mut rest, mut start) = (key, bytes, START);
    // Only the last block may be that of the root.
    let inner = flags & !ROOT;
    while rest.len() > BLOCK
        && let Some((block, tail)) = rest.split_first_chunk::<BLOCK>()
    {
        value = compress(&value, block, number, BLOCK as u32, inner | start);
        (rest, start) = (tail, 0);
    }
    let mut last = [0; BLOCK];
    let (head, _) = last.split_at_mut(rest.len());
    head.copy_from_slice(rest);
    compress(
        &value,
        &last,
        number,
        rest.len() as u32,
        flags | start | END,
    )
}

/// BLAKE3's compression of a block into a chaining value, in the chunk with this number.
const fn compress(
    value: &[u32; 8],
    block: &[u8; BLOCK],
    number: u32,
    length: u32,
    flags: u32,
) -> [u32; 8] {
    let mut message = [0; 16];
    let (words, _) = block.as_chunks::<4>();
    let mut n = 0;
    while n < 16 {
        message[n] = u32::from_le_bytes(words[n]);
        n += 1;
    }
    let [a, b, c, d, e, f, g, h] = *value;
    let [i, j, k, l, ..] = IV;
    let mut state = [a, b, c, d, e, f, g, h, i, j, k, l, number, 0, length, flags];
    round(&mut state, &message, &SCHEDULE[0]);
    round(&mut state, &message, &SCHEDULE[1]);
    round(&mut state, &message, &SCHEDULE[2]);
    round(&mut state, &message, &SCHEDULE[3]);
    round(&mut state, &message, &SCHEDULE[4]);
    round(&mut state, &message, &SCHEDULE[5]);
    round(&mut state, &message, &SCHEDULE[6]);
    let mut out = [0; 8];
    let mut n = 0;
    while n < 8 {
        out[n] = state[n] ^ state[n + 8];
        n += 1;
    }
    out
}

#[inline(always)]
const fn round(state: &mut [u32; 16], message: &[u32; 16], order: &[usize; 16]) {
    mix(state, [0, 4, 8, 12], message[order[0]], message[order[1]]);
    mix(state, [1, 5, 9, 13], message[order[2]], message[order[3]]);
    mix(state, [2, 6, 10, 14], message[order[4]], message[order[5]]);
    mix(state, [3, 7, 11, 15], message[order[6]], message[order[7]]);
    mix(state, [0, 5, 10, 15], message[order[8]], message[order[9]]);
    mix(
        state,
        [1, 6, 11, 12],
        message[order[10]],
        message[order[11]],
    );
    mix(state, [2, 7, 8, 13], message[order[12]], message[order[13]]);
    mix(state, [3, 4, 9, 14], message[order[14]], message[order[15]]);
}

#[inline(always)]
const fn mix(state: &mut [u32; 16], [a, b, c, d]: [usize; 4], x: u32, y: u32) {
    state[a] = state[a].wrapping_add(state[b]).wrapping_add(x);
    state[d] = (state[d] ^ state[a]).rotate_right(16);
    state[c] = state[c].wrapping_add(state[d]);
    state[b] = (state[b] ^ state[c]).rotate_right(12);
    state[a] = state[a].wrapping_add(state[b]).wrapping_add(y);
    state[d] = (state[d] ^ state[a]).rotate_right(8);
    state[c] = state[c].wrapping_add(state[d]);
    state[b] = (state[b] ^ state[c]).rotate_right(7);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The input of BLAKE3's published test vectors.
    fn input(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n % 251) as u8).collect()
    }

    #[test]
    fn every_length_hashes_as_the_crate_does() {
        const DOMAIN: HashDomain = HashDomain::new("a test of every length");
        for length in 0..=2_100 {
            let bytes = input(length);
            assert_eq!(blake3(&bytes), *blake3::hash(&bytes).as_bytes(), "{length}");
            let expected = blake3::derive_key("a test of every length", &bytes);
            assert_eq!(DOMAIN.hash(&bytes), expected, "{length}");
        }
    }

    #[test]
    fn contexts_of_every_length_are_taken() {
        let text: &'static str = "context ".repeat(128).leak();
        for length in 0..=CHUNK {
            let context = &text[..length];
            let expected = blake3::derive_key(context, b"key material");
            assert_eq!(HashDomain::new(context).hash(b"key material"), expected);
        }
    }

    /// From the BLAKE3 team's `test_vectors.json`.
    #[test]
    fn published_digests() {
        for (length, expected) in [
            (
                0,
                "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            ),
            (
                1,
                "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
            ),
            (
                1_024,
                "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
            ),
        ] {
            assert_eq!(hex::encode(blake3(&input(length))), expected);
        }
    }
}
