//! A wallet that several owners hold together: what enough of them confirm is carried out.
#![no_std]

use aivm_sdk::calls::{self, Failure};
use aivm_sdk::prelude::*;

/// What an owner proposes.
#[derive(State)]
pub struct Proposal {
    target: Value<Address>,
    value: Value<U256>,
    data: Value<Bytes>,
    confirmations: Value<u64>,
    executed: Value<bool>,
    confirmed_by: Map<Address, Value<bool>>,
}

/// What the contract keeps.
#[derive(State)]
pub struct Multisig {
    owners: List<Address>,
    is_owner: Map<Address, Value<bool>>,
    threshold: Value<u64>,
    count: Value<u64>,
    proposals: Map<u64, Proposal>,
}

/// A proposal was made.
#[derive(Event)]
pub struct Submitted {
    /// Its number.
    #[indexed]
    pub id: u64,
    /// Who made it.
    #[indexed]
    pub owner: Address,
    /// Who is called.
    pub target: Address,
    /// With what value.
    pub value: U256,
    /// With what call data; empty for a plain transfer.
    pub data: Bytes,
}

/// An owner agrees.
#[derive(Event)]
pub struct Confirmed {
    /// The proposal.
    #[indexed]
    pub id: u64,
    /// Who.
    #[indexed]
    pub owner: Address,
}

/// An owner no longer agrees.
#[derive(Event)]
pub struct Revoked {
    /// The proposal.
    #[indexed]
    pub id: u64,
    /// Who.
    #[indexed]
    pub owner: Address,
}

/// A proposal was carried out.
#[derive(Event)]
pub struct Executed {
    /// The proposal.
    #[indexed]
    pub id: u64,
    /// What the call returned.
    pub output: Bytes,
}

/// Why a call is refused.
#[derive(Revert)]
pub enum MultisigError {
    /// There must be an owner, none twice and none zero, and a threshold that they can reach.
    BadOwners,
    /// For owners only.
    NotOwner(Address),
    /// There is no such proposal.
    NoProposal(u64),
    /// It was carried out before.
    AlreadyExecuted,
    /// The owner agreed before.
    AlreadyConfirmed,
    /// The owner has not agreed.
    NotConfirmed,
    /// Too few owners agree.
    TooFew {
        /// That agree.
        have: u64,
        /// That must.
        need: u64,
    },
    /// The call failed; what the callee reverted with.
    CallFailed(Bytes),
}

use MultisigError as Error;

#[contract(events(Submitted, Confirmed, Revoked, Executed), errors(MultisigError))]
impl Multisig {
    /// A wallet of these owners, `threshold` of whom must agree.
    #[constructor]
    #[payable]
    pub fn new(&mut self, owners: Vec<Address>, threshold: u64) -> Result<(), Error> {
        ensure!(
            threshold >= 1 && threshold <= owners.len() as u64,
            Error::BadOwners
        );
        for owner in owners {
            let fresh = !owner.is_zero() && !self.is_owner.get(owner);
            ensure!(fresh, Error::BadOwners);
            self.is_owner.set(owner, true);
            self.owners.push(owner);
        }
        self.threshold.set(threshold);
        Ok(())
    }

    /// Takes native value.
    #[payable]
    pub fn deposit(&mut self) {}

    /// The owners.
    pub fn owners(&self) -> Vec<Address> {
        self.owners.iter().collect()
    }

    /// How many must agree.
    pub fn threshold(&self) -> u64 {
        self.threshold.get()
    }

    /// Target, value, call data, confirmations, and whether it was carried out.
    pub fn proposal(&self, id: u64) -> Result<(Address, U256, Bytes, u64, bool), Error> {
        ensure!(id < self.count.get(), Error::NoProposal(id));
        let proposal = self.proposals.at(id);
        Ok((
            proposal.target.get(),
            proposal.value.get(),
            proposal.data.get(),
            proposal.confirmations.get(),
            proposal.executed.get(),
        ))
    }

    /// Proposes a call, or a plain transfer when `data` is empty; gives the proposal's number.
    pub fn submit(&mut self, target: Address, value: U256, data: Bytes) -> Result<u64, Error> {
        let owner = self.owner()?;
        let id = self.count.get();
        self.count.set(id + 1);
        let mut proposal = self.proposals.at_mut(id);
        proposal.target.set(target);
        proposal.value.set(value);
        proposal.data.set(data.clone());
        Submitted {
            id,
            owner,
            target,
            value,
            data,
        }
        .emit();
        Ok(id)
    }

    /// Agrees.
    pub fn confirm(&mut self, id: u64) -> Result<(), Error> {
        let owner = self.owner()?;
        let mut proposal = self.open(id)?;
        ensure!(!proposal.confirmed_by.get(owner), Error::AlreadyConfirmed);
        proposal.confirmed_by.set(owner, true);
        let confirmations = proposal.confirmations.get() + 1;
        proposal.confirmations.set(confirmations);
        Confirmed { id, owner }.emit();
        Ok(())
    }

    /// Takes an agreement back.
    pub fn revoke(&mut self, id: u64) -> Result<(), Error> {
        let owner = self.owner()?;
        let mut proposal = self.open(id)?;
        ensure!(proposal.confirmed_by.get(owner), Error::NotConfirmed);
        proposal.confirmed_by.clear(owner);
        let confirmations = proposal.confirmations.get() - 1;
        proposal.confirmations.set(confirmations);
        Revoked { id, owner }.emit();
        Ok(())
    }

    /// Carries a proposal out; gives what the call returned.
    pub fn execute(&mut self, id: u64) -> Result<Bytes, Error> {
        self.owner()?;
        let need = self.threshold.get();
        let mut proposal = self.open(id)?;
        let have = proposal.confirmations.get();
        ensure!(have >= need, Error::TooFew { have, need });
        // Before the call, so that it cannot be carried out twice.
        proposal.executed.set(true);
        let output = send(
            proposal.target.get(),
            proposal.value.get(),
            &proposal.data.get(),
        )?;
        let done = Executed { id, output };
        done.emit();
        Ok(done.output)
    }

    fn owner(&self) -> Result<Address, Error> {
        let caller = env::caller();
        ensure!(self.is_owner.get(caller), Error::NotOwner(caller));
        Ok(caller)
    }

    /// A proposal that was not carried out.
    fn open(&mut self, id: u64) -> Result<Proposal, Error> {
        ensure!(id < self.count.get(), Error::NoProposal(id));
        let proposal = self.proposals.at_mut(id);
        ensure!(!proposal.executed.get(), Error::AlreadyExecuted);
        Ok(proposal)
    }
}

fn send(target: Address, value: U256, data: &[u8]) -> Result<Bytes, Error> {
    if data.is_empty() {
        let sent = env::transfer(target, value);
        ensure!(sent, Error::CallFailed(Bytes::default()));
        return Ok(Bytes::default());
    }
    match calls::call(target.into(), value.into(), u64::MAX, data) {
        Ok(output) => Ok(output.into()),
        Err(Failure::Reverted(why)) => Err(Error::CallFailed(why.into())),
        Err(_) => Err(Error::CallFailed(Bytes::default())),
    }
}
