//! The language's own functions.

use super::checker::{Checker, broken};
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::Arg;

impl Checker<'_, '_> {
    pub(super) fn builtin(
        &mut self,
        name: &str,
        args: &[Arg],
        _want: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let make = |builtin, values, ty| Expr {
            kind: Kind::Builtin(builtin, values),
            ty,
            span,
        };
        let bad = || Some(broken(span));
        match name {
            "keccak256" | "sha256" | "sha3" | "sha3_256" | "blake3" => {
                let builtin = match name {
                    "keccak256" => Builtin::Keccak,
                    "sha256" => Builtin::Sha256,
                    "blake3" => Builtin::Blake3,
                    _ => Builtin::Sha3,
                };
                let [arg] = args else {
                    self.error(
                        "E0205",
                        span,
                        format!("`{name}` takes one value of type `Bytes`"),
                        "wrong number of arguments",
                    );
                    return bad();
                };
                let value = self.expr(&arg.value, Some(&Type::Bytes));
                let value = if value.ty == Type::String {
                    Expr {
                        ty: Type::Bytes,
                        span: value.span,
                        kind: Kind::Convert(Box::new(value)),
                    }
                } else if matches!(value.ty, Type::Bytes32 | Type::Address) {
                    Expr {
                        ty: Type::Bytes,
                        span: value.span,
                        kind: Kind::Encode {
                            selector: None,
                            packed: true,
                            args: vec![value],
                        },
                    }
                } else {
                    self.coerce(value, &Type::Bytes)
                };
                Some(make(builtin, vec![value], Type::Bytes32))
            }
            "gasleft" => {
                self.state.effects.reads = true;
                self.plain_args(name, args, &[], span)?;
                Some(make(Builtin::GasLeft, vec![], Type::U256))
            }
            "addmod" | "mulmod" => {
                let values =
                    self.plain_args(name, args, &[Type::U256, Type::U256, Type::U256], span);
                let builtin = if name == "addmod" {
                    Builtin::AddMod
                } else {
                    Builtin::MulMod
                };
                values.map(|v| make(builtin, v, Type::U256)).or_else(bad)
            }
            "concat" => {
                let Some(first) = args.first() else {
                    return bad();
                };
                let first = self.any_value(&first.value);
                let ty = if first.ty == Type::String {
                    Type::String
                } else {
                    Type::Bytes
                };
                let mut values = vec![self.coerce(first, &ty)];
                for arg in args.get(1..).unwrap_or(&[]) {
                    values.push(self.value(&arg.value, &ty));
                }
                Some(self.concat(values, ty, span))
            }
            "sendNative" => {
                self.state.effects.writes = true;
                let values = self.plain_args(name, args, &[Type::Address, Type::U256], span);
                values
                    .map(|v| make(Builtin::Send, v, Type::VOID))
                    .or_else(bad)
            }
            "callContract" => {
                self.state.effects.writes = true;
                let values =
                    self.plain_args(name, args, &[Type::Address, Type::U256, Type::Bytes], span);
                values
                    .map(|v| make(Builtin::CallContract, v, Type::Bytes))
                    .or_else(bad)
            }
            "queryContract" => {
                self.state.effects.reads = true;
                let values = self.plain_args(name, args, &[Type::Address, Type::Bytes], span);
                values
                    .map(|v| make(Builtin::StaticCall, v, Type::Bytes))
                    .or_else(bad)
            }
            "allowReentrancy" => {
                self.state.effects.writes = true;
                let values = self.plain_args(name, args, &[Type::Bool], span);
                values
                    .map(|v| make(Builtin::AllowReentrancy, v, Type::VOID))
                    .or_else(bad)
            }
            "debug" => {
                self.state.effects.reads = true;
                let values = self.plain_args(name, args, &[Type::String], span);
                values
                    .map(|v| make(Builtin::Debug, v, Type::VOID))
                    .or_else(bad)
            }
            "argmax" => {
                let [arg] = args else {
                    self.error(
                        "E0205",
                        span,
                        "`argmax` takes one array",
                        "wrong number of arguments",
                    );
                    return bad();
                };
                let value = self.any_value(&arg.value);
                match &value.ty {
                    Type::Error => return bad(),
                    Type::Array(e, _) | Type::List(e) if e.is_integer() => {}
                    other => {
                        let found = self.name(other);
                        self.error(
                            "E0323",
                            value.span,
                            format!("`argmax` needs an array of integers, found `{found}`"),
                            "not such an array",
                        );
                        return bad();
                    }
                }
                Some(make(Builtin::ArgMax, vec![value], Type::U256))
            }
            "verifyMLDSASignature" | "verify_mldsa" => {
                Some(self.verify(Algorithm::MlDsa, name, args, span))
            }
            "verifyFNDSASignature" | "verify_fndsa" => {
                Some(self.verify(Algorithm::FnDsa, name, args, span))
            }
            "verifySLHDSASignature" | "verify_slhdsa" => {
                Some(self.verify(Algorithm::SlhDsa, name, args, span))
            }
            "mlkemDecapsulate" => {
                self.state.effects.reads = true;
                let [ciphertext, key] = args else {
                    self.error(
                        "E0205",
                        span,
                        "`mlkemDecapsulate` takes a ciphertext and a private key",
                        "wrong number of arguments",
                    );
                    return bad();
                };
                let ciphertext = self.any_value(&ciphertext.value);
                let kem = match &ciphertext.ty {
                    Type::Pq(Pq {
                        algorithm: Algorithm::MlKem,
                        role: Role::Ciphertext,
                        level,
                    }) => match level {
                        512 => 0,
                        768 => 1,
                        _ => 2,
                    },
                    Type::Pq(Pq {
                        algorithm: Algorithm::McEliece,
                        role: Role::Ciphertext,
                        ..
                    }) => 3,
                    Type::Error => return bad(),
                    other => {
                        let found = self.name(other);
                        self.error(
                            "E0324",
                            ciphertext.span,
                            format!("expected a ciphertext, found `{found}`"),
                            "write `MLKEMCiphertext(…)`",
                        );
                        return bad();
                    }
                };
                let key = self.value(&key.value, &Type::Bytes);
                Some(make(
                    Builtin::Decapsulate(kem),
                    vec![key, ciphertext],
                    Type::Bytes,
                ))
            }
            "type" => {
                self.error(
                    "E0304",
                    span,
                    "`type(T)` is not a value",
                    "write `type(T).max` or `type(T).min`",
                );
                bad()
            }
            _ => None,
        }
    }

    /// A signature check; key, message and signature are told apart by their types.
    pub fn verify(&mut self, algorithm: Algorithm, name: &str, args: &[Arg], span: Span) -> Expr {
        self.state.effects.reads = true;
        let [_, _, _] = args else {
            self.error(
                "E0205",
                span,
                format!("`{name}` takes a key, a message and a signature"),
                "wrong number of arguments",
            );
            return broken(span);
        };
        let values: Vec<Expr> = args.iter().map(|a| self.any_value(&a.value)).collect();
        if values.iter().any(|v| v.ty == Type::Error) {
            return broken(span);
        }
        let (mut key, mut message, mut signature) = (None, None, None);
        for value in values {
            let slot = match &value.ty {
                Type::Pq(pq) if matches!(pq.role, Role::PublicKey | Role::KeyPair) => &mut key,
                Type::Pq(pq) if pq.role == Role::Signature => &mut signature,
                _ => &mut message,
            };
            if slot.replace(value).is_some() {
                break;
            }
        }
        let (Some(key), Some(message), Some(signature)) = (key, message, signature) else {
            self.sink.push(
                Diagnostic::error(
                    "E0325",
                    span,
                    format!("`{name}` needs one key, one message and one signature"),
                )
                .label("these cannot be told apart by type")
                .note(format!(
                    "convert the key and the signature: `{0}PublicKey(…)`, `{0}Signature(…)`",
                    algorithm.name()
                )),
            );
            return broken(span);
        };
        let (Type::Pq(k), Type::Pq(s)) = (&key.ty, &signature.ty) else {
            return broken(span);
        };
        let (k, s) = (*k, *s);
        for (what, pq, place) in [("key", k, key.span), ("signature", s, signature.span)] {
            if pq.algorithm != algorithm {
                self.error(
                    "E0326",
                    place,
                    format!(
                        "`{name}` checks {}, this {what} is {}",
                        algorithm.name(),
                        pq.algorithm.name()
                    ),
                    "another algorithm",
                );
                return broken(span);
            }
        }
        if k.level != s.level {
            let (kn, sn) = (self.name(&key.ty), self.name(&signature.ty));
            self.sink.push(
                Diagnostic::error("E0327", span, "key and signature have different levels")
                    .label("levels do not mix")
                    .also(key.span, format!("this is `{kn}`"))
                    .also(signature.span, format!("this is `{sn}`")),
            );
            return broken(span);
        }
        let scheme = match (algorithm, k.level) {
            (Algorithm::MlDsa, 44) => 0,
            (Algorithm::MlDsa, 65) => 1,
            (Algorithm::MlDsa, _) => 2,
            (Algorithm::FnDsa, 512) => 3,
            (Algorithm::FnDsa, _) => 4,
            (_, 128) => 5,
            (_, 192) => 6,
            _ => 7,
        };
        let message = match &message.ty {
            Type::Bytes => message,
            Type::String => Expr {
                ty: Type::Bytes,
                span: message.span,
                kind: Kind::Convert(Box::new(message)),
            },
            ty if ty.is_value() => Expr {
                ty: Type::Bytes,
                span: message.span,
                kind: Kind::Encode {
                    selector: None,
                    packed: true,
                    args: vec![message],
                },
            },
            _ => self.coerce(message, &Type::Bytes),
        };
        Expr {
            kind: Kind::Builtin(Builtin::Verify(scheme), vec![key, message, signature]),
            ty: Type::Bool,
            span,
        }
    }
}
