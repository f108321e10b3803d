//! Assignments.

use super::checker::Checker;
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, ExprKind};

impl Checker<'_, '_> {
    pub(super) fn assign(
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

    pub(super) fn check_immutable(&mut self, slot: u64, span: Span) {
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
}
