//! Calls between contracts: value, gas, reverts, reentrancy, depth.

use aivm::{Address, TrapCode, Word};
use aivm_conformance::action::Message;
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::draft::*;
use super::guest::{NOTHING, call, guest, push_word, word};

const REASON: &str = "The outcome follows from the contracts' text: the proxy returns the 16 bytes of the raw result that it was given and the data in it; docs/host-interface.md says what a failed call undoes.";

/// Failures of a call, by their number in the WIT.
const REVERTED: u8 = 0;
const TRAPPED: u8 = 1;
const NO_CONTRACT: u8 = 2;
const BALANCE: u8 = 3;
const DEPTH: u8 = 4;
const REENTRANCY: u8 = 5;

/// Input: target (32 bytes), gas (8), value (8), the rest is passed on. Writes key 1, calls, and
/// returns the first 12 bytes of the raw result, without pointers, followed by its data.
fn proxy(kind: &str, prelude: &str) -> String {
    let target = push_word("(local.get $at)");
    let gas = "(i64.load offset=32 (local.get $at))";
    let value = "(i64.load offset=40 (local.get $at)) (i64.const 0) (i64.const 0) (i64.const 0)";
    let rest =
        "(i32.add (local.get $at) (i32.const 48)) (i32.sub (local.get $length) (i32.const 48))";
    let kind_call = match kind {
        "call" => format!("(call $calls.call {target} {value} {gas} {rest} (i32.const 64))"),
        "query" => format!("(call $calls.query {target} {gas} {rest} (i32.const 64))"),
        _ => format!("(call $calls.self-call {gas} {rest} (i32.const 64))"),
    };
    let body = format!(
        "(local $from i32) (local $size i32)
         (if (i32.lt_u (local.get $length) (i32.const 48)) (then (return (call $result (i32.const 0) (local.get $at) (local.get $length)))))
         (call $storage.store {} {}) {prelude} {kind_call}
         (i32.store8 (i32.const 2048) (i32.load8_u (i32.const 64)))
         (if (i32.eqz (i32.load8_u (i32.const 64)))
           (then (local.set $from (i32.load (i32.const 68))) (local.set $size (i32.load (i32.const 72))))
           (else
             (i32.store8 (i32.const 2049) (i32.load8_u (i32.const 68)))
             (if (i32.eq (i32.load8_u (i32.const 68)) (i32.const 1)) (then (i32.store (i32.const 2052) (i32.load (i32.const 72)))))
             (if (i32.eqz (i32.load8_u (i32.const 68)))
               (then (local.set $from (i32.load (i32.const 72))) (local.set $size (i32.load (i32.const 76)))))))
         (memory.copy (i32.const 2056) (local.get $from) (local.get $size))
         (call $result (i32.const 0) (i32.const 2048) (i32.add (local.get $size) (i32.const 8)))",
        word(1),
        word(1),
    );
    let import = format!("calls.{kind}");
    guest(
        &["storage.store", &import, "calls.allow-reentrancy"],
        &call(&body),
    )
}

/// Ends as the first byte of its input says: 0 returns its input, 1 reverts with it, 3 traps, 4
/// spins, 5 reverts through the host. Writes key 2 and emits first.
fn callee() -> String {
    let body = format!(
        "(call $storage.store {} {})
         (call $events.emit (i32.const 0) (i32.const 0) (local.get $at) (local.get $length))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 3)) (then unreachable))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 4)) (then (loop (br 0))))
         (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 5)) (then (call $context.revert (local.get $at) (local.get $length))))
         (call $result (i32.load8_u (local.get $at)) (local.get $at) (local.get $length))",
        word(2),
        word(2),
    );
    let query = r#"(func (export "query") (param i32 i32) (result i32)
      (call $result (i32.const 0) (local.get 0) (local.get 1)))"#;
    guest(
        &["storage.store", "events.emit", "context.revert"],
        &(call(&body) + query),
    )
}

/// Returns who called, who began, itself, and the value, as it finds them in memory.
fn mirror() -> String {
    let body = "(call $context.caller (i32.const 2048)) (call $context.origin (i32.const 2080))
        (call $context.self-address (i32.const 2112)) (call $context.value (i32.const 2144))
        (call $result (i32.const 0) (i32.const 2048) (i32.const 128))";
    let query = format!("(func (export \"query\") (param i32 i32) (result i32) {body})");
    guest(
        &[
            "context.caller",
            "context.origin",
            "context.self-address",
            "context.value",
        ],
        &(call(body) + &query),
    )
}

/// A word in memory: 32 little-endian bytes.
fn in_memory(address: &Address) -> Vec<u8> {
    address.to_word().to_le_bytes().to_vec()
}

fn input(target: &Address, gas: u64, value: u64, rest: &[u8]) -> Vec<u8> {
    let mut input = in_memory(target);
    input.extend(gas.to_le_bytes());
    input.extend(value.to_le_bytes());
    input.extend(rest);
    input
}

fn ok(data: &[u8]) -> Claim {
    Claim::returns([&[0; 8], data].concat())
}

fn failure(kind: u8, code: u32, data: &[u8]) -> Claim {
    let mut output = vec![1, kind, 0, 0];
    output.extend(code.to_le_bytes());
    output.extend(data);
    Claim::returns(output)
}

const PLENTY: u64 = 10_000_000;

pub fn files() -> Vec<File> {
    vec![
        nested(),
        values(),
        reentrancy(),
        transactions(),
        checkpoints(),
    ]
}

fn nested() -> File {
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
                    events: Some(vec![(vec![], aivm_conformance::action::Hex(data.clone()))]),
                    ..ok(&data)
                },
            )
            .storage("proxy")
            .storage("callee"),
        );
        data[0] = 1;
        file.push(
            Draft::new(format!("a call reverts with {size} bytes"), "A callee that reverts loses its effects, and its data reach the caller, who goes on.")
                .put("proxy").put("callee")
                .call("proxy", input(&b, PLENTY, 0, &data), Claim { events: Some(vec![]), ..failure(REVERTED, 0, &data) })
                .storage("proxy").storage("callee"),
        );
        data[0] = 5;
        file.push(
            Draft::new(
                format!("a call reverts through the host with {size} bytes"),
                "context.revert does what the error case of the result does.",
            )
            .put("proxy")
            .put("callee")
            .call(
                "proxy",
                input(&b, PLENTY, 0, &data),
                Claim {
                    events: Some(vec![]),
                    ..failure(REVERTED, 0, &data)
                },
            )
            .storage("proxy")
            .storage("callee"),
        );
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
    file.push(
        Draft::new(
            "a call of nobody",
            "A call of an address without a contract fails as a value.",
        )
        .put("proxy")
        .call(
            "proxy",
            input(&BOB, PLENTY, 0, &[]),
            failure(NO_CONTRACT, 0, &[]),
        ),
    );
    file.push(
        Draft::new(
            "a query of nobody",
            "A query of an address without a contract fails as a value.",
        )
        .put("asker")
        .call(
            "asker",
            input(&BOB, PLENTY, 0, &[]),
            failure(NO_CONTRACT, 0, &[]),
        ),
    );
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
            ok(&[
                in_memory(&proxy),
                in_memory(&ALICE),
                in_memory(&mirror),
                vec![0; 32],
            ]
            .concat()),
        )
        .send(
            "mirror",
            Message::new(ALICE, []).with_value(Word::from(77u64)),
            Claim::returns(
                [
                    in_memory(&ALICE),
                    in_memory(&ALICE),
                    in_memory(&mirror),
                    Word::from(77u64).to_le_bytes().to_vec(),
                ]
                .concat(),
            ),
        )
        .query(
            "mirror",
            [],
            Claim::returns(
                [
                    in_memory(&ALICE),
                    in_memory(&ALICE),
                    in_memory(&mirror),
                    vec![0; 32],
                ]
                .concat(),
            ),
        ),
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
            ok(&[
                in_memory(&asker),
                in_memory(&ALICE),
                in_memory(&mirror),
                vec![0; 32],
            ]
            .concat()),
        ),
    );
    file
}

fn values() -> File {
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
                claim,
            )
            .balance(&alice)
            .balance("teller"),
        );
        let claim = match sent <= 1_000_000 {
            true => returns(),
            false => Claim::refused("insufficient-balance"),
        };
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

fn reentrancy() -> File {
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

fn transactions() -> File {
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
    let block = |number, timestamp| aivm_conformance::action::Action::Block { number, timestamp };
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
            Message::new(ALICE, []).with_gas_limit(900_000),
            Claim {
                total: Some(900_000),
                ..traps(TrapCode::Unreachable)
            },
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
                .send("callee", Message::new(ALICE, []).with_gas_limit(limit), Claim::refused(claim))
                .storage("callee"),
        );
    }
    file.push(
        Draft::new(
            "a gas limit that pays the transaction only",
            "What the transaction itself costs is accepted, and then nothing can run.",
        )
        .put("callee")
        .send(
            "callee",
            Message::new(ALICE, []).with_gas_limit(base),
            Claim {
                total: Some(base),
                ..traps(TrapCode::OutOfGas)
            },
        ),
    );
    for extra in [0usize, 1] {
        let claim = match extra {
            0 => returns(),
            _ => Claim::refused("input-too-long"),
        };
        file.push(
            Draft::new(
                format!("{} bytes of input, 100 allowed", 100 + extra),
                "Call data is bounded.",
            )
            .chain(chain_with(&[
                ("call/max_input_bytes", json!(100)),
                ("call/max_output_bytes", json!(1000)),
            ]))
            .put("callee")
            .call("callee", vec![0; 100 + extra], claim),
        );
        let claim = match extra {
            0 => Claim::returns(vec![0; 100]),
            _ => traps(TrapCode::OutputLimit),
        };
        file.push(
            Draft::new(
                format!("{} bytes of output, 100 allowed", 100 + extra),
                "What a contract returns is bounded.",
            )
            .chain(chain_with(&[("call/max_output_bytes", json!(100))]))
            .put("callee")
            .call("callee", vec![0; 100 + extra], claim.clone()),
        );
        let data = [&[5u8][..], &vec![0; 99 + extra]].concat();
        let claim = match extra {
            0 => reverts(data.clone()),
            _ => traps(TrapCode::OutputLimit),
        };
        file.push(
            Draft::new(
                format!("{} bytes of revert data, 100 allowed", 100 + extra),
                "What a contract reverts with is bounded.",
            )
            .chain(chain_with(&[("call/max_output_bytes", json!(100))]))
            .put("callee")
            .call("callee", data, claim),
        );
    }
    for how in [0u8, 1, 3, 4, 5] {
        let claim = match how {
            0 => Claim::returns([0, 8]),
            1 | 5 => reverts([how, 8]),
            3 => Claim {
                total: Some(2_000_000),
                ..traps(TrapCode::Unreachable)
            },
            _ => Claim {
                total: Some(2_000_000),
                ..traps(TrapCode::OutOfGas)
            },
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
                        0 => vec![(vec![], aivm_conformance::action::Hex(vec![0, 8]))],
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

fn checkpoints() -> File {
    let mut file = File::new(
        "calls",
        "checkpoints",
        "The generator runs the same commands on a map with a stack of copies.",
    );
    // Input: a list of commands. 1-9 store that key, b begins, c commits, r rolls back.
    let body = format!(
        "(local $i i32) (local $c i32)
         (block $end (loop $next
           (br_if $end (i32.ge_u (local.get $i) (local.get $length)))
           (local.set $c (i32.load8_u (i32.add (local.get $at) (local.get $i))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (if (i32.eq (local.get $c) (i32.const 98)) (then (call $journal.begin) (br $next)))
           (if (i32.eq (local.get $c) (i32.const 99)) (then (call $journal.commit) (br $next)))
           (if (i32.eq (local.get $c) (i32.const 114)) (then (call $journal.rollback) (br $next)))
           (call $storage.store (i64.extend_i32_u (local.get $c)) (i64.const 0) (i64.const 0) (i64.const 0) (i64.extend_i32_u (local.get $i)) (i64.const 0) (i64.const 0) (i64.const 0))
           (call $events.emit (i32.const 0) (i32.const 0) (i32.add (local.get $at) (i32.sub (local.get $i) (i32.const 1))) (i32.const 1))
           (br $next)))
         {NOTHING}"
    );
    file.share_wat(
        "journal",
        &guest(
            &[
                "journal.begin",
                "journal.commit",
                "journal.rollback",
                "storage.store",
                "events.emit",
            ],
            &call(&body),
        ),
    );
    let mut numbers = 12345u64;
    let mut programs: Vec<String> = [
        "b1c",
        "b1r",
        "1b1r",
        "b1b2rc",
        "b1b2cr",
        "bbb1rrr",
        "b1r2b3c",
        "1b2b3b4rrr",
        "1b2b3b4ccc",
        "b1b1b1rcr",
    ]
    .map(String::from)
    .to_vec();
    for _ in 0..40 {
        let (mut text, mut open) = (String::new(), 0);
        for _ in 0..14 {
            numbers = numbers
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let n = (numbers >> 40) % 10;
            match n {
                0..=2 => {
                    text.push('b');
                    open += 1;
                }
                3 if open > 0 => {
                    text.push('c');
                    open -= 1;
                }
                4..=5 if open > 0 => {
                    text.push('r');
                    open -= 1;
                }
                _ => text.push(char::from(b'1' + (n % 4) as u8)),
            }
        }
        programs.push(text);
    }
    for (number, program) in programs.iter().enumerate() {
        let mut state: Vec<u8> = Vec::new();
        let mut copies: Vec<Vec<u8>> = Vec::new();
        for c in program.bytes() {
            match c {
                b'b' => copies.push(state.clone()),
                b'c' => drop(copies.pop()),
                b'r' => state = copies.pop().unwrap(),
                c => state.push(c),
            }
        }
        let events = state
            .iter()
            .map(|c| (vec![], aivm_conformance::action::Hex(vec![*c])))
            .collect();
        file.push(
            Draft::new(
                format!("{} {program}", number + 1),
                "A rollback undoes storage and events since its checkpoint; a commit keeps them.",
            )
            .put("journal")
            .call(
                "journal",
                program.as_bytes(),
                Claim {
                    events: Some(events),
                    ..returns()
                },
            )
            .storage("journal"),
        );
    }
    for program in ["c", "r", "bcc", "brr", "bcr", "1r"] {
        file.push(
            Draft::new(
                format!("{program} closes what is not open"),
                "Closing a checkpoint that is not open traps.",
            )
            .put("journal")
            .call("journal", program.as_bytes(), traps(TrapCode::Checkpoint))
            .storage("journal"),
        );
    }
    for count in [1_024usize, 1_025] {
        let claim = if count <= 1_024 {
            returns()
        } else {
            traps(TrapCode::Checkpoint)
        };
        file.push(
            Draft::new(
                format!("{count} open checkpoints"),
                "A frame may hold 1,024 checkpoints open.",
            )
            .put("journal")
            .call("journal", vec![b'b'; count], claim),
        );
    }
    file
}
