//! `aivm model quantize`.

use std::io::IsTerminal;
use std::path::Path;

use aivm_abi::Printable;
use aivm_nn::quantize::{BoundaryTensor, Outcome, QuantizeOptions, Quantized};
use aivm_nn::{ModelLimits, Profile};
use serde_json::{Value, json};

use super::args::QuantizeArgs;
use super::error::ModelCliError;
use super::{inputs, load};
use crate::error::CliError;
use crate::output;
use crate::world::{check_no_input, read, write};

/// Quantises a model and says what became of each operator.
pub fn quantize(args: &QuantizeArgs, json: bool) -> Result<bool, CliError> {
    let path = &args.file.model;
    check_no_input(&args.output, &[path])?;
    let mut options = QuantizeOptions::default();
    options.limits = ModelLimits::default();
    options.bindings = load::bindings(&args.file)?;
    options.float_boundary = args.float_io;
    for text in &args.ranges {
        let (name, range) = parse_range(text)?;
        options.ranges.insert(name.to_owned(), range);
    }
    let model = load::model_with(path, &options.bindings)?;
    let samples = inputs::many(&model, &args.inputs)?;
    if std::io::stderr().is_terminal() && !json {
        eprintln!("running {} calibration inputs", samples.len());
    }
    let onnx = read(path)?;
    let quantized = aivm_nn::quantize::quantize(&onnx, &samples, &options).map_err(|source| {
        ModelCliError::Quantize {
            path: path.clone(),
            source: Box::new(source),
        }
    })?;
    write(&args.output, &quantized.onnx)?;
    match json {
        true => output::print(&as_json(
            &quantized,
            onnx.len(),
            samples.len(),
            &args.output,
        )),
        false => print(&quantized, onnx.len(), samples.len(), &args.output),
    }
    Ok(true)
}

fn parse_range(text: &str) -> Result<(&str, (f32, f32)), CliError> {
    let form = "TENSOR=LOW,HIGH";
    let (name, range) = load::pair("range", form, text)?;
    let bad = || load::binding("range", form, text);
    let (low, high) = range.split_once(',').ok_or_else(bad)?;
    let number = |text: &str| text.trim().parse::<f32>().map_err(|_| bad());
    Ok((name, (number(low)?, number(high)?)))
}

fn outcome(outcome: &Outcome) -> (&'static str, Option<String>) {
    match outcome {
        Outcome::Quantized => ("integer", None),
        Outcome::Folded(into) => ("folded", Some(into.clone())),
        Outcome::Float(reason) => ("f32", Some(reason.to_string())),
        _ => ("unchanged", None),
    }
}

fn profile(quantized: &Quantized) -> &'static str {
    match quantized.profile {
        Profile::Integer => "integer",
        _ => "strict-f32",
    }
}

fn as_json(quantized: &Quantized, before: usize, samples: usize, path: &Path) -> Value {
    let border = |list: &[BoundaryTensor]| -> Value {
        let items = list.iter().map(|b| {
            json!({ "name": b.name, "type": "u8", "scale": b.scale, "zero_point": b.zero_point })
        });
        items.collect()
    };
    json!({
        "model": path.display().to_string(),
        "hash": hex::encode(quantized.model.hash()),
        "profile": profile(quantized),
        "calibration_inputs": samples,
        "bytes": { "before": before, "after": quantized.onnx.len() },
        "weight_bytes": { "before": quantized.weight_bytes.0, "after": quantized.weight_bytes.1 },
        "inputs": border(&quantized.inputs),
        "outputs": border(&quantized.outputs),
        "operators": quantized.operators.iter().map(|operator| {
            let (kind, why) = outcome(&operator.outcome);
            let mut entry = json!({ "node": operator.node, "operator": operator.operator, "computed": kind });
            match (&operator.outcome, why) {
                (Outcome::Folded(_), Some(into)) => entry["into"] = into.into(),
                (_, Some(reason)) => entry["reason"] = reason.into(),
                _ => {}
            }
            entry
        }).collect::<Value>(),
        "largest_differences": quantized.differences.iter().map(|d| json!({
            "output": d.name,
            "largest": d.largest,
            "range": [d.range.0, d.range.1],
        })).collect::<Value>(),
    })
}

fn print(quantized: &Quantized, before: usize, samples: usize, path: &Path) {
    println!(
        "{}: {} bytes, {:.0} % of {before}; weights {} bytes of {}",
        path.display(),
        quantized.onnx.len(),
        100.0 * quantized.onnx.len() as f64 / before.max(1) as f64,
        quantized.weight_bytes.1,
        quantized.weight_bytes.0,
    );
    println!("hash     {}", hex::encode(quantized.model.hash()));
    println!("profile  {}", profile(quantized));
    for (what, list) in [("input", &quantized.inputs), ("output", &quantized.outputs)] {
        for b in list.iter() {
            println!(
                "{what} {}: u8, real = {} * (byte - {})",
                Printable(&b.name),
                b.scale,
                b.zero_point
            );
        }
    }
    println!("operators");
    for operator in &quantized.operators {
        let (kind, why) = outcome(&operator.outcome);
        let why = match (&operator.outcome, why) {
            (Outcome::Folded(_), Some(into)) => format!(" into {into}"),
            (_, Some(reason)) => format!(": {reason}"),
            _ => String::new(),
        };
        let what = format!("{} {}{why}", operator.operator, operator.node);
        println!("  {kind:<9} {}", Printable(&what));
    }
    println!("largest difference on {samples} calibration inputs");
    for d in &quantized.differences {
        println!(
            "  {}: {} (it ranged from {} to {})",
            Printable(&d.name),
            d.largest,
            d.range.0,
            d.range.1
        );
    }
    if quantized.profile != Profile::Integer {
        println!("what is in f32 runs on processors only; the rest on every backend");
    }
}
