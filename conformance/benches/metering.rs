//! What metering costs: six kernels on wasmer and on wasmtime, with metering and without.
//!
//! `cargo bench --workspace --bench metering -- [rounds]` prints for each kernel the fastest of
//! many runs of each form, taken in turns, and the geometric mean of the ratios.
#![allow(missing_docs)]

#[path = "../tests/engines/machine/cranelift.rs"]
mod cranelift;

use std::time::Instant;

use aivm_gas::{GAS_EXPORT, GasSchedule, STACK_EXPORT, instrument};
use cranelift::engine;

const KERNELS: [(&str, &str, i32); 6] = [
    ("fib", include_str!("../../gas/benches/kernels/fib.wat"), 27),
    (
        "sieve",
        include_str!("../../gas/benches/kernels/sieve.wat"),
        1_000_000,
    ),
    (
        "mulmod",
        include_str!("../../gas/benches/kernels/mulmod.wat"),
        20_000,
    ),
    (
        "rotates",
        include_str!("../../gas/benches/kernels/rotates.wat"),
        10_000,
    ),
    (
        "copy",
        include_str!("../../gas/benches/kernels/copy.wat"),
        1_500,
    ),
    (
        "nbody",
        include_str!("../../gas/benches/kernels/nbody.wat"),
        30_000,
    ),
];

/// Milliseconds that a run took, and its result.
type Run = (f64, i64);

/// A way to run a kernel.
trait Form {
    fn run(&mut self, argument: i32) -> Run;
    /// Another instance of the same code: where its memory lies can matter more than
    /// metering.
    fn renew(&mut self);
}

struct Wasmer {
    module: wasmer::Module,
    store: wasmer::Store,
    instance: wasmer::Instance,
}

impl Wasmer {
    fn new(wasm: &[u8]) -> Self {
        let mut store = wasmer::Store::new(engine());
        let module = wasmer::Module::new(&store, wasm).expect("it compiles");
        let instance =
            wasmer::Instance::new(&mut store, &module, &wasmer::imports! {}).expect("it starts");
        Self {
            module,
            store,
            instance,
        }
    }
}

impl Form for Wasmer {
    fn run(&mut self, argument: i32) -> Run {
        let words = i64::from(GasSchedule::v1().limits.stack_words);
        for (name, value) in [(GAS_EXPORT, 1 << 60), (STACK_EXPORT, words)] {
            if let Ok(global) = self.instance.exports.get_global(name) {
                let value = wasmer::Value::I64(value);
                global.set(&mut self.store, value).expect("mutable");
            }
        }
        let run: wasmer::TypedFunction<i32, i64> = self
            .instance
            .exports
            .get_typed_function(&self.store, "run")
            .expect("the export");
        let start = Instant::now();
        let result = run.call(&mut self.store, argument).expect("it returns");
        (start.elapsed().as_secs_f64() * 1e3, result)
    }

    fn renew(&mut self) {
        self.store = wasmer::Store::new(self.store.engine().clone());
        let imports = wasmer::imports! {};
        self.instance =
            wasmer::Instance::new(&mut self.store, &self.module, &imports).expect("it starts");
    }
}

struct Wasmtime {
    module: wasmtime::Module,
    store: wasmtime::Store<()>,
    instance: wasmtime::Instance,
    fuel: bool,
}

impl Wasmtime {
    fn new(wasm: &[u8], fuel: bool) -> Self {
        let mut config = wasmtime::Config::new();
        config.cranelift_nan_canonicalization(true);
        config.consume_fuel(fuel);
        let engine = wasmtime::Engine::new(&config).expect("a valid configuration");
        let module = wasmtime::Module::new(&engine, wasm).expect("it compiles");
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("it starts");
        Self {
            module,
            store,
            instance,
            fuel,
        }
    }
}

impl Form for Wasmtime {
    fn run(&mut self, argument: i32) -> Run {
        if self.fuel {
            self.store.set_fuel(1 << 60).expect("fuel is on");
        }
        let run = self
            .instance
            .get_typed_func::<i32, i64>(&mut self.store, "run")
            .expect("the export");
        let start = Instant::now();
        let result = run.call(&mut self.store, argument).expect("it returns");
        (start.elapsed().as_secs_f64() * 1e3, result)
    }

    fn renew(&mut self) {
        self.store = wasmtime::Store::new(self.module.engine(), ());
        self.instance =
            wasmtime::Instance::new(&mut self.store, &self.module, &[]).expect("it starts");
    }
}

fn main() {
    let rounds: u32 = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .next()
        .unwrap_or(100);
    println!("fastest of {rounds} runs of each form, taken in turns, milliseconds\n");
    println!("| kernel | wasmer | metered | | wasmtime | fuel | |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let (mut metered_logs, mut fuel_logs) = (0.0, 0.0);
    for (name, wat, argument) in KERNELS {
        let wasm = wat::parse_str(wat).expect("valid text");
        let metered = instrument(&wasm, &GasSchedule::v1()).expect("accepted");
        let mut forms: [Box<dyn Form>; 4] = [
            Box::new(Wasmer::new(&wasm)),
            Box::new(Wasmer::new(&metered.wasm)),
            Box::new(Wasmtime::new(&wasm, false)),
            Box::new(Wasmtime::new(&wasm, true)),
        ];
        let mut best = [f64::MAX; 4];
        let mut results = [0; 4];
        for round in 0..rounds {
            for ((form, best), result) in forms.iter_mut().zip(&mut best).zip(&mut results) {
                if round % 5 == 4 {
                    form.renew();
                }
                let (time, value) = form.run(argument);
                *best = best.min(time);
                *result = value;
            }
        }
        assert!(results.iter().all(|result| *result == results[0]), "{name}");
        let [plain, metered, wasmtime, fuel] = best;
        metered_logs += (metered / plain).ln();
        fuel_logs += (fuel / wasmtime).ln();
        println!(
            "| {name} | {plain:.3} | {metered:.3} | {:+.1} % | {wasmtime:.3} | {fuel:.3} | {:+.1} % |",
            (metered / plain - 1.0) * 100.0,
            (fuel / wasmtime - 1.0) * 100.0
        );
    }
    let percent = |logs: f64| ((logs / KERNELS.len() as f64).exp() - 1.0) * 100.0;
    println!(
        "| geometric mean | | | **{:+.1} %** | | | **{:+.1} %** |",
        percent(metered_logs),
        percent(fuel_logs)
    );
}
