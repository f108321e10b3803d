//! Codes and messages.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use aivm::Error;

/// Why a function failed; 0 is success.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AivmCode {
    /// It worked.
    Ok = 0,
    /// The module is refused.
    InvalidModule = 1,
    /// The module lacks what a contract exports.
    NotAContract = 2,
    /// The model is refused.
    InvalidModel = 3,
    /// The request costs more before it runs than it may.
    GasLimitTooLow = 4,
    /// The gas limit is 2^63 or more.
    GasLimitTooHigh = 5,
    /// The call data is too long.
    InputTooLong = 6,
    /// There is no contract at the address.
    NoContract = 7,
    /// The chain has no code with the hash.
    UnknownCode = 8,
    /// There is a contract at the address already.
    AddressInUse = 9,
    /// The sender has less than it sends.
    InsufficientBalance = 10,
    /// The chain gave other code than was asked for.
    CodeMismatch = 11,
    /// The chain gave another model than was asked for.
    ModelMismatch = 12,
    /// Code on the chain is refused by the schedule in force.
    StoredCode = 13,
    /// A callback failed.
    Host = 14,
    /// A callback of a Rust host panicked.
    HostPanic = 15,
    /// The engine failed.
    Engine = 16,
    /// An inference failed.
    Inference = 17,
    /// The configuration is unusable.
    Config = 18,
    /// The transaction needs more PQ-Gas than its block has left.
    BlockFull = 19,
    /// The effects are committed, but `state_root` failed afterwards, so there is no receipt.
    Committed = 20,
    /// The chain's bytes of a model that was registered are no model any more.
    StoredModel = 21,
    /// A failure that this header does not know.
    Other = 99,
    /// A pointer that must not be null is null.
    Null = 100,
    /// A text is not UTF-8.
    Utf8 = 101,
    /// A callback is missing.
    Callback = 102,
    /// There is no item with this index.
    Index = 103,
    /// A defect of the library; the handles that took part should be freed.
    Panic = 104,
    /// A length is more than there can be in memory, or a structure has a size that this library does not know.
    Length = 105,
}

/// A failure inside the library.
pub(crate) struct Failure {
    code: AivmCode,
    pub message: String,
}

impl Failure {
    pub fn new(code: AivmCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub fn null(name: &str) -> Self {
        Self::new(AivmCode::Null, format!("`{name}` is null"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::InvalidModule(_) => AivmCode::InvalidModule,
            Error::NotAContract(_) => AivmCode::NotAContract,
            Error::InvalidModel(_) => AivmCode::InvalidModel,
            Error::GasLimitTooLow { .. } => AivmCode::GasLimitTooLow,
            Error::GasLimitTooHigh(_) => AivmCode::GasLimitTooHigh,
            Error::InputTooLong { .. } => AivmCode::InputTooLong,
            Error::NoContract(_) => AivmCode::NoContract,
            Error::UnknownCode(_) => AivmCode::UnknownCode,
            Error::AddressInUse(_) => AivmCode::AddressInUse,
            Error::InsufficientBalance { .. } => AivmCode::InsufficientBalance,
            Error::BlockFull { .. } => AivmCode::BlockFull,
            Error::CodeMismatch { .. } => AivmCode::CodeMismatch,
            Error::ModelMismatch { .. } => AivmCode::ModelMismatch,
            Error::StoredCode { .. } => AivmCode::StoredCode,
            Error::StoredModel { .. } => AivmCode::StoredModel,
            Error::Host(_) => AivmCode::Host,
            Error::Committed(_) => AivmCode::Committed,
            Error::HostPanic(_) => AivmCode::HostPanic,
            Error::Engine(_) => AivmCode::Engine,
            Error::Inference(_) => AivmCode::Inference,
            Error::Config(_) => AivmCode::Config,
            _ => AivmCode::Other,
        };
        Self::new(code, error.to_string())
    }
}

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::default();
}

/// Message of the last failure on this thread, empty when there was none. It lives until the
/// next call on this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn aivm_error_message() -> *const c_char {
    MESSAGE.with_borrow(|message| message.as_ptr())
}

/// Runs the body of a function: failures and panics become codes.
pub(crate) fn guarded(body: impl FnOnce() -> Result<(), Failure>) -> AivmCode {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return AivmCode::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Failure::new(AivmCode::Panic, text.unwrap_or("a defect of the library"))
        }
    };
    let text = failure.message.replace('\0', " ");
    MESSAGE.set(CString::new(text).unwrap_or_default());
    failure.code
}
