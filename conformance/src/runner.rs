//! Running vectors and comparing what came with what was expected.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;
use serde_json::Value;

use crate::adapter::{Adapter, AdapterError, Case, Results};
use crate::vector::Vector;

/// Native stack of a thread that runs vectors: interpreters nest on it.
const STACK: usize = 256 << 20;

/// A vector to be run.
#[derive(Debug)]
pub struct Task<'a> {
    /// Its suite.
    pub suite: &'a str,
    /// What is expected.
    pub vector: &'a Vector,
    /// What is run.
    pub case: Case,
}

/// How a vector ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Suite of the vector.
    pub suite: String,
    /// Its name.
    pub name: String,
    /// The rule that it tests.
    pub rule: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The first difference, or why it could not be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// What came of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All is as expected.
    Passed,
    /// Something is not.
    Failed,
    /// The implementation does not have what it needs.
    Unsupported,
}

/// The first difference between what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: a step and the field in it.
    pub place: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
}

/// Why tasks were left, and the reports of those that were not.
#[derive(Debug)]
pub struct Stopped {
    /// In the order of the tasks. The one at which an implementation was given up is among them.
    pub reports: Vec<Report>,
    /// Why.
    pub error: AdapterError,
}

/// Runs tasks, each on one of `jobs` implementations that `start` makes, and tells `progress`
/// how many are done and which was the last. Reports come in the order of the tasks.
///
/// # Errors
/// When an implementation cannot be started or was given up, with the reports so far.
pub fn run(
    tasks: &[Task<'_>],
    jobs: usize,
    start: &(dyn Fn() -> Result<Box<dyn Adapter>, AdapterError> + Sync),
    progress: &(dyn Fn(usize, &Task<'_>) + Sync),
) -> Result<Vec<Report>, Stopped> {
    let (next, done, stopped) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    let reports: Mutex<Vec<Option<Report>>> = Mutex::new(vec![None; tasks.len()]);
    let work = || -> Result<(), AdapterError> {
        let mut adapter = start()?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(index) else {
                return Ok(());
            };
            if stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            let (report, end) = run_one(task, adapter.as_mut());
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, task);
            let mut reports = reports.lock().unwrap_or_else(|e| e.into_inner());
            if let Some(place) = reports.get_mut(index) {
                *place = Some(report);
            }
            if let Some(error) = end {
                return Err(error);
            }
        }
    };
    let work = || work().inspect_err(|_| stopped.store(true, Ordering::Relaxed));
    let outcome = std::thread::scope(|scope| {
        let worker = || {
            let builder = std::thread::Builder::new().stack_size(STACK);
            builder
                .spawn_scoped(scope, work)
                .map_err(|e| AdapterError::Failed(e.to_string()))
        };
        let workers: Vec<_> = (0..jobs.max(1).min(tasks.len()))
            .map(|_| worker())
            .collect();
        let mut outcome = Ok(());
        for worker in workers {
            let ended = worker.and_then(|worker| match worker.join() {
                Ok(ended) => ended,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            outcome = outcome.and(ended);
        }
        outcome
    });
    let reports = reports.into_inner().unwrap_or_else(|e| e.into_inner());
    let reports = reports.into_iter().flatten().collect();
    match outcome {
        Ok(()) => Ok(reports),
        Err(error) => Err(Stopped { reports, error }),
    }
}

/// Runs a task and compares. Gives the error too after which no other task has a chance.
fn run_one(task: &Task<'_>, adapter: &mut dyn Adapter) -> (Report, Option<AdapterError>) {
    let outcome = adapter.run(&task.case);
    let (verdict, difference) = match &outcome {
        Ok(results) => match compare(task.vector, results) {
            None => (Verdict::Passed, None),
            difference => (Verdict::Failed, difference),
        },
        Err(error) => {
            let verdict = match error {
                AdapterError::Unsupported(_) => Verdict::Unsupported,
                _ => Verdict::Failed,
            };
            let difference = Difference {
                place: "the run as a whole".into(),
                expected: "results".into(),
                found: error.to_string(),
            };
            (verdict, Some(difference))
        }
    };
    let report = Report {
        suite: task.suite.into(),
        name: task.vector.name.clone(),
        rule: task.vector.rule.clone(),
        verdict,
        difference,
    };
    (report, outcome.err().filter(AdapterError::is_final))
}

/// The first difference between what a vector expects and what came.
pub fn compare(vector: &Vector, results: &Results) -> Option<Difference> {
    let steps = vector.steps.len();
    if results.outcomes.len() != steps {
        return Some(Difference {
            place: "the number of outcomes".into(),
            expected: steps.to_string(),
            found: results.outcomes.len().to_string(),
        });
    }
    for (index, (step, found)) in vector.steps.iter().zip(&results.outcomes).enumerate() {
        let place = format!("step {}", index + 1);
        let Some(expected) = &step.expect else {
            return Some(Difference {
                place,
                expected: "an expectation in the vector".into(),
                found: value(found).to_string(),
            });
        };
        if let Some(difference) = first(&place, &value(expected), &value(found)) {
            return Some(explained(difference));
        }
    }
    let storage = first("storage", &value(&vector.storage), &value(&results.storage));
    storage.or_else(|| {
        first(
            "balances",
            &value(&vector.balances),
            &value(&results.balances),
        )
    })
}

fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

/// The fields of a receipt, those first that tell most.
const ORDER: [&str; 7] = [
    "status",
    "output",
    "events",
    "outbox",
    "outbox_root",
    "gas",
    "receipt",
];

/// The first place at which two values differ.
fn first(place: &str, expected: &Value, found: &Value) -> Option<Difference> {
    if expected == found {
        return None;
    }
    if let (Value::Object(a), Value::Object(b)) = (expected, found) {
        let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
        let rank = |key: &str| ORDER.iter().position(|name| *name == key);
        keys.sort_by_key(|key| rank(key).unwrap_or(ORDER.len()));
        for key in keys {
            let missing = Value::Null;
            let (a, b) = (
                a.get(key).unwrap_or(&missing),
                b.get(key).unwrap_or(&missing),
            );
            if a != b {
                return first(&format!("{place}.{key}"), a, b);
            }
        }
    }
    if let (Value::Array(a), Value::Array(b)) = (expected, found)
        && a.len() == b.len()
        && let Some((index, (a, b))) = a.iter().zip(b).enumerate().find(|(_, (a, b))| a != b)
    {
        return first(&format!("{place}[{index}]"), a, b);
    }
    let shown = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    };
    Some(Difference {
        place: place.into(),
        expected: shown(expected),
        found: shown(found),
    })
}

/// A hash tells nothing; say what it is of.
fn explained(mut difference: Difference) -> Difference {
    if difference.place.ends_with(".receipt.receipt") {
        difference.found += " (the parts shown are equal: state delta, transcript, inferences, \
                             PQ checks or schedule differ)";
    }
    difference
}
