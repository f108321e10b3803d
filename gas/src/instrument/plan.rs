//! How functions of a module hand gas and stack to each other.
//!
//! A function that only direct calls can reach is *inner*: all its callers are known, so
//! its type may change. It takes the gas left as one more parameter and gives it back as
//! one more result, which keeps gas in registers, and its callers pay ahead what each of
//! its runs costs at least. Every other function (exported, or named by a table or a
//! reference) is *outer*: it keeps its type and finds gas and stack in the globals.
//!
//! A function is *closed* when all it can reach are inner functions, without recursion.
//! What a closed function needs of the stack is known, so whoever calls it reserves that
//! much, and it checks nothing itself. A closed inner function with nothing left to charge
//! is *free*: it stays as it is.

use super::flow::{Block, Charges};
use super::function::{Callee, Function};
use crate::GasSchedule;

/// Most gas that callers pay ahead for a function; it keeps sums of sums small.
const MAX_AHEAD: u64 = 4_096;

/// What the writer needs to know of a function.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) protocol: Protocol,
    /// Gas on entry that callers have not paid, and the charges of the blocks.
    pub(super) charges: Charges,
    /// Words of stack to reserve on entry.
    pub(super) words: u64,
    /// Whether the function hands its stack on.
    pub(super) open: bool,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Gas and stack in globals; imports too.
    Outer,
    /// Gas in a parameter and a result.
    Gas,
    /// Likewise, and stack in a parameter.
    GasAndStack,
    /// Nothing at all.
    Free,
}

impl Protocol {
    /// Parameters added.
    pub(super) fn params(self) -> u32 {
        match self {
            Self::Outer | Self::Free => 0,
            Self::Gas => 1,
            Self::GasAndStack => 2,
        }
    }

    pub(super) fn is_inner(self) -> bool {
        self.params() > 0
    }
}

/// Plans for all defined functions. `imports` counts the imported ones.
pub(super) fn plan(
    functions: &[Function],
    imports: u32,
    schedule: &GasSchedule,
    merge: bool,
) -> Vec<Plan> {
    let defined = |index: u32| {
        let index = index.checked_sub(imports)? as usize;
        Some((index, functions.get(index)?))
    };
    // Callees of each function, if all are inner.
    let inner_callees: Vec<Option<Vec<usize>>> = functions
        .iter()
        .map(|function| {
            function
                .callees
                .iter()
                .map(|(_, callee)| match callee {
                    Callee::Function(index) => match defined(*index) {
                        Some((index, callee)) if callee.inner => Some(index),
                        _ => None,
                    },
                    Callee::Table => None,
                })
                .collect()
        })
        .collect();
    let order = callees_first(&inner_callees);
    let mut closed = vec![false; functions.len()];
    let mut words: Vec<u64> = functions
        .iter()
        .map(|function| function.frame_words)
        .collect();
    for &index in &order {
        let reserved = deepest(&inner_callees, index, &words, &closed);
        if let (Some(words), Some(closed)) = (words.get_mut(index), closed.get_mut(index)) {
            *words = words.saturating_add(reserved);
            *closed = true;
        }
    }

    // What callers pay ahead, callees first; recursive functions count on nothing yet.
    let mut ahead = vec![0; functions.len()];
    let others = (0..functions.len()).filter(|&index| closed.get(index) == Some(&false));
    for index in order.iter().copied().chain(others) {
        let Some(function) = functions.get(index) else {
            continue;
        };
        if merge && function.inner {
            let charges = costs(function, &ahead, imports, merge);
            let gas = entry_gas(charges.at(Block::ENTRY), function, schedule);
            if let Some(slot) = ahead.get_mut(index) {
                *slot = gas.min(MAX_AHEAD);
            }
        }
    }

    let mut plans: Vec<Plan> = Vec::with_capacity(functions.len());
    for (index, function) in functions.iter().enumerate() {
        let mut charges = costs(function, &ahead, imports, merge);
        let paid = ahead.get(index).copied().unwrap_or_default();
        let entry = entry_gas(charges.at(Block::ENTRY), function, schedule).saturating_sub(paid);
        charges.set(Block::ENTRY, entry);
        let open = closed.get(index) == Some(&false);
        let mut own = words.get(index).copied().unwrap_or(u64::MAX);
        if open {
            // The closed functions that it calls run on its own reservation.
            let inner: Vec<usize> = function
                .callees
                .iter()
                .filter_map(|(_, callee)| match callee {
                    Callee::Function(index) => defined(*index).map(|(index, _)| index),
                    Callee::Table => None,
                })
                .filter(|&callee| functions.get(callee).is_some_and(|callee| callee.inner))
                .filter(|&callee| closed.get(callee) == Some(&true))
                .collect();
            let deepest = inner.iter().filter_map(|&callee| words.get(callee)).max();
            own = own.saturating_add(deepest.copied().unwrap_or(0));
        }
        let protocol = match (function.inner, open) {
            (false, _) => Protocol::Outer,
            (true, false) => Protocol::Gas,
            (true, true) => Protocol::GasAndStack,
        };
        plans.push(Plan {
            protocol,
            charges,
            words: own,
            open,
        });
    }
    for &index in &order {
        let free = functions.get(index).is_some_and(|function| {
            function.inner
                && !function.pays
                && plans.get(index).is_some_and(|plan| plan.charges.are_none())
                && inner_callees
                    .get(index)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .all(|&callee| {
                        plans
                            .get(callee)
                            .is_some_and(|plan| plan.protocol == Protocol::Free)
                    })
        });
        if free && let Some(plan) = plans.get_mut(index) {
            plan.protocol = Protocol::Free;
        }
    }
    plans
}

/// Charges of a function whose calls also pay what `ahead` says.
fn costs(function: &Function, ahead: &[u64], imports: u32, merge: bool) -> Charges {
    let mut flow = function.flow.clone();
    for (block, callee) in &function.callees {
        if let (Some(block), Callee::Function(index)) = (block, callee)
            && let Some(index) = index.checked_sub(imports)
        {
            flow.add_cost(*block, ahead.get(index as usize).copied().unwrap_or(0));
        }
    }
    flow.charges(merge)
}

/// Gas for entering a function, and `first` for its first block.
pub(super) fn entry_gas(first: u64, function: &Function, schedule: &GasSchedule) -> u64 {
    let wasm = &schedule.wasm;
    let declared: u64 = function
        .locals
        .iter()
        .map(|(count, _)| u64::from(*count))
        .sum();
    (wasm.function_entry)
        .saturating_add(wasm.function_local.saturating_mul(declared))
        .saturating_add(
            wasm.frame_per_64_words
                .saturating_mul(function.frame_words.div_ceil(64)),
        )
        .saturating_add(first)
}

/// Most words that a callee of a closed function needs.
fn deepest(callees: &[Option<Vec<usize>>], index: usize, words: &[u64], closed: &[bool]) -> u64 {
    let callees = callees.get(index).into_iter().flatten().flatten();
    callees
        .filter(|&&callee| closed.get(callee) == Some(&true))
        .filter_map(|&callee| words.get(callee).copied())
        .max()
        .unwrap_or(0)
}

/// The closed functions, each after its callees (Kahn's algorithm). What lies on a cycle,
/// or leads to one or to an unknown function, is left out.
fn callees_first(callees: &[Option<Vec<usize>>]) -> Vec<usize> {
    let mut missing: Vec<Option<usize>> = callees
        .iter()
        .map(|callees| callees.as_ref().map(Vec::len))
        .collect();
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); callees.len()];
    for (caller, callees) in callees.iter().enumerate() {
        for &callee in callees.iter().flatten() {
            if let Some(list) = callers.get_mut(callee) {
                list.push(caller);
            }
        }
    }
    let mut order: Vec<usize> = (0..callees.len())
        .filter(|&index| missing.get(index) == Some(&Some(0)))
        .collect();
    let mut next = 0;
    while let Some(&index) = order.get(next) {
        next += 1;
        for &caller in callers.get(index).into_iter().flatten() {
            if let Some(Some(count)) = missing.get_mut(caller) {
                *count -= 1;
                if *count == 0 {
                    order.push(caller);
                }
            }
        }
    }
    order
}
