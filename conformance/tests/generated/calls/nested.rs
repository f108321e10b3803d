//! What a call gives its callee, and what comes back of it.

use aivm::{Address, TrapCode, Word};
use aivm_conformance::action::{Hex, Message};
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::{
    NO_CONTRACT, PLENTY, REASON, REVERTED, TRAPPED, callee, failure, in_memory, input, mirror, ok,
    proxy,
};

pub fn file() -> File {
    let mut file = File::new("calls", "nested", REASON);
    file.share_wat("proxy", &proxy("call", ""));
    file.share_wat("asker", &proxy("query", ""));
    file.share_wat("callee", &callee());
    file.share_wat("mirror", &mirror());
    let (b, mirror) = (
        file.address("callee", "callee"),
        file.address("mirror", "mirror"),
    );
    let proxy = file.address("proxy", "proxy");
    for size in [1usize, 2, 31, 32, 33, 1_000] {
        let mut data = vec![9; size];
        data[0] = 0;
        file.push(
            Draft::new(
                format!("a call returns {size} bytes"),
                "What a callee returns reaches its caller, and its effects stay.",
            )
            .put("proxy")
            .put("callee")
            .call(
                "proxy",
                input(&b, PLENTY, 0, &data),
                Claim {
                    events: Some(vec![(vec![], Hex(data.clone()))]),
                    ..ok(&data)
                },
            )
            .storage("proxy")
            .storage("callee"),
        );
        for (how, name, rule) in [
            (
                1,
                "reverts",
                "A callee that reverts loses its effects, and its data reach the caller, who goes on.",
            ),
            (
                5,
                "reverts through the host",
                "context.revert does what the error case of the result does.",
            ),
        ] {
            data[0] = how;
            let claim = Claim {
                events: Some(vec![]),
                ..failure(REVERTED, 0, &data)
            };
            file.push(
                Draft::new(format!("a call {name} with {size} bytes"), rule)
                    .put("proxy")
                    .put("callee")
                    .call("proxy", input(&b, PLENTY, 0, &data), claim)
                    .storage("proxy")
                    .storage("callee"),
            );
        }
        data[0] = 0;
        file.push(
            Draft::new(
                format!("a query returns {size} bytes"),
                "A nested query runs the callee's query.",
            )
            .put("asker")
            .put("callee")
            .call("asker", input(&b, PLENTY, 0, &data), ok(&data))
            .storage("callee"),
        );
    }
    for (name, how, code) in [
        ("unreachable", 3u8, TrapCode::Unreachable),
        ("an endless loop", 4, TrapCode::OutOfGas),
    ] {
        for gas in [400_000u64, 1_000_000, 3_000_000] {
            file.push(
                Draft::new(
                    format!("a callee traps on {name} with {gas} gas"),
                    "A trap takes the callee's gas and effects, not the caller's.",
                )
                .put("proxy")
                .put("callee")
                .call(
                    "proxy",
                    input(&b, gas, 0, &[how]),
                    failure(TRAPPED, code.code(), &[]),
                )
                .storage("proxy")
                .storage("callee"),
            );
        }
    }
    for gas in [0u64, 1, 1_000, 50_000] {
        file.push(
            Draft::new(
                format!("a callee gets {gas} gas"),
                "A callee that cannot pay for its instance runs out of gas.",
            )
            .put("proxy")
            .put("callee")
            .call(
                "proxy",
                input(&b, gas, 0, &[0]),
                failure(TRAPPED, TrapCode::OutOfGas.code(), &[]),
            )
            .storage("callee"),
        );
    }
    for (what, name) in [("call", "proxy"), ("query", "asker")] {
        file.push(
            Draft::new(
                format!("a {what} of nobody"),
                format!("A {what} of an address without a contract fails as a value."),
            )
            .put(name)
            .call(
                name,
                input(&BOB, PLENTY, 0, &[]),
                failure(NO_CONTRACT, 0, &[]),
            ),
        );
    }
    for byte in [0usize, 5, 11] {
        let mut data = input(&b, PLENTY, 0, &[0]);
        // The upper 96 bits of the word lie at the end of its little-endian bytes.
        data[31 - byte] = 1;
        file.push(
            Draft::new(
                format!("an address with bit {} set", 255 - 8 * byte - 7),
                "A word that is no address is a bad argument.",
            )
            .put("proxy")
            .put("callee")
            .call("proxy", data, traps(TrapCode::BadArgument)),
        );
    }
    // Who called, who began, the callee itself, and the value.
    let seen = |caller: &Address, value: u64| {
        [
            in_memory(caller),
            in_memory(&ALICE),
            in_memory(&mirror),
            Word::from(value).to_le_bytes().to_vec(),
        ]
        .concat()
    };
    file.push(
        Draft::new(
            "who calls whom",
            "The caller is the contract that calls, the origin is who signed.",
        )
        .put("proxy")
        .put("mirror")
        .call(
            "proxy",
            input(&mirror, PLENTY, 0, &[]),
            ok(&seen(&proxy, 0)),
        )
        .send(
            "mirror",
            Message::new(ALICE, []).with_value(Word::from(77u64)),
            Claim::returns(seen(&ALICE, 77)),
        )
        .query("mirror", [], Claim::returns(seen(&ALICE, 0))),
    );
    let asker = file.address("asker", "asker");
    file.push(
        Draft::new(
            "a query of a query",
            "A query runs in a call of a proxy, and sees the proxy as its caller.",
        )
        .put("asker")
        .put("mirror")
        .call(
            "asker",
            input(&mirror, PLENTY, 0, &[]),
            ok(&seen(&asker, 0)),
        ),
    );
    file
}
