//! Writing outcomes into vectors.

use crate::adapter::Results;
use crate::vector::{Step, Vector};

/// An outcome contradicts what the vector claims.
#[derive(Debug, thiserror::Error)]
#[error("vector `{vector}`, step {step}: {what}")]
pub struct Contradiction {
    vector: String,
    step: usize,
    what: String,
}

/// The vector with the outcomes that came put in place of the expected ones.
///
/// # Errors
/// When one contradicts the step's claim.
pub fn bless(vector: &Vector, results: &Results) -> Result<Vector, Contradiction> {
    let mut steps = Vec::with_capacity(vector.steps.len());
    for (index, step) in vector.steps.iter().enumerate() {
        let contradiction = |what| Contradiction {
            vector: vector.name.clone(),
            step: index + 1,
            what,
        };
        let outcome = results.outcomes.get(index);
        let outcome = outcome.ok_or_else(|| contradiction("there is no outcome".to_owned()))?;
        if let Some(claim) = &step.claim
            && let Some(what) = claim.contradiction(outcome)
        {
            return Err(contradiction(what));
        }
        steps.push(Step {
            expect: Some(outcome.clone()),
            ..step.clone()
        });
    }
    Ok(Vector {
        steps,
        storage: results.storage.clone(),
        balances: results.balances.clone(),
        ..vector.clone()
    })
}
