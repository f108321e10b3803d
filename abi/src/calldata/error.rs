//! What can be wrong with call data.

/// Why call data could not be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalldataError {
    /// Not a Solidity ABI in JSON.
    #[error("not a contract ABI in JSON: {0}")]
    Abi(String),
    /// The ABI has no such function.
    #[error("no function `{name}`; there is {known}")]
    NoFunction {
        /// Name or signature that was asked for.
        name: String,
        /// Functions that there are.
        known: String,
    },
    /// Text that is no call.
    #[error("`{0}` is not a call; write it as 'name(argument, ...)'")]
    BadCall(String),
    /// Several functions have the name.
    #[error("several functions are called `{name}`; give one of the signatures {candidates}")]
    Ambiguous {
        /// Name that was asked for.
        name: String,
        /// Their signatures.
        candidates: String,
    },
    /// Too few or too many arguments.
    #[error("`{signature}` takes {expected} argument{}, {given} given", if *.expected == 1 { "" } else { "s" })]
    ArgumentCount {
        /// The function.
        signature: String,
        /// Arguments it takes.
        expected: usize,
        /// Arguments given.
        given: usize,
    },
    /// An argument is not a value of its type.
    #[error("argument {index} (`{name}`: {ty}): {reason}")]
    Argument {
        /// Position, from 1.
        index: usize,
        /// Parameter name; may be empty.
        name: String,
        /// Its type.
        ty: String,
        /// What is wrong.
        reason: String,
    },
    /// Shorter than a selector.
    #[error("call data has {0} bytes; a selector alone has 4")]
    TooShort(usize),
    /// No function of the ABI has the selector.
    #[error("no function has the selector 0x{}", hex::encode(.0))]
    UnknownSelector([u8; 4]),
    /// The data is not what the signature says.
    #[error("data of `{signature}` does not decode: {reason}")]
    Data {
        /// Function or event.
        signature: String,
        /// What is wrong.
        reason: String,
    },
    /// No event of the ABI has the first topic and this number of topics.
    #[error("no event of the ABI matches")]
    UnknownEvent,
}
