//! Expressions and types.

use super::printer::Printer;
use crate::syntax::TokenKind;
use crate::syntax::ast::*;

impl Printer<'_> {
    pub(super) fn type_expr(&mut self, ty: &TypeExpr) {
        let mut lengths = Vec::new();
        let mut base = ty;
        // The outermost dimension is written first.
        while let TypeKind::Array { element, length } = &base.kind {
            lengths.push(length.as_deref());
            base = element;
        }
        match &base.kind {
            TypeKind::Mapping { key, value } => self.mapping(key, value),
            TypeKind::Named { path, level } => {
                for index in 0..path.len() {
                    if index > 0 {
                        self.tok();
                    }
                    self.tok();
                }
                if level.is_some() {
                    self.tok();
                    self.tok();
                    self.tok();
                }
            }
            TypeKind::Array { .. } | TypeKind::Invalid => {}
        }
        for length in lengths {
            self.tok();
            if let Some(length) = length {
                self.expr(length);
            }
            self.tok();
        }
    }

    /// Both spellings of a mapping become `mapping(Key => Value)`.
    fn mapping(&mut self, key: &TypeExpr, value: &TypeExpr) {
        self.tok();
        self.put("(");
        self.type_expr(key);
        if self.is(TokenKind::Ident) {
            self.space();
            self.tok();
        }
        self.space();
        self.put("=>");
        self.space();
        self.type_expr(value);
        if self.is(TokenKind::Ident) {
            self.space();
            self.tok();
        }
        if self.is(TokenKind::Shr) && !self.half_closed {
            self.half_closed = true;
            self.add(")");
        } else {
            self.half_closed = false;
            self.put(")");
        }
    }

    fn arg(&mut self, arg: &Arg) {
        if arg.name.is_some() {
            self.tok();
            self.tok();
            self.space();
        }
        self.expr(&arg.value);
    }

    /// `(…)` or `({…})`.
    pub(super) fn args(&mut self, args: &[Arg], braced: bool) {
        if braced {
            self.tok();
            self.list(args, false, Self::arg);
            self.tok();
        } else if let [only] = args
            && only.name.is_none()
            && matches!(only.value.kind, ExprKind::Call { .. } | ExprKind::Array(_))
        {
            // `push(P(…))` breaks inside, not twice.
            self.tok();
            self.arg(only);
            self.skip(TokenKind::Comma);
            self.tok();
        } else {
            self.list(args, false, Self::arg);
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_)
            | ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Name(_)
            | ExprKind::Invalid => self.tok(),
            ExprKind::String(_) => self.string(),
            ExprKind::Type(ty) => self.type_expr(ty),
            ExprKind::New { ty, args } => {
                self.tok();
                self.space();
                self.type_expr(ty);
                self.args(args, false);
            }
            ExprKind::Paren(inner) => {
                self.tok();
                self.expr(inner);
                self.tok();
            }
            ExprKind::Tuple(parts) => self.tuple(parts, Self::expr),
            ExprKind::Array(elements) => self.list(elements, false, Self::expr),
            ExprKind::Member { object, .. } => {
                self.expr(object);
                self.tok();
                self.tok();
            }
            ExprKind::Index { object, index } => {
                self.expr(object);
                self.tok();
                self.expr(index);
                self.tok();
            }
            ExprKind::Call {
                callee,
                options,
                args,
                braced,
            } => {
                self.expr(callee);
                if self.is(TokenKind::LBrace) {
                    self.list(options, false, Self::arg);
                }
                self.args(args, *braced);
            }
            ExprKind::Unary { operand, .. } => {
                let minus = self.is(TokenKind::Minus);
                self.tok();
                // `- -a` is not `--a`.
                if minus && matches!(self.next().kind, TokenKind::Minus | TokenKind::MinusMinus) {
                    self.space();
                }
                self.expr(operand);
            }
            ExprKind::Binary { op, .. } => {
                self.open();
                self.indent();
                self.chain(expr, *op);
                self.dedent();
                self.close();
            }
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => {
                self.open();
                self.indent();
                self.expr(condition);
                self.line();
                self.tok();
                self.space();
                self.expr(then);
                self.line();
                self.tok();
                self.space();
                self.expr(otherwise);
                self.dedent();
                self.close();
            }
            ExprKind::Assign { target, value, .. } => {
                self.expr(target);
                self.space();
                self.tok();
                self.space();
                self.expr(value);
            }
            ExprKind::Increment { prefix, target, .. } => {
                if *prefix {
                    self.tok();
                    self.expr(target);
                } else {
                    self.expr(target);
                    self.tok();
                }
            }
        }
    }

    /// Operands of operators that bind alike stand under one another.
    fn chain(&mut self, expr: &Expr, outer: BinaryOp) {
        let ExprKind::Binary { op, left, right } = &expr.kind else {
            return self.expr(expr);
        };
        if op.precedence() != outer.precedence() {
            return self.expr(expr);
        }
        self.chain(left, outer);
        self.line();
        self.tok();
        self.space();
        self.expr(right);
    }

    /// `(a, , b)`: places may be empty.
    pub(super) fn tuple<T>(&mut self, parts: &[Option<T>], mut each: impl FnMut(&mut Self, &T)) {
        self.tok();
        self.open();
        self.indent();
        self.softline();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 && self.is(TokenKind::Comma) {
                self.tok();
                self.line();
            }
            if let Some(part) = part {
                each(self, part);
            }
        }
        self.dedent();
        self.softline();
        self.close();
        self.tok();
    }
}
