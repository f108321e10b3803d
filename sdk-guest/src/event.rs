//! Events.

use alloc::string::String;
use alloc::vec::Vec;

use crate::state::WordValue;
use crate::{Address, Bytes, FixedBytes, I256, U256, Word, crypto, events};

/// An event, by `#[derive(Event)]`: fields marked `#[indexed]` become topics, the others data.
///
/// ```
/// use aivm_sdk::prelude::*;
///
/// #[derive(Event)]
/// struct Transfer {
///     #[indexed]
///     from: Address,
///     #[indexed]
///     to: Address,
///     amount: U256,
/// }
/// assert_eq!(Transfer::SIGNATURE, "Transfer(address,address,uint256)");
/// ```
pub trait Event {
    /// Canonical signature.
    const SIGNATURE: &'static str;

    /// Topics (the first is the signature's Keccak-256) and data.
    fn parts(&self) -> (Topics, Vec<u8>);

    /// Records the event.
    fn emit(&self) {
        let (topics, data) = self.parts();
        events::emit(topics.words(), &data);
    }

    /// The event as ABI JSON tells it.
    #[cfg(not(target_arch = "wasm32"))]
    fn describe() -> crate::describe::Entry;
}

/// One to four topics.
#[derive(Clone, Copy, Debug)]
pub struct Topics {
    words: [Word; 4],
    count: usize,
}

impl Topics {
    /// The hash of an event's signature.
    pub fn new(signature: U256) -> Self {
        let zero = Word::from(U256::ZERO);
        Self {
            words: [signature.into(), zero, zero, zero],
            count: 1,
        }
    }

    /// With another; a fifth is dropped, which `#[derive(Event)]` never asks for.
    pub fn with(mut self, topic: &impl Topic) -> Self {
        if let Some(place) = self.words.get_mut(self.count) {
            *place = topic.topic();
            self.count += 1;
        }
        self
    }

    /// The topics.
    pub fn words(&self) -> &[Word] {
        self.words.get(..self.count).unwrap_or_default()
    }
}

/// What can be an indexed field.
pub trait Topic {
    /// The topic.
    fn topic(&self) -> Word;
}

macro_rules! words {
    ($($ty:ty),*) => {$(
        impl Topic for $ty {
            fn topic(&self) -> Word {
                self.to_word().into()
            }
        }
    )*};
}
words!(
    u8, u16, u32, u64, u128, U256, i8, i16, i32, i64, i128, I256, bool, Address
);

impl<const N: usize> Topic for FixedBytes<N> {
    fn topic(&self) -> Word {
        self.to_word().into()
    }
}

/// The hash, as for every value of any length.
impl Topic for Bytes {
    fn topic(&self) -> Word {
        crypto::keccak256(self)
    }
}

/// The hash, as for every value of any length.
impl Topic for String {
    fn topic(&self) -> Word {
        crypto::keccak256(self.as_bytes())
    }
}
