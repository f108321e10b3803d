//! Runs the tests of AIVM contracts in the VM, on their compiled Wasm.
//!
//! [`InVm`] is a [`Chain`], as `aivm_sdk::testing::Native` is: a test that is a function of a
//! `Chain` runs on both. [`with_post_quantum`] gives a `Native` the cryptography that the VM has.
#![forbid(unsafe_code)]

mod post_quantum;

use std::collections::BTreeMap;

use aivm::{BlockContext, Call, Deploy, Host, InboxMessage, MemoryHost, Receipt, Status, Vm, Word};
use aivm_sdk::testing::{ArrivedMessage, CHAIN_ID, Chain, EventRecord, Failure, SentMessage};
use aivm_sdk::{Address, U256};

pub use post_quantum::with_post_quantum;

/// A chain in memory that runs contracts' Wasm in the VM.
pub struct InVm {
    vm: Vm,
    host: MemoryHost,
    codes: BTreeMap<String, Vec<u8>>,
    deployed: u64,
    events: Vec<EventRecord>,
    outbox: Vec<SentMessage>,
    receipts: Vec<Receipt>,
}

impl InVm {
    /// An empty chain.
    ///
    /// # Errors
    /// When the VM cannot be built.
    pub fn new() -> Result<Self, aivm::Error> {
        let mut host = MemoryHost::new();
        host.set_block(BlockContext::new(CHAIN_ID, 0));
        Ok(Self {
            vm: Vm::builder().build()?,
            host,
            codes: BTreeMap::new(),
            deployed: 0,
            events: Vec::new(),
            outbox: Vec::new(),
            receipts: Vec::new(),
        })
    }

    /// Adds a contract's Wasm under the name by which tests deploy it.
    pub fn with_contract(mut self, name: &str, wasm: impl Into<Vec<u8>>) -> Self {
        self.codes.insert(name.to_owned(), wasm.into());
        self
    }

    /// Gives a model of the chain a name, by which guests written for other hosts may load it.
    pub fn name_model(&mut self, name: &str, model: [u8; 32]) {
        self.host.name_model(name, model);
    }

    /// Receipts of all deployments and calls so far.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// A storage entry of a contract.
    pub fn storage(&self, contract: Address, key: &[u8]) -> Option<Vec<u8>> {
        let contract = aivm::Address(contract.0);
        self.host.storage_get(&contract, key).ok().flatten()
    }

    fn settle(&mut self, receipt: Receipt) -> Result<Vec<u8>, Failure> {
        let events = receipt.events.iter().map(|event| EventRecord {
            contract: Address(event.contract.0),
            topics: event
                .topics
                .iter()
                .map(|t| U256::from_be_bytes(t.to_be_bytes()))
                .collect(),
            data: event.data.clone(),
        });
        self.events = events.collect();
        let sent = receipt.outbox.iter().map(|message| SentMessage {
            contract: Address(message.contract.0),
            destination: message.destination,
            sequence: message.sequence,
            recipient: message.recipient.clone(),
            payload: message.payload.clone(),
        });
        self.outbox = sent.collect();
        let result = outcome(&receipt);
        self.receipts.push(receipt);
        result
    }
}

fn outcome(receipt: &Receipt) -> Result<Vec<u8>, Failure> {
    match receipt.status {
        Status::Return => Ok(receipt.output.clone()),
        Status::Trap(code) => Err(Failure::Trapped(code.code())),
        _ => Err(Failure::Reverted(receipt.output.clone())),
    }
}

fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}

fn word(value: U256) -> Word {
    Word::from_be_bytes(value.to_be_bytes())
}

impl Chain for InVm {
    fn fund(&mut self, who: Address, amount: U256) {
        self.host.set_balance(aivm::Address(who.0), word(amount));
    }

    fn balance(&self, who: Address) -> U256 {
        let balance = self.host.balance(&aivm::Address(who.0));
        U256::from_be_bytes(balance.unwrap_or_default().to_be_bytes())
    }

    fn set_block(&mut self, number: u64, timestamp: u64) {
        let block = BlockContext::new(CHAIN_ID, number).with_timestamp(timestamp);
        self.host.set_block(block);
    }

    fn deliver(&mut self, id: [u8; 32], message: ArrivedMessage) {
        let message = InboxMessage {
            source_chain: message.source_chain,
            destination: message.destination,
            sender: message.sender,
            recipient: aivm::Address(message.recipient.0),
            payload: message.payload,
        };
        self.host.deliver(id, message);
    }

    fn register_model(&mut self, onnx: &[u8]) -> [u8; 32] {
        match self.vm.register_model(&mut self.host, onnx) {
            Ok(registered) => registered.model,
            Err(why) => panic!("no model: {why}"),
        }
    }

    fn deploy_raw(
        &mut self,
        contract: &str,
        from: Address,
        value: U256,
        input: &[u8],
    ) -> Result<Address, Failure> {
        let Some(wasm) = self.codes.get(contract) else {
            return Err(Failure::Refused(format!(
                "no contract is called {contract:?}"
            )));
        };
        let uploaded = self.vm.upload(&mut self.host, wasm).map_err(refused)?;
        self.deployed += 1;
        let salt = U256::from(self.deployed).to_be_bytes();
        let deploy = Deploy::new(aivm::Address(from.0), uploaded.code, input)
            .with_salt(salt)
            .with_value(word(value));
        let deployed = self.vm.deploy(&mut self.host, &deploy).map_err(refused)?;
        self.settle(deployed.receipt)?;
        Ok(Address(deployed.address.0))
    }

    fn call_raw(
        &mut self,
        from: Address,
        to: Address,
        value: U256,
        input: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let call = Call::new(aivm::Address(from.0), aivm::Address(to.0), input);
        let call = call.with_value(word(value));
        let receipt = self.vm.call(&mut self.host, &call).map_err(refused)?;
        self.settle(receipt)
    }

    fn query_raw(&mut self, from: Address, to: Address, input: &[u8]) -> Result<Vec<u8>, Failure> {
        let call = Call::new(aivm::Address(from.0), aivm::Address(to.0), input);
        let receipt = self.vm.query(&self.host, &call).map_err(refused)?;
        self.events.clear();
        self.outbox.clear();
        outcome(&receipt)
    }

    fn events(&self) -> &[EventRecord] {
        &self.events
    }

    fn outbox(&self) -> &[SentMessage] {
        &self.outbox
    }
}
