//! `synqc completions`

use clap::CommandFactory;

use serde_json::json;

use crate::args::{Cli, Completions};
use crate::error::Error;
use crate::ui::Ui;

pub fn run(args: &Completions, ui: &Ui) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "synqc", &mut script);
    let script = String::from_utf8_lossy(&script);
    if ui.json {
        let shell = args.shell.to_string();
        ui.print_json(&json!({ "ok": true, "shell": shell, "script": script }));
    } else {
        ui.print(script.trim_end_matches('\n'));
    }
    Ok(())
}
