//! What a transaction is refused for, and what it leaves.

use aivm::TrapCode;
use aivm_conformance::action::{Action, Hex, Message};
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::super::guest::{call, guest};
use super::callee;

pub fn file() -> File {
    let mut file = File::new(
        "calls",
        "transactions",
        "docs/host-interface.md and the errors of the VM's interface say what is refused before anything runs, and with which code.",
    );
    file.share_wat("callee", &callee());
    file.share_wat("block", &guest(&["context.block-number", "context.block-timestamp", "context.chain-id"], &call(
        "(i64.store (i32.const 2048) (call $context.block-number)) (i64.store (i32.const 2056) (call $context.block-timestamp)) (i64.store (i32.const 2064) (call $context.chain-id)) (call $result (i32.const 0) (i32.const 2048) (i32.const 24))")));
    file.share_wat("failing", &guest(&[], r#"(func (export "construct") (param i32 i32) (result i32) (call $result (i32.const 1) (local.get 0) (local.get 1)))"#));
    file.share_wat(
        "trapping",
        &guest(
            &[],
            r#"(func (export "construct") (param i32 i32) (result i32) unreachable)"#,
        ),
    );
    let block = |number, timestamp| Action::Block { number, timestamp };
    let seen = |number: u64, timestamp: u64| {
        Claim::returns([number, timestamp, CHAIN].map(u64::to_le_bytes).concat())
    };
    file.push(
        Draft::new("the block", "A contract sees the block that it runs in.")
            .put("block")
            .call("block", [], seen(HEIGHT, TIME))
            .step(block(HEIGHT + 1, TIME + 12), Claim::default())
            .call("block", [], seen(HEIGHT + 1, TIME + 12))
            .step(block(u64::MAX, u64::MAX), Claim::default())
            .call("block", [], seen(u64::MAX, u64::MAX)),
    );
    file.push(
        Draft::new(
            "a constructor that reverts",
            "A contract whose constructor reverts does not come to be.",
        )
        .upload("failing")
        .deploy_as(
            "c",
            "failing",
            Message::new(ALICE, [1, 2, 3]),
            reverts([1, 2, 3]),
        )
        .call("c", [], Claim::refused("no-contract")),
    );
    file.push(
        Draft::new(
            "a constructor that traps",
            "A contract whose constructor traps does not come to be, and all gas is spent.",
        )
        .upload("trapping")
        .deploy_as(
            "c",
            "trapping",
            limited(900_000),
            uses_up(900_000, TrapCode::Unreachable),
        )
        .call("c", [], Claim::refused("no-contract")),
    );
    file.push(
        Draft::new(
            "two contracts at one address",
            "Sender, code and salt give the address; it is used once.",
        )
        .put("callee")
        .deploy_as(
            "callee",
            "callee",
            Message::new(ALICE, []),
            Claim::refused("address-in-use"),
        )
        .deploy_as("callee", "callee", Message::new(BOB, []), returns()),
    );
    let hash = hex::encode(aivm::code_hash(&file.bytes("callee")));
    file.push(
        Draft::new(
            "code of another chain",
            "Code that this chain does not have is refused, whatever the node has compiled before.",
        )
        .deploy_as(
            "c",
            &hash,
            Message::new(ALICE, []),
            Claim::refused("unknown-code"),
        ),
    );
    file.push(
        Draft::new(
            "a call of an account",
            "An account that is no contract cannot be called.",
        )
        .call(&BOB.to_string(), [], Claim::refused("no-contract"))
        .query(&BOB.to_string(), [], Claim::refused("no-contract")),
    );
    let schedule = aivm::GasSchedule::v1();
    let base = schedule.call.base;
    for (limit, claim) in [
        (0u64, "gas-limit-too-low"),
        (base - 1, "gas-limit-too-low"),
        (1 << 63, "gas-limit-too-high"),
        (u64::MAX, "gas-limit-too-high"),
    ] {
        file.push(
            Draft::new(format!("a gas limit of {limit}"), "A limit below the price of the transaction itself, or that does not fit the lane, is refused.")
                .put("callee")
                .send("callee", limited(limit), Claim::refused(claim))
                .storage("callee"),
        );
    }
    file.push(
        Draft::new(
            "a gas limit that pays the transaction only",
            "What the transaction itself costs is accepted, and then nothing can run.",
        )
        .put("callee")
        .send("callee", limited(base), uses_up(base, TrapCode::OutOfGas)),
    );
    for bytes in [100usize, 101] {
        let reverting = [&[5u8][..], &vec![0; bytes - 1]].concat();
        let within = |claim: Claim, beyond: Claim| if bytes <= 100 { claim } else { beyond };
        let output = vec![("call/max_output_bytes", json!(100))];
        for (name, rule, limits, data, claim) in [
            (
                "input",
                "Call data is bounded.",
                vec![
                    ("call/max_input_bytes", json!(100)),
                    ("call/max_output_bytes", json!(1000)),
                ],
                vec![0; bytes],
                within(returns(), Claim::refused("input-too-long")),
            ),
            (
                "output",
                "What a contract returns is bounded.",
                output.clone(),
                vec![0; bytes],
                within(Claim::returns(vec![0; bytes]), traps(TrapCode::OutputLimit)),
            ),
            (
                "revert data",
                "What a contract reverts with is bounded.",
                output,
                reverting.clone(),
                within(reverts(reverting), traps(TrapCode::OutputLimit)),
            ),
        ] {
            file.push(
                Draft::new(format!("{bytes} bytes of {name}, 100 allowed"), rule)
                    .chain(chain_with(&limits))
                    .put("callee")
                    .call("callee", data, claim),
            );
        }
    }
    for how in [0u8, 1, 3, 4, 5] {
        let claim = match how {
            0 => Claim::returns([0, 8]),
            1 | 5 => reverts([how, 8]),
            3 => uses_up(2_000_000, TrapCode::Unreachable),
            _ => uses_up(2_000_000, TrapCode::OutOfGas),
        };
        file.push(
            Draft::new(
                format!("a call that ends as {how}"),
                "Only a call that returns keeps what it stored and emitted.",
            )
            .put("callee")
            .send(
                "callee",
                Message::new(ALICE, [how, 8]).with_gas_limit(2_000_000),
                Claim {
                    events: Some(match how {
                        0 => vec![(vec![], Hex(vec![0, 8]))],
                        _ => vec![],
                    }),
                    ..claim
                },
            )
            .storage("callee"),
        );
    }
    file.push(
        Draft::new(
            "a query that returns",
            "A query runs the query export; nothing is kept.",
        )
        .put("callee")
        .query("callee", [4, 5, 6], Claim::returns([4, 5, 6]))
        .storage("callee"),
    );
    file
}
