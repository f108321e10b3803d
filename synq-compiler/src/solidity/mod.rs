//! The Solidity twin: a checked contract as Solidity 0.8 text with the same ABI.
//!
//! What the EVM does not have is reached through precompiles at fixed addresses, whose
//! interfaces stand at the head of the text (see [`preamble`]). Compile it with
//! `--via-ir --optimize`: functions keep as many locals as in the source.

mod blocks;
mod expressions;
mod helpers;
mod names;
mod places;
mod preamble;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use names::identifier;

use crate::ir::{Contract, Effects, Entry, Event, Function, Kind, Local, Stmt, Type, World};
use crate::source::Span;

/// What the twin cannot express, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsupported {
    pub span: Span,
    pub what: &'static str,
}

/// Writes a contract. `variables` names the state variables by slot.
pub(crate) fn emit(
    world: &World,
    contract: &Contract,
    variables: &BTreeMap<u64, (String, Type)>,
) -> Result<String, Unsupported> {
    let mut emitter = Emitter {
        world,
        contract,
        variables,
        helpers: BTreeMap::new(),
        blocks: Vec::new(),
        types: BTreeSet::new(),
        unsupported: None,
        frame: statements::Frame::default(),
    };
    let text = emitter.whole();
    match emitter.unsupported {
        Some(what) => Err(what),
        None => Ok(text),
    }
}

struct Emitter<'a> {
    world: &'a World,
    contract: &'a Contract,
    variables: &'a BTreeMap<u64, (String, Type)>,
    /// Text of helper functions, by name.
    helpers: BTreeMap<String, String>,
    /// `require_pqc` blocks that run in a call of their own.
    blocks: Vec<blocks::Block>,
    /// Structures and enumerations that are mentioned.
    types: BTreeSet<Type>,
    unsupported: Option<Unsupported>,
    frame: statements::Frame,
}

/// The word for what a function touches.
fn mutability(effects: Effects, payable: bool) -> &'static str {
    if payable {
        " payable"
    } else if effects.writes {
        ""
    } else if effects.reads || effects.value {
        " view"
    } else {
        " pure"
    }
}

impl Emitter<'_> {
    fn refuse(&mut self, span: Span, what: &'static str) {
        self.unsupported.get_or_insert(Unsupported { span, what });
    }

    fn whole(&mut self) -> String {
        let mut body = String::new();
        for (slot, (name, ty)) in self.variables {
            let ty = self.ty(ty);
            let _ = writeln!(body, "    {ty} internal {};", state_name(*slot, name));
        }
        body.push('\n');
        let contract = self.contract;
        for event in &contract.events {
            let params = self.event_params(event, true);
            let _ = writeln!(body, "    event {}({params});", identifier(&event.name));
        }
        for error in &contract.errors {
            let params = self.event_params(error, false);
            let _ = writeln!(body, "    error {}({params});", identifier(&error.name));
        }
        let mut functions = String::new();
        for (index, function) in contract.functions.iter().enumerate() {
            // A block under a gas limit stands where it is used.
            if function.outlined.is_none() {
                self.function(index, function, &mut functions);
            }
        }
        self.constructor(&mut body);
        for entry in contract.entries.iter().filter(|e| !e.hidden) {
            self.entry(entry, &mut body);
        }
        body.push_str(&functions);
        self.block_dispatch();
        for text in std::mem::take(&mut self.helpers).into_values() {
            body.push('\n');
            body.push_str(&text);
        }
        let mut out = preamble::head(&self.contract.name);
        self.definitions(&mut out);
        let _ = writeln!(out, "contract {} {{", identifier(&self.contract.name));
        out.push_str(body.trim_start_matches('\n'));
        out.push_str("}\n");
        out
    }

    /// Structures and enumerations, with those that their fields mention.
    fn definitions(&mut self, out: &mut String) {
        let mut done = BTreeSet::new();
        loop {
            let Some(ty) = self.types.iter().find(|t| !done.contains(*t)).cloned() else {
                return;
            };
            done.insert(ty.clone());
            let name = self.ty(&ty);
            match ty {
                Type::Struct(id) => {
                    let fields = self.world.structs.get(id).map(|s| s.fields.clone());
                    let _ = writeln!(out, "struct {name} {{");
                    for (field, ty) in fields.unwrap_or_default() {
                        let ty = self.ty(&ty);
                        let _ = writeln!(out, "    {ty} {};", identifier(&field));
                    }
                    out.push_str("}\n\n");
                }
                Type::Enum(id) => {
                    let members = self.world.enums.get(id).map(|e| e.members.clone());
                    let members: Vec<_> = members
                        .unwrap_or_default()
                        .iter()
                        .map(|m| identifier(m))
                        .collect();
                    let _ = writeln!(out, "enum {name} {{ {} }}\n", members.join(", "));
                }
                _ => {}
            }
        }
    }

    fn event_params(&mut self, event: &Event, is_event: bool) -> String {
        let list: Vec<String> = event
            .params
            .iter()
            .map(|p| {
                let ty = self.ty(&p.ty);
                let indexed = if is_event && p.indexed {
                    " indexed"
                } else {
                    ""
                };
                format!("{ty}{indexed} {}", identifier(&p.name))
                    .trim_end()
                    .to_owned()
            })
            .collect();
        list.join(", ")
    }

    fn constructor(&mut self, out: &mut String) {
        let mut params = String::new();
        let mut calls = String::new();
        if let Some(initializer) = self.contract.initializer {
            let _ = writeln!(calls, "        {}();", self.function_name(initializer));
        }
        let mut payable = false;
        if let Some((index, names)) = &self.contract.constructor
            && let Some(function) = self.contract.functions.get(*index)
        {
            let (list, args) = self.entry_params(function, names);
            params = list;
            payable = self.contract.payable_constructor || function.effects.value;
            let _ = writeln!(calls, "        {}({args});", self.function_name(*index));
        }
        if !calls.is_empty() {
            let word = if payable { " payable" } else { "" };
            let _ = write!(out, "\n    constructor({params}){word} {{\n{calls}    }}\n");
        }
    }

    /// Parameters with their names in the ABI, and the same as arguments.
    fn entry_params(&mut self, function: &Function, names: &[String]) -> (String, String) {
        let mut params = Vec::new();
        let mut args = Vec::new();
        for (i, local) in function.locals.iter().take(function.params).enumerate() {
            let ty = self.located(&local.ty, false);
            let name = names.get(i).filter(|n| !n.is_empty());
            // Without a name in the ABI it still needs one here; solc has no other way to read it.
            let name = name.map_or(format!("arg{i}"), |n| identifier(n));
            params.push(format!("{ty} {name}"));
            args.push(name);
        }
        (params.join(", "), args.join(", "))
    }

    fn entry(&mut self, entry: &Entry, out: &mut String) {
        let Some(function) = self.contract.functions.get(entry.function) else {
            return;
        };
        let unnamed = entry.param_names.iter().any(String::is_empty);
        let (mut params, mut args) = self.entry_params(function, &entry.param_names);
        let mut open = self.carried(entry).to_owned();
        if unnamed {
            // Parameters without a name are read from the call data, so that the ABI has none.
            let locals: Vec<&Local> = function.locals.iter().take(function.params).collect();
            let types: Vec<String> = locals.iter().map(|l| self.located(&l.ty, false)).collect();
            let bare: Vec<String> = locals.iter().map(|l| self.ty(&l.ty)).collect();
            let list: Vec<String> = types
                .iter()
                .enumerate()
                .map(|(i, t)| format!("{t} arg{i}"))
                .collect();
            let _ = writeln!(
                open,
                "        ({}) = abi.decode(msg.data[4:], ({}));",
                list.join(", "),
                bare.join(", ")
            );
            let list: Vec<String> = types
                .iter()
                .zip(&entry.param_names)
                .map(|(t, n)| format!("{t} {}", identifier(n)).trim_end().to_owned())
                .collect();
            params = list.join(", ");
            let list: Vec<String> = (0..types.len()).map(|i| format!("arg{i}")).collect();
            args = list.join(", ");
        }
        let word = mutability(function.effects, entry.payable);
        let returns: Vec<String> = function
            .returns
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let ty = self.located(t, false);
                let name = entry.return_names.get(i).map_or("", String::as_str);
                format!("{ty} {}", identifier(name)).trim_end().to_owned()
            })
            .collect();
        let call = format!("{}({args})", self.function_name(entry.function));
        let (returns, call) = if returns.is_empty() {
            (String::new(), call)
        } else {
            (
                format!(" returns ({})", returns.join(", ")),
                format!("return {call}"),
            )
        };
        let _ = write!(
            out,
            "\n    function {}({params}) external{word}{returns} {{\n{open}        {call};\n    }}\n",
            identifier(&entry.name)
        );
    }

    fn function_name(&self, index: usize) -> String {
        let name = self
            .contract
            .functions
            .get(index)
            .map_or("", |f| f.name.as_str());
        let clean: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        format!("f{index}_{clean}")
    }

    fn function(&mut self, index: usize, function: &Function, out: &mut String) {
        self.frame = statements::Frame::new(index, function);
        let params: Vec<String> = function
            .locals
            .iter()
            .take(function.params)
            .enumerate()
            .map(|(id, l)| format!("{} {}", self.located(&l.ty, l.storage), self.local(id)))
            .collect();
        let storage = returns_storage(&function.body);
        let returns: Vec<String> = function
            .returns
            .iter()
            .map(|t| self.located(t, storage))
            .collect();
        let returns = if returns.is_empty() {
            String::new()
        } else {
            format!(" returns ({})", returns.join(", "))
        };
        let mut effects = function.effects;
        // What a reference to state leads to counts as read; its owner's effects say so already.
        let mut locals = function.locals.iter();
        effects.reads |= locals.any(|l| l.storage);
        let word = mutability(effects, false);
        let mut body = String::new();
        for (id, local) in function.locals.iter().take(function.params).enumerate() {
            if local.mutated && !local.storage && !local.ty.is_value() {
                let copy = self.copy_helper(&local.ty);
                let name = self.local(id);
                let _ = writeln!(body, "        {name} = {copy}({name});");
            }
        }
        self.statements(&function.body, 2, &mut body);
        if let Some(named) = &function.named_returns {
            let names: Vec<String> = named.iter().map(|id| self.local(*id)).collect();
            let _ = writeln!(body, "        return ({});", names.join(", "));
        }
        let _ = write!(
            out,
            "\n    function {}({}) internal{word}{returns} {{\n{body}    }}\n",
            self.function_name(index),
            params.join(", ")
        );
    }
}

/// Tells whether a function gives back a place in state.
fn returns_storage(body: &[Stmt]) -> bool {
    body.iter().any(|s| match s {
        Stmt::Return(Some(e)) => matches!(e.kind, Kind::Slot(_)),
        Stmt::Block(b) | Stmt::Loop { body: b, .. } => returns_storage(b),
        Stmt::If(_, a, b) | Stmt::RequirePqc(a, b) => returns_storage(a) || returns_storage(b),
        _ => false,
    })
}

/// Name of a state variable.
fn state_name(slot: u64, name: &str) -> String {
    format!("{name}_s{slot}")
}
