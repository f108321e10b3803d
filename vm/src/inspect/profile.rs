//! How often each host function was called and what it cost.

use std::collections::BTreeMap;

use aivm_abi::FuncId;

use super::Inspector;

/// Calls of one host function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostCallStats {
    /// Times it was called and returned.
    pub calls: u64,
    /// Gas of all those calls, nested contract calls included.
    pub gas: u64,
}

/// Counts host calls by function.
#[derive(Clone, Debug, Default)]
pub struct HostProfile {
    functions: BTreeMap<&'static str, HostCallStats>,
}

impl HostProfile {
    /// An empty profile.
    pub fn new() -> Self {
        Self::default()
    }

    /// Statistics by `interface.function`.
    pub fn functions(&self) -> &BTreeMap<&'static str, HostCallStats> {
        &self.functions
    }
}

impl Inspector for HostProfile {
    fn host_call(&mut self, function: FuncId, gas: u64) {
        let stats = self.functions.entry(function.key()).or_default();
        stats.calls = stats.calls.saturating_add(1);
        stats.gas = stats.gas.saturating_add(gas);
    }
}
