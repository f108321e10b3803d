//! Operators, with constants computed on the way.

use alloy_primitives::{U256, aliases::U512};

use super::checker::{Checker, broken, constant};
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, ExprKind, UnaryOp};

impl Checker<'_, '_> {
    pub(super) fn unary(
        &mut self,
        op: UnaryOp,
        operand: &ast::Expr,
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
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

    pub(super) fn binary(
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

    pub(super) fn compare(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
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

    pub(super) fn compare_null(&mut self, op: BinaryOp, side: &ast::Expr, span: Span) -> Expr {
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

    pub(super) fn increment(
        &mut self,
        decrement: bool,
        prefix: bool,
        target: &ast::Expr,
        span: Span,
    ) -> Expr {
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
