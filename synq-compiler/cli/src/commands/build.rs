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
    let mut written: Vec<PathBuf> = Vec::new();
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
            project::write(&wasm, &contract.wasm)?;
            project::write(&abi, text(&contract.abi_json))?;
            if !ui.json {
                ui.print(format!(
                    "{} {}  {} bytes",
                    ui.good("built"),
                    wasm.display(),
                    contract.wasm.len()
                ));
            }
            written.extend([wasm, abi]);
            manifests.insert(name, contract.manifest);
        }
    }
    let manifest = out.join("manifest.json");
    project::write(&manifest, text(&json!({ "contracts": manifests })))?;
    written.push(manifest);
    ui.print_json(&json!({
        "ok": true,
        "written": written.iter().map(|p| p.display().to_string()).collect::<Vec<_>>(),
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
