//! `aivm model inspect` and `aivm model quote`.

use aivm_abi::Printable;
use aivm_gas::GasSchedule;
use aivm_nn::{Counts, Graph, Model, ModelError, Quote, Refusal, ValueId};
use serde_json::{Value, json};

use super::args::{FileArgs, QuoteArgs};
use super::error::ModelCliError;
use super::load;
use crate::error::CliError;
use crate::output;
use crate::world::read;

/// Shows a model; false for one that is refused.
pub fn inspect(args: &FileArgs, json: bool) -> Result<bool, CliError> {
    let model = match load::try_model(&args.model, &load::bindings(args)?)? {
        Ok(model) => model,
        Err(ModelError::Nodes(refusals)) => {
            refused(&refusals, json);
            return Ok(false);
        }
        Err(source) => {
            return Err(ModelCliError::Model {
                path: args.model.clone(),
                source: Box::new(source),
            }
            .into());
        }
    };
    let quote = model.quote(&GasSchedule::v1().nn);
    let graph = model.graph();
    if json {
        let operations: Vec<Value> = graph
            .nodes()
            .iter()
            .zip(&quote.per_op)
            .enumerate()
            .map(|(index, (node, cost))| {
                json!({
                    "index": index,
                    "operation": cost.op,
                    "node": cost.node,
                    "inputs": node.inputs.iter().map(|id| id.map(|id| value(graph, id))).collect::<Vec<_>>(),
                    "outputs": node.outputs.iter().map(|id| value(graph, *id)).collect::<Vec<_>>(),
                    "milligas": cost.milligas,
                    "counts": counts(&cost.counts),
                })
            })
            .collect();
        let mut all = summary(&model, &quote);
        all["accepted"] = true.into();
        all["operations"] = operations.into();
        output::print(&all);
        return Ok(true);
    }
    head(&model, &quote);
    println!("\n   # operation         result                   milligas  node");
    for (index, (node, cost)) in graph.nodes().iter().zip(&quote.per_op).enumerate() {
        let results: Vec<String> = node.outputs.iter().map(|id| value(graph, *id)).collect();
        println!(
            "{index:>4} {:<17} {:<24} {:>8}  {}",
            cost.op,
            results.join(" "),
            cost.milligas,
            Printable(&cost.node)
        );
    }
    Ok(true)
}

fn refused(refusals: &[Refusal], json: bool) {
    if json {
        let list: Vec<Value> = refusals
            .iter()
            .map(|refusal| {
                json!({
                    "node": refusal.node,
                    "operator": refusal.operator,
                    "reason": refusal.reason.to_string(),
                })
            })
            .collect();
        output::print(&json!({ "accepted": false, "refused": list }));
        return;
    }
    println!("refused: {} nodes cannot be accepted", refusals.len());
    for refusal in refusals {
        println!("  {}", Printable(&refusal.to_string()));
    }
    println!("what depends on them was not looked at");
}

/// Element type and shape of a value, and whether it is a constant.
fn value(graph: &Graph, id: ValueId) -> String {
    let info = graph.info(id);
    let constant = match graph.constant(id) {
        Some(_) => "const ",
        None => "",
    };
    format!("{constant}{}{:?}", info.ty, info.shape)
}

fn counts(counts: &Counts) -> Value {
    json!({
        "mac_int8": counts.mac_int8,
        "idle_int8": counts.idle_int8,
        "idle_f32": counts.idle_f32,
        "mac_f32": counts.mac_f32,
        "element_int": counts.element_int,
        "requantize": counts.requantize,
        "element_f32": counts.element_f32,
        "divide_f32": counts.divide_f32,
        "transcendental_f32": counts.transcendental_f32,
        "moved": counts.moved,
        "memory": counts.memory,
    })
}

fn summary(model: &Model, quote: &Quote) -> Value {
    let ports = |infos: &[aivm_nn::TensorInfo]| -> Value {
        infos
            .iter()
            .map(|i| json!({ "name": i.name, "type": i.ty.to_string(), "shape": i.shape }))
            .collect()
    };
    json!({
        "hash": hex::encode(model.hash()),
        "profile": quote.profile.to_string(),
        "inputs": ports(model.inputs()),
        "outputs": ports(model.outputs()),
        "gas": quote.gas,
        "macs": quote.macs,
        "memory": quote.memory,
        "weights": model.weight_bytes(),
    })
}

fn head(model: &Model, quote: &Quote) {
    println!("model    {}", hex::encode(model.hash()));
    println!("profile  {}", quote.profile);
    for (what, infos) in [("input", model.inputs()), ("output", model.outputs())] {
        for info in infos {
            let name = Printable(&info.name);
            println!("{what:<8} {name}: {}{:?}", info.ty, info.shape);
        }
    }
    println!("gas      {} for an inference", quote.gas);
    println!("macs     {}", quote.macs);
    println!(
        "memory   {} bytes at most, {} of them weights",
        quote.memory,
        model.weight_bytes()
    );
}

/// Shows what an inference costs, by kind of operation.
pub fn quote(args: &QuoteArgs, json: bool) -> Result<bool, CliError> {
    let schedule = match &args.schedule {
        None => GasSchedule::v1(),
        Some(path) => {
            let text = read(path)?;
            GasSchedule::from_genesis_json(&String::from_utf8_lossy(&text)).map_err(|error| {
                ModelCliError::Schedule {
                    path: path.clone(),
                    reason: error.to_string(),
                }
            })?
        }
    };
    let model = load::model(&args.file)?;
    let quote = model.quote(&schedule.nn);
    let mut kinds: Vec<(&str, u64, u64, u64)> = Vec::new();
    for cost in &quote.per_op {
        match kinds.iter_mut().find(|kind| kind.0 == cost.op) {
            Some((_, count, milligas, macs)) => {
                *count += 1;
                *milligas = milligas.saturating_add(cost.milligas);
                *macs = macs.saturating_add(cost.counts.macs());
            }
            None => kinds.push((cost.op, 1, cost.milligas, cost.counts.macs())),
        }
    }
    kinds.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(b.0)));
    if json {
        let list: Vec<Value> = kinds
            .iter()
            .map(|(op, count, milligas, macs)| {
                json!({ "operation": op, "count": count, "milligas": milligas, "macs": macs })
            })
            .collect();
        let mut all = summary(&model, &quote);
        all["schedule"] = hex::encode(schedule.hash()).into();
        all["base"] = schedule.nn.infer_base.into();
        all["border"] = quote.border_milligas.into();
        all["kinds"] = list.into();
        output::print(&all);
        return Ok(true);
    }
    head(&model, &quote);
    println!("\noperation         count      milligas          macs");
    for (op, count, milligas, macs) in kinds {
        println!("{op:<17} {count:>5} {milligas:>13} {macs:>13}");
    }
    println!(
        "{:<17} {:>5} {:>13}",
        "inputs, outputs", "", quote.border_milligas
    );
    println!(
        "{:<17} {:>5} {:>13}",
        "each inference",
        "",
        schedule.nn.infer_base * 1000
    );
    Ok(true)
}
