//! `synqc build`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::compile;
use crate::args::Build;
use crate::error::Error;
use crate::project::{self, Project};
use crate::ui::Ui;

pub fn run(args: &Build, ui: &Ui) -> Result<(), Error> {
    let files = project::sources(&args.files)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => {
            let project = Project::of(Path::new("."))?;
            project.root.join(&project.settings.out)
        }
    };
    let mut manifests: BTreeMap<String, Value> = BTreeMap::new();
    let mut artifacts: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    let mut built: Vec<String> = Vec::new();
    let mut warnings = Vec::new();
    for file in &files {
        let output = compile(file, &args.chain, !args.no_debug, ui)?;
        ui.warnings(&output.diagnostics);
        if let Value::Array(list) = output.diagnostics.to_json() {
            warnings.extend(list);
        }
        for contract in output.contracts {
            let name = contract.name;
            if manifests.contains_key(&name) {
                return Err(Error::Usage(format!(
                    "two contracts are called `{name}`: build them into different folders"
                )));
            }
            let wasm = out.join(format!("{name}.wasm"));
            let abi = out.join(format!("{name}.abi.json"));
            built.push(format!(
                "{} {}  {} bytes",
                ui.good("built"),
                wasm.display(),
                contract.wasm.len()
            ));
            artifacts.push((wasm, contract.wasm));
            artifacts.push((abi, text(&contract.abi_json).into_bytes()));
            manifests.insert(name, contract.manifest);
        }
    }
    let manifest = text(&json!({ "contracts": manifests }));
    artifacts.push((out.join("manifest.json"), manifest.into_bytes()));
    // Only now: the folder never holds artifacts of two builds.
    project::write_all(&artifacts)?;
    if !ui.json {
        for line in built {
            ui.print(line);
        }
    }
    let written = artifacts.iter().map(|(path, _)| path.display().to_string());
    ui.print_json(&json!({
        "ok": true,
        "written": written.collect::<Vec<_>>(),
        "contracts": manifests,
        "diagnostics": warnings,
    }));
    Ok(())
}

fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
