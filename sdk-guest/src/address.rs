//! Addresses.

use crate::crypto::{self, SignatureScheme};
use crate::{U256, Word};

/// An address of 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// The address of zeros.
    pub const ZERO: Self = Self([0; 20]);

    /// Whether all bytes are zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Address of the account that signs with this key alone. The key is not looked at: a malformed one
    /// has an address as well.
    pub fn of_key(scheme: SignatureScheme, key: &[u8]) -> Self {
        Self::from_u256(crypto::address_of(scheme, key).into())
    }

    /// The address in the lower 160 bits; those above are dropped.
    pub fn from_u256(value: U256) -> Self {
        let bytes = value.to_be_bytes();
        match bytes.last_chunk::<20>() {
            Some(low) => Self(*low),
            None => Self::ZERO,
        }
    }
}

impl From<[u8; 20]> for Address {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl From<Address> for U256 {
    fn from(address: Address) -> Self {
        let mut bytes = [0; 32];
        if let Some(low) = bytes.last_chunk_mut::<20>() {
            *low = address.0;
        }
        Self::from_be_bytes(bytes)
    }
}

impl From<Address> for Word {
    fn from(address: Address) -> Self {
        U256::from(address).into()
    }
}

/// `0x` and 40 hexadecimal digits.
impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl core::fmt::Debug for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
