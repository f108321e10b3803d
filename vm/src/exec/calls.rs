//! Calls between contracts.

use aivm_abi::host::calls::{Failure, Host};
use aivm_abi::{Address, Exit, TrapCode, Word};

use super::frame::{Ended, Frame, Message, address};
use super::tx::fail;
use crate::engine::{Entry, Outcome};
use crate::host::Hash;
use crate::math::to_u256;

type CallResult = Result<Vec<u8>, Failure>;

impl Frame<'_, '_> {
    /// Gas that a nested call gets: what was asked for, and at most 63/64 of what is left.
    fn forward(&self, gas: u64) -> u64 {
        gas.min(self.gas - self.gas / 64)
    }

    /// Whether a frame of `contract` may be opened now.
    fn admit(&self, contract: &Address) -> Result<(), Failure> {
        if self.tx.too_deep() {
            return Err(Failure::DepthExceeded);
        }
        if self.tx.reentrancy(contract) {
            return Err(Failure::Reentrancy);
        }
        Ok(())
    }

    fn code_of(&mut self, contract: Address) -> Result<Option<Hash>, Exit> {
        self.tx
            .journal
            .contract(self.tx.host, contract)
            .map_err(fail)
    }

    /// Opens a frame of another contract.
    fn enter(
        &mut self,
        entry: Entry,
        target: Word,
        value: Word,
        gas: u64,
        input: &[u8],
    ) -> Result<CallResult, Exit> {
        let contract = address(target)?;
        if !value.is_zero() {
            self.writes()?;
        }
        let judged = self.is_judged();
        let caller = self.caller_of_next();
        if let Err(failure) = self.admit(&contract) {
            return self.end(Err(failure), judged);
        }
        let Some(code) = self.code_of(contract)? else {
            return self.end(Err(Failure::NoContract), judged);
        };
        let message = Message {
            entry,
            contract,
            code,
            caller,
            value,
            input,
            gas: self.forward(gas),
            read_only: self.read_only || matches!(entry, Entry::Query),
            reentrant: false,
        };
        let result = self.nested(&message, value)?;
        self.end(result, judged)
    }

    /// Runs a nested frame. Its gas leaves this frame first and what is unused comes
    /// back; the effects of a frame that failed are undone.
    pub(super) fn nested(
        &mut self,
        message: &Message<'_>,
        transfer: Word,
    ) -> Result<CallResult, Exit> {
        let checkpoint = self.tx.journal.checkpoint();
        let spent_before = self.gas;
        self.gas = self.gas.saturating_sub(message.gas);
        if !transfer.is_zero() {
            let moved = self
                .tx
                .journal
                .transfer(
                    self.tx.host,
                    message.caller,
                    message.contract,
                    to_u256(transfer),
                )
                .map_err(fail)?;
            if !moved {
                self.gas = spent_before;
                return Ok(Err(Failure::InsufficientBalance));
            }
        }
        let ended = Frame::run(self.tx, message)?;
        self.settle(message.gas, spent_before, &ended);
        Ok(match ended.outcome {
            Outcome::Return(data) => Ok(data),
            Outcome::Revert(data) => {
                self.tx.journal.rollback(checkpoint);
                Err(Failure::Reverted(data))
            }
            Outcome::Trap(code) => {
                self.tx.journal.rollback(checkpoint);
                Err(Failure::Trapped(code.code()))
            }
        })
    }

    /// Ends a call: as it ended, unless a test judges it.
    fn end(&mut self, result: CallResult, judged: bool) -> Result<CallResult, Exit> {
        match judged {
            true => self.judged(result),
            false => Ok(result),
        }
    }

    /// Takes unused gas back, and notes how much this frame needed for the call to get
    /// what it needed.
    fn settle(&mut self, given: u64, before: u64, ended: &Ended) {
        self.gas = before;
        // The least `left` with `left - left / 64 >= needed`.
        let needed = ended.gas_needed;
        let left = needed.saturating_add(needed.saturating_sub(1) / 63);
        self.need(left);
        let used = given.saturating_sub(ended.gas_left);
        self.gas = before.saturating_sub(used);
    }
}

impl Host for Frame<'_, '_> {
    fn call(
        &mut self,
        target: Word,
        value: Word,
        gas: u64,
        input: &[u8],
    ) -> Result<CallResult, Exit> {
        self.enter(Entry::Call, target, value, gas, input)
    }

    fn query(&mut self, target: Word, gas: u64, input: &[u8]) -> Result<CallResult, Exit> {
        self.enter(Entry::Query, target, Word::ZERO, gas, input)
    }

    fn self_call(&mut self, gas: u64, input: &[u8]) -> Result<CallResult, Exit> {
        if self.tx.too_deep() {
            return Ok(Err(Failure::DepthExceeded));
        }
        let message = Message {
            entry: match self.read_only {
                true => Entry::Query,
                false => Entry::Call,
            },
            contract: self.contract,
            code: self.code,
            caller: self.caller,
            value: self.value,
            input,
            gas: self.forward(gas),
            read_only: self.read_only,
            reentrant: self.tx.open.last().is_some_and(|open| open.reentrant),
        };
        self.nested(&message, Word::ZERO)
    }

    fn allow_reentrancy(&mut self, allowed: bool) -> Result<(), Exit> {
        match self.tx.open.last_mut() {
            Some(open) => {
                open.reentrant = allowed;
                Ok(())
            }
            None => Err(Exit::Trap(TrapCode::Protocol)),
        }
    }
}
