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
    /// Bytes that must lie behind the place where it begins: as `HEAD`, but of arrays of a fixed
    /// length and tuples the sum of their parts, even if they are dynamic.
    const MIN: usize = Self::HEAD;
    /// How deep it is nested: 0 for a word, one more for each offset, tuple and array around it and
    /// for each length. At most [`MAX_DEPTH`].
    const DEPTH: usize = Self::DYNAMIC as usize;

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
        from.parameter()
    }

    /// The type as ABI JSON tells it.
    #[cfg(not(target_arch = "wasm32"))]
    fn describe() -> crate::describe::Type {
        crate::describe::Type::plain(Self::NAME.as_str())
    }
}

/// Deepest nesting of a value that decoders of Ethereum's clients follow; a type that is deeper does
/// not compile as an argument.
///
/// ```compile_fail
/// type Deep = Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<u8>>>>>>>>>;
/// let refused = aivm_sdk::abi::decode::<Deep>(&[]);
/// ```
pub const MAX_DEPTH: usize = 16;

/// The greatest of some depths.
const fn deepest(depths: &[usize]) -> usize {
    match depths {
        [] => 0,
        [first, rest @ ..] => {
            let rest = deepest(rest);
            if *first > rest { *first } else { rest }
        }
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

/// Decodes what [`encode`] gives. Further bytes are ignored, as Solidity does. Offsets may lead
/// anywhere in the data, to the same place too.
///
/// It takes what clients built on alloy take, less words and texts that are not of their type: so a
/// contract reads call data exactly if the tools of its callers can show it.
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
