//! What callers ask of the VM.

use aivm_abi::{Address, Word};

use crate::host::Hash;

/// A transaction that calls a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Who sends it. The chain has checked the signature.
    pub from: Address,
    /// The contract.
    pub to: Address,
    /// Call data, Solidity-ABI encoded by convention.
    pub input: Vec<u8>,
    /// Native value that goes to the contract. Default zero.
    pub value: Word,
    /// Gas that may be spent. Default 100 million.
    pub gas_limit: u64,
    /// PQ-Gas that may be spent, at most what the schedule allows a transaction: a chain
    /// passes what its block has left. Default: the schedule's limit.
    pub pq_gas_limit: Option<u64>,
    /// Hash of the transaction, for the receipt. Default zero.
    pub tx_hash: Hash,
}

/// Gas limit of a request that names none.
pub const DEFAULT_GAS_LIMIT: u64 = 100_000_000;

impl Call {
    /// A call of `to` by `from` with the defaults for everything else.
    pub fn new(from: Address, to: Address, input: impl Into<Vec<u8>>) -> Self {
        Self {
            from,
            to,
            input: input.into(),
            value: Word::ZERO,
            gas_limit: DEFAULT_GAS_LIMIT,
            pq_gas_limit: None,
            tx_hash: [0; 32],
        }
    }

    /// Sets the native value.
    pub fn with_value(mut self, value: Word) -> Self {
        self.value = value;
        self
    }

    /// Sets the gas limit.
    pub fn with_gas_limit(mut self, gas_limit: u64) -> Self {
        self.gas_limit = gas_limit;
        self
    }

    /// Sets the PQ-Gas limit.
    pub fn with_pq_gas_limit(mut self, pq_gas_limit: u64) -> Self {
        self.pq_gas_limit = Some(pq_gas_limit);
        self
    }

    /// Sets the transaction hash.
    pub fn with_tx_hash(mut self, tx_hash: Hash) -> Self {
        self.tx_hash = tx_hash;
        self
    }
}

/// A transaction that creates a contract from uploaded code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deploy {
    /// Who deploys.
    pub from: Address,
    /// Hash of the code.
    pub code: Hash,
    /// Distinguishes contracts of one sender and code: a nonce or anything else. Default
    /// zero.
    pub salt: [u8; 32],
    /// Input of the constructor, Solidity-ABI encoded by convention.
    pub input: Vec<u8>,
    /// Native value that goes to the contract. Default zero.
    pub value: Word,
    /// Gas that may be spent. Default 100 million.
    pub gas_limit: u64,
    /// As in [`Call::pq_gas_limit`].
    pub pq_gas_limit: Option<u64>,
    /// Hash of the transaction, for the receipt. Default zero.
    pub tx_hash: Hash,
}

impl Deploy {
    /// A deployment of `code` by `from` with the defaults for everything else.
    pub fn new(from: Address, code: Hash, input: impl Into<Vec<u8>>) -> Self {
        Self {
            from,
            code,
            salt: [0; 32],
            input: input.into(),
            value: Word::ZERO,
            gas_limit: DEFAULT_GAS_LIMIT,
            pq_gas_limit: None,
            tx_hash: [0; 32],
        }
    }

    /// Sets the salt.
    pub fn with_salt(mut self, salt: [u8; 32]) -> Self {
        self.salt = salt;
        self
    }

    /// Sets the native value.
    pub fn with_value(mut self, value: Word) -> Self {
        self.value = value;
        self
    }

    /// Sets the gas limit.
    pub fn with_gas_limit(mut self, gas_limit: u64) -> Self {
        self.gas_limit = gas_limit;
        self
    }

    /// Sets the transaction hash.
    pub fn with_tx_hash(mut self, tx_hash: Hash) -> Self {
        self.tx_hash = tx_hash;
        self
    }

    /// The address that the contract will have; it depends on sender, code and salt.
    pub fn address(&self) -> Address {
        Address::of_salted_contract(&self.from, &self.salt, &self.code)
    }
}

/// Hash of code: the domain-separated BLAKE3 of the bytes as uploaded.
pub fn code_hash(wasm: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("aivm contract code v1");
    hasher.update(wasm);
    *hasher.finalize().as_bytes()
}
