//! Gas as folded stacks, the input of every flame-graph tool.

use std::collections::BTreeMap;
use std::fmt::Write;

use aivm_abi::FuncId;

use super::{FrameInfo, FrameResult, Inspector};

/// An open frame: its label and the gas its children used so far.
#[derive(Clone, Debug)]
struct Open {
    label: String,
    children: u64,
    /// What `children` was when nested frames of the running host call began to count.
    nested: u64,
}

/// Collects gas by call stack. A host function is a leaf below the frame that called
/// it; what a frame used itself, its instructions, is the frame's own.
#[derive(Clone, Debug, Default)]
pub struct FoldedStacks {
    open: Vec<Open>,
    stacks: BTreeMap<String, u64>,
}

impl FoldedStacks {
    /// An empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    /// One line for each stack: frames separated by semicolons, a blank, and the gas.
    pub fn folded(&self) -> String {
        let mut out = String::new();
        for (stack, gas) in &self.stacks {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{stack} {gas}");
        }
        out
    }

    /// Gas by stack.
    pub fn stacks(&self) -> &BTreeMap<String, u64> {
        &self.stacks
    }

    fn add(&mut self, leaf: Option<&str>, gas: u64) {
        if gas == 0 {
            return;
        }
        let mut stack: Vec<&str> = self.open.iter().map(|open| open.label.as_str()).collect();
        stack.extend(leaf);
        let sum = self.stacks.entry(stack.join(";")).or_default();
        *sum = sum.saturating_add(gas);
    }
}

impl Inspector for FoldedStacks {
    fn enter(&mut self, frame: &FrameInfo<'_>) {
        let contract = hex::encode(frame.contract.0);
        let short = contract.get(..8).unwrap_or_default().to_owned();
        let label = match frame.selector() {
            Some(selector) => format!("{short}.{}:{}", frame.entry, hex::encode(selector)),
            None => format!("{short}.{}", frame.entry),
        };
        self.open.push(Open {
            label,
            children: 0,
            nested: 0,
        });
    }

    fn exit(&mut self, _frame: &FrameInfo<'_>, result: &FrameResult<'_>) {
        let Some(own) = self.open.last().map(|open| open.children) else {
            return;
        };
        self.add(None, result.gas_used.saturating_sub(own));
        self.open.pop();
        if let Some(parent) = self.open.last_mut() {
            parent.children = parent.children.saturating_add(result.gas_used);
            parent.nested = parent.nested.saturating_add(result.gas_used);
        }
    }

    fn host_call(&mut self, function: FuncId, gas: u64) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        // Frames that ran inside of this host call have stacks of their own.
        let own = gas.saturating_sub(open.nested);
        open.nested = 0;
        open.children = open.children.saturating_add(own);
        self.add(Some(function.key()), own);
    }
}
