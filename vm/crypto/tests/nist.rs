//! Known answers of the NIST submissions, and NIST's ACVP vectors. `tests/vectors/README.md` says where they are from.
#![cfg(feature = "keys")]

mod common;
#[path = "common/kat.rs"]
mod kat;

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_crypto::keys::SigningKey;
use aivm_crypto::pqc::{decapsulate, verify, verify_in_context};
use aivm_crypto::seal::{OpeningKey, Recipient};
use common::{bytes, kem, lines, scheme, text};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What everyone must say about a genuine signature and its neighbours.
fn holds_alone(scheme: SignatureScheme, key: &[u8], message: &[u8], signature: &[u8]) {
    let name = scheme.name();
    assert!(verify(scheme, key, message, signature), "{name}");
    assert!(!verify(scheme, key, &message[1..], signature), "{name}");
    assert!(
        !verify_in_context(scheme, key, message, b"x", signature),
        "{name}"
    );
    for at in (0..signature.len()).step_by(signature.len() / 50) {
        let mut other = signature.to_vec();
        other[at] ^= 0x10;
        assert!(!verify(scheme, key, message, &other), "{name} byte {at}");
    }
}

/// The keys of an answer sign for us, and we verify.
fn signs(scheme: SignatureScheme, file: &str) {
    let secret = Zeroizing::new(kat::field(file, "sk"));
    let key = SigningKey::from_parts(scheme, kat::field(file, "pk"), secret).unwrap();
    assert!(verify(scheme, key.public(), b"ours", &key.sign(b"ours")));
}

#[test]
fn falcon_round_3() {
    let sets = [
        (
            SignatureScheme::Fndsa512,
            include_str!("vectors/nist/fndsa512.kat"),
            "da27fe8a462de7307ddf1f9b00072a457d9c5b14e838c148fbe2662094b9a2ca",
        ),
        (
            SignatureScheme::Fndsa1024,
            include_str!("vectors/nist/fndsa1024.kat"),
            "e699d88eb214fef30597385f40814baeb84ac505d5f05f5c257b0726fc4530b8",
        ),
    ];
    for (scheme, file, published) in sets {
        assert_eq!(sha256(file.as_bytes()), published, "{}", scheme.name());
        let (key, message) = (kat::field(file, "pk"), kat::field(file, "msg"));
        let signature = kat::signature(file, true);
        holds_alone(scheme, &key, &message, &signature);
        // Neither the first byte that signed messages use, nor that of the padded or the constant-time form.
        for first in [0x20, 0x50] {
            let mut other = signature.clone();
            other[0] = other[0] & 0x0f | first;
            assert!(!verify(scheme, &key, &message, &other), "{}", scheme.name());
        }
        signs(scheme, file);
    }
}

#[test]
fn sphincs_plus_round_3_1() {
    let sets = [
        (
            SignatureScheme::Slhdsa128s,
            include_str!("vectors/nist/slhdsa128s.kat"),
            "08c2e0f08bd96f50d065ca0ced04874c709d192864bfeaccb6daa4bfa9c58a28",
            "79f3f09ab540ebb40f9c7691a019d0355ec540410cb7ac7a32146256d3f20e09",
        ),
        (
            SignatureScheme::Slhdsa192s,
            include_str!("vectors/nist/slhdsa192s.kat"),
            "0fa07f3f77752233b382911bcc19e671522bd57069f9edca39b3924ba2713839",
            "fbc7b620e045ad67d132d2d8cdb0ea1d1cf231b85671cdb396df5d4d608e974e",
        ),
        (
            SignatureScheme::Slhdsa256s,
            include_str!("vectors/nist/slhdsa256s.kat"),
            "05d15a74253962d35912bab3a9ee3230c2e721c798f4e757ecffa529071b0748",
            "27a5a600a541485a34e263efa546829f573fe215db5db66c1bdb1f49d9cb0a98",
        ),
    ];
    for (scheme, file, of_pqclean, of_botan) in sets {
        assert_eq!(sha256(file.as_bytes()), of_pqclean, "{}", scheme.name());
        let signature = kat::signature(file, false);
        assert_eq!(sha256(&signature), of_botan, "{}", scheme.name());
        let (key, message) = (kat::field(file, "pk"), kat::field(file, "msg"));
        holds_alone(scheme, &key, &message, &signature);
    }
    // The others take seconds to sign.
    signs(SignatureScheme::Slhdsa128s, sets[0].1);
}

#[cfg(feature = "mceliece")]
#[test]
fn classic_mceliece_round_4() {
    use sha3::Shake256;
    use sha3::digest::{ExtendableOutput, Update, XofReader};
    let file = include_str!("vectors/nist/mceliece348864.kat");
    let (secret, sealed) = (kat::field(file, "sk"), kat::field(file, "ct"));
    let mut digest = [0; 64];
    Shake256::default()
        .chain(&secret)
        .finalize_xof()
        .read(&mut digest);
    let of_botan = "e7a139f9670fff672f75b37b303a289fa45e50acb038d43f655a475053d130334713d965f0c55741d1d866321a17b7918b759ceb235be5368844ad532264b568";
    assert_eq!(hex::encode(digest), of_botan);
    let open = |sealed: &[u8]| decapsulate(Kem::Mceliece348864, &secret, sealed).unwrap();
    let shared = open(&sealed).unwrap();
    let published = "b4f9ff1e4390e3be0bbcebff9a525ae83b191211896aa8786ce8bc511c9f78c3";
    assert_eq!(hex::encode(&shared), published);
    // Implicit rejection: another secret for every other ciphertext, and the same one each time.
    let mut seen = vec![shared];
    for at in 0..sealed.len() {
        let mut other = sealed.clone();
        other[at] ^= 1;
        let rejected = open(&other).unwrap();
        assert_eq!(open(&other).as_ref(), Some(&rejected));
        assert!(!seen.contains(&rejected), "byte {at}");
        seen.push(rejected);
    }
    assert_eq!(open(&sealed[1..]), None);
    assert_eq!(open(&[&sealed[..], &[0]].concat()), None);
    assert_eq!(
        decapsulate(Kem::Mceliece348864, &secret[1..], &sealed),
        Ok(None)
    );
}

#[test]
fn acvp_verification_of_fips_204() {
    let cases = lines(include_str!("vectors/acvp-sigver.jsonl"));
    assert_eq!(cases.len(), 18);
    for case in cases {
        let scheme = scheme(text(&case, "scheme")).unwrap();
        let (key, signature) = (bytes(&case, "key"), bytes(&case, "signature"));
        let (message, context) = (bytes(&case, "message"), bytes(&case, "context"));
        let holds = verify_in_context(scheme, &key, &message, &context, &signature);
        let expected = case["holds"].as_bool().unwrap();
        assert_eq!(
            holds,
            expected,
            "{} {}",
            scheme.name(),
            text(&case, "reason")
        );
    }
}

/// Keys are made from random numbers here, never from a seed. A peer makes them from NIST's seeds, NIST's hashes say
/// that they are right, and then they are keys to us.
#[test]
fn acvp_key_generation_of_fips_203_and_204() {
    let cases = lines(include_str!("vectors/acvp-keygen.jsonl"));
    assert_eq!(cases.len(), 150);
    for case in cases {
        let (name, seed) = (text(&case, "name"), bytes(&case, "seed"));
        let (public, secret) = peer_keys(name, &seed);
        assert_eq!(sha256(&public), text(&case, "public"), "{name}");
        assert_eq!(sha256(&secret), text(&case, "secret"), "{name}");
        let secret = Zeroizing::new(secret);
        match (scheme(name), kem(name)) {
            (Some(scheme), _) => {
                let key = SigningKey::from_parts(scheme, public, secret).unwrap();
                assert!(verify(scheme, key.public(), &seed, &key.sign(&seed)));
            }
            (_, Some(kem)) => {
                let recipient = Recipient::new(vec![(kem, public)]).unwrap();
                OpeningKey::from_parts(recipient, vec![secret]).unwrap();
            }
            _ => panic!("{name}"),
        }
    }
}

fn peer_keys(name: &str, seed: &[u8]) -> (Vec<u8>, Vec<u8>) {
    macro_rules! signing {
        ($set:ident) => {{
            use fips204::traits::{KeyGen, SerDes};
            use fips204::$set::KG;
            let (public, secret) = KG::keygen_from_seed(seed.try_into().unwrap());
            (public.into_bytes().to_vec(), secret.into_bytes().to_vec())
        }};
    }
    macro_rules! opening {
        ($set:ident) => {{
            use fips203::traits::{KeyGen, SerDes};
            use fips203::$set::KG;
            let (d, z) = seed.split_at(32);
            let (public, secret) =
                KG::keygen_from_seed(d.try_into().unwrap(), z.try_into().unwrap());
            (public.into_bytes().to_vec(), secret.into_bytes().to_vec())
        }};
    }
    match name {
        "mldsa44" => signing!(ml_dsa_44),
        "mldsa65" => signing!(ml_dsa_65),
        "mldsa87" => signing!(ml_dsa_87),
        "mlkem512" => opening!(ml_kem_512),
        "mlkem768" => opening!(ml_kem_768),
        "mlkem1024" => opening!(ml_kem_1024),
        _ => panic!("{name}"),
    }
}
