//! `synqc estimate`

use std::collections::BTreeMap;

use aivm::{Call, Deploy};
use aivm_abi::calldata::{DynSolValue, Function, encode_call, parse_call};
use serde_json::{Value, json};

use crate::args::Estimate;
use crate::error::Error;
use crate::ui::Ui;
use crate::world::costs::at_least;
use crate::world::show::Show;
use crate::world::{Code, Ledger, Library, YOU, constructor_input, succeeded, zeros};

/// Gas that a measured call may use.
const GAS_LIMIT: u64 = 1_000_000_000;

/// What is known of a function's gas.
struct Row {
    signature: String,
    /// Of the cheapest call.
    least: Option<u64>,
    /// Of the call that was made.
    measured: u64,
    /// Arguments of that call.
    arguments: String,
    /// Why that call failed.
    failure: Option<String>,
    /// What the author declared.
    declared: Option<u64>,
}

pub fn run(args: &Estimate, ui: &Ui) -> Result<(), Error> {
    let mut library = Library::new()?;
    library.add(&args.file, &args.chain, false, ui)?;
    let code = library.choose(&args.file, args.contract.as_deref())?;
    let input = constructor_input(code, args.init.as_deref())?;
    let deploy = Deploy::new(YOU, code.hash, input).with_gas_limit(GAS_LIMIT);
    let mut ledger = Ledger::new(&library);
    let deployed = library.vm.deploy(&mut ledger, &deploy)?;
    let show = Show {
        library: &library,
        ledger: &ledger,
    };
    if !succeeded(&deployed.receipt) {
        let reason = show.failure(deployed.receipt.status, &deployed.receipt.output);
        return Err(Error::Check(format!(
            "the constructor failed: {}; give it arguments with --init",
            reason.unwrap_or_default()
        )));
    }
    let abi = &code.artifact.abi;
    let mut given: BTreeMap<String, Vec<DynSolValue>> = BTreeMap::new();
    for text in &args.calls {
        let (function, values) = parse_call(abi, text)?;
        given.insert(function.signature(), values);
    }
    let least = at_least(&code.artifact);
    let mut rows = Vec::new();
    for function in abi.functions() {
        let signature = function.signature();
        let values = match given.remove(&signature) {
            Some(values) => values,
            None => zeros(&function.inputs)?,
        };
        let input = encode_call(function, &values)?;
        let call = Call::new(YOU, deployed.address, input).with_gas_limit(GAS_LIMIT);
        let receipt = library.vm.estimate(&ledger, &call)?.receipt;
        rows.push(Row {
            least: least.get(&signature).copied(),
            measured: receipt.gas.total(),
            arguments: show.values(&values),
            failure: show.failure(receipt.status, &receipt.output),
            declared: declared(code, function),
            signature,
        });
    }
    report(code, deployed.receipt.gas.total(), &rows, ui);
    Ok(())
}

/// The sum of a function's `@gas_cost`.
fn declared(code: &Code, function: &Function) -> Option<u64> {
    let Value::Array(items) = &code.artifact.abi_json else {
        return None;
    };
    let own = items.iter().find(|item| {
        let types = item["inputs"].as_array().map_or(0, Vec::len);
        item["type"] == "function"
            && item["name"] == function.name.as_str()
            && types == function.inputs.len()
            && item["inputs"]
                .as_array()
                .into_iter()
                .flatten()
                .zip(&function.inputs)
                .all(|(found, own)| found["type"] == own.ty.as_str())
    })?;
    let parts = own["gas"].as_object()?;
    let costs = parts.iter().filter(|(name, _)| *name != "limit");
    let costs: Vec<u64> = costs.filter_map(|(_, value)| value.as_u64()).collect();
    (!costs.is_empty()).then(|| {
        costs
            .iter()
            .fold(0_u64, |sum, cost| sum.saturating_add(*cost))
    })
}

impl Row {
    /// What is wrong with the declared cost. A call that failed says nothing about it.
    fn warning(&self) -> Option<String> {
        let declared = self.declared?;
        let (name, measured) = (&self.signature, self.measured);
        if let Some(least) = self.least.filter(|least| *least > declared) {
            return Some(format!(
                "{name} declares {declared} gas, but no call costs less than {least}"
            ));
        }
        if self.failure.is_some() {
            return None;
        }
        if measured > declared {
            Some(format!(
                "{name} declares {declared} gas, but this call used {measured}"
            ))
        } else if declared > measured.saturating_mul(2) {
            Some(format!(
                "{name} declares {declared} gas, more than twice the {measured} that this call used"
            ))
        } else {
            None
        }
    }
}

fn report(code: &Code, deployment: u64, rows: &[Row], ui: &Ui) {
    let warnings: Vec<String> = rows.iter().filter_map(Row::warning).collect();
    let functions: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "function": row.signature,
                "atLeast": row.least,
                "measured": row.measured,
                "arguments": row.arguments,
                "failed": row.failure,
                "declared": row.declared,
            })
        })
        .collect();
    ui.print_json(&json!({
        "ok": true,
        "contract": code.artifact.name,
        "upload": code.upload_gas,
        "deployment": deployment,
        "functions": functions,
        "warnings": warnings,
    }));
    if ui.json {
        return;
    }
    ui.print(format!(
        "{}: upload {} gas, deployment {deployment} gas",
        code.artifact.name, code.upload_gas
    ));
    let width = rows
        .iter()
        .map(|row| row.signature.len())
        .max()
        .unwrap_or(0)
        .clamp(8, 48);
    ui.print(format!(
        "{:width$}  {:>10}  {:>10}  {:>10}",
        "function", "at least", "measured", "declared"
    ));
    let number = |n: Option<u64>| n.map_or("-".to_owned(), |n| n.to_string());
    for row in rows {
        let note = match &row.failure {
            Some(reason) => format!("  failed: {reason}"),
            None => String::new(),
        };
        ui.print(format!(
            "{:width$}  {:>10}  {:>10}  {:>10}{note}",
            row.signature,
            number(row.least),
            row.measured,
            number(row.declared)
        ));
    }
    for warning in warnings {
        ui.print(format!("{} {warning}", ui.bad("warning:")));
    }
}
