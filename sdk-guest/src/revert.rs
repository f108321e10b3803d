//! How contracts refuse.

use alloc::string::String;
use alloc::vec::Vec;

use crate::env::error_string;

/// Why a call is refused: custom errors by `#[derive(Revert)]`, or text.
///
/// Each variant of an enum is a Solidity error of its own:
///
/// ```
/// use aivm_sdk::prelude::*;
///
/// #[derive(Revert)]
/// enum TokenError {
///     NotOwner,
///     InsufficientBalance { have: U256, need: U256 },
/// }
/// // Keccak-256 of "NotOwner()" begins with 30cd7471.
/// assert_eq!(TokenError::NotOwner.revert_data(), [0x30, 0xcd, 0x74, 0x71]);
/// ```
pub trait Revert {
    /// Revert data: a selector and the fields.
    fn revert_data(&self) -> Vec<u8>;

    /// The errors as ABI JSON tells them.
    #[cfg(not(target_arch = "wasm32"))]
    fn describe() -> Vec<crate::describe::Entry> {
        Vec::new()
    }
}

/// `Error(string)`.
impl Revert for String {
    fn revert_data(&self) -> Vec<u8> {
        error_string(self)
    }
}

/// `Error(string)`.
impl Revert for &str {
    fn revert_data(&self) -> Vec<u8> {
        error_string(self)
    }
}

/// Returns an error unless a condition holds: `ensure!(balance >= amount, TokenError::TooLow)`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $error:expr $(,)?) => {
        if !$condition {
            return ::core::result::Result::Err($error);
        }
    };
}
