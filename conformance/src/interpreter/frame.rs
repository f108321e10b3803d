//! A contract that runs, and what all contracts of its transaction share.

use std::collections::BTreeSet;
use std::sync::Arc;

use aivm::{Address, Word};
use aivm_abi::canonical::Handles;
use aivm_abi::receipt::{Inference, PqcCheck};
use aivm_abi::{Exit, FuncId, IMPORTS, Meter, Transcript, TrapCode};
use aivm_gas::{GasSchedule, HostPrice};

use super::Fault;
use super::chain::{Hash, Ledger, World};
use super::engine::{self, Modules};
use super::foreign::Foreign;

/// What ran, or runs now, in one transaction.
#[derive(Default)]
pub(super) struct Shared {
    pub modules: Modules,
    pub schedule: GasSchedule,
    pub schedule_hash: Hash,
    pub world: World,
    pub ledger: Ledger,
    pub origin: Address,
    pub transcript: Transcript,
    /// Entries that somebody has looked at.
    pub warm: BTreeSet<(Address, Vec<u8>)>,
    pub lanes: Lanes,
    pub inferences: Vec<Inference>,
    pub checks: Vec<PqcCheck>,
    /// Contracts that run, and whether they allow to be entered again.
    pub open: Vec<(Address, bool)>,
    pub fault: Option<Fault>,
}

/// Gas by cause, other than execution, and PQ-Gas.
#[derive(Default)]
pub(super) struct Lanes {
    pub host: u64,
    pub storage: u64,
    pub inference: u64,
    pub pq: u64,
    pub pq_limit: u64,
    /// What the transactions before it have left of the block's PQ-Gas.
    pub pq_block: u64,
}

/// The block has less PQ-Gas left than the transaction needs, which waits for another one.
#[derive(Debug, thiserror::Error)]
#[error("the block is full")]
pub(super) struct BlockFull;

/// Which export runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Construct,
    Call,
    Query,
}

impl Entry {
    pub fn name(self) -> &'static str {
        match self {
            Self::Construct => "construct",
            Self::Call => "call",
            Self::Query => "query",
        }
    }
}

/// What a contract is asked to do.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub entry: Entry,
    pub contract: Address,
    pub code: Hash,
    pub caller: Address,
    pub value: Word,
    pub input: Vec<u8>,
    pub gas: u64,
    pub read_only: bool,
    pub reentrant: bool,
}

/// How a contract ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Return(Vec<u8>),
    Revert(Vec<u8>),
    Trap(TrapCode),
}

/// The data of a store: the contract that runs in it.
pub(super) struct Frame {
    pub shared: Box<Shared>,
    pub message: Message,
    pub gas: u64,
    pub checkpoints: Vec<Ledger>,
    /// What a guest that was written for another host holds.
    pub foreign: Foreign,
    /// True while the guest's allocator runs for the host.
    pub allocating: bool,
}

impl Frame {
    /// Runs a contract to its end; the gas that is left comes with it. Undoing what it did is up
    /// to the caller.
    pub fn run(mut shared: Box<Shared>, message: Message) -> Result<(Box<Shared>, End, u64), Exit> {
        shared.open.push((message.contract, message.reentrant));
        let gas = message.gas;
        let mut frame = Self {
            shared,
            message,
            gas,
            checkpoints: Vec::new(),
            foreign: Foreign::default(),
            allocating: false,
        };
        let (mut frame, end) = match frame.instance_price() {
            Ok(module) => engine::run(frame, &module)?,
            Err(Exit::Trap(code)) => (frame, End::Trap(code)),
            Err(other) => return Err(other),
        };
        frame.shared.open.pop();
        let left = match end {
            End::Trap(_) => 0,
            _ => frame.gas,
        };
        Ok((frame.shared, end, left))
    }

    fn instance_price(&mut self) -> Result<Arc<wasmi::Module>, Exit> {
        let module = self.shared.module(&self.message.code)?;
        let pages: u64 = module
            .exports()
            .filter_map(|export| match export.ty() {
                wasmi::ExternType::Memory(ty) => Some(ty.minimum()),
                _ => None,
            })
            .max()
            .unwrap_or(0);
        let call = &self.shared.schedule.call;
        let price = call
            .instance
            .saturating_add(call.instance_page.saturating_mul(pages.max(2) - 2));
        self.spend(price)?;
        Ok(module)
    }

    /// Spends gas of the first lane; the rest of the limit is execution.
    pub fn spend(&mut self, gas: u64) -> Result<(), Exit> {
        self.gas = self.gas.checked_sub(gas).ok_or(TrapCode::OutOfGas)?;
        Ok(())
    }

    pub fn spend_host(&mut self, gas: u64) -> Result<(), Exit> {
        self.spend(gas)?;
        self.shared.lanes.host += gas;
        Ok(())
    }

    pub fn spend_storage(&mut self, gas: u64) -> Result<(), Exit> {
        self.spend(gas)?;
        self.shared.lanes.storage += gas;
        Ok(())
    }

    /// Refuses changes of state in a read-only call.
    pub fn writes(&self) -> Result<(), Exit> {
        match self.message.read_only {
            true => Err(TrapCode::WriteInQuery.into()),
            false => Ok(()),
        }
    }
}

impl Shared {
    /// The instrumented module of some code.
    pub fn module(&mut self, code: &Hash) -> Result<Arc<wasmi::Module>, Exit> {
        let wasm = self.world.library.codes.get(code).cloned();
        let wasm = wasm.ok_or_else(|| Exit::host("a contract without code"))?;
        let schedule = match self.fault {
            Some(Fault::Cache) => Hash::default(),
            _ => self.schedule_hash,
        };
        self.modules.get((*code, schedule), &wasm, &self.schedule)
    }

    fn price(&self, func: FuncId) -> HostPrice {
        let import = IMPORTS.get(func.index());
        let price = import.and_then(|import| self.schedule.host_price(import.key));
        price.unwrap_or(HostPrice {
            base: u64::MAX,
            per_byte: u64::MAX,
        })
    }
}

impl Meter for Frame {
    fn charge(&mut self, func: FuncId) -> Result<(), Exit> {
        self.spend_host(self.shared.price(func).base)
    }

    fn charge_bytes(&mut self, func: FuncId, bytes: u64) -> Result<(), Exit> {
        self.spend_host(self.shared.price(func).per_byte.saturating_mul(bytes))
    }

    fn transfer_limit(&self) -> u32 {
        let call = &self.shared.schedule.call;
        call.max_input_bytes.max(call.max_output_bytes)
    }

    fn transcript(&mut self) -> &mut Transcript {
        &mut self.shared.transcript
    }

    fn handles(&mut self) -> Option<&mut Handles> {
        Some(&mut self.foreign.handles)
    }
}
