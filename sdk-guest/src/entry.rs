//! A contract's exports, for `#[contract]`. They are those that `export!` would make,
//! less what gives memory back: the instance ends with the call.

use alloc::vec::Vec;
use core::cell::Cell;
use core::mem::ManuallyDrop;

use crate::Reply;

/// Case, address and length, as the canonical ABI returns `result<list<u8>, list<u8>>`.
pub type Returned = [usize; 3];

struct Place(Cell<Returned>);

// SAFETY: a contract has one thread; the VM refuses modules that could start another.
unsafe impl Sync for Place {}

static RETURNED: Place = Place(Cell::new([0; 3]));

/// Runs an entry point on the host's input.
///
/// # Safety
/// `input` is a block of `length` bytes from `cabi_realloc`, which nobody else uses.
pub unsafe fn run(input: *mut u8, length: usize, entry: fn(&[u8]) -> Reply) -> *const Returned {
    // SAFETY: the caller promises it.
    let input = ManuallyDrop::new(unsafe { Vec::from_raw_parts(input, length, length) });
    let (case, data) = match entry(&input) {
        Ok(data) => (0, data),
        Err(data) => (1, data),
    };
    let data = ManuallyDrop::new(data);
    RETURNED.0.set([case, data.as_ptr() as usize, data.len()]);
    RETURNED.0.as_ptr()
}

/// Exports a contract.
#[doc(hidden)]
#[macro_export]
macro_rules! export_contract {
    ($contract:ty) => {
        $crate::export_contract!("construct", construct, $contract, construct);
        $crate::export_contract!("call", call, $contract, call);
        $crate::export_contract!("query", query, $contract, call);
    };
    ($name:literal, $function:ident, $contract:ty, $entry:ident) => {
        #[unsafe(export_name = $name)]
        unsafe extern "C" fn $function(
            input: *mut u8,
            length: usize,
        ) -> *const $crate::entry::Returned {
            // SAFETY: the host gives a block that it had from `cabi_realloc`.
            unsafe { $crate::entry::run(input, length, <$contract as $crate::Contract>::$entry) }
        }
    };
}
