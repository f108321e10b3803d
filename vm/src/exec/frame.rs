//! One running contract: its message, its gas, its checkpoints.

use aivm_abi::canonical::Handles;
use aivm_abi::{Address, Exit, FuncId, Meter, Transcript, TrapCode, Word};

use super::gas::Cause;
use super::session::Session;
use super::tx::{Open, Tx, fail};
use crate::engine::{self, Entry, Outcome};
use crate::error::Error;
use crate::host::Hash;
use crate::inspect::{FrameInfo, FrameResult};
use crate::journal::{Checkpoint, StorageId};

/// What a frame is asked to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub entry: Entry,
    pub contract: Address,
    pub code: Hash,
    pub caller: Address,
    pub value: Word,
    pub input: &'a [u8],
    pub gas: u64,
    pub read_only: bool,
    /// Whether callers may reenter from the start, as in the frame that calls itself.
    pub reentrant: bool,
}

/// How a frame ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub outcome: Outcome,
    /// Gas that comes back; zero after a trap.
    pub gas_left: u64,
    /// Smallest gas limit with which the run would have gone the same way.
    pub gas_needed: u64,
}

/// A contract that runs.
pub(crate) struct Frame<'f, 'a> {
    pub tx: &'f mut Tx<'a>,
    pub contract: Address,
    pub code: Hash,
    pub caller: Address,
    pub value: Word,
    pub read_only: bool,
    pub checkpoints: Vec<Checkpoint>,
    /// Made when a guest written for another host first needs it.
    pub session: Option<Box<Session>>,
    /// Where the journal keeps this contract's storage, once it was looked at.
    pub storage: Option<StorageId>,
    /// Gas left. The engine keeps it equal to the guest's own counter at each border.
    pub gas: u64,
    gas_limit: u64,
    /// See [`Ended::gas_needed`]; so far.
    needed: u64,
}

impl<'f, 'a> Frame<'f, 'a> {
    /// Runs a message to its end. The caller holds a checkpoint and undoes the effects of
    /// a frame that failed.
    ///
    /// # Errors
    /// Only with `Exit::Host`; everything else is an outcome.
    pub fn run(tx: &'f mut Tx<'a>, message: &Message<'_>) -> Result<Ended, Exit> {
        tx.open.push(Open {
            contract: message.contract,
            reentrant: message.reentrant,
        });
        let info = FrameInfo {
            depth: tx.open.len(),
            contract: message.contract,
            code: message.code,
            entry: message.entry.name(),
            gas: message.gas,
            input: message.input,
        };
        if let Some(inspector) = &mut tx.inspector {
            inspector.enter(&info);
        }
        let mut frame = Frame {
            tx,
            contract: message.contract,
            code: message.code,
            caller: message.caller,
            value: message.value,
            read_only: message.read_only,
            checkpoints: Vec::new(),
            session: None,
            storage: None,
            gas: message.gas,
            gas_limit: message.gas,
            needed: 0,
        };
        let outcome = frame.execute(message);
        frame.flush_lines();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(Exit::Trap(code)) => Outcome::Trap(code),
            Err(Exit::Revert(data)) => Outcome::Revert(data),
            Err(host) => {
                frame.tx.open.pop();
                return Err(host);
            }
        };
        if matches!(outcome, Outcome::Trap(_)) {
            frame.gas = 0;
        }
        frame.need(0);
        let ended = Ended {
            gas_left: frame.gas,
            gas_needed: frame.needed,
            outcome,
        };
        let tx = frame.tx;
        tx.open.pop();
        if let Some(inspector) = &mut tx.inspector {
            let result = FrameResult {
                status: ended.outcome.status(),
                gas_used: message.gas.saturating_sub(ended.gas_left),
                output: ended.outcome.data(),
            };
            inspector.exit(&info, &result);
        }
        Ok(ended)
    }

    fn execute(&mut self, message: &Message<'_>) -> Result<Outcome, Exit> {
        let tx = &mut *self.tx;
        let compiled = match (tx.first.take(), &mut tx.counting) {
            (_, Some(counting)) => counting.module(tx.active, tx.host, &message.code),
            (Some(compiled), None) => Ok(compiled),
            (None, None) => tx.shared.load(tx.active, tx.host, &message.code),
        };
        let compiled = compiled.map_err(|error| match error {
            // A caller may live with that; what a transaction itself calls was looked at before.
            Error::StoredCode { .. } => TrapCode::RefusedCode.into(),
            error => fail(error),
        })?;
        let call = &self.tx.active.schedule.call;
        self.spend(Cause::Execution, call.instance_gas(compiled.pages()))?;
        engine::run(&compiled, self, message.entry, message.input)
    }

    /// Spends gas.
    #[inline]
    pub fn spend(&mut self, cause: Cause, gas: u64) -> Result<(), Exit> {
        match self.gas.checked_sub(gas) {
            Some(left) => {
                self.gas = left;
                self.tx.lanes.add(cause, gas);
                Ok(())
            }
            None => Err(Exit::Trap(TrapCode::OutOfGas)),
        }
    }

    /// Notes that at this point `gas` more than what is spent must be there.
    pub fn need(&mut self, gas: u64) {
        let spent = self.gas_limit.saturating_sub(self.gas);
        self.needed = self.needed.max(spent.saturating_add(gas));
    }

    /// Refuses changes of state in a read-only call.
    pub fn writes(&self) -> Result<(), Exit> {
        match self.read_only {
            true => Err(Exit::Trap(TrapCode::WriteInQuery)),
            false => Ok(()),
        }
    }
}

impl Meter for Frame<'_, '_> {
    #[inline]
    fn charge(&mut self, func: FuncId) -> Result<(), Exit> {
        let gas = self.tx.active.price(func).base;
        self.spend(Cause::Host, gas)
    }

    #[inline]
    fn charge_bytes(&mut self, func: FuncId, bytes: u64) -> Result<(), Exit> {
        let gas = self.tx.active.price(func).per_byte.saturating_mul(bytes);
        self.spend(Cause::Host, gas)
    }

    #[inline]
    fn transfer_limit(&self) -> u32 {
        self.tx.active.transfer_limit()
    }

    #[inline]
    fn transcript(&mut self) -> &mut Transcript {
        &mut self.tx.transcript
    }

    fn handles(&mut self) -> Option<&mut Handles> {
        Some(&mut self.session().handles)
    }
}

/// The address in a word.
///
/// # Errors
/// A trap when the upper 96 bits are not zero.
pub(crate) fn address(word: Word) -> Result<Address, Exit> {
    match word.to_be_bytes().split_first_chunk::<12>() {
        Some(([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], low)) => <[u8; 20]>::try_from(low)
            .map(Address)
            .map_err(|_| Exit::Trap(TrapCode::BadArgument)),
        _ => Err(Exit::Trap(TrapCode::BadArgument)),
    }
}

/// An address as a word.
pub(crate) fn word(address: &Address) -> Word {
    let mut bytes = [0; 32];
    if let Some(low) = bytes.last_chunk_mut::<20>() {
        *low = address.0;
    }
    Word::from_be_bytes(bytes)
}
