//! Arguments of calls: which overload they fit, in which order, and as what.

use super::checker::{Checker, broken};
use super::exprs::literal_fits;
use super::symbols::ParamDecl;
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, Arg};

impl Checker<'_, '_> {
    /// Picks the overload that the arguments fit, and converts them.
    pub(super) fn choose(
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
    pub(super) fn storage_or(&mut self, value: Expr, param: &ParamDecl) -> Expr {
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
    pub(super) fn order<'x>(
        &mut self,
        name: &str,
        args: &'x [Arg],
        params: &[ParamDecl],
        span: Span,
    ) -> Option<Vec<&'x ast::Expr>> {
        let names: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
        self.order_names(name, args, &names, span)
    }

    pub(super) fn order_names<'x>(
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

    pub(super) fn plain_args(
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
}
