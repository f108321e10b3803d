//! What stands in a contract: variables, functions, modifiers.

use std::collections::BTreeMap;

use super::{duplicate, other};
use crate::diagnostics::{Diagnostic, Sink};
use crate::ir::*;
use crate::sema::symbols::*;
use crate::source::{SourceLoader, Span};
use crate::syntax::ast::{self, Attribute, Item, ItemKind};

fn has(attributes: &[(Attribute, Span)], wanted: Attribute) -> bool {
    attributes.iter().any(|(a, _)| *a == wanted)
}

fn annotated(item: &Item, name: &str) -> bool {
    item.annotations.iter().any(|a| a.name.name == name)
}

pub(super) fn members<'a>(
    sy: &mut Symbols<'a>,
    id: usize,
    contract: &'a ast::Contract,
    path: &str,
    loader: &dyn SourceLoader,
    sink: &mut Sink,
) {
    let interface = sy.contracts.get(id).is_some_and(|c| c.interface);
    let mut variables: Vec<VariableDecl<'a>> = Vec::new();
    let (mut by_name, mut immutables) = (BTreeMap::new(), BTreeMap::new());
    let mut functions: Vec<FunctionDecl<'a>> = Vec::new();
    let mut modifiers: Vec<ModifierDecl<'a>> = Vec::new();
    let mut slot = 0u64;
    for item in &contract.items {
        match &item.kind {
            ItemKind::Variable(v) => {
                if interface {
                    sink.push(
                        Diagnostic::error("E0230", v.name.span, "an interface has no state")
                            .label("a variable in an interface"),
                    );
                    continue;
                }
                let ty = sy.resolve(Some(id), &v.ty, sink);
                let first = by_name.get(v.name.name.as_str());
                if let Some(first) = first.and_then(|i: &usize| variables.get(*i)) {
                    duplicate(sink, &v.name.name, first.ast.name.span, v.name.span);
                    continue;
                }
                let constant = has(&v.attributes, Attribute::Constant);
                if constant && v.init.is_none() {
                    sink.push(
                        Diagnostic::error("E0231", v.name.span, "a constant needs a value")
                            .label("has none"),
                    );
                }
                let slots = if constant { 0 } else { sy.world.slots(&ty) };
                by_name.insert(v.name.name.as_str(), variables.len());
                if has(&v.attributes, Attribute::Immutable) {
                    immutables.insert(slot, variables.len());
                }
                variables.push(VariableDecl {
                    ast: v,
                    public: has(&v.attributes, Attribute::Public) || annotated(item, "public"),
                    constant,
                    slot,
                    ty,
                });
                slot = slot.saturating_add(slots);
            }
            ItemKind::Function(f) => {
                let decl = function(sy, Some(id), f, item, interface, sink);
                if f.constructor
                    && let Some(first) = functions.iter().find(|o| o.ast.constructor)
                {
                    duplicate(sink, "constructor", first.span, decl.span);
                    continue;
                }
                clash(&functions, &decl, sink);
                functions.push(decl);
            }
            ItemKind::Modifier(m) => {
                if let Some(first) = modifiers.iter().find(|o| o.ast.name.name == m.name.name) {
                    duplicate(sink, &m.name.name, first.ast.name.span, m.name.span);
                    continue;
                }
                let params = params(sy, Some(id), &m.params, false, sink);
                modifiers.push(ModifierDecl { ast: m, params });
            }
            ItemKind::Contract(c) | ItemKind::Interface(c) => {
                sink.push(
                    Diagnostic::error("E0232", c.name.span, "contracts do not nest")
                        .label("declare it at file level"),
                );
            }
            ItemKind::Pragma(_) | ItemKind::Import(_) => {
                sink.push(
                    Diagnostic::error("E0233", item.span, "this belongs at the top of the file")
                        .label("inside a contract"),
                );
            }
            _ => other(sy, Some(id), item, path, loader, sink),
        }
    }
    if let Some(decl) = sy.contracts.get_mut(id) {
        decl.variables = variables;
        decl.by_name = by_name;
        decl.immutables = immutables;
        decl.functions = functions;
        decl.modifiers = modifiers;
    }
}

/// Two functions of one name and one list of parameter types.
pub(super) fn clash(others: &[FunctionDecl<'_>], new: &FunctionDecl<'_>, sink: &mut Sink) {
    if let Some(first) = others.iter().find(|o| {
        o.name == new.name
            && o.ast.constructor == new.ast.constructor
            && o.params.len() == new.params.len()
            && o.params.iter().zip(&new.params).all(|(a, b)| a.ty == b.ty)
    }) {
        sink.push(
            Diagnostic::error(
                "E0207",
                new.span,
                format!(
                    "`{}` is declared twice with the same parameter types",
                    new.name
                ),
            )
            .label("second declaration")
            .also(first.span, "first declaration"),
        );
    }
}

/// Parameters or results. What cannot cross the border of a contract is refused elsewhere, for
/// functions callable from `outside`.
fn params(
    sy: &Symbols<'_>,
    scope: Scope,
    list: &[ast::Param],
    outside: bool,
    sink: &mut Sink,
) -> Vec<ParamDecl> {
    list.iter()
        .map(|param| {
            let ty = sy.resolve(scope, &param.ty, sink);
            let storage =
                param.location == Some(ast::Location::Storage) || matches!(ty, Type::Mapping(..));
            if !storage && !outside && sy.world.has_mapping(&ty) {
                let name = sy.world.name(&ty);
                sink.push(
                    Diagnostic::error(
                        "E0310",
                        param.ty.span,
                        format!("`{name}` holds a mapping and lives in state only"),
                    )
                    .label("write `storage` behind the type"),
                );
            }
            ParamDecl {
                name: param
                    .name
                    .as_ref()
                    .map_or(String::new(), |n| n.name.clone()),
                ty,
                storage,
                span: param.span,
            }
        })
        .collect()
}

pub(super) fn function<'a>(
    sy: &Symbols<'a>,
    scope: Scope,
    f: &'a ast::Function,
    item: &'a Item,
    interface: bool,
    sink: &mut Sink,
) -> FunctionDecl<'a> {
    let attribute = |a| has(&f.attributes, a);
    let outside = attribute(Attribute::Public)
        || attribute(Attribute::External)
        || annotated(item, "public")
        || annotated(item, "external");
    let border = outside || interface || f.constructor;
    let list = params(sy, scope, &f.params, border, sink);
    let returns = params(sy, scope, &f.returns, border, sink);
    let inside = attribute(Attribute::Internal)
        || attribute(Attribute::Private)
        || annotated(item, "internal")
        || annotated(item, "private");
    if outside && inside {
        sink.push(
            Diagnostic::error("E0234", f.header, "a function is either public or internal")
                .label("declared as both"),
        );
    }
    if !interface && f.body.is_none() {
        sink.push(
            Diagnostic::error("E0235", f.header, format!("`{}` has no body", f.name.name))
                .label("expected `{ … }`")
                .note("functions without a body stand in interfaces"),
        );
    }
    if interface && f.body.is_some() {
        sink.push(
            Diagnostic::error("E0236", f.header, "a function in an interface has no body")
                .label("expected `;`"),
        );
    }
    if f.constructor && !f.returns.is_empty() {
        sink.push(
            Diagnostic::error("E0237", f.header, "a constructor returns nothing")
                .label("has a result"),
        );
    }
    let public = (outside || interface) && !f.constructor;
    let types: Vec<Type> = list.iter().map(|p| p.ty.clone()).collect();
    let selector = crate::sema::selector(sy, &f.name.name, &types);
    if public || f.constructor {
        for param in list.iter().chain(&returns) {
            if param.ty != Type::Error && (param.storage || sy.world.abi_name(&param.ty).is_none())
            {
                let name = sy.world.name(&param.ty);
                sink.push(
                    Diagnostic::error(
                        "E0322",
                        param.span,
                        format!("`{name}` cannot cross the border of a contract"),
                    )
                    .label("in a function that is callable from outside"),
                );
            }
        }
    }
    FunctionDecl {
        ast: f,
        item,
        name: f.name.name.clone(),
        params: list,
        returns,
        public,
        readonly: attribute(Attribute::View)
            || attribute(Attribute::Pure)
            || annotated(item, "view")
            || annotated(item, "pure"),
        payable: attribute(Attribute::Payable) || annotated(item, "payable"),
        selector,
        span: f.name.span,
    }
}
