//! `aivm run` and `aivm estimate`.

use aivm::inspect::FailurePlace;
use serde_json::json;

use crate::args::RunArgs;
use crate::error::CliError;
use crate::output;
use crate::world::{World, on, write};

/// Bytes of transcript frames to keep.
const TRANSCRIPT_BYTES: usize = 256 << 20;

/// Deploys and calls; false when a call did not return.
pub fn run(args: &RunArgs, json: bool) -> Result<bool, CliError> {
    let mut world = World::new(args)?;
    if !json {
        match &world.deployed {
            Some(receipt) => {
                println!("contract  {}", world.contract);
                output::deployment_text(receipt, world.abi.as_ref());
            }
            None => println!("contract  {}, which was there already", world.contract),
        }
    }
    let mut receipts = Vec::new();
    let last = world.calls.len();
    let mut success = true;
    for (n, (call, encoded)) in world.calls.iter().enumerate() {
        let is_last = n + 1 == last;
        let mut place = FailurePlace::new();
        if let (true, Some(path)) = (is_last, &args.transcript) {
            let (_, transcript) =
                on!(&world.chain, host => world.vm.trace(host.as_ref(), call, TRANSCRIPT_BYTES))?;
            write(path, &transcript.to_file())?;
        }
        let receipt = if is_last && args.query {
            on!(&world.chain, host => world.vm.query(host.as_ref(), call))?
        } else {
            let inspector = &mut place;
            on!(&mut world.chain, host => world.vm.call_inspected(host.as_mut(), call, inspector))?
        };
        success &= receipt.status.is_success();
        let function = encoded.function.as_ref();
        let at = world.places(&place)?;
        if json {
            let mut value = output::receipt_json(&receipt, function, world.abi.as_ref());
            if let Some(object) = value.as_object_mut() {
                object.insert("at".to_owned(), json!(at));
            }
            receipts.push(value);
        } else {
            println!();
            output::receipt_text(&receipt, function, world.abi.as_ref());
            for line in at {
                println!("at        {line}");
            }
        }
    }
    if json {
        output::print(&json!({
            "contract": world.contract.to_string(),
            "deployment": world
                .deployed
                .as_ref()
                .map(|receipt| output::receipt_json(receipt, None, world.abi.as_ref())),
            "calls": receipts,
        }));
    }
    Ok(success)
}

/// Estimates the last call after running the others.
pub fn estimate(args: &RunArgs, json: bool) -> Result<bool, CliError> {
    let mut world = World::new(args)?;
    let Some(((call, encoded), before)) = world.calls.split_last() else {
        return Err(CliError::NoCall("estimate"));
    };
    for (call, _) in before {
        on!(&mut world.chain, host => world.vm.call(host.as_mut(), call))?;
    }
    let estimate = on!(&world.chain, host => world.vm.estimate(host.as_ref(), call))?;
    let (receipt, function) = (&estimate.receipt, encoded.function.as_ref());
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
