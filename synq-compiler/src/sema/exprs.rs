//! Expressions and places.

use alloy_primitives::{U256, aliases::U512};

use super::checker::{Checker, broken, constant, fits};
use super::literals;
use super::symbols::{Scope, VariableDecl, nearest};
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind};

/// Bytes by which the source may grow in one run when constants are written out.
const MAX_EXPANDED: u64 = crate::compile::MAX_SOURCE as u64;

impl Checker<'_, '_> {
    /// A value of the given type.
    pub fn value(&mut self, expr: &ast::Expr, want: &Type) -> Expr {
        let value = self.expr(expr, Some(want));
        self.coerce(value, want)
    }

    /// A value of whatever type it has.
    pub fn any_value(&mut self, expr: &ast::Expr) -> Expr {
        let value = self.expr(expr, None);
        self.settle(value)
    }

    /// A value; a literal may be left without a type.
    pub fn expr(&mut self, expr: &ast::Expr, want: Option<&Type>) -> Expr {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Invalid => broken(span),
            ExprKind::Paren(inner) => self.expr(inner, want),
            ExprKind::Number(text) => self.number(text, want, span),
            ExprKind::String(text) => Expr {
                kind: Kind::Literal(text.clone().into_bytes()),
                ty: Type::String,
                span,
            },
            ExprKind::Bool(b) => constant(U256::from(u8::from(*b)), Type::Bool, span),
            ExprKind::Null => {
                self.error(
                    "E0303",
                    span,
                    "`null` is only compared with an entry of a mapping",
                    "not a value",
                );
                broken(span)
            }
            ExprKind::Name(_) | ExprKind::Member { .. } | ExprKind::Index { .. } => self.path(expr),
            ExprKind::Type(ty) => {
                let ty = self.sy.resolve(self.scope, ty, self.sink);
                let name = self.name(&ty);
                self.error(
                    "E0304",
                    span,
                    format!("`{name}` is a type, not a value"),
                    "a value is expected here",
                );
                broken(span)
            }
            ExprKind::New { ty, args } => self.new_array(ty, args, span),
            ExprKind::Tuple(parts) => {
                let wants = match want {
                    Some(Type::Tuple(types)) if types.len() == parts.len() => types.clone(),
                    _ => Vec::new(),
                };
                let mut values = Vec::new();
                for (i, part) in parts.iter().enumerate() {
                    match part {
                        Some(part) => values.push(match wants.get(i) {
                            Some(want) => self.value(part, want),
                            None => self.any_value(part),
                        }),
                        None => {
                            self.error(
                                "E0305",
                                span,
                                "a place in this tuple is empty",
                                "every place of a value needs an expression",
                            );
                            return broken(span);
                        }
                    }
                }
                let types = values.iter().map(|v| v.ty.clone()).collect();
                Expr {
                    kind: Kind::Tuple(values),
                    ty: Type::Tuple(types),
                    span,
                }
            }
            ExprKind::Array(elements) => self.array(elements, want, span),
            ExprKind::Call {
                callee,
                options,
                args,
                braced: _,
            } => self.call(callee, options, args, want, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, want, span),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right, want, span),
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.value(condition, &Type::Bool);
                let a = self.expr(then, want);
                let b = self.expr(otherwise, want);
                let (a, b) = self.unify(a, b, want);
                let ty = a.ty.clone();
                if ty == Type::Error || b.ty == Type::Error {
                    return broken(span);
                }
                Expr {
                    kind: Kind::Ternary(Box::new(condition), Box::new(a), Box::new(b)),
                    ty,
                    span,
                }
            }
            ExprKind::Assign { .. } => {
                self.error(
                    "E0306",
                    span,
                    "an assignment is a statement, not a value",
                    "used as a value",
                );
                broken(span)
            }
            ExprKind::Increment {
                decrement,
                prefix,
                target,
            } => self.increment(*decrement, *prefix, target, span),
        }
    }

    pub(super) fn number(&mut self, text: &str, want: Option<&Type>, span: Span) -> Expr {
        let Some(value) = literals::integer(text) else {
            let label = if text.contains('.') {
                "not an integer"
            } else if text.eq_ignore_ascii_case("0x") {
                "digits are missing"
            } else {
                "more than 256 bits"
            };
            self.error(
                "E0307",
                span,
                format!("`{text}` is not an integer of the language"),
                label,
            );
            return broken(span);
        };
        if literals::is_address(text) && !want.is_some_and(Type::is_integer) {
            return constant(value, Type::Address, span);
        }
        if want == Some(&Type::Bytes32) && text.len() == 66 && text.starts_with("0x") {
            return constant(value, Type::Bytes32, span);
        }
        Expr {
            kind: Kind::Number(false, U512::from(value)),
            ty: Type::Number,
            span,
        }
    }

    pub(super) fn array(
        &mut self,
        elements: &[ast::Expr],
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        let element = match want {
            Some(Type::Array(e, _) | Type::List(e)) => Some(Type::clone(e)),
            _ => None,
        };
        if elements.is_empty() && !matches!(want, Some(Type::List(_))) {
            self.error(
                "E0308",
                span,
                "the type of an empty array is not known here",
                "write `new T[](0)`",
            );
            return broken(span);
        }
        let mut values: Vec<Expr> = elements
            .iter()
            .map(|e| {
                let value = self.expr(e, element.as_ref());
                self.own(value)
            })
            .collect();
        let ty = match &element {
            Some(ty) => ty.clone(),
            None => {
                // The first typed element decides; literals follow it.
                let typed = values
                    .iter()
                    .map(|v| v.ty.clone())
                    .find(|t| *t != Type::Number);
                typed.unwrap_or(Type::U256)
            }
        };
        values = values.into_iter().map(|v| self.coerce(v, &ty)).collect();
        let ty = match want {
            Some(Type::List(_)) => Type::List(ty.into()),
            _ => Type::Array(ty.into(), values.len() as u32),
        };
        Expr {
            kind: Kind::Aggregate(values),
            ty,
            span,
        }
    }

    pub(super) fn new_array(&mut self, ty: &ast::TypeExpr, args: &[ast::Arg], span: Span) -> Expr {
        let resolved = self.sy.resolve(self.scope, ty, self.sink);
        let good = matches!(resolved, Type::List(_) | Type::Bytes | Type::String);
        let ([arg], true) = (args, good) else {
            if resolved != Type::Error {
                self.error(
                    "E0309",
                    span,
                    "`new` makes dynamic arrays and bytes of a length",
                    "expected `new T[](length)`",
                );
            }
            return broken(span);
        };
        if self.sy.world.has_mapping(&resolved) {
            self.error(
                "E0310",
                ty.span,
                "a mapping lives in state only",
                "not a value",
            );
            return broken(span);
        }
        let length = self.value(&arg.value, &Type::U256);
        Expr {
            kind: Kind::New(Box::new(length)),
            ty: resolved,
            span,
        }
    }

    /// Brings two operands to one type.
    pub fn unify(&mut self, a: Expr, b: Expr, want: Option<&Type>) -> (Expr, Expr) {
        if a.ty == b.ty {
            if a.ty == Type::Number {
                return match want {
                    Some(want) if want.is_integer() => (self.coerce(a, want), self.coerce(b, want)),
                    _ => (a, b),
                };
            }
            return (a, b);
        }
        if self.converts(&a, &b.ty) && b.ty != Type::Number {
            let ty = b.ty.clone();
            return (self.coerce(a, &ty), b);
        }
        let ty = a.ty.clone();
        if ty == Type::Number {
            let ty = b.ty.clone();
            return (self.coerce(a, &ty), b);
        }
        (a, self.coerce(b, &ty))
    }

    /// A place that may be written to.
    pub fn target(&mut self, expr: &ast::Expr) -> Option<Place> {
        if let Some((name, span)) = root_name(expr)
            && let Some((id, true)) = self.local(name)
        {
            let declared = self.state.locals.get(id).map_or(span, |l| l.span);
            self.sink.push(
                Diagnostic::error("E0401", span, format!("`{name}` cannot be changed"))
                    .label("assigned here")
                    .also(declared, "a loop's variable keeps its value"),
            );
            return None;
        }
        let value = self.path(expr);
        match value.kind {
            Kind::Read(place) if !matches!(place.kind, PlaceKind::Temp(_)) => {
                if matches!(&place.kind, PlaceKind::Index(base, _) if base.ty == Type::String) {
                    self.error(
                        "E0402",
                        expr.span,
                        "a string's bytes cannot be changed",
                        "use Bytes",
                    );
                    return None;
                }
                if matches!(&place.kind, PlaceKind::Index(base, _) if base.ty == Type::Bytes32
                    && (base.storage || !matches!(base.kind, PlaceKind::Local(_))))
                {
                    self.error(
                        "E0402",
                        expr.span,
                        "a byte of this `Bytes32` cannot be changed in its place",
                        "change a local, then assign the whole",
                    );
                    return None;
                }
                self.mutate(&place);
                self.check_immutable(&place, expr.span);
                Some(place)
            }
            Kind::Error => None,
            _ => {
                self.error(
                    "E0403",
                    expr.span,
                    "this cannot be assigned to",
                    "not a variable, field or element",
                );
                None
            }
        }
    }

    /// A name, member or index.
    pub(super) fn path(&mut self, expr: &ast::Expr) -> Expr {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Paren(inner) => self.path(inner),
            ExprKind::Name(name) => self.name_value(name, span),
            ExprKind::Index { object, index } => {
                let object = self.expr(object, None);
                self.index(object, index, span)
            }
            ExprKind::Member { object, member } => {
                if let Some(value) = self.static_member(object, member, span) {
                    return value;
                }
                let object = self.expr(object, None);
                self.member(object, member, span)
            }
            _ => self.expr(expr, None),
        }
    }

    pub(super) fn name_value(&mut self, name: &str, span: Span) -> Expr {
        if let Some((id, _)) = self.local(name) {
            return self.read_local(id, span);
        }
        if name == "this" {
            self.state.effects.reads = true;
            let ty = self.scope.map_or(Type::Address, Type::Contract);
            return Expr {
                kind: Kind::Builtin(Builtin::This, Vec::new()),
                ty,
                span,
            };
        }
        let own = self
            .scope
            .and_then(|c| self.sy.contracts.get(c))
            .and_then(|c| c.variables.get(*c.by_name.get(name)?));
        if let Some(variable) = own.or_else(|| self.sy.constants.get(name)) {
            if variable.constant {
                // What stands at file level means names at file level.
                let scope = own.and(self.scope);
                return self.constant_value(variable, scope, span);
            }
            self.state.effects.reads = true;
            let ty = variable.ty.clone();
            return Expr {
                ty: ty.clone(),
                kind: Kind::Read(Place {
                    kind: PlaceKind::State(variable.slot),
                    ty,
                    storage: true,
                }),
                span,
            };
        }
        self.unknown_name(name, span);
        broken(span)
    }

    pub(super) fn constant_value(
        &mut self,
        variable: &VariableDecl<'_>,
        scope: Scope,
        span: Span,
    ) -> Expr {
        let Some(init) = &variable.ast.init else {
            return broken(span);
        };
        let name = &variable.ast.name.name;
        let length = init.span.end.saturating_sub(init.span.start) as usize;
        let growth = length.saturating_sub(name.len()) as u64;
        let before = self.sy.expanded.get();
        self.sy.expanded.set(before.saturating_add(growth));
        if before > MAX_EXPANDED {
            return broken(span);
        }
        if before.saturating_add(growth) > MAX_EXPANDED {
            self.error(
                "E0434",
                span,
                format!("the value of `{name}` takes too long to write out"),
                "made of too many constants",
            );
            return broken(span);
        }
        if self.state.constants >= 16 {
            self.error(
                "E0404",
                span,
                format!("the value of `{name}` refers to itself"),
                "never comes to an end",
            );
            return broken(span);
        }
        self.state.constants += 1;
        let scopes = std::mem::take(&mut self.state.scopes);
        let around = std::mem::replace(&mut self.scope, scope);
        let mut value = self.value(init, &variable.ty);
        self.scope = around;
        self.state.scopes = scopes;
        self.state.constants -= 1;
        value.span = span;
        value
    }

    pub fn unknown_name(&mut self, name: &str, span: Span) {
        let contract = self.scope.and_then(|c| self.sy.contracts.get(c));
        if contract.is_some_and(|c| c.functions.iter().any(|f| f.name == name)) {
            self.error(
                "E0405",
                span,
                format!("`{name}` is a function"),
                format!("call it: `{name}(…)`"),
            );
            return;
        }
        if self.sy.find_type(self.scope, name).is_some() || super::types::elementary(name).is_some()
        {
            self.error(
                "E0304",
                span,
                format!("`{name}` is a type, not a value"),
                "a value is expected here",
            );
            return;
        }
        let mut known: Vec<&str> = vec!["this", "msg", "block", "abi"];
        known.extend(
            self.state
                .scopes
                .iter()
                .flat_map(|s| s.keys().map(String::as_str)),
        );
        if let Some(contract) = contract {
            known.extend(contract.variables.iter().map(|v| v.ast.name.name.as_str()));
        }
        known.extend(self.sy.constants.keys().map(String::as_str));
        let mut diagnostic =
            Diagnostic::error("E0201", span, format!("there is no variable `{name}`"))
                .label("unknown name");
        if name == "now" {
            diagnostic = diagnostic.suggest(span, "block.timestamp", "the time is");
        } else if let Some(near) = nearest(name, known) {
            diagnostic = diagnostic.suggest(span, near, "did you mean");
        }
        self.sink.push(diagnostic);
    }
}

/// The place an aggregate lies at; a value that was just made is a place of its own.
pub(crate) fn into_place(expr: Expr) -> Result<Place, Span> {
    let ty = expr.ty.clone();
    match expr.kind {
        Kind::Read(place) => Ok(place),
        Kind::Error => Err(expr.span),
        _ => Ok(Place {
            kind: PlaceKind::Temp(Box::new(expr)),
            ty,
            storage: false,
        }),
    }
}

fn root_name(expr: &ast::Expr) -> Option<(&str, Span)> {
    match &expr.kind {
        ExprKind::Name(name) => Some((name, expr.span)),
        ExprKind::Paren(inner) => root_name(inner),
        _ => None,
    }
}

/// Tells whether the number is one of the type's.
pub(crate) fn literal_fits(expr: &Expr, ty: &Type) -> bool {
    matches!(&expr.kind, Kind::Number(n, m) if fits(*n, *m, ty))
}
