//! A second implementation, on the interpreter wasmi: transactions, calls, state, host functions
//! and receipts written anew from their documents. It shares with the VM what defines the values
//! themselves: instrumented code, the schedule, the generated glue, model parsing, receipts'
//! canonical bytes and the cryptographic primitives.

mod chain;
mod check;
mod engine;
mod foreign;
mod frame;
mod hosts;
mod messages;
mod nn;
mod preview1;
mod transaction;
mod wasi_nn;

use std::collections::BTreeMap;

use aivm_abi::Digest;
use aivm_abi::host::messaging;
use aivm_gas::instrument;

use crate::action::{Action, Hex};
use crate::adapter::{Adapter, AdapterError, Case, Results};
use crate::machine::{Names, failed, hex, proven, read};
use crate::outcome::Outcome;
use chain::{Arrived, Block, Ledger, World};
use engine::Modules;
use transaction::{Request, Target};

/// An implementation on wasmi. It compiles nothing, shares no cache with anyone and is slow.
#[derive(Debug, Default)]
pub struct Interpreter {
    modules: Modules,
    fault: Option<Fault>,
}

/// Something that an implementation could get wrong, so that tests can see whether vectors
/// notice. No command line has it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An integer instruction costs one too much.
    Price,
    /// Ties are rounded away from zero when accumulators become bytes.
    Rounding,
    /// The first two topics of an event change places.
    Topics,
    /// What a reverted call did to storage stays.
    Revert,
    /// Instrumented code is kept by its hash alone.
    Cache,
}

impl Interpreter {
    /// One that gets something wrong.
    #[doc(hidden)]
    pub fn with_fault(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }
}

impl Adapter for Interpreter {
    fn run(&mut self, case: &Case) -> Result<Results, AdapterError> {
        let schedules = case.chain.schedule_set().map_err(failed)?;
        let mut ledger = Ledger {
            balances: case.chain.balances.clone(),
            ..Ledger::default()
        };
        let mut world = World {
            block: Block {
                chain_id: case.chain.chain_id,
                number: case.chain.block_number,
                timestamp: case.chain.block_timestamp,
                pq: 0,
            },
            ..World::default()
        };
        for own in case.chain.extensions.iter().rev() {
            let key = (own.name.clone(), own.arguments.0.clone());
            let answer = (own.gas, own.answer.clone());
            world.outside.functions.insert(key, answer);
        }
        let mut start = (ledger.clone(), world.library.clone());
        let mut names = Names::default();
        let mut results = Results::default();
        for action in &case.actions {
            let schedule = schedules.at(world.block.number);
            let outcome = match action {
                Action::Block { number, timestamp } => {
                    (world.block.number, world.block.timestamp) = (*number, *timestamp);
                    world.block.pq = 0;
                    start = (ledger.clone(), world.library.clone());
                    Outcome::Block
                }
                Action::Abandon {} => {
                    (ledger, world.library) = start.clone();
                    world.block.pq = 0;
                    Outcome::Done
                }
                Action::NameModel { name, model } => {
                    world.outside.names.insert(name.clone(), model.0);
                    Outcome::Done
                }
                Action::Deliver {
                    id,
                    to,
                    source_chain,
                    destination,
                    sender,
                    payload,
                } => {
                    let arrived = Arrived {
                        recipient: names.account(to)?,
                        destination: destination.unwrap_or(case.chain.chain_id),
                        message: messaging::Message {
                            source_chain: *source_chain,
                            sender: sender.0.clone(),
                            payload: payload.0.clone(),
                        },
                    };
                    world.outside.inbox.insert(id.0, arrived);
                    Outcome::Done
                }
                Action::Prove {
                    message,
                    root,
                    index,
                    count,
                    siblings,
                } => proven(messages::holds(message, &root.0, *index, *count, siblings)),
                Action::Read { what, bytes } => read(*what, &bytes.0),
                Action::Upload { name, code } => {
                    let wasm = hex(code)?;
                    match instrument(wasm, schedule) {
                        Err(_) => Outcome::Refused("invalid-module".to_owned()),
                        Ok(_) if !check::is_contract(&self.modules, wasm)? => {
                            Outcome::Refused("not-a-contract".to_owned())
                        }
                        Ok(instrumented) => {
                            let hash = world.library.add_code(wasm);
                            names.codes.insert(name.clone(), hash);
                            Outcome::Accepted {
                                hash: Digest(hash),
                                gas: instrumented.upload_gas,
                            }
                        }
                    }
                }
                Action::RegisterModel { model } => {
                    nn::register(&mut world.library, hex(model)?, &schedule.nn)
                }
                Action::Deploy {
                    name,
                    code,
                    message,
                } => {
                    let request = Request {
                        message,
                        target: Target::Deploy {
                            code: names.code(code),
                            salt: crate::machine::salt(name),
                        },
                    };
                    let (address, outcome) =
                        self.transact(&mut ledger, &mut world, schedule, &request)?;
                    if matches!(outcome, Outcome::Receipt(_)) {
                        names.contracts.insert(name.clone(), address);
                    }
                    outcome
                }
                Action::Call { to, message } => {
                    let target = Target::Call(names.account(to)?);
                    let request = Request { message, target };
                    self.transact(&mut ledger, &mut world, schedule, &request)?
                        .1
                }
                Action::Query { to, message } => {
                    let target = Target::Query(names.account(to)?);
                    let request = Request { message, target };
                    self.transact(&mut ledger, &mut world, schedule, &request)?
                        .1
                }
            };
            results.outcomes.push(outcome);
        }
        for name in &case.storage {
            let entries = ledger.storage.get(&names.contract(name)?);
            let entries = entries.into_iter().flatten();
            let entries: BTreeMap<Hex, Hex> = entries
                .map(|(key, value)| (Hex(key.clone()), Hex(value.clone())))
                .collect();
            results.storage.insert(name.clone(), entries);
        }
        for name in &case.balances {
            let balance = ledger.balance(&names.account(name)?);
            results.balances.insert(name.clone(), balance);
        }
        Ok(results)
    }
}
