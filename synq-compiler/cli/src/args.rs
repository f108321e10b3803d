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
    /// Make a project: synq.toml and a first contract
    #[command(after_help = "Examples:
  synqc new counter             the folder `counter` with src/Counter.synq
  cd counter && synqc build     its artifacts, in `out`")]
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
