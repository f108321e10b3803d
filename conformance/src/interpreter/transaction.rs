//! One transaction from request to receipt.

use aivm::{Address, DEFAULT_GAS_LIMIT, Word};
use aivm_abi::receipt::{GasUsed, Kind, Receipt, Status};
use aivm_abi::{Digest, Exit, TrapCode};
use aivm_gas::GasSchedule;

use super::chain::{Hash, Ledger, World};
use super::frame::{BlockFull, End, Entry, Frame, Lanes, Message, Shared};
use super::{Fault, Interpreter, messages};
use crate::adapter::AdapterError;
use crate::machine::{failed, summary};
use crate::outcome::Outcome;

/// What is asked.
pub(super) struct Request<'a> {
    pub message: &'a crate::action::Message,
    pub target: Target,
}

pub(super) enum Target {
    Deploy { code: Hash, salt: [u8; 32] },
    Call(Address),
    Query(Address),
}

impl Interpreter {
    /// Runs a transaction, keeps what it did if it returned, and gives the contract's address.
    pub(super) fn transact(
        &mut self,
        ledger: &mut Ledger,
        world: &mut World,
        schedule: &GasSchedule,
        request: &Request<'_>,
    ) -> Result<(Address, Outcome), AdapterError> {
        let message = request.message;
        let from = message.from;
        let contract = match request.target {
            Target::Deploy { code, salt } => Address::of_salted_contract(&from, &salt, &code),
            Target::Call(to) | Target::Query(to) => to,
        };
        let refuse = |code: &str| Ok((contract, Outcome::Refused(code.to_owned())));
        let limit = message.gas_limit.unwrap_or(DEFAULT_GAS_LIMIT);
        let prices = &schedule.call;
        let bytes = message.input.0.len() as u64;
        if bytes > u64::from(prices.max_input_bytes) {
            return refuse("input-too-long");
        }
        if limit >= 1 << 63 {
            return refuse("gas-limit-too-high");
        }
        let mut intrinsic = prices.base + prices.per_input_byte * bytes;
        if let Target::Deploy { .. } = request.target {
            intrinsic += prices.deploy;
        }
        if limit < intrinsic {
            return refuse("gas-limit-too-low");
        }
        let existing = ledger.contracts.get(&contract).copied();
        let code = match (&request.target, existing) {
            (Target::Deploy { .. }, Some(_)) => return refuse("address-in-use"),
            (Target::Deploy { code, .. }, None) => *code,
            (_, Some(code)) => code,
            (_, None) => return refuse("no-contract"),
        };
        if !world.library.codes.contains_key(&code) {
            return refuse("unknown-code");
        }
        let (entry, kind) = match request.target {
            Target::Deploy { .. } => (Entry::Construct, Kind::Deploy),
            Target::Call(_) => (Entry::Call, Kind::Call),
            Target::Query(_) => (Entry::Query, Kind::Query),
        };
        let value = match entry {
            Entry::Query => Word::ZERO,
            _ => message.value,
        };
        let before = ledger.clone();
        let pq_limit = schedule.pqc.max_pqc_gas_per_tx;
        let mut prices = schedule.clone();
        if self.fault == Some(Fault::Price) {
            prices.wasm.integer += 1;
        }
        let mut shared = Shared {
            modules: std::mem::take(&mut self.modules),
            schedule: prices,
            schedule_hash: schedule.hash(),
            world: world.clone(),
            ledger: ledger.clone(),
            origin: from,
            lanes: Lanes {
                pq_limit: message
                    .pq_gas_limit
                    .map_or(pq_limit, |own| own.min(pq_limit)),
                pq_block: match entry {
                    Entry::Query => u64::MAX,
                    _ => (schedule.pqc.max_pqc_gas_per_block).saturating_sub(world.block.pq),
                },
                ..Lanes::default()
            },
            fault: self.fault,
            ..Shared::default()
        };
        match shared.module(&code) {
            Err(Exit::Trap(TrapCode::RefusedCode)) => return refuse("stored-code"),
            module => module.map_err(failed)?,
        };
        let work = &mut shared.ledger;
        if !value.is_zero() && !work.transfer(from, contract, value) {
            return refuse("insufficient-balance");
        }
        if entry == Entry::Construct {
            work.contracts.insert(contract, code);
        }
        let run = Message {
            entry,
            contract,
            code,
            caller: from,
            value,
            input: message.input.0.clone(),
            gas: limit - intrinsic,
            read_only: entry == Entry::Query,
            reentrant: false,
        };
        let (shared, end, left) = match Frame::run(Box::new(shared), run) {
            Err(Exit::Host(error)) if error.is::<BlockFull>() => return refuse("block-full"),
            ended => ended.map_err(failed)?,
        };
        let mut after = shared.ledger;
        if !matches!(end, End::Return(_)) {
            after.undo(&before, self.fault);
        }
        let events = std::mem::take(&mut after.events);
        let outbox = std::mem::take(&mut after.outbox);
        let lanes = shared.lanes;
        if entry != Entry::Query {
            world.block.pq += lanes.pq;
        }
        let used = limit - left;
        let execution = used - lanes.host - lanes.storage - lanes.inference;
        let (status, output) = match end {
            End::Return(data) => (Status::Return, data),
            End::Revert(data) => (Status::Revert, data),
            End::Trap(code) => (Status::Trap(code), Vec::new()),
        };
        let receipt = Receipt {
            chain_id: world.block.chain_id,
            network: String::new(),
            block_height: world.block.number,
            block_time: world.block.timestamp,
            tx_hash: Digest([0; 32]),
            kind,
            caller: from,
            contract,
            status,
            gas_limit: limit,
            gas: GasUsed {
                execution,
                host: lanes.host,
                storage: lanes.storage,
                inference: lanes.inference,
                upload: 0,
                pq: lanes.pq,
            },
            output,
            events,
            state_delta: Digest(after.delta_since(&before)),
            state_root_before: None,
            state_root_after: None,
            inferences: shared.inferences,
            pqc: shared.checks,
            transcript: Digest(shared.transcript.hash()),
            inference_trace: None,
            schedule: Digest(shared.schedule_hash),
            outbox,
        };
        self.modules = shared.modules;
        *ledger = after;
        let sent = receipt.outbox.iter();
        let ids: Vec<Digest> = sent
            .map(|message| messages::identifier(receipt.chain_id, message))
            .collect();
        let root = messages::root(&ids);
        Ok((contract, summary(&receipt, ids, root)))
    }
}
