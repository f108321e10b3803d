//! One digest of everything that the vectors and some traffic give on this machine.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::adapter::{Adapter, AdapterError, Case};
use crate::machine::Machine;
use crate::setup::{Code, SetupError, Vms};
use crate::suite::{self, SuiteError};
use crate::traffic::{Contracts, Shape, TrafficError, run_chain, schedules};

/// Chains of the workload.
const CHAINS: u64 = 3;
/// A chain of the workload: two elections, a new schedule and new code on the way.
const SHAPE: Shape = Shape {
    blocks: 20,
    transactions: 12,
    schedule_at: 7,
    code_at: 13,
    forget_every: 0,
    observed: false,
};

/// What was run, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// BLAKE3 over all items, in order.
    pub digest: String,
    /// Vectors among the items.
    pub vectors: usize,
    /// Transactions of the traffic among the items.
    pub transactions: usize,
    /// Name and BLAKE3 of each item.
    pub items: Vec<(String, String)>,
}

impl Digest {
    /// The digest of parts, in order.
    fn of(items: Items, vectors: usize) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (name, hash) in &items {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(hash.as_bytes());
        }
        Self {
            digest: hasher.finalize().to_hex().to_string(),
            vectors,
            transactions: items.len().saturating_sub(vectors),
            items,
        }
    }

    /// One digest of what several runs gave, each of its part of the workload.
    pub fn joined(parts: Vec<Self>) -> Self {
        let vectors = parts.iter().map(|part| part.vectors).sum();
        let items = parts.into_iter().flat_map(|part| part.items).collect();
        Self::of(items, vectors)
    }
}

/// A part of the workload: one of several of about the same length, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    number: usize,
    of: usize,
}

impl Part {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// All of `of` parts.
    pub fn all(of: usize) -> impl Iterator<Item = Self> {
        (1..=of).map(move |number| Self { number, of })
    }

    /// The places of its items among `length`.
    fn range(self, length: usize) -> std::ops::Range<usize> {
        let end = |parts: usize| length.saturating_mul(parts) / self.of;
        end(self.number - 1)..end(self.number)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(n, of)| Some((n.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("a part is its number and the number of parts, as in 2/8".into()),
        }
    }
}

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The vectors cannot be read.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// A vector gave no results.
    #[error("{vector}: {source}")]
    Vector {
        /// Its suite and name.
        vector: String,
        /// Why.
        source: AdapterError,
    },
    /// The traffic cannot be run.
    #[error(transparent)]
    Traffic(#[from] TrafficError),
    /// The VM cannot be set up.
    #[error(transparent)]
    Vm(#[from] aivm::Error),
    /// The setup cannot be had.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The warm run differs from the cold one.
    #[error("a second run in the same process differs at {0}")]
    Unsteady(String),
    /// No thread ran a unit.
    #[error("a part of the workload was not run")]
    Incomplete,
}

/// A part of the workload that one thread runs.
enum Unit {
    Vector(String, Box<Case>),
    Chain(u64),
}

type Items = Vec<(String, String)>;

/// Runs a part of the vectors below `vectors` and the traffic with contracts below `root`.
///
/// # Errors
/// When something cannot be read, set up or run.
pub fn digest(
    vms: &Arc<Vms>,
    vectors: &Path,
    root: &Path,
    part: Part,
) -> Result<Digest, DigestError> {
    let contracts = Contracts::load(root)?;
    let mut units = Vec::new();
    for (path, file) in suite::load(vectors)? {
        let folder = path.parent().unwrap_or(vectors);
        for vector in &file.vectors {
            let name = format!("{} / {}", file.suite, vector.name);
            units.push(Unit::Vector(
                name,
                Box::new(suite::case(&file, vector, folder)?),
            ));
        }
    }
    units.extend((0..CHAINS).map(Unit::Chain));
    let units: Vec<Unit> = units.drain(part.range(units.len())).collect();
    let vectors = units.iter().filter(|unit| matches!(unit, Unit::Vector(..)));
    let vectors = vectors.count();
    let mut items = pass(vms, &units, &contracts)?;
    if vms.setup().code != Code::Cold {
        let again = pass(vms, &units, &contracts)?;
        if let Some((first, _)) = items.iter().zip(&again).find(|(a, b)| a != b) {
            return Err(DigestError::Unsteady(first.0.clone()));
        }
        items = again;
    }
    Ok(Digest::of(items, vectors))
}

/// Runs all units, as many at once as there are threads.
fn pass(vms: &Arc<Vms>, units: &[Unit], contracts: &Contracts) -> Result<Items, DigestError> {
    let next = AtomicUsize::new(0);
    let results: Vec<_> = units.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some((unit, result)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            units.get(index).zip(results.get(index))
        } {
            let outcome = run(vms, unit, contracts);
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..vms.setup().threads {
            scope.spawn(work);
        }
        work();
    });
    let mut items = Items::new();
    for result in results {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        items.extend(result.ok_or(DigestError::Incomplete)??);
    }
    Ok(items)
}

fn run(vms: &Arc<Vms>, unit: &Unit, contracts: &Contracts) -> Result<Items, DigestError> {
    match unit {
        Unit::Vector(name, case) => {
            let failed = |source| DigestError::Vector {
                vector: name.clone(),
                source,
            };
            let results = Machine::with(vms.clone()).run(case).map_err(failed)?;
            let text = serde_json::to_vec(&results)
                .map_err(|error| failed(AdapterError::Failed(error.to_string())))?;
            Ok(vec![(name.clone(), hex(&text))])
        }
        Unit::Chain(seed) => {
            let shape = Shape {
                forget_every: if vms.setup().code == Code::Cold { 3 } else { 0 },
                observed: vms.setup().observed,
                ..SHAPE
            };
            let vm = vms.vm(&schedules(shape.schedule_at)?)?;
            let mut items = Items::new();
            let state = run_chain(
                &vm,
                contracts,
                &shape,
                *seed,
                &mut |height, number, kind, hash| {
                    let name = format!(
                        "chain {seed} / block {height} / transaction {number}, {}",
                        kind.name()
                    );
                    items.push((name, hex(&hash)));
                },
            )?;
            items.push((format!("chain {seed} / state"), hex(&state)));
            Ok(items)
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_of_it_and_joined_in_order() {
        for (length, of) in [(0, 3), (1, 3), (10, 3), (11, 4), (100, 1)] {
            let places: Vec<usize> = Part::all(of).flat_map(|part| part.range(length)).collect();
            assert_eq!(places, (0..length).collect::<Vec<_>>());
        }
        let item = |name: &str| (name.to_owned(), hex(name.as_bytes()));
        let [a, b, c] = ["a", "b", "c"].map(item);
        let whole = Digest::of(vec![a.clone(), b.clone(), c.clone()], 2);
        let parts = vec![Digest::of(vec![a], 1), Digest::of(vec![b, c], 1)];
        assert_eq!(Digest::joined(parts), whole);
    }

    #[test]
    fn what_is_no_part_is_refused() {
        assert_eq!("2/8".parse(), Ok(Part { number: 2, of: 8 }));
        for text in ["", "2", "0/8", "9/8", "0/0", "1/x", "-1/8", "1/8/2"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }
}
