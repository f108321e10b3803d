//! The frames' side of tests: see [`crate::testing`].

use aivm_abi::host::calls::Failure;
use aivm_abi::{Address, Exit, TrapCode, Word};

use super::frame::{Frame, Message, word};
use super::tx::fail;
use crate::engine::Entry;
use crate::host::{ExtensionCall, ExtensionResult, Hash};
use crate::math::to_u256;
use crate::testing::{CallEnd, Cheat, Director};

/// What a test set up for the calls of one of its frames.
pub(crate) struct Testing<'a> {
    pub director: &'a mut dyn Director,
    /// Depth of the frame, the account, and whether it stays.
    caller: Option<(usize, Address, bool)>,
    /// Depth of the frame whose next call is judged.
    judge: Option<usize>,
    deployed: u64,
}

impl<'a> Testing<'a> {
    pub fn new(director: &'a mut dyn Director) -> Self {
        Self {
            director,
            caller: None,
            judge: None,
            deployed: 0,
        }
    }
}

impl Frame<'_, '_> {
    /// Does what an extension call means in a test; none when it means nothing there.
    pub fn cheat(&mut self, call: &ExtensionCall<'_>) -> Result<Option<ExtensionResult>, Exit> {
        let depth = self.tx.open.len();
        let Some(testing) = &mut self.tx.testing else {
            return Ok(None);
        };
        let Some(cheat) = testing.director.cheat(call) else {
            return Ok(None);
        };
        match cheat {
            Cheat::Timestamp(seconds) => self.tx.block.timestamp = seconds,
            Cheat::BlockNumber(number) => self.tx.block.number = number,
            Cheat::Balance(who, amount) => {
                let journal = &mut self.tx.journal;
                journal
                    .set_balance(self.tx.host, who, to_u256(amount))
                    .map_err(fail)?;
            }
            Cheat::Caller { who, stays } => testing.caller = Some((depth, who, stays)),
            Cheat::StopCaller => testing.caller = None,
            Cheat::Judge => testing.judge = Some(depth),
            Cheat::Deploy { code, input, value } => {
                return self.deploy_in_test(code, &input, value).map(Some);
            }
            Cheat::Answer(answer) => return Ok(Some(answer)),
        }
        Ok(Some(Ok(Vec::new())))
    }

    /// Who makes the next call: the contract itself, unless a test says otherwise.
    pub fn caller_of_next(&mut self) -> Address {
        let depth = self.tx.open.len();
        let Some(testing) = &mut self.tx.testing else {
            return self.contract;
        };
        match testing.caller {
            Some((at, who, stays)) if at == depth => {
                if !stays {
                    testing.caller = None;
                }
                who
            }
            _ => self.contract,
        }
    }

    /// Whether the call that begins is to be judged when it ends.
    pub fn is_judged(&mut self) -> bool {
        let depth = self.tx.open.len();
        match &mut self.tx.testing {
            Some(testing) => testing.judge.take_if(|at| *at == depth).is_some(),
            None => false,
        }
    }

    /// What a judged call gives.
    pub fn judged(
        &mut self,
        result: Result<Vec<u8>, Failure>,
    ) -> Result<Result<Vec<u8>, Failure>, Exit> {
        let Some(testing) = &mut self.tx.testing else {
            return Ok(result);
        };
        let end = match &result {
            Ok(data) => CallEnd::Return(data),
            Err(Failure::Reverted(data)) => CallEnd::Revert(data),
            Err(Failure::Trapped(code)) => {
                CallEnd::Trap(TrapCode::from_code(*code).unwrap_or(TrapCode::Unreachable))
            }
            Err(Failure::NoContract) => CallEnd::Refused("there is no contract"),
            Err(Failure::InsufficientBalance) => CallEnd::Refused("the balance is too low"),
            Err(Failure::DepthExceeded) => CallEnd::Refused("too many nested calls"),
            Err(Failure::Reentrancy) => CallEnd::Refused("the contract runs already"),
        };
        match testing.director.judge(end) {
            Ok(data) => Ok(Ok(data)),
            Err(data) => Err(Exit::Revert(data)),
        }
    }

    fn deploy_in_test(
        &mut self,
        code: Hash,
        input: &[u8],
        value: Word,
    ) -> Result<ExtensionResult, Exit> {
        let from = self.caller_of_next();
        let Some(testing) = &mut self.tx.testing else {
            return Ok(Err(Vec::new()));
        };
        testing.deployed += 1;
        let mut salt = *b"aivm deployed by a test \0\0\0\0\0\0\0\0";
        if let Some(number) = salt.last_chunk_mut::<8>() {
            *number = testing.deployed.to_le_bytes();
        }
        let contract = Address::of_salted_contract(&from, &salt, &code);
        let checkpoint = self.tx.journal.checkpoint();
        self.tx.journal.create_contract(contract, code);
        let message = Message {
            entry: Entry::Construct,
            contract,
            code,
            caller: from,
            value,
            input,
            gas: self.gas - self.gas / 64,
            read_only: false,
            reentrant: false,
        };
        let judged = self.is_judged();
        let mut result = self.nested(&message, value)?;
        if result.is_err() {
            self.tx.journal.rollback(checkpoint);
        }
        if judged {
            result = self.judged(result)?;
        }
        Ok(match result {
            Ok(_) => Ok(word(&contract).to_be_bytes().to_vec()),
            Err(Failure::Reverted(data)) => Err(data),
            Err(_) => Err(Vec::new()),
        })
    }
}
