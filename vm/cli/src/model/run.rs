//! `aivm model run` and `aivm model trace`.

use std::path::Path;
use std::sync::Arc;

use aivm_nn::trace::Tracer;
use aivm_nn::{Backend, Model, Prepared, Tensor, prepare};
use serde_json::{Value, json};

use super::args::{RunArgs, TraceArgs};
use super::error::ModelCliError;
use super::{inputs, load, tensor};
use crate::error::CliError;
use crate::output;
use crate::world::write;

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
    let inputs = inputs::one(&model, &args.inputs)?;
    let backend = match args.reference {
        true => Backend::Reference,
        false => Backend::default(),
    };
    let prepared = prepare(Arc::new(model), backend).map_err(ModelCliError::from)?;
    Ok((prepared, inputs))
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
