//! The vectors notice what an implementation gets wrong: five faults, each put into the second
//! implementation by a value that only this test gives it, each turns some vectors red.
//!
//! The faults are in the second implementation and not in the VM, so that no build of the VM holds a
//! switch that makes it wrong.

use std::path::{Path, PathBuf};

use aivm_conformance::runner::{self, Report, Task, Verdict};
use aivm_conformance::{Fault, Interpreter, VectorFile, suite};

fn files() -> Vec<(PathBuf, VectorFile)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    suite::load(&folder).unwrap()
}

/// The vectors of some suites that fail with a fault.
fn red(suites: &[&str], fault: Option<Fault>) -> Vec<Report> {
    let suites: Vec<String> = suites.iter().map(|suite| (*suite).to_owned()).collect();
    let files = suite::choose(files(), &suites).unwrap();
    let mut tasks = Vec::new();
    for (path, file) in &files {
        for vector in &file.vectors {
            tasks.push(Task {
                suite: &file.suite,
                vector,
                case: suite::case(file, vector, path.parent().unwrap()).unwrap(),
            });
        }
    }
    let start = || {
        Ok(Box::new(match fault {
            Some(fault) => Interpreter::with_fault(fault),
            None => Interpreter::default(),
        }) as _)
    };
    let reports = runner::run(&tasks, 2, &start, &|_, _| ()).unwrap();
    assert_eq!(reports.len(), tasks.len());
    let red = reports.into_iter().filter(|r| r.verdict == Verdict::Failed);
    red.collect()
}

/// Whether a vector whose name holds this text is among them, and where it differs.
fn place<'a>(red: &'a [Report], name: &str) -> &'a str {
    let found = red.iter().find(|report| report.name.contains(name));
    let found = found.unwrap_or_else(|| panic!("{name} is not among {red:#?}"));
    &found.difference.as_ref().unwrap().place
}

#[test]
fn nothing_is_red_without_a_fault() {
    let suites = ["metering", "calls", "abi", "nn", "synq"];
    assert!(red(&suites, None).is_empty());
}

#[test]
fn a_price_that_is_off_by_one() {
    let red = red(&["metering"], Some(Fault::Price));
    assert_eq!(place(&red, "i32.add costs"), "step 3.receipt.gas.execution");
    // Only what runs such an instruction costs more.
    assert!(!red.iter().any(|report| report.name.contains("i32.mul")));
}

#[test]
fn a_rounding_that_is_flipped() {
    let red = red(&["nn"], Some(Fault::Rounding));
    let place = place(&red, "QLinearMatMul by 0.5 to i8 with zero point 0");
    assert!(place.ends_with("receipt.output"), "{place}");
    // A tie needs a scale that is a power of two here.
    assert!(!red.iter().any(|report| report.name.contains("by 0.1 ")));
}

#[test]
fn topics_that_are_swapped() {
    let red = red(&["abi"], Some(Fault::Topics));
    assert!(place(&red, "an event with indexed values").contains("events[0].topics"));
}

#[test]
fn a_revert_that_keeps_state() {
    let red = red(&["calls", "synq", "metering"], Some(Fault::Revert));
    assert!(place(&red, "a call reverts with 32 bytes").contains("receipt"));
    assert_eq!(
        place(&red, "a failed call keeps nothing"),
        "step 5.receipt.receipt"
    );
}

#[test]
fn a_cache_that_does_not_know_the_schedule() {
    let red = red(&["metering"], Some(Fault::Cache));
    let place = place(&red, "`integer` rises at height 200");
    assert!(place.ends_with("gas.execution"), "{place}");
}
