//! Statements.

use super::{Expr, Ident, Location, Style, TypeExpr};
use crate::source::Span;

/// Statements in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Stmt>,
    /// The braces.
    pub span: Span,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// A name bound by a local declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Its name.
    pub name: Ident,
    /// Its type, if written.
    pub ty: Option<TypeExpr>,
    /// `storage`, `memory`, `calldata`.
    pub location: Option<Location>,
}

/// Forms of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StmtKind {
    /// `{ … }`
    Block(Block),
    /// `unchecked { … }`
    Unchecked(Block),
    /// A local declaration; several bindings when it takes a tuple apart.
    Local {
        /// `let` or typed.
        style: Style,
        /// True for `(a, b)`.
        tuple: bool,
        /// The names; none for a place left empty.
        bindings: Vec<Option<Binding>>,
        /// The value.
        init: Option<Expr>,
    },
    /// An expression for its effect, assignments included.
    Expr(Expr),
    /// `if (c) … else …`
    If {
        /// The condition.
        condition: Expr,
        /// What runs when it holds.
        then: Box<Stmt>,
        /// What runs when it does not.
        otherwise: Option<Box<Stmt>>,
    },
    /// `while (c) …`
    While {
        /// The condition.
        condition: Expr,
        /// The body.
        body: Box<Stmt>,
    },
    /// `do … while (c);`
    DoWhile {
        /// The body.
        body: Box<Stmt>,
        /// The condition.
        condition: Expr,
    },
    /// `for (init; condition; step) …`
    For {
        /// Runs first.
        init: Option<Box<Stmt>>,
        /// The condition.
        condition: Option<Expr>,
        /// Runs after each round.
        step: Option<Expr>,
        /// The body.
        body: Box<Stmt>,
    },
    /// `for (name in a..b) …`
    ForRange {
        /// The counter.
        name: Ident,
        /// First value.
        from: Expr,
        /// One past the last value.
        to: Expr,
        /// The body.
        body: Box<Stmt>,
    },
    /// `for (name in array) …`
    ForIn {
        /// The element.
        name: Ident,
        /// The array.
        iterable: Expr,
        /// The body.
        body: Box<Stmt>,
    },
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `return …;`
    Return(Option<Expr>),
    /// `emit E(…);`
    Emit(Expr),
    /// `revert("…")`, `revert E(…)` or `revert()`.
    Revert(Option<Expr>),
    /// `delete place;`
    Delete(Expr),
    /// `require_pqc { … } or …`
    RequirePqc {
        /// What is tried.
        body: Block,
        /// What runs when a check in it fails.
        otherwise: Option<Box<Stmt>>,
    },
    /// `with_gas_limit(n) { … }`
    WithGasLimit {
        /// The limit.
        limit: Expr,
        /// What runs under it.
        body: Block,
    },
    /// What stands there is not a statement; an error was reported.
    Invalid,
}
