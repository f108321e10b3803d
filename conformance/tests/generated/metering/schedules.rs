//! Transactions themselves, and schedules that change.

use aivm::{GasSchedule, TrapCode};
use aivm_conformance::action::Action;
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::super::guest::frame;
use super::{around, prices, sum};

/// What the body of the contract pays.
const INNER: &str = "2 constant, 1 integer";

/// What a call without input costs where one price is another.
fn cost_with(name: &str, value: u64) -> u64 {
    let mut schedule = GasSchedule::v1();
    let mut prices = prices(&schedule);
    prices[name] = json!(value);
    schedule.wasm = serde_json::from_value(prices.clone()).unwrap();
    around(&schedule) + sum(&prices, INNER)
}

pub fn file() -> File {
    let schedule = GasSchedule::v1();
    let reason = "The generator sums the schedule's prices, as it is with the vector's changes.";
    let mut file = File::new("metering", "schedules", reason);
    let body = "(drop (i32.add (i32.const 1) (i32.const 2)))";
    file.share_wat("plain", &frame("", "", body));
    let base = around(&schedule) + sum(&prices(&schedule), INNER);
    for bytes in [0u64, 1, 32, 1_000] {
        let execution = base + schedule.call.per_input_byte * bytes;
        file.push(
            Draft::new(
                format!("{bytes} bytes of input"),
                "Each byte of call data costs.",
            )
            .upload("plain")
            .deploy("c", "plain", &[])
            .call("c", vec![7; bytes as usize], executes(execution)),
        );
    }
    for pages in [1u64, 2, 3, 4, 50, 256] {
        let text = frame("", "", body).replace(
            "(memory (export \"memory\") 1)",
            &format!("(memory (export \"memory\") {pages})"),
        );
        let execution = base + schedule.call.instance_page * pages.saturating_sub(2);
        file.push(
            Draft::new(
                format!("a memory of {pages} pages"),
                "An instance pays for the pages that its memory has at the start, but for the first two.",
            )
            .install(text)
            .call("c", [], executes(execution))
            .send("c", limited(execution), executes(execution))
            .send("c", limited(execution - 1), uses_up(execution - 1, TrapCode::OutOfGas)),
        );
    }
    for name in [
        "constant",
        "integer",
        "function_entry",
        "frame_per_64_words",
    ] {
        for value in [1u64, 2, 3, 5, 1_000] {
            file.push(
                Draft::new(
                    format!("`{name}` at {value}"),
                    "Prices come from the schedule, none is built in.",
                )
                .chain(chain_with(&[(&format!("wasm/{name}"), json!(value))]))
                .upload("plain")
                .deploy("c", "plain", &[])
                .call("c", [], executes(cost_with(name, value))),
            );
        }
    }
    // A schedule that changes between two blocks, and back.
    for (name, value) in [("integer", 50u64), ("constant", 9), ("function_entry", 77)] {
        let mut chain = chain();
        let change = [(format!("wasm/{name}"), json!(value))];
        chain.schedules.insert(200, change.into());
        chain.schedules.insert(300, [].into());
        let block = |number| Action::Block {
            number,
            timestamp: TIME + number,
        };
        file.push(
            Draft::new(
                format!("`{name}` rises at height 200"),
                "Code that is cached for one schedule never runs under another.",
            )
            .chain(chain)
            .upload("plain")
            .deploy("c", "plain", &[])
            .call("c", [], executes(base))
            .step(block(199), Claim::default())
            .call("c", [], executes(base))
            .step(block(200), Claim::default())
            .call("c", [], executes(cost_with(name, value)))
            .step(block(300), Claim::default())
            .call("c", [], executes(base)),
        );
    }
    file
}
