//! Values of one word.

use super::{AbiType, Decoder, Encoder};
use crate::name::Name;
use crate::{Address, FixedBytes, I256, U256};

macro_rules! unsigned {
    ($($ty:ty, $bytes:literal, $name:literal;)*) => {$(
        impl AbiType for $ty {
            const NAME: Name = Name::new($name);
            fn encode(&self, to: &mut Encoder) {
                to.number(U256::from(*self));
            }
            fn decode(from: &mut Decoder<'_>) -> Self {
                let [low, ..] = from.unsigned($bytes).limbs();
                low as $ty
            }
        }
    )*};
}
unsigned! {
    u8, 1, "uint8";
    u16, 2, "uint16";
    u32, 4, "uint32";
    u64, 8, "uint64";
}

macro_rules! signed {
    ($($ty:ty, $bytes:literal, $name:literal;)*) => {$(
        impl AbiType for $ty {
            const NAME: Name = Name::new($name);
            fn encode(&self, to: &mut Encoder) {
                to.number(I256::from(*self).bits());
            }
            fn decode(from: &mut Decoder<'_>) -> Self {
                let [low, ..] = from.signed($bytes).limbs();
                low as $ty
            }
        }
    )*};
}
signed! {
    i8, 1, "int8";
    i16, 2, "int16";
    i32, 4, "int32";
    i64, 8, "int64";
}

impl AbiType for u128 {
    const NAME: Name = Name::new("uint128");
    fn encode(&self, to: &mut Encoder) {
        to.number(U256::from(*self));
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        let [low, high, ..] = from.unsigned(16).limbs();
        u128::from(high) << 64 | u128::from(low)
    }
}

impl AbiType for i128 {
    const NAME: Name = Name::new("int128");
    fn encode(&self, to: &mut Encoder) {
        to.number(I256::from(*self).bits());
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        let [low, high, ..] = from.signed(16).limbs();
        (u128::from(high) << 64 | u128::from(low)) as i128
    }
}

impl AbiType for U256 {
    const NAME: Name = Name::new("uint256");
    fn encode(&self, to: &mut Encoder) {
        to.number(*self);
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        from.number()
    }
}

impl AbiType for I256 {
    const NAME: Name = Name::new("int256");
    fn encode(&self, to: &mut Encoder) {
        to.number(self.bits());
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        Self::from_bits(from.number())
    }
}

impl AbiType for bool {
    const NAME: Name = Name::new("bool");
    fn encode(&self, to: &mut Encoder) {
        to.number(U256::from(*self));
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        let value = from.number();
        if value > U256::ONE {
            from.fail();
        }
        value == U256::ONE
    }
}

impl AbiType for Address {
    const NAME: Name = Name::new("address");
    fn encode(&self, to: &mut Encoder) {
        to.number(U256::from(*self));
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        Self::from_u256(from.unsigned(20))
    }
}

impl<const N: usize> AbiType for FixedBytes<N> {
    const NAME: Name = {
        assert!(N >= 1 && N <= 32, "bytesN has 1 to 32 bytes");
        Name::new("bytes").with_number(N)
    };
    fn encode(&self, to: &mut Encoder) {
        to.word(left_aligned(&self.0));
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        let word = from.word();
        let Some(bytes) = word.first_chunk::<N>() else {
            from.fail();
            return Self([0; N]);
        };
        if left_aligned(bytes) != word {
            from.fail();
        }
        Self(*bytes)
    }
}

/// A word that begins with these bytes; zeros follow.
pub(crate) fn left_aligned<const N: usize>(bytes: &[u8; N]) -> [u8; 32] {
    let mut word = [0; 32];
    if let Some(place) = word.first_chunk_mut::<N>() {
        *place = *bytes;
    }
    word
}
