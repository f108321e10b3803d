//! Memory and instances: pages that a call is the first to write, and contracts that are called.

use aivm_gas::GasSchedule;

use crate::contract::{World, call_body, guest_text, limbs, push_word};
use crate::fit::{self, Item};
use crate::host::{price, run};

const PAGES: [usize; 4] = [8, 24, 40, 56];
const CALLS: [usize; 4] = [4, 8, 12, 16];

/// Writes a byte of every 4 KiB between two pages.
fn touch(from: usize, to: usize) -> String {
    let (from, to) = (from << 16, to << 16);
    format!(
        "(local.set $at (i32.const {from}))
         (loop $next (i32.store8 (local.get $at) (i32.const 1))
           (local.set $at (i32.add (local.get $at) (i32.const 4096)))
           (br_if $next (i32.lt_u (local.get $at) (i32.const {to}))))"
    )
}

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a contract")
}

/// A contract with more memory than others.
fn contract(pages: usize, body: &str, rest: &str) -> Vec<u8> {
    let nothing = "(call $result (i32.const 0) (i32.const 0) (i32.const 0))";
    let text = guest_text(&[], &(call_body(&format!("{body} {nothing}")) + rest));
    wasm(&text.replace(
        "(memory (export \"memory\") 2)",
        &format!("(memory (export \"memory\") {pages})"),
    ))
}

/// A contract that calls another so many times.
fn caller(target: &[u8; 32], count: usize) -> Vec<u8> {
    let data: String = target.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let target = push_word("(i32.const 4096)");
    let value = "(i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)";
    let call = format!(
        "(call $calls.call {target} {value} (i64.const 100000000) (i32.const 4096) (i32.const 4) (i32.const 2048))"
    );
    let nothing = "(call $result (i32.const 0) (i32.const 0) (i32.const 0))";
    let body = call_body(&format!("{} {nothing}", call.repeat(count)));
    wasm(&guest_text(
        &["calls.call"],
        &format!("(data (i32.const 4096) \"{data}\") {body}"),
    ))
}

pub fn items(schedule: &GasSchedule) -> Vec<Item> {
    let mut world = World::new();
    let mut items = Vec::new();
    let mut measure =
        |name: &str, path: &str, counts: [usize; 4], modules: Vec<Vec<u8>>, world: &mut World| {
            let (mut times, mut gases) = (Vec::new(), Vec::new());
            for (count, module) in counts.iter().zip(modules) {
                match run(world, &module) {
                    Ok((ns, gas)) => {
                        times.push((*count as f64, ns));
                        gases.push((*count as f64, gas));
                    }
                    Err(why) => return eprintln!("{name} is not measured: {why}"),
                }
            }
            let ((ns, r2), (gas, _)) = (fit::slope(&times), fit::slope(&gases));
            items.push(Item {
                name: name.to_owned(),
                price: path.to_owned(),
                now: price(schedule, path),
                units: 1.0,
                ns: ns.max(1e-3),
                gas,
                r2,
            });
        };
    let each = |f: fn(usize) -> Vec<u8>| PAGES.map(f).to_vec();
    measure(
        "a page",
        "call/instance_page",
        PAGES,
        each(|n| contract(n, "", "")),
        &mut world,
    );
    measure(
        "a page that is written",
        "call/instance_page",
        PAGES,
        each(|n| contract(n, &touch(1, n), "")),
        &mut world,
    );
    measure(
        "a page with data that is written",
        "call/instance_page",
        PAGES,
        each(|n| {
            let data = format!("(data (i32.const {}) \"x\")", (n << 16) - 1);
            contract(n, &touch(1, n), &data)
        }),
        &mut world,
    );
    measure(
        "a page that is grown and written",
        "wasm/memory_page",
        PAGES,
        each(|n| {
            contract(
                1,
                &format!("(drop (memory.grow (i32.const {n}))) {}", touch(1, n + 1)),
                "",
            )
        }),
        &mut world,
    );
    let change = "(table 1 funcref) (func (table.set 0 (i32.const 0) (ref.null func)))";
    for (name, body, rest) in [
        ("a called contract", String::new(), ""),
        (
            "a called contract that writes its pages",
            touch(0, 2).replace("(i32.const 1))", "(i32.load8_u (local.get $at)))"),
            "",
        ),
        (
            "a called contract whose instance is made anew",
            String::new(),
            change,
        ),
    ] {
        let callee = world.deploy(&contract(2, &body, rest));
        let callers = CALLS.map(|count| caller(&limbs(&callee), count)).to_vec();
        measure(name, "call/instance", CALLS, callers, &mut world);
    }
    items
}
