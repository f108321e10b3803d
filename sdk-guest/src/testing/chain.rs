//! What tests ask of a chain.

use crate::abi::{self, AbiType, Malformed};
use crate::call::Call;
use crate::event::Event;
use crate::messages::Remote;
use crate::{Address, Revert, U256};

/// Identifier of the chain that tests run on.
pub const CHAIN_ID: u64 = 1;

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The contract reverted, with this data.
    Reverted(Vec<u8>),
    /// The sandbox stopped it; the number is the trap code as receipts print it.
    Trapped(u32),
    /// The chain refused to run it.
    Refused(String),
    /// It returned what is not of the type.
    Malformed,
}

impl Failure {
    /// The failure of a contract that returns this error.
    pub fn of(error: impl Revert) -> Self {
        Self::Reverted(error.revert_data())
    }

    /// Text of an `Error(string)`, which is what a panic gives.
    pub fn message(&self) -> Option<String> {
        let Self::Reverted(data) = self else {
            return None;
        };
        let text = data.strip_prefix(&[0x08, 0xc3, 0x79, 0xa0])?;
        abi::decode(text).ok()
    }
}

/// An event of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// The contract that told it.
    pub contract: Address,
    /// Topics.
    pub topics: Vec<U256>,
    /// The other fields.
    pub data: Vec<u8>,
}

impl EventRecord {
    /// Whether it is this event of this contract.
    pub fn is<E: Event>(&self, contract: Address, event: &E) -> bool {
        let (topics, data) = event.parts();
        let topics: Vec<U256> = topics.words().iter().map(|&t| U256::from(t)).collect();
        self.contract == contract && self.topics == topics && self.data == data
    }
}

/// A message that a contract sent to another chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The contract that sent it.
    pub contract: Address,
    /// The chain that it goes to.
    pub destination: u64,
    /// Its number among the messages of the contract to that chain, from 0.
    pub sequence: u64,
    /// Who receives it, as that chain writes addresses.
    pub recipient: Vec<u8>,
    /// What was sent, encoded.
    pub payload: Vec<u8>,
}

impl SentMessage {
    /// What was sent.
    ///
    /// # Errors
    /// When it is something else.
    pub fn payload<T: AbiType>(&self) -> Result<T, Malformed> {
        abi::decode(&self.payload)
    }
}

/// A message that the chain has verified, for one of its contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedMessage {
    /// The chain that it comes from.
    pub source_chain: u64,
    /// The chain that it was sent to; a contract on any other does not get it.
    pub destination: u64,
    /// Who sent it, as that chain writes addresses.
    pub sender: Vec<u8>,
    /// The contract that it is for; no other gets it.
    pub recipient: Address,
    /// What was sent, encoded.
    pub payload: Vec<u8>,
}

impl ArrivedMessage {
    /// A message with a typed payload to a contract of the chain that tests run on.
    pub fn new<T: AbiType>(from: &Remote, recipient: Address, payload: &T) -> Self {
        Self {
            source_chain: from.chain,
            destination: CHAIN_ID,
            sender: from.address.clone(),
            recipient,
            payload: abi::encode(payload),
        }
    }
}

/// A chain with one VM: in this process or in Wasm.
pub trait Chain {
    /// Sets a native balance.
    fn fund(&mut self, who: Address, amount: U256);
    /// Native balance.
    fn balance(&self, who: Address) -> U256;
    /// Sets the block that the next calls run in.
    fn set_block(&mut self, number: u64, timestamp: u64);
    /// Puts a message into the inbox, as if it had arrived and been verified. Identifiers differ from
    /// message to message; one that is given again takes the place of the first.
    fn deliver(&mut self, id: [u8; 32], message: ArrivedMessage);
    /// Registers a model's ONNX bytes; gives its content address.
    ///
    /// # Panics
    /// When the bytes are no model.
    fn register_model(&mut self, onnx: &[u8]) -> [u8; 32];
    /// Deploys the contract that was added under this name.
    ///
    /// # Errors
    /// When the constructor fails.
    fn deploy_raw(
        &mut self,
        contract: &str,
        from: Address,
        value: U256,
        input: &[u8],
    ) -> Result<Address, Failure>;
    /// Calls a contract.
    ///
    /// # Errors
    /// When the call fails; its effects are undone.
    fn call_raw(
        &mut self,
        from: Address,
        to: Address,
        value: U256,
        input: &[u8],
    ) -> Result<Vec<u8>, Failure>;
    /// Asks a contract, read-only.
    ///
    /// # Errors
    /// When the call fails.
    fn query_raw(&mut self, from: Address, to: Address, input: &[u8]) -> Result<Vec<u8>, Failure>;
    /// Events of the newest deployment or call; none of one that failed.
    fn events(&self) -> &[EventRecord];
    /// Messages of the newest deployment or call to other chains; none of one that failed.
    fn outbox(&self) -> &[SentMessage];

    /// Deploys with typed arguments: `chain.deploy("token", ALICE, &TokenCall::construct(…))`.
    ///
    /// # Errors
    /// When the constructor fails.
    fn deploy(
        &mut self,
        contract: &str,
        from: Address,
        construct: &Call<()>,
    ) -> Result<Address, Failure> {
        self.deploy_raw(contract, from, construct.value, &construct.input)
    }

    /// Calls with typed arguments: `chain.call(ALICE, token, &TokenCall::transfer(bob, amount))`.
    ///
    /// # Errors
    /// When the call fails, or returns what is not an `R`.
    fn call<R: AbiType>(&mut self, from: Address, to: Address, call: &Call<R>) -> Result<R, Failure>
    where
        Self: Sized,
    {
        let output = self.call_raw(from, to, call.value, &call.input)?;
        abi::decode(&output).map_err(|_| Failure::Malformed)
    }

    /// Asks with typed arguments, as nobody in particular.
    ///
    /// # Errors
    /// When the call fails, or returns what is not an `R`.
    fn query<R: AbiType>(&mut self, to: Address, call: &Call<R>) -> Result<R, Failure>
    where
        Self: Sized,
    {
        let output = self.query_raw(Address::ZERO, to, &call.input)?;
        abi::decode(&output).map_err(|_| Failure::Malformed)
    }
}
