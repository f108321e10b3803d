//! Calls of other contracts and of models.

use super::calls::result_type;
use super::checker::{Checker, broken};
use super::symbols::{FunctionDecl, ParamDecl};
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, Arg};

impl Checker<'_, '_> {
    pub(super) fn call_external(
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
                let (value, gas) = self.call_options(options, true);
                return Expr {
                    ty: result_type(&returns),
                    kind: Kind::External {
                        target: Box::new(receiver),
                        selector,
                        args: values,
                        value,
                        gas,
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
        let (value, gas) = self.call_options(options, readonly);
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

    /// Only calls of other contracts take options.
    pub(super) fn no_options(&mut self, options: &[Arg]) {
        if let Some(option) = options.first() {
            self.error(
                "E0436",
                option.name.as_ref().map_or(option.value.span, |n| n.span),
                "only calls of other contracts take options",
                "has no effect here",
            );
        }
    }

    /// Value and gas of a call, each of which may be given once.
    fn call_options(
        &mut self,
        options: &[Arg],
        readonly: bool,
    ) -> (Option<Box<Expr>>, Option<Box<Expr>>) {
        let (mut value, mut gas) = (None, None);
        for option in options {
            let place = option.name.as_ref().map_or(option.value.span, |n| n.span);
            let name = option.name.as_ref().map_or("", |n| n.name.as_str());
            let (slot, ty) = match name {
                "value" if readonly => {
                    self.error(
                        "E0409",
                        place,
                        "a `view` function takes no value",
                        "not payable",
                    );
                    continue;
                }
                "value" => (&mut value, Type::U256),
                "gas" => (&mut gas, Type::UInt(64)),
                _ => {
                    self.error(
                        "E0410",
                        place,
                        format!("a call has no option `{name}`"),
                        "expected `value` or `gas`",
                    );
                    continue;
                }
            };
            let given = self.value(&option.value, &ty);
            if slot.replace(Box::new(given)).is_some() {
                self.error(
                    "E0435",
                    place,
                    format!("`{name}` is given twice"),
                    "a second time",
                );
            }
        }
        (value, gas)
    }

    pub(super) fn call_model(
        &mut self,
        model: usize,
        member: &ast::Ident,
        args: &[Arg],
        span: Span,
    ) -> Expr {
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
}
