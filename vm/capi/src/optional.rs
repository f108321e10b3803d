//! What a chain behind callbacks may have.

use std::ffi::c_void;

use aivm::ExtensionCall;

use crate::error::{AivmCode, Failure};
use crate::host::{AivmBytes, AivmInboxMessage, AivmSink};
use crate::storage::AivmEntrySink;

/// More of a chain, as far as it has it; a callback that is null is as if the chain had nothing of the kind. Codes are
/// those of `AivmCallbacks`, and so is `user`.
///
/// The structure grows with the library: `size` tells which of it the program knows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AivmOptionalCallbacks {
    /// `sizeof(struct AivmOptionalCallbacks)` where the program was compiled.
    pub size: usize,
    /// Whether the chain has the code with a hash, 32 bytes; asked for each deployment. Without it `code` is asked,
    /// which copies the module.
    pub has_code: Option<unsafe extern "C" fn(user: *mut c_void, code: *const u8) -> i32>,
    /// Whether the chain has the model with a hash, 32 bytes; asked for each quote and inference of a model that the VM
    /// holds already. Without it `model` is asked, which copies the file.
    pub has_model: Option<unsafe extern "C" fn(user: *mut c_void, model: *const u8) -> i32>,
    /// Hash of the model that the chain has given a name, 32 bytes. The name is UTF-8 and does not end with a zero byte; a
    /// contract chose it. Without the callback models have no names.
    pub model_named: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            name: *const u8,
            name_len: usize,
            model: *mut u8,
        ) -> i32,
    >,
    /// The message with an identifier of 32 bytes that arrived from another chain and was verified. Each message of each
    /// chain has an identifier of its own. The VM lets each be consumed once, so the chain need not forget it. The chain
    /// bounds the length of what it takes in: contracts pay for reading it by its bytes, and the VM copies all of it. Without
    /// the callback no message ever arrives.
    pub inbox_message: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            id: *const u8,
            message: *mut AivmInboxMessage,
            sender: *mut AivmSink,
            payload: *mut AivmSink,
        ) -> i32,
    >,
    /// Price of a call of one of the chain's own functions, in gas: 1 and the price, or 0 when the chain has no function
    /// of the name. It may depend on the call alone, so it cannot fail: whatever is not 1 counts as 0.
    pub extension_gas: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            call: *const AivmExtensionCall,
            gas: *mut u64,
        ) -> i32,
    >,
    /// Runs one of the chain's own functions, when the price was paid. 1: it returned, with the bytes in the sink; 0: it
    /// reverted with them, which the contract sees; negative: the chain failed. Goes with `extension_gas`.
    pub extension: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            call: *const AivmExtensionCall,
            output: *mut AivmSink,
        ) -> i32,
    >,
    /// A line that a contract wrote for people, UTF-8 that does not end with a zero byte; control characters and all, a
    /// contract chose it. Lines come from queries, estimates and calls that fail as well, and at once. Nothing may depend
    /// on them. Without the callback they are dropped.
    pub debug_log: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            contract: *const u8,
            message: *const u8,
            message_len: usize,
        ),
    >,
    /// Up to `limit` entries of a contract's storage with keys from `from` on, in ascending order of the keys' bytes, with
    /// `aivm_entry_write`. 0, or negative: the chain failed. `aivm_host_storage_range` asks for it, and nothing else.
    pub storage_range: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            contract: *const u8,
            from: *const u8,
            from_len: usize,
            limit: usize,
            entries: *mut AivmEntrySink,
        ) -> i32,
    >,
}

/// A call of one of the chain's own functions by a contract. The bytes live until the callback returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmExtensionCall {
    /// Name of the function, UTF-8, chosen by the contract.
    pub name: AivmBytes,
    /// Arguments, in the Solidity ABI by convention.
    pub arguments: AivmBytes,
    /// The contract that calls.
    pub contract: [u8; 20],
    /// Who called the contract.
    pub caller: [u8; 20],
    /// 1 when the call may not change state, else 0.
    pub read_only: u8,
}

impl AivmExtensionCall {
    pub(crate) fn of(call: &ExtensionCall<'_>) -> Self {
        Self {
            name: AivmBytes::of(call.name.as_bytes()),
            arguments: AivmBytes::of(call.arguments),
            contract: call.contract.0,
            caller: call.caller.0,
            read_only: call.read_only.into(),
        }
    }
}

impl AivmOptionalCallbacks {
    /// A chain that has none of it.
    pub(crate) const NONE: Self = Self {
        size: size_of::<Self>(),
        has_code: None,
        has_model: None,
        model_named: None,
        inbox_message: None,
        extension_gas: None,
        extension: None,
        debug_log: None,
        storage_range: None,
    };

    /// Reads as much as the program knows; the rest is null.
    pub(crate) unsafe fn read(from: *const Self) -> Result<Self, Failure> {
        if from.is_null() {
            return Err(Failure::null("optional"));
        }
        // SAFETY: not null; whatever else is there, there is the size.
        let size = unsafe { (&raw const (*from).size).read() };
        let known = size_of::<Self>();
        if size < size_of::<usize>() || size > known || !size.is_multiple_of(size_of::<usize>()) {
            return Err(Failure::new(
                AivmCode::Length,
                format!(
                    "`optional->size` is {size}; set it to sizeof(struct AivmOptionalCallbacks), which is {known} in \
                     this library's header"
                ),
            ));
        }
        let mut all = Self::NONE;
        // SAFETY: `size` bytes can be read, which is the caller's promise, and are not more than `all` has; pointers to
        // functions that are cut off at the end stay null.
        unsafe {
            std::ptr::copy_nonoverlapping(from.cast::<u8>(), (&raw mut all).cast::<u8>(), size);
        }
        match (all.extension_gas, all.extension) {
            (Some(_), None) => Err(Failure::new(
                AivmCode::Callback,
                "the callback `extension` is null, but `extension_gas` is not",
            )),
            _ => Ok(all),
        }
    }
}
