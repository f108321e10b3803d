//! Statements.

use std::collections::BTreeSet;

use super::checker::{Checker, broken};
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, StmtKind};

impl Checker<'_, '_> {
    pub fn block(&mut self, block: &ast::Block) -> Vec<Stmt> {
        self.state.scopes.push(Default::default());
        let mut out = Vec::new();
        let mut ended: Option<Span> = None;
        for statement in &block.statements {
            if let Some(place) = ended.take() {
                self.sink.push(
                    Diagnostic::warning("W0401", statement.span, "this is never reached")
                        .label("unreachable")
                        .also(place, "everything ends here"),
                );
            }
            self.statement(statement, &mut out);
            if matches!(
                statement.kind,
                StmtKind::Return(_) | StmtKind::Revert(_) | StmtKind::Break | StmtKind::Continue
            ) {
                ended = Some(statement.span);
            }
        }
        self.state.scopes.pop();
        out
    }

    /// A statement in a scope of its own.
    pub(super) fn scoped(&mut self, statement: &ast::Stmt) -> Vec<Stmt> {
        if let StmtKind::Block(block) = &statement.kind {
            return self.block(block);
        }
        self.state.scopes.push(Default::default());
        let mut out = Vec::new();
        self.statement(statement, &mut out);
        self.state.scopes.pop();
        out
    }

    pub(super) fn statement(&mut self, statement: &ast::Stmt, out: &mut Vec<Stmt>) {
        let span = statement.span;
        if !matches!(
            statement.kind,
            StmtKind::Invalid | StmtKind::Block(_) | StmtKind::Unchecked(_)
        ) {
            out.push(Stmt::At(span));
        }
        match &statement.kind {
            StmtKind::Invalid => {}
            StmtKind::Block(block) => {
                let body = self.block(block);
                out.push(Stmt::Block(body));
            }
            StmtKind::Unchecked(block) => {
                let before = std::mem::replace(&mut self.state.unchecked, true);
                let body = self.block(block);
                self.state.unchecked = before;
                out.push(Stmt::Block(body));
            }
            StmtKind::Local {
                tuple,
                bindings,
                init,
                ..
            } => self.local_statement(*tuple, bindings, init.as_ref(), span, out),
            StmtKind::Expr(expr) => self.expression_statement(expr, out),
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.value(condition, &Type::Bool);
                let then = self.scoped(then);
                let otherwise = otherwise
                    .as_ref()
                    .map(|s| self.scoped(s))
                    .unwrap_or_default();
                out.push(Stmt::If(condition, then, otherwise));
            }
            StmtKind::While { condition, body } => {
                let condition = self.value(condition, &Type::Bool);
                let body = self.loop_body(body);
                out.push(Stmt::Loop {
                    condition: Some(condition),
                    late: false,
                    body,
                    step: Vec::new(),
                });
            }
            StmtKind::DoWhile { body, condition } => {
                let body = self.loop_body(body);
                let condition = self.value(condition, &Type::Bool);
                out.push(Stmt::Loop {
                    condition: Some(condition),
                    late: true,
                    body,
                    step: Vec::new(),
                });
            }
            StmtKind::For {
                init,
                condition,
                step,
                body,
            } => {
                self.state.scopes.push(Default::default());
                let mut all = Vec::new();
                if let Some(init) = init {
                    self.statement(init, &mut all);
                }
                let condition = condition.as_ref().map(|c| self.value(c, &Type::Bool));
                let mut after = Vec::new();
                if let Some(step) = step {
                    self.expression_statement(step, &mut after);
                }
                let body = self.loop_body(body);
                self.state.scopes.pop();
                all.push(Stmt::Loop {
                    condition,
                    late: false,
                    body,
                    step: after,
                });
                out.push(Stmt::Block(all));
            }
            StmtKind::ForRange {
                name,
                from,
                to,
                body,
            } => self.for_range(name, from, to, body, out),
            StmtKind::ForIn {
                name,
                iterable,
                body,
            } => self.for_in(name, iterable, body, out),
            StmtKind::Break | StmtKind::Continue => {
                let word = if statement.kind == StmtKind::Break {
                    out.push(Stmt::Break);
                    "break"
                } else {
                    out.push(Stmt::Continue);
                    "continue"
                };
                if self.state.loops == 0 {
                    self.error(
                        "E0411",
                        span,
                        format!("`{word}` stands outside a loop"),
                        "no loop around it",
                    );
                }
            }
            StmtKind::Return(value) => self.return_statement(value.as_ref(), span, out),
            StmtKind::Emit(event) => self.emit(event, out),
            StmtKind::Revert(value) => {
                let failure = self.failure(value.as_ref());
                out.push(Stmt::Fail(failure));
            }
            StmtKind::Delete(place) => {
                if let Some(target) = self.target(place) {
                    if matches!(target.ty, Type::Mapping(..)) {
                        self.error(
                            "E0412",
                            span,
                            "a mapping cannot be deleted as a whole",
                            "delete its entries",
                        );
                        return;
                    }
                    if let PlaceKind::Local(id) = target.kind
                        && self.state.locals.get(id).is_some_and(|l| l.storage)
                    {
                        // Through an alias: the entry itself goes.
                        self.state.effects.writes = true;
                    }
                    out.push(Stmt::Delete(target));
                }
            }
            StmtKind::RequirePqc { body, otherwise } => {
                self.state.effects.writes = true;
                self.state.pqc += 1;
                let body = self.block(body);
                self.state.pqc -= 1;
                let otherwise = match otherwise {
                    Some(otherwise) => self.scoped(otherwise),
                    None => vec![Stmt::Fail(Failure::Text(
                        "post-quantum check failed".into(),
                    ))],
                };
                out.push(Stmt::RequirePqc(body, otherwise));
            }
            StmtKind::WithGasLimit { limit, body } => self.gas_limit(limit, body, out),
        }
    }

    /// An expression for its effect.
    pub(super) fn expression_statement(&mut self, expr: &ast::Expr, out: &mut Vec<Stmt>) {
        match &expr.kind {
            ExprKind::Assign { op, target, value } => {
                self.assign(*op, target, value, expr.span, out);
                return;
            }
            ExprKind::Call { callee, args, .. } => {
                if let ExprKind::Name(name) = &callee.kind
                    && !self.is_own_function(name)
                    && matches!(name.as_str(), "require" | "assert")
                {
                    self.require(name, args, expr.span, out);
                    return;
                }
            }
            ExprKind::Increment { .. } => {}
            ExprKind::Name(name) if name == "_" => {
                self.placeholder(expr.span, out);
                return;
            }
            _ => {
                let value = self.any_value(expr);
                if value.ty != Type::Error {
                    self.sink.push(
                        Diagnostic::warning("W0402", expr.span, "this value is not used")
                            .label("has no effect"),
                    );
                }
                return;
            }
        }
        let value = self.any_value(expr);
        if self.state.pqc > 0 && matches!(value.kind, Kind::Builtin(Builtin::Verify(_), _)) {
            out.push(Stmt::Require(value, Failure::Pq));
            return;
        }
        if matches!(value.kind, Kind::Builtin(Builtin::Verify(_), _)) {
            self.sink.push(
                Diagnostic::warning("W0403", expr.span, "the outcome of this check is dropped")
                    .label("a failing signature changes nothing")
                    .note("write `require(…, \"…\")`, or put it in a `require_pqc` block"),
            );
        }
        out.push(Stmt::Expr(value));
    }

    pub(super) fn is_own_function(&self, name: &str) -> bool {
        let mut named = self.names.get(name).into_iter().flatten();
        named.any(|(free, _)| *free || self.scope.is_some())
    }

    pub(super) fn return_statement(
        &mut self,
        value: Option<&ast::Expr>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        if self.state.outlined > 0 {
            self.error(
                "E0420",
                span,
                "`return` cannot leave a `with_gas_limit` block",
                "the block runs as a call of its own",
            );
            return;
        }
        if self.state.layer.is_some() {
            self.error(
                "E0432",
                span,
                "`return` cannot stand in a modifier",
                "only the function itself returns",
            );
            return;
        }
        let returns = self.state.returns.clone();
        let Some(value) = value else {
            if let Some(named) = self.state.named_returns.clone() {
                let value = self.named_result(&named, span);
                out.push(Stmt::Return(Some(value)));
                return;
            }
            if !returns.is_empty() {
                let want = self.name(&super::calls::result_type(&returns));
                self.error(
                    "E0421",
                    span,
                    format!("expected a value of type `{want}` in `return`"),
                    "returns nothing",
                );
            }
            out.push(Stmt::Return(None));
            return;
        };
        if returns.is_empty() {
            let value = self.any_value(value);
            if value.ty == Type::VOID {
                out.push(Stmt::Expr(value));
                out.push(Stmt::Return(None));
            } else if value.ty != Type::Error {
                self.error(
                    "E0422",
                    value.span,
                    "this function returns nothing",
                    "a value is returned",
                );
            }
            return;
        }
        let ty = super::calls::result_type(&returns);
        if self.state.returns_storage {
            let value = self.expr(value, Some(&ty));
            let value = self.storage_reference(value, &ty);
            out.push(Stmt::Return(Some(value)));
            return;
        }
        let value = self.value(value, &ty);
        let value = self.own_result(value);
        out.push(Stmt::Return(Some(value)));
    }

    /// A parameter's memory belongs to the caller: what is returned of it is copied. So is what
    /// is returned twice.
    pub(super) fn own_result(&self, value: Expr) -> Expr {
        let local = |e: &Expr| match &e.kind {
            Kind::Read(place) => place.root_local(),
            _ => None,
        };
        let foreign = |e: &Expr| match &e.kind {
            Kind::Read(_) => local(e).is_some_and(|id| id < self.params()),
            Kind::Convert(_) | Kind::Ternary(..) | Kind::Literal(_) => true,
            _ => false,
        };
        match value.kind {
            Kind::Tuple(parts) => {
                let mut seen = BTreeSet::new();
                let parts = parts.into_iter().map(|part| {
                    let again = local(&part).is_some_and(|id| !seen.insert(id));
                    match again || foreign(&part) {
                        true => self.own(part),
                        false => part,
                    }
                });
                Expr {
                    kind: Kind::Tuple(parts.collect()),
                    ..value
                }
            }
            Kind::Ternary(..) if matches!(value.ty, Type::Tuple(_)) => self.own_parts(value),
            _ if foreign(&value) => self.own(value),
            _ => value,
        }
    }

    pub(super) fn params(&self) -> usize {
        // Parameters are declared before anything else; a function's body has two scopes at least.
        self.state.scopes.first().map_or(0, |s| s.len()).max(
            self.state
                .locals
                .iter()
                .take_while(|l| l.name.is_empty())
                .count(),
        )
    }

    pub fn named_result(&mut self, named: &[usize], span: Span) -> Expr {
        let mut values: Vec<Expr> = named.iter().map(|id| self.read_local(*id, span)).collect();
        if values.len() == 1 {
            return values.pop().unwrap_or_else(|| broken(span));
        }
        let types = values.iter().map(|v| v.ty.clone()).collect();
        Expr {
            kind: Kind::Tuple(values),
            ty: Type::Tuple(types),
            span,
        }
    }

    /// The block becomes a function of its own, called through the host under a limit. Locals
    /// that it can see travel in and out.
    pub(super) fn gas_limit(&mut self, limit: &ast::Expr, body: &ast::Block, out: &mut Vec<Stmt>) {
        let limit_value = self.value(limit, &Type::UInt(64));
        if self.state.outlined > 0 || self.state.pqc > 0 {
            self.error(
                "E0425",
                limit.span,
                "`with_gas_limit` cannot stand inside another, or inside `require_pqc`",
                "nested",
            );
            return;
        }
        self.state.effects.writes = true;
        self.state.effects.reads = true;
        let seen: Vec<usize> = self
            .state
            .scopes
            .iter()
            .flat_map(|s| s.values().map(|(id, _)| *id))
            .collect();
        let mut captured: Vec<usize> = seen;
        captured.sort_unstable();
        captured.dedup();
        captured.retain(|id| {
            self.state
                .locals
                .get(*id)
                .is_some_and(|l| l.ty != Type::Error)
        });
        let loops = std::mem::take(&mut self.state.loops);
        self.state.outlined += 1;
        let inner = self.block(body);
        self.state.outlined -= 1;
        self.state.loops = loops;
        let number = self.out.functions.len();
        self.out.functions.push(Function {
            name: format!("with_gas_limit#{number}"),
            locals: self.state.locals.clone(),
            body: inner,
            outlined: Some(captured.clone()),
            calls: Vec::new(),
            ..Function::default()
        });
        out.push(Stmt::GasLimit(limit_value, number, captured));
    }
}
