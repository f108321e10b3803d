//! Random programs: what the generator writes runs here and, through the twin, on revm.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use aivm::Vm;
use aivm_abi::calldata::encode_call;
use alloy_dyn_abi::Specifier;
use synq_compiler::{MemoryLoader, Options, compile, twins};

use crate::generator::program;
use crate::keys::Keys;
use crate::precompiles::Offers;
use crate::random::{Random, Values};
use crate::world::{ACCOUNTS, Twin, World};
use crate::{setting, solc};

/// Programs that solc gets at a time.
const BATCH: u64 = 12;
/// Calls that each program gets.
const CALLS: u64 = 150;

struct Source {
    name: String,
    text: String,
    twin: String,
    wasm: Vec<u8>,
    abi: alloy_json_abi::JsonAbi,
}

/// A program that both compilers take; the generator makes a few that ours refuses (a literal
/// that is divided by zero, say).
fn source(seed: u64) -> Option<Source> {
    let name = format!("P{seed}");
    let text = program(&name, Random(seed.wrapping_mul(0x5851_f42d_4c95_7f2d)));
    let loader = MemoryLoader::new().with_source("p.synq", text.as_str());
    let output = match compile("p.synq", &loader, &Options::new()) {
        Ok(output) => output,
        Err(diagnostics) => {
            println!("{name} is refused: {diagnostics}");
            return None;
        }
    };
    let twin = twins("p.synq", &loader, &Options::new())
        .unwrap_or_else(|d| panic!("{name} has no twin:\n{d}\n{text}"));
    let artifact = output.contracts.into_iter().next().expect("one contract");
    Some(Source {
        name,
        text,
        twin: twin.into_iter().next().expect("one contract").text,
        wasm: artifact.wasm,
        abi: artifact.abi,
    })
}

/// Creation code of each twin. One that is too large for solc's stack is left out; any other
/// error is one of the twin's.
fn creations(sources: &[Source]) -> BTreeMap<String, Vec<u8>> {
    let file = |s: &Source| (format!("{}.sol", s.name), s.twin.clone());
    let all: Vec<_> = sources.iter().map(file).collect();
    let mut out = BTreeMap::new();
    match solc::compile(&all) {
        Ok(list) => out.extend(list.into_iter().map(|(n, c)| (n, c.creation))),
        Err(_) => {
            for (one, source) in all.into_iter().zip(sources) {
                match solc::compile(&[one]) {
                    Ok(list) => out.extend(list.into_iter().map(|(n, c)| (n, c.creation))),
                    Err(e) if e.contains("too deep") => {}
                    Err(e) => panic!("solc refuses the twin:\n{e}\n{}", source.text),
                }
            }
        }
    }
    out
}

/// Calls a program at random; gives how many calls returned.
fn compare(vm: &Rc<Vm>, keys: &Rc<Keys>, source: Source, creation: Vec<u8>, seed: u64) -> u64 {
    let mut world = World::new(vm.clone(), Rc::new(Offers::default()), keys.clone());
    let abi = Rc::new(source.abi);
    let twin = Twin {
        wasm: source.wasm,
        creation,
        abi: abi.clone(),
    };
    let at = world.deploy(world.names["frank"], &twin, &[], &source.name);
    let addresses = world.names.values().copied().collect();
    let mut values = Values::new(seed, addresses, world.time);
    let functions: Vec<_> = abi.functions().collect();
    let mut returned = 0;
    for number in 0..CALLS {
        let function = *values.random.pick(&functions);
        let arguments: Vec<_> = function
            .inputs
            .iter()
            .map(|p| values.value(&p.resolve().expect("the ABI is good")))
            .collect();
        let input = encode_call(function, &arguments).expect("values fit");
        let from = world.names[*values.random.pick(&ACCOUNTS)];
        let outcome = world
            .both(from, at, 0, &input)
            .unwrap_or_else(|difference| {
                panic!(
                    "call {number} of {}: {} {arguments:?}{difference}\n{}",
                    source.name,
                    function.signature(),
                    source.text
                )
            });
        returned += u64::from(outcome.status == "return");
    }
    returned
}

#[test]
fn random_programs_agree_with_their_twins() {
    if !solc::installed("random_programs_agree_with_their_twins") {
        return;
    }
    let (count, seed) = (setting("TWIN_PROGRAMS", 12), setting("TWIN_SEED", 1));
    let vm = Rc::new(
        Vm::builder()
            .build()
            .expect("the default configuration works"),
    );
    let keys = Rc::new(Keys::new());
    let (mut programs, mut calls, mut returned) = (0, 0, 0);
    let mut failures = String::new();
    let mut failed = 0;
    for batch in 0..count.div_ceil(BATCH) {
        let numbers = batch * BATCH..count.min((batch + 1) * BATCH);
        let sources: Vec<Source> = numbers
            .filter_map(|n| source(seed * 1_000_000 + n))
            .collect();
        let mut creations = creations(&sources);
        for source in sources {
            let Some(creation) = creations.remove(&source.name) else {
                continue;
            };
            let result = catch_unwind(AssertUnwindSafe(|| {
                compare(&vm, &keys, source, creation, seed)
            }));
            match result {
                Ok(count) => returned += count,
                Err(panic) => {
                    failed += 1;
                    let text = panic.downcast_ref::<String>();
                    let _ = writeln!(failures, "{}", text.map_or("panicked", String::as_str));
                }
            }
            programs += 1;
            calls += CALLS;
        }
    }
    println!("{programs} programs, {calls} calls, {returned} returned");
    assert!(failures.is_empty(), "{failed} differ:\n{failures}");
    assert!(
        programs >= count * 3 / 4,
        "only {programs} of {count} compiled"
    );
    assert!(
        returned * 4 >= calls,
        "only {returned} of {calls} calls returned"
    );
}
