//! Loops over ranges and arrays.

use alloy_primitives::U256;

use super::checker::{Checker, constant};
use crate::ir::*;
use crate::syntax::ast::{self, BinaryOp};

impl Checker<'_, '_> {
    pub(super) fn loop_body(&mut self, body: &ast::Stmt) -> Vec<Stmt> {
        self.state.loops += 1;
        let body = self.scoped(body);
        self.state.loops -= 1;
        body
    }

    pub(super) fn for_range(
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

    pub(super) fn for_in(
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
        let element = self.own(Expr {
            kind: Kind::Read(Place {
                kind: PlaceKind::Index(Box::new(place), Box::new(at.clone())),
                ty: element.clone(),
                storage,
            }),
            ty: element,
            span,
        });
        let mut full = vec![Stmt::Let(item, Some(element))];
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
}
