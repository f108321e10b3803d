//! A body over its seeds, and over changes to them.
//!
//! `AIVM_FUZZ` multiplies the number of changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// SplitMix64.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// A range of at most `longest` bytes of `bytes`.
    fn range(&mut self, bytes: &[u8], longest: usize) -> std::ops::Range<usize> {
        let start = self.below(bytes.len());
        let end = start + self.below(longest.min(bytes.len() - start) + 1);
        start..end
    }

    /// Changes bytes the way formats break: bits, lengths, repeated and missing parts, parts of another input.
    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len());
        match self.below(11) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(self.range(bytes, 16))),
            2 => {
                let copied = bytes[self.range(bytes, 64)].to_vec();
                bytes.splice(at..at, copied);
            }
            3 => {
                let copied = other[self.range(other, 128)].to_vec();
                bytes.splice(at..at, copied);
            }
            4 => {
                bytes.truncate(at);
                bytes.extend(&other[self.below(other.len())..]);
            }
            5 => {
                let numbers = [
                    0,
                    1,
                    0x7f,
                    0x80,
                    0xff,
                    0xffff_ffff,
                    0x7fff_ffff,
                    1 << 63,
                    u64::MAX,
                ];
                let number = numbers[self.below(numbers.len())].to_le_bytes();
                let width = [1, 2, 4, 8][self.below(4)];
                let end = (at + width).min(bytes.len());
                bytes.splice(at..end, number[..width].iter().copied());
            }
            6 => {
                let range = self.range(bytes, 32);
                bytes[range].fill(0);
            }
            7 => {
                // What formats in text consist of.
                let marks = b"\"{}[](),:;.=<>0189-+e\\/*\n ";
                bytes.insert(at, marks[self.below(marks.len())]);
            }
            8 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.next() as u8;
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
        }
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let files =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Runs a body; an input that it panics on is kept in a file, which the message names.
fn check(target: &str, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| crate::run(target, input))).is_err() {
        let file = format!("{target}-{}", &blake3::hash(input).to_hex()[..16]);
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, input).unwrap();
        panic!("the input is in {}", path.display());
    }
}

pub fn run(target: &str, rounds: u64) {
    let factor: u64 = std::env::var("AIVM_FUZZ").map_or(1, |text| text.parse().unwrap());
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "no seeds for {target}");
    for seed in &seeds {
        check(target, seed);
    }
    check(target, &[]);
    for round in 0..rounds * factor {
        let mut noise = Noise(round);
        let mut input = seeds[noise.below(seeds.len())].clone();
        for _ in 0..1 + noise.below(4) {
            let other = noise.below(seeds.len());
            noise.change(&mut input, &seeds[other]);
        }
        check(target, &input);
    }
}
