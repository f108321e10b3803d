//! What can be asked, and the help that teaches it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "Exit codes:
  0  it worked
  1  the source has errors, or a check or test failed
  2  wrong use of the command line
  3  a file could not be read or written";

/// Compiler and tools for SynQ, a contract language with post-quantum types and neural networks.
#[derive(Debug, Parser)]
#[command(name = "synqc", version, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, Args)]
pub struct Global {
    /// Print one JSON document, diagnostics included, instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colours; `auto` means: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile: out/NAME.wasm, out/NAME.abi.json and out/manifest.json
    #[command(after_help = "Examples:
  synqc build                        all sources of the project
  synqc build Token.synq --out art   one file, artifacts in the folder `art`
  synqc build --json                 what was written, and warnings, as JSON
  synqc build --no-debug             smaller modules, whose traps name no source line

The same sources give the same bytes everywhere: artifacts hold no time and no absolute path.")]
    Build(Build),
    /// Report errors and warnings without writing anything
    #[command(after_help = "Examples:
  synqc check                        all sources of the project
  synqc check src/Token.synq
  synqc check --deny-warnings        warnings fail too, for continuous integration")]
    Check(Check),
    /// Print the Solidity ABI of a contract as JSON
    #[command(after_help = "Examples:
  synqc abi src/Token.synq           the file's only contract
  synqc abi Pool.synq --contract Pool")]
    Abi(Show),
    /// Print the Solidity twin: Solidity 0.8 text with the same ABI
    #[command(after_help = "Examples:
  synqc sol src/Token.synq > Token.sol
  solc --via-ir --optimize --abi Token.sol

Post-quantum cryptography and models are called at precompiles, 0xA101 to 0xA107;
the text says how.")]
    Sol(Show),
    /// Rebuild a source and compare it with a compiled module
    #[command(after_help = "Examples:
  synqc verify --source src/Token.synq --wasm out/Token.wasm
  synqc verify --source Pool.synq --wasm pool.wasm --contract Pool")]
    Verify(Verify),
    /// Deploy a contract on a chain in memory and call it
    #[command(after_help = "Examples:
  synqc run src/Counter.synq 'increment()' 'count()'
  synqc run Token.synq --init '\"Gold\", 1000' 'transfer(0x2222222222222222222222222222222222222222, 5)'
  synqc run Escrow.synq 'pay()' --value 1000

Calls run one after the other. Arguments are written as in Solidity: 5, 0xff, true, \"text\",
[1, 2], (1, \"a\"). A call that fails ends the command with exit code 1; the others still run.")]
    Run(Run),
    /// Run tests: contracts with functions named test…
    #[command(after_help = "Examples:
  synqc test                         all tests of the project
  synqc test tests/Counter.synq      one file
  synqc test --filter increment      tests whose name, Contract.function, has it
  synqc test -v                      the call tree of tests that pass, too

A test contract has public functions named test…, without parameters. Each runs on a fresh chain:
the constructor, then setUp() if there is one, then the test. It passes when it returns;
one named testFail… passes when it fails. Tests have functions of their own:
deploy(\"Counter\", abi.encode(…)), prank, startPrank, stopPrank, deal, warp, roll,
expectRevert, expectRevertWith, label, assertEq, assertTrue and more; see the book.")]
    Test(Test),
    /// Show the tree of calls of a transaction, with source lines
    #[command(after_help = "Examples:
  synqc trace src/Counter.synq 'increment()'           the call's tree
  synqc trace src/Counter.synq                         the constructor's
  synqc trace Bank.synq 'deposit()' 'take(5)'          the last call's, after the first

Each line: [gas] what, and the line of the source that did it. Gas includes nested calls.")]
    Trace(Run),
    /// Print the gas of each public function
    #[command(after_help = "Examples:
  synqc estimate src/Token.synq
  synqc estimate Token.synq --init '\"Gold\", 1000' --call 'transfer(0x2222222222222222222222222222222222222222, 5)'

`at least` is the cheapest way through the code, host functions at their base price; `measured`
is one call on a fresh chain, with zero arguments or those of a --call. Warns where a declared
@gas_cost is below what was measured, or above twice of it.")]
    Estimate(Estimate),
    /// Make a project: synq.toml, a first contract and its test
    #[command(after_help = "Examples:
  synqc new counter             the folder `counter` with src/Counter.synq and its test
  cd counter && synqc test      runs the tests
  synqc build                   makes its artifacts, in `out`")]
    New(New),
    /// Lay sources out in the one canonical style
    #[command(after_help = "Examples:
  synqc fmt                     all sources and tests of the project
  synqc fmt src/Token.synq      one file
  synqc fmt --check             change nothing; exit code 1 when a file would change
  synqc fmt - < Token.synq      from the standard input to the standard output")]
    Fmt(Fmt),
    /// Serve an editor over the standard input and output (Language Server Protocol)
    #[command(
        after_help = "Editors start this themselves; tell yours the command `synqc lsp` for .synq files.
Diagnostics, hover, go to definition, completion and formatting."
    )]
    Lsp,
    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  synqc completions bash > ~/.local/share/bash-completion/completions/synqc
  synqc completions zsh > ~/.zfunc/_synqc
  synqc completions fish > ~/.config/fish/completions/synqc.fish")]
    Completions(Completions),
}

/// `fmt`
#[derive(Debug, Args)]
pub struct Fmt {
    /// Files or folders; `-` is the standard input
    pub files: Vec<PathBuf>,
    /// Change nothing; fail when a file is not in the canonical style
    #[arg(long)]
    pub check: bool,
}

/// Where the host chain's functions are declared.
#[derive(Debug, Args)]
pub struct Chain {
    /// The chain profile: functions that the host chain adds; synq.toml may name it too
    #[arg(long, value_name = "FILE")]
    pub chain: Option<PathBuf>,
}

/// `build`
#[derive(Debug, Args)]
pub struct Build {
    /// Files or folders; all sources of the project when there are none
    pub files: Vec<PathBuf>,
    /// Folder for the artifacts; `out` in the project, or in the current folder
    #[arg(long, short, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Leave function names and source lines out of the modules
    #[arg(long)]
    pub no_debug: bool,
    /// The chain.
    #[command(flatten)]
    pub chain: Chain,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// Files or folders; all sources of the project when there are none
    pub files: Vec<PathBuf>,
    /// Fail when there are warnings
    #[arg(long)]
    pub deny_warnings: bool,
    /// The chain.
    #[command(flatten)]
    pub chain: Chain,
}

/// `abi` and `sol`
#[derive(Debug, Args)]
pub struct Show {
    /// The source
    pub file: PathBuf,
    /// Which contract, when the file has several
    #[arg(long, value_name = "NAME")]
    pub contract: Option<String>,
    /// The chain.
    #[command(flatten)]
    pub chain: Chain,
}

/// `verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The source
    #[arg(long, value_name = "FILE")]
    pub source: PathBuf,
    /// The compiled module
    #[arg(long, value_name = "FILE")]
    pub wasm: PathBuf,
    /// The module was built with --no-debug
    #[arg(long)]
    pub no_debug: bool,
    /// Which contract, when the file has several
    #[arg(long, value_name = "NAME")]
    pub contract: Option<String>,
    /// The chain.
    #[command(flatten)]
    pub chain: Chain,
}

/// `run` and `trace`
#[derive(Debug, Args)]
pub struct Run {
    /// The source
    pub file: PathBuf,
    /// Calls, each as 'name(argument, …)'
    #[arg(value_name = "CALL")]
    pub calls: Vec<String>,
    /// Which contract, when the file has several
    #[arg(long, value_name = "NAME")]
    pub contract: Option<String>,
    /// Arguments of the constructor
    #[arg(
        long,
        value_name = "ARGUMENTS",
        default_value = "",
        hide_default_value = true
    )]
    pub init: String,
    /// Who deploys and calls
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
    /// Native value sent with the last call, or with the deployment when there is no call
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    pub value: String,
    /// Gas limit of each transaction
    #[arg(long, value_name = "GAS", default_value_t = 1_000_000_000)]
    pub gas_limit: u64,
    /// Time of the block, in seconds since 1970
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub time: u64,
    /// Number of the block
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub block: u64,
    /// The chain.
    #[command(flatten)]
    pub chain: Chain,
}

/// `test`
#[derive(Debug, Args)]
pub struct Test {
    /// Files or folders; the project's tests when there are none
    pub files: Vec<PathBuf>,
    /// Run only tests whose name, Contract.function, contains this
    #[arg(long, short, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Show the call tree of tests that pass, too; twice: with host calls
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Gas limit of each test
    #[arg(long, value_name = "GAS", default_value_t = 1_000_000_000)]
    pub gas_limit: u64,
    /// The chain.
    #[command(flatten)]
    pub chain: Chain,
}

/// `estimate`
#[derive(Debug, Args)]
pub struct Estimate {
    /// The source
    pub file: PathBuf,
    /// Which contract, when the file has several
    #[arg(long, value_name = "NAME")]
    pub contract: Option<String>,
    /// Arguments of the constructor; zero values when not given
    #[arg(long, value_name = "ARGUMENTS")]
    pub init: Option<String>,
    /// Measure a function with these arguments, 'name(argument, …)'; may be repeated
    #[arg(long = "call", value_name = "CALL")]
    pub calls: Vec<String>,
    /// The chain.
    #[command(flatten)]
    pub chain: Chain,
}

/// `new`
#[derive(Debug, Args)]
pub struct New {
    /// The folder to make; its last part is the project's name
    pub path: PathBuf,
}

/// `completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        super::Cli::command().debug_assert();
    }
}
