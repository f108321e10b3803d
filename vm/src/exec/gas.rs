//! Gas by lane and by cause.

/// What gas was spent on. Everything that no cause below claims is execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Instructions, locals, frames, instances, the transaction itself.
    Execution,
    /// Host functions: base prices, bytes, extensions.
    Host,
    /// Neural networks.
    Inference,
    /// Persistent state.
    Storage,
}

/// Gas spent so far, by cause, and the PQ lane.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GasLanes {
    pub inference: u64,
    pub storage: u64,
    pub host: u64,
    pub pq: u64,
    /// What the transaction may use; beyond it the call traps.
    pub pq_limit: u64,
    /// What the block has left; beyond it the transaction is refused.
    pub pq_block: u64,
}

impl GasLanes {
    #[inline]
    pub fn add(&mut self, cause: Cause, gas: u64) {
        let sum = match cause {
            Cause::Execution => return,
            Cause::Inference => &mut self.inference,
            Cause::Storage => &mut self.storage,
            Cause::Host => &mut self.host,
        };
        *sum = sum.saturating_add(gas);
    }

    /// What remains of `total` for execution.
    pub fn execution(&self, total: u64) -> u64 {
        total
            .saturating_sub(self.inference)
            .saturating_sub(self.storage)
            .saturating_sub(self.host)
    }
}
