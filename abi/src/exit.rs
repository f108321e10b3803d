//! How guest code ends early.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Why a host function did not give a result.
///
/// The three stay apart all the way up: a contract's own decision, the sandbox's, and a
/// failure of the machine itself, which must never become a consensus result. The enum is
/// exhaustive on purpose, so that an engine handles each.
#[derive(Debug)]
pub enum Exit {
    /// The sandbox stops the call; all of its gas is spent.
    Trap(TrapCode),
    /// The contract ends the call with this revert data; unused gas comes back.
    Revert(Vec<u8>),
    /// The host failed (I/O, corrupted cache, a bug). Not a consensus outcome.
    Host(Box<dyn Error + Send + Sync>),
}

impl Exit {
    /// Wraps a failure of the host.
    #[cold]
    pub fn host(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Host(error.into())
    }
}

impl From<TrapCode> for Exit {
    #[cold]
    fn from(code: TrapCode) -> Self {
        Self::Trap(code)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(code) => write!(f, "trap: {code}"),
            Self::Revert(data) => write!(f, "reverted with {} bytes of data", data.len()),
            Self::Host(error) => write!(f, "host failure: {error}"),
        }
    }
}

impl Error for Exit {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Host(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

macro_rules! trap_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $name:literal;)+) => {
        /// Why the sandbox stopped a call. The numbers and names are part of receipts:
        /// they are never reused and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum TrapCode {
            $($(#[doc = $doc])+ $variant = $code,)+
        }

        impl TrapCode {
            /// Every code, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Name in kebab-case, as receipts and command lines print it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One sentence for a reader.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// The code with this number.
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

trap_codes! {
    /// The gas limit is spent.
    OutOfGas = 1, "out-of-gas";
    /// The logical stack is full.
    StackLimit = 2, "stack-limit";
    /// Linear memory or a table would outgrow its limit.
    MemoryLimit = 3, "memory-limit";
    /// The guest ran `unreachable`.
    Unreachable = 4, "unreachable";
    /// An access outside of linear memory.
    OutOfBoundsMemory = 5, "out-of-bounds-memory";
    /// An access outside of a table.
    OutOfBoundsTable = 6, "out-of-bounds-table";
    /// An integer operation whose result does not fit.
    IntegerOverflow = 7, "integer-overflow";
    /// An integer division by zero.
    DivisionByZero = 8, "division-by-zero";
    /// A conversion of NaN or of a number out of range to an integer.
    BadConversion = 9, "bad-conversion";
    /// An indirect call to a function of another type.
    IndirectCallType = 10, "indirect-call-type";
    /// An indirect call through an empty table slot.
    IndirectCallNull = 11, "indirect-call-null";
    /// A pointer given to the host is misaligned or outside of linear memory.
    BadPointer = 20, "bad-pointer";
    /// An argument is not a value of its type or not allowed where it stands.
    BadArgument = 21, "bad-argument";
    /// More bytes in one host call than the schedule allows.
    TransferLimit = 22, "transfer-limit";
    /// The guest's allocator returned memory that it cannot have.
    BadRealloc = 23, "bad-realloc";
    /// A resource handle that the guest does not hold.
    BadHandle = 24, "bad-handle";
    /// The result that the guest returned is malformed.
    BadResult = 25, "bad-result";
    /// A change of state in a read-only call.
    WriteInQuery = 30, "write-in-query";
    /// The chain of calls is too deep.
    CallDepth = 31, "call-depth";
    /// The transaction's PQ-Gas is spent.
    PqGasLimit = 32, "pq-gas-limit";
    /// Return data or events outgrow their limit.
    OutputLimit = 33, "output-limit";
    /// The chain does not have the extension.
    NoSuchExtension = 34, "no-such-extension";
    /// A checkpoint was closed that was never opened, or too many are open.
    Checkpoint = 35, "checkpoint";
    /// Too many resources are alive.
    ResourceLimit = 36, "resource-limit";
    /// The guest asked for a service that this VM refuses, such as a clock or randomness.
    Unsupported = 37, "unsupported";
    /// The guest asked to be ended, by `proc_exit` or the like.
    Exited = 38, "exited";
    /// An interface was used against its rules.
    Protocol = 39, "protocol";
    /// The schedule in force refuses the contract's code, which an earlier one accepted.
    RefusedCode = 40, "refused-code";
}

impl TrapCode {
    /// Number, as receipts hold it.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

impl fmt::Display for TrapCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a trap code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a trap code")]
pub struct UnknownTrapCode(pub String);

impl FromStr for TrapCode {
    type Err = UnknownTrapCode;

    fn from_str(name: &str) -> Result<Self, UnknownTrapCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.name() == name)
            .ok_or_else(|| UnknownTrapCode(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_round_trip() {
        for &code in TrapCode::ALL {
            assert_eq!(TrapCode::from_code(code.code()), Some(code));
            assert_eq!(code.name().parse(), Ok(code));
        }
        assert!(TrapCode::ALL.is_sorted());
        assert_eq!(TrapCode::from_code(0), None);
        assert!("out-of-money".parse::<TrapCode>().is_err());
        assert_eq!(TrapCode::OutOfGas.description(), "The gas limit is spent.");
    }
}
