//! Gas as folded stacks, the input of every flame-graph tool.

use std::collections::BTreeMap;
use std::fmt::Write;

use aivm_abi::FuncId;

use super::{CodePlace, FrameInfo, FrameResult, Inspector};
use crate::host::Hash;

/// A frame of a stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A contract that was entered.
    Entry(String),
    /// A function of a contract's code, and where it stood.
    Code(Hash, CodePlace),
    /// A host function.
    Host(&'static str),
}

/// An open frame: its label and the gas its children used so far.
#[derive(Clone, Debug)]
struct Open {
    label: String,
    code: Hash,
    /// Where it stands, innermost function first.
    stands: Vec<CodePlace>,
    /// Gas it was given, and what has a stack already.
    given: u64,
    accounted: u64,
    /// Gas of nested frames of the host call that runs.
    nested: u64,
}

/// Collects gas by call stack. A host function is a leaf below the frame that called
/// it; what a frame used itself, its instructions, is the frame's own.
///
/// With places, a frame is divided into the functions that were open in it: instructions
/// count for where the guest stands at its next host call, or at the last one of its frame.
#[derive(Clone, Debug, Default)]
pub struct FoldedStacks {
    places: bool,
    open: Vec<Open>,
    stacks: BTreeMap<Vec<Part>, u64>,
}

impl FoldedStacks {
    /// An empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty collector that looks where the guest stands.
    pub fn with_places() -> Self {
        Self {
            places: true,
            ..Self::default()
        }
    }

    /// One line for each stack: frames separated by semicolons, a blank, and the gas.
    pub fn folded(&self) -> String {
        fold(&self.stacks())
    }

    /// Gas by stack, functions of contracts left out.
    pub fn stacks(&self) -> BTreeMap<String, u64> {
        self.stacks_with(|_, _| None)
    }

    /// Gas by stack, with the names that `name` gives to the places of a code; a place
    /// without one is left out.
    pub fn stacks_with(
        &self,
        name: impl Fn(&Hash, CodePlace) -> Option<String>,
    ) -> BTreeMap<String, u64> {
        let mut named: BTreeMap<String, u64> = BTreeMap::new();
        for (stack, gas) in &self.stacks {
            let parts = stack.iter().filter_map(|part| match part {
                Part::Entry(label) => Some(label.clone()),
                Part::Host(key) => Some((*key).to_owned()),
                // Semicolons divide frames, and names are anybody's.
                Part::Code(code, place) => name(code, *place).map(|n| n.replace(';', ",")),
            });
            let sum = named
                .entry(parts.collect::<Vec<_>>().join(";"))
                .or_default();
            *sum = sum.saturating_add(*gas);
        }
        named
    }

    /// Hashes of the code that stood somewhere.
    pub fn codes(&self) -> Vec<Hash> {
        let parts = self.stacks.keys().flatten();
        let mut codes: Vec<Hash> = parts
            .filter_map(|part| match part {
                Part::Code(code, _) => Some(*code),
                _ => None,
            })
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Counts gas for where the innermost frame stands, or for a host function there.
    fn add(&mut self, leaf: Option<&'static str>, gas: u64) {
        let Some(last) = self.open.last_mut() else {
            return;
        };
        last.accounted = last.accounted.saturating_add(gas);
        if gas == 0 {
            return;
        }
        let mut stack = Vec::new();
        for open in &self.open {
            stack.push(Part::Entry(open.label.clone()));
            let stands = open.stands.iter().rev();
            stack.extend(stands.map(|place| Part::Code(open.code, *place)));
        }
        stack.extend(leaf.map(Part::Host));
        let sum = self.stacks.entry(stack).or_default();
        *sum = sum.saturating_add(gas);
    }
}

/// The text form of stacks: one a line, a blank, and the gas.
pub fn fold(stacks: &BTreeMap<String, u64>) -> String {
    let mut out = String::new();
    for (stack, gas) in stacks {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{stack} {gas}");
    }
    out
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
            code: frame.code,
            stands: Vec::new(),
            given: frame.gas,
            accounted: 0,
            nested: 0,
        });
    }

    fn exit(&mut self, _frame: &FrameInfo<'_>, result: &FrameResult<'_>) {
        let Some(open) = self.open.last() else { return };
        self.add(None, result.gas_used.saturating_sub(open.accounted));
        self.open.pop();
        if let Some(parent) = self.open.last_mut() {
            parent.accounted = parent.accounted.saturating_add(result.gas_used);
            parent.nested = parent.nested.saturating_add(result.gas_used);
        }
    }

    fn host_call(&mut self, function: FuncId, gas: u64) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        // Frames that ran inside of this host call have stacks of their own.
        let nested = std::mem::take(&mut open.nested);
        self.add(Some(function.key()), gas.saturating_sub(nested));
    }

    fn wants_places(&self) -> bool {
        self.places
    }

    fn stands_at(&mut self, stack: &[CodePlace], gas_left: u64) {
        let Some(open) = self.open.last_mut().filter(|_| self.places) else {
            return;
        };
        open.stands = stack.to_vec();
        let spent = open.given.saturating_sub(gas_left);
        let instructions = spent.saturating_sub(open.accounted);
        self.add(None, instructions);
    }
}
