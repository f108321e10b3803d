//! How fast sources become modules: `cargo bench --bench compile_speed`.
//!
//! Everything is counted: reading from memory, parsing, checking, code generation, the ABI and
//! the manifest. The figure of a file is the best of several turns.

use std::path::Path;
use std::time::{Duration, Instant};

use synq_compiler::{FolderLoader, MemoryLoader, Options, SourceLoader, compile, fmt};

const TURNS: usize = 30;

/// Sources and models in memory, so that no disk is measured.
fn in_memory(files: &FolderLoader, names: &[String]) -> MemoryLoader {
    let mut loader = MemoryLoader::new();
    for name in names {
        loader = loader.with_source(name.as_str(), files.source(name).expect("it is there"));
    }
    for name in ["models/credit-int8.onnx", "models/gate-int8.onnx"] {
        loader = loader.with_model(name, files.model(name).expect("it is there"));
    }
    loader
}

fn best(mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..TURNS {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed());
    }
    best
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
    let files = FolderLoader::new(&folder);
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let name = entry.expect("it can be read").file_name();
        let name = name.to_string_lossy().into_owned();
        if name.ends_with(".synq") {
            names.push(name);
        }
    }
    names.sort();
    let mut all = names.clone();
    all.push("interfaces/token.synq".to_owned());
    let loader = in_memory(&files, &all);
    let (mut lines, mut time, mut slowest) = (0, Duration::ZERO, (Duration::ZERO, String::new()));
    println!(
        "{:<18} {:>6} {:>9} {:>12} {:>14}",
        "file", "lines", "ms", "lines/s", "module bytes"
    );
    for name in &names {
        let text = loader.source(name).expect("it is there");
        let own = text.lines().count();
        let mut bytes = Vec::new();
        let took = best(|| {
            let output = compile(name, &loader, &Options::new()).expect("the corpus compiles");
            bytes = output.contracts.iter().map(|c| c.wasm.len()).collect();
        });
        println!(
            "{name:<18} {own:>6} {:>9.2} {:>12.0} {:>14}",
            took.as_secs_f64() * 1e3,
            own as f64 / took.as_secs_f64(),
            bytes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" + "),
        );
        lines += own;
        time += took;
        if took > slowest.0 {
            slowest = (took, name.clone());
        }
    }
    println!(
        "all: {lines} lines in {:.2} ms, {:.0} lines/s; slowest {} with {:.2} ms",
        time.as_secs_f64() * 1e3,
        lines as f64 / time.as_secs_f64(),
        slowest.1,
        slowest.0.as_secs_f64() * 1e3
    );
    let took = best(|| {
        for name in &names {
            let text = loader.source(name).expect("it is there");
            fmt::format(name, &text).expect("the corpus parses");
        }
    });
    println!("format: {:.0} lines/s", lines as f64 / took.as_secs_f64());
    // One contract of many functions, as a generator would write it.
    let mut text = String::from("contract Many { mapping(Address => UInt256) of; UInt256 total;\n");
    for n in 0..2_000 {
        text += &format!(
            "function f{n}(Address to, UInt256 amount) public -> UInt256 {{\n    require(amount > {n}, \"too small\");\n    of[to] += amount;\n    total += {n};\n    return of[to];\n}}\n"
        );
    }
    text += "}\n";
    let count = text.lines().count();
    let loader = MemoryLoader::new().with_source("many.synq", text);
    let took = best(|| {
        compile("many.synq", &loader, &Options::new()).expect("it compiles");
    });
    println!(
        "2,000 functions: {count} lines in {:.1} ms, {:.0} lines/s",
        took.as_secs_f64() * 1e3,
        count as f64 / took.as_secs_f64()
    );
}
