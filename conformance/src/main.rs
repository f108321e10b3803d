//! `aivm-conformance`: proves that an implementation computes what the vectors say.
#![forbid(unsafe_code)]

mod adapter;
mod commands;
mod digest;
mod load;
mod machine;
mod matrix;
mod memory;
mod overlay;
mod runner;
mod setup;
mod soak;
mod suite;
mod traffic;
mod vector;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use adapter::{Adapter, Process};
use clap::{Parser, Subcommand};
use machine::Machine;
use runner::Report;
use setup::{Setup, Vms};

/// Proves that an AIVM implementation computes what the vectors say.
///
/// Exit status: 0 when all vectors passed, 1 when one failed, 2 when they could not be run.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs vectors against an implementation.
    ///
    /// Without `--adapter` that is the VM in this program. With it, a command of yours that
    /// reads a case on each line of its standard input and answers on a line of its output;
    /// `aivm-conformance serve` is such a command.
    Run {
        /// Folder of the vectors.
        #[arg(long, default_value = "conformance/vectors")]
        vectors: PathBuf,
        /// Only this suite; may be given more than once.
        #[arg(long)]
        suite: Vec<String>,
        /// Only vectors with this text in their name.
        #[arg(long)]
        filter: Option<String>,
        /// Command of the implementation under test.
        #[arg(long)]
        adapter: Option<String>,
        /// Prints a report for programs.
        #[arg(long)]
        json: bool,
    },
    /// Answers cases from standard input with the VM in this program.
    Serve,
    #[command(flatten)]
    Node(commands::NodeCommand),
    /// Writes the outcomes of the VM in this program into the vectors, as the new expectation.
    ///
    /// Review the difference as you would review code.
    Bless {
        /// Folder of the vectors.
        #[arg(long, default_value = "conformance/vectors")]
        vectors: PathBuf,
    },
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run {
            vectors,
            suite,
            filter,
            adapter,
            json,
        } => run(
            &vectors,
            &suite,
            filter.as_deref(),
            adapter.as_deref(),
            json,
        ),
        Command::Serve => machine()
            .and_then(|mut machine| Ok(adapter::serve(&mut machine)?))
            .map(|()| true),
        Command::Node(command) => return command.run(),
        Command::Bless { vectors } => bless(&vectors).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The VM in this program, as nodes run it.
fn machine() -> Result<Machine, Failure> {
    Ok(Machine::with(Arc::new(Vms::new(Setup::default())?)))
}

fn run(
    vectors: &std::path::Path,
    suites: &[String],
    filter: Option<&str>,
    adapter: Option<&str>,
    json: bool,
) -> Result<bool, Failure> {
    let mut adapter: Box<dyn Adapter> = match adapter {
        Some(command) => Box::new(Process::start(command)?),
        None => Box::new(machine()?),
    };
    let progress = !json && std::io::stderr().is_terminal();
    let mut reports: Vec<Report> = Vec::new();
    for (path, file) in suite::load(vectors)? {
        if !suites.is_empty() && !suites.contains(&file.suite) {
            continue;
        }
        let folder = path.parent().unwrap_or(vectors);
        for vector in &file.vectors {
            if filter.is_some_and(|text| !vector.name.contains(text)) {
                continue;
            }
            if progress {
                eprint!("\r\x1b[K{} {}", reports.len() + 1, vector.name);
                std::io::stderr().flush()?;
            }
            let case = suite::case(vector, folder)?;
            reports.push(runner::run(&file.suite, vector, &case, adapter.as_mut()));
        }
    }
    if progress {
        eprint!("\r\x1b[K");
    }
    if reports.is_empty() {
        return Err("no vector matches".into());
    }
    let failed = reports
        .iter()
        .filter(|report| report.difference.is_some())
        .count();
    if json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    } else {
        for report in &reports {
            if let Some(difference) = &report.difference {
                println!("FAILED {} / {}", report.suite, report.name);
                println!("  at        {}", difference.place);
                println!("  expected  {}", difference.expected);
                println!("  found     {}", difference.found);
            }
        }
        println!("{} passed, {failed} failed", reports.len() - failed);
    }
    Ok(failed == 0)
}

fn bless(vectors: &std::path::Path) -> Result<(), Failure> {
    let mut machine = machine()?;
    for (path, mut file) in suite::load(vectors)? {
        let folder = path.parent().unwrap_or(vectors);
        for vector in &mut file.vectors {
            let results = machine.run(&suite::case(vector, folder)?)?;
            *vector = runner::blessed(vector, &results);
        }
        let mut text = serde_json::to_string_pretty(&file)?;
        text.push('\n');
        std::fs::write(&path, text)?;
    }
    Ok(())
}
