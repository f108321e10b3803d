//! Expressions and their operators.

use super::{Ident, TypeExpr};
use crate::source::Span;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// Its name, in `P(id: 1)`.
    pub name: Option<Ident>,
    /// Its value.
    pub value: Expr,
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each name says it
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Shl,
    Shr,
    BitAnd,
    BitOr,
    BitXor,
    And,
    Or,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl BinaryOp {
    /// The operator as written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::Pow => "**",
            Self::Shl => "<<",
            Self::Shr => ">>",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::And => "&&",
            Self::Or => "||",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    /// How tightly it binds, from 1.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::Ne => 3,
            Self::Lt | Self::Le | Self::Gt | Self::Ge => 4,
            Self::BitOr => 5,
            Self::BitXor => 6,
            Self::BitAnd => 7,
            Self::Shl | Self::Shr => 8,
            Self::Add | Self::Sub => 9,
            Self::Mul | Self::Div | Self::Rem => 10,
            Self::Pow => 11,
        }
    }
}

/// Unary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each name says it
pub enum UnaryOp {
    Neg,
    Not,
    BitNot,
}

/// Forms of expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// A number as written.
    Number(String),
    /// A string, escapes resolved.
    String(String),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
    /// A name, `this` included.
    Name(String),
    /// A type where an expression is called, as in `MLDSAPublicKey<87>(b)` or `abi.decode(d, (T[]))`.
    Type(TypeExpr),
    /// `new T[](n)`
    New {
        /// The type.
        ty: TypeExpr,
        /// The arguments.
        args: Vec<Arg>,
    },
    /// `(e)`
    Paren(Box<Expr>),
    /// `(a, b)`; a place may be empty.
    Tuple(Vec<Option<Expr>>),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `a.b`
    Member {
        /// What stands before the dot.
        object: Box<Expr>,
        /// What stands behind it.
        member: Ident,
    },
    /// `a[b]`
    Index {
        /// The array or mapping.
        object: Box<Expr>,
        /// The index or key.
        index: Box<Expr>,
    },
    /// `f(…)`
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// `{value: …, gas: …}` before the arguments.
        options: Vec<Arg>,
        /// The arguments.
        args: Vec<Arg>,
        /// True for `f({a: 1})`.
        braced: bool,
    },
    /// `-a`, `!a`, `~a`
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// `a + b` and so on.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `c ? a : b`
    Ternary {
        /// The condition.
        condition: Box<Expr>,
        /// Value when it holds.
        then: Box<Expr>,
        /// Value when it does not.
        otherwise: Box<Expr>,
    },
    /// `a = b`, `a += b` and so on.
    Assign {
        /// The operator of a compound assignment.
        op: Option<BinaryOp>,
        /// What is assigned to.
        target: Box<Expr>,
        /// The value.
        value: Box<Expr>,
    },
    /// `++a`, `a--` and so on.
    Increment {
        /// True for `--`.
        decrement: bool,
        /// True when the operator stands in front.
        prefix: bool,
        /// What is changed.
        target: Box<Expr>,
    },
    /// What stands there is not an expression; an error was reported.
    Invalid,
}
