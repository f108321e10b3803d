//! The PQ-Gas of a block, which its transactions share.

use aivm::{GasSchedule, TrapCode};
use aivm_conformance::Chain;
use aivm_conformance::action::{Action, Message};
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::calls::{input, proxy};
use super::crypto::parts;
use super::draft::*;
use super::guest::{guest, word};

/// Input: how to end (a word of 32 bits: 0 returns, 1 reverts, 3 traps), then the input of the
/// verifier of the suite. `call` writes an entry first; `construct` does nothing without input.
fn worker() -> String {
    let verify = "(func $verify (param $at i32) (param $length i32) (local $key i32) (local $message i32) (local $k i32) (local $m i32)
        (local.set $k (i32.load offset=8 (local.get $at))) (local.set $m (i32.load offset=12 (local.get $at)))
        (local.set $key (i32.add (local.get $at) (i32.const 16)))
        (local.set $message (i32.add (local.get $key) (local.get $k)))
        (drop (call $crypto.verify (i32.load offset=4 (local.get $at))
          (local.get $key) (local.get $k) (local.get $message) (local.get $m)
          (i32.add (local.get $message) (local.get $m))
          (i32.sub (i32.sub (i32.sub (local.get $length) (i32.const 16)) (local.get $k)) (local.get $m))))
        (if (i32.eq (i32.load (local.get $at)) (i32.const 3)) (then unreachable)))";
    let end = "(call $verify (local.get 0) (local.get 1)) (call $result (i32.load (local.get 0)) (i32.const 0) (i32.const 0))";
    let nothing = "(if (i32.eqz (local.get 1)) (then (return (call $result (i32.const 0) (i32.const 0) (i32.const 0)))))";
    let store = format!("(call $storage.store {} {})", word(1), word(2));
    let export = |name: &str, before: &str| {
        format!(r#"(func (export "{name}") (param i32 i32) (result i32) {before} {end})"#)
    };
    guest(
        &["crypto.verify", "storage.store"],
        &[
            verify,
            &export("construct", nothing),
            &export("call", &(store + nothing)),
            &export("query", ""),
        ]
        .concat(),
    )
}

/// What a check under ML-DSA-44 of a message of this length costs; it never holds.
fn price(length: u64) -> u64 {
    let schedule = GasSchedule::v1();
    schedule.pqc.price("mldsa44").unwrap().pq_gas(length)
}

const RETURN: u32 = 0;
const REVERT: u32 = 1;
const TRAP: u32 = 3;

/// The input that has the worker check a message of this length.
fn check(end: u32, length: usize) -> Vec<u8> {
    let key = vec![0; 1_312];
    let signature = vec![0; 2_420];
    [
        &end.to_le_bytes()[..],
        &parts(0, &key, &vec![7; length], &signature),
    ]
    .concat()
}

/// A chain whose blocks have so much PQ-Gas.
fn with(limit: u64) -> Chain {
    chain_with(&[
        ("pqc/max_pqc_gas_per_block", json!(limit)),
        ("pqc/max_pqc_gas_per_tx", json!(10_000_000)),
    ])
}

fn pays(claim: Claim, pq: u64) -> Claim {
    Claim {
        pq: Some(pq),
        ..claim
    }
}

fn full() -> Claim {
    Claim::refused("block-full")
}

pub fn files() -> Vec<File> {
    let mut file = File::new(
        "crypto",
        "block",
        "The schedule says what a check costs and what the checks of a block may cost together; the generator adds them up. What a block cannot hold any more is refused as if it had never been sent.",
    );
    file.share_wat("worker", &worker());
    file.share_wat("proxy", &proxy("call", ""));
    let one = price(100);
    let block = |number| Action::Block {
        number,
        timestamp: TIME,
    };
    let ran = || pays(returns(), one);
    let draft = |name: &str, rule: &str, limit: u64| {
        Draft::new(name, rule).chain(with(limit)).put("worker")
    };
    file.push(
        draft(
            "as much as a block holds",
            "The checks of a block's transactions may cost what the schedule says together; the next block has all of it again.",
            2 * one,
        )
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full())
        .step(block(HEIGHT + 1), Claim::default())
        .call("worker", check(RETURN, 100), ran()),
    );
    file.push(
        draft(
            "a unit less than two checks",
            "A transaction of which a check would cost more than the block has left is refused.",
            2 * one - 1,
        )
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full()),
    );
    for (name, limit) in [
        ("a block without PQ-Gas", 0),
        ("a block with a unit too little", one - 1),
    ] {
        file.push(
            draft(
                name,
                "A refused transaction leaves nothing behind, and one without checks runs in any block.",
                limit,
            )
            .call("worker", check(RETURN, 100), full())
            .call("worker", check(REVERT, 100), full())
            .call("worker", check(TRAP, 100), full())
            .storage("worker"),
        );
    }
    file.push(
        draft(
            "no checks in a full block",
            "A transaction without checks runs in a block that has no PQ-Gas left.",
            one,
        )
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full())
        .call("worker", [], pays(returns(), 0))
        .deploy("other", "worker", &[])
        .storage("worker"),
    );
    file.push(
        draft(
            "a smaller transaction after one that did not fit",
            "What is refused uses nothing of the block: a transaction that needs less may still fit.",
            price(3_000) + price(0),
        )
        .call("worker", check(RETURN, 3_000), pays(returns(), price(3_000)))
        .call("worker", check(RETURN, 3_000), full())
        .call("worker", check(RETURN, 1_500), full())
        .call("worker", check(RETURN, 0), pays(returns(), price(0)))
        .call("worker", check(RETURN, 0), full()),
    );
    for (name, end, claim) in [
        ("a transaction that reverts", REVERT, reverts([])),
        (
            "a transaction that traps",
            TRAP,
            traps(TrapCode::Unreachable),
        ),
    ] {
        file.push(
            draft(
                &format!("{name} uses the block's PQ-Gas"),
                "A check was made, whatever became of its transaction.",
                2 * one - 1,
            )
            .call("worker", check(end, 100), pays(claim, one))
            .call("worker", check(RETURN, 100), full())
            .storage("worker"),
        );
    }
    file.push(
        draft(
            "queries beside the block",
            "A query is not part of a block: it uses nothing of it, and runs when it is full.",
            one,
        )
        .query("worker", check(RETURN, 100), ran())
        .query("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), ran())
        .query("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full()),
    );
    let short = Message::new(ALICE, check(RETURN, 100)).with_pq_gas_limit(one - 1);
    file.push(
        draft(
            "the transaction's own limit comes first",
            "A transaction whose own limit does not suffice traps, in a full block too.",
            one,
        )
        .send("worker", short.clone(), traps(TrapCode::PqGasLimit))
        .call("worker", check(RETURN, 100), ran())
        .send("worker", short, traps(TrapCode::PqGasLimit))
        .call("worker", check(RETURN, 100), full()),
    );
    let unborn = file.address("b", "worker").to_string();
    file.push(
        draft(
            "a constructor",
            "A constructor's checks count; a contract that the block cannot hold does not come to be.",
            2 * one - 1,
        )
        .deploy_as("a", "worker", Message::new(ALICE, check(RETURN, 100)), ran())
        .deploy_as("b", "worker", Message::new(ALICE, check(RETURN, 100)), full())
        .call(&unborn, [], Claim::refused("no-contract"))
        .step(block(HEIGHT + 1), Claim::default())
        .deploy_as("b", "worker", Message::new(ALICE, check(RETURN, 100)), ran())
        .call("b", [], returns()),
    );
    let worker = file.address("worker", "worker");
    let through = |rest: Vec<u8>| input(&worker, 50_000_000, 0, &rest);
    file.push(
        draft(
            "a caller cannot see it",
            "A contract that goes on after a failed call does not learn that the block is full: the whole transaction waits.",
            2 * one - 1,
        )
        .put("proxy")
        .call("proxy", through(check(RETURN, 100)), ran())
        .call("proxy", through(check(RETURN, 100)), full())
        .step(block(HEIGHT + 1), Claim::default())
        .call("proxy", through(check(TRAP, 100)), ran())
        .call("proxy", through(check(TRAP, 100)), full())
        .storage("proxy")
        .storage("worker"),
    );
    file.push(
        draft(
            "a block that is given up",
            "A block that is given up begins again with all of its PQ-Gas.",
            one,
        )
        .step(block(HEIGHT + 1), Claim::default())
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full())
        .step(Action::Abandon {}, Claim::default())
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full()),
    );
    let mut chain = with(one);
    let later = with(3 * one).schedules.remove(&0).unwrap();
    chain.schedules.insert(HEIGHT + 5, later);
    file.push(
        Draft::new(
            "a schedule with more",
            "The schedule in force at a block's height says what the block holds.",
        )
        .chain(chain)
        .put("worker")
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full())
        .step(block(HEIGHT + 4), Claim::default())
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full())
        .step(block(HEIGHT + 5), Claim::default())
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), ran())
        .call("worker", check(RETURN, 100), full()),
    );
    vec![file]
}
