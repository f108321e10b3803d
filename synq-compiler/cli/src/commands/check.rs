//! `synqc check`

use serde_json::{Value, json};
use synq_compiler::Severity;

use super::options;
use crate::args::Check;
use crate::error::Error;
use crate::project::{self, Project};
use crate::ui::Ui;

pub fn run(args: &Check, ui: &Ui) -> Result<(), Error> {
    let files = project::sources(&args.files)?;
    let mut all: Vec<Value> = Vec::new();
    let (mut errors, mut warnings) = (0usize, 0usize);
    for file in &files {
        let project = Project::of(file)?;
        let name = project.name_of(file)?;
        project::read(file)?;
        let found = synq_compiler::check(
            &name,
            &project.loader(),
            &options(&project, &name, &args.chain)?,
        );
        for diagnostic in &found.list {
            match diagnostic.severity {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
            }
        }
        ui.diagnostics(&found);
        if let Value::Array(list) = found.to_json() {
            all.extend(list);
        }
    }
    let failed = errors > 0 || (args.deny_warnings && warnings > 0);
    ui.print_json(&json!({ "ok": !failed, "diagnostics": all }));
    if !ui.json {
        let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let result = if failed {
            ui.bad("failed")
        } else {
            ui.good("ok")
        };
        ui.print(format!(
            "{result}: {}, {}, {}",
            plural(files.len(), "file"),
            plural(errors, "error"),
            plural(warnings, "warning")
        ));
    }
    if failed { Err(Error::Said) } else { Ok(()) }
}
