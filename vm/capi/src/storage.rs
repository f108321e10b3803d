//! Listing what a contract has stored.

use aivm::{Address, Error, Host, StorageEntry};

use crate::error::{AivmCode, Failure, guarded};
use crate::host::{AivmBytes, AivmHost, Chain, array, slice};
use crate::vm::on;

/// Where the callback `storage_range` puts entries, with `aivm_entry_write`.
pub struct AivmEntrySink {
    pub(crate) entries: Vec<StorageEntry>,
    /// Least key, and most entries, that were asked for.
    from: Vec<u8>,
    limit: usize,
    /// What was wrong with a write.
    pub(crate) mistake: Option<Failure>,
}

impl AivmEntrySink {
    pub(crate) fn new(from: &[u8], limit: usize) -> Self {
        Self {
            entries: Vec::new(),
            from: from.to_vec(),
            limit,
            mistake: None,
        }
    }

    fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        let wrong = |why: String| Failure::new(AivmCode::Host, why);
        if self.entries.len() >= self.limit {
            let limit = self.limit;
            return Err(wrong(format!("an entry more than the {limit} asked for")));
        }
        let in_order = match self.entries.last() {
            Some((last, _)) => key > last.as_slice(),
            None => key >= self.from.as_slice(),
        };
        if !in_order {
            return Err(wrong("a key that does not follow".to_owned()));
        }
        self.entries.push((key.to_vec(), value.to_vec()));
        Ok(())
    }
}

/// Puts an entry behind those that the sink has. Keys ascend in the order of their bytes, from the one that was asked for
/// on; a write out of order, of more entries than were asked for, or from a null pointer makes the callback one that
/// failed, and further writes do nothing.
///
/// # Safety
///
/// `sink` is the one that a callback was given, and the callback has not returned; key and value can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_entry_write(
    sink: *mut AivmEntrySink,
    key: AivmBytes,
    value: AivmBytes,
) {
    // SAFETY: the caller's promise.
    let Some(sink) = (unsafe { sink.as_mut() }) else {
        return;
    };
    if sink.mistake.is_some() {
        return;
    }
    // SAFETY: the caller's promise.
    let parts = unsafe {
        slice("key.data", key.data, key.len)
            .and_then(|key| Ok((key, slice("value.data", value.data, value.len)?)))
    };
    sink.mistake = parts.and_then(|(key, value)| sink.push(key, value)).err();
}

/// Entries of a contract's storage.
pub struct AivmEntries(Vec<StorageEntry>);

/// Lists the storage of a contract, address of 20 bytes: up to `limit` entries with keys from `from` on, in ascending order
/// of the keys' bytes. For the next ones go on from the last key with a zero byte behind it. Contracts cannot do this, and
/// no call needs it; a chain behind callbacks must have the optional one `storage_range`.
///
/// # Safety
///
/// The pointers can be used, and `from` can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_host_storage_range(
    host: *mut AivmHost,
    contract: *const u8,
    from: AivmBytes,
    limit: usize,
    entries: *mut *mut AivmEntries,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (contract, from, to) = unsafe {
            (
                Address(array("contract", contract)?),
                slice("from.data", from.data, from.len)?,
                entries.as_mut().ok_or_else(|| Failure::null("entries"))?,
            )
        };
        // SAFETY: the caller's promise.
        if let Some(AivmHost(Chain::Callbacks(chain))) = unsafe { host.as_ref() }
            && chain.optional.storage_range.is_none()
        {
            return Err(Failure::new(
                AivmCode::Callback,
                "the callback `storage_range` is null",
            ));
        }
        let found = on!(host, chain => chain.storage_range(&contract, from, limit));
        let found = found.map_err(Error::from)?;
        *to = Box::into_raw(Box::new(AivmEntries(found)));
        Ok(())
    })
}

/// How many entries there are; 0 for null.
///
/// # Safety
///
/// `entries` is null or was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_entries_count(entries: *const AivmEntries) -> usize {
    // SAFETY: the caller's promise.
    unsafe { entries.as_ref() }.map_or(0, |entries| entries.0.len())
}

/// An entry: its key and its value, which live as long as `entries`.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_entries_get(
    entries: *const AivmEntries,
    index: usize,
    key: *mut AivmBytes,
    value: *mut AivmBytes,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (entries, key, value) = unsafe {
            (
                entries.as_ref().ok_or_else(|| Failure::null("entries"))?,
                key.as_mut().ok_or_else(|| Failure::null("key"))?,
                value.as_mut().ok_or_else(|| Failure::null("value"))?,
            )
        };
        let AivmEntries(entries) = entries;
        let (found, what) = entries.get(index).ok_or_else(|| {
            let message = format!(
                "there are {} entries, none has index {index}",
                entries.len()
            );
            Failure::new(AivmCode::Index, message)
        })?;
        (*key, *value) = (AivmBytes::of(found), AivmBytes::of(what));
        Ok(())
    })
}

/// Frees entries.
///
/// # Safety
///
/// `entries` is null, or was made by this library and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_entries_free(entries: *mut AivmEntries) {
    if !entries.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(entries) });
    }
}
