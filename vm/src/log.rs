//! Lines that contracts write for people.

use std::sync::{Arc, Mutex, PoisonError};

use aivm_abi::Address;

/// Who wrote, and what; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(Address, String)>>>);

impl Log {
    pub fn push(&self, contract: &Address, message: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push((*contract, message.to_owned()));
    }

    pub fn take(&self) -> Vec<(Address, String)> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *lines)
    }
}
