//! The two machines under one roof.

use std::rc::Rc;

use aivm::{Address, BlockContext, Call, Deploy, Host, MemoryHost, Receipt, Status, Vm, Word};
use revm::context::result::ExecutionResult;
use revm::context::{BlockEnv, CfgEnv, Context, Evm, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, EthPrecompiles};
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{TxKind, U256};
use revm::state::{AccountInfo, Bytecode};
use revm::{ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext};

use crate::precompiles::{Offers, Precompiles};

/// What a call shows to the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `return`, `revert`, or `stopped` when the machine ended it.
    pub status: &'static str,
    /// Return or revert data.
    pub output: Vec<u8>,
    /// Contract, topics and data of each event.
    pub logs: Vec<(Address, Vec<[u8; 32]>, Vec<u8>)>,
}

/// The AIVM with a chain in memory.
pub struct Ours {
    vm: Rc<Vm>,
    host: MemoryHost,
    salt: u8,
}

/// Identifier of the chain.
pub const CHAIN: u64 = 7;

impl Ours {
    pub fn new(vm: Rc<Vm>) -> Self {
        Self {
            vm,
            host: MemoryHost::new(),
            salt: 0,
        }
    }

    pub fn register(&mut self, onnx: &[u8]) {
        self.vm
            .register_model(&mut self.host, onnx)
            .expect("the model is accepted");
    }

    pub fn set_time(&mut self, time: u64) {
        self.host
            .set_block(BlockContext::new(CHAIN, time / 10).with_timestamp(time));
    }

    pub fn fund(&mut self, account: Address, amount: u64) {
        self.host.set_balance(account, Word::from(amount));
    }

    pub fn deploy(&mut self, from: Address, wasm: &[u8], input: &[u8]) -> (Address, Outcome) {
        let uploaded = self
            .vm
            .upload(&mut self.host, wasm)
            .expect("the module is accepted");
        self.salt += 1;
        let request = Deploy::new(from, uploaded.code, input).with_salt([self.salt; 32]);
        let deployed = self
            .vm
            .deploy(&mut self.host, &request)
            .expect("the machine works");
        (deployed.address, outcome(deployed.receipt))
    }

    pub fn call(&mut self, from: Address, to: Address, value: u64, input: &[u8]) -> Outcome {
        let request = Call::new(from, to, input).with_value(Word::from(value));
        outcome(
            self.vm
                .call(&mut self.host, &request)
                .expect("the machine works"),
        )
    }

    /// Reads without a trace.
    pub fn query(&self, from: Address, to: Address, input: &[u8]) -> Outcome {
        let request = Call::new(from, to, input);
        outcome(
            self.vm
                .query(&self.host, &request)
                .expect("the machine works"),
        )
    }

    pub fn balance(&self, account: Address) -> u64 {
        let balance = self.host.balance(&account).expect("in memory");
        balance.to_u64().expect("small sums")
    }
}

fn outcome(receipt: Receipt) -> Outcome {
    Outcome {
        status: match receipt.status {
            Status::Return => "return",
            Status::Revert => "revert",
            Status::Trap(_) => "stopped",
        },
        output: receipt.output,
        logs: receipt
            .events
            .into_iter()
            .map(|e| {
                (
                    e.contract,
                    e.topics.iter().map(|t| t.to_be_bytes()).collect(),
                    e.data,
                )
            })
            .collect(),
    }
}

type Ctx = Context<BlockEnv, TxEnv, CfgEnv, CacheDB<EmptyDB>>;
type Machine =
    Evm<Ctx, (), EthInstructions<EthInterpreter, Ctx>, Precompiles, EthFrame<EthInterpreter>>;

/// revm, with contracts at addresses of our choice.
pub struct Theirs {
    evm: Machine,
}

fn eth(address: Address) -> revm::primitives::Address {
    address.0.into()
}

impl Theirs {
    pub fn new(models: Rc<Offers>) -> Self {
        let spec = SpecId::CANCUN;
        let evm = Context::mainnet()
            .with_db(CacheDB::new(EmptyDB::default()))
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(spec);
                cfg.chain_id = CHAIN;
                cfg.disable_nonce_check = true;
                cfg.tx_gas_limit_cap = Some(u64::MAX);
                // Creation code runs as if it were an account's, of any length.
                cfg.limit_contract_code_size = Some(usize::MAX);
            })
            .build_mainnet()
            .with_precompiles(Precompiles::new(EthPrecompiles::new(spec), models));
        Self { evm }
    }

    pub fn set_time(&mut self, time: u64) {
        self.set_block(time / 10, time);
    }

    pub fn set_block(&mut self, number: u64, time: u64) {
        self.evm.set_block(BlockEnv {
            number: U256::from(number),
            timestamp: U256::from(time),
            gas_limit: u64::MAX,
            ..BlockEnv::default()
        });
    }

    pub fn fund(&mut self, account: Address, amount: u64) {
        let info = AccountInfo {
            balance: U256::from(amount),
            ..AccountInfo::default()
        };
        self.evm
            .ctx
            .journaled_state
            .database
            .insert_account_info(eth(account), info);
    }

    /// Puts code at an address.
    fn set_code(&mut self, at: Address, code: &[u8]) {
        let db = &mut self.evm.ctx.journaled_state.database;
        let mut info = db.load_account(eth(at)).expect("in memory").info.clone();
        let code = Bytecode::new_raw(code.to_vec().into());
        info.code_hash = code.hash_slow();
        info.code = Some(code);
        info.nonce = 1;
        db.insert_account_info(eth(at), info);
    }

    /// Runs the creation code at `at`, as a creation there would.
    pub fn deploy(
        &mut self,
        from: Address,
        at: Address,
        value: u64,
        creation: &[u8],
        input: &[u8],
    ) -> Outcome {
        self.set_code(at, &[creation, input].concat());
        let mut outcome = self.call(from, at, value, &[]);
        let code = match outcome.status {
            "return" => std::mem::take(&mut outcome.output),
            _ => Vec::new(),
        };
        self.set_code(at, &code);
        outcome
    }

    pub fn call(&mut self, from: Address, to: Address, value: u64, input: &[u8]) -> Outcome {
        let tx = transaction(from, to, value, input);
        let result = self.evm.transact_commit(tx);
        seen(result.expect("the transaction is valid"))
    }

    /// Reads without a trace.
    pub fn query(&mut self, from: Address, to: Address, input: &[u8]) -> Outcome {
        let result = self.evm.transact(transaction(from, to, 0, input));
        seen(result.expect("the transaction is valid").result)
    }

    pub fn balance(&mut self, account: Address) -> u64 {
        let db = &mut self.evm.ctx.journaled_state.database;
        db.load_account(eth(account))
            .expect("in memory")
            .info
            .balance
            .to::<u64>()
    }
}

fn transaction(from: Address, to: Address, value: u64, input: &[u8]) -> TxEnv {
    TxEnv {
        caller: eth(from),
        gas_limit: 100_000_000,
        gas_price: 0,
        kind: TxKind::Call(eth(to)),
        value: U256::from(value),
        data: input.to_vec().into(),
        chain_id: Some(CHAIN),
        ..TxEnv::default()
    }
}

fn seen(result: ExecutionResult) -> Outcome {
    let (status, output, logs) = match result {
        ExecutionResult::Success { output, logs, .. } => {
            ("return", output.into_data().to_vec(), logs)
        }
        ExecutionResult::Revert { output, .. } => ("revert", output.to_vec(), Vec::new()),
        ExecutionResult::Halt { .. } => ("stopped", Vec::new(), Vec::new()),
    };
    let logs = logs
        .into_iter()
        .map(|log| {
            let topics = log.data.topics().iter().map(|t| t.0).collect();
            (
                Address(log.address.into_array()),
                topics,
                log.data.data.to_vec(),
            )
        })
        .collect();
    Outcome {
        status,
        output,
        logs,
    }
}
