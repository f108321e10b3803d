//! Hashes and post-quantum cryptography, against published values.

use aivm::{GasSchedule, TrapCode};
use aivm_conformance::action::Message;
use aivm_conformance::outcome::Claim;
use serde_json::{Value, json};

use super::draft::*;
use super::guest::{call, guest};

pub fn files() -> Vec<File> {
    vec![hashes(), signatures(), mechanisms()]
}

/// Published digests: the empty string, "abc", and the 448-bit message of FIPS 180.
fn hashes() -> File {
    let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    let published: &[(&str, &str, &str)] = &[
        (
            "keccak256",
            "",
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
        ),
        (
            "keccak256",
            "abc",
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
        ),
        (
            "keccak256",
            long,
            "45d3b367a6904e6e8d502ee04999a7c27647f91fa845d456525fd352ae3d7371",
        ),
        (
            "sha256",
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            "sha256",
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "sha256",
            long,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            "sha3-256",
            "",
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
        ),
        (
            "sha3-256",
            "abc",
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        ),
        (
            "sha3-256",
            long,
            "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376",
        ),
        (
            "blake3",
            "",
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        ),
        (
            "blake3",
            "abc",
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        ),
    ];
    let mut file = File::new(
        "crypto",
        "hashes",
        "Published digests of the empty string, \"abc\" and the 448-bit message of FIPS 180-4 and FIPS 202; for Keccak-256 and BLAKE3 those of their authors.",
    );
    for name in ["keccak256", "sha256", "sha3-256", "blake3"] {
        let key = format!("crypto.{name}");
        let body = format!(
            "(call ${key} (local.get $at) (local.get $length) (i32.const 2048)) (call $result (i32.const 0) (i32.const 2048) (i32.const 32))"
        );
        file.share_wat(name, &guest(&[&key], &call(&body)));
    }
    for (name, text, digest) in published {
        let mut output = hex::decode(digest).unwrap();
        // A word lies in memory with its least byte first.
        output.reverse();
        file.push(
            Draft::new(format!("{name} of {:?}", &text[..text.len().min(12)]), format!("`crypto.{name}` is the published function; the digest is the word with these big-endian bytes."))
                .put(name)
                .call(name, text.as_bytes(), Claim::returns(output)),
        );
    }
    // Lengths about the block sizes, against the functions' own crates.
    use sha2::Digest as _;
    for length in [
        1usize, 31, 55, 56, 63, 64, 65, 71, 72, 135, 136, 137, 1_023, 1_024, 1_025, 4_096,
    ] {
        let data: Vec<u8> = (0..length).map(|i| (i * 7 + length) as u8).collect();
        let digests: [(&str, [u8; 32]); 4] = [
            ("keccak256", alloy_primitives::keccak256(&data).0),
            ("sha256", sha2::Sha256::digest(&data).into()),
            ("sha3-256", sha3::Sha3_256::digest(&data).into()),
            ("blake3", *blake3::hash(&data).as_bytes()),
        ];
        for (name, mut digest) in digests {
            digest.reverse();
            file.push(
                Draft::new(format!("{name} of {length} bytes"), "Padding is right for each length about the block sizes.")
                    .reason("Computed outside of the VM with the crate that implements the function; the published digests above tie those crates down.")
                    .put(name)
                    .call(name, data.clone(), Claim::returns(digest)),
            );
        }
    }
    file
}

/// Input: scheme, lengths of key and message, then key, message and signature.
pub fn verifier() -> String {
    let body = "(local $key i32) (local $message i32) (local $k i32) (local $m i32)
        (local.set $k (i32.load offset=4 (local.get $at))) (local.set $m (i32.load offset=8 (local.get $at)))
        (local.set $key (i32.add (local.get $at) (i32.const 12)))
        (local.set $message (i32.add (local.get $key) (local.get $k)))
        (i32.store8 (i32.const 2048) (call $crypto.verify (i32.load (local.get $at))
          (local.get $key) (local.get $k) (local.get $message) (local.get $m)
          (i32.add (local.get $message) (local.get $m))
          (i32.sub (i32.sub (i32.sub (local.get $length) (i32.const 12)) (local.get $k)) (local.get $m))))
        (call $result (i32.const 0) (i32.const 2048) (i32.const 1))";
    guest(&["crypto.verify"], &call(body))
}

pub fn parts(index: u32, first: &[u8], second: &[u8], third: &[u8]) -> Vec<u8> {
    let mut input = index.to_le_bytes().to_vec();
    input.extend((first.len() as u32).to_le_bytes());
    input.extend((second.len() as u32).to_le_bytes());
    [&input, first, second, third].concat()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(value[field].as_str().unwrap()).unwrap()
}

pub const SCHEMES: [&str; 8] = [
    "mldsa44",
    "mldsa65",
    "mldsa87",
    "fndsa512",
    "fndsa1024",
    "slhdsa128s",
    "slhdsa192s",
    "slhdsa256s",
];

fn signatures() -> File {
    let mut file = File::new(
        "crypto",
        "signatures",
        "The keys and signatures are in conformance/tests/generated/signatures.jsonl, made once by the reference implementations of PQClean; a signature of another message, of another key or with a changed bit must not hold, or the scheme would be broken.",
    );
    file.share_wat("verifier", &verifier());
    let schedule = GasSchedule::v1();
    for case in lines(include_str!("signatures.jsonl")) {
        let scheme = case["scheme"].as_str().unwrap();
        let index = SCHEMES.iter().position(|name| *name == scheme).unwrap() as u32;
        let (key, message, signature) = (
            bytes(&case, "key"),
            bytes(&case, "message"),
            bytes(&case, "signature"),
        );
        let price = schedule.pqc.price(scheme).unwrap();
        let mut add = |name: &str,
                       rule: &str,
                       index: u32,
                       key: &[u8],
                       message: &[u8],
                       signature: &[u8],
                       holds: bool| {
            let price = schedule.pqc.price(SCHEMES[index as usize]).unwrap();
            let input = parts(index, key, message, signature);
            let claim = Claim {
                pq: Some(price.pq_gas(message.len() as u64)),
                ..Claim::returns([u8::from(holds)])
            };
            file.push(
                Draft::new(format!("{scheme}: {name}"), rule)
                    .put("verifier")
                    .call("verifier", input, claim),
            );
        };
        let flipped = |bytes: &[u8], at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            bytes
        };
        let bad = "A signature that does not hold is `false`, and costs the same.";
        add(
            "a signature",
            "A signature of this message by this key holds.",
            index,
            &key,
            &message,
            &signature,
            true,
        );
        let large = signature.len() > 4_000;
        add(
            "another message",
            bad,
            index,
            &key,
            &flipped(&message, 0),
            &signature,
            false,
        );
        add(
            "a changed signature",
            bad,
            index,
            &key,
            &message,
            &flipped(&signature, signature.len() / 2),
            false,
        );
        if !large {
            add(
                "a shorter message",
                bad,
                index,
                &key,
                &message[1..],
                &signature,
                false,
            );
            add(
                "a longer message",
                bad,
                index,
                &key,
                &[&message[..], &[0]].concat(),
                &signature,
                false,
            );
            add(
                "a changed first byte of the signature",
                bad,
                index,
                &key,
                &message,
                &flipped(&signature, 0),
                false,
            );
            add(
                "a changed key",
                bad,
                index,
                &flipped(&key, key.len() - 1),
                &message,
                &signature,
                false,
            );
            let malformed = "What is malformed is `false`, never a trap.";
            add(
                "a key that is cut short",
                malformed,
                index,
                &key[..key.len() - 1],
                &message,
                &signature,
                false,
            );
            add(
                "a signature with a byte more",
                malformed,
                index,
                &key,
                &message,
                &[&signature[..], &[0]].concat(),
                false,
            );
            for other in [0u32, 3] {
                if other != index {
                    add(
                        &format!("verified as {}", SCHEMES[other as usize]),
                        malformed,
                        other,
                        &key,
                        &message,
                        &signature,
                        false,
                    );
                }
            }
        }
        add(
            "an empty signature",
            "What is malformed is `false`, never a trap.",
            index,
            &key,
            &message,
            &[],
            false,
        );
        add(
            "an empty key",
            "What is malformed is `false`, never a trap.",
            index,
            &[],
            &message,
            &signature[..10],
            false,
        );
        // The lane of PQ-Gas.
        let exact = price.pq_gas(message.len() as u64);
        for (name, limit, claim) in [
            (
                "exactly enough PQ-Gas",
                exact,
                Claim {
                    pq: Some(exact),
                    ..Claim::returns([0])
                },
            ),
            (
                "a unit of PQ-Gas too little",
                exact - 1,
                traps(TrapCode::PqGasLimit),
            ),
        ] {
            let input = parts(index, &key, &message, &[1]);
            let message = Message::new(ALICE, input).with_pq_gas_limit(limit);
            file.push(
                Draft::new(
                    format!("{scheme}: {name}"),
                    "PQ-Gas is charged before the work; when it does not suffice, the call traps.",
                )
                .put("verifier")
                .send("verifier", message, claim),
            );
        }
        let input = parts(index, &key, &message, &[1]);
        file.push(
            Draft::new(
                format!("{scheme}: a transaction may use less"),
                "The schedule bounds the PQ-Gas of a transaction.",
            )
            .chain(chain_with(&[("pqc/max_pqc_gas_per_tx", json!(exact - 1))]))
            .put("verifier")
            .call("verifier", input, traps(TrapCode::PqGasLimit)),
        );
    }
    // Known answers that were signed for a context: they do not hold for the bare message.
    for (number, case) in lines(include_str!("../../../vm/crypto/tests/vectors/mldsa.jsonl"))
        .iter()
        .enumerate()
        .step_by(4)
    {
        let scheme = case["scheme"].as_str().unwrap();
        let index = SCHEMES.iter().position(|name| *name == scheme).unwrap() as u32;
        let input = parts(
            index,
            &bytes(case, "key"),
            &bytes(case, "message"),
            &bytes(case, "signature"),
        );
        file.push(
            Draft::new(
                format!("{scheme}: known answer {number} in a context"),
                "A signature that was made for a context is none of the bare message.",
            )
            .reason("A known answer of FIPS 204 with a context, as pyca/cryptography tests with.")
            .put("verifier")
            .call("verifier", input, Claim::returns([0])),
        );
    }
    for scheme in [8u32, 9, 255, u32::MAX] {
        file.push(
            Draft::new(
                format!("scheme number {scheme}"),
                "A number that is no scheme is a bad argument.",
            )
            .reason("The WIT has eight schemes, numbered from 0.")
            .put("verifier")
            .call(
                "verifier",
                parts(scheme, &[], &[], &[]),
                traps(TrapCode::BadArgument),
            ),
        );
    }
    file
}

const KEMS: [&str; 4] = ["mlkem512", "mlkem768", "mlkem1024", "mceliece348864"];

fn mechanisms() -> File {
    let mut file = File::new(
        "crypto",
        "mechanisms",
        "NIST's ACVP vectors for FIPS 203, decapsulation, rejections included.",
    );
    let body = "(local $k i32) (local $key i32)
        (local.set $k (i32.load offset=4 (local.get $at))) (local.set $key (i32.add (local.get $at) (i32.const 12)))
        (call $crypto.decapsulate (i32.load (local.get $at)) (local.get $key) (local.get $k)
          (i32.add (local.get $key) (local.get $k))
          (i32.sub (i32.sub (local.get $length) (i32.const 12)) (local.get $k)) (i32.const 2048))
        (if (i32.eqz (i32.load8_u (i32.const 2048))) (then (return (call $result (i32.const 1) (i32.const 0) (i32.const 0)))))
        (call $result (i32.const 0) (i32.load (i32.const 2052)) (i32.load (i32.const 2056)))";
    file.share_wat("opener", &guest(&["crypto.decapsulate"], &call(body)));
    let schedule = GasSchedule::v1();
    let mut seen = std::collections::BTreeSet::new();
    for (number, case) in lines(include_str!("../../../vm/crypto/tests/vectors/mlkem.jsonl"))
        .iter()
        .enumerate()
    {
        let kem = case["kem"].as_str().unwrap();
        let index = KEMS.iter().position(|name| *name == kem).unwrap() as u32;
        let (key, ciphertext, shared) = (
            bytes(case, "secret_key"),
            bytes(case, "ciphertext"),
            bytes(case, "shared"),
        );
        let first = seen.insert(kem.to_owned());
        let pq = schedule
            .pqc
            .price(kem)
            .unwrap()
            .pq_gas(ciphertext.len() as u64);
        file.push(
            Draft::new(format!("{kem}: case {}: {}", number + 1, case["reason"].as_str().unwrap()), "The shared secret is that of FIPS 203, for a changed ciphertext the one of implicit rejection.")
                .put("opener")
                .call("opener", parts(index, &key, &ciphertext, &[]), Claim { pq: Some(pq), ..Claim::returns(shared) }),
        );
        if first {
            for (name, key, ciphertext) in [
                ("a short ciphertext", &key[..], &ciphertext[1..]),
                ("a long ciphertext", &key, &[&ciphertext[..], &[0]].concat()),
                ("a short key", &key[1..], &ciphertext),
                ("no key", &[], &ciphertext),
            ] {
                file.push(
                    Draft::new(format!("{kem}: {name}"), "What has another length than the mechanism's gives no secret, and costs the same.")
                        .reason("FIPS 203 checks both lengths before it decapsulates.")
                        .put("opener")
                        .call("opener", parts(index, key, ciphertext, &[]), reverts([])),
                );
            }
        }
    }
    file
}
