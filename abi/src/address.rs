//! Addresses and their text form.

use std::fmt;
use std::str::FromStr;

use bech32::primitives::decode::{CheckedHrpstring, CheckedHrpstringError, ChecksumError};
use bech32::{Bech32, Bech32m, Hrp};

use crate::Word;

/// Prefix of addresses unless a network has its own.
pub const DEFAULT_PREFIX: &str = "syn";

/// Address of an account or a contract: 20 bytes.
///
/// As text it is Bech32m with the network's prefix; hexadecimal with `0x` is read as well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; 20]);

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not Bech32 text at all: no separator, a character out of place, mixed case.
    #[error("not a Bech32m address: {0}")]
    Malformed(String),
    /// A character is mistyped or missing.
    #[error("the checksum does not match: a character is mistyped or missing")]
    Checksum,
    /// Right for Bech32, which older chains use.
    #[error("the checksum is Bech32, not Bech32m")]
    OldChecksum,
    /// The address belongs to another network.
    #[error("address of network `{found}`, expected `{expected}`")]
    Network {
        /// Prefix that was expected.
        expected: String,
        /// Prefix that was found.
        found: String,
    },
    /// The data part is not 20 bytes.
    #[error("an address has 20 bytes, this one {0}")]
    Length(usize),
    /// `0x` and something other than 40 hexadecimal digits.
    #[error("an address in hexadecimal is `0x` and 40 digits")]
    Hex,
    /// The prefix itself is not allowed in Bech32.
    #[error("`{0}` cannot be the prefix of an address")]
    Prefix(String),
}

impl Address {
    /// Twenty zero bytes.
    pub const ZERO: Self = Self([0; 20]);

    /// Address of the account whose public key this is. The algorithm's name is hashed with
    /// the key, so that no key of one algorithm has the address of another's.
    pub fn from_public_key(algorithm: &str, key: &[u8]) -> Self {
        Self::derive("AIVM account address v1", &[algorithm.as_bytes(), key])
    }

    /// Address of the contract that `creator` deploys with its transaction number `nonce`.
    pub fn of_contract(creator: &Self, nonce: u64) -> Self {
        Self::derive(
            "AIVM contract address v1",
            &[&creator.0, &nonce.to_le_bytes()],
        )
    }

    /// Address of a contract that depends on its code and a salt alone, not on a nonce.
    pub fn of_salted_contract(creator: &Self, salt: &[u8; 32], code_hash: &[u8; 32]) -> Self {
        Self::derive(
            "AIVM salted contract address v1",
            &[&creator.0, salt, code_hash],
        )
    }

    /// The first 20 bytes of BLAKE3 over the parts, each with its length.
    pub(crate) fn derive(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(domain);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut address = [0; 20];
        hasher.finalize_xof().fill(&mut address);
        Self(address)
    }

    /// Bech32m text with a network's prefix.
    ///
    /// # Errors
    ///
    /// [`AddressError::Prefix`] when Bech32 does not allow the prefix.
    pub fn to_bech32m(&self, prefix: &str) -> Result<String, AddressError> {
        let bad = || AddressError::Prefix(prefix.to_owned());
        let hrp = Hrp::parse(prefix).map_err(|_| bad())?;
        bech32::encode::<Bech32m>(hrp, &self.0).map_err(|_| bad())
    }

    /// Reads Bech32m text of the network with this prefix.
    ///
    /// # Errors
    ///
    /// The reason, as precisely as the checksum allows.
    pub fn from_bech32m(text: &str, prefix: &str) -> Result<Self, AddressError> {
        let checked = CheckedHrpstring::new::<Bech32m>(text).map_err(|error| match error {
            CheckedHrpstringError::Checksum(ChecksumError::InvalidResidue) => {
                if CheckedHrpstring::new::<Bech32>(text).is_ok() {
                    AddressError::OldChecksum
                } else {
                    AddressError::Checksum
                }
            }
            other => AddressError::Malformed(reason(&other)),
        })?;
        let found = checked.hrp().to_lowercase();
        if found != prefix {
            return Err(AddressError::Network {
                expected: prefix.to_owned(),
                found,
            });
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let length = bytes.len();
        let address = Self(bytes.try_into().map_err(|_| AddressError::Length(length))?);
        // Leftover bits of the last character could differ: one address, one text.
        if address.to_bech32m(prefix)? != text.to_ascii_lowercase() {
            return Err(AddressError::Malformed(
                "the last character carries stray bits".into(),
            ));
        }
        Ok(address)
    }

    /// The address as a number: its 20 bytes below 12 zero bytes.
    pub fn to_word(&self) -> Word {
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().skip(12).zip(self.0) {
            *place = byte;
        }
        Word::from_be_bytes(bytes)
    }

    /// The address that a word holds; none when its upper 96 bits are not zero.
    pub fn from_word(word: Word) -> Option<Self> {
        let bytes = word.to_be_bytes();
        let (head, tail) = bytes.split_at(12);
        if head.iter().any(|byte| *byte != 0) {
            return None;
        }
        tail.try_into().ok().map(Self)
    }
}

/// The innermost cause in words; the outer layers only say that parsing failed.
fn reason(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_bech32m(DEFAULT_PREFIX) {
            Ok(text) => f.write_str(&text),
            Err(_) => write!(f, "0x{}", hex::encode(self.0)),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(0x{})", hex::encode(self.0))
    }
}

/// Bech32m with the default prefix, or `0x` and 40 hexadecimal digits.
impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix("0x") {
            Some(digits) => {
                let mut bytes = [0; 20];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| AddressError::Hex)?;
                Ok(Self(bytes))
            }
            None => Self::from_bech32m(text, DEFAULT_PREFIX),
        }
    }
}

impl From<[u8; 20]> for Address {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl From<Address> for Word {
    fn from(address: Address) -> Self {
        address.to_word()
    }
}

impl From<alloy_primitives::Address> for Address {
    fn from(address: alloy_primitives::Address) -> Self {
        Self(address.into_array())
    }
}

impl From<Address> for alloy_primitives::Address {
    fn from(address: Address) -> Self {
        Self::new(address.0)
    }
}

crate::text::serde_as_text!(Address);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: Address = Address([7; 20]);

    #[test]
    fn text_is_pinned() {
        let text = SAMPLE.to_string();
        assert_eq!(text, "syn1qurswpc8qurswpc8qurswpc8qurswpc8lw6mht");
        assert_eq!(text.parse(), Ok(SAMPLE));
        assert_eq!(text.to_uppercase().parse(), Ok(SAMPLE));
        assert_eq!(
            "0x0707070707070707070707070707070707070707".parse(),
            Ok(SAMPLE)
        );
    }

    #[test]
    fn derivations_are_pinned_and_apart() {
        let account = Address::from_public_key("ml-dsa-65", &[1, 2, 3]);
        assert_eq!(
            format!("{account:?}"),
            "Address(0xc35212185ac7b1891dc9add177e4f1737cd33a5c)"
        );
        assert_ne!(account, Address::from_public_key("ml-dsa-44", &[1, 2, 3]));
        assert_ne!(account, Address::from_public_key("ml-dsa-651", &[2, 3]));
        assert_ne!(
            Address::of_contract(&SAMPLE, 0),
            Address::of_contract(&SAMPLE, 1)
        );
        assert_ne!(
            Address::of_salted_contract(&SAMPLE, &[0; 32], &[1; 32]),
            Address::of_salted_contract(&SAMPLE, &[1; 32], &[0; 32])
        );
    }

    #[test]
    fn errors_give_the_reason() {
        let good = SAMPLE.to_string();
        let parse = |text: &str| text.parse::<Address>().unwrap_err();
        assert_eq!(parse(&good.replace("8lw", "8lq")), AddressError::Checksum);
        assert_eq!(parse(&good[..good.len() - 1]), AddressError::Checksum);
        assert_eq!(
            parse(&SAMPLE.to_bech32m("tsyn").unwrap()),
            AddressError::Network {
                expected: "syn".into(),
                found: "tsyn".into()
            }
        );
        let old = bech32::encode::<Bech32>(Hrp::parse("syn").unwrap(), &[7; 20]).unwrap();
        assert_eq!(parse(&old), AddressError::OldChecksum);
        let short = bech32::encode::<Bech32m>(Hrp::parse("syn").unwrap(), &[7; 19]).unwrap();
        assert_eq!(parse(&short), AddressError::Length(19));
        assert_eq!(parse("0x07"), AddressError::Hex);
        assert!(matches!(parse("syn"), AddressError::Malformed(_)));
        assert!(matches!(parse(""), AddressError::Malformed(_)));
        assert!(matches!(
            parse(&good.replacen('s', "S", 1)),
            AddressError::Malformed(_)
        ));
        assert!(matches!(parse("syn1ä"), AddressError::Malformed(_)));
        assert_eq!(
            SAMPLE.to_bech32m("").unwrap_err(),
            AddressError::Prefix(String::new())
        );
    }

    #[test]
    fn words_hold_addresses() {
        assert_eq!(Address::from_word(SAMPLE.to_word()), Some(SAMPLE));
        assert_eq!(Address::from_word(Word([0, 0, 1 << 32, 0])), None);
        assert_eq!(Address::from_word(Word::ZERO), Some(Address::ZERO));
    }

    proptest! {
        #[test]
        fn text_round_trips(bytes: [u8; 20]) {
            prop_assert_eq!(Address(bytes).to_string().parse(), Ok(Address(bytes)));
        }

        #[test]
        fn any_text_is_an_address_or_an_error(text in "\\PC*") {
            if let Ok(address) = Address::from_bech32m(&text, "syn") {
                prop_assert_eq!(address.to_string(), text.to_ascii_lowercase());
            }
        }

        #[test]
        fn one_wrong_character_is_noticed(bytes: [u8; 20], at in 4usize..42, new in "[qpzry9x8gf2tvdw0s3jn54khce6mua7l]") {
            let good = Address(bytes).to_string();
            let mut bad = good.clone();
            bad.replace_range(at..=at, &new);
            prop_assert!(bad == good || bad.parse::<Address>().is_err());
        }
    }
}
