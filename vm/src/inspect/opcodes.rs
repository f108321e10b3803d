//! How often each instruction ran.

use std::collections::BTreeMap;

/// One instruction of WebAssembly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpcodeStats {
    /// Times it ran.
    pub executed: u64,
    /// Gas of all of them, besides what depends on operands and what frames and locals cost.
    pub gas: u64,
}

/// Instructions that the contracts of a transaction ran, by name in the text format.
///
/// They are counted by basic block, as they are paid for: where a trap ends a block early, the
/// rest of it is counted too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpcodeProfile {
    opcodes: BTreeMap<String, OpcodeStats>,
}

impl OpcodeProfile {
    /// Statistics by name, such as `i32.add`.
    pub fn opcodes(&self) -> &BTreeMap<String, OpcodeStats> {
        &self.opcodes
    }

    /// Adds the blocks of one frame, each as often as it began.
    pub(crate) fn add(&mut self, blocks: &[aivm_gas::Block], counts: &[u64]) {
        for (block, count) in blocks.iter().zip(counts).filter(|(_, count)| **count > 0) {
            for (name, opcode) in block {
                let stats = self.opcodes.entry(name.clone()).or_default();
                let executed = opcode.count.saturating_mul(*count);
                stats.executed = stats.executed.saturating_add(executed);
                stats.gas = stats.gas.saturating_add(opcode.gas.saturating_mul(*count));
            }
        }
    }
}
