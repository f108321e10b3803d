//! A long run, and its replay on a fresh VM.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aivm::{CacheStats, Vm};
use serde::Serialize;

use crate::memory::resident;
use crate::traffic::{Contracts, Shape, TrafficError, run_chain, schedules};

/// How long.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// At least this long; the replay takes as long again on one thread.
    pub time: Duration,
    /// And at least so many chains.
    pub chains: u64,
    /// Blocks of a chain; a third of the way the schedule changes, at two thirds the code.
    pub blocks: u64,
    /// Transactions in a block.
    pub transactions: usize,
    /// Threads of the replay.
    pub replay_threads: usize,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Chains that were run.
    pub chains: usize,
    /// Transactions on them.
    pub transactions: u64,
    /// Chains whose receipts or state came out differently in the replay, by number.
    pub differences: Vec<usize>,
    /// Seconds of the run.
    pub run_seconds: f64,
    /// Seconds of the replay.
    pub replay_seconds: f64,
    /// Threads of the replay.
    pub replay_threads: usize,
    /// Resident memory in bytes after the first chain.
    pub memory_first: u64,
    /// Resident memory in bytes after half of the run.
    pub memory_middle: u64,
    /// Resident memory in bytes at the end of the run.
    pub memory_end: u64,
    /// Resident memory in bytes at the end of the replay.
    pub memory_replay: u64,
    /// Most resident memory in bytes.
    pub memory_peak: u64,
    /// Modules that the VM of the run compiled.
    pub compiled: u64,
    /// Modules that it dropped for want of room.
    pub evicted: u64,
    /// BLAKE3 over all receipts of the run.
    pub digest: String,
}

/// Room for a few modules only, so that code is dropped and compiled all the time.
const CODE_BYTES: u64 = 400 << 10;

/// Runs chains for a while on one VM and thread, with little room for code, then all of them
/// again on a fresh VM with more threads and room.
///
/// # Errors
/// When the contracts cannot be compiled, or a part of the node fails.
pub fn soak(root: &Path, length: &Length, progress: &dyn Fn(&str)) -> Result<Report, TrafficError> {
    let contracts = Contracts::load(root)?;
    let shape = Shape {
        blocks: length.blocks,
        transactions: length.transactions,
        schedule_at: (length.blocks / 3).max(1),
        code_at: length.blocks * 2 / 3,
        forget_every: 0,
        observed: false,
    };
    let set = schedules(shape.schedule_at)?;
    let vm = Vm::builder()
        .schedules(set.clone())
        .code_cache_bytes(CODE_BYTES)
        .build()?;
    let (mut chains, mut transactions) = (Vec::new(), 0);
    let mut memory = Vec::new();
    let start = Instant::now();
    while start.elapsed() < length.time || (chains.len() as u64) < length.chains {
        let (digest, count) = chain(&vm, &contracts, &shape, chains.len())?;
        chains.push(digest);
        transactions += count;
        memory.push(resident().0);
        progress(&format!(
            "run: {} chains, {transactions} transactions, {:.0} s",
            chains.len(),
            start.elapsed().as_secs_f64()
        ));
    }
    let run_seconds = start.elapsed().as_secs_f64();
    let stats = vm.cache_stats();
    drop(vm);

    let start = Instant::now();
    let vm = Vm::builder().schedules(set).build()?;
    let differences = replay(
        &vm,
        &contracts,
        &shape,
        &chains,
        length.replay_threads,
        progress,
    )?;
    let mut hasher = blake3::Hasher::new();
    chains.iter().for_each(|digest| {
        hasher.update(digest.as_bytes());
    });
    let (memory_replay, memory_peak) = resident();
    let CacheStats {
        compiled, evicted, ..
    } = stats;
    let at = |index: usize| memory.get(index).copied().unwrap_or_default();
    Ok(Report {
        chains: chains.len(),
        transactions,
        differences,
        run_seconds,
        replay_seconds: start.elapsed().as_secs_f64(),
        replay_threads: length.replay_threads,
        memory_first: at(0),
        memory_middle: at(memory.len() / 2),
        memory_end: at(memory.len().saturating_sub(1)),
        memory_replay,
        memory_peak,
        compiled,
        evicted,
        digest: hasher.finalize().to_hex().to_string(),
    })
}

/// Digest over the receipts and the final state of a chain, and the number of its transactions.
fn chain(
    vm: &Vm,
    contracts: &Contracts,
    shape: &Shape,
    number: usize,
) -> Result<(blake3::Hash, u64), TrafficError> {
    let mut hasher = blake3::Hasher::new();
    let mut count = 0;
    let state = run_chain(vm, contracts, shape, number as u64, &mut |_, _, _, hash| {
        hasher.update(&hash);
        count += 1;
    })?;
    hasher.update(&state);
    Ok((hasher.finalize(), count))
}

/// Numbers of the chains that come out differently.
fn replay(
    vm: &Vm,
    contracts: &Contracts,
    shape: &Shape,
    chains: &[blake3::Hash],
    threads: usize,
    progress: &dyn Fn(&str),
) -> Result<Vec<usize>, TrafficError> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Ok(Vec::new()));
    let work = |progress: &dyn Fn(&str)| {
        while let Some((number, expected)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            chains.get(number).map(|digest| (number, digest))
        } {
            let outcome = chain(vm, contracts, shape, number);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            match (outcome, &mut *found) {
                (Ok((digest, _)), _) if digest == *expected => {}
                (Ok(_), Ok(numbers)) => numbers.push(number),
                (Err(error), Ok(_)) => *found = Err(error),
                (_, Err(_)) => return,
            }
            drop(found);
            progress(&format!(
                "replay: {} of {} chains",
                number + 1,
                chains.len()
            ));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| work(&|_| ()));
        }
        work(progress);
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    found.sort_unstable();
    Ok(found)
}

impl Report {
    /// The report for people.
    pub fn text(&self) -> String {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        format!(
            "{} chains with {} transactions, each with a new schedule and new code on the way\n\
             run      {:.0} s on one thread, {:.0} transactions a second; {} modules compiled, {} evicted\n\
             replay   {:.0} s on {} threads, fresh VM: {} chains differ\n\
             memory   {:.0} MB after the first chain, {:.0} in the middle, {:.0} at the end; {:.0} after the replay; peak {:.0}\n\
             digest   {}\n",
            self.chains,
            self.transactions,
            self.run_seconds,
            self.transactions as f64 / self.run_seconds,
            self.compiled,
            self.evicted,
            self.replay_seconds,
            self.replay_threads,
            self.differences.len(),
            megabytes(self.memory_first),
            megabytes(self.memory_middle),
            megabytes(self.memory_end),
            megabytes(self.memory_replay),
            megabytes(self.memory_peak),
            self.digest,
        )
    }
}
