//! `synqc fmt`

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use synq_compiler::{Diagnostics, fmt};

use crate::args::Fmt;
use crate::error::Error;
use crate::project::{self, Project};
use crate::ui::Ui;

pub fn run(args: &Fmt, ui: &Ui) -> Result<(), Error> {
    if args.files == [PathBuf::from("-")] {
        return standard_input(args, ui);
    }
    let mut changed = Vec::new();
    let mut broken: Option<Diagnostics> = None;
    for path in files(&args.files)? {
        let text = project::read_text(&path)?;
        match fmt::format(&path.to_string_lossy(), &text) {
            Ok(formatted) if formatted == text => {}
            Ok(formatted) => {
                if !args.check {
                    project::write(&path, formatted)?;
                }
                changed.push(path);
            }
            // The other files are still formatted.
            Err(diagnostics) => broken = broken.or(Some(diagnostics)),
        }
    }
    if let Some(diagnostics) = broken {
        return Err(Error::Source(Box::new(diagnostics)));
    }
    let names: Vec<_> = changed.iter().map(|p| p.display().to_string()).collect();
    ui.print_json(&json!({ "ok": !args.check || changed.is_empty(), "changed": names }));
    if !ui.json {
        for name in &names {
            let what = if args.check {
                "would change"
            } else {
                "formatted"
            };
            ui.print(format!("{what} {name}"));
        }
    }
    if args.check && !changed.is_empty() {
        return Err(Error::Said);
    }
    Ok(())
}

/// The files named, or the project's sources and tests.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = project::sources(named)?;
    if named.is_empty() {
        let project = Project::of(Path::new("."))?;
        files.extend(project.sources_in(&project.settings.tests)?);
    }
    Ok(files)
}

fn standard_input(args: &Fmt, ui: &Ui) -> Result<(), Error> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| Error::file("-", e))?;
    let formatted = fmt::format("-", &text).map_err(|d| Error::Source(Box::new(d)))?;
    if args.check {
        return if formatted == text {
            Ok(())
        } else {
            Err(Error::Check("the text would change".into()))
        };
    }
    ui.print(formatted.trim_end_matches('\n'));
    Ok(())
}
