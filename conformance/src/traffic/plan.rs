//! Which transactions come next. Only the seed decides; nothing is read from the chain.

use aivm::{Address, Call};
use aivm_abi::calldata::DynSolValue;

use super::numbers::Numbers;
use super::probe::{CASES, TRAPS};
use super::scene::{ACCOUNTS, CHAIN_ID, Places, account, address, input, sized, uint};
use super::{Clock, Contracts, Scene, TrafficError};

/// What a transaction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Tokens change hands; one in sixteen tries to send more than there is.
    Transfer,
    /// A masked ballot, and what an election needs around it.
    Vote,
    /// An order under an ML-DSA-65 signature; one in eight is forged.
    Signature,
    /// A network decides.
    Inference,
    /// A module that traps, or computes with floating point and vectors.
    Probe,
}

impl Kind {
    /// A name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Vote => "vote",
            Self::Signature => "signature",
            Self::Inference => "inference",
            Self::Probe => "probe",
        }
    }
}

/// A transaction of the traffic.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// What it is about.
    pub kind: Kind,
    /// The call.
    pub call: Call,
}

/// Makes transactions.
pub struct Plan<'a> {
    contracts: &'a Contracts,
    places: Places,
    numbers: Numbers,
    /// Orders of the token's governance so far.
    orders: u64,
    proposals: u64,
    /// Members who voted on the last proposal.
    votes: u64,
    posts: u64,
}

/// Members who vote in one block.
const VOTERS: u64 = 16;

impl<'a> Plan<'a> {
    /// Transactions for a scene.
    pub fn new<H: Clock>(contracts: &'a Contracts, scene: &Scene<H>, seed: u64) -> Self {
        Self {
            contracts,
            places: scene.places,
            numbers: Numbers(seed),
            orders: 0,
            proposals: 0,
            votes: 0,
            posts: 0,
        }
    }

    fn transaction(&self, kind: Kind, from: u64, to: Address, input: Vec<u8>) -> Transaction {
        Transaction {
            kind,
            call: Call::new(account(from), to, input),
        }
    }

    /// `count` transactions for the block of a height, or more when the election needs more.
    ///
    /// # Errors
    /// When call data cannot be made.
    pub fn block(&mut self, height: u64, count: usize) -> Result<Vec<Transaction>, TrafficError> {
        let mut block = self.election(height)?;
        while block.len() < count {
            let kind = match self.numbers.below(20) {
                0..9 => Kind::Transfer,
                9..12 => Kind::Signature,
                12..18 => Kind::Inference,
                _ => Kind::Probe,
            };
            block.push(self.one(kind)?);
        }
        Ok(block)
    }

    /// One transaction of a kind.
    ///
    /// # Errors
    /// When call data cannot be made.
    pub fn one(&mut self, kind: Kind) -> Result<Transaction, TrafficError> {
        match kind {
            Kind::Transfer => self.transfer(),
            Kind::Vote => self.vote(),
            Kind::Signature => self.order(),
            Kind::Inference => self.inference(),
            Kind::Probe => Ok(self.probe()),
        }
    }

    fn transfer(&mut self) -> Result<Transaction, TrafficError> {
        let from = self.numbers.below(ACCOUNTS);
        let to = address(&account(self.numbers.below(ACCOUNTS)));
        let amount = match self.numbers.one_in(16) {
            true => 1 << 50,
            false => self.numbers.below(1_000),
        };
        let input = input(&self.contracts.token.abi, "transfer", &[to, uint(amount)])?;
        Ok(self.transaction(Kind::Transfer, from, self.places.token, input))
    }

    /// An order that the governor signed: new tokens for somebody.
    fn order(&mut self) -> Result<Transaction, TrafficError> {
        let to = address(&account(self.orders % ACCOUNTS));
        let amount = uint(1 + self.orders % 7);
        let arguments = DynSolValue::Tuple(vec![to.clone(), amount.clone()]);
        let message = DynSolValue::Tuple(vec![
            DynSolValue::String("mint".into()),
            DynSolValue::Bytes(arguments.abi_encode_params()),
            uint(self.orders),
            address(&self.places.token),
            uint(CHAIN_ID),
        ]);
        let mut signature = self.contracts.signature(&message.abi_encode_params())?;
        if self.numbers.one_in(8) {
            let at = self.numbers.below(signature.len() as u64) as usize;
            if let Some(byte) = signature.get_mut(at) {
                *byte ^= 1;
            }
        } else {
            self.orders += 1;
        }
        let arguments = [to, amount, DynSolValue::Bytes(signature)];
        let input = input(&self.contracts.token.abi, "mint", &arguments)?;
        let from = self.numbers.below(ACCOUNTS);
        Ok(self.transaction(Kind::Signature, from, self.places.token, input))
    }

    fn inference(&mut self) -> Result<Transaction, TrafficError> {
        let from = self.numbers.below(ACCOUNTS);
        let matrix = |bytes: &[u8]| {
            let row = bytes.iter().map(|b| DynSolValue::from(*b)).collect();
            DynSolValue::FixedArray(vec![DynSolValue::FixedArray(row)])
        };
        let c = self.contracts;
        let (to, input) = match self.numbers.below(8) {
            0..3 => {
                let features = self.numbers.bytes(16);
                let input = input(&c.credit.abi, "apply_", &[matrix(&features)])?;
                (self.places.credit, input)
            }
            3..6 => {
                let index = self.numbers.below(c.images.len() as u64) as usize;
                let image = c.images.get(index).copied().unwrap_or([0; 64]);
                let input = input(&c.notary.abi, "read", &[matrix(&image)])?;
                (self.places.notary, input)
            }
            6 => {
                let text = self.text();
                let input = input(&c.gate.abi, "post", &[DynSolValue::String(text)])?;
                (self.places.gate, input)
            }
            _ => {
                let text = self.text();
                let input = input(&c.gate.abi, "confidence", &[DynSolValue::String(text)])?;
                (self.places.gate, input)
            }
        };
        Ok(self.transaction(Kind::Inference, from, to, input))
    }

    /// Something that somebody might write, or noise.
    fn text(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "the", "block", "that", "came", "before", "this", "one", "was", "full", "of", "small",
            "letters",
        ];
        self.posts += 1;
        let mut text = format!("{} ", self.posts);
        if self.numbers.one_in(4) {
            let noise = self.numbers.bytes(40);
            text.extend(noise.iter().map(|byte| char::from(33 + byte % 90)));
            return text;
        }
        for _ in 0..4 + self.numbers.below(20) {
            let word = self.numbers.below(WORDS.len() as u64) as usize;
            text += WORDS.get(word).copied().unwrap_or_default();
            text.push(' ');
        }
        text
    }

    fn probe(&mut self) -> Transaction {
        let case = match self.numbers.one_in(3) {
            true => self.numbers.below(u64::from(TRAPS)) as u8,
            false => TRAPS + self.numbers.below(u64::from(CASES - TRAPS)) as u8,
        };
        let mut input = vec![case];
        for _ in 0..8 {
            let bits = match self.numbers.below(4) {
                // NaNs of each sign and kind, infinities, zeros, the smallest and the largest numbers.
                0 => special(self.numbers.below(16)),
                1 => {
                    u64::from(special_single(self.numbers.below(16))) << 32
                        | u64::from(special_single(self.numbers.below(16)))
                }
                _ => self.numbers.next(),
            };
            input.extend(bits.to_le_bytes());
        }
        let from = self.numbers.below(ACCOUNTS);
        let mut transaction = self.transaction(Kind::Probe, from, self.places.probe, input);
        // What loops or calls itself without end spends all it gets.
        transaction.call.gas_limit = 3_000_000;
        transaction
    }

    fn election_key(&self) -> Option<&'a super::keys::Election> {
        let elections = &self.contracts.elections;
        let index = self.proposals.checked_rem(elections.len() as u64)?;
        elections.get(index as usize)
    }

    /// Somebody's ballot on the newest proposal.
    ///
    /// # Errors
    /// When call data cannot be made.
    pub fn vote(&mut self) -> Result<Transaction, TrafficError> {
        let voter = self.votes % ACCOUNTS;
        self.votes += 1;
        let sealed = self.election_key().and_then(|election| {
            let index = voter.checked_rem(election.sealed.len() as u64)?;
            election.sealed.get(index as usize)
        });
        let arguments = [
            uint(self.proposals),
            sized(self.numbers.below(3), 8),
            DynSolValue::Bytes(sealed.cloned().unwrap_or_default()),
        ];
        let input = input(&self.contracts.dao.abi, "vote", &arguments)?;
        Ok(self.transaction(Kind::Vote, voter, self.places.dao, input))
    }

    /// A proposal; the votes that follow are on it.
    ///
    /// # Errors
    /// When call data cannot be made.
    pub fn propose(&mut self) -> Result<Transaction, TrafficError> {
        self.proposals += 1;
        self.votes = 0;
        let key = self.election_key().map(|election| election.public.clone());
        let proposer = self.proposals % ACCOUNTS;
        let arguments = [
            DynSolValue::String(format!("proposal {}", self.proposals)),
            address(&account(proposer)),
            uint(0),
            DynSolValue::Bytes(key.unwrap_or_default()),
        ];
        let input = input(&self.contracts.dao.abi, "propose", &arguments)?;
        Ok(self.transaction(Kind::Vote, proposer, self.places.dao, input))
    }

    /// What an election does in the block of a height: ten blocks from the proposal to the result.
    fn election(&mut self, height: u64) -> Result<Vec<Transaction>, TrafficError> {
        let mut block = Vec::new();
        let phase = height % 10;
        if phase == 1 {
            block.push(self.propose()?);
        }
        if (1..5).contains(&phase) && self.proposals > 0 {
            for _ in 0..VOTERS {
                block.push(self.vote()?);
            }
            // Voted already.
            self.votes -= 1;
            block.push(self.vote()?);
        }
        if phase == 7 && self.proposals > 0 {
            let abi = &self.contracts.dao.abi;
            let id = uint(self.proposals);
            let secret = self.election_key().map(|election| election.secret.clone());
            let secret = DynSolValue::Bytes(secret.unwrap_or_default());
            let mut inputs = vec![input(abi, "open", &[id.clone(), secret])?];
            for _ in 0..ACCOUNTS.div_ceil(8) {
                inputs.push(input(abi, "count", &[id.clone(), uint(8)])?);
            }
            inputs.push(input(abi, "finish", &[id])?);
            let dao = self.places.dao;
            block.extend(
                inputs
                    .into_iter()
                    .map(|input| self.transaction(Kind::Vote, 0, dao, input)),
            );
        }
        Ok(block)
    }
}

fn special(n: u64) -> u64 {
    const BITS: [u64; 8] = [
        0x7ff8_0000_0000_0000,
        0x7ff0_0000_0000_0001,
        0x7ff8_dead_beef_0001,
        0x7ff0_0000_0000_0000,
        0,
        1,
        0x7fef_ffff_ffff_ffff,
        0x3fe0_0000_0000_0000,
    ];
    let bits = BITS.get((n / 2) as usize).copied().unwrap_or_default();
    bits | (n % 2) << 63
}

fn special_single(n: u64) -> u32 {
    const BITS: [u32; 8] = [
        0x7fc0_0000,
        0x7f80_0001,
        0x7fc0_beef,
        0x7f80_0000,
        0,
        1,
        0x7f7f_ffff,
        0x3f00_0000,
    ];
    let bits = BITS.get((n / 2) as usize).copied().unwrap_or_default();
    bits | ((n % 2) as u32) << 31
}
