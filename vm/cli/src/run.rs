//! `aivm run` and `aivm estimate`.

use aivm::inspect::FailurePlace;
use aivm_abi::Printable;
use serde_json::json;

use crate::args::RunArgs;
use crate::error::CliError;
use crate::output;
use crate::world::{World, check_writable, on, take_log, write};

/// Bytes of transcript frames to keep.
const TRANSCRIPT_BYTES: usize = 256 << 20;

/// Deploys and calls; false when a call did not return.
pub fn run(args: &RunArgs, json: bool) -> Result<bool, CliError> {
    if args.calls.is_empty() {
        if args.transcript.is_some() {
            return Err(CliError::NoCall("trace"));
        }
        if args.query {
            return Err(CliError::NoCall("query"));
        }
    }
    if let Some(path) = &args.transcript {
        check_writable(path, &args.inputs())?;
    }
    let mut world = World::new(args)?;
    let abi = world.abi.as_ref();
    if !json {
        output::deployment_text(world.contract, world.deployed.as_ref(), abi);
    }
    let mut receipts = Vec::new();
    let last = world.calls.len();
    let mut success = true;
    for (n, request) in world.calls.iter().enumerate() {
        let (call, is_last) = (&request.call, n + 1 == last);
        let mut place = FailurePlace::new();
        if let (true, Some(path)) = (is_last, &args.transcript) {
            let (_, transcript) =
                on!(&world.chain, host => world.vm.trace(host.as_ref(), call, TRANSCRIPT_BYTES))?;
            write(path, &transcript.to_file())?;
            take_log(&mut world.chain); // the same lines come once more
        }
        let receipt = if is_last && args.query {
            on!(&world.chain, host => world.vm.query(host.as_ref(), call))?
        } else {
            let inspector = &mut place;
            on!(&mut world.chain, host => world.vm.call_inspected(host.as_mut(), call, inspector))?
        };
        success &= receipt.status.is_success();
        let function = request.function.as_ref();
        let log = take_log(&mut world.chain);
        let at = world.places(&place)?;
        if json {
            let mut value = output::receipt_json(&receipt, function, world.abi.as_ref());
            if let Some(object) = value.as_object_mut() {
                object.insert("call".to_owned(), json!(request.text));
                object.insert("log".to_owned(), output::log_json(&log));
                object.insert("at".to_owned(), json!(at));
            }
            receipts.push(value);
        } else {
            println!("\ncall      {}", Printable(&request.text));
            output::receipt_text(&receipt, function, world.abi.as_ref());
            output::log_text(&log);
            for line in at {
                println!("at        {line}");
            }
        }
    }
    if json {
        output::print(&json!({
            "contract": world.contract.to_string(),
            "deployment": output::deployment_json(world.deployed.as_ref(), world.abi.as_ref()),
            "calls": receipts,
        }));
    }
    Ok(success)
}

/// Estimates the last call after running the others.
pub fn estimate(args: &RunArgs, json: bool) -> Result<bool, CliError> {
    let mut world = World::new(args)?;
    let Some((request, before)) = world.calls.split_last() else {
        return Err(CliError::NoCall("estimate"));
    };
    for earlier in before {
        on!(&mut world.chain, host => world.vm.call(host.as_mut(), &earlier.call))?;
    }
    let estimate = on!(&world.chain, host => world.vm.estimate(host.as_ref(), &request.call))?;
    let (receipt, function) = (&estimate.receipt, request.function.as_ref());
    if json {
        output::print(&json!({
            "gas_limit": estimate.gas_limit,
            "result": output::receipt_json(receipt, function, world.abi.as_ref()),
        }));
    } else {
        println!("gas limit {}", estimate.gas_limit);
        output::receipt_text(receipt, function, world.abi.as_ref());
    }
    Ok(receipt.status.is_success())
}
