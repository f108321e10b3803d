//! One large block of mixed transactions, timed.

use std::path::Path;
use std::time::{Duration, Instant};

use aivm::{MemoryHost, RedbHost, Status, Vm};
use serde::Serialize;

use crate::memory::resident;
use crate::overlay::Overlay;
use crate::traffic::{Clock, Contracts, Kind, Plan, Scene, TrafficError, Transaction};

/// Shares of the kinds, in twentieths.
const SHARES: [(Kind, u64); 4] = [
    (Kind::Transfer, 9),
    (Kind::Vote, 4),
    (Kind::Signature, 3),
    (Kind::Inference, 4),
];
/// Members who vote on a proposal.
const VOTERS: u64 = 64;

/// Figures of one kind of transaction.
#[derive(Clone, Debug, Serialize)]
pub struct KindFigures {
    /// The kind.
    pub kind: &'static str,
    /// Transactions.
    pub count: usize,
    /// Those that returned; the others reverted.
    pub returned: usize,
    /// Gas of one, on average.
    pub gas: u64,
    /// PQ-Gas of one, on average.
    pub pq_gas: u64,
    /// Median time in microseconds.
    pub p50_us: f64,
    /// Time in microseconds that 99 of 100 stay below.
    pub p99_us: f64,
}

/// Figures of a block on one host.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The host.
    pub host: &'static str,
    /// Transactions.
    pub transactions: usize,
    /// Seconds from the first transaction to the end of the block.
    pub seconds: f64,
    /// Transactions a second.
    pub per_second: f64,
    /// Gas a second.
    pub gas_per_second: f64,
    /// PQ-Gas a second.
    pub pq_gas_per_second: f64,
    /// Bytes of memory before the block.
    pub memory_before: u64,
    /// Bytes of memory after it.
    pub memory_after: u64,
    /// Figures of each kind, and of all.
    pub kinds: Vec<KindFigures>,
    /// BLAKE3 over status and gas of each transaction, which do not depend on the host.
    pub outcome: String,
}

/// Where the chain is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum HostKind {
    /// In memory.
    Memory,
    /// In a database that gets the changes of the block when it ends, and flushes them to disk.
    Durable,
    /// In a database that flushes the changes of each transaction to disk.
    DurableEach,
}

/// One transaction's time and outcome.
struct Sample {
    kind: Kind,
    time: Duration,
    status: Status,
    gas: u64,
    pq_gas: u64,
}

/// Runs a block of `count` transactions on a host.
///
/// # Errors
/// When the contracts cannot be compiled, or the VM or the host fails.
pub fn load(root: &Path, host: HostKind, count: usize, seed: u64) -> Result<Figures, TrafficError> {
    let contracts = Contracts::load(root)?;
    match host {
        HostKind::Memory => block(MemoryHost::new(), "memory", &contracts, count, seed),
        HostKind::Durable | HostKind::DurableEach => {
            let failed = |source| TrafficError::Read {
                path: std::env::temp_dir(),
                source,
            };
            let folder = tempfile::tempdir().map_err(failed)?;
            let file = RedbHost::open(folder.path().join("chain.redb"))?;
            match host {
                HostKind::DurableEach => block(file, "durable-each", &contracts, count, seed),
                _ => block(Overlay::new(file), "durable", &contracts, count, seed),
            }
        }
    }
}

/// A kind for each transaction, in a random order with the exact shares.
fn kinds(count: usize, seed: u64) -> Vec<Kind> {
    let total: u64 = SHARES.iter().map(|(_, share)| share).sum();
    let deck = SHARES
        .iter()
        .flat_map(|(kind, share)| std::iter::repeat_n(*kind, *share as usize));
    let deck: Vec<Kind> = deck.collect();
    let mut kinds: Vec<Kind> = (0..count)
        .filter_map(|n| deck.get(n % total as usize).copied())
        .collect();
    let mut state = seed;
    for last in (1..kinds.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        kinds.swap(last, ((state >> 33) % (last as u64 + 1)) as usize);
    }
    kinds
}

fn block<H: Clock>(
    host: H,
    name: &'static str,
    contracts: &Contracts,
    count: usize,
    seed: u64,
) -> Result<Figures, TrafficError> {
    let vm = Vm::builder().build()?;
    let mut scene = Scene::new(&vm, host, contracts)?;
    let mut plan = Plan::new(contracts, &scene, seed);
    scene.begin(1);
    let mut transactions: Vec<Transaction> = Vec::with_capacity(count);
    let mut votes = 0;
    for kind in kinds(count, seed) {
        if kind == Kind::Vote {
            if votes % VOTERS == 0 {
                // Before the block: proposals are few.
                scene.run(&vm, &plan.propose()?, false)?;
            }
            votes += 1;
        }
        transactions.push(plan.one(kind)?);
    }
    // Once each, so that nothing is compiled or loaded for the first time while the clock runs.
    for kind in SHARES.map(|(kind, _)| kind) {
        for _ in 0..8 {
            if kind == Kind::Transfer || kind == Kind::Inference {
                scene.run(&vm, &plan.one(kind)?, false)?;
            }
        }
    }
    scene.host.end_block()?;
    let memory_before = resident().0;
    let mut samples = Vec::with_capacity(count);
    let start = Instant::now();
    for transaction in &transactions {
        let start = Instant::now();
        let receipt = scene.run(&vm, transaction, false)?;
        samples.push(Sample {
            kind: transaction.kind,
            time: start.elapsed(),
            status: receipt.status,
            gas: receipt.gas.total(),
            pq_gas: receipt.gas.pq,
        });
    }
    scene.host.end_block()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(figures(name, &samples, seconds, memory_before))
}

fn figures(host: &'static str, samples: &[Sample], seconds: f64, memory_before: u64) -> Figures {
    let gas: u64 = samples.iter().map(|sample| sample.gas).sum();
    let pq_gas: u64 = samples.iter().map(|sample| sample.pq_gas).sum();
    let mut hasher = blake3::Hasher::new();
    for sample in samples {
        hasher.update(&[u8::from(sample.status.is_success())]);
        hasher.update(&sample.gas.to_le_bytes());
        hasher.update(&sample.pq_gas.to_le_bytes());
    }
    let mut kinds: Vec<KindFigures> = SHARES
        .iter()
        .filter_map(|(kind, _)| of(kind.name(), samples, |sample| sample.kind == *kind))
        .collect();
    kinds.extend(of("all", samples, |_| true));
    Figures {
        host,
        transactions: samples.len(),
        seconds,
        per_second: samples.len() as f64 / seconds,
        gas_per_second: gas as f64 / seconds,
        pq_gas_per_second: pq_gas as f64 / seconds,
        memory_before,
        memory_after: resident().0,
        kinds,
        outcome: hasher.finalize().to_hex().to_string(),
    }
}

fn of(
    kind: &'static str,
    samples: &[Sample],
    belongs: impl Fn(&Sample) -> bool,
) -> Option<KindFigures> {
    let chosen: Vec<&Sample> = samples.iter().filter(|sample| belongs(sample)).collect();
    let mut times: Vec<f64> = chosen
        .iter()
        .map(|sample| sample.time.as_secs_f64() * 1e6)
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (times.len() as f64 * share).ceil() as usize;
        times.get(index.saturating_sub(1)).copied()
    };
    let average = |value: fn(&Sample) -> u64| {
        let sum: u64 = chosen.iter().map(|sample| value(sample)).sum();
        sum.checked_div(chosen.len() as u64)
    };
    Some(KindFigures {
        kind,
        count: chosen.len(),
        returned: chosen.iter().filter(|s| s.status.is_success()).count(),
        gas: average(|sample| sample.gas)?,
        pq_gas: average(|sample| sample.pq_gas)?,
        p50_us: at(0.5)?,
        p99_us: at(0.99)?,
    })
}

impl Figures {
    /// The figures for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} host: {} transactions in {:.2} s, {:.0} a second\n{:.0} M gas and {:.2} M PQ-gas a second; memory {:.0} MB before the block, {:.0} MB after\n\n",
            self.host,
            self.transactions,
            self.seconds,
            self.per_second,
            self.gas_per_second / 1e6,
            self.pq_gas_per_second / 1e6,
            self.memory_before as f64 / 1e6,
            self.memory_after as f64 / 1e6,
        );
        text += "| kind | count | returned | gas | PQ-gas | p50, µs | p99, µs |\n|---|--:|--:|--:|--:|--:|--:|\n";
        for kind in &self.kinds {
            text += &format!(
                "| {} | {} | {} | {} | {} | {:.1} | {:.1} |\n",
                kind.kind,
                kind.count,
                kind.returned,
                kind.gas,
                kind.pq_gas,
                kind.p50_us,
                kind.p99_us
            );
        }
        text
    }
}
