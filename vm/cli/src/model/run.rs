//! `aivm model run` and `aivm model trace`.

use std::path::Path;
use std::sync::Arc;

use aivm_nn::trace::Tracer;
use aivm_nn::{Backend, Model, Prepared, Tensor, TensorInfo, prepare};
use serde_json::{Value, json};

use super::args::{RunArgs, TraceArgs};
use super::error::ModelCliError;
use super::{load, tensor};
use crate::error::CliError;
use crate::output;
use crate::world::{read, write};

/// Elements of an output that are shown to people.
const SHOWN: usize = 32;

/// Runs a model.
pub fn run(args: &RunArgs, json: bool) -> Result<bool, CliError> {
    let (prepared, inputs) = ready(args)?;
    let outputs = prepared.run(&inputs).map_err(ModelCliError::from)?;
    finish(args, prepared.model(), &outputs, json!({}), json)
}

/// Runs a model and keeps what its operations gave.
pub fn trace(args: &TraceArgs, json: bool) -> Result<bool, CliError> {
    let (prepared, inputs) = ready(&args.run)?;
    let mut tracer = Tracer::new(prepared.model(), &inputs, args.limit);
    let outputs = prepared
        .run_observed(&inputs, &mut tracer)
        .map_err(ModelCliError::from)?;
    write(&args.output, &tracer.to_file())?;
    let root = hex::encode(tracer.root());
    if !json {
        println!("root    {root}");
    }
    let more = json!({ "root": root, "trace": args.output });
    finish(&args.run, prepared.model(), &outputs, more, json)
}

fn ready(args: &RunArgs) -> Result<(Prepared, Vec<Tensor>), CliError> {
    let model = load::model(&args.file)?;
    let inputs = inputs(&model, &args.inputs)?;
    let backend = match args.reference {
        true => Backend::Reference,
        false => Backend::default(),
    };
    let prepared = prepare(Arc::new(model), backend).map_err(ModelCliError::from)?;
    Ok((prepared, inputs))
}

fn names(infos: &[TensorInfo]) -> String {
    let names = infos
        .iter()
        .map(|info| format!("{}: {}{:?}", info.name, info.ty, info.shape));
    names.collect::<Vec<_>>().join(", ")
}

/// The model's inputs from the flags.
fn inputs(model: &Model, given: &[String]) -> Result<Vec<Tensor>, CliError> {
    let infos = model.inputs();
    let mut tensors: Vec<Option<Tensor>> = vec![None; infos.len()];
    let count = |found| ModelCliError::Inputs {
        expected: infos.len(),
        names: names(infos),
        found,
    };
    for (position, text) in given.iter().enumerate() {
        // A JSON list may hold an equals sign in no place, and a file's name rarely does.
        let named = text.split_once('=').filter(|_| !Path::new(text).exists());
        let (index, what) = match named {
            Some((name, what)) => {
                let index = infos.iter().position(|info| info.name == name);
                let index = index.ok_or_else(|| ModelCliError::NoInput {
                    name: name.to_owned(),
                    names: names(infos),
                })?;
                (index, what)
            }
            None => (position, text.as_str()),
        };
        let info = infos.get(index).ok_or_else(|| count(given.len()))?;
        let tensor = input(what, info)?;
        if tensors[index].replace(tensor).is_some() {
            return Err(ModelCliError::Twice(info.name.clone()).into());
        }
    }
    let found = tensors.iter().flatten().count();
    let tensors: Option<Vec<Tensor>> = tensors.into_iter().collect();
    Ok(tensors.ok_or_else(|| count(found))?)
}

fn input(what: &str, info: &TensorInfo) -> Result<Tensor, CliError> {
    let bad = |reason: String| ModelCliError::Tensor {
        what: what.to_owned(),
        reason,
    };
    if what.trim_start().starts_with('[') {
        return Ok(tensor::from_json(what.as_bytes(), info).map_err(bad)?);
    }
    let bytes = read(Path::new(what))?;
    let tensor = if what.ends_with(".npy") {
        tensor::from_npy(&bytes).map_err(bad)?
    } else if what.ends_with(".json") {
        tensor::from_json(&bytes, info).map_err(bad)?
    } else {
        Tensor::new(info.ty, info.shape.clone(), bytes).map_err(|error| bad(error.to_string()))?
    };
    if tensor.ty != info.ty || tensor.shape != info.shape {
        return Err(bad(format!(
            "it is {}{:?}, but input `{}` is {}{:?}",
            tensor.ty, tensor.shape, info.name, info.ty, info.shape
        ))
        .into());
    }
    Ok(tensor)
}

fn finish(
    args: &RunArgs,
    model: &Model,
    outputs: &[Tensor],
    mut more: Value,
    json: bool,
) -> Result<bool, CliError> {
    let named = || model.outputs().iter().zip(outputs);
    if let Some(folder) = &args.outputs {
        std::fs::create_dir_all(folder).map_err(|source| CliError::File {
            path: folder.clone(),
            source,
        })?;
        for (index, (info, output)) in named().enumerate() {
            // A name from the file may be anything: only what is harmless in a path is kept.
            let name: String = info
                .name
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c))
                .collect();
            let name = match name.is_empty() {
                true => format!("output_{index}"),
                false => name,
            };
            write(&folder.join(format!("{name}.npy")), &tensor::to_npy(output))?;
        }
    }
    if json {
        let list: Vec<Value> = named()
            .map(|(info, output)| {
                json!({
                    "name": info.name,
                    "type": output.ty.to_string(),
                    "shape": output.shape,
                    "data": tensor::to_json(output),
                })
            })
            .collect();
        more["outputs"] = list.into();
        output::print(&more);
    } else {
        for (info, output) in named() {
            println!(
                "{}: {}{:?}\n  {}",
                info.name,
                output.ty,
                output.shape,
                tensor::text(output, SHOWN)
            );
        }
    }
    Ok(true)
}
