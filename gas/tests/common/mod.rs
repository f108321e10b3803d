//! Runs modules on wasmi, an interpreter that shares no code with what is tested.
#![allow(dead_code, reason = "each test file uses a part of it")]

use aivm_gas::{EXIT_EXPORT, ExitCode, GAS_EXPORT, GasSchedule, Instrumented, STACK_EXPORT};
use wasmi::{Caller, Config, Engine, Extern, Instance, Linker, Module, Store, TrapCode, Val};

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Results, and gas used.
    Return(Vec<String>, i64),
    /// The instrumentation stopped it.
    Exit(ExitCode),
    /// The engine stopped it.
    Trap(TrapCode),
}

impl Outcome {
    pub fn gas(&self) -> i64 {
        match self {
            Self::Return(_, gas) => *gas,
            other => panic!("no return but {other:?}"),
        }
    }
}

/// A schedule in which every instruction costs what the caller says and entering a
/// function costs 1, so that totals can be counted by hand.
pub fn flat(gas: u64) -> GasSchedule {
    let mut schedule = GasSchedule::v1();
    let json = schedule.to_genesis_json();
    let mut json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for (name, price) in json["wasm"].as_object_mut().expect("prices") {
        *price = match name.as_str() {
            "structure" | "function_local" | "frame_per_64_words" => 0.into(),
            "function_entry" => 1.into(),
            _ => gas.into(),
        };
    }
    schedule = GasSchedule::from_genesis_json(&json.to_string()).expect("a schedule");
    schedule
}

pub fn instrument(wat: &str, schedule: &GasSchedule) -> Instrumented {
    let wasm = wat::parse_str(wat).expect("valid text");
    aivm_gas::instrument(&wasm, schedule).expect("an accepted module")
}

/// What host functions note.
#[derive(Default)]
pub struct Notes {
    /// Arguments of `env.note`, with the gas left at the call (or -1 without metering).
    pub notes: Vec<(i32, i64)>,
}

pub struct Machine {
    pub store: Store<Notes>,
    pub instance: Instance,
    metered: bool,
}

impl Machine {
    pub fn new(wasm: &[u8]) -> Self {
        Self::start(wasm, None).expect("it starts")
    }

    /// An instance, unless starting it traps; `fuel` is the engine's own way to stop.
    pub fn start(wasm: &[u8], fuel: Option<u64>) -> Option<Self> {
        let mut config = Config::default();
        // The logical stack must end first.
        config
            .set_max_recursion_depth(1 << 20)
            .set_max_stack_height(256 << 20);
        config.consume_fuel(fuel.is_some());
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wasm).expect("wasmi accepts it");
        let mut store = Store::new(&engine, Notes::default());
        if let Some(fuel) = fuel {
            store.set_fuel(fuel).expect("fuel is on");
        }
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap(
                "env",
                "note",
                |mut caller: Caller<'_, Notes>, value: i32| {
                    let left = match caller.get_export(GAS_EXPORT) {
                        Some(Extern::Global(gas)) => gas.get(&caller).i64().expect("an i64"),
                        _ => -1,
                    };
                    caller.data_mut().notes.push((value, left));
                },
            )
            .expect("a new name");
        linker
            .func_wrap("env", "spend", |mut caller: Caller<'_, Notes>, gas: i64| {
                if let Some(Extern::Global(global)) = caller.get_export(GAS_EXPORT) {
                    let left = global.get(&caller).i64().expect("an i64");
                    global
                        .set(&mut caller, Val::I64(left - gas))
                        .expect("mutable");
                }
            })
            .expect("a new name");
        let instance = linker.instantiate_and_start(&mut store, &module).ok()?;
        let metered = instance.get_global(&store, GAS_EXPORT).is_some();
        Some(Self {
            store,
            instance,
            metered,
        })
    }

    pub fn set(&mut self, name: &str, value: Val) {
        let global = self
            .instance
            .get_global(&self.store, name)
            .expect("a global");
        global.set(&mut self.store, value).expect("mutable");
    }

    pub fn get(&self, name: &str) -> Val {
        self.instance
            .get_global(&self.store, name)
            .expect("a global")
            .get(&self.store)
    }

    /// Calls an export with this gas and stack.
    pub fn call_with(&mut self, name: &str, args: &[Val], gas: i64, stack: i64) -> Outcome {
        if self.metered {
            self.set(GAS_EXPORT, Val::I64(gas));
            self.set(STACK_EXPORT, Val::I64(stack));
            self.set(EXIT_EXPORT, Val::I32(0));
        }
        let func = self
            .instance
            .get_func(&self.store, name)
            .expect("an export");
        let ty = func.ty(&self.store);
        let mut results: Vec<Val> = ty
            .results()
            .iter()
            .map(|ty| Val::default_for_ty(*ty))
            .collect();
        match func.call(&mut self.store, args, &mut results) {
            Ok(()) => {
                let used = if self.metered { gas - self.left() } else { 0 };
                // References print as addresses that differ from run to run.
                let results = results.iter().map(|value| match value {
                    Val::I32(v) => format!("{v}"),
                    Val::I64(v) => format!("{v}"),
                    Val::F32(v) => format!("{:x}", v.to_bits()),
                    Val::F64(v) => format!("{:x}", v.to_bits()),
                    Val::V128(v) => format!("{v:?}"),
                    _ => "reference".to_owned(),
                });
                Outcome::Return(results.collect(), used)
            }
            Err(error) => {
                let code = error
                    .as_trap_code()
                    .unwrap_or_else(|| panic!("no trap: {error}"));
                let exit = if self.metered {
                    self.get(EXIT_EXPORT).i32()
                } else {
                    None
                };
                match ExitCode::from_code(exit.unwrap_or(0)) {
                    Some(exit) => {
                        assert_eq!(code, TrapCode::UnreachableCodeReached);
                        Outcome::Exit(exit)
                    }
                    None => Outcome::Trap(code),
                }
            }
        }
    }

    pub fn call(&mut self, name: &str, args: &[Val]) -> Outcome {
        self.call_with(
            name,
            args,
            1 << 50,
            i64::from(GasSchedule::v1().limits.stack_words),
        )
    }

    pub fn left(&self) -> i64 {
        self.get(GAS_EXPORT).i64().expect("an i64")
    }
}
