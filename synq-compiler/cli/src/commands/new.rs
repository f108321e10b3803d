//! `synqc new`

use serde_json::json;

use crate::args::New;
use crate::error::Error;
use crate::project;
use crate::ui::Ui;

/// Files of a new project: path and text, with `{name}` for the project's name.
const FILES: [(&str, &str); 4] = [
    ("synq.toml", include_str!("../../templates/synq.toml")),
    (
        "src/Counter.synq",
        include_str!("../../templates/Counter.synq"),
    ),
    (
        "tests/Counter.synq",
        include_str!("../../templates/Counter.test.synq"),
    ),
    (".gitignore", "/out\n"),
];

pub fn run(args: &New, ui: &Ui) -> Result<(), Error> {
    let name = args
        .path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(good) {
        return Err(Error::Usage(format!(
            "`{}` cannot be a project's name: use letters, digits, `-` and `_`",
            args.path.display()
        )));
    }
    let used = std::fs::read_dir(&args.path).is_ok_and(|mut entries| entries.next().is_some());
    if used || args.path.is_file() {
        return Err(Error::file(&args.path, "exists already"));
    }
    for (path, text) in FILES {
        project::write(&args.path.join(path), text.replace("{name}", &name))?;
    }
    ui.print_json(&json!({
        "ok": true,
        "folder": args.path.display().to_string(),
        "files": FILES.iter().map(|(path, _)| path).collect::<Vec<_>>(),
    }));
    if !ui.json {
        ui.print(format!("{} {}", ui.good("made"), args.path.display()));
        ui.note(format!("next: cd {} && synqc test", args.path.display()));
    }
    Ok(())
}
