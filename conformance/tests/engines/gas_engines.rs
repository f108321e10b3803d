//! Gas, results, traps and memory are the same on three engines: for the bench kernels and
//! for ten thousand random modules. `AIVM_GAS_MODULES` sets another number.

use std::convert::Infallible;

use aivm_abi::TrapCode;
use aivm_gas::{GasSchedule, RESERVED_PREFIX, Reason, instrument};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, Instruction, Module};
use wasmparser::{FunctionBody, Operator, Parser};

use crate::machine::{self, Failure, Kind, Machine, Outcome, Value, Wasmer, Wasmi, Wasmtime};
use crate::smith;

const KERNELS: [(&str, &str, i32); 6] = [
    (
        "fib",
        include_str!("../../../gas/benches/kernels/fib.wat"),
        20,
    ),
    (
        "sieve",
        include_str!("../../../gas/benches/kernels/sieve.wat"),
        20_000,
    ),
    (
        "mulmod",
        include_str!("../../../gas/benches/kernels/mulmod.wat"),
        500,
    ),
    (
        "rotates",
        include_str!("../../../gas/benches/kernels/rotates.wat"),
        100,
    ),
    (
        "copy",
        include_str!("../../../gas/benches/kernels/copy.wat"),
        20,
    ),
    (
        "nbody",
        include_str!("../../../gas/benches/kernels/nbody.wat"),
        200,
    ),
];

/// Random modules to compare.
const MODULES: usize = 10_000;
/// Gas for each call of a random function; endless loops end soon.
const GAS: i64 = 200_000;
/// Calls for each random module.
const CALLS: usize = 3;
const WORKERS: usize = 4;

/// What a call leaves behind.
#[derive(Debug, PartialEq)]
struct Trace {
    function: String,
    outcome: Outcome,
    memories: Vec<blake3::Hash>,
    globals: Vec<(String, Value)>,
}

/// Calls functions of a module, each on an instance of its own. `argument` goes first, all
/// others are zero.
fn run(
    machine: &mut dyn Machine,
    wasm: &[u8],
    argument: Option<i32>,
    gas: i64,
) -> Result<Vec<Trace>, Failure> {
    let module = machine.compile(wasm)?;
    let first = machine.instantiate(module)?;
    let mut exports = machine.exports(first);
    // Engines list them in orders of their own.
    exports.sort_by(|(a, _), (b, _)| a.cmp(b));
    let functions = exports.iter().filter(|(_, kind)| *kind == Kind::Func);
    let mut traces = Vec::new();
    for (function, _) in functions.take(CALLS) {
        let instance = machine.instantiate(module)?;
        let mut args = machine.zeros(instance, function);
        if let (Some(argument), Some(slot)) = (argument, args.first_mut()) {
            *slot = Value::I32(argument);
        }
        machine::fuel(machine, instance, gas);
        let outcome = machine::call(machine, instance, function, &args, gas)?;
        let mut memories = Vec::new();
        let mut globals = Vec::new();
        for (name, kind) in &exports {
            match kind {
                Kind::Memory => memories.extend(machine.memory(instance, name)),
                Kind::Global if !name.starts_with(RESERVED_PREFIX) => {
                    let value = machine.global(instance, name).expect("a global");
                    globals.push((name.clone(), value));
                }
                _ => {}
            }
        }
        traces.push(Trace {
            function: function.clone(),
            outcome,
            memories,
            globals,
        });
    }
    Ok(traces)
}

#[test]
fn kernels_are_the_same_on_three_engines() {
    machine::with_stack(|| {
        let schedule = GasSchedule::v1();
        for (name, wat, argument) in KERNELS {
            let wasm = wat::parse_str(wat).expect("valid text");
            let metered = instrument(&wasm, &schedule).expect("accepted").wasm;
            for gas in [1 << 50, 5_000, 0] {
                let expected = run(&mut Wasmi::new(), &metered, Some(argument), gas)
                    .expect("it runs on wasmi");
                let [trace] = expected.as_slice() else {
                    panic!("{name}: one function, not {expected:?}");
                };
                match &trace.outcome {
                    Outcome::Returned(values, used) if gas == 1 << 50 => {
                        assert_eq!(values.len(), 1, "{name}");
                        assert!(*used > 5_000, "{name} used only {used}");
                    }
                    Outcome::Trapped(TrapCode::OutOfGas) if gas <= 5_000 => {}
                    other => panic!("{name} with {gas} gas: {other:?}"),
                }
                let others: [Box<dyn Machine>; 2] =
                    [Box::new(Wasmtime::new()), Box::new(Wasmer::new())];
                for mut machine in others {
                    let traces = run(machine.as_mut(), &metered, Some(argument), gas);
                    assert_eq!(traces.as_ref(), Ok(&expected), "{name} with {gas} gas");
                }
            }
        }
    });
}

/// The instrumented form of the small random module that a seed names.
fn random(seed: u64, schedule: &GasSchedule) -> Option<Vec<u8>> {
    let config = wasm_smith::Config {
        // Which NaN an operation makes is up to the engine; the VM has its engine make one.
        canonicalize_nans: true,
        max_funcs: 5,
        min_funcs: 3,
        max_instructions: 80,
        max_memory32_bytes: 8 << 16,
        max_types: 12,
        // Most segments lie out of bounds, so that most instances do not start.
        max_data_segments: if seed.is_multiple_of(16) { 2 } else { 0 },
        max_element_segments: if seed.is_multiple_of(5) { 2 } else { 0 },
        min_memories: 1,
        // They mostly come with `externref`, which this build of wasmtime does not have.
        reference_types_enabled: seed.is_multiple_of(64),
        ..smith::config(seed, false)
    };
    let wasm = smith::module(seed, config)?;
    let mut module = Module::new();
    Widths
        .parse_core_module(&mut module, Parser::new(0), &wasm)
        .expect("valid");
    match instrument(&module.finish(), schedule) {
        Ok(metered) => Some(metered.wasm),
        Err(error) => {
            let at_fault = matches!(*error.reason, Reason::Internal(_) | Reason::Schedule(_));
            assert!(!at_fault, "seed {seed}: {error}");
            None
        }
    }
}

/// Takes a way through integers where a float changes its width: the generator leaves the
/// NaNs of that as they come.
struct Widths;

impl Reencode for Widths {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Infallible>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for op in body.get_operators_reader()? {
            match op? {
                Operator::F32DemoteF64 => function
                    .instruction(&Instruction::I64TruncSatF64S)
                    .instruction(&Instruction::F32ConvertI64S),
                Operator::F64PromoteF32 => function
                    .instruction(&Instruction::I64TruncSatF32S)
                    .instruction(&Instruction::F64ConvertI64S),
                op => function.instruction(&self.instruction(op)?),
            };
        }
        code.function(&function);
        Ok(())
    }
}

#[derive(Default)]
struct Counts {
    modules: usize,
    calls: usize,
    returned: usize,
    out_of_gas: usize,
    trapped: usize,
    memories: usize,
    without_wasmtime: usize,
}

/// Compares the modules of every `WORKERS`-th seed.
fn compare(worker: usize, modules: usize) -> Counts {
    let mut schedule = GasSchedule::v1();
    schedule.limits.initial_pages = 16;
    schedule.limits.memory_grows = 1_000;
    schedule.limits.locals = 1_024;
    schedule.limits.loop_nesting = 24;
    schedule.limits.memory_pages = 16;
    let mut counts = Counts::default();
    for seed in (worker as u64..).step_by(WORKERS) {
        if counts.modules == modules {
            break;
        }
        let Some(wasm) = random(seed, &schedule) else {
            continue;
        };
        let expected = run(&mut Wasmi::new(), &wasm, None, GAS);
        if let Err(failure @ (Failure::Refused(_) | Failure::Link(_) | Failure::Broken(_))) =
            &expected
        {
            panic!("seed {seed} on wasmi: {failure:?}");
        }
        if matches!(&expected, Ok(traces) if traces.is_empty()) {
            // It has no functions to call.
            continue;
        }
        assert_eq!(
            run(&mut Wasmer::new(), &wasm, None, GAS),
            expected,
            "seed {seed} on wasmer"
        );
        match run(&mut Wasmtime::new(), &wasm, None, GAS) {
            Err(Failure::Refused(why)) => {
                assert!(why.contains("gc types"), "seed {seed} on wasmtime: {why}");
                counts.without_wasmtime += 1;
                continue;
            }
            traces => assert_eq!(traces, expected, "seed {seed} on wasmtime"),
        }
        // Some trap as they start.
        counts.modules += usize::from(expected.is_ok());
        for trace in expected.iter().flatten() {
            counts.calls += 1;
            counts.memories += trace.memories.len();
            match trace.outcome {
                Outcome::Returned(..) => counts.returned += 1,
                Outcome::Trapped(TrapCode::OutOfGas) => counts.out_of_gas += 1,
                Outcome::Trapped(_) => counts.trapped += 1,
            }
        }
    }
    counts
}

#[test]
fn random_modules_are_the_same_on_three_engines() {
    let modules = std::env::var("AIVM_GAS_MODULES").map_or(MODULES, |number| {
        number.parse().expect("AIVM_GAS_MODULES is a number")
    });
    let counts: Vec<Counts> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let share = modules / WORKERS;
                scope.spawn(move || machine::with_stack(move || compare(worker, share)))
            })
            .collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).collect()
    });
    let sum = |count: fn(&Counts) -> usize| counts.iter().map(count).sum::<usize>();
    let (returned, out_of_gas) = (sum(|c| c.returned), sum(|c| c.out_of_gas));
    let (trapped, memories) = (sum(|c| c.trapped), sum(|c| c.memories));
    println!(
        "{} modules, {} calls: {returned} returned, {out_of_gas} ran out of gas, {trapped} \
         trapped; {memories} memories compared; {} more modules on wasmer and wasmi alone",
        sum(|c| c.modules),
        sum(|c| c.calls),
        sum(|c| c.without_wasmtime),
    );
    // Each kind of end is well covered.
    assert!(returned > modules / 4, "{returned}");
    assert!(out_of_gas > modules / 50, "{out_of_gas}");
    assert!(trapped > modules / 4, "{trapped}");
    assert!(memories > modules / 4, "{memories}");
}
