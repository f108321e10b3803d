//! Gas by source line, and the line at which a transaction failed.

use std::collections::BTreeMap;

use aivm_abi::FuncId;

use super::{CodePlace, FrameInfo, FrameResult, Inspector, SourceMap};
use crate::host::Hash;

/// An open frame.
#[derive(Clone, Debug)]
struct Open {
    code: Hash,
    /// Where it stands.
    stack: Vec<CodePlace>,
    /// Gas it was given, and what is accounted for.
    given: u64,
    accounted: u64,
    /// Gas of nested frames of the host call that runs.
    nested: u64,
}

/// Gas by place: a host call counts for the line that makes it, and instructions for the line
/// of the next host call, or the last one of their frame.
#[derive(Clone, Debug, Default)]
pub struct LineProfile {
    open: Vec<Open>,
    gas: BTreeMap<(Hash, Vec<CodePlace>), u64>,
}

impl LineProfile {
    /// An empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hashes of the code that ran.
    pub fn codes(&self) -> Vec<Hash> {
        let mut codes: Vec<Hash> = self.gas.keys().map(|(code, _)| *code).collect();
        codes.dedup();
        codes
    }

    /// Gas by `file:line` of one code, or by function where there is no line.
    pub fn lines(&self, code: &Hash, map: &SourceMap) -> BTreeMap<String, u64> {
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, stack), gas) in self.gas.iter().filter(|((c, _), _)| c == code) {
            let line = match (map.line(stack), stack.first()) {
                (Some(line), _) => line.to_string(),
                (None, Some(place)) => match map.locate(*place).name {
                    Some(name) => name.to_owned(),
                    None => format!("function {}", place.function),
                },
                (None, None) => "entry".to_owned(),
            };
            let sum = lines.entry(line).or_default();
            *sum = sum.saturating_add(*gas);
        }
        lines
    }

    fn count(&mut self, gas: u64) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        open.accounted = open.accounted.saturating_add(gas);
        if gas > 0 {
            let sum = self.gas.entry((open.code, open.stack.clone())).or_default();
            *sum = sum.saturating_add(gas);
        }
    }
}

impl Inspector for LineProfile {
    fn enter(&mut self, frame: &FrameInfo<'_>) {
        self.open.push(Open {
            code: frame.code,
            stack: Vec::new(),
            given: frame.gas,
            accounted: 0,
            nested: 0,
        });
    }

    fn exit(&mut self, _frame: &FrameInfo<'_>, result: &FrameResult<'_>) {
        let rest = match self.open.last() {
            Some(open) => result.gas_used.saturating_sub(open.accounted),
            None => return,
        };
        self.count(rest);
        self.open.pop();
        if let Some(parent) = self.open.last_mut() {
            parent.nested = parent.nested.saturating_add(result.gas_used);
            parent.accounted = parent.accounted.saturating_add(result.gas_used);
        }
    }

    fn host_call(&mut self, _function: FuncId, gas: u64) {
        let nested = match self.open.last_mut() {
            Some(open) => std::mem::take(&mut open.nested),
            None => return,
        };
        self.count(gas.saturating_sub(nested));
    }

    fn wants_places(&self) -> bool {
        true
    }

    fn stands_at(&mut self, stack: &[CodePlace], gas_left: u64) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        open.stack = stack.to_vec();
        let spent = open.given.saturating_sub(gas_left);
        let instructions = spent.saturating_sub(open.accounted);
        self.count(instructions);
    }
}

/// Where the code that made a transaction fail stood: the innermost frame that failed.
#[derive(Clone, Debug, Default)]
pub struct FailurePlace {
    open: Vec<Vec<CodePlace>>,
    found: Option<(usize, Hash, Vec<CodePlace>)>,
}

impl FailurePlace {
    /// An empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    /// The code that failed and where it stood, innermost function first; none when the
    /// transaction returned.
    pub fn found(&self) -> Option<(&Hash, &[CodePlace])> {
        let (_, code, stack) = self.found.as_ref()?;
        Some((code, stack))
    }
}

impl Inspector for FailurePlace {
    fn enter(&mut self, _frame: &FrameInfo<'_>) {
        self.open.push(Vec::new());
    }

    fn exit(&mut self, frame: &FrameInfo<'_>, result: &FrameResult<'_>) {
        let stack = self.open.pop().unwrap_or_default();
        let inner = matches!(&self.found, Some((depth, ..)) if *depth > frame.depth);
        match (result.status.is_success(), inner) {
            // What failed inside was dealt with.
            (true, true) => self.found = None,
            (false, false) => self.found = Some((frame.depth, frame.code, stack)),
            _ => {}
        }
    }

    fn wants_places(&self) -> bool {
        true
    }

    fn stands_at(&mut self, stack: &[CodePlace], _gas_left: u64) {
        if let Some(open) = self.open.last_mut() {
            *open = stack.to_vec();
        }
    }
}
