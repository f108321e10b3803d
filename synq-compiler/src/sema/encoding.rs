//! `abi.encode` and its kin.

use alloy_primitives::U256;

use super::calls::result_type;
use super::checker::{Checker, broken, constant};
use super::symbols::nearest;
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, Arg, ExprKind};

impl Checker<'_, '_> {
    pub(super) fn abi(&mut self, member: &ast::Ident, args: &[Arg], span: Span) -> Expr {
        let (selector, rest) = match (member.name.as_str(), args) {
            ("encode" | "encodePacked", args) => (None, args),
            ("encodeWithSignature", [first, rest @ ..]) => {
                let ExprKind::String(text) = &first.value.kind else {
                    self.error(
                        "E0321",
                        first.value.span,
                        "the signature must be a string literal",
                        "not a literal",
                    );
                    return broken(span);
                };
                let hash = alloy_primitives::keccak256(text.as_bytes());
                let mut word = [0; 32];
                for (to, from) in word.iter_mut().zip(hash.iter().take(4)) {
                    *to = *from;
                }
                (
                    Some(constant(U256::from_be_bytes(word), Type::Bytes32, span)),
                    rest,
                )
            }
            ("encodeWithSelector", [first, rest @ ..]) => {
                let value = match self.expr(&first.value, Some(&Type::UInt(32))) {
                    Expr {
                        kind: Kind::Number(false, n),
                        ..
                    } if n.bit_len() <= 32 => {
                        constant(U256::saturating_from(n) << 224, Type::Bytes32, span)
                    }
                    other => self.coerce(other, &Type::Bytes32),
                };
                (Some(value), rest)
            }
            ("decode", [data, types]) => return self.decode(&data.value, &types.value, span),
            (name, _) => {
                let known = [
                    "encode",
                    "encodePacked",
                    "encodeWithSelector",
                    "encodeWithSignature",
                    "decode",
                ];
                let mut diagnostic = Diagnostic::error(
                    "E0204",
                    member.span,
                    format!("`abi.{name}` does not exist or takes other arguments"),
                )
                .label("unknown form")
                .note(format!("members: {}", known.join(", ")));
                if let Some(near) = nearest(name, known) {
                    diagnostic = diagnostic.suggest(member.span, near, "did you mean");
                }
                self.sink.push(diagnostic);
                return broken(span);
            }
        };
        let mut values = Vec::new();
        for arg in rest {
            let value = self.any_value(&arg.value);
            if value.ty != Type::Error && self.sy.world.abi_name(&value.ty).is_none() {
                let name = self.name(&value.ty);
                self.error(
                    "E0322",
                    value.span,
                    format!("`{name}` has no ABI encoding"),
                    "cannot be encoded",
                );
                return broken(span);
            }
            values.push(value);
        }
        let packed = member.name == "encodePacked";
        if packed && let Some(bad) = values.iter().find(|v| matches!(v.ty, Type::Struct(_))) {
            let place = bad.span;
            self.error(
                "E0322",
                place,
                "a struct has no packed encoding",
                "use `abi.encode`",
            );
            return broken(span);
        }
        Expr {
            kind: Kind::Encode {
                selector: selector.map(Box::new),
                packed,
                args: values,
            },
            ty: Type::Bytes,
            span,
        }
    }

    pub(super) fn decode(&mut self, data: &ast::Expr, types: &ast::Expr, span: Span) -> Expr {
        let data = self.value(data, &Type::Bytes);
        let list: Vec<&ast::Expr> = match &types.kind {
            ExprKind::Tuple(parts) => parts.iter().flatten().collect(),
            ExprKind::Paren(inner) => vec![inner],
            _ => vec![types],
        };
        let mut resolved = Vec::new();
        for ty in list {
            let Some(ty) = self.type_argument(ty) else {
                return broken(span);
            };
            if ty != Type::Error && self.sy.world.abi_name(&ty).is_none() {
                let name = self.name(&ty);
                self.error(
                    "E0322",
                    types.span,
                    format!("`{name}` has no ABI encoding"),
                    "cannot be decoded",
                );
                return broken(span);
            }
            resolved.push(ty);
        }
        let ty = result_type(&resolved);
        Expr {
            kind: Kind::Decode(Box::new(data)),
            ty,
            span,
        }
    }
}
