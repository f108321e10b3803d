//! Calls: conversions, the language's own functions, functions of this and other contracts.

use alloy_primitives::U256;

use super::checker::{Checker, broken, constant};
use super::exprs::{into_place, literal_fits};
use super::literals;
use super::symbols::{FunctionDecl, ParamDecl, nearest};
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

    fn call_name(
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
            let (params, returns) = (extension.params.clone(), extension.returns.clone());
            self.state.effects.reads = true;
            self.state.effects.writes = true;
            let Some(values) = self.plain_args(name, args, &params, span) else {
                return broken(span);
            };
            let ty = result_type(&returns);
            return Expr {
                kind: Kind::Extension(name.to_owned(), values, returns),
                ty,
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
    fn overloads(&self, name: &str) -> Vec<(usize, Vec<ParamDecl>, Vec<ParamDecl>)> {
        let mut found = Vec::new();
        let mut add = |free: bool, list: &[FunctionDecl<'_>]| {
            for (index, function) in list.iter().enumerate() {
                if function.name == name
                    && !function.ast.constructor
                    && let Some(number) = self.numbers.get(&(free, index))
                {
                    found.push((*number, function.params.clone(), function.returns.clone()));
                }
            }
        };
        if let Some(contract) = self.scope.and_then(|c| self.sy.contracts.get(c)) {
            add(false, &contract.functions);
        }
        add(true, &self.sy.functions);
        found
    }

    fn call_own(
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

    /// Picks the overload that the arguments fit, and converts them.
    fn choose(
        &mut self,
        name: &str,
        place: Span,
        lists: &[&[ParamDecl]],
        args: &[Arg],
        span: Span,
    ) -> Option<(usize, Vec<Expr>)> {
        if let [params] = lists {
            let ordered = self.order(name, args, params, span)?;
            let mut values = Vec::new();
            for (arg, param) in ordered.iter().zip(params.iter()) {
                values.push(self.argument(arg, param));
            }
            return Some((0, values));
        }
        let fitting: Vec<usize> = (0..lists.len())
            .filter(|i| lists.get(*i).is_some_and(|l| l.len() == args.len()))
            .collect();
        // Literals adapt to what is wanted, so each candidate checks the arguments anew,
        // and only the winner's diagnostics count.
        let plain: Vec<Expr> = args.iter().map(|a| self.expr(&a.value, None)).collect();
        if plain.iter().any(|p| p.ty == Type::Error) {
            return None;
        }
        let mut best: Option<(usize, usize)> = None;
        let mut tied = false;
        for index in fitting {
            let params = lists.get(index).copied().unwrap_or(&[]);
            if !plain
                .iter()
                .zip(params)
                .all(|(v, p)| self.converts(v, &p.ty))
            {
                continue;
            }
            let exact = plain
                .iter()
                .zip(params)
                .filter(|(v, p)| v.ty == p.ty || (literal_fits(v, &p.ty) && p.ty == Type::U256))
                .count();
            match best {
                Some((_, score)) if score == exact => tied = true,
                Some((_, score)) if score > exact => {}
                _ => {
                    best = Some((index, exact));
                    tied = false;
                }
            }
        }
        let Some((index, _)) = best.filter(|_| !tied) else {
            let found: Vec<_> = plain.iter().map(|p| self.name(&p.ty)).collect();
            let mut diagnostic = Diagnostic::error(
                "E0206",
                place,
                format!("no single function `{name}` takes ({})", found.join(", ")),
            )
            .label(if tied { "several fit" } else { "none fits" });
            for list in lists {
                let types: Vec<_> = list.iter().map(|p| self.name(&p.ty)).collect();
                diagnostic = diagnostic.note(format!("there is {name}({})", types.join(", ")));
            }
            self.sink.push(diagnostic);
            return None;
        };
        let params = lists.get(index).copied().unwrap_or(&[]);
        let values = plain
            .into_iter()
            .zip(params)
            .map(|(v, p)| self.storage_or(v, p))
            .collect();
        Some((index, values))
    }

    pub fn argument(&mut self, arg: &ast::Expr, param: &ParamDecl) -> Expr {
        let value = self.expr(arg, Some(&param.ty));
        self.storage_or(value, param)
    }

    /// A storage parameter takes a slot, any other a value.
    fn storage_or(&mut self, value: Expr, param: &ParamDecl) -> Expr {
        if !param.storage {
            return self.coerce(value, &param.ty);
        }
        let span = value.span;
        if value.ty == Type::Error {
            return value;
        }
        match value.kind {
            Kind::Read(place) if place.storage && place.ty == param.ty => {
                // What the callee does with it is not known here.
                Expr {
                    kind: Kind::Slot(place),
                    ty: param.ty.clone(),
                    span,
                }
            }
            _ => {
                let name = self.name(&param.ty);
                self.error(
                    "E0319",
                    span,
                    format!("expected a `{name}` in state"),
                    "not a place in state",
                );
                broken(span)
            }
        }
    }

    /// Arguments in the order of the parameters.
    fn order<'x>(
        &mut self,
        name: &str,
        args: &'x [Arg],
        params: &[ParamDecl],
        span: Span,
    ) -> Option<Vec<&'x ast::Expr>> {
        let names: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
        self.order_names(name, args, &names, span)
    }

    fn order_names<'x>(
        &mut self,
        name: &str,
        args: &'x [Arg],
        names: &[&str],
        span: Span,
    ) -> Option<Vec<&'x ast::Expr>> {
        if args.len() != names.len() {
            let plural = if names.len() == 1 { "" } else { "s" };
            self.sink.push(
                Diagnostic::error(
                    "E0205",
                    span,
                    format!(
                        "`{name}` takes {} argument{plural}, found {}",
                        names.len(),
                        args.len()
                    ),
                )
                .label("wrong number of arguments")
                .note(format!("parameters: ({})", names.join(", "))),
            );
            return None;
        }
        if args.iter().all(|a| a.name.is_none()) {
            return Some(args.iter().map(|a| &a.value).collect());
        }
        let mut ordered = Vec::new();
        for wanted in names {
            let Some(arg) = args
                .iter()
                .find(|a| a.name.as_ref().is_some_and(|n| n.name == *wanted))
            else {
                self.error(
                    "E0220",
                    span,
                    format!("`{wanted}` of `{name}` is not given"),
                    format!("expected `{wanted}: …`"),
                );
                return None;
            };
            ordered.push(&arg.value);
        }
        Some(ordered)
    }

    fn plain_args(
        &mut self,
        name: &str,
        args: &[Arg],
        types: &[Type],
        span: Span,
    ) -> Option<Vec<Expr>> {
        if args.len() != types.len() {
            let plural = if types.len() == 1 { "" } else { "s" };
            self.error(
                "E0205",
                span,
                format!(
                    "`{name}` takes {} argument{plural}, found {}",
                    types.len(),
                    args.len()
                ),
                "wrong number of arguments",
            );
            return None;
        }
        Some(
            args.iter()
                .zip(types)
                .map(|(a, t)| self.value(&a.value, t))
                .collect(),
        )
    }

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

    fn convert(&mut self, value: Expr, ty: Type, span: Span) -> Expr {
        Expr {
            kind: Kind::Convert(Box::new(value)),
            ty,
            span,
        }
    }

    fn structure(&mut self, id: usize, args: &[Arg], span: Span) -> Expr {
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

    fn call_member(
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
                return self.call_model(model, member, args, span);
            }
            match (name.as_str(), member.name.as_str()) {
                ("abi", _) => return self.abi(member, args, span),
                ("Bytes" | "String", "concat") => {
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
                self.mutate_root(&place);
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
                self.mutate_root(&place);
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
                self.mutate_root(&place);
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

    fn mutate_root(&mut self, place: &Place) {
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

    fn call_external(
        &mut self,
        receiver: Expr,
        id: usize,
        member: &ast::Ident,
        options: &[Arg],
        args: &[Arg],
        span: Span,
    ) -> Expr {
        let Some(contract) = self.sy.contracts.get(id) else {
            return broken(span);
        };
        let candidates: Vec<&FunctionDecl<'_>> = contract
            .functions
            .iter()
            .filter(|f| {
                f.name == member.name && !f.ast.constructor && (contract.interface || f.public)
            })
            .collect();
        if candidates.is_empty() {
            if let Some(getter) = contract
                .variables
                .iter()
                .find(|v| v.public && v.ast.name.name == member.name)
            {
                let (params, returns) = super::getters::signature(self.sy, &getter.ty);
                let Some(values) = self.plain_args(&member.name, args, &params, span) else {
                    return broken(span);
                };
                let selector = super::selector(self.sy, &member.name, &params).unwrap_or_default();
                self.state.effects.reads = true;
                return Expr {
                    ty: result_type(&returns),
                    kind: Kind::External {
                        target: Box::new(receiver),
                        selector,
                        args: values,
                        value: None,
                        gas: None,
                        returns,
                        readonly: true,
                    },
                    span,
                };
            }
            let ty = receiver.ty.clone();
            self.unknown_member(&ty, member);
            for arg in args {
                self.any_value(&arg.value);
            }
            return broken(span);
        }
        let lists: Vec<&[ParamDecl]> = candidates.iter().map(|f| f.params.as_slice()).collect();
        let Some((chosen, values)) = self.choose(&member.name, member.span, &lists, args, span)
        else {
            return broken(span);
        };
        let Some(function) = candidates.get(chosen) else {
            return broken(span);
        };
        let Some(selector) = function.selector else {
            return broken(span);
        };
        let returns: Vec<Type> = function.returns.iter().map(|r| r.ty.clone()).collect();
        let readonly = function.readonly;
        let (mut value, mut gas) = (None, None);
        for option in options {
            let name = option.name.as_ref().map_or("", |n| n.name.as_str());
            match name {
                "value" if readonly => {
                    self.error(
                        "E0409",
                        option.name.as_ref().map_or(option.value.span, |n| n.span),
                        "a `view` function takes no value",
                        "not payable",
                    );
                }
                "value" => value = Some(Box::new(self.value(&option.value, &Type::U256))),
                "gas" => gas = Some(Box::new(self.value(&option.value, &Type::UInt(64)))),
                _ => self.error(
                    "E0410",
                    option.name.as_ref().map_or(option.value.span, |n| n.span),
                    format!("a call has no option `{name}`"),
                    "expected `value` or `gas`",
                ),
            }
        }
        self.state.effects.reads = true;
        self.state.effects.writes |= !readonly;
        Expr {
            ty: result_type(&returns),
            kind: Kind::External {
                target: Box::new(receiver),
                selector,
                args: values,
                value,
                gas,
                returns,
                readonly,
            },
            span,
        }
    }

    fn call_model(&mut self, model: usize, member: &ast::Ident, args: &[Arg], span: Span) -> Expr {
        let Some(definition) = self.sy.model_defs.get(model) else {
            return broken(span);
        };
        let name = definition.name.clone();
        self.state.effects.reads = true;
        match member.name.as_str() {
            "infer" => {
                let inputs: Vec<Type> = definition.inputs.iter().map(|t| t.ty.clone()).collect();
                let outputs: Vec<Type> = definition.outputs.iter().map(|t| t.ty.clone()).collect();
                let Some(values) = self.plain_args(&format!("{name}.infer"), args, &inputs, span)
                else {
                    return broken(span);
                };
                let model = self.use_model(model);
                Expr {
                    kind: Kind::Infer(model, values),
                    ty: result_type(&outputs),
                    span,
                }
            }
            "gas" if args.is_empty() => {
                let model = self.use_model(model);
                Expr {
                    kind: Kind::Builtin(Builtin::ModelGas(model), Vec::new()),
                    ty: Type::U256,
                    span,
                }
            }
            "hash" if args.is_empty() => Expr {
                kind: Kind::Builtin(Builtin::ModelHash(self.use_model(model)), Vec::new()),
                ty: Type::Bytes32,
                span,
            },
            _ => {
                self.sink.push(
                    Diagnostic::error(
                        "E0204",
                        member.span,
                        format!("model `{name}` has no member `{}`", member.name),
                    )
                    .label("unknown member")
                    .note("members: infer, gas, hash"),
                );
                broken(span)
            }
        }
    }

    /// Number of a model within the contract.
    pub fn use_model(&mut self, model: usize) -> usize {
        let Some(definition) = self.sy.model_defs.get(model) else {
            return 0;
        };
        if let Some(known) = self
            .out
            .models
            .iter()
            .position(|m| m.name == definition.name)
        {
            return known;
        }
        self.out.models.push(definition.clone());
        self.out.models.len() - 1
    }

    fn concat(&mut self, values: Vec<Expr>, ty: Type, span: Span) -> Expr {
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

    fn abi(&mut self, member: &ast::Ident, args: &[Arg], span: Span) -> Expr {
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

    fn decode(&mut self, data: &ast::Expr, types: &ast::Expr, span: Span) -> Expr {
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

    fn builtin(
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

/// Type of a call that returns these.
pub(crate) fn result_type(types: &[Type]) -> Type {
    match types {
        [one] => one.clone(),
        many => Type::Tuple(many.to_vec()),
    }
}
