//! What an engine gives to the glue code: linear memory, the allocator, the host.

use crate::canonical::Handles;
use crate::{Exit, FuncId, Transcript};

/// A running guest, seen from inside a host function.
///
/// An engine implements it over its caller handle (a wasmer `FunctionEnvMut`, a wasmi
/// `Caller`) and passes it to the glue functions that [`for_each_import!`](crate::for_each_import)
/// lists.
pub trait Guest {
    /// The state behind the host functions.
    type Host: Meter;

    /// Linear memory and the host, borrowed side by side.
    ///
    /// # Errors
    ///
    /// A trap when the guest has no memory.
    fn parts(&mut self) -> Result<(&mut [u8], &mut Self::Host), Exit>;

    /// Tells that `length` bytes of linear memory at `start`, if they lie inside, are about to
    /// be written through [`parts`](Self::parts). Most engines need not know.
    ///
    /// # Errors
    ///
    /// `Exit::Host` when the machine has no memory for them.
    fn will_write(&mut self, start: usize, length: usize) -> Result<(), Exit> {
        let _ = (start, length);
        Ok(())
    }

    /// Asks the guest for `size` bytes aligned to `align`: `cabi_realloc(0, 0, align, size)`.
    ///
    /// The allocator is guest code: it is metered like any other, and the glue trusts nothing
    /// about the returned pointer.
    ///
    /// # Errors
    ///
    /// Whatever ended the guest code, or a trap when there is no allocator.
    fn realloc(&mut self, align: u32, size: u32) -> Result<u32, Exit>;
}

/// What the glue needs from every host: gas, limits and the record.
pub trait Meter {
    /// Charges the base price of `func`. Called first of all.
    ///
    /// # Errors
    ///
    /// `Exit::Trap(OutOfGas)` when it is not covered.
    fn charge(&mut self, func: FuncId) -> Result<(), Exit>;

    /// Charges for `bytes` of list or string contents, before they are copied in or out.
    ///
    /// # Errors
    ///
    /// `Exit::Trap(OutOfGas)` when it is not covered.
    fn charge_bytes(&mut self, func: FuncId, bytes: u64) -> Result<(), Exit>;

    /// Largest number of bytes that the lists and strings of one call may hold together, for
    /// arguments and for results each.
    fn transfer_limit(&self) -> u32;

    /// The record of host calls.
    fn transcript(&mut self) -> &mut Transcript;

    /// The resource handles of the running instance. None, the default, is for hosts without
    /// resources: every handle is then a trap.
    fn handles(&mut self) -> Option<&mut Handles> {
        None
    }
}
