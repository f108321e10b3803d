//! What the tool prints.

use aivm::{Receipt, Status};
use aivm_abi::calldata::{Function, JsonAbi};
use serde_json::{Value, json};

use crate::calls::{returned, reverted};
use crate::error::CliError;

/// Prints an error.
pub fn error(error: &CliError, json: bool) {
    if json {
        println!("{}", json!({ "error": error.to_string() }));
    } else {
        eprintln!("error: {error}");
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

/// A receipt as JSON, with its hash and what it returned in words.
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
        "reason": match receipt.status {
            Status::Revert => Some(reverted(abi, &receipt.output)),
            _ => None,
        },
    })
}

/// A receipt for people.
pub fn receipt_text(receipt: &Receipt, function: Option<&Function>, abi: Option<&JsonAbi>) {
    println!("receipt   {}", receipt.hash());
    println!("status    {}", receipt.status);
    match receipt.status {
        Status::Return => match returned(function, &receipt.output) {
            Some(text) if !text.is_empty() => println!("returned  {text}"),
            _ if receipt.output.is_empty() => {}
            _ => println!("output    0x{}", hex::encode(&receipt.output)),
        },
        Status::Revert => println!("reason    {}", reverted(abi, &receipt.output)),
        Status::Trap(code) => println!("reason    {}", code.description()),
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
    for event in &receipt.events {
        let topics: Vec<String> = event.topics.iter().map(ToString::to_string).collect();
        println!(
            "event     {} [{}] 0x{}",
            event.contract,
            topics.join(", "),
            hex::encode(&event.data)
        );
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
