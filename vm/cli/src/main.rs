//! `aivm`: the operator's tool. It runs contracts on a chain in memory or in a file, shows
//! what modules and calls are made of, and finds where two nodes part ways.
#![forbid(unsafe_code)]

/// As the standard library's, which panics when standard output takes no more.
macro_rules! print {
    ($($text:tt)*) => { $crate::output::text(format_args!($($text)*)) };
}

/// The same, with the end of the line.
macro_rules! println {
    () => { print!("\n") };
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}

mod args;
mod bisect;
mod cache;
mod calls;
mod decoded;
mod error;
mod inspect;
mod key;
mod model;
mod output;
mod profile;
mod run;
mod world;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};

fn main() -> ExitCode {
    sigpipe::reset(); // a reader that has seen enough, such as `head`, ends the program quietly
    let cli = Cli::parse();
    let json = cli.json;
    let result = match &cli.command {
        Command::Run(args) => run::run(args, json),
        Command::Estimate(args) => run::estimate(args, json),
        Command::Profile(args) => profile::profile(args, json),
        Command::Inspect(args) => inspect::inspect(args, json),
        Command::Bisect(args) => bisect::bisect(args, json),
        Command::Cache(args) => cache::cache(args, json),
        Command::Key(command) => key::key(command, json),
        Command::Model(command) => model::model(command, json),
        Command::Completions { shell } => {
            // The generator panics when its output takes no more.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "aivm", &mut script);
            print!("{}", String::from_utf8_lossy(&script));
            Ok(true)
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        // The command worked and its answer is "no": a revert, a difference.
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            output::error(&error, json);
            ExitCode::from(2)
        }
    }
}
