//! A chain from genesis on, with a new schedule and new code on the way.

use aivm::{GasSchedule, Hash, MemoryHost, ScheduleSet, Vm};

use super::{Contracts, Kind, Plan, Scene, TrafficError, fingerprint};

/// How long a chain is, and what happens on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Blocks.
    pub blocks: u64,
    /// Transactions in each; blocks in which much is voted have more.
    pub transactions: usize,
    /// Height from which the second schedule is in force.
    pub schedule_at: u64,
    /// Height before which the token gets other code.
    pub code_at: u64,
    /// Blocks after which compiled code and models are dropped; never when zero.
    pub forget_every: u64,
    /// Whether inspectors watch every call.
    pub observed: bool,
}

/// The first schedule, and from a height on a second one whose instructions, state and
/// inferences have other prices.
///
/// # Errors
/// When the height is zero.
pub fn schedules(second_from: u64) -> Result<ScheduleSet, TrafficError> {
    let first = GasSchedule::v1();
    let mut second = first.clone();
    second.version += 1;
    second.name = "second".into();
    second.wasm.integer += 1;
    second.wasm.load += 2;
    second.storage.write += 5_000;
    second.storage.read_warm += 100;
    second.nn.infer_base += 1;
    second.call.base += 1_000;
    let mut set = ScheduleSet::new(first)
        .map_err(|_| TrafficError::Inconsistent("the first schedule is not valid"))?;
    set.activate(second_from, second)
        .map_err(|_| TrafficError::Inconsistent("the second schedule is not valid"))?;
    Ok(set)
}

/// Runs a chain on a VM with the [`schedules`] of its shape. `each` gets height, number in the
/// block, kind and fingerprint of each transaction. The result is the hash of the state at the end.
///
/// # Errors
/// When a part of the node fails.
pub fn run_chain(
    vm: &Vm,
    contracts: &Contracts,
    shape: &Shape,
    seed: u64,
    each: &mut dyn FnMut(u64, usize, Kind, Hash),
) -> Result<Hash, TrafficError> {
    let mut scene = Scene::new(vm, MemoryHost::new(), contracts)?;
    let mut plan = Plan::new(contracts, &scene, seed);
    for height in 1..=shape.blocks {
        scene.begin(height);
        if shape.forget_every > 0 && height % shape.forget_every == 0 {
            vm.clear_caches();
        }
        if height == shape.code_at {
            scene.upgrade(vm, contracts)?;
        }
        for (number, transaction) in plan.block(height, shape.transactions)?.iter().enumerate() {
            let outcome = scene.run(vm, transaction, shape.observed);
            each(height, number, transaction.kind, fingerprint(outcome)?);
        }
    }
    Ok(scene.host.state_hash())
}
