//! `synqc abi` and `synqc sol`

use serde_json::json;

use super::{choose, compile, twins};
use crate::args::Show;
use crate::error::Error;
use crate::ui::Ui;

pub fn abi(args: &Show, ui: &Ui) -> Result<(), Error> {
    let output = compile(&args.file, &args.chain, true, ui)?;
    ui.warnings(&output.diagnostics);
    let wanted = args.contract.as_deref();
    let contract = choose(output.contracts, |c| &c.name, wanted, &args.file)?;
    // The ABI is JSON either way.
    ui.print(serde_json::to_string_pretty(&contract.abi_json).unwrap_or_default());
    Ok(())
}

pub fn sol(args: &Show, ui: &Ui) -> Result<(), Error> {
    let list = twins(&args.file, &args.chain)?;
    let twin = choose(list, |t| &t.name, args.contract.as_deref(), &args.file)?;
    if ui.json {
        ui.print_json(&json!({ "ok": true, "name": twin.name, "solidity": twin.text }));
    } else {
        ui.print(twin.text.trim_end_matches('\n'));
    }
    Ok(())
}
