//! Chains: one in memory, and one behind callbacks.

use std::ffi::{CStr, c_char};

use aivm::{Address, BlockContext, InboxMessage, MemoryHost, Word};

use crate::callbacks::{AivmCallbacks, Callbacks};
use crate::error::{AivmCode, Failure, guarded};
use crate::optional::AivmOptionalCallbacks;

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
#[derive(Default)]
pub struct AivmSink {
    pub(crate) bytes: Vec<u8>,
    /// What was wrong with a write.
    pub(crate) mistake: Option<Failure>,
}

/// Puts bytes at the end of what the sink has. A write from a null pointer, or of more bytes than there can be, makes
/// the callback one that failed.
///
/// # Safety
///
/// `sink` is the one that a callback was given, and the callback has not returned; `len` bytes can be read at `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_sink_write(sink: *mut AivmSink, data: *const u8, len: usize) {
    // SAFETY: both are the caller's promise.
    let (sink, bytes) = unsafe { (sink.as_mut(), slice("data", data, len)) };
    match (sink, bytes) {
        (Some(sink), Ok(bytes)) => sink.bytes.extend_from_slice(bytes),
        (Some(sink), Err(mistake)) => sink.mistake = Some(mistake),
        (None, _) => {}
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

/// Gives a chain behind callbacks more of them; those that are null, or were given before and now are null, are as if
/// they had never been there.
///
/// # Safety
///
/// `host` can be used, `optional` can be read for `optional->size` bytes, and the callbacks can be called until the host
/// is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_set_optional(
    host: *mut AivmHost,
    optional: *const AivmOptionalCallbacks,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (host, optional) = unsafe {
            (
                host.as_mut().ok_or_else(|| Failure::null("host"))?,
                AivmOptionalCallbacks::read(optional)?,
            )
        };
        let Chain::Callbacks(callbacks) = &mut host.0 else {
            return Err(Failure::new(
                AivmCode::Config,
                "this is for chains behind callbacks; one in memory has `aivm_host_deliver` and `aivm_host_name_model`",
            ));
        };
        callbacks.optional = optional;
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

/// What is known of a message from another chain, beside its sender and its payload.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmInboxMessage {
    /// Number of the chain that it comes from.
    pub source_chain: u64,
    /// Number of the chain that it was sent to; on any other there is no such message.
    pub destination: u64,
    /// The contract that it is for; no other gets it.
    pub recipient: [u8; 20],
}

/// Puts a message into the inbox of a chain in memory, under an identifier of 32 bytes, as if it had arrived and been
/// verified.
///
/// # Safety
///
/// The pointers can be read for that many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_deliver(
    host: *mut AivmHost,
    id: *const u8,
    message: *const AivmInboxMessage,
    sender: AivmBytes,
    payload: AivmBytes,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let message = message.as_ref().ok_or_else(|| Failure::null("message"))?;
            let message = InboxMessage {
                source_chain: message.source_chain,
                destination: message.destination,
                sender: slice("sender.data", sender.data, sender.len)?.to_vec(),
                recipient: Address(message.recipient),
                payload: slice("payload.data", payload.data, payload.len)?.to_vec(),
            };
            let id = array("id", id)?;
            memory(host)?.deliver(id, message);
        }
        Ok(())
    })
}

/// Gives a model of a chain in memory a name: UTF-8 and ended by a zero byte; and its hash, 32 bytes.
///
/// # Safety
///
/// The pointers can be read for that many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_name_model(
    host: *mut AivmHost,
    name: *const c_char,
    model: *const u8,
) -> AivmCode {
    guarded(|| {
        if name.is_null() {
            return Err(Failure::null("name"));
        }
        // SAFETY: not null, and the rest is the caller's promise.
        unsafe {
            let name = text("the model's name", name)?;
            let model = array("model", model)?;
            memory(host)?.name_model(name, model);
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
        _ if isize::try_from(len).is_err() => Err(Failure::new(
            AivmCode::Length,
            format!("`{name}` has {len} bytes, more than there can be"),
        )),
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

/// Text at a pointer that is not null.
unsafe fn text<'a>(what: &str, at: *const c_char) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(at) };
    text.to_str()
        .map_err(|_| Failure::new(AivmCode::Utf8, format!("{what} is not UTF-8")))
}

pub(crate) unsafe fn context(block: &AivmBlock) -> Result<BlockContext, Failure> {
    let mut context =
        BlockContext::new(block.chain_id, block.number).with_timestamp(block.timestamp);
    if !block.network.is_null() {
        // SAFETY: the caller's promise.
        context = context.with_network(unsafe { text("the network's name", block.network) }?);
    }
    Ok(context)
}
