//! `require`, `revert`, errors and events.

use super::checker::Checker;
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind};

impl Checker<'_, '_> {
    pub(super) fn require(
        &mut self,
        name: &str,
        args: &[ast::Arg],
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let (condition, why) = match (name, args) {
            (_, [condition]) => (condition, None),
            ("require", [condition, why]) => (condition, Some(&why.value)),
            _ => {
                self.error(
                    "E0205",
                    span,
                    format!("`{name}` takes a condition and perhaps a message"),
                    "wrong number of arguments",
                );
                return;
            }
        };
        let condition = self.value(&condition.value, &Type::Bool);
        let mut failure = match (name, why) {
            ("assert", _) => Failure::Panic(1),
            (_, None) => Failure::Empty,
            (_, why) => self.failure(why),
        };
        if self.state.pqc > 0 && name == "require" {
            failure = Failure::Pq;
        }
        out.push(Stmt::Require(condition, failure));
    }

    /// What stands behind `revert`, or in a `require`.
    pub(super) fn failure(&mut self, value: Option<&ast::Expr>) -> Failure {
        let Some(value) = value else {
            return Failure::Empty;
        };
        match &value.kind {
            ExprKind::Paren(inner) => return self.failure(Some(inner)),
            ExprKind::String(text) => return Failure::Text(text.clone()),
            ExprKind::Call { callee, args, .. } => {
                if let ExprKind::Name(name) = &callee.kind
                    && let Some(declared) = self.sy.find_error(self.scope, name)
                {
                    let declared = declared.clone();
                    return self.custom(&declared, args, value.span);
                }
            }
            ExprKind::Name(name) => {
                if let Some(declared) = self.sy.find_error(self.scope, name) {
                    let declared = declared.clone();
                    return self.custom(&declared, &[], value.span);
                }
            }
            _ => {}
        }
        let text = self.value(value, &Type::String);
        match text.kind {
            Kind::Literal(bytes) => Failure::Text(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Failure::Computed(text),
        }
    }

    pub(super) fn custom(
        &mut self,
        declared: &super::symbols::EventDecl,
        args: &[ast::Arg],
        span: Span,
    ) -> Failure {
        let values = self.event_args(declared, args, span);
        if !self.out.errors.iter().any(|e| e.hash == declared.hash) {
            self.out.errors.push(Event {
                name: declared.name.clone(),
                params: declared.params.clone(),
                hash: declared.hash,
            });
        }
        let [a, b, c, d, ..] = declared.hash;
        Failure::Custom([a, b, c, d], values)
    }

    pub(super) fn event_args(
        &mut self,
        declared: &super::symbols::EventDecl,
        args: &[ast::Arg],
        span: Span,
    ) -> Vec<Expr> {
        if args.len() != declared.params.len() {
            let plural = if declared.params.len() == 1 { "" } else { "s" };
            self.sink.push(
                Diagnostic::error(
                    "E0205",
                    span,
                    format!(
                        "`{}` takes {} argument{plural}, found {}",
                        declared.name,
                        declared.params.len(),
                        args.len()
                    ),
                )
                .label("wrong number of arguments")
                .also(declared.span, "declared here"),
            );
            return Vec::new();
        }
        let mut values = Vec::new();
        for (i, param) in declared.params.iter().enumerate() {
            let arg = args
                .iter()
                .find(|a| a.name.as_ref().is_some_and(|n| n.name == param.name))
                .or_else(|| args.get(i));
            if let Some(arg) = arg {
                values.push(self.value(&arg.value, &param.ty));
            }
        }
        values
    }

    pub(super) fn emit(&mut self, event: &ast::Expr, out: &mut Vec<Stmt>) {
        self.state.effects.writes = true;
        let ExprKind::Call { callee, args, .. } = &event.kind else {
            self.error(
                "E0419",
                event.span,
                "expected an event with its arguments",
                "write `emit Name(…);`",
            );
            return;
        };
        let ExprKind::Name(name) = &callee.kind else {
            self.error(
                "E0419",
                callee.span,
                "expected the name of an event",
                "not a name",
            );
            return;
        };
        let Some(list) = self.sy.find_events(self.scope, name).cloned() else {
            let known: Vec<String> = self
                .sy
                .events
                .keys()
                .filter(|(s, _)| s.is_none() || *s == self.scope)
                .map(|(_, n)| n.clone())
                .collect();
            let mut diagnostic =
                Diagnostic::error("E0221", callee.span, format!("there is no event `{name}`"))
                    .label("unknown event");
            if let Some(near) = super::symbols::nearest(name, known.iter().map(String::as_str)) {
                diagnostic = diagnostic.suggest(callee.span, near, "did you mean");
            }
            self.sink.push(diagnostic);
            return;
        };
        let chosen = match list.as_slice() {
            [one] => Some(one),
            many => {
                let plain: Vec<Expr> = args.iter().map(|a| self.expr(&a.value, None)).collect();
                many.iter().find(|e| {
                    e.params.len() == plain.len()
                        && plain
                            .iter()
                            .zip(&e.params)
                            .all(|(v, p)| self.converts(v, &p.ty))
                })
            }
        };
        let Some(declared) = chosen else {
            self.error(
                "E0206",
                event.span,
                format!("no event `{name}` takes these arguments"),
                "none fits",
            );
            return;
        };
        let values = self.event_args(declared, args, event.span);
        if values.len() != declared.params.len() {
            return;
        }
        let number = self
            .out
            .events
            .iter()
            .position(|e| e.hash == declared.hash)
            .unwrap_or_else(|| {
                self.out.events.push(Event {
                    name: declared.name.clone(),
                    params: declared.params.clone(),
                    hash: declared.hash,
                });
                self.out.events.len() - 1
            });
        out.push(Stmt::Emit(number, values));
    }
}
