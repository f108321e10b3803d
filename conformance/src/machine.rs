//! The VM of this repository as an implementation under test.

use std::collections::BTreeMap;
use std::sync::Arc;

use aivm::{
    Address, BlockContext, Call, Deploy, Error, Host, MemoryHost, Receipt, ScheduleSet, Vm,
};
use aivm_abi::Digest;

use crate::adapter::{Adapter, AdapterError, Case, Results};
use crate::setup::Vms;
use crate::vector::{Action, Bytes, Hex, Message, Outcome, Summary};

/// The VM with a chain in memory, which is fresh for each case.
pub struct Machine {
    vms: Arc<Vms>,
}

impl Machine {
    /// A machine whose VMs are set up in a certain way.
    pub fn with(vms: Arc<Vms>) -> Self {
        Self { vms }
    }
}

/// Names that the steps of a case have given.
#[derive(Default)]
struct Names {
    codes: BTreeMap<String, [u8; 32]>,
    contracts: BTreeMap<String, Address>,
}

impl Adapter for Machine {
    fn run(&mut self, case: &Case) -> Result<Results, AdapterError> {
        let schedules = match &case.chain.schedule {
            Some(schedule) => ScheduleSet::new((**schedule).clone()).map_err(failed)?,
            None => ScheduleSet::default(),
        };
        let vm = self.vms.vm(&schedules).map_err(failed)?;
        let mut chain = MemoryHost::new();
        chain.set_block(
            BlockContext::new(case.chain.chain_id, case.chain.block_number)
                .with_timestamp(case.chain.block_timestamp),
        );
        for (address, balance) in &case.chain.balances {
            chain.set_balance(*address, *balance);
        }
        let mut names = Names::default();
        let mut results = Results {
            outcomes: Vec::new(),
            storage: BTreeMap::new(),
        };
        for action in &case.actions {
            results
                .outcomes
                .push(act(&vm, &mut chain, &mut names, action)?);
        }
        for name in &case.storage {
            let entries = chain.storage_range(&names.contract(name)?, &[], usize::MAX);
            let entries = entries.map_err(failed)?.into_iter();
            let entries = entries.map(|(key, value)| (Hex(key), Hex(value))).collect();
            results.storage.insert(name.clone(), entries);
        }
        Ok(results)
    }
}

fn failed(error: impl std::fmt::Display) -> AdapterError {
    AdapterError::Failed(error.to_string())
}

impl Names {
    fn contract(&self, name: &str) -> Result<Address, AdapterError> {
        let found = self.contracts.get(name).copied();
        found.ok_or_else(|| failed(format_args!("no step makes a contract `{name}`")))
    }
}

fn act(
    vm: &Vm,
    chain: &mut MemoryHost,
    names: &mut Names,
    action: &Action,
) -> Result<Outcome, AdapterError> {
    match action {
        Action::Upload { name, code } => settle(vm.upload(chain, hex(code)?).map(|uploaded| {
            names.codes.insert(name.clone(), uploaded.code);
            Outcome::Accepted {
                hash: Digest(uploaded.code),
                gas: uploaded.gas,
            }
        })),
        Action::RegisterModel { model } => settle(vm.register_model(chain, hex(model)?).map(
            |registered| Outcome::Accepted {
                hash: Digest(registered.model),
                gas: registered.gas,
            },
        )),
        Action::Deploy {
            name,
            code,
            message,
        } => {
            // A name that no upload gave stands for code that nobody has.
            let code = names.codes.get(code).copied().unwrap_or_default();
            let mut request = Deploy::new(message.from, code, message.input.0.clone())
                .with_value(message.value)
                .with_salt(*blake3::hash(name.as_bytes()).as_bytes());
            if let Some(limit) = message.gas_limit {
                request = request.with_gas_limit(limit);
            }
            settle(vm.deploy(chain, &request).map(|deployed| {
                names.contracts.insert(name.clone(), deployed.address);
                summary(&deployed.receipt)
            }))
        }
        Action::Call { to, message } => {
            let request = call(names.contract(to)?, message);
            settle(vm.call(chain, &request).map(|receipt| summary(&receipt)))
        }
        Action::Query { to, message } => {
            let request = call(names.contract(to)?, message);
            settle(vm.query(chain, &request).map(|receipt| summary(&receipt)))
        }
    }
}

fn hex(bytes: &Bytes) -> Result<&[u8], AdapterError> {
    match bytes {
        Bytes::Hex(hex) => Ok(&hex.0),
        _ => Err(failed("code and models of a case are hexadecimal")),
    }
}

fn call(to: Address, message: &Message) -> Call {
    let request = Call::new(message.from, to, message.input.0.clone()).with_value(message.value);
    match message.gas_limit {
        Some(limit) => request.with_gas_limit(limit),
        None => request,
    }
}

fn summary(receipt: &Receipt) -> Outcome {
    Outcome::Receipt(Box::new(Summary {
        status: receipt.status,
        output: Hex(receipt.output.clone()),
        gas: receipt.gas,
        events: receipt.events.clone(),
        receipt: receipt.hash(),
    }))
}

/// A refusal is an outcome; a failure of the machine is not.
fn settle(result: Result<Outcome, Error>) -> Result<Outcome, AdapterError> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_refusal() => Ok(Outcome::Refused(error.code().to_string())),
        Err(error) => Err(failed(error)),
    }
}
