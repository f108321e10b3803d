//! The commands, one file each.

mod build;
mod check;
mod completions;
mod estimate;
mod fmt;
mod lsp;
mod new;
mod run;
mod show;
mod test;
mod verify;

use std::path::Path;

use synq_compiler::{ChainProfile, Options, Output, Twin};

use crate::args::{Chain, Command};
use crate::error::Error;
use crate::project::{self, Project};
use crate::ui::Ui;
use crate::world::cheats;

/// Runs a command.
pub fn run(command: Command, ui: &Ui) -> Result<(), Error> {
    match command {
        Command::Build(args) => build::run(&args, ui),
        Command::Check(args) => check::run(&args, ui),
        Command::Fmt(args) => fmt::run(&args, ui),
        Command::Abi(args) => show::abi(&args, ui),
        Command::Sol(args) => show::sol(&args, ui),
        Command::Verify(args) => verify::run(&args, ui),
        Command::Run(args) => run::run(&args, ui),
        Command::Trace(args) => run::trace(&args, ui),
        Command::Test(args) => test::run(&args, ui),
        Command::Estimate(args) => estimate::run(&args, ui),
        Command::New(args) => new::run(&args, ui),
        Command::Lsp => lsp::run(),
        Command::Completions(args) => completions::run(&args, ui),
    }
}

/// The compiler's options for a file of a project, by its name there.
pub fn options(project: &Project, name: &str, chain: &Chain) -> Result<Options, Error> {
    let declared = project.settings.chain.as_ref();
    let path = match (&chain.chain, declared) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(path)) => Some(project.root.join(path)),
        (None, None) => None,
    };
    let mut profile = ChainProfile::default();
    if let Some(path) = path {
        let text = project::read_text(&path)?;
        profile = ChainProfile::from_toml(&text).map_err(|e| Error::file(path, e))?;
    }
    if project.is_test(name) {
        profile = profile.with(&cheats::profile());
    }
    Ok(Options::new().with_profile(profile))
}

/// Compiles the contracts of one file.
fn compile(file: &Path, chain: &Chain, debug: bool, ui: &Ui) -> Result<Output, Error> {
    let project = Project::of(file)?;
    let name = project.name_of(file)?;
    let options = options(&project, &name, chain)?.with_debug(debug);
    project::read(file)?;
    let output = ui.progress(&format!("compiling {name}"), || {
        synq_compiler::compile(&name, &project.loader(), &options)
    });
    output.map_err(|d| Error::Source(Box::new(d)))
}

/// Writes the contracts of one file as Solidity.
fn twins(file: &Path, chain: &Chain) -> Result<Vec<Twin>, Error> {
    let project = Project::of(file)?;
    let name = project.name_of(file)?;
    let options = options(&project, &name, chain)?;
    project::read(file)?;
    synq_compiler::twins(&name, &project.loader(), &options).map_err(|d| Error::Source(Box::new(d)))
}

/// The contract that was asked for, or the only one.
pub fn choose<T>(
    list: Vec<T>,
    name: impl Fn(&T) -> &str,
    wanted: Option<&str>,
    file: &Path,
) -> Result<T, Error> {
    let names: Vec<String> = list.iter().map(|c| name(c).to_owned()).collect();
    let mut fitting = list
        .into_iter()
        .filter(|c| wanted.is_none_or(|w| name(c) == w));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (None, _) if names.is_empty() => Err(Error::Usage(format!(
            "there is no contract in {}",
            file.display()
        ))),
        (None, _) => Err(Error::Usage(format!(
            "{} has no contract `{}`; it has {}",
            file.display(),
            wanted.unwrap_or_default(),
            names.join(", ")
        ))),
        (Some(_), Some(_)) => Err(Error::Usage(format!(
            "{} has several contracts, choose one with --contract: {}",
            file.display(),
            names.join(", ")
        ))),
    }
}
