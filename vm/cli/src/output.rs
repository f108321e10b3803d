//! What the tool prints.

use std::fmt::Arguments;
use std::io::Write;

use aivm::{Address, Receipt, Status};
use aivm_abi::Printable;
use aivm_abi::calldata::{Function, JsonAbi};
use serde_json::{Value, json};

use crate::calls::{reason, returned};
use crate::decoded;
use crate::error::CliError;
use crate::world::Deployment;

/// Prints text. Where that is impossible, on a full disk, the program says so and ends.
pub fn text(text: Arguments<'_>) {
    let mut output = std::io::stdout().lock();
    if let Err(error) = output.write_fmt(text).and_then(|()| output.flush()) {
        eprintln!("error: cannot write to standard output: {error}");
        std::process::exit(2);
    }
}

/// Prints text and ends the line.
pub fn line(text: Arguments<'_>) {
    self::text(format_args!("{text}\n"));
}

/// Prints an error.
pub fn error(error: &CliError, json: bool) {
    if json {
        println!("{}", json!({ "error": error.to_string() }));
    } else {
        match error {
            // It quotes names from the file.
            CliError::Model(_) | CliError::Onnx { .. } => {
                eprintln!("error: {}", Printable(&error.to_string()));
            }
            _ => eprintln!("error: {error}"),
        }
    }
}

/// Prints a value as JSON.
pub fn print(value: &Value) {
    // A value without non-text keys always has a text form.
    println!(
        "{}",
        serde_json::to_string_pretty(value).unwrap_or_default()
    );
}

/// A receipt as JSON, with its hash and what it holds in the words of the ABI.
pub fn receipt_json(
    receipt: &Receipt,
    function: Option<&Function>,
    abi: Option<&JsonAbi>,
) -> Value {
    json!({
        "hash": receipt.hash().to_string(),
        "receipt": receipt,
        "returned": match receipt.status {
            Status::Return => returned(function, &receipt.output),
            _ => None,
        },
        "results": decoded::results_json(function, receipt),
        "reason": reason(receipt.status, abi, &receipt.output),
        "error": decoded::error_json(receipt, abi),
        "events": decoded::events_json(receipt, abi),
    })
}

/// A deployment as JSON; null when the chain had the contract.
pub fn deployment_json(deployed: Option<&Deployment>, abi: Option<&JsonAbi>) -> Value {
    let Some(deployed) = deployed else {
        return Value::Null;
    };
    let mut value = receipt_json(&deployed.receipt, None, abi);
    if let Some(object) = value.as_object_mut() {
        object.insert("log".to_owned(), log_json(&deployed.log));
    }
    value
}

/// A deployment for people, in short.
pub fn deployment_text(contract: Address, deployed: Option<&Deployment>, abi: Option<&JsonAbi>) {
    let Some(deployed) = deployed else {
        println!("contract  {contract}, which was there already");
        return;
    };
    println!("contract  {contract}");
    println!("deployed  {} gas", deployed.receipt.gas.total());
    effects_text(&deployed.receipt, abi);
    log_text(&deployed.log);
}

/// Lines of contracts as JSON.
pub fn log_json(log: &[(Address, String)]) -> Value {
    let lines = log
        .iter()
        .map(|(contract, line)| json!({ "contract": contract.to_string(), "message": line }));
    lines.collect()
}

/// Lines of contracts for people.
pub fn log_text(log: &[(Address, String)]) {
    for (contract, line) in log {
        println!("log       {contract} {}", Printable(line));
    }
}

/// A receipt for people.
pub fn receipt_text(receipt: &Receipt, function: Option<&Function>, abi: Option<&JsonAbi>) {
    println!("receipt   {}", receipt.hash());
    println!("status    {}", receipt.status);
    match (
        reason(receipt.status, abi, &receipt.output),
        returned(function, &receipt.output),
    ) {
        (Some(reason), _) => println!("reason    {}", Printable(&reason)),
        (None, Some(text)) if !text.is_empty() => println!("returned  {text}"),
        _ if receipt.output.is_empty() => {}
        _ => println!("output    0x{}", hex::encode(&receipt.output)),
    }
    let gas = &receipt.gas;
    println!(
        "gas       {} of {}: execution {}, host {}, storage {}, inference {}; PQ-Gas {}",
        gas.total(),
        receipt.gas_limit,
        gas.execution,
        gas.host,
        gas.storage,
        gas.inference,
        gas.pq
    );
    effects_text(receipt, abi);
}

/// What a call did beside returning.
fn effects_text(receipt: &Receipt, abi: Option<&JsonAbi>) {
    for event in &receipt.events {
        let text = decoded::event_text(abi, event);
        println!("event     {} {}", event.contract, Printable(&text));
    }
    for message in &receipt.outbox {
        println!(
            "message   {} to chain {}, number {}, for 0x{}: 0x{}",
            message.contract,
            message.destination,
            message.sequence,
            hex::encode(&message.recipient),
            hex::encode(&message.payload)
        );
    }
    for inference in &receipt.inferences {
        println!("inference {} {} gas", inference.model, inference.gas);
    }
    for check in &receipt.pqc {
        println!("pqc       {} {}", check.scheme, check.ok);
    }
}
