//! `aivm-conformance`: proves that an implementation computes what the vectors say.
#![forbid(unsafe_code)]

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use aivm_conformance::commands::NodeCommand;
use aivm_conformance::runner::{self, Report, Stopped, Task, Verdict};
use aivm_conformance::{
    Adapter, AdapterError, Interpreter, Machine, Process, bless, output, report, serve, suite,
};
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    Run(Run),
    /// Answers cases from standard input with an implementation in this program.
    Serve {
        /// Which one.
        #[arg(long, value_enum, default_value_t)]
        engine: Engine,
    },
    #[command(flatten)]
    Node(NodeCommand),
    /// Writes the outcomes of the VM in this program into vectors that people wrote, as the new
    /// expectation.
    ///
    /// It refuses when an outcome contradicts what a step claims. Files that a generator writes
    /// are left alone: `cargo xtask vectors` writes those. Review the difference as you would
    /// review code.
    Bless {
        /// Folder of the vectors.
        #[arg(long, default_value = "conformance/vectors")]
        vectors: PathBuf,
    },
}

#[derive(Args)]
struct Run {
    /// Folder of the vectors.
    #[arg(long, default_value = "conformance/vectors")]
    vectors: PathBuf,
    /// Only this suite; may be given more than once.
    #[arg(long)]
    suite: Vec<String>,
    /// Only vectors with this text in their name.
    #[arg(long)]
    filter: Option<String>,
    /// Command of the implementation under test, a program and its arguments. An argument with
    /// blanks stands in quotes, as in a shell; nothing else has a meaning.
    #[arg(long, conflicts_with = "engine")]
    adapter: Option<String>,
    /// Implementation in this program.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Vectors that run at the same time, each on an implementation of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Seconds that an adapter may take for an answer.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Prints a report for programs.
    #[arg(long, conflicts_with = "junit")]
    json: bool,
    /// Prints a report in JUnit's XML, for CI services.
    #[arg(long)]
    junit: bool,
}

/// Implementations in this program.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Engine {
    /// The VM of this repository, on wasmer with Cranelift.
    #[default]
    Vm,
    /// A second implementation of calls, state and receipts, on the interpreter wasmi, with the
    /// scalar reference of inference.
    Wasmi,
}

impl Engine {
    fn adapter(self) -> Result<Box<dyn Adapter>, AdapterError> {
        Ok(match self {
            Self::Vm => Box::new(Machine::new().map_err(|e| AdapterError::Failed(e.to_string()))?),
            Self::Wasmi => Box::new(Interpreter::default()),
        })
    }
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => match run(&arguments) {
            Err(error) if arguments.json => {
                output::line(serde_json::json!({ "error": error.to_string() }));
                Ok(ExitCode::from(2))
            }
            outcome => outcome,
        },
        Command::Node(command) => return command.run(),
        Command::Serve { engine } => with_stack(move || {
            let input = std::io::stdin().lock();
            let mut adapter = engine.adapter().map_err(std::io::Error::other)?;
            serve(adapter.as_mut(), input, std::io::stdout().lock())
        })
        .map(|()| ExitCode::SUCCESS)
        .map_err(Failure::from),
        Command::Bless { vectors } => bless_all(&vectors).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

/// Runs on a thread whose stack suffices for an interpreter in an interpreter.
fn with_stack<T: Send + 'static>(
    body: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let thread = std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(body)?;
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn run(arguments: &Run) -> Result<ExitCode, Failure> {
    let files = suite::choose(suite::load(&arguments.vectors)?, &arguments.suite)?;
    let mut tasks = Vec::new();
    for (path, file) in &files {
        let folder = path.parent().unwrap_or(&arguments.vectors);
        for vector in &file.vectors {
            let text = arguments.filter.as_deref();
            if text.is_none_or(|text| vector.name.contains(text)) {
                tasks.push(Task {
                    suite: &file.suite,
                    vector,
                    case: suite::case(file, vector, folder)?,
                });
            }
        }
    }
    if tasks.is_empty() {
        return Err("no vector matches".into());
    }
    let timeout = Duration::from_secs(arguments.timeout);
    let start = || -> Result<Box<dyn Adapter>, AdapterError> {
        Ok(match &arguments.adapter {
            Some(command) => Box::new(Process::start(command, timeout)?),
            None => arguments.engine.adapter()?,
        })
    };
    let shows = std::io::stderr().is_terminal();
    let progress = |done: usize, task: &Task<'_>| {
        if shows {
            bar(done, tasks.len(), task);
        }
    };
    let outcome = runner::run(&tasks, usize::from(arguments.jobs), &start, &progress);
    if shows {
        eprint!("\r\x1b[K");
    }
    match outcome {
        Ok(reports) if report::count(&reports, Verdict::Unsupported) == reports.len() => {
            Err("the implementation supports none of these vectors".into())
        }
        Ok(reports) => {
            print_reports(arguments, &reports)?;
            Ok(match report::count(&reports, Verdict::Failed) {
                0 => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            })
        }
        Err(Stopped { reports, error }) if reports.is_empty() => Err(error.into()),
        Err(Stopped { reports, error }) => {
            print_reports(arguments, &reports)?;
            eprintln!("error: {error}");
            Ok(ExitCode::from(2))
        }
    }
}

/// Prints reports in the form that was asked for.
fn print_reports(arguments: &Run, reports: &[Report]) -> Result<(), Failure> {
    if arguments.json {
        output::line(serde_json::to_string_pretty(reports)?);
    } else if arguments.junit {
        output::text(report::junit(reports));
    } else {
        output::text(report::text(reports));
    }
    Ok(())
}

/// Draws a line on the terminal; failing to is no failure.
fn bar(done: usize, all: usize, task: &Task<'_>) {
    const WIDTH: usize = 24;
    let full = done * WIDTH / all.max(1);
    let name: String = task.vector.name.chars().take(60).collect();
    let mut terminal = std::io::stderr().lock();
    let _ = write!(
        terminal,
        "\r\x1b[K[{}{}] {done}/{all} {}: {name}",
        "#".repeat(full),
        ".".repeat(WIDTH - full),
        task.suite,
    );
    let _ = terminal.flush();
}

fn bless_all(vectors: &Path) -> Result<(), Failure> {
    let mut machine = Machine::new()?;
    let (mut written, mut left) = (0, 0);
    for (path, mut file) in suite::load(vectors)? {
        if file.generator.is_some() {
            left += 1;
            continue;
        }
        let folder = path.parent().unwrap_or(vectors);
        let mut blessed = Vec::with_capacity(file.vectors.len());
        for vector in &file.vectors {
            let results = machine.run(&suite::case(&file, vector, folder)?)?;
            blessed.push(bless::bless(vector, &results)?);
        }
        file.vectors = blessed;
        std::fs::write(&path, suite::text(&file)?)?;
        output::line(format_args!("wrote {}", path.display()));
        written += 1;
    }
    output::line(format_args!(
        "{written} files written, {left} left to their generator"
    ));
    Ok(())
}
