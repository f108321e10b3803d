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
            let value = self.several(value);
            let Some(types) = self.parts(&value, targets.len(), span) else {
                return;
            };
            if targets.iter().flatten().any(|t| self.alias(t).is_some()) {
                self.assign_aliases(targets, value, span, out);
                return;
            }
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
            let value = self.coerce_parts(value, &wanted);
            let value = self.own_parts(value);
            out.push(Stmt::AssignMany(places, value));
            return;
        }
        // A storage alias is pointed at something else.
        if op.is_none()
            && let Some((id, ty)) = self.alias(target)
        {
            let value = self.expr(value, Some(&ty));
            let value = self.storage_reference(value, &ty);
            out.push(Stmt::Let(id, Some(value)));
            return;
        }
        let Some(place) = self.target(target) else {
            self.any_value(value);
            return;
        };
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

    /// The local that a target names, and its type, when it is a storage alias.
    fn alias(&self, target: &ast::Expr) -> Option<(usize, Type)> {
        let ExprKind::Name(name) = &target.kind else {
            return None;
        };
        let (id, _) = self.local(name)?;
        let local = self.state.locals.get(id).filter(|l| l.storage)?;
        Some((id, local.ty.clone()))
    }

    /// A tuple with storage aliases among its targets: they are pointed at something else once
    /// all values are known and all other places written.
    fn assign_aliases(
        &mut self,
        targets: &[Option<ast::Expr>],
        value: Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let Kind::Tuple(parts) = value.kind else {
            self.error(
                "E0319",
                span,
                "a storage reference is pointed at a place that is named here",
                "assign it apart",
            );
            return;
        };
        let (mut places, mut values, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for (target, part) in targets.iter().zip(parts) {
            if let Some((id, ty)) = target.as_ref().and_then(|t| self.alias(t)) {
                let value = self.storage_reference(part, &ty);
                let held = self.declare("", ty.clone(), true, span);
                out.push(Stmt::Let(held, Some(value)));
                let read = self.read_local(held, span);
                last.push(Stmt::Let(id, Some(self.storage_reference(read, &ty))));
                continue;
            }
            let place = match target {
                Some(target) => match self.target(target) {
                    Some(place) => Some(place),
                    None => return,
                },
                None => None,
            };
            let part = match &place {
                Some(place) => self.coerce(part, &place.ty.clone()),
                None => self.settle(part),
            };
            let held = self.temporary(part.ty.clone(), span);
            out.push(Stmt::Let(held, Some(self.own(part))));
            values.push(self.read_local(held, span));
            places.push(place);
        }
        if !values.is_empty() {
            let types = values.iter().map(|v| v.ty.clone()).collect();
            let value = Expr {
                kind: Kind::Tuple(values),
                ty: Type::Tuple(types),
                span,
            };
            out.push(Stmt::AssignMany(places, value));
        }
        out.extend(last);
    }

    /// Reports a change of an immutable variable, or of a part of one, outside the constructor.
    pub(super) fn check_immutable(&mut self, place: &Place, span: Span) {
        let slot = match &place.kind {
            PlaceKind::State(slot) => *slot,
            PlaceKind::Field(base, _) | PlaceKind::Index(base, _) | PlaceKind::Key(base, _) => {
                return self.check_immutable(base, span);
            }
            PlaceKind::Local(_) | PlaceKind::At(_) | PlaceKind::Temp(_) => return,
        };
        let variable = self
            .scope
            .and_then(|c| self.sy.contracts.get(c))
            .and_then(|c| c.variables.get(*c.immutables.get(&slot)?));
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
