//! Running vectors and comparing what came with what was expected.

use serde::Serialize;

use crate::adapter::{Adapter, Results};
use crate::vector::{Step, Vector};

/// How a vector ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Suite of the vector.
    pub suite: String,
    /// Its name.
    pub name: String,
    /// Nothing when it passed; else the first difference.
    pub difference: Option<Difference>,
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

/// Runs a case and compares.
pub fn run(
    suite: &str,
    vector: &Vector,
    case: &crate::adapter::Case,
    adapter: &mut dyn Adapter,
) -> Report {
    let difference = match adapter.run(case) {
        Ok(results) => compare(vector, &results),
        Err(error) => Some(Difference {
            place: "the run as a whole".into(),
            expected: "results".into(),
            found: error.to_string(),
        }),
    };
    Report {
        suite: suite.into(),
        name: vector.name.clone(),
        difference,
    }
}

/// The vector with the outcomes that came put in place of the expected ones.
pub fn blessed(vector: &Vector, results: &Results) -> Vector {
    let steps = vector
        .steps
        .iter()
        .zip(&results.outcomes)
        .map(|(step, outcome)| Step {
            action: step.action.clone(),
            expect: Some(outcome.clone()),
        });
    Vector {
        steps: steps.collect(),
        storage: results.storage.clone(),
        ..vector.clone()
    }
}

fn compare(vector: &Vector, results: &Results) -> Option<Difference> {
    for (index, step) in vector.steps.iter().enumerate() {
        let place = format!("step {}", index + 1);
        let (Some(expected), Some(found)) = (&step.expect, results.outcomes.get(index)) else {
            return Some(Difference {
                place,
                expected: step
                    .expect
                    .as_ref()
                    .map_or("an expectation in the vector".into(), text),
                found: results
                    .outcomes
                    .get(index)
                    .map_or("no outcome".into(), text),
            });
        };
        if let Some(difference) = first(&place, &value(expected), &value(found)) {
            return Some(difference);
        }
    }
    first("storage", &value(&vector.storage), &value(&results.storage))
}

fn value(of: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(of).unwrap_or_default()
}

fn text(of: &impl Serialize) -> String {
    value(of).to_string()
}

/// The first place, in the order of the expected value, at which two values differ.
fn first(
    place: &str,
    expected: &serde_json::Value,
    found: &serde_json::Value,
) -> Option<Difference> {
    use serde_json::Value;
    if expected == found {
        return None;
    }
    if let (Value::Object(a), Value::Object(b)) = (expected, found) {
        for key in a.keys().chain(b.keys()) {
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
    Some(Difference {
        place: place.into(),
        expected: expected.to_string(),
        found: found.to_string(),
    })
}
