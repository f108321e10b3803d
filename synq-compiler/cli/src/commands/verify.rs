//! `synqc verify`

use serde_json::json;

use super::{choose, compile};
use crate::args::Verify;
use crate::error::Error;
use crate::project;
use crate::ui::Ui;

pub fn run(args: &Verify, ui: &Ui) -> Result<(), Error> {
    let given = project::read(&args.wasm)?;
    let output = compile(&args.source, &args.chain, !args.no_debug, ui)?;
    let wanted = args.contract.as_deref();
    let contract = choose(output.contracts, |c| &c.name, wanted, &args.source)?;
    let built = contract.wasm;
    let first = given.iter().zip(&built).position(|(a, b)| a != b);
    let same = given == built;
    ui.print_json(&json!({
        "ok": same,
        "contract": contract.name,
        "manifest": contract.manifest,
        "length": { "given": given.len(), "built": built.len() },
        "firstDifference": if same { None } else { Some(first.unwrap_or(given.len().min(built.len()))) },
    }));
    if same {
        if !ui.json {
            ui.print(format!(
                "{}: {} is {} compiled from {}",
                ui.good("verified"),
                args.wasm.display(),
                contract.name,
                args.source.display()
            ));
        }
        return Ok(());
    }
    if ui.json {
        return Err(Error::Said);
    }
    let place = match first {
        Some(at) => format!("the first difference is at byte {at}"),
        None => "one is the beginning of the other".to_owned(),
    };
    Err(Error::Check(format!(
        "{} is not what this compiler makes of {}: {} bytes given, {} built; {place}",
        args.wasm.display(),
        args.source.display(),
        given.len(),
        built.len()
    )))
}
