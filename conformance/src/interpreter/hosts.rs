//! The host functions, other than those of networks, messages and other hosts.

use aivm::{Address, Word};
use aivm_abi::host::calls::Failure;
use aivm_abi::host::crypto::{Kem, SignatureScheme, Signed};
use aivm_abi::host::{accounts, calls, context, crypto, events, ext, journal, log, math, storage};
use aivm_abi::receipt::{Event, PqcCheck};
use aivm_abi::{Exit, TrapCode};
use aivm_crypto::pqc;
use alloy_primitives::{U256, keccak256};
use sha2::Digest as _;

use super::Fault;
use super::frame::{BlockFull, End, Entry, Frame, Message};

type CallResult = Result<Vec<u8>, Failure>;

/// The address in a word, whose upper 96 bits must be zero.
fn address(word: Word) -> Result<Address, Exit> {
    Address::from_word(word).ok_or_else(|| TrapCode::BadArgument.into())
}

fn number(word: Word) -> U256 {
    word.into()
}

impl context::Host for Frame {
    fn caller(&mut self) -> Result<Word, Exit> {
        Ok(self.message.caller.to_word())
    }

    fn origin(&mut self) -> Result<Word, Exit> {
        Ok(self.shared.origin.to_word())
    }

    fn self_address(&mut self) -> Result<Word, Exit> {
        Ok(self.message.contract.to_word())
    }

    fn value(&mut self) -> Result<Word, Exit> {
        Ok(self.message.value)
    }

    fn block_number(&mut self) -> Result<u64, Exit> {
        Ok(self.shared.world.block.number)
    }

    fn block_timestamp(&mut self) -> Result<u64, Exit> {
        Ok(self.shared.world.block.timestamp)
    }

    fn chain_id(&mut self) -> Result<u64, Exit> {
        Ok(self.shared.world.block.chain_id)
    }

    fn gas_left(&mut self) -> Result<u64, Exit> {
        Ok(self.gas)
    }

    fn revert(&mut self, data: &[u8]) -> Result<(), Exit> {
        if data.len() as u64 > u64::from(self.shared.schedule.call.max_output_bytes) {
            return Err(TrapCode::OutputLimit.into());
        }
        Err(Exit::Revert(data.to_vec()))
    }
}

impl accounts::Host for Frame {
    fn balance(&mut self, account: Word) -> Result<Word, Exit> {
        Ok(self.shared.ledger.balance(&address(account)?))
    }

    fn transfer(&mut self, to: Word, amount: Word) -> Result<bool, Exit> {
        self.writes()?;
        let (from, to) = (self.message.contract, address(to)?);
        Ok(self.shared.ledger.transfer(from, to, amount))
    }
}

impl events::Host for Frame {
    fn emit(&mut self, mut topics: Vec<Word>, data: &[u8]) -> Result<(), Exit> {
        self.writes()?;
        if topics.len() > 4 {
            return Err(TrapCode::BadArgument.into());
        }
        if self.shared.fault == Some(Fault::Topics) && topics.len() > 1 {
            topics.swap(0, 1);
        }
        self.shared.ledger.events.push(Event {
            contract: self.message.contract,
            topics,
            data: data.to_vec(),
        });
        Ok(())
    }
}

impl journal::Host for Frame {
    fn begin(&mut self) -> Result<(), Exit> {
        if self.checkpoints.len() >= 1_024 {
            return Err(TrapCode::Checkpoint.into());
        }
        self.checkpoints.push(self.shared.ledger.clone());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Exit> {
        let closed = self.checkpoints.pop().ok_or(TrapCode::Checkpoint);
        Ok(closed.map(drop)?)
    }

    fn rollback(&mut self) -> Result<(), Exit> {
        self.shared.ledger = self.checkpoints.pop().ok_or(TrapCode::Checkpoint)?;
        Ok(())
    }
}

impl math::Host for Frame {
    fn mul(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(number(a).wrapping_mul(b.into()).into())
    }

    fn div(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        let quotient = number(a).checked_div(b.into());
        Ok(quotient.unwrap_or_default().into())
    }

    fn rem(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        let rest = number(a).checked_rem(b.into());
        Ok(rest.unwrap_or_default().into())
    }

    fn add_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(number(a).add_mod(b.into(), m.into()).into())
    }

    fn mul_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(number(a).mul_mod(b.into(), m.into()).into())
    }

    fn exp(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(number(a).wrapping_pow(b.into()).into())
    }
}

impl ext::Host for Frame {
    fn invoke(&mut self, name: &str, arguments: &[u8]) -> Result<Result<Vec<u8>, Vec<u8>>, Exit> {
        let key = (name.to_owned(), arguments.to_vec());
        let found = self.shared.world.outside.functions.get(&key).cloned();
        let (gas, answer) = found.ok_or(TrapCode::NoSuchExtension)?;
        self.spend_host(gas)?;
        Ok(answer.into())
    }
}

impl log::Host for Frame {
    fn debug(&mut self, _: &str) -> Result<(), Exit> {
        Ok(())
    }
}

impl Frame {
    pub(super) fn entry(&self, contract: &Address, key: &[u8]) -> Option<&Vec<u8>> {
        let entries = self.shared.ledger.storage.get(contract);
        entries.and_then(|entries| entries.get(key))
    }

    /// Pays for looking, which is cheap where somebody has looked before.
    pub(super) fn look(&mut self, contract: Address, key: &[u8]) -> Result<(), Exit> {
        let place = (contract, key.to_vec());
        let prices = &self.shared.schedule.storage;
        let price = match self.shared.warm.contains(&place) {
            true => prices.read_warm,
            false => prices.read,
        };
        self.spend_storage(price)?;
        self.shared.warm.insert(place);
        Ok(())
    }

    pub(super) fn read_entry(
        &mut self,
        contract: Address,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, Exit> {
        self.look(contract, key)?;
        let value = self.entry(&contract, key).cloned();
        let bytes = key.len() + value.as_ref().map_or(0, Vec::len);
        let prices = &self.shared.schedule.storage;
        self.spend_storage(per_kb(prices.read_per_kb, bytes))?;
        Ok(value)
    }

    /// Writes or removes an entry, and tells whether there was one. What is there already costs no
    /// more than looking.
    pub(super) fn write_entry(
        &mut self,
        contract: Address,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<bool, Exit> {
        self.writes()?;
        self.look(contract, key)?;
        let current = self.entry(&contract, key).map(Vec::as_slice);
        let there = current.is_some();
        if current == value {
            return Ok(there);
        }
        let prices = &self.shared.schedule.storage;
        let price = match value {
            None => prices.remove,
            Some(value) => {
                let bytes = per_kb(prices.per_kb, key.len() + value.len());
                bytes
                    + if there {
                        prices.write
                    } else {
                        prices.write_new
                    }
            }
        };
        self.spend_storage(price)?;
        let entries = self.shared.ledger.storage.entry(contract).or_default();
        match value {
            Some(value) => drop(entries.insert(key.to_vec(), value.to_vec())),
            None => drop(entries.remove(key)),
        }
        Ok(there)
    }
}

/// A price for 1,024 bytes, pro rata and rounded up.
pub(super) fn per_kb(price: u64, bytes: usize) -> u64 {
    let thousandths = u128::from(price) * bytes as u128;
    u64::try_from(thousandths.div_ceil(1024)).unwrap_or(u64::MAX)
}

impl storage::Host for Frame {
    fn load(&mut self, key: Word) -> Result<Word, Exit> {
        match self.read_entry(self.message.contract, &key.to_be_bytes())? {
            None => Ok(Word::ZERO),
            Some(value) => {
                let word = <[u8; 32]>::try_from(value).map_err(|_| TrapCode::BadArgument)?;
                Ok(Word::from_be_bytes(word))
            }
        }
    }

    fn store(&mut self, key: Word, value: Word) -> Result<(), Exit> {
        let bytes = value.to_be_bytes();
        let value = Some(bytes.as_slice()).filter(|_| !value.is_zero());
        self.write_entry(self.message.contract, &key.to_be_bytes(), value)?;
        Ok(())
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Exit> {
        self.read_entry(self.message.contract, key)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Exit> {
        self.write_entry(self.message.contract, key, Some(value))?;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool, Exit> {
        self.write_entry(self.message.contract, key, None)
    }

    fn has(&mut self, key: &[u8]) -> Result<bool, Exit> {
        self.look(self.message.contract, key)?;
        Ok(self.entry(&self.message.contract, key).is_some())
    }
}

impl crypto::Host for Frame {
    fn keccak256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(keccak256(data).0))
    }

    fn sha256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(sha2::Sha256::digest(data).into()))
    }

    fn sha3_256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(sha3::Sha3_256::digest(data).into()))
    }

    fn blake3(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(*blake3::hash(data).as_bytes()))
    }

    fn verify(
        &mut self,
        scheme: SignatureScheme,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Exit> {
        let name = format!("{scheme:?}").to_lowercase();
        let gas = self.pay_pq(&name, message.len())?;
        let ok = pqc::verify(scheme, key, message, signature);
        self.note_check(name, ok, gas);
        Ok(ok)
    }

    fn verify_all(&mut self, signatures: Vec<Signed>) -> Result<bool, Exit> {
        let mut paid = Vec::new();
        for signed in &signatures {
            let name = format!("{:?}", signed.scheme).to_lowercase();
            let gas = self.pay_pq(&name, signed.message.len())?;
            paid.push((name, gas));
        }
        let mut all = true;
        for (signed, (name, gas)) in signatures.into_iter().zip(paid) {
            let Signed {
                scheme,
                key,
                message,
                signature,
            } = signed;
            let ok = pqc::verify(scheme, &key, &message, &signature);
            self.note_check(name, ok, gas);
            all &= ok;
        }
        Ok(all)
    }

    fn address_of(&mut self, scheme: SignatureScheme, key: &[u8]) -> Result<Word, Exit> {
        let name = format!("{scheme:?}").to_lowercase();
        Ok(Address::from_public_key(&name, key).to_word())
    }

    fn decapsulate(
        &mut self,
        kem: Kem,
        secret_key: &[u8],
        ciphertext: &[u8],
    ) -> Result<Option<Vec<u8>>, Exit> {
        let name = format!("{kem:?}").to_lowercase();
        let gas = self.pay_pq(&name, ciphertext.len())?;
        let secret = pqc::decapsulate(kem, secret_key, ciphertext);
        let secret = secret.map_err(|missing| Exit::host(missing.to_string()))?;
        self.note_check(name, secret.is_some(), gas);
        Ok(secret)
    }
}

impl Frame {
    fn pay_pq(&mut self, algorithm: &str, bytes: usize) -> Result<u64, Exit> {
        let price = self.shared.schedule.pqc.price(algorithm);
        let gas = price.ok_or(TrapCode::Unsupported)?.pq_gas(bytes as u64);
        let lanes = &mut self.shared.lanes;
        let sum = lanes.pq.saturating_add(gas);
        if sum > lanes.pq_limit {
            return Err(TrapCode::PqGasLimit.into());
        }
        if sum > lanes.pq_block {
            return Err(Exit::host(BlockFull));
        }
        lanes.pq = sum;
        Ok(gas)
    }

    fn note_check(&mut self, scheme: String, ok: bool, gas: u64) {
        self.shared.checks.push(PqcCheck {
            scheme,
            contract: self.message.contract,
            ok,
            gas,
        });
    }
}

impl Frame {
    /// A call keeps a 64th of the caller's gas for the caller.
    fn forwarded(&self, asked: u64) -> u64 {
        asked.min(self.gas - self.gas / 64)
    }

    fn too_deep(&self) -> bool {
        self.shared.open.len() as u64 >= u64::from(self.shared.schedule.call.max_depth)
    }

    /// The code of a contract that may be entered now.
    fn enterable(&self, contract: &Address) -> Result<[u8; 32], Failure> {
        if self.too_deep() {
            return Err(Failure::DepthExceeded);
        }
        let mut open = self.shared.open.iter();
        if open.any(|(running, reentrant)| running == contract && !reentrant) {
            return Err(Failure::Reentrancy);
        }
        let code = self.shared.ledger.contracts.get(contract);
        code.copied().ok_or(Failure::NoContract)
    }

    /// Runs another contract. Its gas comes out of this one's, and what it did is undone when it
    /// fails.
    fn nested(&mut self, message: Message, transfer: Word) -> Result<CallResult, Exit> {
        let checkpoint = self.shared.ledger.clone();
        let (from, to, given) = (message.caller, message.contract, message.gas);
        if !transfer.is_zero() && !self.shared.ledger.transfer(from, to, transfer) {
            return Ok(Err(Failure::InsufficientBalance));
        }
        let shared = std::mem::take(&mut self.shared);
        let (shared, end, left) = Frame::run(shared, message)?;
        self.shared = shared;
        self.gas -= given - left;
        let fault = self.shared.fault;
        Ok(match end {
            End::Return(data) => Ok(data),
            End::Revert(data) => {
                self.shared.ledger.undo(&checkpoint, fault);
                Err(Failure::Reverted(data))
            }
            End::Trap(code) => {
                self.shared.ledger.undo(&checkpoint, fault);
                Err(Failure::Trapped(code.code()))
            }
        })
    }
}

impl calls::Host for Frame {
    fn call(
        &mut self,
        target: Word,
        value: Word,
        gas: u64,
        input: &[u8],
    ) -> Result<CallResult, Exit> {
        let contract = address(target)?;
        if !value.is_zero() {
            self.writes()?;
        }
        let code = match self.enterable(&contract) {
            Ok(code) => code,
            Err(failure) => return Ok(Err(failure)),
        };
        let message = Message {
            entry: Entry::Call,
            contract,
            code,
            caller: self.message.contract,
            value,
            input: input.to_vec(),
            gas: self.forwarded(gas),
            read_only: self.message.read_only,
            reentrant: false,
        };
        self.nested(message, value)
    }

    fn query(&mut self, target: Word, gas: u64, input: &[u8]) -> Result<CallResult, Exit> {
        let contract = address(target)?;
        let code = match self.enterable(&contract) {
            Ok(code) => code,
            Err(failure) => return Ok(Err(failure)),
        };
        let message = Message {
            entry: Entry::Query,
            contract,
            code,
            caller: self.message.contract,
            value: Word::ZERO,
            input: input.to_vec(),
            gas: self.forwarded(gas),
            read_only: true,
            reentrant: false,
        };
        self.nested(message, Word::ZERO)
    }

    fn self_call(&mut self, gas: u64, input: &[u8]) -> Result<CallResult, Exit> {
        if self.too_deep() {
            return Ok(Err(Failure::DepthExceeded));
        }
        let own = &self.message;
        let message = Message {
            entry: match own.read_only {
                true => Entry::Query,
                false => Entry::Call,
            },
            input: input.to_vec(),
            gas: self.forwarded(gas),
            reentrant: self.shared.open.last().is_some_and(|(_, allowed)| *allowed),
            ..own.clone()
        };
        self.nested(message, Word::ZERO)
    }

    fn allow_reentrancy(&mut self, allowed: bool) -> Result<(), Exit> {
        if let Some((_, reentrant)) = self.shared.open.last_mut() {
            *reentrant = allowed;
        }
        Ok(())
    }
}
