//! What compiling costs, for ordinary contracts and for those made to be dear.
//!
//! `cargo bench --workspace --bench compile` compiles each module with the VM's engine and
//! settings and prints nanoseconds for each byte that is uploaded, beside the median of the
//! ordinary ones; then how soon bombs are refused. The time for an empty module is taken off.
#![allow(missing_docs)]

#[path = "../../tests/engines/machine/cranelift.rs"]
mod cranelift;
mod shapes;

use std::path::Path;
use std::time::Instant;

use aivm_gas::{GasSchedule, Instrumented, instrument};
use cranelift::engine;
use synq_compiler::{FolderLoader, Options, compile};

const ROUNDS: usize = 3;

/// Fastest seconds of a few.
fn best(mut work: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn compile_time(wasm: &[u8]) -> f64 {
    best(|| {
        wasmer::Module::new(&engine(), wasm).expect("it compiles");
    })
}

struct Measured {
    name: String,
    bytes: usize,
    instrumented: Instrumented,
    instrument: f64,
    compile: f64,
}

impl Measured {
    fn per_byte(&self) -> f64 {
        (self.instrument + self.compile) * 1e9 / self.bytes as f64
    }
}

fn measure(name: &str, wasm: &[u8], empty: f64) -> Result<Measured, aivm_gas::InstrumentError> {
    let schedule = GasSchedule::v1();
    let instrumented = instrument(wasm, &schedule)?;
    let time = best(|| drop(std::hint::black_box(instrument(wasm, &schedule))));
    Ok(Measured {
        name: name.to_owned(),
        bytes: wasm.len(),
        instrument: time,
        compile: (compile_time(&instrumented.wasm) - empty).max(0.0),
        instrumented,
    })
}

/// The contracts of the corpus and of the examples.
fn ordinary(empty: f64) -> Vec<Measured> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    for folder in ["synq-compiler/contracts", "vm/examples"] {
        let folder = root.join(folder);
        let mut files: Vec<String> = std::fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|name| name.ends_with(".synq"))
            .collect();
        files.sort();
        let loader = FolderLoader::new(&folder);
        for file in files {
            let Ok(output) = compile(&file, &loader, &Options::new()) else {
                continue;
            };
            for contract in output.contracts {
                let name = format!("{file}, {}", contract.name);
                all.push(measure(&name, &contract.wasm, empty).expect("accepted"));
            }
        }
    }
    all
}

fn print(module: &Measured, median: f64) {
    println!(
        "| {} | {} | {} | {:.2} | {:.2} | {:.0} | {:.2} | {:.2} |",
        module.name,
        module.bytes,
        module.instrumented.stats.bytes,
        module.instrument * 1e3,
        module.compile * 1e3,
        module.per_byte(),
        module.per_byte() / median,
        module.instrumented.upload_gas as f64 / ((module.instrument + module.compile) * 1e9)
    );
}

const HEAD: &str = "| module | bytes | instrumented | instrument, ms | compile, ms | ns a byte | × median | upload gas a ns |
|---|--:|--:|--:|--:|--:|--:|--:|";

fn main() {
    let empty = instrument(b"\0asm\x01\0\0\0", &GasSchedule::v1()).expect("accepted");
    let empty = compile_time(&empty.wasm);
    println!("an empty module: {:.2} ms\n\n{HEAD}", empty * 1e3);
    let ordinary = ordinary(empty);
    let mut rates: Vec<f64> = ordinary.iter().map(Measured::per_byte).collect();
    rates.sort_by(f64::total_cmp);
    let median = rates[rates.len() / 2];
    for module in &ordinary {
        print(module, median);
    }
    println!("\nMade to be dear, as large as is accepted:\n\n{HEAD}");
    let mut worst: Option<Measured> = None;
    'shapes: for (name, shape) in shapes::ACCEPTED {
        // The largest that is accepted, give or take a quarter.
        let mut size = 1 << 16;
        let module = loop {
            let wasm = wat::parse_str(shape(size)).expect("valid text");
            match measure(name, &wasm, empty) {
                Ok(module) => break module,
                Err(_) if size > 4 => size -= size / 4,
                Err(error) => {
                    eprintln!("{name} is not accepted at any size: {error}");
                    continue 'shapes;
                }
            }
        };
        print(&module, median);
        if worst
            .as_ref()
            .is_none_or(|worst| module.per_byte() > worst.per_byte())
        {
            worst = Some(module);
        }
    }
    if let Some(worst) = worst {
        println!(
            "\nworst: {}, {:.2} × the median",
            worst.name,
            worst.per_byte() / median
        );
    }
    println!("\n| bomb | bytes | refused in, ms | for |\n|---|--:|--:|---|");
    for (name, text) in shapes::bombs() {
        let wasm = wat::parse_str(text).expect("valid text");
        let schedule = GasSchedule::v1();
        let error = instrument(&wasm, &schedule).expect_err("a bomb");
        let time = best(|| drop(std::hint::black_box(instrument(&wasm, &schedule))));
        println!(
            "| {name} | {} | {:.3} | {} |",
            wasm.len(),
            time * 1e3,
            error.reason
        );
    }
}
