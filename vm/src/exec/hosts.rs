//! The smaller interfaces: context, accounts, events, journal, math, extensions, log.

use aivm_abi::host::{accounts, context, events, ext, journal, log, math};
use aivm_abi::receipt::Event;
use aivm_abi::{Exit, TrapCode, Word};

use super::frame::{Frame, address, word};
use super::gas::Cause;
use super::tx::fail;
use crate::host::ExtensionCall;
use crate::math as arithmetic;

/// Topics of an event.
const MAX_TOPICS: usize = 4;

/// Checkpoints that one frame may hold open.
const MAX_CHECKPOINTS: usize = 1_024;

impl context::Host for Frame<'_, '_> {
    fn caller(&mut self) -> Result<Word, Exit> {
        Ok(word(&self.caller))
    }

    fn origin(&mut self) -> Result<Word, Exit> {
        Ok(word(&self.tx.origin))
    }

    fn self_address(&mut self) -> Result<Word, Exit> {
        Ok(word(&self.contract))
    }

    fn value(&mut self) -> Result<Word, Exit> {
        Ok(self.value)
    }

    fn block_number(&mut self) -> Result<u64, Exit> {
        Ok(self.tx.block.number)
    }

    fn block_timestamp(&mut self) -> Result<u64, Exit> {
        Ok(self.tx.block.timestamp)
    }

    fn chain_id(&mut self) -> Result<u64, Exit> {
        Ok(self.tx.block.chain_id)
    }

    fn gas_left(&mut self) -> Result<u64, Exit> {
        Ok(self.gas)
    }

    fn revert(&mut self, data: &[u8]) -> Result<(), Exit> {
        let limit = self.tx.active.schedule.call.max_output_bytes;
        match data.len() <= limit as usize {
            true => Err(Exit::Revert(data.to_vec())),
            false => Err(Exit::Trap(TrapCode::OutputLimit)),
        }
    }
}

impl accounts::Host for Frame<'_, '_> {
    fn balance(&mut self, account: Word) -> Result<Word, Exit> {
        let account = address(account)?;
        let balance = self.tx.journal.balance(self.tx.host, account);
        balance.map(arithmetic::to_word).map_err(fail)
    }

    fn transfer(&mut self, to: Word, amount: Word) -> Result<bool, Exit> {
        self.writes()?;
        let (to, amount) = (address(to)?, arithmetic::to_u256(amount));
        let journal = &mut self.tx.journal;
        journal
            .transfer(self.tx.host, self.contract, to, amount)
            .map_err(fail)
    }
}

impl events::Host for Frame<'_, '_> {
    fn emit(&mut self, topics: Vec<Word>, data: &[u8]) -> Result<(), Exit> {
        self.writes()?;
        if topics.len() > MAX_TOPICS {
            return Err(Exit::Trap(TrapCode::BadArgument));
        }
        self.tx.journal.emit(Event {
            contract: self.contract,
            topics,
            data: data.to_vec(),
        });
        Ok(())
    }
}

impl journal::Host for Frame<'_, '_> {
    fn begin(&mut self) -> Result<(), Exit> {
        if self.checkpoints.len() >= MAX_CHECKPOINTS {
            return Err(Exit::Trap(TrapCode::Checkpoint));
        }
        self.checkpoints.push(self.tx.journal.checkpoint());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Exit> {
        match self.checkpoints.pop() {
            Some(_) => Ok(()),
            None => Err(Exit::Trap(TrapCode::Checkpoint)),
        }
    }

    fn rollback(&mut self) -> Result<(), Exit> {
        match self.checkpoints.pop() {
            Some(checkpoint) => {
                self.tx.journal.rollback(checkpoint);
                Ok(())
            }
            None => Err(Exit::Trap(TrapCode::Checkpoint)),
        }
    }
}

impl math::Host for Frame<'_, '_> {
    fn mul(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(arithmetic::mul(a, b))
    }

    fn div(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(arithmetic::div(a, b))
    }

    fn rem(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(arithmetic::rem(a, b))
    }

    fn add_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(arithmetic::add_mod(a, b, m))
    }

    fn mul_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(arithmetic::mul_mod(a, b, m))
    }

    fn exp(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(arithmetic::exp(a, b))
    }
}

impl ext::Host for Frame<'_, '_> {
    fn invoke(&mut self, name: &str, arguments: &[u8]) -> Result<Result<Vec<u8>, Vec<u8>>, Exit> {
        let call = ExtensionCall {
            name,
            arguments,
            contract: self.contract,
            caller: self.caller,
            read_only: self.read_only,
        };
        if let Some(answer) = self.cheat(&call)? {
            return Ok(answer);
        }
        let Some(gas) = self.tx.host.extension_gas(&call) else {
            return Err(Exit::Trap(TrapCode::NoSuchExtension));
        };
        self.spend(Cause::Host, gas)?;
        self.tx.host.extension(&call).map_err(fail)
    }
}

impl log::Host for Frame<'_, '_> {
    fn debug(&mut self, message: &str) -> Result<(), Exit> {
        self.tx.host.debug_log(&self.contract, message);
        Ok(())
    }
}
