//! A chain behind callbacks.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use aivm::{
    Address, BlockContext, ExtensionCall, ExtensionResult, Hash, Host, HostError, InboxMessage,
    StateDelta, StorageEntry, Word,
};

use crate::error::{AivmCode, Failure};
use crate::host::{AivmBlock, AivmBytes, AivmInboxMessage, AivmSink, context};
use crate::optional::{AivmExtensionCall, AivmOptionalCallbacks};
use crate::storage::AivmEntrySink;

/// What a change of state is about.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AivmChangeKind {
    /// `address` now has `value` under `key`.
    StorageSet = 1,
    /// `address` has nothing under `key` any more.
    StorageRemove = 2,
    /// The balance of `address` is now `value`, 32 bytes, most significant first.
    Balance = 3,
    /// There is a contract at `address` now; `value` is the hash of its code.
    Contract = 4,
    /// New code: `key` is its hash, `value` the module.
    Code = 5,
    /// A new model: `key` is its hash, `value` the file.
    Model = 6,
}

/// One change of state. The bytes live until the callback returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmChange {
    /// What it is about.
    pub kind: AivmChangeKind,
    /// The contract or account; zero for code and models.
    pub address: [u8; 20],
    /// See the kind.
    pub key: AivmBytes,
    /// See the kind.
    pub value: AivmBytes,
}

/// A chain, told to the VM by callbacks; `AivmOptionalCallbacks` are more. All but `state_root` must be there.
///
/// Lookups give 1 when there is something, 0 when there is not, and a negative number when the
/// chain's store failed. The others give 0, or a negative number for a failure.
/// Answers must be the same on every node. During a call the VM only reads; all effects come in
/// one `commit`, to be applied as a whole or not at all. Callbacks must not unwind or jump over the library, nor use the
/// host that they serve.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AivmCallbacks {
    /// Given to each callback.
    pub user: *mut c_void,
    /// Tells the block that calls run in.
    pub block: Option<unsafe extern "C" fn(user: *mut c_void, block: *mut AivmBlock)>,
    /// Value under a key of a contract.
    pub storage_get: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            contract: *const u8,
            key: *const u8,
            key_len: usize,
            value: *mut AivmSink,
        ) -> i32,
    >,
    /// Balance of an account, 32 bytes, most significant first; zero when there is no account.
    pub balance: Option<
        unsafe extern "C" fn(user: *mut c_void, address: *const u8, balance: *mut u8) -> i32,
    >,
    /// Code hash of the contract at an address, 32 bytes.
    pub contract:
        Option<unsafe extern "C" fn(user: *mut c_void, address: *const u8, code: *mut u8) -> i32>,
    /// Module with a code hash.
    pub code: Option<
        unsafe extern "C" fn(user: *mut c_void, code: *const u8, module: *mut AivmSink) -> i32,
    >,
    /// Model file with a hash.
    pub model: Option<
        unsafe extern "C" fn(user: *mut c_void, model: *const u8, file: *mut AivmSink) -> i32,
    >,
    /// Applies all changes, or none of them.
    pub commit: Option<
        unsafe extern "C" fn(user: *mut c_void, changes: *const AivmChange, count: usize) -> i32,
    >,
    /// Root of the state, 32 bytes, for chains that have one; may be null.
    pub state_root: Option<unsafe extern "C" fn(user: *mut c_void, root: *mut u8) -> i32>,
}

/// Callbacks that are all there, less the optional ones.
pub(crate) struct Callbacks {
    all: AivmCallbacks,
    pub optional: AivmOptionalCallbacks,
    /// Whether the last block was none that can be used. What is asked next says so.
    no_block: AtomicBool,
}

impl Callbacks {
    pub fn new(all: &AivmCallbacks) -> Result<Self, Failure> {
        let missing = [
            ("block", all.block.is_none()),
            ("storage_get", all.storage_get.is_none()),
            ("balance", all.balance.is_none()),
            ("contract", all.contract.is_none()),
            ("code", all.code.is_none()),
            ("model", all.model.is_none()),
            ("commit", all.commit.is_none()),
        ]
        .into_iter()
        .find(|(_, missing)| *missing);
        match missing {
            Some((name, _)) => Err(Failure::new(
                AivmCode::Callback,
                format!("the callback `{name}` is null"),
            )),
            None => Ok(Self {
                all: *all,
                optional: AivmOptionalCallbacks::NONE,
                no_block: AtomicBool::new(false),
            }),
        }
    }

    fn failed(name: &str, code: i32) -> HostError {
        HostError::new(format!("the callback `{name}` gave {code}"))
    }

    /// What a lookup found.
    fn found<T>(name: &str, code: i32, value: T) -> Result<Option<T>, HostError> {
        match code {
            0 => Ok(None),
            1 => Ok(Some(value)),
            code => Err(Self::failed(name, code)),
        }
    }

    /// Whether a lookup found something.
    fn present(name: &str, code: i32) -> Result<bool, HostError> {
        Ok(Self::found(name, code, ())?.is_some())
    }

    /// What a lookup put into a sink.
    fn bytes(name: &str, code: i32, sink: AivmSink) -> Result<Option<Vec<u8>>, HostError> {
        match Self::present(name, code)? {
            true => Self::written(name, sink).map(Some),
            false => Ok(None),
        }
    }

    fn written(name: &str, sink: AivmSink) -> Result<Vec<u8>, HostError> {
        match sink.mistake {
            None => Ok(sink.bytes),
            Some(mistake) => Err(Self::mistaken(name, &mistake)),
        }
    }

    fn mistaken(name: &str, mistake: &Failure) -> HostError {
        HostError::new(format!(
            "the callback `{name}` wrote what it has not: {}",
            mistake.message
        ))
    }

    fn missing(name: &str) -> HostError {
        HostError::new(format!("the callback `{name}` is null"))
    }
}

impl Host for Callbacks {
    fn block(&self) -> BlockContext {
        let mut block = AivmBlock {
            chain_id: 0,
            number: 0,
            timestamp: 0,
            network: std::ptr::null(),
        };
        if let Some(callback) = self.all.block {
            // SAFETY: whoever made the host promised that its callbacks can be called.
            unsafe { callback(self.all.user, &raw mut block) };
        }
        // SAFETY: the callback wrote null or a text that ends with a zero byte.
        let context = unsafe { context(&block) };
        self.no_block.store(context.is_err(), Ordering::Relaxed);
        context.unwrap_or_else(|_| BlockContext::new(block.chain_id, block.number))
    }

    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        const NAME: &str = "storage_get";
        let callback = self.all.storage_get.ok_or_else(|| Self::missing(NAME))?;
        let mut sink = AivmSink::default();
        // SAFETY: as in `block`; the pointers are good for the lengths given.
        let code = unsafe {
            callback(
                self.all.user,
                contract.0.as_ptr(),
                key.as_ptr(),
                key.len(),
                &raw mut sink,
            )
        };
        Self::bytes(NAME, code, sink)
    }

    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        const NAME: &str = "storage_range";
        let callback = self
            .optional
            .storage_range
            .ok_or_else(|| Self::missing(NAME))?;
        let mut sink = AivmEntrySink::new(from, limit);
        // SAFETY: as in `storage_get`; the sink is ours.
        let code = unsafe {
            callback(
                self.all.user,
                contract.0.as_ptr(),
                from.as_ptr(),
                from.len(),
                limit,
                &raw mut sink,
            )
        };
        match (code, sink.mistake) {
            (0, None) => Ok(sink.entries),
            (0, Some(mistake)) => Err(Self::mistaken(NAME, &mistake)),
            (code, _) => Err(Self::failed(NAME, code)),
        }
    }

    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        const NAME: &str = "balance";
        let callback = self.all.balance.ok_or_else(|| Self::missing(NAME))?;
        let mut balance = [0; 32];
        // SAFETY: as in `block`; there is room for 32 bytes.
        match unsafe { callback(self.all.user, address.0.as_ptr(), balance.as_mut_ptr()) } {
            0 => Ok(Word::from_be_bytes(balance)),
            code => Err(Self::failed(NAME, code)),
        }
    }

    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        const NAME: &str = "contract";
        if self.no_block.load(Ordering::Relaxed) {
            let text = "the callback `block` gave a network that is not UTF-8";
            return Err(HostError::new(text));
        }
        let callback = self.all.contract.ok_or_else(|| Self::missing(NAME))?;
        let mut hash = [0; 32];
        // SAFETY: as in `balance`.
        let code = unsafe { callback(self.all.user, address.0.as_ptr(), hash.as_mut_ptr()) };
        Self::found(NAME, code, hash)
    }

    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        const NAME: &str = "code";
        let callback = self.all.code.ok_or_else(|| Self::missing(NAME))?;
        let mut sink = AivmSink::default();
        // SAFETY: as in `block`.
        let code = unsafe { callback(self.all.user, code_hash.as_ptr(), &raw mut sink) };
        Self::bytes(NAME, code, sink)
    }

    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        const NAME: &str = "model";
        let callback = self.all.model.ok_or_else(|| Self::missing(NAME))?;
        let mut sink = AivmSink::default();
        // SAFETY: as in `block`.
        let code = unsafe { callback(self.all.user, model_hash.as_ptr(), &raw mut sink) };
        Self::bytes(NAME, code, sink)
    }

    fn has_code(&self, code_hash: &Hash) -> Result<bool, HostError> {
        let Some(callback) = self.optional.has_code else {
            return Ok(self.code(code_hash)?.is_some());
        };
        // SAFETY: as in `block`; the hash has 32 bytes.
        let code = unsafe { callback(self.all.user, code_hash.as_ptr()) };
        Self::present("has_code", code)
    }

    fn has_model(&self, model_hash: &Hash) -> Result<bool, HostError> {
        let Some(callback) = self.optional.has_model else {
            return Ok(self.model(model_hash)?.is_some());
        };
        // SAFETY: as in `has_code`.
        let code = unsafe { callback(self.all.user, model_hash.as_ptr()) };
        Self::present("has_model", code)
    }

    fn model_named(&self, name: &str) -> Result<Option<Hash>, HostError> {
        let Some(callback) = self.optional.model_named else {
            return Ok(None);
        };
        let mut hash = [0; 32];
        // SAFETY: as in `block`; the name has that many bytes, and there is room for 32 at the hash.
        let code = unsafe { callback(self.all.user, name.as_ptr(), name.len(), hash.as_mut_ptr()) };
        Self::found("model_named", code, hash)
    }

    fn inbox_message(&self, id: &Hash) -> Result<Option<InboxMessage>, HostError> {
        const NAME: &str = "inbox_message";
        let Some(callback) = self.optional.inbox_message else {
            return Ok(None);
        };
        let mut message = AivmInboxMessage {
            source_chain: 0,
            destination: 0,
            recipient: [0; 20],
        };
        let (mut sender, mut payload) = (AivmSink::default(), AivmSink::default());
        // SAFETY: as in `has_code`; message and sinks are ours.
        let code = unsafe {
            callback(
                self.all.user,
                id.as_ptr(),
                &raw mut message,
                &raw mut sender,
                &raw mut payload,
            )
        };
        let sender = Self::bytes(NAME, code, sender)?;
        let payload = Self::bytes(NAME, code, payload)?;
        Ok(sender.zip(payload).map(|(sender, payload)| InboxMessage {
            source_chain: message.source_chain,
            destination: message.destination,
            sender,
            recipient: Address(message.recipient),
            payload,
        }))
    }

    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        const NAME: &str = "commit";
        let callback = self.all.commit.ok_or_else(|| Self::missing(NAME))?;
        let balances: Vec<[u8; 32]> = delta
            .balances
            .values()
            .map(|word| word.to_be_bytes())
            .collect();
        let changes = changes(delta, &balances);
        // SAFETY: as in `block`; the changes and what they point to outlive the call.
        match unsafe { callback(self.all.user, changes.as_ptr(), changes.len()) } {
            0 => Ok(()),
            code => Err(Self::failed(NAME, code)),
        }
    }

    fn state_root(&self) -> Result<Option<Hash>, HostError> {
        let Some(callback) = self.all.state_root else {
            return Ok(None);
        };
        let mut root = [0; 32];
        // SAFETY: as in `balance`.
        let code = unsafe { callback(self.all.user, root.as_mut_ptr()) };
        Self::found("state_root", code, root)
    }

    fn extension_gas(&self, call: &ExtensionCall<'_>) -> Option<u64> {
        let callback = self.optional.extension_gas?;
        let (call, mut gas) = (AivmExtensionCall::of(call), 0);
        // SAFETY: as in `block`; the call and what it points to outlive the callback.
        match unsafe { callback(self.all.user, &raw const call, &raw mut gas) } {
            1 => Some(gas),
            _ => None,
        }
    }

    fn extension(&self, call: &ExtensionCall<'_>) -> Result<ExtensionResult, HostError> {
        const NAME: &str = "extension";
        let callback = self.optional.extension.ok_or_else(|| Self::missing(NAME))?;
        let (call, mut output) = (AivmExtensionCall::of(call), AivmSink::default());
        // SAFETY: as in `extension_gas`; the sink is ours.
        let code = unsafe { callback(self.all.user, &raw const call, &raw mut output) };
        Ok(match Self::present(NAME, code)? {
            true => Ok(Self::written(NAME, output)?),
            false => Err(Self::written(NAME, output)?),
        })
    }

    fn debug_log(&self, contract: &Address, message: &str) {
        if let Some(callback) = self.optional.debug_log {
            // SAFETY: as in `storage_get`.
            unsafe {
                callback(
                    self.all.user,
                    contract.0.as_ptr(),
                    message.as_ptr(),
                    message.len(),
                );
            }
        }
    }
}

/// The changes of a delta in its own order, which is the same on every node.
fn changes(delta: &StateDelta, balances: &[[u8; 32]]) -> Vec<AivmChange> {
    let change = |kind, address: Address, key: &[u8], value: &[u8]| AivmChange {
        kind,
        address: address.0,
        key: AivmBytes::of(key),
        value: AivmBytes::of(value),
    };
    let mut changes = Vec::new();
    for (contract, entries) in &delta.storage {
        for (key, value) in entries {
            changes.push(match value {
                Some(value) => change(AivmChangeKind::StorageSet, *contract, key, value),
                None => change(AivmChangeKind::StorageRemove, *contract, key, &[]),
            });
        }
    }
    for (address, balance) in delta.balances.keys().zip(balances) {
        changes.push(change(AivmChangeKind::Balance, *address, &[], balance));
    }
    for (address, code) in &delta.contracts {
        changes.push(change(AivmChangeKind::Contract, *address, &[], code));
    }
    for (hash, module) in &delta.codes {
        changes.push(change(AivmChangeKind::Code, Address::ZERO, hash, module));
    }
    for (hash, file) in &delta.models {
        changes.push(change(AivmChangeKind::Model, Address::ZERO, hash, file));
    }
    changes
}
