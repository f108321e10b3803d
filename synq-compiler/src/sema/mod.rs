//! Names and types: from syntax trees to checked contracts.

mod arguments;
mod assign;
mod builtins;
mod calls;
mod casts;
mod checker;
mod collect;
mod copies;
mod encoding;
mod exprs;
mod external;
mod failures;
mod getters;
mod literals;
mod locals;
mod loops;
mod members;
mod models;
mod modifiers;
mod operators;
mod stmts;
pub(crate) mod symbols;
mod types;

use std::collections::BTreeMap;

use checker::{Checker, State};
use symbols::{FunctionDecl, Symbols};

use crate::diagnostics::{Diagnostic, Sink};
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast;

pub(crate) use collect::collect;
pub(crate) use types::elementary;

/// Which part of a declared function is made a function of the contract.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of it; there are no declared modifiers.
    Whole,
    /// Its own body, without modifiers.
    Body,
    /// Its modifiers around its body, which stands there or is this function.
    Around(Option<usize>),
}

/// First four bytes of the Keccak hash of a signature; none when a type cannot cross the border.
pub(crate) fn selector(sy: &Symbols<'_>, name: &str, params: &[Type]) -> Option<[u8; 4]> {
    let types: Option<Vec<_>> = params.iter().map(|t| sy.world.abi_name(t)).collect();
    let text = format!("{name}({})", types?.join(","));
    let [a, b, c, d, ..] = alloy_primitives::keccak256(text.as_bytes()).0;
    Some([a, b, c, d])
}

/// `path` as seen from the file at `base`.
pub(crate) fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != ".." && !p.is_empty()) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Checks one contract.
pub(crate) fn contract(sy: &Symbols<'_>, index: usize, sink: &mut Sink) -> Option<Contract> {
    let declared = sy.contracts.get(index)?;
    let mut checker = Checker {
        sy,
        sink,
        scope: Some(index),
        out: Contract {
            name: declared.ast.name.name.clone(),
            ..Contract::default()
        },
        numbers: BTreeMap::new(),
        names: BTreeMap::new(),
        state: State::default(),
        in_constructor: false,
    };
    // Numbers first, so that bodies can call in any order.
    for (free, list) in [(false, &declared.functions), (true, &sy.functions)] {
        for (i, function) in list.iter().enumerate() {
            let number = checker.out.functions.len();
            checker.numbers.insert((free, i), number);
            checker.out.functions.push(Function::default());
            if !function.ast.constructor {
                let same = checker.names.entry(&function.name).or_default();
                same.push((free, i));
            }
        }
    }
    checker.modifiers(index);
    for (free, list) in [(false, &declared.functions), (true, &sy.functions)] {
        for (i, function) in list.iter().enumerate() {
            checker.in_constructor = function.ast.constructor;
            // What stands at file level means names at file level.
            checker.scope = (!free).then_some(index);
            let body = checker.function(function, free);
            if let Some(number) = checker.numbers.get(&(free, i)).copied()
                && let Some(slot) = checker.out.functions.get_mut(number)
            {
                *slot = body;
            }
        }
    }
    checker.scope = Some(index);
    checker.in_constructor = true;
    checker.initializer(declared);
    checker.declared_events(index);
    let mut out = checker.out;
    copies::own_texts(&mut out);
    effects(&mut out);
    entries(sy, declared, &mut out, sink);
    Some(out)
}

impl Checker<'_, '_> {
    /// A function, and what became of its body when modifiers surround it.
    fn function(&mut self, declared: &FunctionDecl<'_>, free: bool) -> Function {
        if free || !self.is_modified(declared) {
            return self.part(declared, Part::Whole);
        }
        if !self.is_surrounded(declared) {
            return self.part(declared, Part::Around(None));
        }
        let mut inner = self.part(declared, Part::Body);
        inner.name.push_str("#body");
        inner.gas_limit = None;
        let number = self.out.functions.len();
        self.out.functions.push(inner);
        self.part(declared, Part::Around(Some(number)))
    }

    fn part(&mut self, declared: &FunctionDecl<'_>, part: Part) -> Function {
        self.state = State::default();
        self.state.scopes.push(BTreeMap::new());
        for param in &declared.params {
            self.declare(&param.name, param.ty.clone(), param.storage, param.span);
        }
        let params = self.state.locals.len();
        self.state.returns = declared.returns.iter().map(|r| r.ty.clone()).collect();
        let storage = declared.returns.iter().any(|r| r.storage);
        self.state.returns_storage = storage;
        let mut body = Vec::new();
        let named = declared.returns.iter().any(|r| !r.name.is_empty());
        let apart = matches!(part, Part::Around(Some(_)));
        if storage && (named || declared.returns.len() > 1 || apart) {
            self.error(
                "E0433",
                declared.span,
                format!(
                    "`{}` cannot return a reference to state like this",
                    declared.name
                ),
                if apart {
                    "a modifier has code behind `_;`"
                } else {
                    "expected one result without a name"
                },
            );
        }
        if named || (apart && !declared.returns.is_empty()) {
            let ids: Vec<usize> = declared
                .returns
                .iter()
                .map(|r| {
                    let id = self.declare(&r.name, r.ty.clone(), false, r.span);
                    body.push(Stmt::Let(id, None));
                    id
                })
                .collect();
            self.state.named_returns = Some(ids);
        }
        let gas_limit = self.annotations(declared);
        if let Part::Around(call) = part {
            self.modified(declared, params, call, &mut body);
        } else {
            if part == Part::Whole {
                for (name, args) in &declared.ast.modifiers {
                    self.modifier(name, args, &mut body);
                }
            }
            if let Some(block) = &declared.ast.body {
                body.extend(self.block(block));
            }
        }
        let state = std::mem::take(&mut self.state);
        Function {
            name: declared.name.clone(),
            locals: state.locals,
            params,
            returns: state.returns,
            returns_storage: storage,
            named_returns: state.named_returns,
            body,
            effects: state.effects,
            calls: state.calls,
            gas_limit,
            outlined: None,
        }
    }

    fn modifier(&mut self, name: &ast::Ident, args: &[ast::Arg], body: &mut Vec<Stmt>) {
        if name.name != "authenticated_pqc" {
            self.sink.push(
                Diagnostic::error(
                    "E0222",
                    name.span,
                    format!("there is no modifier `{}`", name.name),
                )
                .label("unknown word in a function's header")
                .note("declare it with `modifier NAME() { …; _; }`; `authenticated_pqc(key, message, signature)` is there already"),
            );
            return;
        }
        let span = args
            .iter()
            .fold(name.span, |span, arg| span.to(arg.value.span));
        // The key's type says which algorithm it is.
        let errors = self.sink.errors();
        let algorithm = args.iter().find_map(|a| match self.any_value(&a.value).ty {
            Type::Pq(pq) => Some(pq.algorithm),
            _ => None,
        });
        if self.sink.errors() > errors {
            return;
        }
        let algorithm = algorithm.unwrap_or(Algorithm::MlDsa);
        let check = self.verify(
            algorithm,
            "authenticated_pqc",
            args.get(..3.min(args.len())).unwrap_or(&[]),
            span,
        );
        body.push(Stmt::Require(
            check,
            Failure::Text("post-quantum authentication failed".into()),
        ));
    }

    fn annotations(&mut self, declared: &FunctionDecl<'_>) -> Option<u64> {
        let mut limit = None;
        for annotation in &declared.item.annotations {
            match annotation.name.name.as_str() {
                "gas_limit" => {
                    let value = annotation
                        .args
                        .as_deref()
                        .and_then(<[ast::Arg]>::first)
                        .map(|a| self.value(&a.value, &Type::UInt(64)));
                    match value.map(|v| v.kind) {
                        Some(Kind::Const(n)) => limit = u64::try_from(n).ok(),
                        Some(Kind::Error) => {}
                        _ => self.error(
                            "E0426",
                            annotation.span,
                            "`@gas_limit` takes one number",
                            "expected `@gas_limit(N)`",
                        ),
                    }
                }
                "gas_cost" | "public" | "external" | "internal" | "private" | "view" | "pure"
                | "payable" | "deploy" => {}
                other => {
                    self.sink.push(
                        Diagnostic::warning(
                            "W0404",
                            annotation.span,
                            format!("unknown annotation `@{other}`"),
                        )
                        .label("has no effect"),
                    );
                }
            }
        }
        limit
    }

    fn initializer(&mut self, declared: &symbols::ContractDecl<'_>) {
        self.state = State::default();
        self.state.scopes.push(BTreeMap::new());
        let mut body = Vec::new();
        for variable in declared.variables.iter().filter(|v| !v.constant) {
            let Some(init) = &variable.ast.init else {
                continue;
            };
            if matches!(variable.ty, Type::Mapping(..)) {
                self.error(
                    "E0417",
                    init.span,
                    "a mapping cannot be assigned",
                    "assign its entries",
                );
                continue;
            }
            let value = self.value(init, &variable.ty);
            let place = Place {
                kind: PlaceKind::State(variable.slot),
                ty: variable.ty.clone(),
                storage: true,
            };
            body.push(Stmt::Expr(Expr {
                kind: Kind::Assign(place, None, Box::new(value)),
                ty: Type::VOID,
                span: init.span,
            }));
        }
        // A constant that nothing uses is checked all the same.
        for variable in declared.variables.iter().filter(|v| v.constant) {
            if let Some(init) = &variable.ast.init {
                self.value(init, &variable.ty);
            }
        }
        let state = std::mem::take(&mut self.state);
        if !body.is_empty() {
            self.out.initializer = Some(self.out.functions.len());
            self.out.functions.push(Function {
                name: "initial values".into(),
                locals: state.locals,
                calls: state.calls,
                body,
                effects: Effects {
                    writes: true,
                    ..state.effects
                },
                ..Function::default()
            });
        }
    }

    /// Events and errors declared in the contract belong to its ABI, used or not.
    fn declared_events(&mut self, index: usize) {
        let scope = Some(index);
        for ((s, _), list) in &self.sy.events {
            for declared in list.iter().filter(|_| *s == scope) {
                if !self.out.events.iter().any(|e| e.hash == declared.hash) {
                    self.out.events.push(Event {
                        name: declared.name.clone(),
                        params: declared.params.clone(),
                        hash: declared.hash,
                    });
                }
            }
        }
        for ((s, _), declared) in &self.sy.errors {
            if *s == scope && !self.out.errors.iter().any(|e| e.hash == declared.hash) {
                self.out.errors.push(Event {
                    name: declared.name.clone(),
                    params: declared.params.clone(),
                    hash: declared.hash,
                });
            }
        }
    }
}

/// What each function touches, through all that it calls.
fn effects(out: &mut Contract) {
    let mut callers = vec![Vec::new(); out.functions.len()];
    for (index, function) in out.functions.iter().enumerate() {
        for called in &function.calls {
            if let Some(list) = callers.get_mut(*called) {
                list.push(index);
            }
        }
    }
    // A function waits again when it was found to touch more, which happens a few times at most.
    let mut waiting: Vec<usize> = (0..out.functions.len()).collect();
    while let Some(index) = waiting.pop() {
        let effects = out.functions.get(index).map(|f| f.effects);
        for caller in callers.get(index).into_iter().flatten() {
            if let (Some(effects), Some(function)) = (effects, out.functions.get_mut(*caller)) {
                let joined = function.effects.join(effects);
                if function.effects != joined {
                    function.effects = joined;
                    waiting.push(*caller);
                }
            }
        }
    }
}

fn entries(
    sy: &Symbols<'_>,
    declared: &symbols::ContractDecl<'_>,
    out: &mut Contract,
    sink: &mut Sink,
) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: Vec<Span> = Vec::new();
    for (index, function) in declared.functions.iter().enumerate() {
        let names = |list: &[symbols::ParamDecl]| -> Vec<String> {
            list.iter().map(|p| p.name.clone()).collect()
        };
        let effects = out
            .functions
            .get(index)
            .map_or(Effects::default(), |f| f.effects);
        if function.ast.constructor {
            out.constructor = Some((index, names(&function.params)));
            out.payable_constructor = function.payable;
            continue;
        }
        if function.readonly && effects.writes {
            sink.push(
                Diagnostic::error(
                    "E0427",
                    function.span,
                    format!(
                        "`{}` is declared `view` or `pure` but changes state",
                        function.name
                    ),
                )
                .label("writes, emits or calls out"),
            );
        }
        let Some(selector) = function.selector.filter(|_| function.public) else {
            continue;
        };
        entries.push(Entry {
            name: function.name.clone(),
            selector,
            function: index,
            param_names: names(&function.params),
            return_names: names(&function.returns),
            payable: function.payable || effects.value,
            hidden: false,
        });
        places.push(function.span);
    }
    for variable in declared.variables.iter().filter(|v| v.public) {
        let name = &variable.ast.name;
        let (params, returns) = getters::signature(sy, &variable.ty);
        if returns.is_empty() || entries.iter().any(|e| e.name == name.name && !e.hidden) {
            continue;
        }
        let Some(selector) = selector(sy, &name.name, &params) else {
            continue;
        };
        let function = if variable.constant {
            // Its value, checked once more without diagnostics.
            let mut quiet = Sink::new();
            let mut checker = Checker {
                sy,
                sink: &mut quiet,
                scope: sy
                    .contracts
                    .iter()
                    .position(|c| std::ptr::eq(c.ast, declared.ast)),
                out: Contract::default(),
                numbers: BTreeMap::new(),
                names: BTreeMap::new(),
                state: State::default(),
                in_constructor: false,
            };
            let Some(init) = &variable.ast.init else {
                continue;
            };
            let value = checker.value(init, &variable.ty);
            Function {
                name: name.name.clone(),
                returns: vec![variable.ty.clone()],
                body: vec![Stmt::Return(Some(value))],
                ..Function::default()
            }
        } else {
            getters::function(sy, &name.name, &variable.ty, variable.slot, name.span)
        };
        entries.push(Entry {
            name: name.name.clone(),
            selector,
            function: out.functions.len(),
            param_names: params.iter().map(|_| String::new()).collect(),
            return_names: getters::result_names(sy, &variable.ty),
            payable: false,
            hidden: false,
        });
        places.push(name.span);
        out.functions.push(function);
    }
    for (i, entry) in entries.iter().enumerate() {
        for (j, other) in entries.iter().enumerate().skip(i + 1) {
            if entry.selector == other.selector
                && let (Some(first), Some(second)) = (places.get(i), places.get(j))
            {
                sink.push(
                    Diagnostic::error(
                        "E0223",
                        *second,
                        format!(
                            "`{}` and `{}` have the same selector",
                            entry.name, other.name
                        ),
                    )
                    .label("callers could not tell them apart")
                    .also(*first, "the other one"),
                );
            }
        }
    }
    // Blocks under a gas limit are reached by a call of their own.
    for (index, function) in out.functions.iter().enumerate() {
        if function.outlined.is_some() {
            let [a, b, c, d, ..] =
                alloy_primitives::keccak256(format!("{}.{}", out.name, function.name)).0;
            entries.push(Entry {
                name: function.name.clone(),
                selector: [a, b, c, d],
                function: index,
                param_names: Vec::new(),
                return_names: Vec::new(),
                payable: true,
                hidden: true,
            });
        }
    }
    out.entries = entries;
}
