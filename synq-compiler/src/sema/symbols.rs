//! What has been declared, and where.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::ir::{EventParam, Model, Type, World};
use crate::source::Span;
use crate::syntax::ast;

/// A scope: a contract's number, or none for the file level, which all files share.
pub(crate) type Scope = Option<usize>;

/// An event or custom error.
#[derive(Debug, Clone)]
pub(crate) struct EventDecl {
    pub name: String,
    pub params: Vec<EventParam>,
    pub hash: [u8; 32],
    pub span: Span,
}

/// A state variable or constant.
#[derive(Debug, Clone)]
pub(crate) struct VariableDecl<'a> {
    pub ast: &'a ast::Variable,
    pub ty: Type,
    pub public: bool,
    pub constant: bool,
    pub slot: u64,
}

/// A parameter or result.
#[derive(Debug, Clone)]
pub(crate) struct ParamDecl {
    pub name: String,
    pub ty: Type,
    pub storage: bool,
    pub span: Span,
}

/// A function.
#[derive(Debug, Clone)]
pub(crate) struct FunctionDecl<'a> {
    pub ast: &'a ast::Function,
    pub item: &'a ast::Item,
    pub name: String,
    pub params: Vec<ParamDecl>,
    pub returns: Vec<ParamDecl>,
    /// Callable from outside.
    pub public: bool,
    /// Declared `view` or `pure`.
    pub readonly: bool,
    pub payable: bool,
    /// None when a parameter cannot cross the border.
    pub selector: Option<[u8; 4]>,
    pub span: Span,
}

/// A modifier.
#[derive(Debug, Clone)]
pub(crate) struct ModifierDecl<'a> {
    pub ast: &'a ast::Function,
    pub params: Vec<ParamDecl>,
}

/// A contract or interface.
#[derive(Debug, Clone)]
pub(crate) struct ContractDecl<'a> {
    pub ast: &'a ast::Contract,
    pub interface: bool,
    pub variables: Vec<VariableDecl<'a>>,
    /// Positions among the variables by name.
    pub by_name: BTreeMap<&'a str, usize>,
    /// Positions of those that are immutable by slot.
    pub immutables: BTreeMap<u64, usize>,
    pub functions: Vec<FunctionDecl<'a>>,
    pub modifiers: Vec<ModifierDecl<'a>>,
}

/// A function of the host chain.
#[derive(Debug, Clone)]
pub(crate) struct ExtensionDecl {
    pub params: Vec<Type>,
    pub returns: Vec<Type>,
    /// It changes nothing.
    pub view: bool,
}

/// Everything declared in one run.
#[derive(Debug, Default)]
pub(crate) struct Symbols<'a> {
    pub world: World,
    pub types: BTreeMap<(Scope, String), (Type, Span)>,
    pub events: BTreeMap<(Scope, String), Vec<EventDecl>>,
    pub errors: BTreeMap<(Scope, String), EventDecl>,
    pub models: BTreeMap<String, usize>,
    pub model_defs: Vec<Model>,
    pub constants: BTreeMap<String, VariableDecl<'a>>,
    pub functions: Vec<FunctionDecl<'a>>,
    pub contracts: Vec<ContractDecl<'a>>,
    pub extensions: BTreeMap<String, ExtensionDecl>,
    /// Bytes by which writing out constants made the source longer so far.
    pub expanded: Cell<u64>,
}

impl Symbols<'_> {
    /// A named type, looked up from a scope outwards.
    pub fn find_type(&self, scope: Scope, name: &str) -> Option<&Type> {
        self.types
            .get(&(scope, name.to_owned()))
            .or_else(|| self.types.get(&(None, name.to_owned())))
            .map(|(t, _)| t)
    }

    /// Events of a name, looked up from a scope outwards.
    pub fn find_events(&self, scope: Scope, name: &str) -> Option<&Vec<EventDecl>> {
        self.events
            .get(&(scope, name.to_owned()))
            .or_else(|| self.events.get(&(None, name.to_owned())))
    }

    /// A custom error, looked up from a scope outwards.
    pub fn find_error(&self, scope: Scope, name: &str) -> Option<&EventDecl> {
        self.errors
            .get(&(scope, name.to_owned()))
            .or_else(|| self.errors.get(&(None, name.to_owned())))
    }
}

/// The name nearest to `name` among `all`, if it is near enough to be a slip.
pub(crate) fn nearest<'n>(name: &str, all: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let limit = (name.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in all {
        if candidate.len().abs_diff(name.len()) > limit || candidate == name {
            continue;
        }
        let distance = edit_distance(name, candidate);
        if distance <= limit && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, c)| c.to_owned())
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let up = row.get(j + 1).copied().unwrap_or(usize::MAX);
            let cost = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            let value = cost.min(left + 1).min(up + 1);
            diagonal = up;
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            left = value;
        }
        if let Some(cell) = row.get_mut(b.len()) {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}
