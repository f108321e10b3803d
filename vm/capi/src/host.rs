//! Chains: one in memory, and one behind callbacks.

use std::ffi::{CStr, c_char, c_void};

use aivm::{
    Address, BlockContext, Hash, Host, HostError, MemoryHost, StateDelta, StorageEntry, Word,
};

use crate::error::{AivmCode, Failure, guarded};

/// Bytes that somebody else owns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmBytes {
    /// The first byte; may be null when there are none.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl AivmBytes {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

/// Where a callback puts bytes, with `aivm_sink_write`.
pub struct AivmSink(Vec<u8>);

/// Puts bytes at the end of what the sink has.
///
/// # Safety
///
/// `sink` is the one that a callback was given, and the callback has not returned; `len` bytes can be read at `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_sink_write(sink: *mut AivmSink, data: *const u8, len: usize) {
    // SAFETY: both are the caller's promise.
    if let (Some(sink), Ok(bytes)) = unsafe { (sink.as_mut(), slice("data", data, len)) } {
        sink.0.extend_from_slice(bytes);
    }
}

/// The block that calls run in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmBlock {
    /// Number of the chain.
    pub chain_id: u64,
    /// Height of the block; it selects the gas schedule.
    pub number: u64,
    /// Time of the block, seconds since the Unix epoch.
    pub timestamp: u64,
    /// Name of the network, UTF-8 and ended by a zero byte; null for none.
    pub network: *const c_char,
}

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

/// A chain, told to the VM by callbacks. All but `state_root` must be there.
///
/// Lookups give 1 when there is something, 0 when there is not, and a negative number when the
/// chain's store failed. The others give 0, or a negative number for a failure.
/// Answers must be the same on every node. During a call the VM only reads; all effects come in
/// one `commit`, to be applied as a whole or not at all. Callbacks must not unwind or jump over the library.
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

/// A chain.
pub struct AivmHost(pub(crate) Chain);

pub(crate) enum Chain {
    Memory(Box<MemoryHost>),
    Callbacks(Callbacks),
}

/// Makes a chain in memory, for tests and experiments.
#[unsafe(no_mangle)]
pub extern "C" fn aivm_host_new_memory() -> *mut AivmHost {
    let chain = Chain::Memory(Box::new(MemoryHost::new().with_state_root()));
    Box::into_raw(Box::new(AivmHost(chain)))
}

/// Makes a chain that asks callbacks.
///
/// # Safety
///
/// `callbacks` and `host` can be read and written; the callbacks can be called until the host is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_new(
    callbacks: *const AivmCallbacks,
    host: *mut *mut AivmHost,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (callbacks, host) = unsafe {
            (
                callbacks
                    .as_ref()
                    .ok_or_else(|| Failure::null("callbacks"))?,
                host.as_mut().ok_or_else(|| Failure::null("host"))?,
            )
        };
        let chain = Chain::Callbacks(Callbacks::new(callbacks)?);
        *host = Box::into_raw(Box::new(AivmHost(chain)));
        Ok(())
    })
}

/// Frees a chain.
///
/// # Safety
///
/// `host` was made by this library and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_free(host: *mut AivmHost) {
    if !host.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(host) });
    }
}

/// Sets the block of a chain in memory.
///
/// # Safety
///
/// The pointers can be used; `network` is null or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_set_block(
    host: *mut AivmHost,
    block: *const AivmBlock,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let block = unsafe {
            let block = block.as_ref().ok_or_else(|| Failure::null("block"))?;
            context(block)?
        };
        // SAFETY: the caller's promise.
        unsafe { memory(host) }?.set_block(block);
        Ok(())
    })
}

/// Sets a balance on a chain in memory: address of 20 bytes, balance of 32, most significant first.
///
/// # Safety
///
/// The pointers can be read for that many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_set_balance(
    host: *mut AivmHost,
    address: *const u8,
    balance: *const u8,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let address = Address(array("address", address)?);
            let balance = Word::from_be_bytes(array("balance", balance)?);
            memory(host)?.set_balance(address, balance);
        }
        Ok(())
    })
}

/// Hash of the whole state of a chain in memory, 32 bytes.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_state_hash(host: *mut AivmHost, hash: *mut u8) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let state = memory(host)?.state_hash();
            put("hash", hash, &state)
        }
    })
}

unsafe fn memory<'a>(host: *mut AivmHost) -> Result<&'a mut MemoryHost, Failure> {
    // SAFETY: the caller's promise.
    match unsafe { host.as_mut() } {
        None => Err(Failure::null("host")),
        Some(AivmHost(Chain::Memory(host))) => Ok(host),
        Some(AivmHost(Chain::Callbacks(_))) => Err(Failure::new(
            AivmCode::Config,
            "this is for chains in memory; a chain behind callbacks keeps its own state",
        )),
    }
}

/// Bytes at a pointer; no bytes when `len` is 0, whatever the pointer.
pub(crate) unsafe fn slice<'a>(
    name: &str,
    data: *const u8,
    len: usize,
) -> Result<&'a [u8], Failure> {
    match len {
        0 => Ok(&[]),
        _ if data.is_null() => Err(Failure::null(name)),
        // SAFETY: not null, and the length is the caller's promise.
        _ => Ok(unsafe { std::slice::from_raw_parts(data, len) }),
    }
}

/// `N` bytes at a pointer.
pub(crate) unsafe fn array<const N: usize>(
    name: &str,
    data: *const u8,
) -> Result<[u8; N], Failure> {
    if data.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: not null, and the length is the caller's promise; bytes need no alignment.
    Ok(unsafe { data.cast::<[u8; N]>().read() })
}

/// Writes bytes to a pointer.
pub(crate) unsafe fn put(name: &str, to: *mut u8, bytes: &[u8]) -> Result<(), Failure> {
    if to.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: not null, room for as many bytes is the caller's promise, and `bytes` is ours.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    Ok(())
}

unsafe fn context(block: &AivmBlock) -> Result<BlockContext, Failure> {
    let mut context =
        BlockContext::new(block.chain_id, block.number).with_timestamp(block.timestamp);
    if !block.network.is_null() {
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(block.network) };
        let name = name
            .to_str()
            .map_err(|_| Failure::new(AivmCode::Utf8, "the network's name is not UTF-8"))?;
        context = context.with_network(name);
    }
    Ok(context)
}

/// Callbacks that are all there.
pub(crate) struct Callbacks {
    all: AivmCallbacks,
}

impl Callbacks {
    fn new(all: &AivmCallbacks) -> Result<Self, Failure> {
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
            None => Ok(Self { all: *all }),
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
        unsafe { context(&block) }
            .unwrap_or_else(|_| BlockContext::new(block.chain_id, block.number))
    }

    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        const NAME: &str = "storage_get";
        let callback = self.all.storage_get.ok_or_else(|| Self::missing(NAME))?;
        let mut sink = AivmSink(Vec::new());
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
        Self::found(NAME, code, sink.0)
    }

    fn storage_range(
        &self,
        _contract: &Address,
        _from: &[u8],
        _limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        Err(HostError::new("a chain behind callbacks lists no storage"))
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
        let callback = self.all.contract.ok_or_else(|| Self::missing(NAME))?;
        let mut hash = [0; 32];
        // SAFETY: as in `balance`.
        let code = unsafe { callback(self.all.user, address.0.as_ptr(), hash.as_mut_ptr()) };
        Self::found(NAME, code, hash)
    }

    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        const NAME: &str = "code";
        let callback = self.all.code.ok_or_else(|| Self::missing(NAME))?;
        let mut sink = AivmSink(Vec::new());
        // SAFETY: as in `block`.
        let code = unsafe { callback(self.all.user, code_hash.as_ptr(), &raw mut sink) };
        Self::found(NAME, code, sink.0)
    }

    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        const NAME: &str = "model";
        let callback = self.all.model.ok_or_else(|| Self::missing(NAME))?;
        let mut sink = AivmSink(Vec::new());
        // SAFETY: as in `block`.
        let code = unsafe { callback(self.all.user, model_hash.as_ptr(), &raw mut sink) };
        Self::found(NAME, code, sink.0)
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
