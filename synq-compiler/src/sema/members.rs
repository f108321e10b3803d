//! Elements, members and types behind a dot.

use alloy_primitives::U256;

use super::checker::{Checker, broken, constant};
use super::exprs::into_place;
use super::symbols::nearest;
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind};

impl Checker<'_, '_> {
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
    pub(super) fn static_member(
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
        if let Some(model) = self.sy.models.get(name).copied()
            && member.name == "hash"
        {
            let model = self.use_model(model);
            return Some(Expr {
                kind: Kind::Builtin(Builtin::ModelHash(model), Vec::new()),
                ty: Type::Bytes32,
                span,
            });
        }
        let known = self.scope.and_then(|c| self.sy.contracts.get(c));
        if known.is_some_and(|c| c.by_name.contains_key(name.as_str())) {
            return None;
        }
        let ty = self
            .sy
            .find_type(self.scope, name)
            .cloned()
            .or_else(|| super::types::elementary(name))?;
        Some(self.type_member(&ty, member, span))
    }

    pub(super) fn type_member(&mut self, ty: &Type, member: &ast::Ident, span: Span) -> Expr {
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

    pub(super) fn member(&mut self, object: Expr, member: &ast::Ident, span: Span) -> Expr {
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

    pub(super) fn type_argument_ast(&mut self, expr: &ast::Expr) -> Option<ast::TypeExpr> {
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
