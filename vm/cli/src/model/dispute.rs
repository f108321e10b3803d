//! `aivm model dispute` and `aivm model verify-tile`.

use std::path::Path;

use aivm_abi::Printable;
use aivm_nn::trace::{Difference, Dispute, Place, TILE, TraceError, TraceFile, recompute};
use aivm_nn::{Bindings, Model};
use serde_json::{Value, json};

use super::args::{DisputeArgs, VerifyTileArgs};
use super::error::ModelCliError;
use super::load;
use crate::error::CliError;
use crate::output;
use crate::world::read;

fn failed(path: &Path) -> impl Fn(TraceError) -> CliError {
    let path = path.to_owned();
    move |source| {
        let path = path.clone();
        ModelCliError::Trace { path, source }.into()
    }
}

/// A trace whose bytes are what its root says.
fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<TraceFile<'a>, CliError> {
    let trace = TraceFile::parse(bytes).map_err(failed(path))?;
    trace.verify().map_err(failed(path))?;
    Ok(trace)
}

/// Compares two traces; false when they differ.
pub fn dispute(args: &DisputeArgs, json: bool) -> Result<bool, CliError> {
    let (bytes_a, bytes_b) = (read(&args.a)?, read(&args.b)?);
    let (a, b) = (parse(&args.a, &bytes_a)?, parse(&args.b, &bytes_b)?);
    let model = match &args.model {
        None => None,
        Some(path) => {
            let bindings = match &args.manifest {
                Some(path) => load::manifest(path)?
                    .to_bindings()
                    .map_err(ModelCliError::About)?,
                None => Bindings::default(),
            };
            let model = load::model_with(path, &bindings)?;
            a.fits(&model).map_err(failed(&args.a))?;
            b.fits(&model).map_err(failed(&args.b))?;
            Some(model)
        }
    };
    let found = match aivm_nn::trace::dispute(&a, &b) {
        Dispute::Equal => {
            if json {
                output::print(&json!({ "equal": true, "root": hex::encode(a.root) }));
            } else {
                println!(
                    "equal: {} tensors, root {}",
                    a.entries().len(),
                    hex::encode(a.root)
                );
            }
            return Ok(true);
        }
        Dispute::Differs(found) => found,
        other => {
            let reason = match other {
                Dispute::Models { a, b } => {
                    format!(
                        "they are of different models, {} and {}",
                        hex::encode(a),
                        hex::encode(b)
                    )
                }
                Dispute::Lengths { a, b } => format!("they have {a} and {b} tensors"),
                _ => "they cannot be compared".to_owned(),
            };
            if json {
                output::print(&json!({ "equal": false, "reason": reason }));
            } else {
                println!("not comparable: {reason}");
            }
            return Ok(false);
        }
    };
    let verdict = match (&model, found.place(), found.tile) {
        (Some(model), Place::Result { node, output }, Some(tile)) => {
            // All that comes before is the same in both.
            let right = recompute(model, &a, node, output, tile.tile).map_err(failed(&args.a))?;
            Some(match (right.bytes == tile.a, right.bytes == tile.b) {
                (true, _) => "a",
                (_, true) => "b",
                _ => "neither",
            })
        }
        _ => None,
    };
    match json {
        true => output::print(&as_json(&found, model.as_ref(), verdict)),
        false => print(&found, model.as_ref(), verdict),
    }
    Ok(false)
}

/// Name of an operation and of its node.
fn operation(model: Option<&Model>, place: Place) -> Option<(&'static str, &str)> {
    let Place::Result { node, .. } = place else {
        return None;
    };
    let node = model?.graph().nodes().get(node as usize)?;
    Some((node.op.name(), &node.name))
}

fn as_json(found: &Difference<'_>, model: Option<&Model>, verdict: Option<&str>) -> Value {
    let (kind, index, output) = match found.place() {
        Place::Input(index) => ("input", index, 0),
        Place::Result { node, output } => ("operation", node, output),
    };
    let named = operation(model, found.place());
    json!({
        "equal": false,
        kind: index,
        "output": output,
        "operation_name": named.map(|n| n.0),
        "node": named.map(|n| n.1),
        "type": [found.a.ty.to_string(), found.b.ty.to_string()],
        "shape": [found.a.shape, found.b.shape],
        "digests": [hex::encode(found.a.digest), hex::encode(found.b.digest)],
        "rounds": found.rounds,
        "tile": found.tile.map(|tile| json!({
            "tile": tile.tile,
            "element": tile.element,
            "a": hex::encode(tile.a),
            "b": hex::encode(tile.b),
            "rounds": tile.rounds,
        })),
        "right": verdict,
    })
}

fn print(found: &Difference<'_>, model: Option<&Model>, verdict: Option<&str>) {
    match (found.place(), operation(model, found.place())) {
        (Place::Input(index), _) => {
            println!("they ran on different inputs: input {index} differs");
        }
        (Place::Result { node, output }, named) => {
            print!("operation {node}, result {output}, differs first");
            match named {
                Some((op, name)) => println!(": {op}, node {}", Printable(name)),
                None => println!(),
            }
        }
    }
    println!(
        "  {}{:?} and {}{:?}",
        found.a.ty, found.a.shape, found.b.ty, found.b.shape
    );
    println!("  {} rounds of a search find it", found.rounds);
    let Some(tile) = found.tile else {
        println!(
            "  its tiles cannot be compared: a file has its digest alone, or the shapes differ"
        );
        return;
    };
    let size = found.a.ty.size();
    let at = (tile.element * size) % TILE;
    let element = |bytes: &[u8]| hex::encode(bytes.get(at..at + size).unwrap_or_default());
    println!(
        "tile {}, element {}: {} and {} (bytes in hexadecimal)",
        tile.tile,
        tile.element,
        element(tile.a),
        element(tile.b)
    );
    println!("  {} rounds more find it", tile.rounds);
    match verdict {
        Some("neither") => println!("recomputed: neither is right"),
        Some(side) => println!("recomputed: {side} is right"),
        None => println!("  give --model to recompute it"),
    }
}

/// Recomputes a tile; false when the trace has another.
pub fn verify_tile(args: &VerifyTileArgs, json: bool) -> Result<bool, CliError> {
    let model = load::model(&args.file)?;
    let bytes = read(&args.trace)?;
    let trace = parse(&args.trace, &bytes)?;
    trace.fits(&model).map_err(failed(&args.trace))?;
    let root = hex::encode(trace.root);
    if let Some(expected) = &args.root
        && !expected
            .trim_start_matches("0x")
            .eq_ignore_ascii_case(&root)
    {
        return Err(ModelCliError::Root {
            path: args.trace.clone(),
            found: root,
            expected: expected.clone(),
        }
        .into());
    }
    let found = recompute(&model, &trace, args.operation, args.output, args.tile)
        .map_err(failed(&args.trace))?;
    let place = Place::Result {
        node: args.operation,
        output: args.output,
    };
    let missing = || failed(&args.trace)(TraceError::Missing("operation"));
    let index = trace.find(place).ok_or_else(missing)?;
    let proof = trace.prove(index, args.tile).map_err(failed(&args.trace))?;
    let right = found.bytes == proof.bytes;
    if json {
        output::print(&json!({
            "right": right,
            "root": root,
            "recomputed": hex::encode(&found.bytes),
            "traced": hex::encode(&proof.bytes),
            "elements_read": found.read,
            "operand_elements": found.operands,
            "proof_hashes": proof.tensor_path.len() + proof.list_path.len(),
        }));
        return Ok(right);
    }
    let name = operation(Some(&model), place).map_or("", |n| n.0);
    let verdict = if right { "right" } else { "WRONG" };
    println!(
        "operation {} ({name}), tile {}: {verdict}",
        args.operation, args.tile
    );
    println!(
        "  from {} elements of operands that have {}; root {root}",
        found.read, found.operands
    );
    if !right {
        let at = found
            .bytes
            .iter()
            .zip(&proof.bytes)
            .position(|(a, b)| a != b);
        println!(
            "  byte {} of the tile is the first that differs",
            at.unwrap_or(0)
        );
    }
    Ok(right)
}
