//! Expressions and places.

use alloy_primitives::{U256, aliases::U512};

use super::checker::{Checker, broken, constant, fits};
use super::literals;
use super::symbols::nearest;
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, ExprKind, UnaryOp};

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

    fn number(&mut self, text: &str, want: Option<&Type>, span: Span) -> Expr {
        let Some(value) = literals::integer(text) else {
            let label = if text.contains('.') {
                "not an integer"
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

    fn array(&mut self, elements: &[ast::Expr], want: Option<&Type>, span: Span) -> Expr {
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

    fn new_array(&mut self, ty: &ast::TypeExpr, args: &[ast::Arg], span: Span) -> Expr {
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

    fn unary(&mut self, op: UnaryOp, operand: &ast::Expr, want: Option<&Type>, span: Span) -> Expr {
        match op {
            UnaryOp::Not => {
                let inner = self.value(operand, &Type::Bool);
                Expr {
                    kind: Kind::Not(Box::new(inner)),
                    ty: Type::Bool,
                    span,
                }
            }
            UnaryOp::Neg => {
                let inner = self.expr(operand, want);
                match inner.kind {
                    Kind::Number(negative, magnitude) => Expr {
                        kind: Kind::Number(!negative && !magnitude.is_zero(), magnitude),
                        ty: Type::Number,
                        span,
                    },
                    _ if inner.ty.is_signed() => Expr {
                        ty: inner.ty.clone(),
                        kind: Kind::Neg(Box::new(inner), !self.state.unchecked),
                        span,
                    },
                    _ => {
                        if inner.ty != Type::Error {
                            let name = self.name(&inner.ty);
                            self.error(
                                "E0311",
                                span,
                                format!("`-` needs a signed integer, found `{name}`"),
                                "has no negative",
                            );
                        }
                        broken(span)
                    }
                }
            }
            UnaryOp::BitNot => {
                let inner = self.expr(operand, want);
                let inner = self.settle(inner);
                if !inner.ty.is_integer() && inner.ty != Type::Bytes32 {
                    if inner.ty != Type::Error {
                        let name = self.name(&inner.ty);
                        self.error(
                            "E0311",
                            span,
                            format!("`~` needs an integer, found `{name}`"),
                            "not an integer",
                        );
                    }
                    return broken(span);
                }
                Expr {
                    ty: inner.ty.clone(),
                    kind: Kind::BitNot(Box::new(inner)),
                    span,
                }
            }
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let l = Box::new(self.value(left, &Type::Bool));
                let r = Box::new(self.value(right, &Type::Bool));
                let kind = if op == BinaryOp::And {
                    Kind::And(l, r)
                } else {
                    Kind::Or(l, r)
                };
                Expr {
                    kind,
                    ty: Type::Bool,
                    span,
                }
            }
            BinaryOp::Eq
            | BinaryOp::Ne
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge => self.compare(op, left, right, span),
            BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Pow => {
                let l = self.expr(left, want);
                let r = self.expr(right, None);
                if let Some(folded) = fold(op, &l, &r, span) {
                    return folded;
                }
                let l = match (&l.kind, want) {
                    (Kind::Number(..), Some(want)) if want.is_integer() => self.coerce(l, want),
                    _ => self.settle(l),
                };
                let r = self.settle(r);
                self.arith(op, l, r, span)
            }
            _ => {
                // A literal takes the other side's type, not the one that is wanted.
                let l = self.expr(left, None);
                let r = self.expr(right, None);
                if let Some(folded) = fold(op, &l, &r, span) {
                    return folded;
                }
                let (l, r) = if l.ty == Type::Number && r.ty == Type::Number {
                    (self.settle(l), self.settle(r))
                } else {
                    self.unify(l, r, None)
                };
                self.arith(op, l, r, span)
            }
        }
    }

    /// Arithmetic on typed operands.
    pub fn arith(&mut self, op: BinaryOp, l: Expr, r: Expr, span: Span) -> Expr {
        if l.ty == Type::Error || r.ty == Type::Error {
            return broken(span);
        }
        let bitwise = matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor);
        let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
        let word = (bitwise || shift) && l.ty == Type::Bytes32;
        if op == BinaryOp::Add && l.ty == r.ty && matches!(l.ty, Type::String | Type::Bytes) {
            return Expr {
                ty: l.ty.clone(),
                kind: Kind::Builtin(Builtin::Concat, vec![l, r]),
                span,
            };
        }
        if bitwise && l.ty == Type::Bool {
            return Expr {
                kind: Kind::Arith(op, Box::new(l), Box::new(r), false),
                ty: Type::Bool,
                span,
            };
        }
        if !(l.ty.is_integer() || word) {
            let name = self.name(&l.ty);
            self.error(
                "E0311",
                l.span,
                format!("`{}` needs integers, found `{name}`", op.text()),
                "not an integer",
            );
            return broken(span);
        }
        if (shift || op == BinaryOp::Pow) && !matches!(r.ty, Type::UInt(_)) {
            let name = self.name(&r.ty);
            self.error(
                "E0312",
                r.span,
                format!(
                    "the right side of `{}` is an unsigned integer, found `{name}`",
                    op.text()
                ),
                "not unsigned",
            );
            return broken(span);
        }
        if matches!(op, BinaryOp::Div | BinaryOp::Rem)
            && matches!(&r.kind, Kind::Const(c) if c.is_zero())
        {
            self.error("E0313", r.span, "division by zero", "always zero");
            return broken(span);
        }
        let ty = l.ty.clone();
        Expr {
            kind: Kind::Arith(op, Box::new(l), Box::new(r), !self.state.unchecked),
            ty,
            span,
        }
    }

    fn compare(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let null = |e: &ast::Expr| matches!(e.kind, ExprKind::Null);
        if null(left) || null(right) {
            let side = if null(left) { right } else { left };
            return self.compare_null(op, side, span);
        }
        let l = self.expr(left, None);
        let r = self.expr(right, None);
        if let Some(folded) = fold(op, &l, &r, span) {
            return folded;
        }
        let (l, r) = if l.ty == Type::Number && r.ty == Type::Number {
            (self.settle(l), self.settle(r))
        } else {
            self.unify(l, r, None)
        };
        if l.ty == Type::Error || r.ty == Type::Error {
            return broken(span);
        }
        let ordered = !matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        let good = if ordered {
            l.ty.is_integer() || matches!(l.ty, Type::Address | Type::Bytes32 | Type::Enum(_))
        } else {
            l.ty.is_value() || l.ty.is_bytes()
        };
        if !good {
            let name = self.name(&l.ty);
            self.error(
                "E0314",
                span,
                format!(
                    "values of type `{name}` cannot be compared with `{}`",
                    op.text()
                ),
                "no such comparison",
            );
            return broken(span);
        }
        Expr {
            kind: Kind::Compare(op, Box::new(l), Box::new(r)),
            ty: Type::Bool,
            span,
        }
    }

    fn compare_null(&mut self, op: BinaryOp, side: &ast::Expr, span: Span) -> Expr {
        let value = self.expr(side, None);
        if value.ty == Type::Error {
            return value;
        }
        let place = match (value.kind, op) {
            (Kind::Read(place), BinaryOp::Eq | BinaryOp::Ne)
                if place.storage
                    && (matches!(place.ty, Type::Struct(_))
                        || place.ty.is_bytes()
                        || place.ty.is_value()) =>
            {
                place
            }
            _ => {
                self.error(
                    "E0303",
                    span,
                    "`null` is only compared, with `==` or `!=`, with an entry in state",
                    "not an entry in state",
                );
                return broken(span);
            }
        };
        let test = Expr {
            kind: Kind::IsNull(place),
            ty: Type::Bool,
            span,
        };
        if op == BinaryOp::Eq {
            return test;
        }
        Expr {
            kind: Kind::Not(Box::new(test)),
            ty: Type::Bool,
            span,
        }
    }

    fn increment(&mut self, decrement: bool, prefix: bool, target: &ast::Expr, span: Span) -> Expr {
        let Some(place) = self.target(target) else {
            return broken(span);
        };
        if !place.ty.is_integer() {
            let name = self.name(&place.ty);
            self.error(
                "E0311",
                span,
                format!("`++` and `--` need an integer, found `{name}`"),
                "not an integer",
            );
            return broken(span);
        }
        let ty = place.ty.clone();
        Expr {
            kind: Kind::Increment(place, decrement, prefix, !self.state.unchecked),
            ty,
            span,
        }
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
                self.mutate(&place);
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
    fn path(&mut self, expr: &ast::Expr) -> Expr {
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

    fn name_value(&mut self, name: &str, span: Span) -> Expr {
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
        let variable = self
            .scope
            .and_then(|c| self.sy.contracts.get(c))
            .and_then(|c| c.variables.iter().find(|v| v.ast.name.name == name))
            .or_else(|| self.sy.constants.get(name));
        if let Some(variable) = variable {
            if variable.constant {
                return self.constant_value(&variable.ast.init, &variable.ty.clone(), name, span);
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

    fn constant_value(
        &mut self,
        init: &Option<ast::Expr>,
        ty: &Type,
        name: &str,
        span: Span,
    ) -> Expr {
        let Some(init) = init else {
            return broken(span);
        };
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
        let mut value = self.value(init, ty);
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

    pub fn index(&mut self, object: Expr, index: &ast::Expr, span: Span) -> Expr {
        let base = match into_place(object) {
            Ok(base) => base,
            Err(span) => return broken(span),
        };
        let (element, kind) = match base.ty.clone() {
            Type::Mapping(key, value) => {
                let key = self.value(index, &key);
                (
                    Type::clone(&value),
                    PlaceKind::Key(Box::new(base.clone()), Box::new(key)),
                )
            }
            Type::Array(element, n) => {
                let i = self.value(index, &Type::U256);
                if let Kind::Const(c) = &i.kind
                    && *c >= U256::from(n)
                {
                    self.error(
                        "E0315",
                        i.span,
                        format!("index {c} is past the end of an array of {n}"),
                        "out of range",
                    );
                }
                (
                    Type::clone(&element),
                    PlaceKind::Index(Box::new(base.clone()), Box::new(i)),
                )
            }
            Type::List(element) => {
                let i = self.value(index, &Type::U256);
                (
                    Type::clone(&element),
                    PlaceKind::Index(Box::new(base.clone()), Box::new(i)),
                )
            }
            Type::Bytes | Type::String | Type::Bytes32 => {
                let i = self.value(index, &Type::U256);
                (
                    Type::UInt(8),
                    PlaceKind::Index(Box::new(base.clone()), Box::new(i)),
                )
            }
            Type::Error => {
                self.any_value(index);
                return broken(span);
            }
            other => {
                let name = self.name(&other);
                self.error(
                    "E0316",
                    span,
                    format!("a value of type `{name}` has no elements"),
                    "not an array, bytes or mapping",
                );
                return broken(span);
            }
        };
        Expr {
            ty: element.clone(),
            kind: Kind::Read(Place {
                kind,
                storage: base.storage,
                ty: element,
            }),
            span,
        }
    }

    /// `msg.sender`, `State.Open`, `Model.hash` and the like.
    fn static_member(
        &mut self,
        object: &ast::Expr,
        member: &ast::Ident,
        span: Span,
    ) -> Option<Expr> {
        if let ExprKind::Call { callee, args, .. } = &object.kind
            && matches!(&callee.kind, ExprKind::Name(n) if n == "type")
            && let [arg] = args.as_slice()
        {
            let ty = self.type_argument(&arg.value)?;
            return Some(self.type_member(&ty, member, span));
        }
        let ExprKind::Name(name) = &object.kind else {
            return None;
        };
        if self.local(name).is_some() {
            return None;
        }
        let builtin = match (name.as_str(), member.name.as_str()) {
            ("msg", "sender") => Some((Builtin::Sender, Type::Address)),
            ("msg", "value") => {
                self.state.effects.value = true;
                Some((Builtin::Value, Type::U256))
            }
            ("msg", "data") => Some((Builtin::MessageData, Type::Bytes)),
            ("tx", "origin") => Some((Builtin::Origin, Type::Address)),
            ("block", "number") => Some((Builtin::BlockNumber, Type::U256)),
            ("block", "timestamp") => Some((Builtin::Timestamp, Type::U256)),
            ("block", "chainid") => Some((Builtin::ChainId, Type::U256)),
            _ => None,
        };
        if let Some((builtin, ty)) = builtin {
            self.state.effects.reads = true;
            return Some(Expr {
                kind: Kind::Builtin(builtin, Vec::new()),
                ty,
                span,
            });
        }
        if matches!(name.as_str(), "msg" | "block" | "tx") {
            let members: &[&str] = match name.as_str() {
                "msg" => &["sender", "value", "data"],
                "block" => &["number", "timestamp", "chainid"],
                _ => &["origin"],
            };
            let mut diagnostic = Diagnostic::error(
                "E0204",
                member.span,
                format!("`{name}` has no member `{}`", member.name),
            )
            .label("unknown member")
            .note(format!("members: {}", members.join(", ")));
            if let Some(near) = nearest(&member.name, members.iter().copied()) {
                diagnostic = diagnostic.suggest(member.span, near, "did you mean");
            }
            self.sink.push(diagnostic);
            return Some(broken(span));
        }
        if let Some(model) = self.sy.models.get(name)
            && member.name == "hash"
        {
            return Some(Expr {
                kind: Kind::Builtin(Builtin::ModelHash(*model), Vec::new()),
                ty: Type::Bytes32,
                span,
            });
        }
        let known = self.scope.and_then(|c| self.sy.contracts.get(c));
        if known.is_some_and(|c| c.variables.iter().any(|v| v.ast.name.name == *name)) {
            return None;
        }
        let ty = self
            .sy
            .find_type(self.scope, name)
            .cloned()
            .or_else(|| super::types::elementary(name))?;
        Some(self.type_member(&ty, member, span))
    }

    fn type_member(&mut self, ty: &Type, member: &ast::Ident, span: Span) -> Expr {
        match (ty, member.name.as_str()) {
            (Type::Enum(id), name) => {
                let members = self.sy.world.enums.get(*id).map(|e| e.members.clone());
                let members = members.unwrap_or_default();
                if let Some(index) = members.iter().position(|m| m == name) {
                    return constant(U256::from(index), ty.clone(), span);
                }
                let type_name = self.name(ty);
                let mut diagnostic = Diagnostic::error(
                    "E0204",
                    member.span,
                    format!("enum `{type_name}` has no member `{name}`"),
                )
                .label("unknown member")
                .note(format!("members: {}", members.join(", ")));
                if let Some(near) = nearest(name, members.iter().map(String::as_str)) {
                    diagnostic = diagnostic.suggest(member.span, near, "did you mean");
                }
                self.sink.push(diagnostic);
                broken(span)
            }
            (Type::UInt(bits), "max") => {
                constant(U256::MAX >> (256 - usize::from(*bits)), ty.clone(), span)
            }
            (Type::UInt(_), "min") => constant(U256::ZERO, ty.clone(), span),
            (Type::Int(bits), "max") => {
                constant(U256::MAX >> (257 - usize::from(*bits)), ty.clone(), span)
            }
            (Type::Int(bits), "min") => {
                constant(U256::MAX << (usize::from(*bits) - 1), ty.clone(), span)
            }
            _ => {
                let type_name = self.name(ty);
                self.error(
                    "E0204",
                    member.span,
                    format!("type `{type_name}` has no member `{}`", member.name),
                    "unknown member",
                );
                broken(span)
            }
        }
    }

    fn member(&mut self, object: Expr, member: &ast::Ident, span: Span) -> Expr {
        let name = member.name.as_str();
        match (&object.ty, name) {
            (Type::Error, _) => broken(span),
            (Type::Struct(id), _) => {
                let id = *id;
                let field = self
                    .sy
                    .world
                    .structs
                    .get(id)
                    .and_then(|s| s.fields.iter().position(|(n, _)| n == name));
                let Some(field) = field else {
                    self.unknown_member(&object.ty, member);
                    return broken(span);
                };
                let ty = self
                    .sy
                    .world
                    .structs
                    .get(id)
                    .and_then(|s| s.fields.get(field))
                    .map_or(Type::Error, |(_, t)| t.clone());
                let base = match into_place(object) {
                    Ok(base) => base,
                    Err(span) => return broken(span),
                };
                Expr {
                    ty: ty.clone(),
                    kind: Kind::Read(Place {
                        storage: base.storage,
                        kind: PlaceKind::Field(Box::new(base), field),
                        ty,
                    }),
                    span,
                }
            }
            (Type::Array(_, n), "length") => constant(U256::from(*n), Type::U256, span),
            (Type::List(_) | Type::Bytes | Type::String | Type::Pq(_), "length") => {
                match into_place(object) {
                    Ok(place) => Expr {
                        kind: Kind::Length(place),
                        ty: Type::U256,
                        span,
                    },
                    Err(span) => broken(span),
                }
            }
            (Type::Bytes32, "length") => constant(U256::from(32), Type::U256, span),
            (Type::Address | Type::Contract(_), "balance") => {
                self.state.effects.reads = true;
                let address = self.coerce(object, &Type::Address);
                Expr {
                    kind: Kind::Builtin(Builtin::Balance, vec![address]),
                    ty: Type::U256,
                    span,
                }
            }
            _ => {
                self.unknown_member(&object.ty, member);
                broken(span)
            }
        }
    }

    pub fn unknown_member(&mut self, ty: &Type, member: &ast::Ident) {
        let mut members: Vec<String> = match ty {
            Type::Struct(id) => self
                .sy
                .world
                .structs
                .get(*id)
                .map(|s| s.fields.iter().map(|(n, _)| n.clone()).collect())
                .unwrap_or_default(),
            Type::List(_) => vec!["length".into(), "push".into(), "pop".into()],
            Type::Bytes | Type::String | Type::Array(..) => vec!["length".into()],
            Type::Address => vec!["balance".into(), "transfer".into(), "send".into()],
            Type::Contract(id) => self
                .sy
                .contracts
                .get(*id)
                .map(|c| c.functions.iter().map(|f| f.name.clone()).collect())
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        members.dedup();
        let name = self.name(ty);
        let mut diagnostic = Diagnostic::error(
            "E0204",
            member.span,
            format!("a value of type `{name}` has no member `{}`", member.name),
        )
        .label("unknown member");
        if !members.is_empty() {
            diagnostic = diagnostic.note(format!("members: {}", members.join(", ")));
        }
        if let Some(near) = nearest(&member.name, members.iter().map(String::as_str)) {
            diagnostic = diagnostic.suggest(member.span, near, "did you mean");
        }
        self.sink.push(diagnostic);
    }

    /// An expression that names a type.
    pub fn type_argument(&mut self, expr: &ast::Expr) -> Option<Type> {
        let kind = match &expr.kind {
            ExprKind::Paren(inner) => return self.type_argument(inner),
            ExprKind::Type(ty) => {
                return Some(self.sy.resolve(self.scope, ty, self.sink));
            }
            ExprKind::Name(name) => ast::TypeKind::Named {
                path: vec![ast::Ident {
                    name: name.clone(),
                    span: expr.span,
                }],
                level: None,
            },
            // `UInt8[4]` reads as an index.
            ExprKind::Index { object, index } => {
                let element = self.type_argument_ast(object)?;
                ast::TypeKind::Array {
                    element: Box::new(element),
                    length: Some(index.clone()),
                }
            }
            _ => {
                self.error("E0317", expr.span, "expected a type here", "not a type");
                return None;
            }
        };
        let ty = ast::TypeExpr {
            kind,
            span: expr.span,
        };
        Some(self.sy.resolve(self.scope, &ty, self.sink))
    }

    fn type_argument_ast(&mut self, expr: &ast::Expr) -> Option<ast::TypeExpr> {
        let kind = match &expr.kind {
            ExprKind::Name(name) => ast::TypeKind::Named {
                path: vec![ast::Ident {
                    name: name.clone(),
                    span: expr.span,
                }],
                level: None,
            },
            ExprKind::Index { object, index } => ast::TypeKind::Array {
                element: Box::new(self.type_argument_ast(object)?),
                length: Some(index.clone()),
            },
            _ => {
                self.error("E0317", expr.span, "expected a type here", "not a type");
                return None;
            }
        };
        Some(ast::TypeExpr {
            kind,
            span: expr.span,
        })
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

/// Computes with two literals. None when one of them has a type, or the result has none.
fn fold(op: BinaryOp, l: &Expr, r: &Expr, span: Span) -> Option<Expr> {
    let (Kind::Number(ln, l), Kind::Number(rn, r)) = (&l.kind, &r.kind) else {
        return None;
    };
    let (ln, l, rn, r) = (*ln, *l, *rn, *r);
    let number = |negative: bool, magnitude: U512| {
        Some(Expr {
            kind: Kind::Number(negative && !magnitude.is_zero(), magnitude),
            ty: Type::Number,
            span,
        })
    };
    let sum = |ln: bool, l: U512, rn: bool, r: U512| {
        if ln == rn {
            number(ln, l.checked_add(r)?)
        } else if l >= r {
            number(ln, l - r)
        } else {
            number(rn, r - l)
        }
    };
    let order = || match (ln, rn) {
        (false, false) => l.cmp(&r),
        (true, true) => r.cmp(&l),
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
    };
    let truth = |b: bool| Some(constant(U256::from(u8::from(b)), Type::Bool, span));
    match op {
        BinaryOp::Add => sum(ln, l, rn, r),
        BinaryOp::Sub => sum(ln, l, !rn, r),
        BinaryOp::Mul => number(ln != rn, l.checked_mul(r)?),
        BinaryOp::Div if !r.is_zero() => number(ln != rn, l / r),
        BinaryOp::Rem if !r.is_zero() => number(ln, l % r),
        BinaryOp::Pow if !rn => number(ln && r.bit(0), l.checked_pow(r)?),
        BinaryOp::Shl if !ln && !rn && r < U512::from(512) => {
            let n = r.to::<usize>();
            (l.bit_len() + n <= 512).then(|| number(false, l << n))?
        }
        BinaryOp::Shr if !ln && !rn => {
            let n = if r < U512::from(512) {
                r.to::<usize>()
            } else {
                512
            };
            number(false, l >> n)
        }
        BinaryOp::BitAnd if !ln && !rn => number(false, l & r),
        BinaryOp::BitOr if !ln && !rn => number(false, l | r),
        BinaryOp::BitXor if !ln && !rn => number(false, l ^ r),
        BinaryOp::Eq => truth(order().is_eq()),
        BinaryOp::Ne => truth(order().is_ne()),
        BinaryOp::Lt => truth(order().is_lt()),
        BinaryOp::Le => truth(order().is_le()),
        BinaryOp::Gt => truth(order().is_gt()),
        BinaryOp::Ge => truth(order().is_ge()),
        _ => None,
    }
}

/// Tells whether the number is one of the type's.
pub(crate) fn literal_fits(expr: &Expr, ty: &Type) -> bool {
    matches!(&expr.kind, Kind::Number(n, m) if fits(*n, *m, ty))
}
