//! What all frames of one transaction share.

use std::sync::Arc;

use aivm_abi::receipt::{Inference, PqcCheck};
use aivm_abi::{Address, Exit, Transcript, TrapCode};

use super::counting::Counting;
use super::gas::GasLanes;
use super::testing::Testing;
use crate::engine::Compiled;
use crate::error::Error;
use crate::host::{BlockContext, Hash, Host};
use crate::inspect::Inspector;
use crate::journal::Journal;
use crate::schedules::Active;
use crate::vm::Shared;

/// A frame that is open, as reentrancy and depth see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub contract: Address,
    pub reentrant: bool,
}

/// A transaction that runs.
pub(crate) struct Tx<'a> {
    pub shared: &'a Shared,
    pub active: &'a Active,
    pub host: &'a dyn Host,
    pub block: BlockContext,
    pub origin: Address,
    pub journal: Journal,
    pub transcript: Transcript,
    pub lanes: GasLanes,
    pub inferences: Vec<Inference>,
    /// Roots of the inferences that finished, where the chain keeps traces.
    pub inference_roots: Vec<Hash>,
    pub pqc: Vec<PqcCheck>,
    /// Code of the transaction's own contract, until its frame begins.
    pub first: Option<Arc<Compiled>>,
    /// Set when instructions are counted.
    pub counting: Option<Counting>,
    pub open: Vec<Open>,
    /// Set in tests only.
    pub testing: Option<Testing<'a>>,
    pub inspector: Option<&'a mut (dyn Inspector + 'a)>,
}

impl Tx<'_> {
    /// Charges the PQ-Gas lane.
    pub fn charge_pq(&mut self, pq_gas: u64) -> Result<(), Exit> {
        let sum = self.lanes.pq.saturating_add(pq_gas);
        if sum > self.lanes.pq_limit {
            return Err(Exit::Trap(TrapCode::PqGasLimit));
        }
        // No contract may see this, or it could tell how full the block is.
        if sum > self.lanes.pq_block {
            return Err(Exit::host(Error::BlockFull {
                needed: sum,
                left: self.lanes.pq_block,
            }));
        }
        self.lanes.pq = sum;
        Ok(())
    }

    /// Whether `contract` runs further up without having allowed reentrancy.
    pub fn reentrancy(&self, contract: &Address) -> bool {
        self.open
            .iter()
            .any(|open| open.contract == *contract && !open.reentrant)
    }

    /// Whether no further frame may be opened.
    pub fn too_deep(&self) -> bool {
        self.open.len() >= self.active.schedule.call.max_depth as usize
    }
}

/// A failure of the machine on its way up through the frames.
pub(crate) fn fail(error: impl Into<Error>) -> Exit {
    Exit::host(error.into())
}
