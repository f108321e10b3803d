//! Counts. Its owner may set it back.
#![no_std]

use aivm_sdk::prelude::*;

/// What the contract keeps.
#[derive(State)]
pub struct Counter {
    owner: Value<Address>,
    count: Value<u64>,
}

/// Told at each step.
#[derive(Event)]
pub struct Counted {
    /// Who counted.
    #[indexed]
    pub by: Address,
    /// The count after it.
    pub count: u64,
}

/// Why a call is refused.
#[derive(Revert)]
pub enum CounterError {
    /// Only the owner may do that.
    NotOwner {
        /// Who tried.
        caller: Address,
    },
}

#[contract(events(Counted), errors(CounterError))]
impl Counter {
    /// Starts at a number; who deploys is the owner.
    #[constructor]
    pub fn new(&mut self, start: u64) {
        self.owner.set(env::caller());
        self.count.set(start);
    }

    /// Counts one further and gives the new count.
    pub fn increment(&mut self) -> u64 {
        let count = self.count.get() + 1;
        self.count.set(count);
        let by = env::caller();
        Counted { by, count }.emit();
        count
    }

    /// The count.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Sets the count back; for the owner.
    pub fn reset(&mut self, to: u64) -> Result<(), CounterError> {
        let caller = env::caller();
        ensure!(
            caller == self.owner.get(),
            CounterError::NotOwner { caller }
        );
        assert!(to <= self.count.get(), "the counter only goes back");
        self.count.set(to);
        Ok(())
    }
}
