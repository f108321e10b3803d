//! From types as written to types.

use std::rc::Rc;

use std::cell::Cell;

use alloy_primitives::U256;

use super::symbols::{Scope, Symbols, nearest};
use crate::diagnostics::{Diagnostic, Sink};
use crate::ir::{Algorithm, Pq, Role, Type};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, TypeExpr, TypeKind};

const ELEMENTARY: [&str; 17] = [
    "Bool", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128", "UInt256", "Int8", "Int16", "Int32",
    "Int64", "Int128", "Int256", "Address", "Bytes", "Bytes32", "String",
];

/// Largest value in memory, in bytes.
const MAX_SIZE: u32 = 1 << 24;
/// Names, numbers and operators that the length of an array may take.
const MAX_STEPS: u32 = 4096;

/// A type of the language itself.
pub(crate) fn elementary(name: &str) -> Option<Type> {
    Some(match name {
        "Bool" => Type::Bool,
        "Address" => Type::Address,
        "Bytes" => Type::Bytes,
        "Bytes32" => Type::Bytes32,
        "String" => Type::String,
        _ => {
            let (signed, bits) = match name.strip_prefix("UInt") {
                Some(bits) => (false, bits),
                None => (true, name.strip_prefix("Int")?),
            };
            let bits = match bits {
                "8" => 8,
                "16" => 16,
                "32" => 32,
                "64" => 64,
                "128" => 128,
                "256" => 256,
                _ => return None,
            };
            if signed {
                Type::Int(bits)
            } else {
                Type::UInt(bits)
            }
        }
    })
}

/// Solidity's name for a type of ours, and common slips.
fn foreign(name: &str) -> Option<String> {
    Some(match name {
        "uint" | "uint256" | "Uint256" | "UInt" => "UInt256".into(),
        "int" | "int256" | "Int" => "Int256".into(),
        "bool" | "Boolean" => "Bool".into(),
        "address" => "Address".into(),
        "string" => "String".into(),
        "bytes" => "Bytes".into(),
        "bytes32" => "Bytes32".into(),
        _ => {
            let lower = name.to_ascii_lowercase();
            let bits = lower.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let ours = match &lower[..lower.len() - bits.len()] {
                "uint" => format!("UInt{bits}"),
                "int" => format!("Int{bits}"),
                _ => return None,
            };
            elementary(&ours)?;
            ours
        }
    })
}

/// A post-quantum type by its name without level; tells whether the name is an old one.
pub(crate) fn pq_type(name: &str) -> Option<(Pq, bool)> {
    let families = [
        ("MLDSA", Algorithm::MlDsa, false),
        ("FNDSA", Algorithm::FnDsa, false),
        ("SLHDSA", Algorithm::SlhDsa, false),
        ("MLKEM", Algorithm::MlKem, false),
        ("McEliece", Algorithm::McEliece, false),
        ("HQC", Algorithm::Hqc, false),
        ("Dilithium", Algorithm::MlDsa, true),
        ("Falcon", Algorithm::FnDsa, true),
        ("Sphincs", Algorithm::SlhDsa, true),
        ("SPHINCS", Algorithm::SlhDsa, true),
        ("Kyber", Algorithm::MlKem, true),
    ];
    for (prefix, algorithm, old) in families {
        let Some(rest) = name.strip_prefix(prefix) else {
            continue;
        };
        let role = match rest {
            "PublicKey" => Role::PublicKey,
            "KeyPair" => Role::KeyPair,
            "Signature" => Role::Signature,
            "Ciphertext" => Role::Ciphertext,
            _ => continue,
        };
        let signs = matches!(
            algorithm,
            Algorithm::MlDsa | Algorithm::FnDsa | Algorithm::SlhDsa
        );
        let fits = match role {
            Role::Signature => signs,
            Role::Ciphertext => !signs,
            _ => true,
        };
        if fits {
            let level = algorithm.levels().first().copied().unwrap_or(0);
            let pq = Pq {
                algorithm,
                role,
                level,
            };
            return Some((pq, old));
        }
    }
    None
}

impl<'a> Symbols<'a> {
    /// Resolves a type. An unknown one is reported and becomes [`Type::Error`].
    pub fn resolve(&self, scope: Scope, ty: &TypeExpr, sink: &mut Sink) -> Type {
        let resolved = self.resolve_inner(scope, ty, sink);
        if !matches!(resolved, Type::Mapping(..)) && self.world.size(&resolved) > MAX_SIZE {
            sink.push(
                Diagnostic::error("E0208", ty.span, "this type is too large")
                    .label(format!("more than {MAX_SIZE} bytes")),
            );
            return Type::Error;
        }
        resolved
    }

    fn resolve_inner(&self, scope: Scope, ty: &TypeExpr, sink: &mut Sink) -> Type {
        match &ty.kind {
            TypeKind::Invalid => Type::Error,
            TypeKind::Mapping { key, value } => {
                let k = self.resolve(scope, key, sink);
                let v = self.resolve(scope, value, sink);
                if !(k.is_value() || k.is_bytes() || k == Type::Error) {
                    let name = self.world.name(&k);
                    sink.push(
                        Diagnostic::error(
                            "E0209",
                            key.span,
                            format!("a mapping's key cannot be `{name}`"),
                        )
                        .label("not a value, bytes or string type"),
                    );
                }
                Type::Mapping(Rc::new(k), Rc::new(v))
            }
            TypeKind::Array { element, length } => {
                let inner = self.resolve(scope, element, sink);
                let Some(length) = length else {
                    return Type::List(Rc::new(inner));
                };
                match self.length(scope, length, sink) {
                    Some(n) => Type::Array(Rc::new(inner), n),
                    None => Type::Error,
                }
            }
            TypeKind::Named { path, level } => {
                let Some(last) = path.last() else {
                    return Type::Error;
                };
                let scope = match path.as_slice() {
                    [outer, _] => match self.find_type(scope, &outer.name) {
                        Some(Type::Contract(id)) => Some(*id),
                        _ => scope,
                    },
                    _ => scope,
                };
                self.named(scope, &last.name, last.span, *level, sink)
            }
        }
    }

    fn named(
        &self,
        scope: Scope,
        name: &str,
        span: Span,
        level: Option<(u32, Span)>,
        sink: &mut Sink,
    ) -> Type {
        if let Some((mut pq, old)) = pq_type(name) {
            if old {
                let new = format!("{}{}", pq.algorithm.name(), pq.role.name());
                sink.push(
                    Diagnostic::warning("W0201", span, format!("`{name}` is an old name"))
                        .label("renamed when the algorithm was standardised")
                        .suggest(span, new, "use the standard's name"),
                );
            }
            if let Some((level, place)) = level {
                let level = match (pq.algorithm, level) {
                    // Old names counted levels as NIST categories.
                    (Algorithm::MlDsa, 2) if old => 44,
                    (Algorithm::MlDsa, 3) if old => 65,
                    (Algorithm::MlDsa, 5) if old => 87,
                    (_, level) => level,
                };
                let levels = pq.algorithm.levels();
                if !levels.contains(&level) {
                    let list: Vec<_> = levels.iter().map(u32::to_string).collect();
                    sink.push(
                        Diagnostic::error(
                            "E0210",
                            place,
                            format!("{} has no level {level}", pq.algorithm.name()),
                        )
                        .label("unknown level")
                        .note(format!("levels: {}", list.join(", "))),
                    );
                    return Type::Error;
                }
                pq.level = level;
            }
            return Type::Pq(pq);
        }
        if let Some((_, place)) = level {
            sink.push(
                Diagnostic::error("E0211", place, format!("`{name}` has no levels"))
                    .label("only post-quantum types have a level"),
            );
        }
        if let Some(ty) = elementary(name).or_else(|| self.find_type(scope, name).cloned()) {
            return ty;
        }
        let mut diagnostic = Diagnostic::error("E0203", span, format!("there is no type `{name}`"))
            .label("unknown type");
        if let Some(ours) = foreign(name) {
            diagnostic = diagnostic.suggest(span, ours, "in SynQ it is called");
        } else {
            let known = self
                .types
                .keys()
                .filter(|(s, _)| s.is_none() || *s == scope)
                .map(|(_, n)| n.as_str());
            let width = name.strip_prefix("UInt").or(name.strip_prefix("Int"));
            if width.is_some_and(|w| w.chars().all(|c| c.is_ascii_digit())) {
                diagnostic = diagnostic.note("integers have 8, 16, 32, 64, 128 or 256 bits");
            } else if let Some(near) = nearest(name, ELEMENTARY.into_iter().chain(known)) {
                diagnostic = diagnostic.suggest(span, near, "did you mean");
            }
        }
        sink.push(diagnostic);
        Type::Error
    }

    fn length(&self, scope: Scope, expr: &Expr, sink: &mut Sink) -> Option<u32> {
        let value = self.constant(scope, expr, 0, &Cell::new(MAX_STEPS));
        match value {
            Some(n) if n > U256::ZERO && n <= U256::from(MAX_SIZE) => u32::try_from(n).ok(),
            Some(_) => {
                sink.push(
                    Diagnostic::error("E0212", expr.span, "this length is out of range")
                        .label(format!("a length is 1 to {MAX_SIZE}")),
                );
                None
            }
            None => {
                sink.push(
                    Diagnostic::error("E0213", expr.span, "an array's length must be a constant")
                        .label("not a number or a `constant`"),
                );
                None
            }
        }
    }

    /// Value of a constant integer expression.
    fn constant(&self, scope: Scope, expr: &Expr, depth: u32, steps: &Cell<u32>) -> Option<U256> {
        steps.set(steps.get().checked_sub(1)?);
        if depth > 32 {
            return None;
        }
        match &expr.kind {
            ExprKind::Number(text) => super::literals::integer(text),
            ExprKind::Paren(inner) => self.constant(scope, inner, depth + 1, steps),
            ExprKind::Name(name) => {
                let init = scope.and_then(|c| self.contracts.get(c)).and_then(|c| {
                    c.ast.items.iter().find_map(|item| match &item.kind {
                        crate::syntax::ast::ItemKind::Variable(v)
                            if v.name.name == *name
                                && v.attributes.iter().any(|(a, _)| {
                                    *a == crate::syntax::ast::Attribute::Constant
                                }) =>
                        {
                            v.init.as_ref()
                        }
                        _ => None,
                    })
                });
                // What stands at file level means names at file level.
                let (scope, init) = match init {
                    Some(init) => (scope, init),
                    None => (None, self.constants.get(name)?.ast.init.as_ref()?),
                };
                self.constant(scope, init, depth + 1, steps)
            }
            ExprKind::Binary { op, left, right } => {
                let a = self.constant(scope, left, depth + 1, steps)?;
                let b = self.constant(scope, right, depth + 1, steps)?;
                match op {
                    BinaryOp::Add => a.checked_add(b),
                    BinaryOp::Sub => a.checked_sub(b),
                    BinaryOp::Mul => a.checked_mul(b),
                    BinaryOp::Div => a.checked_div(b),
                    BinaryOp::Rem => a.checked_rem(b),
                    BinaryOp::Pow => a.checked_pow(b),
                    BinaryOp::Shl => a.checked_shl(usize::try_from(b).ok()?),
                    BinaryOp::Shr => Some(a.wrapping_shr(usize::try_from(b).ok()?)),
                    BinaryOp::BitAnd => Some(a & b),
                    BinaryOp::BitOr => Some(a | b),
                    BinaryOp::BitXor => Some(a ^ b),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
