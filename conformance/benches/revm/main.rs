//! Token transfers here and, through the Solidity twin, on revm: from the request to the
//! committed state, both in memory.
//!
//! `cargo bench --bench revm`. It needs solc: `npm ci` in `conformance/solc`.
#![allow(missing_docs)]

#[path = "../calls/chain.rs"]
#[allow(dead_code)]
mod chain;
#[path = "../../tests/solidity_twin/solc.rs"]
#[allow(dead_code)]
mod solc;
#[path = "../calls/timing.rs"]
mod timing;

use std::hint::black_box;

use aivm::Vm;
use chain::{ALICE, BOB, call, deploy, encoded, request, token};
use revm::context::result::ExecutionResult;
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{TxKind, U256};
use revm::state::{AccountInfo, Bytecode};
use revm::{ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext, MainnetEvm};
use synq_compiler::{FolderLoader, MemoryLoader, Options, SourceLoader, twins};
use timing::turns;

/// ERC-20 as everyone knows it, no more.
const PLAIN: &str = "pragma synq ^1.0.0;
contract Plain {
    totalSupply: UInt256 public;
    balanceOf: mapping(Address => UInt256) public;
    allowance: mapping(Address => mapping(Address => UInt256)) public;
    event Transfer(from: Address indexed, to: Address indexed, amount: UInt256)
    constructor(supply: UInt256) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
    }
    @public function transfer(to: Address, amount: UInt256) -> Bool {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}";

type Evm = MainnetEvm<Context<BlockEnv, TxEnv, CfgEnv, CacheDB<EmptyDB>>>;

/// revm with a contract at an address.
struct Peer {
    evm: Evm,
    to: revm::primitives::Address,
}

impl Peer {
    fn new(creation: &[u8], input: &[u8]) -> Self {
        let spec = SpecId::CANCUN;
        let mut evm = Context::mainnet()
            .with_db(CacheDB::new(EmptyDB::default()))
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(spec);
                cfg.disable_nonce_check = true;
                cfg.tx_gas_limit_cap = Some(u64::MAX);
                cfg.limit_contract_code_size = Some(usize::MAX);
            })
            .build_mainnet();
        evm.set_block(BlockEnv {
            gas_limit: u64::MAX,
            ..BlockEnv::default()
        });
        let to = revm::primitives::Address::from([0xcc; 20]);
        let mut peer = Self { evm, to };
        peer.put(&[creation, input].concat());
        let code = peer.call(&[]);
        peer.put(&code);
        peer
    }

    fn put(&mut self, code: &[u8]) {
        let db = &mut self.evm.ctx.journaled_state.database;
        let code = Bytecode::new_raw(code.to_vec().into());
        db.insert_account_info(
            self.to,
            AccountInfo {
                code_hash: code.hash_slow(),
                code: Some(code),
                nonce: 1,
                ..AccountInfo::default()
            },
        );
    }

    /// A transaction that returns, committed.
    fn call(&mut self, input: &[u8]) -> Vec<u8> {
        let tx = TxEnv {
            caller: ALICE.0.into(),
            gas_limit: 10_000_000,
            gas_price: 0,
            kind: TxKind::Call(self.to),
            value: U256::ZERO,
            data: input.to_vec().into(),
            ..TxEnv::default()
        };
        match self.evm.transact_commit(tx).expect("a transaction") {
            ExecutionResult::Success { output, .. } => output.into_data().to_vec(),
            other => panic!("{other:?}"),
        }
    }
}

fn creation(file: &str, loader: &dyn SourceLoader) -> Vec<u8> {
    let list = twins(file, loader, &Options::new()).unwrap_or_else(|e| panic!("{e}"));
    let files: Vec<_> = list.into_iter().map(|t| (t.name, t.text)).collect();
    let mut compiled = solc::compile(&files).unwrap_or_else(|e| panic!("{e}"));
    compiled.pop_first().expect("one contract").1.creation
}

fn measure(name: &str, wasm: &[u8], creation: &[u8], constructor: &[u8], input: &[u8]) {
    let vm = Vm::builder().build().expect("a VM");
    let mut host = chain::chain();
    let contract = deploy(&vm, &mut host, wasm, constructor);
    let transfer = request(contract, input);
    let mut peer = Peer::new(creation, constructor);
    // Bob has an entry from the first transfer on; then each is like the last.
    call(&vm, &mut host, &transfer);
    let gas = call(&vm, &mut host, &transfer).gas.total();
    peer.call(input);
    let [ours, theirs] = turns(
        500,
        [
            &mut || drop(black_box(call(&vm, &mut host, &transfer))),
            &mut || drop(black_box(peer.call(input))),
        ],
    );
    println!(
        "{name} | {gas} | {} | {:.0} | {:.0} | {:.2}×",
        wasm.len(),
        1e9 / ours,
        1e9 / theirs,
        theirs / ours
    );
}

fn main() {
    if !solc::installed("revm") {
        return;
    }
    println!("transfer | gas | module bytes | calls/s | calls/s on revm | ratio");
    let loader = MemoryLoader::new().with_source("plain.synq", PLAIN);
    let (wasm, abi) = chain::compiled("plain.synq", &loader);
    let supply = U256::from(1_000_000_000_000u64).to_be_bytes::<32>();
    measure(
        "ERC-20",
        &wasm,
        &creation("plain.synq", &loader),
        &supply,
        &encoded(&abi, "transfer", &[&BOB.to_string(), "1"]),
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../synq-compiler/contracts");
    let (wasm, constructor, input) = token();
    measure(
        "the corpus' token",
        &wasm,
        &creation("token.synq", &FolderLoader::new(folder)),
        &constructor,
        &input,
    );
}
