//! Statements.

use alloy_primitives::U256;

use super::checker::{Checker, broken, constant};
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, ExprKind, StmtKind};

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
    fn scoped(&mut self, statement: &ast::Stmt) -> Vec<Stmt> {
        if let StmtKind::Block(block) = &statement.kind {
            return self.block(block);
        }
        self.state.scopes.push(Default::default());
        let mut out = Vec::new();
        self.statement(statement, &mut out);
        self.state.scopes.pop();
        out
    }

    fn statement(&mut self, statement: &ast::Stmt, out: &mut Vec<Stmt>) {
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

    fn loop_body(&mut self, body: &ast::Stmt) -> Vec<Stmt> {
        self.state.loops += 1;
        let body = self.scoped(body);
        self.state.loops -= 1;
        body
    }

    fn local_type(&mut self, binding: &ast::Binding) -> Option<Type> {
        let ty = binding.ty.as_ref()?;
        Some(self.sy.resolve(self.scope, ty, self.sink))
    }

    fn check_local(&mut self, ty: &Type, storage: bool, span: Span) -> bool {
        if !storage && self.sy.world.has_mapping(ty) {
            self.error(
                "E0310",
                span,
                "a mapping lives in state only",
                "write `storage` and name the entry it stands for",
            );
            return false;
        }
        true
    }

    fn local_statement(
        &mut self,
        tuple: bool,
        bindings: &[Option<ast::Binding>],
        init: Option<&ast::Expr>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        if !tuple {
            let Some(Some(binding)) = bindings.first() else {
                return;
            };
            let wanted = self.local_type(binding);
            let storage = binding.location == Some(ast::Location::Storage);
            let name = &binding.name;
            let Some(init) = init else {
                let Some(ty) = wanted.filter(|_| !storage) else {
                    self.error(
                        "E0413",
                        name.span,
                        format!("`{}` needs a value", name.name),
                        if storage {
                            "a storage reference must stand for something"
                        } else {
                            "neither type nor value"
                        },
                    );
                    self.declare(&name.name, Type::Error, false, name.span);
                    return;
                };
                if !self.check_local(&ty, false, name.span) {
                    self.declare(&name.name, Type::Error, false, name.span);
                    return;
                }
                let id = self.declare(&name.name, ty, false, name.span);
                out.push(Stmt::Let(id, None));
                return;
            };
            if storage {
                let value = self.expr(init, wanted.as_ref());
                let ty = wanted.unwrap_or_else(|| value.ty.clone());
                let value = self.storage_reference(value, &ty);
                let id = self.declare(&name.name, ty, true, name.span);
                out.push(Stmt::Let(id, Some(value)));
                return;
            }
            let value = match &wanted {
                Some(ty) => self.value(init, ty),
                None => self.any_value(init),
            };
            let ty = wanted.unwrap_or_else(|| value.ty.clone());
            if let Type::Tuple(parts) = &ty {
                let message = if parts.is_empty() {
                    "this call returns nothing"
                } else {
                    "this is several values"
                };
                self.error("E0414", init.span, message, "expected one value");
                self.declare(&name.name, Type::Error, false, name.span);
                return;
            }
            if ty == Type::Error || !self.check_local(&ty, false, name.span) {
                self.declare(&name.name, Type::Error, false, name.span);
                return;
            }
            let value = self.own(value);
            let id = self.declare(&name.name, ty, false, name.span);
            out.push(Stmt::Let(id, Some(value)));
            return;
        }
        let Some(init) = init else {
            return;
        };
        let value = self.any_value(init);
        let Some(types) = self.parts(&value, bindings.len(), span) else {
            for binding in bindings.iter().flatten() {
                self.declare(&binding.name.name, Type::Error, false, binding.name.span);
            }
            return;
        };
        let mut ids = Vec::new();
        let mut wanted = Vec::new();
        for (binding, ty) in bindings.iter().zip(types) {
            match binding {
                None => {
                    wanted.push(ty);
                    ids.push(None);
                }
                Some(binding) => {
                    let declared = self.local_type(binding).unwrap_or_else(|| ty.clone());
                    if declared != ty
                        && !matches!(value.kind, Kind::Tuple(_))
                        && declared != Type::Error
                        && ty != Type::Error
                    {
                        let (d, t) = (self.name(&declared), self.name(&ty));
                        self.error(
                            "E0301",
                            binding.name.span,
                            format!("expected a value of type `{d}`, found `{t}`"),
                            format!("gets `{t}`"),
                        );
                    }
                    wanted.push(declared.clone());
                    ids.push(Some(self.declare(
                        &binding.name.name,
                        declared,
                        false,
                        binding.name.span,
                    )));
                }
            }
        }
        let value = match value.kind {
            Kind::Tuple(_) => {
                let value = self.coerce(value, &Type::Tuple(wanted));
                self.own_parts(value)
            }
            _ => value,
        };
        out.push(Stmt::LetMany(ids, value));
    }

    fn own_parts(&self, value: Expr) -> Expr {
        match value.kind {
            Kind::Tuple(parts) => Expr {
                kind: Kind::Tuple(parts.into_iter().map(|p| self.own(p)).collect()),
                ..value
            },
            _ => value,
        }
    }

    /// Types of the values that are taken apart.
    fn parts(&mut self, value: &Expr, places: usize, span: Span) -> Option<Vec<Type>> {
        match &value.ty {
            Type::Error => None,
            Type::Tuple(types) if types.len() == places => Some(types.clone()),
            other => {
                let count = match other {
                    Type::Tuple(types) => types.len(),
                    _ => 1,
                };
                self.error(
                    "E0415",
                    span,
                    format!("{places} places for {count} values"),
                    "numbers differ",
                );
                None
            }
        }
    }

    fn storage_reference(&mut self, value: Expr, ty: &Type) -> Expr {
        let span = value.span;
        if value.ty == Type::Error || *ty == Type::Error {
            return broken(span);
        }
        match value.kind {
            Kind::Read(place) if place.storage && place.ty == *ty && !ty.is_value() => Expr {
                kind: Kind::Slot(place),
                ty: ty.clone(),
                span,
            },
            _ if ty.is_value() => {
                let name = self.name(ty);
                self.error(
                    "E0319",
                    span,
                    format!("a reference cannot stand for a `{name}`"),
                    "expected a struct, array or mapping in state",
                );
                broken(span)
            }
            _ => {
                let name = self.name(ty);
                self.error(
                    "E0319",
                    span,
                    format!("expected a `{name}` in state"),
                    "not a struct, array or mapping in state",
                );
                broken(span)
            }
        }
    }

    /// An expression for its effect.
    fn expression_statement(&mut self, expr: &ast::Expr, out: &mut Vec<Stmt>) {
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

    fn is_own_function(&self, name: &str) -> bool {
        self.scope
            .and_then(|c| self.sy.contracts.get(c))
            .is_some_and(|c| c.functions.iter().any(|f| f.name == name))
            || self.sy.functions.iter().any(|f| f.name == name)
    }

    fn assign(
        &mut self,
        op: Option<BinaryOp>,
        target: &ast::Expr,
        value: &ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        if let (ExprKind::Tuple(targets), None) = (&target.kind, op) {
            let value = self.any_value(value);
            let Some(types) = self.parts(&value, targets.len(), span) else {
                return;
            };
            let mut places = Vec::new();
            let mut wanted = Vec::new();
            for (target, ty) in targets.iter().zip(types) {
                let place = match target {
                    Some(target) => match self.target(target) {
                        Some(place) => Some(place),
                        None => return,
                    },
                    None => None,
                };
                let want = place.as_ref().map_or_else(|| ty.clone(), |p| p.ty.clone());
                if want != ty && !matches!(value.kind, Kind::Tuple(_)) && want != Type::Error {
                    let (d, t) = (self.name(&want), self.name(&ty));
                    self.error(
                        "E0301",
                        span,
                        format!("expected a value of type `{d}`, found `{t}`"),
                        "types differ",
                    );
                }
                wanted.push(want);
                places.push(place);
            }
            let value = match value.kind {
                Kind::Tuple(_) => {
                    let value = self.coerce(value, &Type::Tuple(wanted));
                    self.own_parts(value)
                }
                _ => value,
            };
            out.push(Stmt::AssignMany(places, value));
            return;
        }
        // A storage alias is pointed at something else.
        if let (ExprKind::Name(name), None) = (&target.kind, op)
            && let Some((id, _)) = self.local(name)
            && self.state.locals.get(id).is_some_and(|l| l.storage)
        {
            let ty = self
                .state
                .locals
                .get(id)
                .map_or(Type::Error, |l| l.ty.clone());
            let value = self.expr(value, Some(&ty));
            let value = self.storage_reference(value, &ty);
            out.push(Stmt::Let(id, Some(value)));
            return;
        }
        let Some(place) = self.target(target) else {
            self.any_value(value);
            return;
        };
        if let PlaceKind::State(slot) = &place.kind {
            self.check_immutable(*slot, target.span);
        }
        if matches!(place.ty, Type::Mapping(..)) {
            self.error(
                "E0417",
                span,
                "a mapping cannot be assigned",
                "assign its entries",
            );
            return;
        }
        let Some(op) = op else {
            let value = self.value(value, &place.ty.clone());
            let value = if place.storage {
                value
            } else {
                self.own(value)
            };
            out.push(Stmt::Expr(Expr {
                kind: Kind::Assign(place, None, Box::new(value)),
                ty: Type::VOID,
                span,
            }));
            return;
        };
        // The operator's own rules, checked on a read of the place.
        let current = Expr {
            ty: place.ty.clone(),
            kind: Kind::Read(place.clone()),
            span: target.span,
        };
        let right = self.expr(value, Some(&place.ty.clone()));
        let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Pow);
        let right = if shift {
            self.settle(right)
        } else {
            self.coerce(right, &place.ty)
        };
        let combined = self.arith(op, current, right, span);
        match combined.kind {
            Kind::Arith(op, _, right, checked) => out.push(Stmt::Expr(Expr {
                kind: Kind::Assign(place, Some((op, checked)), right),
                ty: Type::VOID,
                span,
            })),
            Kind::Builtin(..) => out.push(Stmt::Expr(Expr {
                kind: Kind::Assign(place, None, Box::new(combined)),
                ty: Type::VOID,
                span,
            })),
            _ => {}
        }
    }

    fn check_immutable(&mut self, slot: u64, span: Span) {
        let variable = self
            .scope
            .and_then(|c| self.sy.contracts.get(c))
            .and_then(|c| c.variables.iter().find(|v| v.slot == slot && v.immutable));
        if let Some(variable) = variable
            && !self.in_constructor
        {
            let name = variable.ast.name.clone();
            self.sink.push(
                Diagnostic::error("E0418", span, format!("`{}` is immutable", name.name))
                    .label("assigned outside the constructor")
                    .also(name.span, "declared here"),
            );
        }
    }

    fn require(&mut self, name: &str, args: &[ast::Arg], span: Span, out: &mut Vec<Stmt>) {
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
    fn failure(&mut self, value: Option<&ast::Expr>) -> Failure {
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

    fn custom(
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

    fn event_args(
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

    fn emit(&mut self, event: &ast::Expr, out: &mut Vec<Stmt>) {
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

    fn return_statement(&mut self, value: Option<&ast::Expr>, span: Span, out: &mut Vec<Stmt>) {
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

    /// A parameter's memory belongs to the caller: what is returned of it is copied.
    fn own_result(&self, value: Expr) -> Expr {
        let foreign = |e: &Expr| match &e.kind {
            Kind::Read(place) => place.root_local().is_some_and(|id| id < self.params()),
            Kind::Convert(_) | Kind::Ternary(..) | Kind::Literal(_) => true,
            _ => false,
        };
        match value.kind {
            Kind::Tuple(parts) => Expr {
                kind: Kind::Tuple(
                    parts
                        .into_iter()
                        .map(|p| if foreign(&p) { self.own(p) } else { p })
                        .collect(),
                ),
                ty: value.ty,
                span: value.span,
            },
            _ if foreign(&value) => self.own(value),
            _ => value,
        }
    }

    fn params(&self) -> usize {
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

    fn for_range(
        &mut self,
        name: &ast::Ident,
        from: &ast::Expr,
        to: &ast::Expr,
        body: &ast::Stmt,
        out: &mut Vec<Stmt>,
    ) {
        let a = self.expr(from, None);
        let b = self.expr(to, None);
        let (a, b) = if a.ty == Type::Number && b.ty == Type::Number {
            (self.settle(a), self.settle(b))
        } else {
            self.unify(a, b, None)
        };
        if !a.ty.is_integer() && a.ty != Type::Error {
            let found = self.name(&a.ty);
            self.error(
                "E0423",
                from.span,
                format!("a range needs integers, found `{found}`"),
                "not an integer",
            );
        }
        let ty = a.ty.clone();
        self.state.scopes.push(Default::default());
        let counter = self.declare(&name.name, ty.clone(), false, name.span);
        self.freeze(&name.name);
        let end = self.temporary(ty.clone(), to.span);
        let body = self.loop_body(body);
        let (read, last) = (
            self.read_local(counter, name.span),
            self.read_local(end, to.span),
        );
        self.state.scopes.pop();
        let place = Place {
            kind: PlaceKind::Local(counter),
            ty: ty.clone(),
            storage: false,
        };
        out.push(Stmt::Block(vec![
            Stmt::Let(counter, Some(a)),
            Stmt::Let(end, Some(b)),
            Stmt::Loop {
                condition: Some(Expr {
                    kind: Kind::Compare(BinaryOp::Lt, Box::new(read), Box::new(last)),
                    ty: Type::Bool,
                    span: name.span,
                }),
                late: false,
                body,
                // The counter is below the end, so it cannot overflow.
                step: vec![Stmt::Expr(Expr {
                    kind: Kind::Increment(place, false, true, false),
                    ty,
                    span: name.span,
                })],
            },
        ]));
    }

    fn for_in(
        &mut self,
        name: &ast::Ident,
        iterable: &ast::Expr,
        body: &ast::Stmt,
        out: &mut Vec<Stmt>,
    ) {
        let array = self.any_value(iterable);
        let span = array.span;
        let element = match &array.ty {
            Type::List(e) | Type::Array(e, _) => Type::clone(e),
            Type::Error => Type::Error,
            other => {
                let found = self.name(other);
                self.error(
                    "E0424",
                    span,
                    format!("`for … in` needs an array, found `{found}`"),
                    "not an array",
                );
                Type::Error
            }
        };
        self.state.scopes.push(Default::default());
        let mut all = Vec::new();
        // The array is found once: by its slot in state, by its address in memory.
        let base_ty = array.ty.clone();
        let place = match array.kind {
            Kind::Read(place) if place.storage => {
                let alias = self.declare("", base_ty.clone(), true, span);
                all.push(Stmt::Let(
                    alias,
                    Some(Expr {
                        kind: Kind::Slot(place),
                        ty: base_ty.clone(),
                        span,
                    }),
                ));
                Place {
                    kind: PlaceKind::Local(alias),
                    ty: base_ty.clone(),
                    storage: true,
                }
            }
            kind => {
                let holder = self.temporary(base_ty.clone(), span);
                all.push(Stmt::Let(
                    holder,
                    Some(Expr {
                        kind,
                        ty: base_ty.clone(),
                        span,
                    }),
                ));
                Place {
                    kind: PlaceKind::Local(holder),
                    ty: base_ty.clone(),
                    storage: false,
                }
            }
        };
        let index = self.temporary(Type::U256, span);
        let item = self.declare(&name.name, element.clone(), false, name.span);
        self.freeze(&name.name);
        let body = self.loop_body(body);
        self.state.scopes.pop();
        let at = self.read_local(index, span);
        let length = match &base_ty {
            Type::Array(_, n) => constant(U256::from(*n), Type::U256, span),
            _ => Expr {
                kind: Kind::Length(place.clone()),
                ty: Type::U256,
                span,
            },
        };
        let storage = place.storage;
        let mut full = vec![Stmt::Let(
            item,
            Some(Expr {
                kind: Kind::Read(Place {
                    kind: PlaceKind::Index(Box::new(place), Box::new(at.clone())),
                    ty: element.clone(),
                    storage,
                }),
                ty: element,
                span,
            }),
        )];
        full.extend(body);
        all.push(Stmt::Let(
            index,
            Some(constant(U256::ZERO, Type::U256, span)),
        ));
        all.push(Stmt::Loop {
            condition: Some(Expr {
                kind: Kind::Compare(BinaryOp::Lt, Box::new(at), Box::new(length)),
                ty: Type::Bool,
                span,
            }),
            late: false,
            body: full,
            step: vec![Stmt::Expr(Expr {
                kind: Kind::Increment(
                    Place {
                        kind: PlaceKind::Local(index),
                        ty: Type::U256,
                        storage: false,
                    },
                    false,
                    true,
                    false,
                ),
                ty: Type::U256,
                span,
            })],
        });
        out.push(Stmt::Block(all));
    }

    /// The block becomes a function of its own, called through the host under a limit. Locals
    /// that it can see travel in and out.
    fn gas_limit(&mut self, limit: &ast::Expr, body: &ast::Block, out: &mut Vec<Stmt>) {
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
