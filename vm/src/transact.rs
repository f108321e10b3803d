//! One transaction from request to finished effects.

use aivm_abi::receipt::{Event, GasUsed, Inference, Kind, OutboxMessage, PqcCheck, Receipt};
use aivm_abi::{Address, Digest, Exit, Transcript, Word};
use aivm_nn::trace::transaction_root;

use crate::delta::StateDelta;
use crate::engine::{Entry, Outcome};
use crate::error::Error;
use crate::exec::{Counting, Frame, GasLanes, Message, Testing, Tx};
use crate::host::{BlockContext, Hash, Host};
use crate::inspect::{Inspector, OpcodeProfile};
use crate::journal::{Effects, Journal};
use crate::math::{to_u256, to_word};
use crate::request::{Call, Deploy};
use crate::schedules::Active;
use crate::vm::Shared;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    entry: Entry,
    from: Address,
    to: Address,
    /// Code to create the contract from; none to call one that exists.
    create: Option<Hash>,
    input: &'a [u8],
    value: Word,
    gas_limit: u64,
    pq_gas_limit: Option<u64>,
    /// PQ-Gas left to the block; none where blocks have no limit.
    pq_gas_of_block: Option<u64>,
    tx_hash: Hash,
    retain: Option<usize>,
    count: bool,
}

impl<'a> Plan<'a> {
    pub fn call(request: &'a Call) -> Self {
        Self {
            entry: Entry::Call,
            from: request.from,
            to: request.to,
            create: None,
            input: &request.input,
            value: request.value,
            gas_limit: request.gas_limit,
            pq_gas_limit: request.pq_gas_limit,
            pq_gas_of_block: None,
            tx_hash: request.tx_hash,
            retain: None,
            count: false,
        }
    }

    pub fn query(request: &'a Call) -> Self {
        Self {
            entry: Entry::Query,
            value: Word::ZERO,
            ..Self::call(request)
        }
    }

    pub fn deploy(request: &'a Deploy) -> Self {
        Self {
            entry: Entry::Construct,
            from: request.from,
            to: request.address(),
            create: Some(request.code),
            input: &request.input,
            value: request.value,
            gas_limit: request.gas_limit,
            pq_gas_limit: request.pq_gas_limit,
            pq_gas_of_block: None,
            tx_hash: request.tx_hash,
            retain: None,
            count: false,
        }
    }

    /// What it is, in a word.
    pub fn name(&self) -> &'static str {
        match self.entry {
            Entry::Construct => "deploy",
            Entry::Call => "call",
            Entry::Query => "query",
        }
    }

    /// Refuses what needs more PQ-Gas than `left`.
    pub fn in_block(mut self, left: u64) -> Self {
        self.pq_gas_of_block = Some(left);
        self
    }

    /// Counts instructions.
    pub fn counting(mut self) -> Self {
        self.count = true;
        self
    }

    /// Keeps the frames of the transcript, up to `limit` bytes of them.
    pub fn retaining(mut self, limit: usize) -> Self {
        self.retain = Some(limit);
        self
    }
}

/// A transaction that ran; nothing is committed yet.
pub(crate) struct Finished {
    pub delta: StateDelta,
    pub gas_needed: u64,
    pub transcript_frames: Transcript,
    /// Instructions that ran, if they were counted.
    pub opcodes: Option<OpcodeProfile>,
    block: BlockContext,
    tx_hash: Hash,
    caller: Address,
    contract: Address,
    outcome: Outcome,
    gas_limit: u64,
    gas_used: u64,
    lanes: GasLanes,
    events: Vec<Event>,
    outbox: Vec<OutboxMessage>,
    pqc: Vec<PqcCheck>,
    inferences: Vec<Inference>,
    inference_trace: Option<Hash>,
    transcript: Hash,
    schedule: Hash,
    kind: Kind,
}

/// Runs `plan` in a block, under the schedule that is in force there. What makes it a transaction that no block may hold is an error, before
/// anything runs.
pub(crate) fn transact<'a>(
    shared: &'a Shared,
    (active, block): (&'a Active, BlockContext),
    host: &'a dyn Host,
    plan: &Plan<'_>,
    inspector: Option<&'a mut (dyn Inspector + 'a)>,
    testing: Option<Testing<'a>>,
) -> Result<Finished, Error> {
    let intrinsic = intrinsic_gas(active, plan)?;
    let code = code_of(host, plan)?;
    // Code that is missing or damaged must not become a result.
    let compiled = shared.load(active, host, &code)?;

    let pqc = &active.schedule.pqc;
    let pq_limit = pqc
        .max_pqc_gas_per_tx
        .min(plan.pq_gas_limit.unwrap_or(u64::MAX));
    let mut tx = Tx {
        shared,
        active,
        host,
        block,
        origin: plan.from,
        journal: Journal::default(),
        transcript: match plan.retain {
            Some(limit) => Transcript::retaining(limit),
            None => Transcript::new(),
        },
        lanes: GasLanes {
            pq_limit,
            pq_block: plan.pq_gas_of_block.unwrap_or(u64::MAX),
            ..GasLanes::default()
        },
        inferences: Vec::new(),
        inference_roots: Vec::new(),
        pqc: Vec::new(),
        first: Some(compiled),
        counting: plan.count.then(Counting::default),
        open: Vec::new(),
        testing,
        inspector,
    };
    let checkpoint = tx.journal.checkpoint();
    prepare(&mut tx, plan, code)?;
    let message = Message {
        entry: plan.entry,
        contract: plan.to,
        code,
        caller: plan.from,
        value: plan.value,
        input: plan.input,
        gas: plan.gas_limit - intrinsic,
        read_only: plan.entry == Entry::Query,
        reentrant: false,
    };
    let ended = Frame::run(&mut tx, &message).map_err(failure)?;
    if !matches!(ended.outcome, Outcome::Return(_)) {
        tx.journal.rollback(checkpoint);
    }
    let Effects {
        delta,
        events,
        outbox,
    } = tx.journal.into_effects();
    Ok(Finished {
        delta,
        gas_needed: ended.gas_needed.saturating_add(intrinsic),
        block: tx.block,
        tx_hash: plan.tx_hash,
        caller: plan.from,
        contract: plan.to,
        outcome: ended.outcome,
        gas_limit: plan.gas_limit,
        gas_used: plan.gas_limit.saturating_sub(ended.gas_left),
        lanes: tx.lanes,
        events,
        outbox,
        pqc: tx.pqc,
        inferences: tx.inferences,
        inference_trace: transaction_root(&tx.inference_roots),
        transcript: tx.transcript.hash(),
        kind: match plan.entry {
            Entry::Construct => Kind::Deploy,
            Entry::Call => Kind::Call,
            Entry::Query => Kind::Query,
        },
        transcript_frames: tx.transcript,
        opcodes: tx.counting.map(|counting| counting.profile),
        schedule: active.hash,
    })
}

/// Gas that a transaction pays before anything runs.
fn intrinsic_gas(active: &Active, plan: &Plan<'_>) -> Result<u64, Error> {
    let prices = &active.schedule.call;
    let (length, limit) = (plan.input.len() as u64, u64::from(prices.max_input_bytes));
    if length > limit {
        return Err(Error::InputTooLong { length, limit });
    }
    if plan.gas_limit >= 1 << 63 {
        return Err(Error::GasLimitTooHigh(plan.gas_limit));
    }
    let deploy = match plan.create {
        Some(_) => prices.deploy,
        None => 0,
    };
    let needed = prices
        .per_input_byte
        .saturating_mul(length)
        .saturating_add(prices.base)
        .saturating_add(deploy);
    if needed > plan.gas_limit {
        return Err(Error::GasLimitTooLow {
            needed,
            limit: plan.gas_limit,
        });
    }
    Ok(needed)
}

/// Code hash of the contract that runs.
fn code_of(host: &dyn Host, plan: &Plan<'_>) -> Result<Hash, Error> {
    let existing = host.contract(&plan.to)?;
    match (plan.create, existing) {
        (Some(_), Some(_)) => Err(Error::AddressInUse(plan.to)),
        // Compiled code may be held from a block that is no more.
        (Some(code), None) if !host.has_code(&code)? => Err(Error::UnknownCode(code)),
        (Some(code), None) => Ok(code),
        (None, Some(code)) => Ok(code),
        (None, None) => Err(Error::NoContract(plan.to)),
    }
}

/// Moves the value and puts a new contract in place.
fn prepare(tx: &mut Tx<'_>, plan: &Plan<'_>, code: Hash) -> Result<(), Error> {
    if !plan.value.is_zero() {
        let (value, host) = (to_u256(plan.value), tx.host);
        if !tx.journal.transfer(host, plan.from, plan.to, value)? {
            return Err(Error::InsufficientBalance {
                sender: plan.from,
                balance: to_word(tx.journal.balance(host, plan.from)?),
                value: plan.value,
            });
        }
    }
    if plan.create.is_some() {
        tx.journal.create_contract(plan.to, code);
    }
    Ok(())
}

/// A failure of the machine that came up through the guest.
fn failure(exit: Exit) -> Error {
    match exit {
        Exit::Host(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::Engine(error.to_string()),
        },
        // `Frame::run` makes outcomes of the others.
        other => Error::Engine(other.to_string()),
    }
}

impl Finished {
    /// The receipt, with the state roots before and after where the host has them.
    pub fn receipt(self, before: Option<Hash>, after: Option<Hash>) -> Receipt {
        let lanes = self.lanes;
        let status = self.outcome.status();
        Receipt {
            chain_id: self.block.chain_id,
            network: self.block.network,
            block_height: self.block.number,
            block_time: self.block.timestamp,
            tx_hash: Digest(self.tx_hash),
            kind: self.kind,
            caller: self.caller,
            contract: self.contract,
            status,
            gas_limit: self.gas_limit,
            gas: GasUsed {
                execution: lanes.execution(self.gas_used),
                host: lanes.host,
                storage: lanes.storage,
                inference: lanes.inference,
                upload: 0,
                pq: lanes.pq,
            },
            output: match self.outcome {
                Outcome::Return(data) | Outcome::Revert(data) => data,
                Outcome::Trap(_) => Vec::new(),
            },
            events: self.events,
            state_delta: Digest(self.delta.hash()),
            state_root_before: before.map(Digest),
            state_root_after: after.map(Digest),
            inferences: self.inferences,
            pqc: self.pqc,
            transcript: Digest(self.transcript),
            inference_trace: self.inference_trace.map(Digest),
            schedule: Digest(self.schedule),
            outbox: self.outbox,
        }
    }
}
