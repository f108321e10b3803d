//! Modules that are uploaded, and genesis files.

use aivm_gas::{
    GasSchedule, Instrumented, Reason, ScheduleSet, count_blocks, instrument, instrument_plainly,
    least_gas, offset_map,
};
use arbitrary::Unstructured;
use wasmparser::{Validator, WasmFeatures};

use crate::bytes::{seed, text};

#[path = "../../../gas/tests/common/smith.rs"]
mod modules;

/// Instruments; what comes out is valid, and is not taken a second time.
fn instrumented(wasm: &[u8], schedule: &GasSchedule) -> Option<Instrumented> {
    let found = match instrument(wasm, schedule) {
        Ok(found) => found,
        Err(error) => {
            assert!(!matches!(*error.reason, Reason::Internal(_)), "{error}");
            return None;
        }
    };
    assert_valid(&found.wasm);
    assert!(instrument(&found.wasm, schedule).is_err());
    Some(found)
}

/// Any bytes are a module that pays for itself, or refused, and everything that looks at modules agrees.
pub fn module(data: &[u8]) {
    let schedule = GasSchedule::v1();
    let accepted = instrumented(data, &schedule).is_some();
    assert_eq!(instrument_plainly(data, &schedule).is_ok(), accepted);
    assert_eq!(offset_map(data, &schedule).is_ok(), accepted);
    let counted = count_blocks(data, &schedule);
    let least = least_gas(data, &schedule, &|_, _| u64::MAX);
    if accepted {
        least.unwrap();
        assert_valid(&counted.unwrap().wasm);
    }
}

fn assert_valid(wasm: &[u8]) {
    let mut validator = Validator::new_with_features(WasmFeatures::default());
    if let Err(error) = validator.validate_all(wasm) {
        panic!("{error}");
    }
}

/// Random valid modules. Eight bytes are the seed of one.
pub fn smith(data: &[u8]) {
    let wasm = match seed(data) {
        Some(seed) => modules::module(seed, modules::config(seed, true)),
        None => {
            let config = modules::config(data.len() as u64, true);
            let made = wasm_smith::Module::new(config, &mut Unstructured::new(data));
            made.ok().map(|module| module.to_bytes())
        }
    };
    if let Some(wasm) = wasm {
        module(&wasm);
    }
}

/// Any text is a schedule that says the same when written again and with which modules can be priced, or refused.
pub fn schedule(data: &[u8]) {
    let Ok(schedule) = GasSchedule::from_genesis_json(text(data)) else {
        return;
    };
    let again = GasSchedule::from_genesis_json(&schedule.to_genesis_json()).unwrap();
    assert_eq!(again, schedule);
    assert_eq!(again.hash(), schedule.hash());
    assert!(schedule.diff(&again).is_empty());
    let other = GasSchedule::v1();
    assert_eq!(
        schedule.diff(&other).is_empty(),
        schedule.hash() == other.hash()
    );
    let set = ScheduleSet::new(schedule.clone()).unwrap();
    assert_eq!(set.at(u64::MAX), &schedule);
    for price in schedule.pqc.algorithms.values() {
        assert!(price.pq_gas(u64::MAX) >= price.pq_gas(0));
    }
    for import in aivm_abi::IMPORTS {
        if let Some(price) = schedule.host_price(import.key) {
            assert!(price.gas(u64::MAX) >= price.gas(0));
        }
    }
    instrumented(include_bytes!("../seeds/module/counter.wasm"), &schedule);
}
