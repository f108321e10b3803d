//! Calls: conversions, the language's own functions, functions of this and other contracts.

use super::checker::{Checker, broken};
use super::exprs::into_place;
use super::symbols::{ParamDecl, nearest};
use super::types::{elementary, pq_type};
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, Arg, ExprKind};

const FUNCTIONS: [&str; 24] = [
    "require",
    "assert",
    "keccak256",
    "sha256",
    "sha3",
    "blake3",
    "argmax",
    "gasleft",
    "addmod",
    "mulmod",
    "callContract",
    "sendNative",
    "mlkemDecapsulate",
    "verifyMLDSASignature",
    "verifyFNDSASignature",
    "verifySLHDSASignature",
    "verify_mldsa",
    "verify_fndsa",
    "verify_slhdsa",
    "concat",
    "queryContract",
    "allowReentrancy",
    "debug",
    "type",
];

impl Checker<'_, '_> {
    pub fn call(
        &mut self,
        callee: &ast::Expr,
        options: &[Arg],
        args: &[Arg],
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        match &callee.kind {
            ExprKind::Paren(inner) => self.call(inner, options, args, want, span),
            ExprKind::Type(ty) => {
                let ty = self.sy.resolve(self.scope, ty, self.sink);
                self.cast(ty, args, span)
            }
            ExprKind::Name(name) => self.call_name(name, callee.span, args, want, span),
            ExprKind::Member { object, member } => {
                self.call_member(object, member, options, args, span)
            }
            _ => {
                self.error(
                    "E0318",
                    callee.span,
                    "this cannot be called",
                    "not a function",
                );
                broken(span)
            }
        }
    }

    pub(super) fn call_name(
        &mut self,
        name: &str,
        place: Span,
        args: &[Arg],
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        // The contract's own functions hide the language's.
        let own = self.overloads(name);
        if !own.is_empty() {
            return self.call_own(name, place, &own, args, span);
        }
        if let Some(ty) = elementary(name) {
            return self.cast(ty, args, span);
        }
        if pq_type(name).is_some() || self.sy.find_type(self.scope, name).is_some() {
            let ty = ast::TypeExpr {
                kind: ast::TypeKind::Named {
                    path: vec![ast::Ident {
                        name: name.to_owned(),
                        span: place,
                    }],
                    level: None,
                },
                span: place,
            };
            let ty = self.sy.resolve(self.scope, &ty, self.sink);
            return self.cast(ty, args, span);
        }
        if let Some(extension) = self.sy.extensions.get(name) {
            let extension = extension.clone();
            self.state.effects.reads = true;
            self.state.effects.writes |= !extension.view;
            let Some(args) = self.plain_args(name, args, &extension.params, span) else {
                return broken(span);
            };
            return Expr {
                ty: result_type(&extension.returns),
                kind: Kind::Extension {
                    name: name.to_owned(),
                    args,
                    returns: extension.returns,
                    view: extension.view,
                },
                span,
            };
        }
        if let Some(value) = self.builtin(name, args, want, span) {
            return value;
        }
        if self.sy.find_events(self.scope, name).is_some() {
            self.error(
                "E0406",
                place,
                format!("`{name}` is an event"),
                format!("write `emit {name}(…);`"),
            );
            return broken(span);
        }
        if self.sy.find_error(self.scope, name).is_some() {
            self.error(
                "E0407",
                place,
                format!("`{name}` is an error"),
                format!("write `revert {name}(…);`"),
            );
            return broken(span);
        }
        for arg in args {
            self.any_value(&arg.value);
        }
        if self.local(name).is_some() {
            self.error(
                "E0318",
                place,
                format!("`{name}` is a variable"),
                "not a function",
            );
            return broken(span);
        }
        let contract = self.scope.and_then(|c| self.sy.contracts.get(c));
        let mut known: Vec<&str> = FUNCTIONS.to_vec();
        if let Some(contract) = contract {
            known.extend(contract.functions.iter().map(|f| f.name.as_str()));
        }
        known.extend(self.sy.extensions.keys().map(String::as_str));
        let variable =
            contract.is_some_and(|c| c.variables.iter().any(|v| v.ast.name.name == name));
        let mut diagnostic =
            Diagnostic::error("E0219", place, format!("there is no function `{name}`"))
                .label("unknown function");
        if variable {
            diagnostic = diagnostic.suggest(span, name, "a variable is read without `()`");
        } else if name.starts_with("distributed_ai_") {
            diagnostic = diagnostic
                .note("this machine runs networks in the contract's own call: `Model.infer(…)`")
                .note("a chain with a network for larger work declares the function in its chain profile");
        } else if let Some(near) = nearest(name, known) {
            diagnostic = diagnostic.suggest(place, near, "did you mean");
        } else {
            diagnostic =
                diagnostic.note("functions that a host chain adds are declared in a chain profile");
        }
        self.sink.push(diagnostic);
        broken(span)
    }

    /// The contract's and the file's functions of a name: declarations and their numbers.
    pub(super) fn overloads(&self, name: &str) -> Vec<(usize, Vec<ParamDecl>, Vec<ParamDecl>)> {
        let contract = self.scope.and_then(|c| self.sy.contracts.get(c));
        let named = self.names.get(name).into_iter().flatten();
        named
            .filter_map(|(free, index)| {
                let list = match free {
                    true => &self.sy.functions,
                    false => &contract?.functions,
                };
                let (function, number) = (list.get(*index)?, self.numbers.get(&(*free, *index))?);
                Some((*number, function.params.clone(), function.returns.clone()))
            })
            .collect()
    }

    pub(super) fn call_own(
        &mut self,
        name: &str,
        place: Span,
        own: &[(usize, Vec<ParamDecl>, Vec<ParamDecl>)],
        args: &[Arg],
        span: Span,
    ) -> Expr {
        let lists: Vec<&[ParamDecl]> = own.iter().map(|(_, p, _)| p.as_slice()).collect();
        let Some((chosen, values)) = self.choose(name, place, &lists, args, span) else {
            return broken(span);
        };
        let Some((number, _, returns)) = own.get(chosen) else {
            return broken(span);
        };
        self.state.calls.push(*number);
        let types: Vec<Type> = returns.iter().map(|r| r.ty.clone()).collect();
        let call = Expr {
            kind: Kind::Call(*number, values),
            ty: result_type(&types),
            span,
        };
        if !returns.iter().any(|r| r.storage) {
            return call;
        }
        let ty = call.ty.clone();
        let place = Place {
            kind: PlaceKind::At(Box::new(call)),
            ty: ty.clone(),
            storage: true,
        };
        Expr {
            kind: Kind::Read(place),
            ty,
            span,
        }
    }

    pub(super) fn call_member(
        &mut self,
        object: &ast::Expr,
        member: &ast::Ident,
        options: &[Arg],
        args: &[Arg],
        span: Span,
    ) -> Expr {
        if let ExprKind::Name(name) = &object.kind
            && self.local(name).is_none()
        {
            if let Some(model) = self.sy.models.get(name).copied() {
                self.no_options(options);
                return self.call_model(model, member, args, span);
            }
            match (name.as_str(), member.name.as_str()) {
                ("abi", _) => {
                    self.no_options(options);
                    return self.abi(member, args, span);
                }
                ("Bytes" | "String", "concat") => {
                    self.no_options(options);
                    let ty = if name == "Bytes" {
                        Type::Bytes
                    } else {
                        Type::String
                    };
                    let values: Vec<Expr> =
                        args.iter().map(|a| self.value(&a.value, &ty)).collect();
                    return self.concat(values, ty, span);
                }
                _ => {}
            }
        }
        let receiver = self.expr(object, None);
        if !matches!(receiver.ty, Type::Contract(_) | Type::Error) {
            self.no_options(options);
        }
        match (receiver.ty.clone(), member.name.as_str()) {
            (Type::Error, _) => {
                for arg in args {
                    self.any_value(&arg.value);
                }
                broken(span)
            }
            (Type::List(element), "push") => {
                let Ok(place) = into_place(receiver) else {
                    return broken(span);
                };
                self.mutate_root(&place, span);
                let value = match args {
                    [] => None,
                    [arg] => {
                        let value = self.value(&arg.value, &element);
                        Some(Box::new(self.own(value)))
                    }
                    _ => {
                        self.error("E0205", span, "`push` takes one value", "too many");
                        return broken(span);
                    }
                };
                Expr {
                    kind: Kind::Push(place, value),
                    ty: Type::VOID,
                    span,
                }
            }
            (Type::List(_), "pop") if args.is_empty() => {
                let Ok(place) = into_place(receiver) else {
                    return broken(span);
                };
                self.mutate_root(&place, span);
                Expr {
                    kind: Kind::Pop(place),
                    ty: Type::VOID,
                    span,
                }
            }
            (Type::Bytes, "push") => {
                let Ok(place) = into_place(receiver) else {
                    return broken(span);
                };
                self.mutate_root(&place, span);
                let [arg] = args else {
                    self.error("E0205", span, "`push` takes one value", "expected one");
                    return broken(span);
                };
                let value = self.value(&arg.value, &Type::UInt(8));
                Expr {
                    kind: Kind::Push(place, Some(Box::new(value))),
                    ty: Type::VOID,
                    span,
                }
            }
            (Type::List(_) | Type::Bytes, "length") | (Type::Array(..), "length") => {
                self.error(
                    "E0408",
                    member.span,
                    "`length` is not a function",
                    "write it without `()`",
                );
                broken(span)
            }
            (Type::Address, name @ ("transfer" | "send")) => {
                self.state.effects.writes = true;
                let Some(mut values) = self.plain_args(name, args, &[Type::U256], span) else {
                    return broken(span);
                };
                values.insert(0, receiver);
                let (builtin, ty) = if name == "transfer" {
                    (Builtin::Send, Type::VOID)
                } else {
                    (Builtin::TrySend, Type::Bool)
                };
                Expr {
                    kind: Kind::Builtin(builtin, values),
                    ty,
                    span,
                }
            }
            (Type::Contract(id), _) => {
                self.call_external(receiver, id, member, options, args, span)
            }
            (ty, _) => {
                self.unknown_member(&ty, member);
                broken(span)
            }
        }
    }

    pub(super) fn mutate_root(&mut self, place: &Place, span: Span) {
        self.check_immutable(place, span);
        if place.storage {
            self.state.effects.reads = true;
            self.state.effects.writes = true;
        } else if let Some(local) = place
            .root_local()
            .and_then(|id| self.state.locals.get_mut(id))
        {
            local.mutated = true;
        }
    }
}

/// Type of a call that returns these.
pub(crate) fn result_type(types: &[Type]) -> Type {
    match types {
        [one] => one.clone(),
        many => Type::Tuple(many.to_vec()),
    }
}
