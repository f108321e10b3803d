//! The VM of this repository as an implementation under test.

use std::collections::BTreeMap;
use std::sync::Arc;

use aivm::{
    Address, BlockContext, BlockPqGas, Call, Deploy, Error, Host, InboxMessage, MemoryHost,
    Receipt, Vm,
};
use aivm_abi::Digest;
use aivm_abi::receipt::OutboxProof;

use crate::action::{Action, Bytes, Format, Hex, Message};
use crate::adapter::{Adapter, AdapterError, Case, Results};
use crate::outcome::{Outcome, Sent, Summary};
use crate::overlay::Overlay;
use crate::setup::{Code, Setup, SetupError, Vms};

/// The VM, with a fresh chain in memory for each case.
pub struct Machine {
    vms: Arc<Vms>,
}

impl Machine {
    /// A machine whose VMs are set up in a certain way.
    pub fn with(vms: Arc<Vms>) -> Self {
        Self { vms }
    }

    /// One as nodes run it: cases under the same schedules share a VM and its caches, as the
    /// blocks of a chain do.
    ///
    /// # Errors
    /// When this machine lacks what a node needs.
    pub fn new() -> Result<Self, SetupError> {
        let setup = Setup {
            code: Code::Warm,
            ..Setup::default()
        };
        Ok(Self::with(Arc::new(Vms::new(setup)?)))
    }
}

/// Names that the steps of a case have given.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub codes: BTreeMap<String, [u8; 32]>,
    pub contracts: BTreeMap<String, Address>,
}

impl Adapter for Machine {
    fn run(&mut self, case: &Case) -> Result<Results, AdapterError> {
        let schedules = case.chain.schedule_set().map_err(failed)?;
        let vm = self.vms.vm(&schedules).map_err(failed)?;
        let block = |number, timestamp| {
            BlockContext::new(case.chain.chain_id, number).with_timestamp(timestamp)
        };
        let mut chain = MemoryHost::new();
        chain.set_block(block(case.chain.block_number, case.chain.block_timestamp));
        for (address, balance) in &case.chain.balances {
            chain.set_balance(*address, *balance);
        }
        let mut chain = Overlay::new(chain).with_functions_of(&case.chain);
        let mut lane = vm.block_pq_gas(&chain).map_err(failed)?;
        let mut names = Names::default();
        let mut results = Results::default();
        for action in &case.actions {
            results.outcomes.push(match action {
                Action::Block { number, timestamp } => {
                    chain.flush().map_err(failed)?;
                    chain.inner_mut().set_block(block(*number, *timestamp));
                    lane = vm.block_pq_gas(&chain).map_err(failed)?;
                    Outcome::Block
                }
                Action::Abandon {} => {
                    chain.abandon();
                    lane = vm.block_pq_gas(&chain).map_err(failed)?;
                    Outcome::Done
                }
                Action::NameModel { name, model } => {
                    chain.inner_mut().name_model(name, model.0);
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
                    let message = InboxMessage {
                        source_chain: *source_chain,
                        destination: destination.unwrap_or(case.chain.chain_id),
                        sender: sender.0.clone(),
                        recipient: names.account(to)?,
                        payload: payload.0.clone(),
                    };
                    chain.inner_mut().deliver(id.0, message);
                    Outcome::Done
                }
                Action::Prove {
                    message,
                    root,
                    index,
                    count,
                    siblings,
                } => {
                    let proof = OutboxProof {
                        index: *index,
                        count: *count,
                        siblings: siblings.clone(),
                    };
                    proven(proof.holds(message, root))
                }
                Action::Read { what, bytes } => read(*what, &bytes.0),
                action => act(&vm, (&mut chain, &mut lane), &mut names, action)?,
            });
        }
        for name in &case.storage {
            let entries = chain.storage_range(&names.contract(name)?, &[], usize::MAX);
            let entries = entries.map_err(failed)?.into_iter();
            let entries = entries.map(|(key, value)| (Hex(key), Hex(value))).collect();
            results.storage.insert(name.clone(), entries);
        }
        for name in &case.balances {
            let balance = chain.balance(&names.account(name)?).map_err(failed)?;
            results.balances.insert(name.clone(), balance);
        }
        Ok(results)
    }
}

pub(crate) fn failed(error: impl std::fmt::Display) -> AdapterError {
    AdapterError::Failed(error.to_string())
}

impl Names {
    pub fn contract(&self, name: &str) -> Result<Address, AdapterError> {
        let found = self.contracts.get(name).copied();
        found.ok_or_else(|| failed(format_args!("no step makes a contract `{name}`")))
    }

    /// A contract, or an address in text.
    pub fn account(&self, name: &str) -> Result<Address, AdapterError> {
        match self.contracts.get(name) {
            Some(contract) => Ok(*contract),
            None => name.parse().map_err(failed),
        }
    }

    /// A name that no upload gave is the code's hash in hexadecimal, or stands for code that
    /// nobody has.
    pub fn code(&self, name: &str) -> [u8; 32] {
        let hash = || name.parse::<Digest>().unwrap_or_default().0;
        self.codes.get(name).copied().unwrap_or_else(hash)
    }
}

/// The salt of a contract with this name.
pub(crate) fn salt(name: &str) -> [u8; 32] {
    *blake3::hash(name.as_bytes()).as_bytes()
}

fn act(
    vm: &Vm,
    (chain, lane): (&mut Overlay<MemoryHost>, &mut BlockPqGas),
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
            let mut request = Deploy::new(message.from, names.code(code), message.input.0.clone())
                .with_value(message.value)
                .with_salt(salt(name));
            if let Some(limit) = message.gas_limit {
                request = request.with_gas_limit(limit);
            }
            request.pq_gas_limit = message.pq_gas_limit;
            settle(vm.deploy_in_block(chain, &request, lane).map(|deployed| {
                names.contracts.insert(name.clone(), deployed.address);
                shown(&deployed.receipt)
            }))
        }
        Action::Call { to, message } => {
            let request = call(names.account(to)?, message);
            settle(
                vm.call_in_block(chain, &request, lane)
                    .map(|receipt| shown(&receipt)),
            )
        }
        Action::Query { to, message } => {
            let request = call(names.account(to)?, message);
            settle(vm.query(chain, &request).map(|receipt| shown(&receipt)))
        }
        _ => Err(failed("no transaction")),
    }
}

pub(crate) fn hex(bytes: &Bytes) -> Result<&[u8], AdapterError> {
    match bytes {
        Bytes::Hex(hex) => Ok(&hex.0),
        _ => Err(failed("code and models of a case are hexadecimal")),
    }
}

fn call(to: Address, message: &Message) -> Call {
    let mut request =
        Call::new(message.from, to, message.input.0.clone()).with_value(message.value);
    if let Some(limit) = message.gas_limit {
        request = request.with_gas_limit(limit);
    }
    request.pq_gas_limit = message.pq_gas_limit;
    request
}

/// What comes of a proof.
pub(crate) fn proven(holds: bool) -> Outcome {
    match holds {
        true => Outcome::Done,
        false => Outcome::Refused("not-proven".to_owned()),
    }
}

/// What a vector shows of a receipt, with the identifiers of its messages and their root.
pub(crate) fn summary(receipt: &Receipt, ids: Vec<Digest>, root: Option<Digest>) -> Outcome {
    let sent = receipt.outbox.iter().zip(ids);
    let sent = sent.map(|(message, id)| Sent {
        contract: message.contract,
        destination: message.destination,
        sequence: message.sequence,
        recipient: Hex(message.recipient.clone()),
        payload: Hex(message.payload.clone()),
        id,
    });
    Outcome::Receipt(Box::new(Summary {
        status: receipt.status,
        output: Hex(receipt.output.clone()),
        gas: receipt.gas.into(),
        events: receipt.events.clone(),
        outbox: sent.collect(),
        outbox_root: root,
        receipt: receipt.hash(),
    }))
}

fn shown(receipt: &Receipt) -> Outcome {
    let messages = receipt.outbox.iter();
    let ids = messages.map(|m| m.id(receipt.chain_id)).collect();
    summary(receipt, ids, receipt.outbox_root())
}

/// A refusal is an outcome; a failure of the machine is not.
fn settle(result: Result<Outcome, Error>) -> Result<Outcome, AdapterError> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_refusal() => Ok(Outcome::Refused(error.code().to_string())),
        Err(error) => Err(failed(error)),
    }
}

/// Reads canonical bytes and writes them again.
pub(crate) fn read(what: Format, bytes: &[u8]) -> Outcome {
    let written = match what {
        Format::Receipt => Receipt::from_canonical_bytes(bytes)
            .map(|receipt| receipt.to_canonical_bytes())
            .map_err(|error| decode_code(&error)),
        Format::Transaction => aivm_abi::transaction::Envelope::from_canonical_bytes(bytes)
            .map(|envelope| envelope.to_canonical_bytes())
            .map_err(|error| decode_code(&error)),
        Format::Address => match std::str::from_utf8(bytes) {
            Err(_) => Err("malformed"),
            Ok(text) => Address::from_bech32m(text, aivm_abi::DEFAULT_PREFIX)
                .map(|address| address.0.to_vec())
                .map_err(|error| address_code(&error)),
        },
    };
    match written {
        Ok(written) => Outcome::Read(Digest(*blake3::hash(&written).as_bytes())),
        Err(code) => Outcome::Refused(code.to_owned()),
    }
}

fn decode_code(error: &aivm_abi::DecodeError) -> &'static str {
    use aivm_abi::DecodeError as E;
    match error {
        E::Truncated { .. } => "truncated",
        E::Trailing { .. } => "trailing",
        E::Magic { .. } => "magic",
        E::Version { .. } => "version",
        E::Tag { .. } => "tag",
        E::Utf8 { .. } => "utf8",
        E::TooLong { .. } => "too-long",
        E::NotCanonical { .. } => "not-canonical",
        _ => "malformed",
    }
}

fn address_code(error: &aivm_abi::AddressError) -> &'static str {
    use aivm_abi::AddressError as E;
    match error {
        E::Checksum => "checksum",
        E::OldChecksum => "old-checksum",
        E::Network { .. } => "network",
        E::Length(_) => "length",
        _ => "malformed",
    }
}
