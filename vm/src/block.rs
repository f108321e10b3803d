//! What the transactions of a block share.

use aivm_gas::GasSchedule;

/// The PQ-Gas lane of one block: what its transactions may use together.
///
/// A transaction that asks for more than the block has left is refused with [`Error::BlockFull`](crate::Error::BlockFull),
/// whatever its contracts would have made of it, and changes nothing: it waits for a later block. So a receipt never
/// depends on how much of the lane the transactions before it have used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockPqGas {
    limit: u64,
    used: u64,
}

impl BlockPqGas {
    /// The lane of a block in which nothing has run, with the schedule's `max_pqc_gas_per_block`.
    pub fn new(schedule: &GasSchedule) -> Self {
        Self {
            limit: schedule.pqc.max_pqc_gas_per_block,
            used: 0,
        }
    }

    /// PQ-Gas that the block may use.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// PQ-Gas that its transactions have used.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// PQ-Gas that is left.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Takes note of a transaction that ran.
    pub(crate) fn spend(&mut self, pq_gas: u64) {
        self.used = self.used.saturating_add(pq_gas);
    }
}
