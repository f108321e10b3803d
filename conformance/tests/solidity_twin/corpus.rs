//! The contracts of the corpus.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use aivm::Vm;
use aivm_abi::calldata::{decode_output, encode_call};
use alloy_dyn_abi::{DynSolValue, Specifier};
use alloy_json_abi::StateMutability;
use synq_compiler::{FolderLoader, Options, compile, twins};

use crate::keys::Keys;
use crate::moves::Shot;
use crate::precompiles::Offers;
use crate::random::Values;
use crate::scenarios::{self, Scenario};
use crate::world::{ACCOUNTS, Twin, World};
use crate::{setting, solc};

/// Calls after which a world begins anew: most contracts come to rest some day.
const GENERATION: u64 = 400;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../synq-compiler/contracts")
}

/// Every contract of the corpus for both machines. That solc takes the text, and that the ABI
/// is the same, is checked on the way.
fn compiled() -> BTreeMap<String, Twin> {
    let loader = FolderLoader::new(folder());
    let mut artifacts = Vec::new();
    let mut texts = Vec::new();
    for file in scenarios::FILES {
        let output = compile(file, &loader, &Options::new())
            .unwrap_or_else(|diagnostics| panic!("{file} does not compile:\n{diagnostics}"));
        artifacts.extend(output.contracts);
        let list = twins(file, &loader, &Options::new())
            .unwrap_or_else(|diagnostics| panic!("{file} has no twin:\n{diagnostics}"));
        texts.extend(
            list.into_iter()
                .map(|t| (format!("{}.sol", t.name), t.text)),
        );
    }
    let mut theirs = solc::compile(&texts).unwrap_or_else(|e| panic!("solc refuses a twin:\n{e}"));
    let list = artifacts.into_iter().map(|artifact| {
        let name = artifact.name;
        let compiled = theirs.remove(&name).expect("solc gives the contract");
        let ours = serde_json::to_value(&artifact.abi).expect("an ABI is JSON");
        let (ours, theirs) = (abi_items(&ours), abi_items(&compiled.abi));
        for (one, other, whose) in [(&ours, &theirs, "ours"), (&theirs, &ours, "solc's")] {
            let missing: Vec<_> = one.iter().filter(|i| !other.contains(i)).collect();
            assert!(
                missing.is_empty(),
                "{name}: only in {whose} ABI: {missing:?}"
            );
        }
        let twin = Twin {
            wasm: artifact.wasm,
            creation: compiled.creation,
            abi: Rc::new(artifact.abi),
        };
        (name, twin)
    });
    list.collect()
}

/// The entries of an ABI in one order, without the names that a compiler makes up.
fn abi_items(abi: &serde_json::Value) -> Vec<String> {
    let mut items: Vec<serde_json::Value> = abi.as_array().expect("a list").clone();
    items.iter_mut().for_each(plain);
    // A constructor that takes nothing says nothing: one compiler leaves it out.
    items.retain(|i| {
        !(i["type"] == "constructor"
            && i["inputs"] == serde_json::json!([])
            && i["stateMutability"] == "nonpayable")
    });
    let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

fn plain(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.remove("internalType");
            // `false` is the default of both.
            fields.retain(|k, v| !(k == "anonymous" && *v == serde_json::Value::Bool(false)));
            fields.values_mut().for_each(plain);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(plain),
        _ => {}
    }
}

/// How often a function was called, and how often it returned.
type Tally = BTreeMap<String, (u64, u64)>;

/// Runs one scenario until each contract under test was called `calls` times.
fn run(
    scenario: &Scenario,
    compiled: &BTreeMap<String, Twin>,
    keys: &Rc<Keys>,
    calls: u64,
    seed: u64,
) -> Tally {
    let vm = Rc::new(
        Vm::builder()
            .build()
            .expect("the default configuration works"),
    );
    let models: Vec<Vec<u8>> = scenario
        .models
        .iter()
        .map(|file| std::fs::read(folder().join(file)).expect("the model is there"))
        .collect();
    let mut registry = Offers::default();
    models.iter().for_each(|onnx| registry.add(onnx));
    let registry = Rc::new(registry);
    let mut tally = Tally::new();
    let mut total = 0;
    for generation in 0.. {
        let mut world = World::new(vm.clone(), registry.clone(), keys.clone());
        models.iter().for_each(|onnx| world.register(onnx));
        for step in scenario.setup {
            world.set_up(step, compiled);
        }
        let addresses = world.names.values().copied().collect();
        let mut values = Values::new(seed + generation, addresses, world.time);
        for _ in 0..GENERATION {
            if total == calls * scenario.tested.len() as u64 {
                world.check_balances();
                return tally;
            }
            let tested = step(scenario, &mut world, &mut values, &mut tally, total);
            total += u64::from(tested);
        }
        world.check_balances();
    }
    tally
}

/// One random call. Tells whether it was one of a contract under test.
fn step(
    scenario: &Scenario,
    world: &mut World,
    values: &mut Values,
    tally: &mut Tally,
    number: u64,
) -> bool {
    if values.random.one_in(4) {
        world.wait(*values.random.pick(scenario.waits));
        values.now = world.time;
    }
    // One after the other, so that each gets its share.
    let kind = scenario.tested[number as usize % scenario.tested.len()];
    let all = world.contracts.iter();
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for contract in all {
        if contract.kind == kind {
            ours.push(contract);
        } else if !scenario.tested.contains(&&*contract.kind) {
            others.push(contract);
        }
    }
    let tested = others.is_empty() || !values.random.one_in(10);
    let from = if tested { &ours } else { &others };
    let contract = (*values.random.pick(from)).clone();
    let functions: Vec<_> = contract.abi.functions().collect();
    let function = *values.random.pick(&functions);
    let arguments = function
        .inputs
        .iter()
        .map(|p| values.value(&p.resolve().expect("the ABI is good")))
        .collect();
    let takes_value = function.state_mutability == StateMutability::Payable;
    let mut shot = Shot {
        from: values.random.below(ACCOUNTS.len()),
        value: match values.random.below(if takes_value { 3 } else { 40 }) {
            0 => *values.random.pick(&[1, 5, 100, 1_000]),
            _ => 0,
        },
        arguments,
    };
    // Two calls in three know what they do.
    if !values.random.one_in(3) {
        (scenario.moves)(world, values, &contract, function, &mut shot);
    }
    let mut input = encode_call(function, &shot.arguments).expect("values fit");
    if values.random.one_in(50) {
        let length = values.random.below(input.len() + 1);
        input.truncate(length);
    }
    let name = ACCOUNTS[shot.from];
    let outcome = world
        .both(world.names[name], contract.at, shot.value, &input)
        .unwrap_or_else(|difference| {
            let short: Vec<String> = shot.arguments.iter().map(brief).collect();
            let signature = function.signature();
            panic!(
                "call {number}: {name} calls {signature} ({}){difference}",
                short.join(", ")
            )
        });
    let entry = tally
        .entry(format!("{}.{}", contract.kind, function.signature()))
        .or_default();
    entry.0 += 1;
    if outcome.status == "return" {
        entry.1 += 1;
        if let Ok(output) = decode_output(function, &outcome.output) {
            values.remember(output);
        }
    }
    tested
}

fn brief(value: &DynSolValue) -> String {
    let mut text = format!("{value:?}");
    if text.len() > 100 {
        text.truncate(text.floor_char_boundary(100));
        text.push('…');
    }
    text
}

#[test]
fn the_corpus_agrees_with_its_twins() {
    if !solc::installed("the_corpus_agrees_with_its_twins") {
        return;
    }
    let (calls, seed) = (setting("TWIN_CALLS", 10_000), setting("TWIN_SEED", 1));
    let only = std::env::var("TWIN_ONLY").ok();
    let compiled = compiled();
    let keys = Rc::new(Keys::new());
    let mut failures = Vec::new();
    let mut contracts = 0;
    for scenario in scenarios::ALL {
        if only.as_ref().is_some_and(|o| scenario.name != o) {
            continue;
        }
        let started = std::time::Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(scenario, &compiled, &keys, calls, seed)
        }));
        let tally = match result {
            Ok(tally) => tally,
            Err(panic) => {
                let text = panic.downcast_ref::<String>();
                let text = text.map_or("panicked", String::as_str);
                failures.push(format!("{}: {text}", scenario.name));
                continue;
            }
        };
        contracts += scenario.tested.len();
        let (made, returned) = tally
            .values()
            .fold((0, 0), |sum, t| (sum.0 + t.0, sum.1 + t.1));
        println!(
            "{}: {made} calls, {returned} returned, no difference, {:.1} s",
            scenario.name,
            started.elapsed().as_secs_f64()
        );
        for (function, (made, returned)) in &tally {
            if std::env::var_os("TWIN_SHARES").is_some() {
                println!("  {returned:6} of {made:6} {function}");
            }
            // Calls that all fail would compare little.
            let tested = scenario
                .tested
                .iter()
                .any(|t| function.strip_prefix(t).is_some_and(|f| f.starts_with('.')));
            if tested && *made >= 200 && *returned < made / 50 {
                failures.push(format!("{function}: {returned} of {made} calls returned"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    if only.is_none() {
        assert_eq!(contracts, compiled.len(), "each contract is under test");
    }
}
