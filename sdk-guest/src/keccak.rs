//! Keccak-256 at compile time, for selectors and event topics.
//!
//! Contracts that hash at run time ask the host ([`crypto::keccak256`](crate::crypto::keccak256)).

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

/// Rotations, and the lanes they lead to, along the cycle of ρ and π.
const ROTATIONS: [u32; 24] = [
    1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
];
const LANES: [usize; 24] = [
    10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
];

const RATE: usize = 136;

const fn permute(mut a: [u64; 25]) -> [u64; 25] {
    let mut round = 0;
    while round < 24 {
        let mut c = [0u64; 5];
        let mut x = 0;
        while x < 5 {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
            x += 1;
        }
        let mut i = 0;
        while i < 25 {
            a[i] ^= c[(i + 4) % 5] ^ c[(i + 1) % 5].rotate_left(1);
            i += 1;
        }
        let mut carried = a[1];
        let mut i = 0;
        while i < 24 {
            let next = a[LANES[i]];
            a[LANES[i]] = carried.rotate_left(ROTATIONS[i]);
            carried = next;
            i += 1;
        }
        let mut y = 0;
        while y < 25 {
            let row = [a[y], a[y + 1], a[y + 2], a[y + 3], a[y + 4]];
            let mut x = 0;
            while x < 5 {
                a[y + x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
                x += 1;
            }
            y += 5;
        }
        a[0] ^= ROUNDS[round];
        round += 1;
    }
    a
}

/// Keccak-256 of `data`, with the padding that Ethereum uses.
pub const fn keccak256(data: &[u8]) -> [u8; 32] {
    let mut state = [0u64; 25];
    let padded = (data.len() / RATE + 1) * RATE;
    let mut at = 0;
    while at < padded {
        let mut byte = if at < data.len() { data[at] } else { 0 };
        if at == data.len() {
            byte ^= 0x01;
        }
        if at == padded - 1 {
            byte ^= 0x80;
        }
        let place = at % RATE;
        state[place / 8] ^= (byte as u64) << (8 * (place % 8));
        if place == RATE - 1 {
            state = permute(state);
        }
        at += 1;
    }
    let mut hash = [0; 32];
    let mut i = 0;
    while i < 32 {
        hash[i] = (state[i / 8] >> (8 * (i % 8))) as u8;
        i += 1;
    }
    hash
}
