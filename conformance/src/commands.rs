//! Commands about this program's own VM: the same everywhere, and how fast.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand};

use crate::digest::{Digest, Part, digest};
use crate::load::{HostKind, load};
use crate::matrix::{Configuration, UNAVAILABLE, configurations, matrix, write};
use crate::output;
use crate::setup::{Code, Processor, Setup, SetupError, Vms};
use crate::soak::{Length, soak};

/// Most threads that an option may ask for.
const THREADS: u64 = 256;

/// A count from 1 to `most`; memory is asked for by it.
fn count(most: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=most)
}

/// Commands about this program's own VM.
#[derive(Subcommand)]
pub enum NodeCommand {
    /// Runs all vectors and some traffic, and prints one digest of what came of it.
    ///
    /// Every node must print the same, whatever it runs on. Exit status 3: this machine lacks
    /// what an option asks for.
    Digest {
        /// Where things are.
        #[command(flatten)]
        places: Places,
        /// Threads: cases at once, and threads of one inference.
        #[arg(long, default_value_t = 1, value_parser = count(THREADS))]
        threads: usize,
        /// Where compiled code comes from.
        #[arg(long, value_enum, default_value_t)]
        code: Code,
        /// Processors that code is compiled for.
        #[arg(long, value_enum, default_value_t)]
        processor: Processor,
        /// What networks run on: best, reference, vulkan, gl, or an instruction set such as avx2.
        #[arg(long, default_value = "best")]
        inference: String,
        /// Watches every call with inspectors.
        #[arg(long)]
        observed: bool,
        /// Only this part of the workload, such as 2/8; the digest is that of the part.
        #[arg(long, default_value_t = Part::WHOLE)]
        part: Part,
        /// Prints the digest of each item too, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Compares the digests of many setups of this machine: threads, caches, processor features,
    /// instruction sets, GPUs, surroundings.
    ///
    /// Exit status 1: two differ; the first item that does is named.
    Matrix {
        /// Where things are.
        #[command(flatten)]
        places: Places,
        /// Only the setups that differ most.
        #[arg(long)]
        small: bool,
        /// A further program: NAME=COMMAND, or NAME:WHAT IS SPECIAL=COMMAND. It is this program
        /// built in another way or for another machine, with the emulator that runs it.
        #[arg(long)]
        also: Vec<String>,
        /// Runs in which each further program does its work, one after the other: for emulators that keep
        /// memory until they end.
        #[arg(long, default_value_t = NonZeroUsize::MIN)]
        also_parts: NonZeroUsize,
        /// Setups that run at the same time; the seconds in the table are then longer.
        #[arg(long, default_value_t = NonZeroUsize::MIN)]
        jobs: NonZeroUsize,
        /// Writes digest and table into this page, between the lines that mark their place.
        #[arg(long)]
        write: Option<PathBuf>,
        /// Prints the matrix for programs.
        #[arg(long)]
        json: bool,
    },
    /// Times a block of mixed transactions: transfers, votes, signatures, inferences.
    Load {
        /// Folder of the repository, for contracts and models.
        #[arg(long, default_value = ".")]
        root: PathBuf,
        /// Transactions in the block.
        #[arg(long, default_value_t = 10_000, value_parser = count(10_000_000))]
        transactions: usize,
        /// Where the chain is kept; each in turn when absent.
        #[arg(long, value_enum)]
        host: Option<HostKind>,
        /// Seed of the traffic.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Prints the figures for programs.
        #[arg(long)]
        json: bool,
    },
    /// Runs chains for a long time, with upgrades of schedule and code, and replays them on a
    /// fresh VM.
    ///
    /// Exit status 1: a chain came out differently.
    Soak {
        /// Folder of the repository, for contracts and models.
        #[arg(long, default_value = ".")]
        root: PathBuf,
        /// Minutes of the run; the replay comes on top.
        #[arg(long, default_value_t = 30.0)]
        minutes: f64,
        /// Chains that are run in any case.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
        chains: u64,
        /// Blocks of each chain.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        blocks: u64,
        /// Transactions of each block.
        #[arg(long, default_value_t = 50, value_parser = count(1_000_000))]
        transactions: usize,
        /// Threads of the replay.
        #[arg(long, default_value_t = 2, value_parser = count(THREADS))]
        replay_threads: usize,
        /// Prints the report for programs.
        #[arg(long)]
        json: bool,
    },
}

/// Where vectors and contracts are.
#[derive(Args)]
pub struct Places {
    /// Folder of the vectors.
    #[arg(long, default_value = "conformance/vectors")]
    vectors: PathBuf,
    /// Folder of the repository, for contracts and models.
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

type Failure = Box<dyn std::error::Error>;

impl NodeCommand {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let outcome = match self {
            Self::Digest {
                places,
                threads,
                code,
                processor,
                inference,
                observed,
                part,
                json,
            } => {
                let setup = Setup {
                    threads,
                    code,
                    folder: None,
                    processor,
                    inference,
                    observed,
                };
                print_digest(setup, &places, part, json)
            }
            Self::Matrix {
                places,
                small,
                also,
                also_parts,
                jobs,
                write,
                json,
            } => configurations(small, &also, also_parts.get())
                .map_err(Failure::from)
                .and_then(|list| print_matrix(&places, &list, jobs, write, json)),
            Self::Load {
                root,
                transactions,
                host,
                seed,
                json,
            } => print_load(&root, transactions, host, seed, json),
            Self::Soak {
                root,
                minutes,
                chains,
                blocks,
                transactions,
                replay_threads,
                json,
            } => Duration::try_from_secs_f64(minutes * 60.0)
                .map_err(|_| "minutes are not negative and finite".into())
                .and_then(|time| {
                    let length = Length {
                        time,
                        chains,
                        blocks: blocks.max(3),
                        transactions,
                        replay_threads,
                    };
                    print_soak(&root, &length, json)
                }),
        };
        outcome.unwrap_or_else(|error| {
            eprintln!("error: {error}");
            match error.downcast_ref() {
                Some(SetupError::Unavailable(_)) => ExitCode::from(UNAVAILABLE),
                _ => ExitCode::from(2),
            }
        })
    }
}

fn print_digest(
    mut setup: Setup,
    places: &Places,
    part: Part,
    json: bool,
) -> Result<ExitCode, Failure> {
    // Compiled code of this run alone; it goes with it.
    let folder = tempfile::tempdir()?;
    if setup.code == Code::Disk {
        setup.folder = Some(folder.path().into());
    }
    let vms = Arc::new(Vms::new(setup)?);
    let found: Digest = digest(&vms, &places.vectors, &places.root, part)?;
    if json {
        output::line(serde_json::to_string(&found)?);
    } else {
        output::line(format_args!(
            "{} of {} vectors and {} transactions",
            found.digest, found.vectors, found.transactions
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn print_matrix(
    places: &Places,
    list: &[Configuration],
    jobs: NonZeroUsize,
    page: Option<PathBuf>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let found = matrix(list, &places.vectors, &places.root, jobs.get())?;
    if json {
        output::line(serde_json::to_string_pretty(&found)?);
    } else {
        output::text(format_args!("{}\n{}", found.line(), found.table()));
    }
    if !found.agrees() {
        for row in &found.rows {
            if let Some(item) = &row.differs_at {
                eprintln!("`{}` differs first at: {item}", row.name);
            }
        }
        return Ok(ExitCode::FAILURE);
    }
    if let Some(page) = page {
        write(&found, &page)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_load(
    root: &std::path::Path,
    transactions: usize,
    host: Option<HostKind>,
    seed: u64,
    json: bool,
) -> Result<ExitCode, Failure> {
    let hosts = match host {
        Some(host) => vec![host],
        None => vec![HostKind::Memory, HostKind::Durable, HostKind::DurableEach],
    };
    let mut all = Vec::new();
    for host in hosts {
        let figures = load(root, host, transactions, seed)?;
        if !json {
            output::line(figures.text());
        }
        all.push(figures);
    }
    if json {
        output::line(serde_json::to_string_pretty(&all)?);
    }
    if all.windows(2).any(|pair| match pair {
        [first, second] => first.outcome != second.outcome,
        _ => false,
    }) {
        eprintln!("error: the hosts differ in status or gas of a transaction");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_soak(root: &std::path::Path, length: &Length, json: bool) -> Result<ExitCode, Failure> {
    let terminal = std::io::stderr().is_terminal();
    let report = soak(root, length, &|text| {
        if terminal {
            eprint!("\r\x1b[K{text}");
            let _ = std::io::stderr().flush();
        }
    })?;
    if terminal {
        eprint!("\r\x1b[K");
    }
    if json {
        output::line(serde_json::to_string_pretty(&report)?);
    } else {
        output::text(report.text());
    }
    if report.differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: chains that differ: {:?}", report.differences);
    Ok(ExitCode::FAILURE)
}
