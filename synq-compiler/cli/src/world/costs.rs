//! What functions cost at least, from their code alone.

use std::collections::BTreeMap;

use aivm::GasSchedule;
use aivm::inspect::SourceMap;
use aivm_abi::import_by_module;
use aivm_gas::least_gas;
use synq_compiler::Artifact;

/// Gas of the cheapest call of each public function, by name and Solidity types.
///
/// It includes what every transaction pays. Host functions count at their base price; what
/// depends on arguments is left out.
pub fn at_least(artifact: &Artifact) -> BTreeMap<String, u64> {
    let schedule = GasSchedule::v1();
    let price = |module: &str, name: &str| {
        let price = import_by_module(module, name).and_then(|i| schedule.host_price(i.key));
        price.map_or(0, |price| price.base)
    };
    let (Ok(least), Ok(map)) = (
        least_gas(&artifact.wasm, &schedule, &price),
        SourceMap::new(&artifact.wasm, &schedule),
    ) else {
        return BTreeMap::new();
    };
    let call = &schedule.call;
    let every = call
        .base
        .saturating_add(call.per_input_byte.saturating_mul(4))
        .saturating_add(call.instance_gas(1));
    let mut costs = BTreeMap::new();
    for function in artifact.abi.functions() {
        // Overloads share a name: what holds for all of them is the least.
        let entry = format!("{}.{}@abi", artifact.name, function.name);
        let found = map
            .functions(&entry)
            .filter_map(|index| *least.get(index as usize)?);
        let found = found.min();
        if let Some(gas) = found {
            costs.insert(function.signature(), every.saturating_add(gas));
        }
    }
    costs
}
