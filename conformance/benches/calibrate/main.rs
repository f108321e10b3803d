//! Measures what has a price, beside what the schedule asks for it.
//!
//! `cargo xtask calibrate [wasm|host|memory|nn|pqc]...` prints one table for each word, all of them
//! when there is none. Each item is fitted with a line: time over repetitions, or over size.
//! `cheap by` says how many times less gas a nanosecond of the item costs than a nanosecond
//! of the median: of all instructions in the first lane, of all algorithms in the PQ lane.
//! Above 2 an item is too cheap. `implied` is what its price would have to be to cost as
//! much as the median.
#![allow(missing_docs)]

#[path = "../../../vm/tests/common/mod.rs"]
mod contract;
#[path = "../../tests/engines/machine/cranelift.rs"]
mod cranelift;
mod fit;
mod host;
mod memory;
mod nn;
#[allow(unexpected_cfgs, reason = "it names a feature of its own crate")]
#[path = "../../../nn-backends/tests/common/mod.rs"]
mod onnx;
mod pqc;
mod shapes;
mod wasm;

use aivm_gas::GasSchedule;
use fit::Item;

fn print(group: &str, median: f64, items: &[Item]) {
    println!("\n{group}: the median is {median:.2} gas per nanosecond\n");
    println!("| item | price | ns | gas | R² | cheap by | now | implied |");
    println!("|---|---|--:|--:|--:|--:|--:|--:|");
    for item in items {
        println!(
            "| {} | `{}` | {:.2} | {:.1} | {:.4} | {:.2} | {:.0} | {:.1} |",
            item.name,
            item.price,
            item.ns,
            item.gas,
            item.r2,
            median / item.rate(),
            item.now,
            item.implied(median)
        );
    }
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |word: &str| words.is_empty() || words.iter().any(|wanted| wanted == word);
    let schedule = GasSchedule::v1();
    let mut worst: Option<(f64, Item)> = None;
    let mut report = |group: &str, median: f64, items: Vec<Item>| {
        print(group, median, &items);
        for item in items {
            let cheap = median / item.rate();
            if worst.as_ref().is_none_or(|(most, _)| cheap > *most) {
                worst = Some((cheap, item));
            }
        }
    };
    // The unit of the first lane.
    let instructions = wasm::items(&schedule);
    let median = fit::median(&instructions);
    if wanted("wasm") {
        report("Instructions", median, instructions);
    }
    if wanted("host") {
        report("Host functions", median, host::items(&schedule));
    }
    if wanted("memory") {
        report("Memory and instances", median, memory::items(&schedule));
    }
    if wanted("nn") {
        report("Neural networks", median, nn::items(&schedule));
        report("Networks in odd shapes", median, shapes::items(&schedule));
    }
    if wanted("pqc") {
        let items = pqc::items(&schedule);
        report("PQ lane", fit::median(&items), items);
    }
    if let Some((cheap, item)) = worst {
        println!(
            "\nmost mispriced: {} (`{}`), {cheap:.2} times cheaper per nanosecond than the median",
            item.name, item.price
        );
    }
}
