//! Statements.

use std::fmt::Write;

use super::expressions::quoted;
use super::{Emitter, identifier};
use crate::ir::{Expr, Failure, Function, Kind, Place, PlaceKind, Stmt, Type};

/// What the statements of one function need to know.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Number of the function.
    pub function: usize,
    pub names: Vec<String>,
    locals: Vec<(Type, bool)>,
    /// Locals that have been declared; another `let` assigns.
    declared: Vec<bool>,
    /// The `require_pqc` around the statement: its number, and the loops inside it.
    pub pqc: Option<(usize, u32)>,
    count: usize,
}

impl Frame {
    pub(super) fn new(index: usize, function: &Function) -> Self {
        let mut declared = vec![false; function.locals.len()];
        declared
            .iter_mut()
            .take(function.params)
            .for_each(|d| *d = true);
        Self {
            function: index,
            names: function.locals.iter().map(|l| l.name.clone()).collect(),
            locals: function
                .locals
                .iter()
                .map(|l| (l.ty.clone(), l.storage))
                .collect(),
            declared,
            pqc: None,
            count: 0,
        }
    }

    /// Locals that were declared so far.
    pub(super) fn declared_locals(&self) -> Vec<usize> {
        let all = self.declared.iter().enumerate();
        all.filter(|(_, d)| **d).map(|(id, _)| id).collect()
    }

    fn is_declared(&self, id: usize) -> bool {
        self.declared.get(id).copied().unwrap_or_default()
    }

    /// Type of a local, and whether it is a reference to state.
    pub(super) fn local_type(&self, id: usize) -> (Type, bool) {
        self.locals.get(id).cloned().unwrap_or((Type::Error, false))
    }
}

pub(super) fn pad(depth: usize) -> String {
    "    ".repeat(depth)
}

impl Emitter<'_> {
    pub(super) fn statements(&mut self, list: &[Stmt], depth: usize, out: &mut String) {
        for statement in list {
            self.statement(statement, depth, out);
        }
    }

    fn local_located(&mut self, id: usize) -> String {
        let (ty, storage) = self.frame.local_type(id);
        self.located(&ty, storage)
    }

    /// Tells whether a local is declared here, and notes it.
    fn declare(&mut self, id: usize) -> bool {
        match self.frame.declared.get_mut(id) {
            Some(slot) => !std::mem::replace(slot, true),
            None => false,
        }
    }

    fn statement(&mut self, statement: &Stmt, depth: usize, out: &mut String) {
        let p = pad(depth);
        match statement {
            Stmt::Block(body) => {
                let _ = writeln!(out, "{p}{{");
                self.statements(body, depth + 1, out);
                let _ = writeln!(out, "{p}}}");
            }
            Stmt::Expr(expr) => {
                let text = match &expr.kind {
                    // Its value is not wanted, so the one that is simpler is as good.
                    Kind::Increment(place, decrement, _, checked) if Self::is_byte(place) => {
                        self.spelled_increment(place, *decrement, true, *checked)
                    }
                    Kind::Increment(place, decrement, prefix, _) => {
                        self.plain_increment(place, *decrement, *prefix)
                    }
                    _ => self.expr(expr),
                };
                if text.is_empty() {
                    return;
                }
                let wraps = match &expr.kind {
                    Kind::Assign(place, Some((_, false)), _)
                    | Kind::Increment(place, _, _, false) => !Self::is_byte(place),
                    _ => false,
                };
                if wraps {
                    let _ = writeln!(out, "{p}unchecked {{ {text}; }}");
                } else {
                    let _ = writeln!(out, "{p}{text};");
                }
            }
            Stmt::Let(id, value) => {
                let name = self.local(*id);
                // A name stands for one local of the IR, so the value is written first.
                let value = value.as_ref().map(|v| self.expr(v));
                if self.declare(*id) {
                    let ty = self.local_located(*id);
                    let _ = match value {
                        Some(value) => writeln!(out, "{p}{ty} {name} = {value};"),
                        None => writeln!(out, "{p}{ty} {name};"),
                    };
                } else if let Some(value) = value {
                    let _ = writeln!(out, "{p}{name} = {value};");
                }
            }
            // The results of a function, which code behind it in a modifier still needs.
            Stmt::LetMany(ids, value)
                if ids.iter().flatten().any(|id| self.frame.is_declared(*id)) =>
            {
                let place = |id: usize| {
                    let (ty, storage) = self.frame.local_type(id);
                    let kind = PlaceKind::Local(id);
                    Place { kind, ty, storage }
                };
                let places: Vec<_> = ids.iter().map(|id| id.map(place)).collect();
                self.assign_many(&places, value, depth, out);
            }
            Stmt::LetMany(ids, value) => {
                let value = self.expr(value);
                let mut names = Vec::new();
                for id in ids {
                    names.push(match id {
                        Some(id) => {
                            self.declare(*id);
                            format!("{} {}", self.local_located(*id), self.local(*id))
                        }
                        None => String::new(),
                    });
                }
                if ids.iter().all(Option::is_none) {
                    let _ = writeln!(out, "{p}{value};");
                } else {
                    let _ = writeln!(out, "{p}({}) = {value};", names.join(", "));
                }
            }
            Stmt::AssignMany(places, value) => self.assign_many(places, value, depth, out),
            Stmt::If(condition, then, otherwise) => {
                let condition = self.expr(condition);
                let _ = writeln!(out, "{p}if ({condition}) {{");
                self.statements(then, depth + 1, out);
                if !otherwise.is_empty() {
                    let _ = writeln!(out, "{p}}} else {{");
                    self.statements(otherwise, depth + 1, out);
                }
                let _ = writeln!(out, "{p}}}");
            }
            Stmt::Loop {
                condition,
                late,
                body,
                step,
            } => self.looped(condition.as_ref(), *late, body, step, depth, out),
            Stmt::Break => self.leave("break", 1, depth, out),
            Stmt::Continue => self.leave("continue", 2, depth, out),
            Stmt::Return(None) => {
                let _ = writeln!(out, "{p}return;");
            }
            Stmt::Return(Some(value)) => {
                let value = self.expr(value);
                let _ = writeln!(out, "{p}return {value};");
            }
            Stmt::Emit(event, args) => {
                let args = self.list(args);
                let name = self.contract.events.get(*event).map(|e| e.name.clone());
                let name = identifier(&name.unwrap_or_default());
                let _ = writeln!(out, "{p}emit {name}({args});");
            }
            Stmt::Require(condition, failure) => {
                let condition = self.expr(condition);
                let _ = writeln!(out, "{p}if (!{condition}) {{");
                self.fail(failure, depth + 1, out);
                let _ = writeln!(out, "{p}}}");
            }
            Stmt::Fail(failure) => self.fail(failure, depth, out),
            Stmt::Delete(place) => {
                let text = self.place(place);
                let alias = place.storage && matches!(place.kind, PlaceKind::Local(_));
                if alias {
                    let helper = self.delete_helper(&place.ty);
                    let _ = writeln!(out, "{p}{helper}({text});");
                } else {
                    let _ = writeln!(out, "{p}delete {text};");
                }
            }
            Stmt::At(_) => {}
            Stmt::RequirePqc(body, otherwise) => self.require_pqc(body, otherwise, depth, out),
            Stmt::GasLimit(limit, function, _) => {
                let _ = writeln!(out, "{p}{{ // under a gas limit of its own on the VM");
                let limit = self.expr(limit);
                let _ = writeln!(out, "{p}    {limit};");
                let body = self.contract.functions.get(*function);
                let body = body.map(|f| f.body.clone()).unwrap_or_default();
                let known = self.frame.locals.len();
                if let Some(f) = self.contract.functions.get(*function) {
                    for local in f.locals.iter().skip(known) {
                        self.frame.names.push(local.name.clone());
                        self.frame.locals.push((local.ty.clone(), local.storage));
                        self.frame.declared.push(false);
                    }
                }
                self.statements(&body, depth + 1, out);
                let _ = writeln!(out, "{p}}}");
            }
        }
    }

    fn assign_many(
        &mut self,
        places: &[Option<Place>],
        value: &Expr,
        depth: usize,
        out: &mut String,
    ) {
        let p = pad(depth);
        let types = match &value.ty {
            Type::Tuple(types) => types.clone(),
            other => vec![other.clone()],
        };
        // In locals first: what lies in state is copied before any of it is written.
        let text = self.expr(value);
        self.frame.count += 1;
        let number = self.frame.count;
        let (mut names, mut targets, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (i, (place, ty)) in places.iter().zip(&types).enumerate() {
            let Some(place) = place else {
                names.push(String::new());
                continue;
            };
            let value = format!("v{number}_{i}");
            names.push(format!("{} {value}", self.located(ty, false)));
            targets.push(self.place(place));
            values.push(match Self::is_byte(place) {
                true => format!("bytes1({value})"),
                false => value,
            });
        }
        let (names, targets, values) = (names.join(", "), targets.join(", "), values.join(", "));
        let _ = writeln!(out, "{p}{{");
        let _ = writeln!(out, "{p}    ({names}) = {text};");
        if !targets.is_empty() {
            let _ = writeln!(out, "{p}    ({targets}) = ({values});");
        }
        let _ = writeln!(out, "{p}}}");
    }

    fn looped(
        &mut self,
        condition: Option<&Expr>,
        late: bool,
        body: &[Stmt],
        step: &[Stmt],
        depth: usize,
        out: &mut String,
    ) {
        let p = pad(depth);
        if let Some((_, loops)) = &mut self.frame.pqc {
            *loops += 1;
        }
        let text = condition.map_or(String::new(), |c| self.expr(c));
        if late {
            let _ = writeln!(out, "{p}do {{");
            self.statements(body, depth + 1, out);
            let text = if text.is_empty() { "true" } else { &text };
            let _ = writeln!(out, "{p}}} while ({text});");
        } else {
            let step = match step {
                [] => String::new(),
                [Stmt::Expr(only)] => self.step(condition, only),
                _ => {
                    let span = condition.map(|c| c.span).unwrap_or_default();
                    self.refuse(span, "a loop's step of several statements");
                    String::new()
                }
            };
            let _ = writeln!(out, "{p}for (; {text}; {step}) {{");
            self.statements(body, depth + 1, out);
            let _ = writeln!(out, "{p}}}");
        }
        if let Some((number, loops)) = &mut self.frame.pqc {
            *loops -= 1;
            let number = *number;
            let _ = writeln!(out, "{p}if (pqc{number} != 0) break;");
        }
    }

    /// The last part of a loop's header. The counters of ranges and of lists never pass their
    /// ends, so a check costs nothing there.
    fn step(&mut self, condition: Option<&Expr>, step: &Expr) -> String {
        let unnamed = |e: &Expr| match &e.kind {
            Kind::Read(place) => match place.kind {
                PlaceKind::Local(id) => self.frame.names.get(id).is_some_and(String::is_empty),
                _ => false,
            },
            _ => false,
        };
        let bounded = match condition.map(|c| &c.kind) {
            Some(Kind::Compare(_, counter, end)) => unnamed(counter) || unnamed(end),
            _ => false,
        };
        match &step.kind {
            Kind::Increment(place, decrement, prefix, _) if bounded => {
                self.plain_increment(place, *decrement, *prefix)
            }
            Kind::Assign(place, Some((op, false)), value) if !Self::is_byte(place) => {
                let (target, text) = (self.place(place), self.expr(value));
                let next = self.arith(*op, &place.ty, &value.ty, &target, &text, false);
                format!("{target} = {next}")
            }
            _ => self.expr(step),
        }
    }

    /// `break` and `continue`; out of a `require_pqc` they first leave the loop it is made of.
    fn leave(&mut self, word: &str, code: u32, depth: usize, out: &mut String) {
        let p = pad(depth);
        if let Some((number, 0)) = self.frame.pqc {
            let _ = writeln!(out, "{p}{{ pqc{number} = {}; break; }}", code + 1);
            return;
        }
        let _ = writeln!(out, "{p}{word};");
    }

    fn fail(&mut self, failure: &Failure, depth: usize, out: &mut String) {
        let p = pad(depth);
        let text = match failure {
            Failure::Empty => "revert();".to_owned(),
            Failure::Text(text) => format!("revert({});", literal_text(text)),
            Failure::Computed(expr) => format!("revert({});", self.expr(expr)),
            Failure::Custom(selector, args) => {
                let name = self
                    .contract
                    .errors
                    .iter()
                    .find(|e| e.hash.get(..4) == Some(selector.as_slice()))
                    .map(|e| identifier(&e.name))
                    .unwrap_or_default();
                let args = self.list(args);
                format!("revert {name}({args});")
            }
            Failure::Panic(code) => {
                let helper = self.panic_helper();
                format!("{helper}({code});")
            }
            Failure::Pq => match self.frame.pqc {
                Some((number, _)) => format!("pqc{number} = 1; break;"),
                None => "revert();".to_owned(),
            },
        };
        let _ = writeln!(out, "{p}{text}");
    }

    /// The block is a loop that runs once; a failed check leaves it. Where state was changed
    /// before, there is something to undo: it runs in a call.
    fn require_pqc(&mut self, body: &[Stmt], otherwise: &[Stmt], depth: usize, out: &mut String) {
        let p = pad(depth);
        self.frame.count += 1;
        let number = self.frame.count;
        let _ = writeln!(out, "{p}uint256 pqc{number} = 0;");
        if let Some(span) =
            super::blocks::check_after_change(body, self.contract.functions.as_slice())
        {
            self.isolated(number, body, span, depth, out);
        } else {
            let _ = writeln!(out, "{p}do {{");
            let before = self.frame.pqc.replace((number, 0));
            self.statements(body, depth + 1, out);
            self.frame.pqc = before;
            let _ = writeln!(out, "{p}}} while (false);");
        }
        let _ = writeln!(out, "{p}if (pqc{number} == 1) {{");
        self.statements(otherwise, depth + 1, out);
        let _ = writeln!(out, "{p}}}");
        if leaves(body, &|s| matches!(s, Stmt::Break)) {
            let _ = writeln!(out, "{p}if (pqc{number} == 2) break;");
        }
        if leaves(body, &|s| matches!(s, Stmt::Continue)) {
            let _ = writeln!(out, "{p}if (pqc{number} == 3) continue;");
        }
    }
}

/// Tells whether a statement outside inner loops is one that `test` looks for.
fn leaves(body: &[Stmt], test: &dyn Fn(&Stmt) -> bool) -> bool {
    body.iter().any(|s| match s {
        Stmt::Block(b) => leaves(b, test),
        Stmt::If(_, a, b) => leaves(a, test) || leaves(b, test),
        other => test(other),
    })
}

/// A text as the argument of `revert`.
fn literal_text(text: &str) -> String {
    let quoted = quoted(text.as_bytes());
    if quoted.starts_with("hex") {
        format!("string({quoted})")
    } else {
        quoted
    }
}
