//! `synqc`: the SynQ compiler's command line, as a library so that its language server can be tested from outside.
//!
//! `args` says what can be asked, `commands` answers, one file a command; `project` finds
//! and reads files; `ui` prints; [`lsp`] serves editors; `world` is the chain
//! that `run`, `test`, `trace` and `estimate` use.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod error;
pub mod lsp;
mod project;
mod ui;
mod world;

use clap::Parser;

/// Does what the command line of this process asks for.
pub fn main() -> std::process::ExitCode {
    let cli = args::Cli::parse();
    let ui = ui::Ui::new(&cli.global);
    match commands::run(cli.command, &ui) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            ui.failure(&error);
            std::process::ExitCode::from(error.exit_code())
        }
    }
}
