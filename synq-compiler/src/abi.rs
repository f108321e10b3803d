//! The Solidity ABI of a contract, as JSON.

use serde_json::{Value, json};

use crate::ir::{Contract, Entry, EventParam, Type, World};
use crate::sema::symbols::Symbols;
use crate::syntax::ast;

/// One input or output.
fn param(world: &World, name: &str, ty: &Type) -> Value {
    let mut out = json!({
        "name": name,
        "type": type_name(world, ty),
        "internalType": internal(world, ty),
    });
    if let Some(components) = components(world, ty) {
        out["components"] = components;
    }
    out
}

/// Tuples are spelled `tuple` with components.
fn type_name(world: &World, ty: &Type) -> String {
    match ty {
        Type::Struct(_) => "tuple".into(),
        Type::Array(element, n) => format!("{}[{n}]", type_name(world, element)),
        Type::List(element) => format!("{}[]", type_name(world, element)),
        _ => world.abi_name(ty).unwrap_or_default(),
    }
}

fn internal(world: &World, ty: &Type) -> String {
    match ty {
        Type::Struct(_) => format!("struct {}", world.name(ty)),
        Type::Enum(_) => format!("enum {}", world.name(ty)),
        Type::Contract(_) => format!("contract {}", world.name(ty)),
        Type::Array(element, n) => format!("{}[{n}]", internal(world, element)),
        Type::List(element) => format!("{}[]", internal(world, element)),
        _ => type_name(world, ty),
    }
}

fn components(world: &World, ty: &Type) -> Option<Value> {
    match ty {
        Type::Array(element, _) | Type::List(element) => components(world, element),
        Type::Struct(id) => Some(
            world
                .structs
                .get(*id)?
                .fields
                .iter()
                .map(|(name, ty)| param(world, name, ty))
                .collect(),
        ),
        _ => None,
    }
}

fn params<'a>(world: &World, types: impl Iterator<Item = &'a Type>, names: &[String]) -> Value {
    types
        .enumerate()
        .map(|(i, ty)| param(world, names.get(i).map_or("", String::as_str), ty))
        .collect()
}

fn event_params(world: &World, list: &[EventParam], event: bool) -> Value {
    list.iter()
        .map(|p| {
            let mut out = param(world, &p.name, &p.ty);
            if event {
                out["indexed"] = json!(p.indexed);
            }
            out
        })
        .collect()
}

/// `@gas_cost(…)` and `@gas_limit(…)` of a function, as numbers by name.
fn gas(item: &ast::Item) -> Option<Value> {
    let mut out = serde_json::Map::new();
    for annotation in &item.annotations {
        if !matches!(annotation.name.name.as_str(), "gas_cost" | "gas_limit") {
            continue;
        }
        for arg in annotation.args.iter().flatten() {
            let name = match (&arg.name, annotation.name.name.as_str()) {
                (_, "gas_limit") => "limit",
                (Some(name), _) => name.name.as_str(),
                (None, _) => "base",
            };
            if let ast::ExprKind::Number(text) = &arg.value.kind {
                let digits: String = text.chars().filter(|c| *c != '_').collect();
                out.insert(name.to_owned(), json!(digits.parse::<u64>().ok()));
            }
        }
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

/// The ABI of a contract: constructor, functions, events, errors.
pub(crate) fn json(symbols: &Symbols<'_>, index: usize, ir: &Contract) -> Value {
    let world = &symbols.world;
    let mut out: Vec<Value> = Vec::new();
    if let Some((number, names)) = &ir.constructor
        && let Some(function) = ir.functions.get(*number)
    {
        let types = function.locals.iter().take(function.params).map(|l| &l.ty);
        let payable = function.effects.value || ir.payable_constructor;
        out.push(json!({
            "type": "constructor",
            "inputs": params(world, types, names),
            "stateMutability": if payable { "payable" } else { "nonpayable" },
        }));
    }
    let mut entries: Vec<&Entry> = ir.entries.iter().filter(|e| !e.hidden).collect();
    entries.sort_by(|a, b| (&a.name, a.selector).cmp(&(&b.name, b.selector)));
    for entry in entries {
        let Some(function) = ir.functions.get(entry.function) else {
            continue;
        };
        let types = function.locals.iter().take(function.params).map(|l| &l.ty);
        let effects = function.effects;
        let mutability = if entry.payable {
            "payable"
        } else if effects.writes {
            "nonpayable"
        } else if effects.reads {
            "view"
        } else {
            "pure"
        };
        let mut value = json!({
            "type": "function",
            "name": entry.name,
            "inputs": params(world, types, &entry.param_names),
            "outputs": params(world, function.returns.iter(), &entry.return_names),
            "stateMutability": mutability,
        });
        let declared = symbols
            .contracts
            .get(index)
            .and_then(|c| c.functions.get(entry.function));
        if let Some(declared) = declared {
            if let Some(gas) = gas(declared.item) {
                value["gas"] = gas;
            }
            if !declared.item.docs.is_empty() {
                value["notice"] = json!(declared.item.docs.join("\n"));
            }
        }
        out.push(value);
    }
    let mut events: Vec<_> = ir.events.iter().collect();
    events.sort_by(|a, b| (&a.name, a.hash).cmp(&(&b.name, b.hash)));
    for event in events {
        out.push(json!({
            "type": "event",
            "name": event.name,
            "inputs": event_params(world, &event.params, true),
            "anonymous": false,
        }));
    }
    let mut errors: Vec<_> = ir.errors.iter().collect();
    errors.sort_by(|a, b| (&a.name, a.hash).cmp(&(&b.name, b.hash)));
    for error in errors {
        out.push(json!({
            "type": "error",
            "name": error.name,
            "inputs": event_params(world, &error.params, false),
        }));
    }
    Value::Array(out)
}
