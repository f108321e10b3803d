//! What a contract finds on the small chain.

use aivm_abi::export::Output;
use aivm_abi::host::{accounts, calls, context, crypto, events, journal, log, math, nn, storage};
use aivm_abi::{Exit, FuncId, Meter, Transcript, TrapCode, Word};
use alloy_primitives::U256;

use super::{Chain, State, World};

/// The host of one call.
pub struct Host {
    pub chain: Chain,
    pub me: Word,
    pub caller: Word,
    pub value: Word,
    pub query: bool,
    pub checkpoints: Vec<World>,
    pub transcript: Transcript,
}

pub fn num(w: Word) -> U256 {
    U256::from_be_bytes(w.to_be_bytes())
}

fn word(n: U256) -> Word {
    Word::from_be_bytes(n.to_be_bytes())
}

impl Meter for Host {
    fn charge(&mut self, _: FuncId) -> Result<(), Exit> {
        Ok(())
    }
    fn charge_bytes(&mut self, _: FuncId, _: u64) -> Result<(), Exit> {
        Ok(())
    }
    fn transfer_limit(&self) -> u32 {
        1 << 20
    }
    fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }
}

impl Host {
    fn state<T>(&mut self, f: impl FnOnce(&mut State) -> T) -> T {
        let mut shared = self.chain.0.borrow_mut();
        f(shared.world.storage.entry(self.me).or_default())
    }
    fn writes(&self) -> Result<(), Exit> {
        if self.query {
            return Err(TrapCode::WriteInQuery.into());
        }
        Ok(())
    }
}

impl storage::Host for Host {
    fn load(&mut self, key: Word) -> Result<Word, Exit> {
        let value = self.state(|s| s.get(key.to_be_bytes().as_slice()).cloned());
        match value {
            None => Ok(Word::ZERO),
            Some(v) => Ok(Word::from_be_bytes(
                v.try_into().map_err(|_| TrapCode::BadArgument)?,
            )),
        }
    }
    fn store(&mut self, key: Word, value: Word) -> Result<(), Exit> {
        self.writes()?;
        self.state(|s| {
            if value.is_zero() {
                s.remove(key.to_be_bytes().as_slice());
            } else {
                s.insert(key.to_be_bytes().to_vec(), value.to_be_bytes().to_vec());
            }
        });
        Ok(())
    }
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Exit> {
        Ok(self.state(|s| s.get(key).cloned()))
    }
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Exit> {
        self.writes()?;
        self.state(|s| s.insert(key.to_vec(), value.to_vec()));
        Ok(())
    }
    fn remove(&mut self, key: &[u8]) -> Result<bool, Exit> {
        self.writes()?;
        Ok(self.state(|s| s.remove(key)).is_some())
    }
    fn has(&mut self, key: &[u8]) -> Result<bool, Exit> {
        Ok(self.state(|s| s.contains_key(key)))
    }
}

impl events::Host for Host {
    fn emit(&mut self, topics: Vec<Word>, data: &[u8]) -> Result<(), Exit> {
        self.writes()?;
        let me = self.me;
        let mut shared = self.chain.0.borrow_mut();
        shared.world.events.push((me, topics, data.to_vec()));
        Ok(())
    }
}

impl context::Host for Host {
    fn caller(&mut self) -> Result<Word, Exit> {
        Ok(self.caller)
    }
    fn origin(&mut self) -> Result<Word, Exit> {
        Ok(Word::from(0xaau64))
    }
    fn self_address(&mut self) -> Result<Word, Exit> {
        Ok(self.me)
    }
    fn value(&mut self) -> Result<Word, Exit> {
        Ok(self.value)
    }
    fn block_number(&mut self) -> Result<u64, Exit> {
        Ok(77)
    }
    fn block_timestamp(&mut self) -> Result<u64, Exit> {
        Ok(1_700_000_000)
    }
    fn chain_id(&mut self) -> Result<u64, Exit> {
        Ok(6)
    }
    fn gas_left(&mut self) -> Result<u64, Exit> {
        Ok(1_000_000)
    }
    fn revert(&mut self, data: &[u8]) -> Result<(), Exit> {
        Err(Exit::Revert(data.to_vec()))
    }
}

impl accounts::Host for Host {
    fn balance(&mut self, address: Word) -> Result<Word, Exit> {
        let shared = self.chain.0.borrow();
        Ok(word(
            shared
                .world
                .balances
                .get(&address)
                .copied()
                .unwrap_or_default(),
        ))
    }
    fn transfer(&mut self, to: Word, amount: Word) -> Result<bool, Exit> {
        self.writes()?;
        Ok(self.chain.move_value(self.me, to, num(amount)))
    }
}

impl calls::Host for Host {
    fn call(
        &mut self,
        target: Word,
        value: Word,
        _: u64,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        if self.query {
            return Err(TrapCode::WriteInQuery.into());
        }
        Ok(self
            .chain
            .clone()
            .nested("call", target, self.me, value, input))
    }
    fn query(
        &mut self,
        target: Word,
        _: u64,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        Ok(self
            .chain
            .clone()
            .nested("query", target, self.me, Word::ZERO, input))
    }
    fn self_call(
        &mut self,
        gas: u64,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        if gas < self.chain.0.borrow().scarce {
            return Ok(Err(calls::Failure::Trapped(TrapCode::OutOfGas.code())));
        }
        let before = self.chain.0.borrow().world.clone();
        let result = self
            .chain
            .clone()
            .run("call", self.me, self.caller, self.value, input);
        Ok(match result {
            Ok(Output::Return(data)) => Ok(data),
            Ok(Output::Revert(data)) | Err(Exit::Revert(data)) => {
                self.chain.0.borrow_mut().world = before;
                Err(calls::Failure::Reverted(data))
            }
            Err(_) => {
                self.chain.0.borrow_mut().world = before;
                Err(calls::Failure::Trapped(1))
            }
        })
    }
    fn allow_reentrancy(&mut self, _: bool) -> Result<(), Exit> {
        Ok(())
    }
}

impl crypto::Host for Host {
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
    /// Good when the signature is key followed by message.
    fn verify(
        &mut self,
        _: crypto::SignatureScheme,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Exit> {
        Ok(signature == [key, message].concat())
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
        ciphertext: &[u8],
    ) -> Result<Option<Vec<u8>>, Exit> {
        Ok((!key.is_empty()).then(|| [key, ciphertext].concat()))
    }
}

impl nn::Host for Host {
    fn quote(&mut self, _: Word) -> Result<Result<nn::InferenceQuote, nn::Error>, Exit> {
        Ok(Ok(nn::InferenceQuote {
            gas: 4321,
            macs: 2,
            memory: 3,
            profile: nn::Profile::Integer,
        }))
    }
    fn infer(
        &mut self,
        model: Word,
        inputs: Vec<nn::Tensor>,
    ) -> Result<Result<Vec<nn::Tensor>, nn::Error>, Exit> {
        let mut shared = self.chain.0.borrow_mut();
        let Some(infer) = shared.infer else {
            return Ok(Err(nn::Error::ModelNotFound));
        };
        let outputs = infer(&inputs);
        shared.inferences.push((model, inputs));
        Ok(Ok(outputs))
    }
}

impl math::Host for Host {
    fn mul(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).wrapping_mul(num(b))))
    }
    fn div(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).checked_div(num(b)).unwrap_or_default()))
    }
    fn rem(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).checked_rem(num(b)).unwrap_or_default()))
    }
    fn add_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(word(num(a).add_mod(num(b), num(m))))
    }
    fn mul_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(word(num(a).mul_mod(num(b), num(m))))
    }
    fn exp(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).wrapping_pow(num(b))))
    }
}

impl journal::Host for Host {
    fn begin(&mut self) -> Result<(), Exit> {
        let world = self.chain.0.borrow().world.clone();
        self.checkpoints.push(world);
        Ok(())
    }
    fn commit(&mut self) -> Result<(), Exit> {
        self.checkpoints.pop().ok_or(TrapCode::Checkpoint)?;
        Ok(())
    }
    fn rollback(&mut self) -> Result<(), Exit> {
        let world = self.checkpoints.pop().ok_or(TrapCode::Checkpoint)?;
        self.chain.0.borrow_mut().world = world;
        Ok(())
    }
}

impl log::Host for Host {
    fn debug(&mut self, message: &str) -> Result<(), Exit> {
        self.chain.0.borrow_mut().logs.push(message.to_owned());
        Ok(())
    }
}

aivm_abi_testing::plain_hosts!(Host);
