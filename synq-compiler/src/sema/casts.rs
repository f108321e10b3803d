//! Conversions that are written, and structures from their fields.

use alloy_primitives::U256;

use super::checker::{Checker, broken, constant};
use super::literals;
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::Arg;

impl Checker<'_, '_> {
    /// `T(x)`: a conversion, a structure, or another contract's address.
    pub fn cast(&mut self, ty: Type, args: &[Arg], span: Span) -> Expr {
        if let Type::Struct(id) = ty {
            return self.structure(id, args, span);
        }
        if ty == Type::Error {
            return broken(span);
        }
        let name = self.name(&ty);
        let [arg] = args else {
            self.error(
                "E0205",
                span,
                format!("a conversion to `{name}` takes one value"),
                "wrong number of values",
            );
            return broken(span);
        };
        let wanted = match &ty {
            Type::UInt(_) | Type::Int(_) => None,
            other => Some(other.clone()),
        };
        let value = self.expr(&arg.value, wanted.as_ref());
        if value.ty == Type::Error {
            return value;
        }
        // A text of hex digits is the bytes they spell.
        if let (Kind::Literal(text), Type::Bytes | Type::Bytes32 | Type::Pq(_)) = (&value.kind, &ty)
        {
            let spelled = std::str::from_utf8(text).ok().and_then(literals::hex_bytes);
            let bytes = match spelled {
                Some(bytes) => bytes,
                None => {
                    if !text.is_empty() && ty == Type::Bytes {
                        self.sink.push(
                            Diagnostic::warning(
                                "W0301",
                                value.span,
                                "this text is not hex, so its characters are the bytes",
                            )
                            .label("taken as text"),
                        );
                    }
                    text.clone()
                }
            };
            let literal = Expr {
                kind: Kind::Literal(bytes),
                ty: Type::Bytes,
                span,
            };
            if matches!(ty, Type::Pq(_)) {
                return Expr {
                    kind: Kind::Convert(Box::new(literal)),
                    ty,
                    span,
                };
            }
            return self.coerce(literal, &ty);
        }
        if let Kind::Number(negative, magnitude) = &value.kind {
            let (negative, magnitude) = (*negative, *magnitude);
            return match &ty {
                Type::Address | Type::Contract(_) if !negative && magnitude.bit_len() <= 160 => {
                    constant(U256::saturating_from(magnitude), ty, span)
                }
                Type::Bytes32 if !negative && magnitude.bit_len() <= 256 => {
                    constant(U256::saturating_from(magnitude), ty, span)
                }
                Type::Enum(_) => {
                    let value = self.coerce(value, &Type::UInt(8));
                    self.convert(value, ty, span)
                }
                _ => {
                    let mut value = self.coerce(value, &ty);
                    value.span = span;
                    value
                }
            };
        }
        let good = match (&value.ty, &ty) {
            (a, b) if a == b => return value,
            (Type::UInt(_) | Type::Int(_), Type::UInt(_) | Type::Int(_)) => true,
            (Type::UInt(_), Type::Enum(_)) | (Type::Enum(_), Type::UInt(_)) => true,
            (Type::UInt(_), Type::Address) | (Type::Address, Type::UInt(_)) => true,
            (Type::UInt(256), Type::Bytes32) | (Type::Bytes32, Type::UInt(256)) => true,
            (Type::Address | Type::Contract(_), Type::Address | Type::Contract(_)) => true,
            (Type::Address, Type::Bytes32) | (Type::Bytes32, Type::Address) => true,
            (Type::Bytes32, Type::Bytes) | (Type::Address, Type::Bytes) => true,
            (Type::Bytes, Type::Bytes32) => true,
            (a, b) if a.is_bytes() && b.is_bytes() => match (a, b) {
                (Type::Pq(x), Type::Pq(y)) => {
                    x.algorithm == y.algorithm
                        && x.level == y.level
                        && matches!((x.role, y.role), (Role::KeyPair, Role::PublicKey))
                }
                _ => true,
            },
            (Type::Bool, Type::UInt(_)) => true,
            _ => false,
        };
        if !good {
            let from = self.name(&value.ty);
            self.error(
                "E0320",
                span,
                format!("`{from}` cannot be converted to `{name}`"),
                "no such conversion",
            );
            return broken(span);
        }
        self.convert(value, ty, span)
    }

    pub(super) fn convert(&mut self, value: Expr, ty: Type, span: Span) -> Expr {
        Expr {
            kind: Kind::Convert(Box::new(value)),
            ty,
            span,
        }
    }

    pub(super) fn structure(&mut self, id: usize, args: &[Arg], span: Span) -> Expr {
        let Some(definition) = self.sy.world.structs.get(id).cloned() else {
            return broken(span);
        };
        let ty = Type::Struct(id);
        if self.sy.world.has_mapping(&ty) {
            self.error(
                "E0310",
                span,
                format!(
                    "`{}` holds a mapping and lives in state only",
                    definition.name
                ),
                "not a value",
            );
            return broken(span);
        }
        let names: Vec<&str> = definition.fields.iter().map(|(n, _)| n.as_str()).collect();
        for arg in args {
            if let Some(name) = &arg.name
                && !names.contains(&name.name.as_str())
            {
                let name = name.clone();
                self.unknown_member(&ty, &name);
                return broken(span);
            }
        }
        let Some(ordered) = self.order_names(&definition.name, args, &names, span) else {
            return broken(span);
        };
        let mut values = Vec::new();
        for (arg, (_, field)) in ordered.iter().zip(&definition.fields) {
            let value = self.value(arg, field);
            values.push(self.own(value));
        }
        Expr {
            kind: Kind::Aggregate(values),
            ty,
            span,
        }
    }

    pub(super) fn concat(&mut self, values: Vec<Expr>, ty: Type, span: Span) -> Expr {
        let mut values = values.into_iter();
        let Some(first) = values.next() else {
            return Expr {
                kind: Kind::Literal(Vec::new()),
                ty,
                span,
            };
        };
        values.fold(first, |a, b| Expr {
            kind: Kind::Builtin(Builtin::Concat, vec![a, b]),
            ty: ty.clone(),
            span,
        })
    }
}
