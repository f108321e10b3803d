//! Gas of instructions, host functions and storage, against prices summed here.
//!
//! What a body costs is stated in words of the schedule: how many instructions of which class it
//! runs. Each contract has the same frame around it, whose cost is stated the same way, so that the
//! sum is the whole of a receipt's execution gas and not a difference of two runs.

mod classes;
mod control;
mod dynamic;
mod host;
mod schedules;
mod traps;

use aivm::{GasSchedule, TrapCode};
use serde_json::Value;

use super::draft::*;
use super::guest::frame;

const REASON: &str = "The generator sums the schedule's prices over the instructions that run: \
    the class of each is in its table, from the table of classes in docs/gas.md and the schedule's \
    field documentation, and not from the code that instruments. Results of two engines agree.";

pub fn files() -> Vec<File> {
    vec![
        classes::plain(),
        classes::vectors(),
        control::file(),
        dynamic::file(),
        traps::file(),
        host::file(),
        schedules::file(),
    ]
}

/// Adds prices, which are written like `2 constant, 1 integer`.
fn sum(prices: &Value, paid: &str) -> u64 {
    let terms = paid.split(", ").filter(|term| !term.is_empty());
    let cost = |term: &str| {
        let (times, name) = term.split_once(' ')?;
        Some(times.parse::<u64>().ok()? * prices[name].as_u64()?)
    };
    terms
        .map(|term| cost(term).unwrap_or_else(|| panic!("no price: {term}")))
        .sum()
}

/// The prices of instructions by name.
fn prices(schedule: &GasSchedule) -> Value {
    serde_json::to_value(&schedule.wasm).unwrap()
}

/// What a call without input costs around the body of `call`: the transaction, an instance with one
/// page, the allocator and the entry of `call` with the constant that it returns.
pub fn around(schedule: &GasSchedule) -> u64 {
    let function = "1 function_entry, 1 frame_per_64_words, 1 constant";
    let call = &schedule.call;
    call.base + call.instance + 2 * sum(&prices(schedule), function)
}

/// What a body is, and what it pays.
#[derive(Clone, Default)]
struct Body {
    name: String,
    rule: String,
    /// What stands before the functions.
    before: &'static str,
    locals: &'static str,
    text: String,
    paid: String,
}

/// A file of bodies, each of which runs with all the gas it wants, exactly enough, and too little.
fn bodies(name: &'static str, bodies: Vec<Body>) -> File {
    let schedule = GasSchedule::v1();
    let prices = prices(&schedule);
    let mut file = File::new("metering", name, REASON);
    for (number, body) in bodies.into_iter().enumerate() {
        let execution = around(&schedule) + sum(&prices, &body.paid);
        file.push(
            Draft::new(
                format!("{} {}", number + 1, body.name),
                format!("{} The exact gas suffices; one less does not.", body.rule),
            )
            .install(frame(body.before, body.locals, &body.text))
            .call("c", [], executes(execution))
            .send("c", limited(execution), executes(execution))
            .send(
                "c",
                limited(execution - 1),
                uses_up(execution - 1, TrapCode::OutOfGas),
            ),
        );
    }
    file
}
