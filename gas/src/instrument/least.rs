//! The cheapest way through each function, for tools that tell authors what code costs.

use super::error::InstrumentError;
use super::function::{Callee, Function};
use super::module;
use super::plan::entry_gas;
use crate::GasSchedule;

/// Rounds after which what is known of callees suffices: deeper recursion only adds to it.
const ROUNDS: usize = 16;

/// Gas of the cheapest way through each function of a module, imports first, in the order of
/// their indices; none for a function that never returns. `import_price` gives the price of a
/// call of an imported function, by module and name.
///
/// The true cost of a call is at least this: paths are followed that no input may take, and
/// what depends on operands or on bytes passed is left out.
///
/// # Errors
/// As [`instrument`](super::instrument()).
pub fn least_gas(
    wasm: &[u8],
    schedule: &GasSchedule,
    import_price: &dyn Fn(&str, &str) -> u64,
) -> Result<Vec<Option<u64>>, InstrumentError> {
    let (functions, imports) = module::functions(wasm, schedule)?;
    let mut known: Vec<Option<u64>> = imports
        .iter()
        .map(|(module, name)| Some(import_price(module, name)))
        .collect();
    let first = known.len();
    known.extend(functions.iter().map(|_| Some(0)));
    // What is known only grows, so it is right after any round. Callees often come behind.
    for _ in 0..ROUNDS {
        let mut changed = false;
        for (index, function) in functions.iter().enumerate().rev() {
            let gas = through(function, &known, schedule);
            if let Some(slot) = known.get_mut(first + index)
                && *slot != gas
            {
                *slot = gas;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    Ok(known)
}

fn through(function: &Function, known: &[Option<u64>], schedule: &GasSchedule) -> Option<u64> {
    let mut flow = function.flow.clone();
    for (block, callee) in &function.callees {
        if let (Some(block), Callee::Function(index)) = (block, callee) {
            match known.get(*index as usize) {
                Some(Some(gas)) => flow.add_cost(*block, *gas),
                Some(None) => flow.cut(*block),
                None => {}
            }
        }
    }
    let path = flow.cheapest()?;
    Some(path.saturating_add(entry_gas(0, function, schedule)))
}
