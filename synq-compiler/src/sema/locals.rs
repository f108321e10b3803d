//! Declarations of locals, and references to state.

use super::checker::{Checker, broken};
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast;

impl Checker<'_, '_> {
    pub(super) fn local_type(&mut self, binding: &ast::Binding) -> Option<Type> {
        let ty = binding.ty.as_ref()?;
        Some(self.sy.resolve(self.scope, ty, self.sink))
    }

    pub(super) fn check_local(&mut self, ty: &Type, storage: bool, span: Span) -> bool {
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

    pub(super) fn local_statement(
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
        let value = self.several(init);
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
        let value = self.coerce_parts(value, &wanted);
        let value = self.own_parts(value);
        out.push(Stmt::LetMany(ids, value));
    }

    /// A value that is taken apart. Literals that stand in it take the types of their places.
    pub(super) fn several(&mut self, expr: &ast::Expr) -> Expr {
        match &expr.kind {
            ast::ExprKind::Paren(inner) => self.several(inner),
            ast::ExprKind::Tuple(parts) if parts.iter().all(Option::is_some) => {
                let parts = parts.iter().flatten();
                let values: Vec<Expr> = parts.map(|part| self.expr(part, None)).collect();
                Expr {
                    ty: Type::Tuple(values.iter().map(|v| v.ty.clone()).collect()),
                    kind: Kind::Tuple(values),
                    span: expr.span,
                }
            }
            _ => self.any_value(expr),
        }
    }

    /// Brings the parts of a tuple to the types of their places.
    pub(super) fn coerce_parts(&mut self, value: Expr, wanted: &[Type]) -> Expr {
        let Kind::Tuple(parts) = value.kind else {
            return value;
        };
        let parts = parts.into_iter().zip(wanted);
        let parts = parts.map(|(part, ty)| self.coerce(part, ty)).collect();
        Expr {
            kind: Kind::Tuple(parts),
            ty: Type::Tuple(wanted.to_vec()),
            span: value.span,
        }
    }

    /// Several values, each of its own.
    pub(super) fn own_parts(&self, value: Expr) -> Expr {
        let kind = match value.kind {
            Kind::Tuple(parts) => Kind::Tuple(parts.into_iter().map(|p| self.own(p)).collect()),
            Kind::Ternary(c, a, b) if matches!(value.ty, Type::Tuple(_)) => {
                let sides = [a, b].map(|side| Box::new(self.own_parts(*side)));
                let [a, b] = sides;
                Kind::Ternary(c, a, b)
            }
            kind => kind,
        };
        Expr { kind, ..value }
    }

    /// Types of the values that are taken apart.
    pub(super) fn parts(&mut self, value: &Expr, places: usize, span: Span) -> Option<Vec<Type>> {
        match &value.ty {
            Type::Error => None,
            Type::Tuple(types) if types.len() == places => match &value.kind {
                Kind::Tuple(parts) => Some(parts.iter().map(natural).collect()),
                _ => Some(types.clone()),
            },
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

    pub(super) fn storage_reference(&mut self, value: Expr, ty: &Type) -> Expr {
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
}

/// Type of a value whose place asks for none.
fn natural(value: &Expr) -> Type {
    match &value.kind {
        Kind::Number(true, _) => Type::Int(256),
        _ if value.ty == Type::Number => Type::U256,
        _ => value.ty.clone(),
    }
}
