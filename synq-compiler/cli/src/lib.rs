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

use std::process::ExitCode;

use clap::Parser;
use error::Error;

/// Does what the command line of this process asks for.
pub fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        // Help and the version are answers, too.
        Err(answer) => {
            return match answer.print() {
                Err(e) if !answer.use_stderr() => ui::say_lost(&Error::file(ui::OUTPUT, e)),
                _ => ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2)),
            };
        }
    };
    let ui = ui::Ui::new(&cli.global);
    let mut code = 0;
    if let Err(error) = commands::run(cli.command, &ui) {
        ui.failure(&error);
        code = error.exit_code();
    }
    match ui.lost() {
        // Whatever came of the command, nobody can know.
        Some(error) => ui::say_lost(&error),
        None => ExitCode::from(code),
    }
}
