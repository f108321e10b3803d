//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::key::args::KeyCommand;
use crate::model::args::ModelCommand;

/// Runs and examines AIVM contracts.
#[derive(Debug, Parser)]
#[command(name = "aivm", version)]
pub struct Cli {
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Deploy a contract and call it.
    #[command(after_help = "Examples:
  aivm run Counter.wasm --abi Counter.abi.json --call 'increment()' --call 'count()'
  aivm run Token.wasm --abi Token.abi.json --init '\"Gold\", 1000' --call 'mint(5)' --from syn1...
  aivm run Notary.wasm --abi Notary.abi.json --model digits.onnx --call 'read([[0, ..., 0]])'
  aivm run Counter.wasm --call 0xd09de08a --json         call data in hexadecimal, all of it as JSON
  aivm run Counter.wasm --state chain.redb --call 0xd09de08a           on a chain that stays

`synqc build` writes NAME.wasm and NAME.abi.json. With the ABI, results, errors and events are shown
by name; an indexed argument of a type longer than a word is shown as its hash, since the log has
no more. Events that the ABI does not tell of are shown as topics and data.
A contract that infers needs its --model on the chain.
Arguments are written as in Solidity: 5, 0xff, true, \"text\", [1, 2], (1, \"a\").
The exit code is 1 when a call did not return, 2 when something could not be done.")]
    Run(RunArgs),
    /// Like `run`, but tell what the last call needs and keep none of its effects.
    #[command(after_help = "Examples:
  aivm estimate Token.wasm --abi Token.abi.json --call 'mint(5)' --call 'burn(5)'   for burn")]
    Estimate(RunArgs),
    /// Like `run`, but show where the gas of the last call goes.
    #[command(after_help = "Examples:
  aivm profile Token.wasm --abi Token.abi.json --call 'mint(5)' --svg mint.svg   with a flame graph")]
    Profile(ProfileArgs),
    /// Show what a module or a transcript is made of.
    #[command(after_help = "Examples:
  aivm inspect Token.wasm                      gas of its upload, its limits, its largest functions
  aivm inspect Token.wasm --json               all functions, with their first source line
  aivm run Token.wasm --call 0xd09de08a --transcript calls && aivm inspect calls")]
    Inspect(InspectArgs),
    /// Find the first host call in which two transcripts differ.
    Bisect(BisectArgs),
    /// Show or empty a cache of compiled code.
    Cache(CacheArgs),
    /// Make keys, and sign and check transactions with them.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look into neural networks, run them, and settle disputes about what they gave.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What to deploy and call.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The contract, a Wasm module in binary form.
    pub contract: PathBuf,
    /// JSON ABI of the contract; with it calls, results, errors and events are text.
    #[arg(long, value_name = "FILE")]
    pub abi: Option<PathBuf>,
    /// Input of the constructor in hexadecimal, or with --abi its arguments. Not needed when the
    /// chain of --state has the contract.
    #[arg(long, value_name = "DATA", default_value = "")]
    pub init: String,
    /// A call: call data in hexadecimal, or with --abi a function and its arguments, such
    /// as 'transfer(0x..., 5)'. May be given several times.
    #[arg(long = "call", value_name = "CALL")]
    pub calls: Vec<String>,
    /// Run the last call as a read-only query.
    #[arg(long)]
    pub query: bool,
    /// ONNX models to register first. May be given several times. Contracts written for WASI may
    /// load each by its file's name without the extension.
    #[arg(long = "model", value_name = "FILE")]
    pub models: Vec<PathBuf>,
    /// Keep the chain in this database file instead of in memory.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Sender: an address, as Bech32m or hexadecimal.
    #[arg(long, default_value = "0x00000000000000000000000000000000000000a1")]
    pub from: String,
    /// Native value to send with each call.
    #[arg(long, default_value_t = 0)]
    pub value: u64,
    /// Gas limit of each call.
    #[arg(long, default_value_t = aivm::DEFAULT_GAS_LIMIT)]
    pub gas: u64,
    /// Salt of the contract's address.
    #[arg(long, default_value_t = 0)]
    pub salt: u64,
    /// Height of the block.
    #[arg(long, default_value_t = 1)]
    pub block: u64,
    /// Time of the block, in seconds since 1970.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub time: u64,
    /// Folder for compiled code.
    #[arg(long, value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
    /// Write the transcript of the last call to this file.
    #[arg(long, value_name = "FILE")]
    pub transcript: Option<PathBuf>,
}

impl RunArgs {
    /// The files that are read.
    pub fn inputs(&self) -> Vec<&Path> {
        let more = [&self.abi, &self.state].into_iter().flatten();
        let all = std::iter::once(&self.contract)
            .chain(&self.models)
            .chain(more);
        all.map(PathBuf::as_path).collect()
    }
}

/// What to profile, and where to put it.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// What to run.
    #[command(flatten)]
    pub run: RunArgs,
    /// Write folded stacks, the input of flame-graph tools, to this file.
    #[arg(long, value_name = "FILE")]
    pub folded: Option<PathBuf>,
    /// Write a flame graph as SVG to this file.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// What to look at.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A Wasm module or a transcript.
    pub file: PathBuf,
}

/// Two transcripts.
#[derive(Debug, Args)]
pub struct BisectArgs {
    /// Transcript of one node.
    pub a: PathBuf,
    /// Transcript of the other.
    pub b: PathBuf,
}

/// A cache folder.
#[derive(Debug, Args)]
pub struct CacheArgs {
    /// The folder.
    pub folder: PathBuf,
    /// Remove all compiled code from it.
    #[arg(long)]
    pub clear: bool,
}
