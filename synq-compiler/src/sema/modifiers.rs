//! Modifiers: code around the bodies of functions.
//!
//! A modifier's statements are put into the function. Where its `_;` is the last statement, what
//! it stands for follows; elsewhere the function's own body becomes a function that is called
//! at each `_`, and its results are kept until the modifiers are done.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::checker::{Checker, State};
use super::symbols::{FunctionDecl, ModifierDecl};
use crate::diagnostics::Diagnostic;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, StmtKind};

/// The layers around the body that is being checked.
#[derive(Debug)]
pub(crate) struct Around {
    modifiers: Vec<(ast::Ident, Vec<ast::Arg>)>,
    /// Names that the function's own code sees.
    scopes: Vec<BTreeMap<String, (usize, bool)>>,
    inner: Inner,
}

/// What lies inside of all modifiers.
#[derive(Debug)]
enum Inner {
    /// The function's body, right there.
    Here(ast::Block),
    /// A call: the function, the parameters handed on, the locals that take its results.
    Call(usize, usize, Vec<usize>),
}

/// Which layer is being checked: none is the body itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The modifier at this position of the header.
    At(usize),
    /// A declaration, to report its errors even when nothing uses it.
    Declaration,
}

impl Checker<'_, '_> {
    fn declared_modifier(&self, name: &str) -> Option<ModifierDecl<'_>> {
        let contract = self.scope.and_then(|c| self.sy.contracts.get(c))?;
        contract
            .modifiers
            .iter()
            .find(|m| m.ast.name.name == name)
            .cloned()
    }

    /// Whether a function has modifiers that were declared.
    pub fn is_modified(&self, declared: &FunctionDecl<'_>) -> bool {
        let mut modifiers = declared.ast.modifiers.iter();
        modifiers.any(|(name, _)| self.declared_modifier(&name.name).is_some())
    }

    /// Whether something comes behind the function's body.
    pub fn is_surrounded(&self, declared: &FunctionDecl<'_>) -> bool {
        declared.ast.modifiers.iter().any(|(name, _)| {
            self.declared_modifier(&name.name)
                .and_then(|m| m.ast.body.as_ref())
                .is_some_and(|body| !ends_in_placeholder(body))
        })
    }

    /// Checks the modifiers of a contract, used or not.
    pub fn modifiers(&mut self, contract: usize) {
        let Some(contract) = self.sy.contracts.get(contract) else {
            return;
        };
        for modifier in &contract.modifiers {
            let Some(body) = &modifier.ast.body else {
                continue;
            };
            self.state = State::default();
            self.state.scopes.push(BTreeMap::new());
            for param in &modifier.params {
                self.declare(&param.name, param.ty.clone(), param.storage, param.span);
            }
            self.state.layer = Some(Layer::Declaration);
            self.block(body);
            if body.statements.iter().map(placeholders).sum::<usize>() == 0 {
                self.sink.push(
                    Diagnostic::error(
                        "E0429",
                        modifier.ast.name.span,
                        format!(
                            "the modifier `{}` never runs the function",
                            modifier.ast.name.name
                        ),
                    )
                    .label("its body has no `_;`")
                    .note("`_;` stands for the body of the function that has the modifier"),
                );
            }
        }
        self.state = State::default();
    }

    /// The body of a function with modifiers. `call` is the function that its own body became.
    pub fn modified(
        &mut self,
        declared: &FunctionDecl<'_>,
        params: usize,
        call: Option<usize>,
        out: &mut Vec<Stmt>,
    ) {
        let inner = match (call, &declared.ast.body) {
            (Some(number), _) => {
                let results = self.state.named_returns.clone().unwrap_or_default();
                self.state.calls.push(number);
                Inner::Call(number, params, results)
            }
            (None, Some(block)) => Inner::Here(block.clone()),
            (None, None) => return,
        };
        self.state.around = Some(Rc::new(Around {
            modifiers: declared.ast.modifiers.clone(),
            scopes: self.state.scopes.clone(),
            inner,
        }));
        self.layer(0, declared.span, out);
    }

    /// A `_` in a modifier.
    pub fn placeholder(&mut self, span: Span, out: &mut Vec<Stmt>) {
        match self.state.layer {
            None => self.error(
                "E0416",
                span,
                "`_` stands in modifiers only",
                "not in a modifier",
            ),
            Some(_) if self.state.outlined > 0 || self.state.pqc > 0 => self.error(
                "E0430",
                span,
                "`_` cannot stand in `with_gas_limit` or `require_pqc`",
                "in a block that can be undone",
            ),
            Some(Layer::Declaration) => {}
            Some(Layer::At(index)) => self.layer(index + 1, span, out),
        }
    }

    /// What the modifier at a position of the header, and all inside of it, do.
    fn layer(&mut self, index: usize, span: Span, out: &mut Vec<Stmt>) {
        let Some(around) = self.state.around.clone() else {
            return;
        };
        let scopes = std::mem::replace(&mut self.state.scopes, around.scopes.clone());
        let layer = self.state.layer.take();
        match around.modifiers.get(index) {
            None => self.inner(&around.inner, span, out),
            Some((name, args)) => match self.declared_modifier(&name.name) {
                None => {
                    self.modifier(name, args, out);
                    self.layer(index + 1, span, out);
                }
                Some(modifier) => {
                    let (body, params) = (modifier.ast.body.clone(), modifier.params.clone());
                    if let Some(scope) = self.bind(name, args, &params, out)
                        && let Some(body) = body
                    {
                        self.state.scopes = vec![scope];
                        self.state.layer = Some(Layer::At(index));
                        let statements = self.block(&body);
                        out.push(Stmt::Block(statements));
                    }
                }
            },
        }
        self.state.scopes = scopes;
        self.state.layer = layer;
    }

    fn inner(&mut self, inner: &Inner, span: Span, out: &mut Vec<Stmt>) {
        let (number, params, results) = match inner {
            Inner::Here(block) => {
                let statements = self.block(block);
                out.push(Stmt::Block(statements));
                return;
            }
            Inner::Call(number, params, results) => (*number, *params, results),
        };
        let local = |id: usize, locals: &[Local]| {
            let local = locals.get(id)?;
            Some(Place {
                kind: PlaceKind::Local(id),
                ty: local.ty.clone(),
                storage: local.storage,
            })
        };
        let args = (0..params).filter_map(|id| {
            let place = local(id, &self.state.locals)?;
            let ty = place.ty.clone();
            let kind = if place.storage {
                Kind::Slot(place)
            } else {
                Kind::Read(place)
            };
            Some(Expr { kind, ty, span })
        });
        let types: Vec<Type> = results
            .iter()
            .filter_map(|id| Some(self.state.locals.get(*id)?.ty.clone()))
            .collect();
        let call = Expr {
            kind: Kind::Call(number, args.collect()),
            ty: super::calls::result_type(&types),
            span,
        };
        match results.as_slice() {
            [] => out.push(Stmt::Expr(call)),
            [one] => out.push(Stmt::Let(*one, Some(call))),
            many => out.push(Stmt::LetMany(
                many.iter().map(|id| Some(*id)).collect(),
                call,
            )),
        }
    }

    /// Gives the parameters of a modifier their values; none when they do not fit.
    fn bind(
        &mut self,
        name: &ast::Ident,
        args: &[ast::Arg],
        params: &[super::symbols::ParamDecl],
        out: &mut Vec<Stmt>,
    ) -> Option<BTreeMap<String, (usize, bool)>> {
        if args.len() != params.len() {
            self.error(
                "E0431",
                name.span,
                format!(
                    "the modifier `{}` takes {} arguments, {} given",
                    name.name,
                    params.len(),
                    args.len()
                ),
                "numbers differ",
            );
            return None;
        }
        let mut scope = BTreeMap::new();
        for (arg, param) in args.iter().zip(params) {
            let value = self.argument(&arg.value, param);
            let value = if param.storage {
                value
            } else {
                self.own(value)
            };
            let id = self.temporary(param.ty.clone(), param.span);
            if let Some(local) = self.state.locals.get_mut(id) {
                local.storage = param.storage;
                local.name.clone_from(&param.name);
            }
            out.push(Stmt::Let(id, Some(value)));
            scope.insert(param.name.clone(), (id, false));
        }
        Some(scope)
    }
}

/// Whether the one `_` of a body is its last statement.
fn ends_in_placeholder(body: &ast::Block) -> bool {
    let count: usize = body.statements.iter().map(placeholders).sum();
    count == 1 && body.statements.last().is_some_and(is_placeholder)
}

fn is_placeholder(statement: &ast::Stmt) -> bool {
    matches!(&statement.kind, StmtKind::Expr(e) if matches!(&e.kind, ExprKind::Name(n) if n == "_"))
}

fn placeholders(statement: &ast::Stmt) -> usize {
    let all = |list: &[ast::Stmt]| list.iter().map(placeholders).sum();
    match &statement.kind {
        StmtKind::Block(block) | StmtKind::Unchecked(block) => all(&block.statements),
        StmtKind::If {
            then, otherwise, ..
        } => placeholders(then) + otherwise.as_ref().map_or(0, |s| placeholders(s)),
        StmtKind::While { body, .. }
        | StmtKind::DoWhile { body, .. }
        | StmtKind::For { body, .. }
        | StmtKind::ForRange { body, .. }
        | StmtKind::ForIn { body, .. } => placeholders(body),
        StmtKind::RequirePqc { body, otherwise } => {
            all(&body.statements) + otherwise.as_ref().map_or(0, |s| placeholders(s))
        }
        StmtKind::WithGasLimit { body, .. } => all(&body.statements),
        _ => usize::from(is_placeholder(statement)),
    }
}
