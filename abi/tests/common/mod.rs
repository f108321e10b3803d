//! A host that keeps what it is told.
#![allow(dead_code, missing_docs)]

pub mod memory;

use std::collections::BTreeMap;

use aivm_abi::canonical::Handles;
use aivm_abi::host::{accounts, calls, context, crypto, events, journal, log, math, nn, storage};
use aivm_abi::{Exit, FuncId, Meter, Transcript, TrapCode, Word};

pub struct TestHost {
    pub words: BTreeMap<Word, Word>,
    pub map: BTreeMap<Vec<u8>, Vec<u8>>,
    pub events: Vec<(Vec<Word>, Vec<u8>)>,
    pub charged: Vec<(FuncId, u64)>,
    /// Number of charges that are covered.
    pub gas: u64,
    pub limit: u32,
    pub transcript: Transcript,
    pub tensors: Vec<nn::Tensor>,
    pub handles: Handles,
    /// Stacks by the host's number; a dropped one is none.
    pub stacks: Vec<Option<Vec<u32>>>,
}

impl Default for TestHost {
    fn default() -> Self {
        Self {
            words: BTreeMap::new(),
            map: BTreeMap::new(),
            events: Vec::new(),
            charged: Vec::new(),
            gas: u64::MAX,
            limit: 1 << 16,
            transcript: Transcript::retaining(1 << 20),
            tensors: Vec::new(),
            handles: Handles::new(4),
            stacks: Vec::new(),
        }
    }
}

impl TestHost {
    fn pay(&mut self, func: FuncId, bytes: u64) -> Result<(), Exit> {
        self.gas = self.gas.checked_sub(1).ok_or(TrapCode::OutOfGas)?;
        self.charged.push((func, bytes));
        Ok(())
    }
}

impl Meter for TestHost {
    fn charge(&mut self, func: FuncId) -> Result<(), Exit> {
        self.pay(func, 0)
    }

    fn charge_bytes(&mut self, func: FuncId, bytes: u64) -> Result<(), Exit> {
        self.pay(func, bytes)
    }

    fn transfer_limit(&self) -> u32 {
        self.limit
    }

    fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }

    fn handles(&mut self) -> Option<&mut Handles> {
        Some(&mut self.handles)
    }
}

impl storage::Host for TestHost {
    fn load(&mut self, key: Word) -> Result<Word, Exit> {
        Ok(self.words.get(&key).copied().unwrap_or_default())
    }

    fn store(&mut self, key: Word, value: Word) -> Result<(), Exit> {
        self.words.insert(key, value);
        Ok(())
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Exit> {
        Ok(self.map.get(key).cloned())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Exit> {
        self.map.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool, Exit> {
        Ok(self.map.remove(key).is_some())
    }

    fn has(&mut self, key: &[u8]) -> Result<bool, Exit> {
        Ok(self.map.contains_key(key))
    }
}

impl events::Host for TestHost {
    fn emit(&mut self, topics: Vec<Word>, data: &[u8]) -> Result<(), Exit> {
        if topics.len() > 4 {
            return Err(TrapCode::BadArgument.into());
        }
        self.events.push((topics, data.to_vec()));
        Ok(())
    }
}

impl context::Host for TestHost {
    fn caller(&mut self) -> Result<Word, Exit> {
        Ok(Word::from(1u64))
    }

    fn origin(&mut self) -> Result<Word, Exit> {
        Ok(Word::from(2u64))
    }

    fn self_address(&mut self) -> Result<Word, Exit> {
        Ok(Word::from(3u64))
    }

    fn value(&mut self) -> Result<Word, Exit> {
        Ok(Word::ZERO)
    }

    fn block_number(&mut self) -> Result<u64, Exit> {
        Ok(u64::MAX)
    }

    fn block_timestamp(&mut self) -> Result<u64, Exit> {
        Ok(5)
    }

    fn chain_id(&mut self) -> Result<u64, Exit> {
        Ok(6)
    }

    fn gas_left(&mut self) -> Result<u64, Exit> {
        Ok(self.gas)
    }

    fn revert(&mut self, data: &[u8]) -> Result<(), Exit> {
        Err(Exit::Revert(data.to_vec()))
    }
}

impl accounts::Host for TestHost {
    fn balance(&mut self, _: Word) -> Result<Word, Exit> {
        Ok(Word::ZERO)
    }

    fn transfer(&mut self, _: Word, amount: Word) -> Result<bool, Exit> {
        Ok(amount.is_zero())
    }
}

impl calls::Host for TestHost {
    fn call(
        &mut self,
        _: Word,
        _: Word,
        _: u64,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        Ok(match input {
            [] => Err(calls::Failure::NoContract),
            [0, rest @ ..] => Err(calls::Failure::Reverted(rest.to_vec())),
            [1, ..] => Err(calls::Failure::Trapped(TrapCode::OutOfGas.code())),
            _ => Ok(input.to_vec()),
        })
    }

    fn query(
        &mut self,
        _: Word,
        _: u64,
        _: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        Ok(Err(calls::Failure::DepthExceeded))
    }

    fn self_call(&mut self, _: u64, _: &[u8]) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        Ok(Err(calls::Failure::Reentrancy))
    }

    fn allow_reentrancy(&mut self, _: bool) -> Result<(), Exit> {
        Ok(())
    }
}

impl crypto::Host for TestHost {
    fn keccak256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(alloy_primitives::keccak256(data).0))
    }

    fn sha256(&mut self, _: &[u8]) -> Result<Word, Exit> {
        Err(TrapCode::Unsupported.into())
    }

    fn sha3_256(&mut self, _: &[u8]) -> Result<Word, Exit> {
        Err(TrapCode::Unsupported.into())
    }

    fn blake3(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(blake3::hash(data).into()))
    }

    fn verify(
        &mut self,
        scheme: crypto::SignatureScheme,
        _: &[u8],
        _: &[u8],
        _: &[u8],
    ) -> Result<bool, Exit> {
        Ok(scheme == crypto::SignatureScheme::Mldsa65)
    }

    fn verify_all(&mut self, signatures: Vec<crypto::Signed>) -> Result<bool, Exit> {
        aivm_abi_testing::verify_all(self, signatures)
    }

    fn address_of(&mut self, scheme: crypto::SignatureScheme, key: &[u8]) -> Result<Word, Exit> {
        Ok(aivm_abi::Address::from_public_key(scheme.name(), key).to_word())
    }

    fn decapsulate(
        &mut self,
        _: crypto::Kem,
        key: &[u8],
        _: &[u8],
    ) -> Result<Option<Vec<u8>>, Exit> {
        Ok((!key.is_empty()).then(|| key.to_vec()))
    }
}

impl nn::Host for TestHost {
    fn quote(&mut self, model: Word) -> Result<Result<nn::InferenceQuote, nn::Error>, Exit> {
        Ok(if model.is_zero() {
            Err(nn::Error::ModelNotFound)
        } else {
            Ok(nn::InferenceQuote {
                gas: 1,
                macs: 2,
                memory: 3,
                profile: nn::Profile::StrictF32,
            })
        })
    }

    fn infer(
        &mut self,
        _: Word,
        inputs: Vec<nn::Tensor>,
    ) -> Result<Result<Vec<nn::Tensor>, nn::Error>, Exit> {
        self.tensors.clone_from(&inputs);
        Ok(Ok(inputs))
    }
}

impl math::Host for TestHost {
    fn mul(&mut self, _: Word, _: Word) -> Result<Word, Exit> {
        Ok(Word::ZERO)
    }

    fn div(&mut self, _: Word, _: Word) -> Result<Word, Exit> {
        Ok(Word::ZERO)
    }

    fn rem(&mut self, _: Word, _: Word) -> Result<Word, Exit> {
        Ok(Word::ZERO)
    }

    fn add_mod(&mut self, _: Word, _: Word, m: Word) -> Result<Word, Exit> {
        Ok(m)
    }

    fn mul_mod(&mut self, _: Word, _: Word, m: Word) -> Result<Word, Exit> {
        Ok(m)
    }

    fn exp(&mut self, _: Word, _: Word) -> Result<Word, Exit> {
        Ok(Word::ZERO)
    }
}

impl journal::Host for TestHost {
    fn begin(&mut self) -> Result<(), Exit> {
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Exit> {
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), Exit> {
        Err(TrapCode::Checkpoint.into())
    }
}

impl log::Host for TestHost {
    fn debug(&mut self, _: &str) -> Result<(), Exit> {
        Ok(())
    }
}

aivm_abi_testing::plain_hosts!(TestHost);
