//! The Solidity ABI.
//!
//! | Solidity | Rust |
//! |---|---|
//! | `uint8` … `uint128`, `uint256` | `u8`, `u16`, `u32`, `u64`, `u128`, [`U256`](crate::U256) |
//! | `int8` … `int128`, `int256` | `i8`, `i16`, `i32`, `i64`, `i128`, [`I256`](crate::I256) |
//! | `bool`, `address` | `bool`, [`Address`](crate::Address) |
//! | `bytesN`, `bytes`, `string` | [`FixedBytes<N>`](crate::FixedBytes), [`Bytes`](crate::Bytes), `String` |
//! | `T[n]`, `T[]` | `[T; n]`, `Vec<T>` |
//! | tuples and structs | tuples, `#[derive(AbiType)]` |
//!
//! `uint8[64][1]`, one row of 64, is `[[u8; 64]; 1]`.

mod compound;
mod decoder;
mod encoder;
mod scalars;

use alloc::vec::Vec;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub(crate) use scalars::left_aligned;

use crate::name::Name;

/// A type of the Solidity ABI. Structs get it by `#[derive(AbiType)]`.
pub trait AbiType: Sized {
    /// Canonical name, as signatures have it.
    const NAME: Name;
    /// Whether its length depends on the value.
    const DYNAMIC: bool = false;
    /// Bytes that it takes in a head: 32 if it is dynamic, else its size.
    const HEAD: usize = 32;
    /// Size of the head when it is the whole of the data. Tuples are not wrapped once more.
    const TOP: usize = Self::HEAD;

    /// Writes it.
    fn encode(&self, to: &mut Encoder);

    /// Reads it; zeros when the data is malformed.
    fn decode(from: &mut Decoder<'_>) -> Self;

    /// Writes it as the whole of the data.
    fn encode_top(&self, to: &mut Encoder) {
        self.encode(to);
    }

    /// Reads it as the whole of the data.
    fn decode_top(from: &mut Decoder<'_>) -> Self {
        Self::decode(from)
    }

    /// The type as ABI JSON tells it.
    #[cfg(not(target_arch = "wasm32"))]
    fn describe() -> crate::describe::Type {
        crate::describe::Type::plain(Self::NAME.as_str())
    }
}

/// The data is not an encoding of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("malformed ABI data")
    }
}

impl core::error::Error for Malformed {}

/// Encodes a value as return data. A tuple becomes several values, as a function's arguments are.
pub fn encode<T: AbiType>(value: &T) -> Vec<u8> {
    let mut encoder = Encoder::with_head(T::TOP);
    value.encode_top(&mut encoder);
    encoder.finish()
}

/// Decodes what [`encode`] gives. Further bytes are ignored, as Solidity does.
///
/// # Errors
/// When the data is too short or holds a value that is not of its type.
pub fn decode<T: AbiType>(data: &[u8]) -> Result<T, Malformed> {
    let mut decoder = Decoder::new(data);
    let value = T::decode_top(&mut decoder);
    match decoder.failed() {
        true => Err(Malformed),
        false => Ok(value),
    }
}

/// Call data: a selector and arguments.
pub fn encode_call<T: AbiType>(selector: [u8; 4], arguments: &T) -> Vec<u8> {
    let mut encoder = Encoder::after(selector, T::TOP);
    arguments.encode_top(&mut encoder);
    encoder.finish()
}
