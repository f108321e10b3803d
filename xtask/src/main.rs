//! Repository chores: `cargo xtask <chore>`.
#![forbid(unsafe_code)]

mod cross;
mod fuzz;
mod guests;
mod matrix;
mod neon;
mod package;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

/// Repository chores.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Fetches ONNX's node tests and the real models that the tests read, each pinned by its hash.
    ///
    /// They go to `${XDG_CACHE_HOME:-~/.cache}/aivm/models` (or `$AIVM_MODELS`), about 60 MB; what is there is
    /// only checked. Needs Python 3 with pip, and PyPI the first time. Tests that read them say so where they
    /// are missing.
    Models,
    /// Trains and quantises the test models again and tells whether they changed.
    ///
    /// Needs Python 3 with venv, and PyPI. Takes about a minute.
    Train,
    /// Measures what everything with a price costs here, and prints the schedule that implies.
    ///
    /// Each word chooses a table: wasm, host, memory, nn or pqc; all of them when there is none. Takes
    /// about two minutes, and is worth what the machine is idle.
    Calibrate {
        /// Tables to print.
        tables: Vec<String>,
    },
    /// Runs the inference tests for AArch64, with its NEON kernels, in an emulator.
    ///
    /// Needs qemu-user and a cross compiler (Debian: gcc-aarch64-linux-gnu), and a standard library for the
    /// target or its source.
    Neon,
    /// Runs all vectors and chains in use under many circumstances, and compares one digest.
    ///
    /// Threads, caches, processor features, instruction sets, GPUs, locale and time zone; with options,
    /// other builds. Ends with an error that names the first vector or transaction that differs.
    Matrix(matrix::Matrix),
    /// Builds the contracts of sdk-guest/examples and writes their fixtures and manifest.
    ///
    /// Needs the Rust targets wasm32-unknown-unknown and wasm32-wasip1, and zig for the one in C; says
    /// which fixtures were not rebuilt when one is missing.
    Guests,
    /// Packs every crate that is published, and checks what is in the packages.
    Package {
        /// Also unpack each and compile it against the others, without optimisation. Takes long:
        /// the engine is compiled once more.
        #[arg(long)]
        build: bool,
    },
    /// Runs the fuzz targets of conformance/fuzz with cargo-fuzz, one after another.
    ///
    /// Needs `cargo install cargo-fuzz`. The first build takes half an hour and more on two cores.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Targets to run; all of them when there is none.
        targets: Vec<String>,
    },
    /// Makes the conformance vectors anew and writes what the VM computes into them.
    ///
    /// Nothing is written that contradicts what a vector claims, or on which the two
    /// implementations differ. Review the difference as you would review code.
    Vectors,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Models => {
            run(Command::new("python3").arg(root().join("nn-backends/models/fetch.py")))
        }
        Chore::Train => train(),
        Chore::Calibrate { tables } => calibrate(&tables),
        Chore::Neon => neon::neon(&root()),
        Chore::Matrix(options) => matrix::matrix(&root(), &options),
        Chore::Guests => guests::guests(),
        Chore::Package { build } => package::package(build),
        Chore::Fuzz { seconds, targets } => fuzz::fuzz(&root(), seconds, &targets),
        Chore::Vectors => vectors(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where cargo builds.
fn target_dir(root: &Path) -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR");
    named.map_or_else(|| root.join("target"), PathBuf::from)
}

fn train() -> Result<(), String> {
    let folder = root().join("nn-backends/models");
    let venv = root().join(".venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    eprintln!("installing the Python packages of nn-backends/models/requirements.txt");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "-r"])
        .arg(folder.join("requirements.txt")))?;
    run(Command::new(&python).arg(folder.join("digits.py")))?;
    run(Command::new("git")
        .args(["diff", "--stat", "--exit-code", "--"])
        .arg(&folder))
    .map_err(|_| "the models differ from those in the repository".to_string())?;
    println!("the models are the same as those in the repository");
    Ok(())
}

/// The measurement lives beside the other benches because it needs an engine.
fn calibrate(tables: &[String]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .current_dir(root())
        .args(["bench", "--workspace", "--bench", "calibrate", "--"])
        .args(tables))
}

fn vectors() -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let test = |name: &str| {
        let mut command = Command::new(&cargo);
        command.current_dir(root());
        command.args(["test", "--release", "--workspace", "--test", name]);
        command.env("AIVM_UPDATE_VECTORS", "1");
        run(&mut command)
    };
    // First those that people wrote, then those of the generator.
    test("blessed")?;
    test("generated")
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{name}` ended with {status}")),
        Err(error) => Err(format!("cannot run `{name}`: {error}")),
    }
}
