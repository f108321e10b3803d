//! A `require_pqc` that changes state before a check: what it did must be undone when the check
//! fails, which on the EVM takes a call that reverts.
//!
//! The block becomes an internal function. To run it, the contract calls itself by
//! `delegatecall`, so that sender, value and state stay what they are; the call goes to one of
//! the contract's own entries, the carrier, since another function would show in the ABI. A
//! number in transient storage tells the carrier to run the block instead, whose locals
//! travel behind the carrier's arguments, and back with the result or behind the mark of a
//! failed check.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Emitter;
use super::statements::pad;
use crate::ir::{Entry, Expr, Failure, Function, Kind, Stmt, Type};
use crate::source::Span;

/// A block that runs in a call of its own.
pub(super) struct Block {
    number: usize,
    name: String,
    /// Types and names of the locals that travel, references to state as slots.
    inputs: Vec<(String, String)>,
}

/// Where the number of the block to run is kept, and what a failed check reverts with: hashes
/// of nothing else.
const SLOT: &str = "uint256(keccak256(\"synq.require_pqc.block\"))";
const MARK: &str = "keccak256(\"synq.require_pqc.failed\")";

impl Emitter<'_> {
    /// Writes `body` as a function of its own, and the call of it. The caller declared
    /// `pqc{number}` and goes on behind it.
    pub(super) fn isolated(
        &mut self,
        number: usize,
        body: &[Stmt],
        span: Span,
        depth: usize,
        out: &mut String,
    ) {
        if self.runs_at_creation() {
            self.refuse(span, "a check behind a change of state in a constructor");
            return;
        }
        if leaves_function(body) {
            self.refuse(
                span,
                "`return` out of a `require_pqc` with a check behind a change of state",
            );
            return;
        }
        let before = self.frame.pqc.replace((number, 0));
        let known = self.frame.declared_locals();
        let mut text = String::new();
        self.statements(body, 3, &mut text);
        self.frame.pqc = before;
        let words: BTreeSet<&str> = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .collect();
        if text.contains("msg.data") {
            self.refuse(
                span,
                "`msg.data` in a `require_pqc` with a check behind a change of state",
            );
        }
        let used: Vec<usize> = known
            .into_iter()
            .filter(|id| words.contains(self.local(*id).as_str()))
            .collect();
        let name = format!("_block{number}_{}", self.frame.function);
        self.block_function(number, &name, &used, &text);
        let (mut args, mut inputs, mut back, mut back_types) =
            (Vec::new(), Vec::new(), String::new(), Vec::new());
        let p = pad(depth);
        for id in &used {
            let (ty, storage) = self.frame.local_type(*id);
            let local = self.local(*id);
            if storage {
                let _ = writeln!(out, "{p}uint256 {local}_slot{number};");
                let _ = writeln!(
                    out,
                    "{p}assembly {{ {local}_slot{number} := {local}.slot }}"
                );
                args.push(format!("{local}_slot{number}"));
                inputs.push(("uint256".to_owned(), local));
            } else {
                args.push(local.clone());
                let _ = write!(back, ", {local}");
                let text = self.ty(&ty);
                back_types.push(format!(", {text}"));
                inputs.push((self.located(&ty, false), local));
            }
        }
        self.block_helpers();
        let index = self.blocks.len() + 1;
        let _ = writeln!(
            out,
            "{p}{{\n\
             {p}    bytes memory data = _runIsolated({index}, abi.encode({}));\n\
             {p}    (pqc{number}{back}) = abi.decode(data, (uint256{}));\n\
             {p}}}",
            args.join(", "),
            back_types.concat(),
        );
        self.blocks.push(Block {
            number: index,
            name,
            inputs,
        });
    }

    /// The function being written may run before the contract has code to call.
    fn runs_at_creation(&self) -> bool {
        let contract = self.contract;
        let mut todo: Vec<usize> = contract.initializer.into_iter().collect();
        todo.extend(contract.constructor.as_ref().map(|(index, _)| *index));
        let mut seen = BTreeSet::new();
        while let Some(index) = todo.pop() {
            if seen.insert(index) {
                let function = contract.functions.get(index);
                todo.extend(function.into_iter().flat_map(|f| f.calls.iter().copied()));
            }
        }
        seen.contains(&self.frame.function)
    }

    fn block_function(&mut self, number: usize, name: &str, used: &[usize], body: &str) {
        let (mut params, mut open, mut values) = (Vec::new(), String::new(), String::new());
        for id in used {
            let (ty, storage) = self.frame.local_type(*id);
            let local = self.local(*id);
            let located = self.located(&ty, storage);
            if storage {
                params.push(format!("uint256 {local}_slot"));
                let _ = writeln!(open, "        {located} {local};");
                let _ = writeln!(open, "        assembly {{ {local}.slot := {local}_slot }}");
            } else {
                params.push(format!("{located} {local}"));
                let _ = write!(values, ", {local}");
            }
        }
        let text = format!(
            "    function {name}({}) internal returns (bytes memory) {{\n\
             {open}        uint256 pqc{number} = 0;\n\
             \x20       do {{\n\
             {body}\
             \x20       }} while (false);\n\
             \x20       if (pqc{number} == 1) {{\n\
             \x20           bytes memory data = abi.encodePacked({MARK}, abi.encode(pqc{number}{values}));\n\
             \x20           assembly {{ revert(add(data, 32), mload(data)) }}\n\
             \x20       }}\n\
             \x20       return abi.encode(pqc{number}{values});\n\
             \x20   }}\n",
            params.join(", ")
        );
        self.helpers.insert(name.to_owned(), text);
    }

    /// The entry that carries blocks: it may change state, takes value when any does, and its
    /// arguments are easily made up.
    fn carrier(&self) -> Option<&Entry> {
        let simple =
            |ty: &Type| !self.world.is_dynamic(ty) || matches!(ty, Type::List(_)) || ty.is_bytes();
        let function = |e: &Entry| self.contract.functions.get(e.function);
        self.contract
            .entries
            .iter()
            .filter(|e| !e.hidden)
            .filter(|e| {
                function(e).is_some_and(|f| {
                    (f.effects.writes || e.payable)
                        && f.locals.iter().take(f.params).all(|l| simple(&l.ty))
                })
            })
            .min_by_key(|e| (!e.payable, function(e).map_or(0, |f| f.params)))
    }

    /// Call data of the carrier before the block's own.
    fn carrier_head(&self, entry: &Entry) -> Vec<u8> {
        let Some(function) = self.contract.functions.get(entry.function) else {
            return Vec::new();
        };
        let types = || function.locals.iter().take(function.params).map(|l| &l.ty);
        let heads: u32 = types().map(|t| self.world.head_size(t)).sum();
        let mut out = entry.selector.to_vec();
        let mut tail = heads;
        for ty in types() {
            let size = self.world.head_size(ty) as usize;
            if self.world.is_dynamic(ty) {
                out.extend([0; 28]);
                out.extend(tail.to_be_bytes());
                tail += 32;
            } else {
                out.resize(out.len() + size, 0);
            }
        }
        out.resize(4 + tail as usize, 0);
        out
    }

    fn block_helpers(&mut self) {
        let head = match self.carrier() {
            Some(entry) => alloy_primitives::hex::encode(self.carrier_head(entry)),
            None => String::new(),
        };
        let text = format!(
            "    function _runIsolated(uint256 which, bytes memory input) internal returns (bytes memory data) {{\n\
             \x20       bool ok;\n\
             \x20       uint256 place = {SLOT};\n\
             \x20       assembly {{ tstore(place, which) }}\n\
             \x20       (ok, data) = address(this).delegatecall(abi.encodePacked(hex\"{head}\", input));\n\
             \x20       assembly {{ tstore(place, 0) }}\n\
             \x20       if (ok) return data;\n\
             \x20       if (data.length < 32 || bytes32(data) != {MARK}) {{\n\
             \x20           assembly {{ revert(add(data, 32), mload(data)) }}\n\
             \x20       }}\n\
             \x20       // Locals stand behind the mark: they are not undone.\n\
             \x20       assembly {{ let rest := sub(mload(data), 32) data := add(data, 32) mstore(data, rest) }}\n\
             \x20   }}\n"
        );
        self.helpers.insert("_runIsolated".to_owned(), text);
    }

    /// What the carrier does first; nothing in other entries.
    pub(super) fn carried(&self, entry: &Entry) -> &'static str {
        match self.carrier() {
            Some(carrier) if !self.blocks.is_empty() && carrier.selector == entry.selector => {
                "        _runBlock();\n"
            }
            _ => "",
        }
    }

    /// The way from a number to its block.
    pub(super) fn block_dispatch(&mut self) {
        if self.blocks.is_empty() {
            return;
        }
        let head = self.carrier().map_or(0, |e| self.carrier_head(e).len());
        let mut text = format!(
            "    function _runBlock() internal {{\n\
             \x20       uint256 place = {SLOT};\n\
             \x20       uint256 which;\n\
             \x20       assembly {{ which := tload(place) }}\n\
             \x20       if (which == 0) return;\n\
             \x20       assembly {{ tstore(place, 0) }}\n\
             \x20       bytes memory data = msg.data[{head}:];\n"
        );
        for block in &self.blocks {
            let params: Vec<String> = block
                .inputs
                .iter()
                .map(|(ty, name)| format!("{ty} {name}"))
                .collect();
            let types: Vec<&str> = block
                .inputs
                .iter()
                .map(|(ty, _)| ty.trim_end_matches(" memory"))
                .collect();
            let names: Vec<&str> = block.inputs.iter().map(|(_, n)| n.as_str()).collect();
            let _ = writeln!(text, "        if (which == {}) {{", block.number);
            if !names.is_empty() {
                let _ = writeln!(
                    text,
                    "            ({}) = abi.decode(data, ({}));",
                    params.join(", "),
                    types.join(", ")
                );
            }
            let _ = writeln!(
                text,
                "            data = {0}({1});\n        }}",
                block.name,
                names.join(", ")
            );
        }
        text.push_str("        assembly { return(add(data, 32), mload(data)) }\n    }\n");
        self.helpers.insert("_runBlock".to_owned(), text);
    }
}

/// Tells whether a statement leaves the function.
fn leaves_function(body: &[Stmt]) -> bool {
    body.iter().any(|s| match s {
        Stmt::Return(_) => true,
        Stmt::Block(b) | Stmt::Loop { body: b, .. } => leaves_function(b),
        Stmt::If(_, a, b) | Stmt::RequirePqc(a, b) => leaves_function(a) || leaves_function(b),
        _ => false,
    })
}

/// The first check behind a statement that may change state.
pub(super) fn check_after_change(body: &[Stmt], functions: &[Function]) -> Option<Span> {
    let mut changed = false;
    walk(body, functions, &mut changed)
}

fn walk(body: &[Stmt], functions: &[Function], changed: &mut bool) -> Option<Span> {
    for statement in body {
        match statement {
            Stmt::Require(condition, Failure::Pq) if *changed => return Some(condition.span),
            Stmt::Require(condition, _) => *changed |= changes(condition, functions),
            Stmt::Block(b) => {
                if let Some(span) = walk(b, functions, changed) {
                    return Some(span);
                }
            }
            Stmt::If(_, a, b) => {
                let mut other = *changed;
                if let Some(span) =
                    walk(a, functions, changed).or_else(|| walk(b, functions, &mut other))
                {
                    return Some(span);
                }
                *changed |= other;
            }
            Stmt::Loop { body, .. } => {
                // Twice, for what the first round changed.
                for _ in 0..2 {
                    if let Some(span) = walk(body, functions, changed) {
                        return Some(span);
                    }
                }
            }
            Stmt::Let(_, Some(value)) | Stmt::LetMany(_, value) => {
                *changed |= changes(value, functions);
            }
            Stmt::Expr(value) => *changed |= changes(value, functions),
            Stmt::At(_) | Stmt::Let(_, None) | Stmt::Break | Stmt::Continue | Stmt::Fail(_) => {}
            Stmt::Return(_) => {}
            _ => *changed = true,
        }
    }
    None
}

/// Tells whether an expression may change state; careful where it is not simple.
fn changes(expr: &Expr, functions: &[Function]) -> bool {
    let any = |list: &[Expr]| list.iter().any(|e| changes(e, functions));
    match &expr.kind {
        Kind::Const(_) | Kind::Number(..) | Kind::Literal(_) | Kind::Read(_) | Kind::Slot(_) => {
            false
        }
        Kind::Length(_) | Kind::IsNull(_) => false,
        Kind::Neg(e, _)
        | Kind::Not(e)
        | Kind::BitNot(e)
        | Kind::Convert(e)
        | Kind::Copy(e)
        | Kind::New(e)
        | Kind::Decode(e) => changes(e, functions),
        Kind::Arith(_, a, b, _) | Kind::Compare(_, a, b) | Kind::And(a, b) | Kind::Or(a, b) => {
            changes(a, functions) || changes(b, functions)
        }
        Kind::Ternary(c, a, b) => {
            changes(c, functions) || changes(a, functions) || changes(b, functions)
        }
        Kind::Call(function, args) => {
            any(args) || functions.get(*function).is_none_or(|f| f.effects.writes)
        }
        Kind::Builtin(builtin, args) => {
            use crate::ir::Builtin as B;
            let writes = matches!(
                builtin,
                B::Send | B::TrySend | B::CallContract | B::AllowReentrancy
            );
            writes || any(args)
        }
        Kind::Aggregate(list) | Kind::Tuple(list) | Kind::Infer(_, list) => any(list),
        Kind::Encode { args, .. } => any(args),
        Kind::External { readonly, args, .. } => !readonly || any(args),
        Kind::Assign(place, _, value) => place.storage || changes(value, functions),
        Kind::Increment(place, ..) => place.storage,
        Kind::Push(place, _) | Kind::Pop(place) => place.storage,
        Kind::Extension { view, args, .. } => !view || any(args),
        Kind::Error => true,
    }
}
