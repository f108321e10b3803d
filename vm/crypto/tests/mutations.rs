//! Published signatures and ciphertexts, damaged in every way: nothing panics, nothing false is accepted.
//!
//! `AIVM_MUTATIONS` is the number for each algorithm, 300 unless set.
#![cfg(feature = "keys")]

mod common;
#[path = "common/kat.rs"]
mod kat;

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_crypto::pqc::{decapsulate, verify_in_context};
use common::{bytes, kem, lines, scheme, text};

fn rounds() -> u64 {
    std::env::var("AIVM_MUTATIONS").map_or(300, |text| text.parse().unwrap())
}

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

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    /// Damages bytes; now and then a length.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(10) {
            0 => bytes.truncate(at),
            1 => bytes.extend(vec![0; 1 + at % 70]),
            2 => bytes.insert(at, self.next() as u8),
            3 if !bytes.is_empty() => drop(bytes.remove(at)),
            4 => {
                let length = bytes.len();
                *bytes = self.bytes(length);
            }
            5 => {
                let end = (at + self.below(40)).min(bytes.len());
                let fill = [0, 0xff, 0x80][self.below(3)];
                bytes[at..end].fill(fill);
            }
            _ => match bytes.get_mut(at) {
                Some(byte) => *byte ^= 1 << self.below(8),
                None => bytes.push(0),
            },
        }
    }
}

/// A genuine signature: key, message, context, signature.
#[derive(Clone, PartialEq)]
struct Signed([Vec<u8>; 4]);

impl Signed {
    fn holds(&self, scheme: SignatureScheme) -> bool {
        let [key, message, context, signature] = &self.0;
        verify_in_context(scheme, key, message, context, signature)
    }
}

/// One published signature of each set.
fn published() -> Vec<(SignatureScheme, Signed)> {
    let mut found = Vec::new();
    for case in lines(include_str!("vectors/acvp-sigver.jsonl")) {
        let scheme = scheme(text(&case, "scheme")).unwrap();
        if case["holds"] == true && !found.iter().any(|(known, _)| *known == scheme) {
            let parts = ["key", "message", "context", "signature"];
            found.push((scheme, Signed(parts.map(|field| bytes(&case, field)))));
        }
    }
    let answers = [
        ("fndsa512", include_str!("vectors/nist/fndsa512.kat")),
        ("fndsa1024", include_str!("vectors/nist/fndsa1024.kat")),
        ("slhdsa128s", include_str!("vectors/nist/slhdsa128s.kat")),
        ("slhdsa192s", include_str!("vectors/nist/slhdsa192s.kat")),
        ("slhdsa256s", include_str!("vectors/nist/slhdsa256s.kat")),
    ];
    for (name, file) in answers {
        let signature = kat::signature(file, name.starts_with("fndsa"));
        let (key, message) = (kat::field(file, "pk"), kat::field(file, "msg"));
        let parts = [key, message, Vec::new(), signature];
        found.push((scheme(name).unwrap(), Signed(parts)));
    }
    found
}

#[test]
fn damaged_signatures_are_refused() {
    let all = published();
    assert_eq!(all.len(), 8);
    for (index, (scheme, genuine)) in all.iter().enumerate() {
        assert!(genuine.holds(*scheme), "{}", scheme.name());
        let mut noise = Noise(index as u64);
        for round in 0..rounds() {
            let mut other = genuine.clone();
            for _ in 0..1 + noise.below(2) {
                match noise.below(6) {
                    // Most of the time the signature, which has the most structure.
                    part @ 0..4 => noise.damage(&mut other.0[part]),
                    4 => {
                        let (_, foreign) = &all[noise.below(all.len())];
                        let part = noise.below(4);
                        other.0[part] = foreign.0[part].clone();
                    }
                    _ => noise.damage(&mut other.0[3]),
                }
            }
            if other != *genuine {
                assert!(!other.holds(*scheme), "{} {round}", scheme.name());
            }
        }
    }
}

#[test]
fn damaged_ciphertexts_and_keys_are_answered() {
    let mut all: Vec<(Kem, Vec<u8>, Vec<u8>)> = Vec::new();
    for case in lines(include_str!("vectors/mlkem.jsonl")) {
        let kem = kem(text(&case, "kem")).unwrap();
        if !all.iter().any(|(known, ..)| *known == kem) {
            all.push((kem, bytes(&case, "secret_key"), bytes(&case, "ciphertext")));
        }
    }
    if cfg!(feature = "mceliece") {
        let file = include_str!("vectors/nist/mceliece348864.kat");
        let (secret, sealed) = (kat::field(file, "sk"), kat::field(file, "ct"));
        all.push((Kem::Mceliece348864, secret, sealed));
    }
    for (kem, secret, sealed) in &all {
        let shared = decapsulate(*kem, secret, sealed).unwrap();
        assert_eq!(shared.as_ref().map(Vec::len), Some(32));
        let mut noise = Noise(sealed.len() as u64);
        for round in 0..rounds() {
            let mut other = sealed.clone();
            noise.damage(&mut other);
            if other != *sealed {
                let answer = decapsulate(*kem, secret, &other).unwrap();
                let fits = other.len() == sealed.len();
                assert_eq!(answer.is_some(), fits, "{} {round}", kem.name());
                assert_ne!(answer, shared, "{} {round}", kem.name());
            }
            // Any bytes of the right length are a key; a bad one opens nothing, and does no harm.
            let mut key = secret.clone();
            noise.damage(&mut key);
            let answer = decapsulate(*kem, &key, sealed).unwrap();
            assert_eq!(
                answer.is_some(),
                key.len() == secret.len(),
                "{} {round}",
                kem.name()
            );
        }
    }
}
