//! Native value: with calls, by itself, and more than there is.

use aivm::{TrapCode, Word};
use aivm_conformance::action::Message;
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::guest::{call, guest, push_word};
use super::{BALANCE, PLENTY, REVERTED, TRAPPED, callee, failure, in_memory, input, ok, proxy};

pub fn file() -> File {
    let mut file = File::new(
        "calls",
        "values",
        "Sums of native value: what leaves one account arrives at the other, or nothing moves.",
    );
    file.share_wat("proxy", &proxy("call", ""));
    file.share_wat("callee", &callee());
    let pay = |to: &str| {
        format!(
            "(i32.store8 (i32.const 2048) (call $accounts.transfer {to} (i64.load offset=32 (local.get $at)) (i64.const 0) (i64.const 0) (i64.const 0))) (call $result (i32.const 0) (i32.const 2048) (i32.const 1))"
        )
    };
    let to = push_word("(local.get $at)");
    file.share_wat("payer", &guest(&["accounts.transfer"], &call(&pay(&to))));
    let balance = format!(
        "(call $accounts.balance {to} (i32.const 2048)) (call $result (i32.const 0) (i32.const 2048) (i32.const 32))"
    );
    file.share_wat("teller", &guest(&["accounts.balance"], &call(&balance)));
    let b = file.address("callee", "callee");
    let alice = ALICE.to_string();
    let bob = BOB.to_string();
    for (held, sent, how) in [
        (0u64, 0u64, 0u8),
        (50, 20, 0),
        (50, 50, 0),
        (50, 51, 0),
        (0, 1, 0),
        (50, 20, 1),
        (50, 20, 3),
        (1_000_000, 1_000_000, 0),
    ] {
        let claim = match (held < sent, how) {
            (true, _) => failure(BALANCE, 0, &[]),
            (false, 0) => ok(&[how]),
            (false, 1) => failure(REVERTED, 0, &[how]),
            (false, _) => failure(TRAPPED, TrapCode::Unreachable.code(), &[]),
        };
        file.push(
            Draft::new(
                format!("{sent} of {held} go along with a call that ends as {how}"),
                "Value goes to the callee with the call, and comes back when it fails.",
            )
            .put("proxy")
            .put("callee")
            .send(
                "proxy",
                Message::new(ALICE, input(&b, PLENTY, sent, &[how])).with_value(Word::from(held)),
                claim,
            )
            .balance(&alice)
            .balance("proxy")
            .balance("callee"),
        );
    }
    for (held, sent) in [
        (0u64, 0u64),
        (0, 1),
        (10, 3),
        (10, 10),
        (10, 11),
        (10, u64::MAX),
    ] {
        for (name, target) in [
            ("bob", BOB),
            ("itself", file.address("payer", "payer")),
            ("alice", ALICE),
        ] {
            let mut data = in_memory(&target);
            data.extend(sent.to_le_bytes());
            file.push(
                Draft::new(
                    format!("accounts.transfer of {sent} of {held} to {name}"),
                    "A transfer moves all of it or nothing, and tells which.",
                )
                .put("payer")
                .send(
                    "payer",
                    Message::new(ALICE, data).with_value(Word::from(held)),
                    Claim::returns([u8::from(sent <= held)]),
                )
                .balance(&alice)
                .balance("payer")
                .balance(&bob),
            );
        }
    }
    for (name, target, expected) in [("alice", ALICE, 1_000_000u64), ("nobody", BOB, 0)] {
        file.push(
            Draft::new(
                format!("accounts.balance of {name}"),
                "A balance is what the account has now.",
            )
            .put("teller")
            .call(
                "teller",
                in_memory(&target),
                Claim::returns(Word::from(expected).to_le_bytes()),
            ),
        );
    }
    for sent in [0u64, 1, 999_999, 1_000_000, 1_000_001] {
        let claim = match sent <= 1_000_000 {
            true => returns(),
            false => Claim::refused("insufficient-balance"),
        };
        file.push(
            Draft::new(
                format!("a transaction with {sent}"),
                "Who sends more than they have is refused, before anything runs.",
            )
            .put("teller")
            .send(
                "teller",
                Message::new(ALICE, in_memory(&BOB)).with_value(Word::from(sent)),
                claim.clone(),
            )
            .balance(&alice)
            .balance("teller"),
        );
        file.push(
            Draft::new(
                format!("a deployment with {sent}"),
                "Value goes to a contract that is created.",
            )
            .upload("teller")
            .deploy_as(
                "teller",
                "teller",
                Message::new(ALICE, []).with_value(Word::from(sent)),
                claim,
            )
            .balance(&alice),
        );
    }
    let mut rich = chain();
    rich.balances.insert(BOB, Word([u64::MAX; 4]));
    let mut data = in_memory(&BOB);
    data.extend(1u64.to_le_bytes());
    file.push(
        Draft::new(
            "a transfer that would overflow",
            "A balance never becomes more than a word holds: nothing moves.",
        )
        .chain(rich)
        .put("payer")
        .send(
            "payer",
            Message::new(ALICE, data).with_value(Word::from(5u64)),
            Claim::returns([0]),
        )
        .balance("payer")
        .balance(&bob),
    );
    file
}
