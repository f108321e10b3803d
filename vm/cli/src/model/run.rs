//! `aivm model run` and `aivm model trace`.

use std::sync::Arc;

use aivm_abi::Printable;
use aivm_nn::trace::Tracer;
use aivm_nn::{Backend, Model, Prepared, Tensor, prepare, prepare_on_gpu};
use serde_json::{Value, json};

use super::args::{BackendArg, RunArgs, TraceArgs};
use super::error::ModelCliError;
use super::{inputs, load, tensor};
use crate::error::CliError;
use crate::output;
use crate::world::{check_no_input, write};

/// Elements of an output that are shown to people.
const SHOWN: usize = 32;

/// Runs a model.
pub fn run(args: &RunArgs, json: bool) -> Result<bool, CliError> {
    let (prepared, inputs) = ready(args)?;
    let outputs = prepared.run(&inputs).map_err(ModelCliError::from)?;
    let placements = prepared.placements();
    let on_gpu = placements.iter().filter(|p| p.on_gpu).count();
    let gpu = !matches!(args.backend, BackendArg::Cpu | BackendArg::Reference);
    if gpu && !json {
        println!("{on_gpu} of {} operations ran on the GPU", placements.len());
    }
    let more = match gpu {
        true => json!({ "operations": placements.len(), "operations_on_gpu": on_gpu }),
        false => json!({}),
    };
    finish(args, prepared.model(), &outputs, more, json)
}

/// Runs a model and keeps what its operations gave.
pub fn trace(args: &TraceArgs, json: bool) -> Result<bool, CliError> {
    check_no_input(&args.output, &[&args.run.file.model])?;
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
    let more = json!({ "root": root, "trace": args.output.display().to_string() });
    finish(&args.run, prepared.model(), &outputs, more, json)
}

fn ready(args: &RunArgs) -> Result<(Prepared, Vec<Tensor>), CliError> {
    let model = load::model(&args.file)?;
    let inputs = inputs::one(&model, &args.inputs)?;
    let model = Arc::new(model);
    let prepared = match args.backend {
        BackendArg::Reference => prepare(model, Backend::Reference),
        BackendArg::Cpu if args.reference => prepare(model, Backend::Reference),
        BackendArg::Cpu => prepare(model, Backend::default()),
        BackendArg::Vulkan => prepare_on_gpu(model, "vulkan"),
        BackendArg::Gl => prepare_on_gpu(model, "gl"),
        BackendArg::Metal => prepare_on_gpu(model, "metal"),
        BackendArg::Dx12 => prepare_on_gpu(model, "dx12"),
    };
    Ok((prepared.map_err(ModelCliError::from)?, inputs))
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
                Printable(&info.name),
                output.ty,
                output.shape,
                tensor::text(output, SHOWN)
            );
        }
    }
    Ok(true)
}
