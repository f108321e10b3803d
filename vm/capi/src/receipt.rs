//! What a call did.

use aivm::{Receipt, Status};

use crate::error::{AivmCode, Failure, guarded};
use crate::host::{AivmBytes, put};

/// A receipt.
pub struct AivmReceipt {
    pub(crate) receipt: Receipt,
    bytes: Vec<u8>,
    /// Topics of each event, one after the other.
    topics: Vec<Vec<u8>>,
}

/// A message to another chain. The bytes live as long as the receipt.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmSentMessage {
    /// Its identifier: what a receiving chain of the AIVM delivers it under.
    pub id: [u8; 32],
    /// The contract that sent it.
    pub contract: [u8; 20],
    /// Number of the chain that it goes to.
    pub destination: u64,
    /// Its number among the messages of the contract to that chain, from 0.
    pub sequence: u64,
    /// Who receives it, as that chain writes addresses.
    pub recipient: AivmBytes,
    /// What is sent.
    pub payload: AivmBytes,
}

impl AivmReceipt {
    pub(crate) fn into_raw(receipt: Receipt) -> *mut Self {
        let bytes = receipt.to_canonical_bytes();
        let topics = receipt
            .events
            .iter()
            .map(|event| {
                event
                    .topics
                    .iter()
                    .flat_map(|topic| topic.to_be_bytes())
                    .collect()
            })
            .collect();
        Box::into_raw(Box::new(Self {
            receipt,
            bytes,
            topics,
        }))
    }
}

/// How a call ended.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AivmStatus {
    /// The contract returned; its effects are committed.
    Return = 0,
    /// The contract reverted; its effects are undone.
    Revert = 1,
    /// The sandbox stopped it; its effects are undone and all gas is spent.
    Trap = 2,
}

/// Gas by lane and cause.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmGas {
    /// All but PQ-Gas.
    pub total: u64,
    /// Instructions, frames, memory.
    pub execution: u64,
    /// Host calls.
    pub host: u64,
    /// Storage.
    pub storage: u64,
    /// Neural networks.
    pub inference: u64,
    /// PQ-Gas, a lane of its own.
    pub pq: u64,
}

/// An event. The bytes live as long as the receipt.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmEvent {
    /// The contract that told it.
    pub contract: [u8; 20],
    /// Topics of 32 bytes each, one after the other.
    pub topics: AivmBytes,
    /// The rest.
    pub data: AivmBytes,
}

/// How the call ended. A null receipt counts as a trap.
///
/// # Safety
///
/// `receipt` is null or a receipt that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_status(receipt: *const AivmReceipt) -> AivmStatus {
    // SAFETY: the caller's promise.
    match unsafe { receipt.as_ref() }.map(|receipt| receipt.receipt.status) {
        Some(Status::Return) => AivmStatus::Return,
        Some(Status::Revert) => AivmStatus::Revert,
        _ => AivmStatus::Trap,
    }
}

/// Number of the trap, as receipts have it; 0 when there was none.
///
/// # Safety
///
/// As for `aivm_receipt_status`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_trap(receipt: *const AivmReceipt) -> u32 {
    // SAFETY: the caller's promise.
    match unsafe { receipt.as_ref() }.map(|receipt| receipt.receipt.status) {
        Some(Status::Trap(code)) => code.code(),
        _ => 0,
    }
}

/// Return data or revert data. It lives as long as the receipt.
///
/// # Safety
///
/// As for `aivm_receipt_status`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_output(receipt: *const AivmReceipt) -> AivmBytes {
    // SAFETY: the caller's promise.
    let receipt = unsafe { receipt.as_ref() };
    AivmBytes::of(receipt.map_or(&[], |receipt| &receipt.receipt.output))
}

/// The canonical bytes, of which the hash is taken. They live as long as the receipt.
///
/// # Safety
///
/// As for `aivm_receipt_status`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_bytes(receipt: *const AivmReceipt) -> AivmBytes {
    // SAFETY: the caller's promise.
    let receipt = unsafe { receipt.as_ref() };
    AivmBytes::of(receipt.map_or(&[], |receipt| &receipt.bytes))
}

/// Writes the hash of the receipt, 32 bytes: what nodes compare.
///
/// # Safety
///
/// As for `aivm_receipt_status`; there is room for 32 bytes at `hash`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_hash(receipt: *const AivmReceipt, hash: *mut u8) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let receipt = receipt.as_ref().ok_or_else(|| Failure::null("receipt"))?;
            put("hash", hash, &receipt.receipt.hash().0)
        }
    })
}

/// Writes the gas that was used.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_gas(
    receipt: *const AivmReceipt,
    gas: *mut AivmGas,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (receipt, to) = unsafe {
            (
                receipt.as_ref().ok_or_else(|| Failure::null("receipt"))?,
                gas.as_mut().ok_or_else(|| Failure::null("gas"))?,
            )
        };
        let gas = &receipt.receipt.gas;
        *to = AivmGas {
            total: gas.total(),
            execution: gas.execution,
            host: gas.host,
            storage: gas.storage,
            inference: gas.inference,
            pq: gas.pq,
        };
        Ok(())
    })
}

/// How many events there are.
///
/// # Safety
///
/// As for `aivm_receipt_status`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_event_count(receipt: *const AivmReceipt) -> usize {
    // SAFETY: the caller's promise.
    unsafe { receipt.as_ref() }.map_or(0, |receipt| receipt.receipt.events.len())
}

/// Writes an event by its index, from 0.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_event(
    receipt: *const AivmReceipt,
    index: usize,
    event: *mut AivmEvent,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (receipt, to) = unsafe {
            (
                receipt.as_ref().ok_or_else(|| Failure::null("receipt"))?,
                event.as_mut().ok_or_else(|| Failure::null("event"))?,
            )
        };
        let (Some(event), Some(topics)) =
            (receipt.receipt.events.get(index), receipt.topics.get(index))
        else {
            return Err(no_such("events", receipt.topics.len(), index));
        };
        *to = AivmEvent {
            contract: event.contract.0,
            topics: AivmBytes::of(topics),
            data: AivmBytes::of(&event.data),
        };
        Ok(())
    })
}

fn no_such(what: &str, count: usize, index: usize) -> Failure {
    let text = format!("there are {count} {what}, none has index {index}");
    Failure::new(AivmCode::Index, text)
}

/// How many messages to other chains there are; a call that did not return has sent none.
///
/// # Safety
///
/// As for `aivm_receipt_status`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_message_count(receipt: *const AivmReceipt) -> usize {
    // SAFETY: the caller's promise.
    unsafe { receipt.as_ref() }.map_or(0, |receipt| receipt.receipt.outbox.len())
}

/// Writes a message to another chain by its index, from 0.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_message(
    receipt: *const AivmReceipt,
    index: usize,
    message: *mut AivmSentMessage,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (receipt, to) = unsafe {
            (
                receipt.as_ref().ok_or_else(|| Failure::null("receipt"))?,
                message.as_mut().ok_or_else(|| Failure::null("message"))?,
            )
        };
        let receipt = &receipt.receipt;
        let Some(message) = receipt.outbox.get(index) else {
            return Err(no_such("messages", receipt.outbox.len(), index));
        };
        *to = AivmSentMessage {
            id: message.id(receipt.chain_id).0,
            contract: message.contract.0,
            destination: message.destination,
            sequence: message.sequence,
            recipient: AivmBytes::of(&message.recipient),
            payload: AivmBytes::of(&message.payload),
        };
        Ok(())
    })
}

/// Frees a receipt.
///
/// # Safety
///
/// `receipt` was made by this library and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_receipt_free(receipt: *mut AivmReceipt) {
    if !receipt.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(receipt) });
    }
}
