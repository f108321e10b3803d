//! The syntax tree. Every node knows its place; comments stay in the token list, which
//! the places index.

mod expressions;
mod statements;

pub use expressions::{Arg, BinaryOp, Expr, ExprKind, UnaryOp};
pub use statements::{Binding, Block, Stmt, StmtKind};

use crate::source::Span;

/// A name in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// Which of the two declaration styles was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `name: Type`
    Synq,
    /// `Type name`
    Solidity,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceFile {
    /// Declarations in order.
    pub items: Vec<Item>,
}

/// A declaration, at the top of a file or in a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Lines of the `///` comment before it, without the slashes.
    pub docs: Vec<String>,
    /// Annotations such as `@public`.
    pub annotations: Vec<Annotation>,
    /// The declaration.
    pub kind: ItemKind,
    /// Where it stands, annotations included.
    pub span: Span,
}

/// What is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// `pragma synq ^1.0.0;`
    Pragma(Pragma),
    /// `import "./file.synq";`
    Import(Import),
    /// `contract C { … }`
    Contract(Contract),
    /// `interface I { … }`
    Interface(Contract),
    /// `struct S { … }`
    Struct(Struct),
    /// `enum E { … }`
    Enum(Enum),
    /// `event E(…);`
    Event(Event),
    /// `error E(…);`
    Error(ErrorDecl),
    /// `model M { … }`
    Model(Model),
    /// A state variable, or a constant at the top of a file.
    Variable(Box<Variable>),
    /// A function or the constructor.
    Function(Box<Function>),
    /// `modifier m(…) { … }`: its body has `_` where the function's is to run.
    Modifier(Box<Function>),
}

/// `@name` or `@name(arguments)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The name without `@`.
    pub name: Ident,
    /// Arguments, when there are parentheses.
    pub args: Option<Vec<Arg>>,
    /// Where it stands.
    pub span: Span,
}

/// `pragma name text;`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pragma {
    /// The first word, `synq`.
    pub name: Ident,
    /// The rest as written, without spaces at its ends.
    pub requirement: String,
    /// Where the rest stands.
    pub requirement_span: Span,
}

/// `import "path";`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The path, escapes resolved.
    pub path: String,
    /// Where the string stands.
    pub path_span: Span,
}

/// A contract or an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its name.
    pub name: Ident,
    /// Its members in order.
    pub items: Vec<Item>,
    /// The braces.
    pub body_span: Span,
}

/// A structure type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struct {
    /// Its name.
    pub name: Ident,
    /// Its fields in order.
    pub fields: Vec<Field>,
}

/// A field of a structure, or an input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Style of the declaration.
    pub style: Style,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// Where it stands.
    pub span: Span,
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Its name.
    pub name: Ident,
    /// Its members in order.
    pub members: Vec<Ident>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: Ident,
    /// Its parameters.
    pub params: Vec<Param>,
}

/// A custom error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorDecl {
    /// Its name.
    pub name: Ident,
    /// Its parameters.
    pub params: Vec<Param>,
}

/// A neural network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: Ident,
    /// `file: "…"`, with the place of the string.
    pub file: Option<(String, Span)>,
    /// `hash: "blake3:…"`, with the place of the string.
    pub hash: Option<(String, Span)>,
    /// Inputs in order.
    pub inputs: Vec<Field>,
    /// Outputs in order.
    pub outputs: Vec<Field>,
}

/// A word such as `public` in a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Callable from outside; readable, for a variable.
    Public,
    /// Callable from outside.
    External,
    /// Not callable from outside.
    Internal,
    /// Not callable from outside.
    Private,
    /// Does not write.
    View,
    /// Does not touch state.
    Pure,
    /// Takes value.
    Payable,
    /// A constant.
    Constant,
    /// Set in the constructor only.
    Immutable,
}

/// A state variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Style of the declaration.
    pub style: Style,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// `public` and so on.
    pub attributes: Vec<(Attribute, Span)>,
    /// Its first value.
    pub init: Option<Expr>,
}

/// A function or the constructor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name, `constructor` for the constructor.
    pub name: Ident,
    /// Tells whether this is the constructor.
    pub constructor: bool,
    /// Its parameters.
    pub params: Vec<Param>,
    /// `public` and so on.
    pub attributes: Vec<(Attribute, Span)>,
    /// Modifiers such as `authenticated_pqc(…)`: name and arguments.
    pub modifiers: Vec<(Ident, Vec<Arg>)>,
    /// What it returns.
    pub returns: Vec<Param>,
    /// How the result was written: `->` is SynQ, `returns` is Solidity.
    pub returns_style: Style,
    /// Its body; none in an interface.
    pub body: Option<Block>,
    /// The declaration without its body.
    pub header: Span,
}

/// Where a parameter or local lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// A reference to state.
    Storage,
    /// A value of its own.
    Memory,
    /// A value of its own that is not written to.
    Calldata,
}

/// A parameter of a function, an event or an error, or a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Style of the declaration.
    pub style: Style,
    /// Its name, if it has one.
    pub name: Option<Ident>,
    /// Its type.
    pub ty: TypeExpr,
    /// `storage`, `memory`, `calldata`.
    pub location: Option<Location>,
    /// `indexed`, in an event.
    pub indexed: bool,
    /// Where it stands.
    pub span: Span,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// Forms of types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// `Name` or `Outer.Name`, with a level as in `MLDSAPublicKey<87>`.
    Named {
        /// The parts of the name.
        path: Vec<Ident>,
        /// The level, if written.
        level: Option<(u32, Span)>,
    },
    /// `mapping(Key => Value)` or `mapping<Key, Value>`.
    Mapping {
        /// The key's type.
        key: Box<TypeExpr>,
        /// The value's type.
        value: Box<TypeExpr>,
    },
    /// `T[]` or `T[N]`. Dimensions read from left to right: `T[2][3]` is two rows of three.
    Array {
        /// The element's type.
        element: Box<TypeExpr>,
        /// The length, if fixed.
        length: Option<Box<Expr>>,
    },
    /// What stands there is not a type; an error was reported.
    Invalid,
}
