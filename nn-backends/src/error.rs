//! What can go wrong: with a tensor, with a model, with a run.

use crate::onnx::wire::WireError;
use crate::tensor::ElementType;

/// A tensor whose parts contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The data's length is not what shape and element type ask for.
    #[error("the shape asks for {expected} bytes, found {found}")]
    Length {
        /// Bytes the shape asks for.
        expected: u64,
        /// Bytes given.
        found: u64,
    },
    /// The shape's size does not fit 63 bits.
    #[error("the shape is too large")]
    TooLarge,
    /// A boolean is neither 0 nor 1.
    #[error("a boolean is neither 0 nor 1")]
    Boolean,
}

/// Why a model was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file is not a well-formed protobuf message.
    #[error("not a well-formed ONNX file: {0}")]
    Wire(#[source] WireError),
    /// The message is well-formed but is no valid model.
    #[error("malformed model: {0}")]
    Malformed(&'static str),
    /// A limit of [`ModelLimits`](crate::ModelLimits) is exceeded.
    #[error("the model exceeds a limit: {found} {what}, at most {max}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// How many there are (or would be).
        found: u64,
        /// How many are allowed.
        max: u64,
    },
    /// The operator set version is outside 1 to 27.
    #[error("operator set {0} is not supported (1 to 27 are)")]
    Opset(i64),
    /// A tensor of the file cannot be read.
    #[error("tensor `{name}`: {reason}")]
    Tensor {
        /// Its name.
        name: String,
        /// Why.
        reason: TensorReason,
    },
    /// An input's or output's declaration does not say everything that is needed.
    #[error("`{name}`: {reason}")]
    Signature {
        /// Name of the input or output.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A binding is of a name that the file does not have.
    #[error("the model has no {what} `{name}`; it has {}", list(.known))]
    Binding {
        /// What was bound.
        what: Bound,
        /// The name that was given.
        name: String,
        /// Names that the file has.
        known: Vec<String>,
    },
    /// A name is defined by two inputs, initialisers or nodes.
    #[error("`{0}` is defined twice")]
    Redefined(String),
    /// A name is used before it is defined: a cycle, a wrong order, or a missing initialiser.
    #[error("node `{node}` uses `{name}`, which nothing before it defines")]
    Undefined {
        /// The node, or the graph's output list.
        node: String,
        /// The undefined name.
        name: String,
    },
    /// Nodes that cannot be accepted, each with its reason; 64 at most are listed.
    #[error("{} of the model's nodes cannot be accepted; the first is {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Nodes(Vec<Refusal>),
}

/// What [`Bindings`](crate::Bindings) bind by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Bound {
    /// A symbolic dimension of an input.
    #[error("symbolic dimension")]
    Dimension,
    /// The shape of an input.
    #[error("input")]
    Shape,
    /// An input that becomes a constant.
    #[error("input")]
    Constant,
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join(", ")
        }
    }
}

/// Why a tensor of the file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorReason {
    /// The weights are in another file.
    #[error("external data is not allowed")]
    External,
    /// The element type is not one of ours.
    #[error("unsupported element type {0}")]
    ElementType(i64),
    /// A dimension is negative or does not fit 32 bits.
    #[error("invalid dimension {0}")]
    Dimension(i64),
    /// The data's length differs from the shape's.
    #[error("the shape asks for {expected} elements or bytes, found {found}")]
    Length {
        /// What the shape asks for.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// A value does not fit the element type.
    #[error("a value is outside the element type's range")]
    Range,
}

/// A node that cannot be accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{operator} `{node}`: {reason}")]
pub struct Refusal {
    /// The node's name, or its first output's if it has none.
    pub node: String,
    /// Operator, with its domain where that is not the default one.
    pub operator: String,
    /// Why.
    pub reason: NodeError,
}

/// Why one node cannot be accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The operator is unknown or outside what this VM offers.
    #[error("unsupported operator")]
    Operator,
    /// The operator draws random numbers.
    #[error("random operators have no deterministic result")]
    Random,
    /// An attribute is missing or has a value that is not supported.
    #[error("attribute `{0}` is missing, invalid or not supported")]
    Attribute(String),
    /// An input is missing.
    #[error("input {0} is missing")]
    MissingInput(usize),
    /// An input must be known when the model is loaded.
    #[error("input {0} must be a constant")]
    NotConstant(usize),
    /// An input has an element type that the operator does not take.
    #[error("input {input} has unsupported element type {ty}")]
    ElementType {
        /// Index of the input.
        input: usize,
        /// Its type.
        ty: ElementType,
    },
    /// The inputs' shapes do not fit each other or the attributes.
    #[error("shapes do not fit: {0}")]
    Shape(&'static str),
    /// A tensor would exceed a limit.
    #[error("the result exceeds a limit: {0}")]
    Limit(&'static str),
    /// A 32-bit accumulator could overflow.
    #[error("the accumulator can reach {worst}, more than 31 bits hold")]
    Accumulator {
        /// Worst-case magnitude.
        worst: u64,
    },
    /// A quantisation scale is not a positive, finite, normal number.
    #[error("scale {0} is not a positive finite number")]
    Scale(f32),
    /// A value of a constant input is not acceptable.
    #[error("invalid value: {0}")]
    Value(&'static str),
    /// Constants could not be folded.
    #[error("folding a constant failed: {0}")]
    Fold(Box<RunError>),
}

/// Why an inference did not run or did not finish.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The number of inputs differs from the model's.
    #[error("the model takes {expected} inputs, found {found}")]
    InputCount {
        /// Inputs of the model.
        expected: usize,
        /// Inputs given.
        found: usize,
    },
    /// An input's type or shape differs from the model's.
    #[error("input {index} does not have the model's element type and shape")]
    Input {
        /// Index of the input.
        index: usize,
    },
    /// An input contradicts itself.
    #[error("input {index}: {source}")]
    Tensor {
        /// Index of the input.
        index: usize,
        /// What is wrong.
        source: TensorError,
    },
    /// An index is outside its axis.
    #[error("an index is out of range")]
    IndexOutOfRange,
    /// An integer was divided by zero.
    #[error("integer division by zero")]
    DivisionByZero,
    /// The device that the model was prepared for failed. It says nothing about the model or its inputs, and must not
    /// become a result: run the model on another backend.
    #[error("{0}")]
    Device(String),
    /// The graph or an operand is not what the executor expects: an error of this library.
    #[error("internal error: {0}")]
    Internal(&'static str),
}
