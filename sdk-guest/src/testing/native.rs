//! Contracts in the test's own process.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::chain::{ArrivedMessage, CHAIN_ID, Chain, EventRecord, Failure, SentMessage};
use super::world::{Code, Ended, Frame, World, during, run};
use crate::contracts::{Contract, Reply};
use crate::crypto::{Kem, SignatureScheme};
use crate::{Address, U256};

/// A chain that runs contracts as Rust code, in this process.
///
/// It has no gas: `gas_left` is always `u64::MAX`. Signatures are checked by what
/// [`with_verifier`](Self::with_verifier) gave it, and shared secrets opened by what
/// [`with_decapsulator`](Self::with_decapsulator) did; `with_post_quantum` of the crate
/// `aivm-sdk-testing` gives both as the VM has them. Models need the feature `nn`.
#[derive(Default)]
pub struct Native {
    world: World,
    codes: BTreeMap<String, Code>,
    deployed: u64,
    events: Vec<EventRecord>,
    outbox: Vec<SentMessage>,
}

impl Native {
    /// An empty chain.
    pub fn new() -> Self {
        let mut new = Self::default();
        new.world.chain_id = CHAIN_ID;
        new
    }

    /// Adds a contract under the name by which tests deploy it.
    pub fn with_contract<C: Contract>(mut self, name: &str) -> Self {
        let code = Code {
            construct: C::construct,
            call: C::call,
        };
        self.codes.insert(name.to_owned(), code);
        self
    }

    /// Adds a chain extension.
    pub fn with_extension(mut self, name: &str, body: impl Fn(&[u8]) -> Reply + 'static) -> Self {
        let extensions = &mut self.world.extensions;
        extensions.insert(name.to_owned(), Box::new(body));
        self
    }

    /// Decides which signatures are right: scheme, key, message, signature. Without it a contract
    /// that verifies one panics, since this crate brings no post-quantum cryptography.
    pub fn with_verifier(
        mut self,
        verify: impl Fn(SignatureScheme, &[u8], &[u8], &[u8]) -> bool + 'static,
    ) -> Self {
        self.world.verifier = Some(Rc::new(verify));
        self
    }

    /// Opens encapsulated secrets: mechanism, secret key, ciphertext; `None` for a key or a ciphertext
    /// of the wrong length. Without it a contract that opens one panics.
    pub fn with_decapsulator(
        mut self,
        decapsulate: impl Fn(Kem, &[u8], &[u8]) -> Option<Vec<u8>> + 'static,
    ) -> Self {
        self.world.decapsulator = Some(Rc::new(decapsulate));
        self
    }

    /// A storage entry of a contract.
    pub fn storage(&self, contract: Address, key: &[u8]) -> Option<&[u8]> {
        let entries = self.world.state.storage.get(&contract)?;
        entries.get(key).map(Vec::as_slice)
    }

    fn execute(
        &mut self,
        entry: fn(&[u8]) -> Reply,
        frame: Frame,
        input: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        self.events.clear();
        self.outbox.clear();
        let (from, to, value) = (frame.caller, frame.this, frame.value);
        let before = self.world.state.clone();
        self.world.origin = from;
        if !self.world.state.transfer(from, to, value) {
            return Err(Failure::Refused(
                "the balance is below the value".to_owned(),
            ));
        }
        let result = during(&mut self.world, || run(entry, frame, input));
        self.world.frames.clear();
        match result {
            Ok(output) => {
                self.events = std::mem::take(&mut self.world.state.events);
                self.outbox = std::mem::take(&mut self.world.state.outbox);
                Ok(output)
            }
            Err(ended) => {
                self.world.state = before;
                Err(match ended {
                    Ended::Revert(data) => Failure::Reverted(data),
                    Ended::Trap(code) => Failure::Trapped(code),
                })
            }
        }
    }

    fn code(&self, contract: Address) -> Result<Code, Failure> {
        let code = self.world.state.contracts.get(&contract);
        code.copied()
            .ok_or_else(|| Failure::Refused(format!("there is no contract at {contract}")))
    }
}

fn frame(from: Address, to: Address, value: U256, read_only: bool) -> Frame {
    Frame {
        this: to,
        caller: from,
        value,
        read_only,
        reentrant: false,
        checkpoints: Vec::new(),
    }
}

impl Chain for Native {
    fn fund(&mut self, who: Address, amount: U256) {
        self.world.state.balances.insert(who, amount);
    }

    fn balance(&self, who: Address) -> U256 {
        let balances = &self.world.state.balances;
        balances.get(&who).copied().unwrap_or_default()
    }

    fn set_block(&mut self, number: u64, timestamp: u64) {
        self.world.block_number = number;
        self.world.block_timestamp = timestamp;
    }

    fn deliver(&mut self, id: [u8; 32], message: ArrivedMessage) {
        self.world.inbox.insert(id, message);
    }

    #[cfg(feature = "nn")]
    fn register_model(&mut self, onnx: &[u8]) -> [u8; 32] {
        match aivm_nn::Model::from_onnx(onnx, &aivm_nn::ModelLimits::default()) {
            Ok(model) => {
                let hash = model.hash();
                self.world.models.insert(hash, model);
                hash
            }
            Err(why) => panic!("no model: {why}"),
        }
    }

    #[cfg(not(feature = "nn"))]
    fn register_model(&mut self, _onnx: &[u8]) -> [u8; 32] {
        panic!("models need the feature `nn` of aivm-sdk")
    }

    fn deploy_raw(
        &mut self,
        contract: &str,
        from: Address,
        value: U256,
        input: &[u8],
    ) -> Result<Address, Failure> {
        let Some(code) = self.codes.get(contract).copied() else {
            return Err(Failure::Refused(format!(
                "no contract is called {contract:?}"
            )));
        };
        self.deployed += 1;
        let name = format!("{contract} {}", self.deployed);
        let hash = U256::from_be_bytes(crate::keccak256(name.as_bytes()));
        let address = Address::from_u256(hash);
        let construct = frame(from, address, value, false);
        self.execute(code.construct, construct, input)?;
        self.world.state.contracts.insert(address, code);
        Ok(address)
    }

    fn call_raw(
        &mut self,
        from: Address,
        to: Address,
        value: U256,
        input: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let code = self.code(to)?;
        self.execute(code.call, frame(from, to, value, false), input)
    }

    fn query_raw(&mut self, from: Address, to: Address, input: &[u8]) -> Result<Vec<u8>, Failure> {
        let code = self.code(to)?;
        self.execute(code.call, frame(from, to, U256::ZERO, true), input)
    }

    fn events(&self) -> &[EventRecord] {
        &self.events
    }

    fn outbox(&self) -> &[SentMessage] {
        &self.outbox
    }
}
