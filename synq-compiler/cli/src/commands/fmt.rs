//! `synqc fmt`

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use synq_compiler::fmt;

use crate::args::Fmt;
use crate::error::Error;
use crate::project::{self, Project};
use crate::ui::Ui;

pub fn run(args: &Fmt, ui: &Ui) -> Result<(), Error> {
    if args.files == [PathBuf::from("-")] {
        return standard_input(args, ui);
    }
    let mut changed = Vec::new();
    let mut errors = Vec::new();
    for path in files(&args.files)? {
        match one(&path, args.check) {
            Ok(true) => changed.push(path.display().to_string()),
            Ok(false) => {}
            // The other files are still formatted.
            Err(error) => errors.push(error),
        }
    }
    if !ui.json {
        for name in &changed {
            let what = if args.check {
                "would change"
            } else {
                "formatted"
            };
            ui.print(format!("{what} {name}"));
        }
    }
    if !errors.is_empty() {
        return Err(Error::Formatting { errors, changed });
    }
    let ok = !args.check || changed.is_empty();
    ui.print_json(&json!({ "ok": ok, "changed": changed }));
    if ok { Ok(()) } else { Err(Error::Said) }
}

/// Formats one file; tells whether that changes it.
fn one(path: &Path, check: bool) -> Result<bool, Error> {
    let text = project::read_text(path)?;
    let formatted = format(&path.to_string_lossy(), &text)?;
    let changed = formatted != text;
    if changed && !check {
        project::write(path, formatted)?;
    }
    Ok(changed)
}

fn format(name: &str, text: &str) -> Result<String, Error> {
    fmt::format(name, text).map_err(|found| Error::Source(Box::new(found)))
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
    let formatted = format("-", &text)?;
    let ok = !args.check || formatted == text;
    if ui.json {
        let changed: &[&str] = if formatted == text { &[] } else { &["-"] };
        let mut value = json!({ "ok": ok, "changed": changed });
        if let (false, Some(object)) = (args.check, value.as_object_mut()) {
            object.insert("text".into(), formatted.into());
        }
        ui.print_json(&value);
        return if ok { Ok(()) } else { Err(Error::Said) };
    }
    if !ok {
        return Err(Error::Check("the text would change".into()));
    }
    if !args.check {
        ui.print(formatted.trim_end_matches('\n'));
    }
    Ok(())
}
