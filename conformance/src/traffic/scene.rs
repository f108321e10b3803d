//! Contracts in place, and transactions that run on them.

use aivm::inspect::{CallTree, HostProfile};
use aivm::{
    Address, BlockContext, Call, Deploy, Error, Hash, Host, HostError, MemoryHost, Receipt,
    RedbHost, StateDelta, Vm, Word,
};
use aivm_abi::calldata::{DynSolValue, JsonAbi, encode_call, encode_constructor, find_function};
use alloy_primitives::{I256, U256};

use super::{Contracts, TrafficError, Transaction};

/// Identifier of the chain.
pub const CHAIN_ID: u64 = 7;
/// Accounts that send transactions; all of them are members of the club.
pub const ACCOUNTS: u64 = 64;
const GENESIS: u64 = 1_700_000_000;
/// Seconds from block to block.
const BLOCK_TIME: u64 = 12;
/// Seconds that a vote takes: five blocks.
const VOTING: u64 = 60;

/// A chain whose block can be set.
pub trait Clock: Host {
    /// Sets the block that the next calls run in.
    fn set_block(&mut self, block: BlockContext);

    /// Writes what a block changed, where that was not written with each transaction.
    ///
    /// # Errors
    /// When the store fails.
    fn end_block(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

impl Clock for MemoryHost {
    fn set_block(&mut self, block: BlockContext) {
        MemoryHost::set_block(self, block);
    }
}

impl Clock for RedbHost {
    fn set_block(&mut self, block: BlockContext) {
        RedbHost::set_block(self, block);
    }
}

/// Where the contracts are.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub token: Address,
    pub dao: Address,
    pub credit: Address,
    pub gate: Address,
    pub notary: Address,
    pub probe: Address,
}

/// A chain with the contracts in place.
pub struct Scene<H> {
    /// The chain.
    pub host: H,
    pub(super) places: Places,
}

/// Address of an account by its number.
pub fn account(number: u64) -> Address {
    let hash = blake3::derive_key("aivm conformance traffic account", &number.to_le_bytes());
    let mut address = [0; 20];
    address.copy_from_slice(&hash[..20]);
    Address(address)
}

pub fn uint(value: u64) -> DynSolValue {
    DynSolValue::Uint(U256::from(value), 256)
}

pub fn sized(value: u64, bits: usize) -> DynSolValue {
    DynSolValue::Uint(U256::from(value), bits)
}

pub fn address(of: &Address) -> DynSolValue {
    DynSolValue::Address(of.0.into())
}

/// Call data of a function.
pub fn input(
    abi: &JsonAbi,
    function: &str,
    arguments: &[DynSolValue],
) -> Result<Vec<u8>, TrafficError> {
    Ok(encode_call(find_function(abi, function)?, arguments)?)
}

impl<H: Clock> Scene<H> {
    /// Uploads, registers and deploys everything, on a chain that is new.
    ///
    /// # Errors
    /// When the VM or the chain fails, or a contract refuses.
    pub fn new(vm: &Vm, mut host: H, contracts: &Contracts) -> Result<Self, TrafficError> {
        host.set_block(block(0));
        let mut delta = StateDelta::default();
        for number in 0..ACCOUNTS {
            let balance = Word::from(1_000_000_000_000u64);
            delta.balances.insert(account(number), balance);
        }
        host.commit(&delta)?;
        for model in &contracts.models {
            vm.register_model(&mut host, model)?;
        }
        let mut deploy = |wasm: &[u8], input: Vec<u8>| -> Result<Address, TrafficError> {
            let code = vm.upload(&mut host, wasm)?.code;
            let deployed = vm.deploy(&mut host, &Deploy::new(account(0), code, input))?;
            returned("a constructor", &deployed.receipt)?;
            Ok(deployed.address)
        };
        let c = contracts;
        let token = encode_constructor(
            &c.token.abi,
            &[
                DynSolValue::String("Traffic".into()),
                DynSolValue::String("TRF".into()),
                uint(1 << 40),
                uint(1 << 41),
                DynSolValue::Bytes(c.governor.public.clone()),
            ],
        )?;
        let token = deploy(&c.token.wasm, token)?;
        let dao = encode_constructor(&c.dao.abi, &[sized(VOTING, 64), uint(1)])?;
        let dao = deploy(&c.dao.wasm, dao)?;
        let credit = [uint(100), uint(1_000), uint(5_000)];
        let credit = deploy(&c.credit.wasm, encode_constructor(&c.credit.abi, &credit)?)?;
        let thresholds = [40_000, 0].map(|n| {
            let n = I256::unchecked_from(n);
            DynSolValue::Int(n, 32)
        });
        let gate = deploy(&c.gate.wasm, encode_constructor(&c.gate.abi, &thresholds)?)?;
        let points = encode_constructor(&c.points.abi, &[address(&gate)])?;
        let points = deploy(&c.points.wasm, points)?;
        let notary = deploy(&c.notary.wasm, Vec::new())?;
        let probe = deploy(&c.probe, Vec::new())?;
        let places = Places {
            token,
            dao,
            credit,
            gate,
            notary,
            probe,
        };
        let mut scene = Self { host, places };
        let follow = input(&c.gate.abi, "follow", &[address(&points)])?;
        scene.prepare(vm, "follow", account(0), gate, follow)?;
        for number in 0..ACCOUNTS {
            let member = [address(&account(number)), sized(1 + number % 5, 64)];
            let member = input(&c.dao.abi, "setMember", &member)?;
            scene.prepare(vm, "setMember", account(0), dao, member)?;
            if number > 0 {
                let funds = [address(&account(number)), uint(1 << 30)];
                let funds = input(&c.token.abi, "transfer", &funds)?;
                scene.prepare(vm, "transfer", account(0), token, funds)?;
            }
        }
        Ok(scene)
    }

    /// Begins block `height`.
    pub fn begin(&mut self, height: u64) {
        self.host.set_block(block(height));
    }

    /// Runs a transaction that must return.
    ///
    /// # Errors
    /// When it does not.
    pub fn prepare(
        &mut self,
        vm: &Vm,
        what: &'static str,
        from: Address,
        to: Address,
        input: Vec<u8>,
    ) -> Result<(), TrafficError> {
        let receipt = vm.call(&mut self.host, &Call::new(from, to, input))?;
        returned(what, &receipt)
    }

    /// Runs a transaction; with inspectors when it is to be watched.
    ///
    /// # Errors
    /// As [`Vm::call`].
    pub fn run(
        &mut self,
        vm: &Vm,
        transaction: &Transaction,
        observed: bool,
    ) -> Result<Receipt, Error> {
        if !observed {
            return vm.call(&mut self.host, &transaction.call);
        }
        let mut inspector = (CallTree::default(), HostProfile::default());
        vm.call_inspected(&mut self.host, &transaction.call, &mut inspector)
    }

    /// Puts other code behind the token, as a chain's governance would.
    ///
    /// # Errors
    /// When the VM refuses the code or the chain fails.
    pub fn upgrade(&mut self, vm: &Vm, contracts: &Contracts) -> Result<Hash, TrafficError> {
        let code = vm.upload(&mut self.host, &contracts.token_next.wasm)?.code;
        let mut delta = StateDelta::default();
        delta.contracts.insert(self.places.token, code);
        self.host.commit(&delta)?;
        Ok(code)
    }
}

fn block(height: u64) -> BlockContext {
    BlockContext::new(CHAIN_ID, height).with_timestamp(GENESIS + height * BLOCK_TIME)
}

fn returned(what: &'static str, receipt: &Receipt) -> Result<(), TrafficError> {
    if receipt.status.is_success() {
        return Ok(());
    }
    Err(TrafficError::Setup {
        what,
        status: receipt.status,
        output: hex::encode(&receipt.output),
    })
}

/// What came of a transaction, as one hash.
///
/// # Errors
/// When the node failed: that is no outcome.
pub fn fingerprint(outcome: Result<Receipt, Error>) -> Result<Hash, Error> {
    match outcome {
        Ok(receipt) => Ok(receipt.hash().0),
        Err(error) if error.is_refusal() => Ok(*blake3::hash(error.code().as_bytes()).as_bytes()),
        Err(error) => Err(error),
    }
}
