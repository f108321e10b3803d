//! `synqc completions`

use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::error::Error;

pub fn run(args: &Completions) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "synqc", &mut script);
    use std::io::Write;
    // A closed pipe is the reader's wish, not an error.
    let _ = std::io::stdout().write_all(&script);
    Ok(())
}
