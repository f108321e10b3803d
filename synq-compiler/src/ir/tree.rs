//! Expressions, places, statements and functions.

use alloy_primitives::{U256, aliases::U512};

use super::types::Type;
use crate::source::Span;
use crate::syntax::ast::BinaryOp;

/// Where a value lives.
#[derive(Debug, Clone)]
pub struct Place {
    /// How to get there.
    pub kind: PlaceKind,
    /// Type of the value.
    pub ty: Type,
    /// True in state, false in memory or a local.
    pub storage: bool,
}

/// Ways to a place.
#[derive(Debug, Clone)]
pub enum PlaceKind {
    /// A local: the value itself, or with `storage` the slot it holds.
    Local(usize),
    /// A state variable.
    State(u64),
    /// State at the slot that a call gives, see [`Function::returns_storage`].
    At(Box<Expr>),
    /// What an aggregate-valued expression points to.
    Temp(Box<Expr>),
    /// A field of a structure.
    Field(Box<Place>, usize),
    /// An element of an array or of bytes.
    Index(Box<Place>, Box<Expr>),
    /// An entry of a mapping.
    Key(Box<Place>, Box<Expr>),
}

impl Place {
    /// The local at the bottom of a place in memory.
    pub fn root_local(&self) -> Option<usize> {
        match &self.kind {
            PlaceKind::Local(id) => Some(*id),
            PlaceKind::Field(base, _) | PlaceKind::Index(base, _) | PlaceKind::Key(base, _) => {
                base.root_local()
            }
            PlaceKind::State(_) | PlaceKind::At(_) | PlaceKind::Temp(_) => None,
        }
    }
}

/// A typed expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// Its type.
    pub ty: Type,
    /// Where it stands.
    pub span: Span,
}

/// Functions of the language itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each name says it
pub enum Builtin {
    Sender,
    Value,
    Origin,
    This,
    BlockNumber,
    Timestamp,
    ChainId,
    GasLeft,
    MessageData,
    Balance,
    Keccak,
    Sha256,
    Sha3,
    Blake3,
    Concat,
    AddMod,
    MulMod,
    Send,
    TrySend,
    CallContract,
    StaticCall,
    Decapsulate(u8),
    /// Scheme number as in the host interface; arguments are key, message, signature.
    Verify(u8),
    ArgMax,
    ModelGas(usize),
    ModelHash(usize),
    AllowReentrancy,
    Debug,
}

/// Why a `require` fails.
#[derive(Debug, Clone)]
pub enum Failure {
    /// No data.
    Empty,
    /// `Error(string)`, the text known.
    Text(String),
    /// `Error(string)`, the text computed.
    Computed(Expr),
    /// A custom error.
    Custom([u8; 4], Vec<Expr>),
    /// `Panic(uint256)`
    Panic(u32),
    /// On to the `or` of the `require_pqc` around it.
    Pq,
}

/// Forms of expressions.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A value of a value type, as 256-bit two's complement.
    Const(U256),
    /// A literal that has no type yet: whether it is negative, and its magnitude. Wider than
    /// any type, so that `2 ** 256 - 1` can be written.
    Number(bool, U512),
    /// Bytes in a data segment.
    Literal(Vec<u8>),
    /// The value at a place; an aggregate from state is copied to memory.
    Read(Place),
    /// The slot of a place in state.
    Slot(Place),
    /// `-a`; checked when true.
    Neg(Box<Expr>, bool),
    /// `!a`
    Not(Box<Expr>),
    /// `~a`
    BitNot(Box<Expr>),
    /// Arithmetic, bit operators and shifts on one type; checked when true.
    Arith(BinaryOp, Box<Expr>, Box<Expr>, bool),
    /// Comparisons.
    Compare(BinaryOp, Box<Expr>, Box<Expr>),
    /// `&&`
    And(Box<Expr>, Box<Expr>),
    /// `||`
    Or(Box<Expr>, Box<Expr>),
    /// A conversion to the expression's type.
    Convert(Box<Expr>),
    /// A copy of an aggregate in memory.
    Copy(Box<Expr>),
    /// `c ? a : b`
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A call of a function of the contract.
    Call(usize, Vec<Expr>),
    /// A call of the language's own function.
    Builtin(Builtin, Vec<Expr>),
    /// A structure from its fields, or a fixed array from its elements.
    Aggregate(Vec<Expr>),
    /// A new dynamic array or bytes of a length.
    New(Box<Expr>),
    /// An assignment; with an operator, `place = place op value`.
    Assign(Place, Option<(BinaryOp, bool)>, Box<Expr>),
    /// `++` and `--`: place, decrement, prefix, checked.
    Increment(Place, bool, bool, bool),
    /// Several values.
    Tuple(Vec<Expr>),
    /// `abi.encode` and its kin; selector first when there is one.
    Encode {
        /// The four bytes in front.
        selector: Option<Box<Expr>>,
        /// Without padding.
        packed: bool,
        /// The values.
        args: Vec<Expr>,
    },
    /// `abi.decode`
    Decode(Box<Expr>),
    /// A call of another contract.
    External {
        /// Its address.
        target: Box<Expr>,
        /// The function.
        selector: [u8; 4],
        /// The arguments.
        args: Vec<Expr>,
        /// Value sent along.
        value: Option<Box<Expr>>,
        /// Gas given at most.
        gas: Option<Box<Expr>>,
        /// What it returns.
        returns: Vec<Type>,
        /// Through `query`.
        readonly: bool,
    },
    /// A function of the host chain.
    Extension {
        name: String,
        args: Vec<Expr>,
        returns: Vec<Type>,
        /// It changes nothing.
        view: bool,
    },
    /// `Model.infer(…)`
    Infer(usize, Vec<Expr>),
    /// `.length`
    Length(Place),
    /// `.push(v)`
    Push(Place, Option<Box<Expr>>),
    /// `.pop()`
    Pop(Place),
    /// `x == null`
    IsNull(Place),
    /// An error was reported.
    Error,
}

/// A statement.
#[derive(Debug, Clone)]
pub enum Stmt {
    /// What follows stands here in the source.
    At(Span),
    /// Statements.
    Block(Vec<Stmt>),
    /// A value that is dropped.
    Expr(Expr),
    /// A new local; none is the zero value.
    Let(usize, Option<Expr>),
    /// New locals from several values.
    LetMany(Vec<Option<usize>>, Expr),
    /// Assignment to several places.
    AssignMany(Vec<Option<Place>>, Expr),
    /// `if`
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// A loop.
    Loop {
        /// Goes on while it holds.
        condition: Option<Expr>,
        /// The condition is looked at behind the body.
        late: bool,
        /// The body.
        body: Vec<Stmt>,
        /// Runs after each round, `continue` included.
        step: Vec<Stmt>,
    },
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return`
    Return(Option<Expr>),
    /// An event: its number, and its arguments.
    Emit(usize, Vec<Expr>),
    /// Fails unless the condition holds.
    Require(Expr, Failure),
    /// Fails.
    Fail(Failure),
    /// `delete`
    Delete(Place),
    /// `require_pqc`: tried, then what runs when it failed.
    RequirePqc(Vec<Stmt>, Vec<Stmt>),
    /// `with_gas_limit`: the limit, the outlined function, the locals that go in and out.
    GasLimit(Expr, usize, Vec<usize>),
}

/// A local variable.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Holds a slot.
    pub storage: bool,
    /// Something inside it is written to.
    pub mutated: bool,
    /// Where it was declared.
    pub span: Span,
}

/// What a function touches, itself and through those it calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// Reads state or context.
    pub reads: bool,
    /// Changes state, emits, calls out.
    pub writes: bool,
    /// Reads `msg.value`.
    pub value: bool,
}

impl Effects {
    /// Both together.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            reads: self.reads | other.reads,
            writes: self.writes | other.writes,
            value: self.value | other.value,
        }
    }
}

/// A function of the contract.
#[derive(Debug, Clone, Default)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// All locals; parameters are the first.
    pub locals: Vec<Local>,
    /// Number of parameters.
    pub params: usize,
    /// Results.
    pub returns: Vec<Type>,
    /// The one result is a reference to state: its slot.
    pub returns_storage: bool,
    /// Locals that hold named results.
    pub named_returns: Option<Vec<usize>>,
    /// Statements.
    pub body: Vec<Stmt>,
    /// What it touches.
    pub effects: Effects,
    /// Functions it calls.
    pub calls: Vec<usize>,
    /// `@gas_limit`
    pub gas_limit: Option<u64>,
    /// For an outlined block: locals decoded from the input and encoded as the result.
    pub outlined: Option<Vec<usize>>,
}

/// A parameter of an event or error.
#[derive(Debug, Clone)]
pub struct EventParam {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Goes to a topic.
    pub indexed: bool,
}

/// An event or custom error.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<EventParam>,
    /// Keccak-256 of its signature.
    pub hash: [u8; 32],
}

/// Element types of tensors, numbered as in the host interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Number of the element type.
    pub element: u8,
    /// Lengths of its dimensions.
    pub shape: Vec<u32>,
    /// As a type of the language.
    pub ty: Type,
}

/// A model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its content address.
    pub hash: [u8; 32],
    /// Inputs in the model's order.
    pub inputs: Vec<Tensor>,
    /// Outputs in the model's order.
    pub outputs: Vec<Tensor>,
}

/// A function callable from outside.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// First four bytes of the Keccak hash of its signature.
    pub selector: [u8; 4],
    /// Number of the function.
    pub function: usize,
    /// Names of parameters, empty where there is none.
    pub param_names: Vec<String>,
    /// Names of results, empty where there is none.
    pub return_names: Vec<String>,
    /// Takes value.
    pub payable: bool,
    /// Not listed in the ABI.
    pub hidden: bool,
}

/// A contract ready for code generation.
#[derive(Debug, Clone, Default)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Functions.
    pub functions: Vec<Function>,
    /// Functions callable from outside, by selector.
    pub entries: Vec<Entry>,
    /// The constructor and the names of its parameters.
    pub constructor: Option<(usize, Vec<String>)>,
    /// The constructor is declared payable.
    pub payable_constructor: bool,
    /// Sets the first values of state variables.
    pub initializer: Option<usize>,
    /// Events it emits or declares.
    pub events: Vec<Event>,
    /// Errors it declares.
    pub errors: Vec<Event>,
    /// Models it uses.
    pub models: Vec<Model>,
}
