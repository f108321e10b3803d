//! Functions that the chain adds: what they are asked, what they answer, what they cost.

use aivm::{GasSchedule, TrapCode};
use aivm_conformance::Chain;
use aivm_conformance::action::{Hex, Message};
use aivm_conformance::outcome::Claim;
use aivm_conformance::vector::{Answer, Extension};

use super::super::draft::*;
use super::super::guest::{guest, word};

/// Input: length of a name, the name, and arguments. Calls the function of the chain, and ends as
/// it does. `construct` does so when it gets an input.
fn caller() -> String {
    let exports: String = ["construct", "call", "query"]
        .map(|name| {
            let quiet = match name {
                "construct" => "(if (i32.eqz (local.get 1)) (then (return (call $result (i32.const 0) (i32.const 0) (i32.const 0)))))",
                _ => "",
            };
            format!(
                r#"(func (export "{name}") (param i32 i32) (result i32) {quiet} (call $ask (local.get 0) (local.get 1))
                (call $result (i32.load8_u (i32.const 64)) (i32.load (i32.const 68)) (i32.load (i32.const 72))))"#
            )
        })
        .concat();
    guest(&["ext.invoke"], &(ASK.to_owned() + &exports))
}

/// Leaves the raw result at 64.
const ASK: &str = "(func $ask (param $at i32) (param $length i32) (local $name i32)
    (local.set $name (i32.load8_u (local.get $at)))
    (call $ext.invoke (i32.add (local.get $at) (i32.const 1)) (local.get $name)
      (i32.add (i32.add (local.get $at) (i32.const 1)) (local.get $name))
      (i32.sub (i32.sub (local.get $length) (i32.const 1)) (local.get $name)) (i32.const 64)))";

/// Writes an entry, and goes on whatever the function of the chain does. Gives how that ended and
/// what it answered.
fn keeper() -> String {
    let (key, value) = (word(1), word(2));
    guest(
        &["ext.invoke", "storage.store"],
        &format!(
            r#"{ASK} (func (export "call") (param i32 i32) (result i32)
            (call $storage.store {key} {value}) (call $ask (local.get 0) (local.get 1))
            (i32.store8 (i32.const 2048) (i32.load8_u (i32.const 64)))
            (memory.copy (i32.const 2049) (i32.load (i32.const 68)) (i32.load (i32.const 72)))
            (call $result (i32.const 0) (i32.const 2048) (i32.add (i32.load (i32.const 72)) (i32.const 1))))"#
        ),
    )
}

fn input(name: &str, arguments: &[u8]) -> Vec<u8> {
    [&[name.len() as u8], name.as_bytes(), arguments].concat()
}

/// What all of these chains have.
fn functions() -> Vec<Extension> {
    let one = |name: &str, arguments: &[u8], gas, answer| Extension {
        name: name.to_owned(),
        arguments: Hex(arguments.to_vec()),
        gas,
        answer,
    };
    let returns = |data: &[u8]| Answer::Returns(Hex(data.to_vec()));
    let reverts = |data: &[u8]| Answer::Reverts(Hex(data.to_vec()));
    vec![
        one("price", &[1], 700, returns(&[9, 8, 7])),
        one("price", &[2], 1_900, returns(&[6; 1_000])),
        one("price", &[3], 50, reverts(&[4, 4])),
        one("height", &[], 0, returns(&[5])),
        one("nothing", &[1; 500], 1, returns(&[])),
        one("nothing", &[2], 1, reverts(&[])),
        one("größe", &[1], 10, returns(&[1])),
        one("dear", &[1], 90_000_000, returns(&[1])),
        one("dear", &[2], u64::MAX, returns(&[1])),
        one("dear", &[3], 1 << 63, reverts(&[])),
        one("price of a longer name", &[1], 3, returns(&[2])),
        one("", &[1], 4, returns(&[3])),
        // The first answer to the same arguments counts.
        one("price", &[1], 1, returns(&[0])),
    ]
}

pub fn file() -> File {
    let mut file = File::new(
        "calls",
        "extensions",
        "The chain of the vector says what its functions answer to which arguments and what they cost; the contract passes that on. Host gas is the price of `ext.invoke`, that of the bytes of name, arguments and answer, and what the function costs.",
    );
    file.0.chain = Chain {
        extensions: functions(),
        ..chain()
    };
    file.share_wat("caller", &caller());
    file.share_wat("keeper", &keeper());
    let price = GasSchedule::v1().host_price("ext.invoke").unwrap();
    let host = |name: &str, arguments: usize, answer: usize, own: u64| {
        let bytes = (name.len() + arguments + answer) as u64;
        Some(price.base + price.per_byte * bytes + own)
    };
    let found = functions();
    let mut seen = Vec::new();
    for own in &found {
        let (name, arguments) = (own.name.as_str(), own.arguments.0.as_slice());
        if own.gas > 1_000_000 || seen.contains(&(name, arguments)) {
            continue;
        }
        seen.push((name, arguments));
        let (claim, answer, tag) = match &own.answer {
            Answer::Returns(data) => (Claim::returns(data.0.clone()), data, 0),
            Answer::Reverts(data) => (reverts(data.0.clone()), data, 1),
        };
        let claim = Claim {
            host: host(name, arguments.len(), answer.0.len(), own.gas),
            ..claim
        };
        let what = format!("{name:?} of {arguments:?}");
        let what = if arguments.len() > 10 {
            format!("{name:?} of {} bytes", arguments.len())
        } else {
            what
        };
        file.push(
            Draft::new(
                format!("the function {what}"),
                "A function of the chain answers its arguments, for its own price beside that of the host function.",
            )
            .put("caller")
            .call("caller", input(name, arguments), claim.clone())
            .query("caller", input(name, arguments), claim),
        );
        file.push(
            Draft::new(
                format!("going on after {what}"),
                "What a function of the chain answers, revert data too, is the contract's to use: what it did before stays.",
            )
            .put("keeper")
            .call("keeper", input(name, arguments), Claim::returns([&[tag], &answer.0[..]].concat()))
            .storage("keeper"),
        );
    }
    for (name, arguments) in [
        ("price", &[7][..]),
        ("price", &[]),
        ("price", &[1, 0]),
        ("Price", &[1]),
        ("pric", &[1]),
        ("price ", &[1]),
        ("height", &[0]),
        ("unheard-of", &[1]),
    ] {
        file.push(
            Draft::new(
                format!("no function {name:?} of {arguments:?}"),
                "A call of a function that the chain lacks is stopped, and all that the transaction did is undone.",
            )
            .put("keeper")
            .call("keeper", input(name, arguments), traps(TrapCode::NoSuchExtension))
            .storage("keeper"),
        );
    }
    for (what, arguments, limit) in [
        ("less than a function costs", 1u8, 90_000_000),
        ("a function that costs more than any limit", 2, 100_000_000),
        (
            "a function that costs more than half of a number",
            3,
            100_000_000,
        ),
    ] {
        file.push(
            Draft::new(
                what,
                "The price of a function is charged before it runs; what does not suffice is spent.",
            )
            .put("keeper")
            .send(
                "keeper",
                Message::new(ALICE, input("dear", &[arguments])).with_gas_limit(limit),
                uses_up(limit, TrapCode::OutOfGas),
            )
            .storage("keeper"),
        );
    }
    file.push(
        Draft::new(
            "a function that takes most of the gas",
            "The price of a function is host gas like any other.",
        )
        .put("caller")
        .call(
            "caller",
            input("dear", &[1]),
            Claim {
                host: host("dear", 1, 1, 90_000_000),
                ..Claim::returns([1])
            },
        ),
    );
    file.push(
        Draft::new(
            "in a constructor",
            "A constructor may call functions of the chain, and fails as they do.",
        )
        .upload("caller")
        .deploy_as(
            "a",
            "caller",
            Message::new(ALICE, input("height", &[])),
            Claim {
                host: host("height", 0, 1, 0),
                ..returns()
            },
        )
        .deploy_as(
            "b",
            "caller",
            Message::new(ALICE, input("price", &[3])),
            reverts([4, 4]),
        )
        .deploy_as(
            "c",
            "caller",
            Message::new(ALICE, input("price", &[4])),
            traps(TrapCode::NoSuchExtension),
        )
        .call("b", [], Claim::refused("no-contract"))
        .call("a", input("price", &[1]), Claim::returns([9, 8, 7])),
    );
    file.push(
        Draft::new(
            "a name that is no text",
            "A name is UTF-8; other bytes stop the call before the chain is asked.",
        )
        .put("caller")
        .call("caller", [2, 0xc3, 0x28, 1], traps(TrapCode::BadArgument)),
    );
    file
}
