//! Contracts that are entered again, and calls that go too deep.

use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::{DEPTH, PLENTY, REASON, REENTRANCY, failure, input, ok, proxy};

pub fn file() -> File {
    let mut file = File::new("calls", "reentrancy", REASON);
    file.share_wat("proxy", &proxy("call", ""));
    file.share_wat(
        "open",
        &proxy("call", "(call $calls.allow-reentrancy (i32.const 1))"),
    );
    file.share_wat("reopened", &proxy("call", "(call $calls.allow-reentrancy (i32.const 1)) (call $calls.allow-reentrancy (i32.const 0))"));
    file.share_wat("asker", &proxy("query", ""));
    file.share_wat("own", &proxy("self-call", ""));
    for (name, own, claim) in [
        (
            "proxy",
            "a contract that calls itself",
            failure(REENTRANCY, 0, &[]),
        ),
        (
            "open",
            "a contract that calls itself, and allows it",
            ok(&[7]),
        ),
        (
            "reopened",
            "a contract that allows reentrancy and forbids it again",
            failure(REENTRANCY, 0, &[]),
        ),
        (
            "asker",
            "a contract that queries itself",
            failure(REENTRANCY, 0, &[]),
        ),
    ] {
        let a = file.address(name, name);
        file.push(
            Draft::new(
                own,
                "A contract is entered a second time only where it allows it.",
            )
            .put(name)
            .call(name, input(&a, PLENTY, 0, &[7]), claim)
            .storage(name),
        );
        // Through another one.
        let middle = file.address("middle", "proxy");
        let inner = input(&a, PLENTY / 4, 0, &[7]);
        if name != "proxy" && name != "asker" {
            let claim = match name {
                "open" => ok(&[&[0; 8][..], &[7]].concat()),
                _ => ok(&[1, REENTRANCY, 0, 0, 0, 0, 0, 0]),
            };
            file.push(
                Draft::new(
                    format!("{own}, through another"),
                    "Reentrancy is seen over any number of contracts.",
                )
                .put(name)
                .upload("proxy")
                .deploy("middle", "proxy", &[])
                .call(name, input(&middle, PLENTY, 0, &inner), claim),
            );
        }
    }
    let own = file.address("own", "own");
    file.push(
        Draft::new("a self-call", "A self-call needs no permission.")
            .put("own")
            .call("own", input(&own, PLENTY, 0, &[7]), ok(&[7]))
            .storage("own"),
    );
    // Proxies of proxies until the depth ends.
    for (limit, levels) in [(2u32, 1u32), (2, 2), (3, 2), (3, 3), (5, 4), (5, 5)] {
        let mut data = vec![7u8];
        let mut draft = Draft::new(
            format!("{levels} calls deep, {limit} allowed"),
            "No more frames may be open than the schedule says.",
        )
        .chain(chain_with(&[("call/max_depth", json!(limit))]))
        .upload("proxy");
        let names: Vec<String> = (0..=levels).map(|i| format!("p{i}")).collect();
        for name in &names {
            draft = draft.deploy(name, "proxy", &[]);
        }
        for name in names.iter().skip(1).rev() {
            data = input(&file.address(name, "proxy"), PLENTY, 0, &data);
        }
        let mut output = match levels < limit {
            true => vec![7],
            false => vec![],
        };
        for level in 0..levels {
            let head: [u8; 8] = match level == 0 && levels + 1 > limit {
                true => [1, DEPTH, 0, 0, 0, 0, 0, 0],
                false => [0; 8],
            };
            output = [&head[..], &output].concat();
        }
        file.push(draft.call("p0", data, Claim::returns(output)));
    }
    file
}
