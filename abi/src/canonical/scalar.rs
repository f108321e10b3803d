//! Numbers, booleans, characters, words.

use super::{Flat, Lifter, Scalar, Value, encode_bytes, layout};
use crate::{Exit, Guest, Transcript, TrapCode, Word};

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Exit> {
    bytes
        .first_chunk::<N>()
        .copied()
        .ok_or(Exit::Trap(TrapCode::BadPointer))
}

fn put<const N: usize>(out: &mut [u8], bytes: [u8; N]) -> Result<(), Exit> {
    *out.first_chunk_mut::<N>()
        .ok_or(Exit::Trap(TrapCode::BadPointer))? = bytes;
    Ok(())
}

macro_rules! integers {
    ($($ty:ident as $wide:ident: $size:literal),+) => { $(
        impl Value for $ty {
            const SIZE: u32 = $size;
            const ALIGN: u32 = $size;
            const FLAT: u32 = 1;

            #[inline]
            fn lift_flat(_: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
                Ok(flat.take() as $ty)
            }

            #[inline]
            fn lift(_: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
                Ok($ty::from_le_bytes(array(bytes)?))
            }

            #[inline]
            fn lower<G: Guest>(&self, _: &mut G, out: &mut [u8]) -> Result<(), Exit> {
                put(out, self.to_le_bytes())
            }

            #[inline]
            fn encode(&self, out: &mut Transcript) {
                out.put(&self.to_le_bytes());
            }
        }

        impl Scalar for $ty {
            #[inline]
            fn to_flat(&self) -> u64 {
                // Signed values fill their core type with the sign.
                (*self as $wide) as u64
            }
        }
    )+ };
}

integers!(i8 as i32: 1, u16 as u32: 2, i16 as i32: 2, u32 as u32: 4, i32 as i32: 4, u64 as u64: 8, i64 as i64: 8);

/// Bytes are as the other integers, but lists of them move as one block.
impl Value for u8 {
    const SIZE: u32 = 1;
    const ALIGN: u32 = 1;
    const FLAT: u32 = 1;

    #[inline]
    fn lift_flat(_: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        Ok(flat.take() as u8)
    }

    #[inline]
    fn lift(_: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let [byte] = array(bytes)?;
        Ok(byte)
    }

    #[inline]
    fn lower<G: Guest>(&self, _: &mut G, out: &mut [u8]) -> Result<(), Exit> {
        put(out, [*self])
    }

    #[inline]
    fn encode(&self, out: &mut Transcript) {
        out.put(&[*self]);
    }

    fn lift_list(cx: &mut Lifter<'_, '_>, pointer: u32, count: u32) -> Result<Vec<u8>, Exit> {
        Ok(cx.list_area(pointer, count, 1, 1)?.to_vec())
    }

    fn lower_list<G: Guest>(items: &[u8], guest: &mut G) -> Result<u32, Exit> {
        Ok(super::lower_bytes(guest, items)?.0)
    }

    fn encode_list(items: &[u8], out: &mut Transcript) {
        out.put(items);
    }
}

impl Scalar for u8 {
    #[inline]
    fn to_flat(&self) -> u64 {
        u64::from(*self)
    }
}

/// The canonical ABI may choose any NaN when it lifts one; a fixed one keeps nodes alike.
#[inline]
pub fn canonical_f32(value: f32) -> f32 {
    if value.is_nan() {
        f32::from_bits(0x7fc0_0000)
    } else {
        value
    }
}

/// As [`canonical_f32`].
#[inline]
pub fn canonical_f64(value: f64) -> f64 {
    if value.is_nan() {
        f64::from_bits(0x7ff8_0000_0000_0000)
    } else {
        value
    }
}

macro_rules! floats {
    ($($ty:ident, $bits:ident, $size:literal, $canonical:ident);+) => { $(
        impl Value for $ty {
            const SIZE: u32 = $size;
            const ALIGN: u32 = $size;
            const FLAT: u32 = 1;

            #[inline]
            fn lift_flat(_: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
                Ok($canonical($ty::from_bits(flat.take() as $bits)))
            }

            #[inline]
            fn lift(_: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
                Ok($canonical($ty::from_le_bytes(array(bytes)?)))
            }

            #[inline]
            fn lower<G: Guest>(&self, _: &mut G, out: &mut [u8]) -> Result<(), Exit> {
                put(out, $canonical(*self).to_le_bytes())
            }

            #[inline]
            fn encode(&self, out: &mut Transcript) {
                out.put(&$canonical(*self).to_le_bytes());
            }
        }

        impl Scalar for $ty {
            #[inline]
            fn to_flat(&self) -> u64 {
                u64::from($canonical(*self).to_bits())
            }
        }
    )+ };
}

floats!(f32, u32, 4, canonical_f32; f64, u64, 8, canonical_f64);

/// Stricter than the canonical ABI, which takes every non-zero value for true: compilers
/// emit 0 and 1 only, and one form for a value is one thing less to disagree on.
fn boolean(value: u32) -> Result<bool, Exit> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Exit::Trap(TrapCode::BadArgument)),
    }
}

fn character(value: u32) -> Result<char, Exit> {
    char::from_u32(value).ok_or(Exit::Trap(TrapCode::BadArgument))
}

macro_rules! narrow {
    ($($ty:ident as $raw:ident: $size:literal, $check:ident);+) => { $(
        impl Value for $ty {
            const SIZE: u32 = $size;
            const ALIGN: u32 = $size;
            const FLAT: u32 = 1;

            #[inline]
            fn lift_flat(_: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
                $check(flat.take_u32())
            }

            #[inline]
            fn lift(_: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
                $check(u32::from($raw::from_le_bytes(array(bytes)?)))
            }

            #[inline]
            fn lower<G: Guest>(&self, _: &mut G, out: &mut [u8]) -> Result<(), Exit> {
                put(out, (*self as $raw).to_le_bytes())
            }

            #[inline]
            fn encode(&self, out: &mut Transcript) {
                out.put(&(*self as $raw).to_le_bytes());
            }
        }

        impl Scalar for $ty {
            #[inline]
            fn to_flat(&self) -> u64 {
                *self as u64
            }
        }
    )+ };
}

narrow!(bool as u8: 1, boolean; char as u32: 4, character);

impl Value for Word {
    const SIZE: u32 = 32;
    const ALIGN: u32 = 8;
    const FLAT: u32 = 4;

    #[inline]
    fn lift_flat(_: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        Ok(Self([flat.take(), flat.take(), flat.take(), flat.take()]))
    }

    #[inline]
    fn lift(_: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let bytes: [u8; 32] = array(bytes)?;
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(array(chunk)?);
        }
        Ok(Self(limbs))
    }

    #[inline]
    fn lower<G: Guest>(&self, _: &mut G, out: &mut [u8]) -> Result<(), Exit> {
        put(out, self.to_le_bytes())
    }

    #[inline]
    fn encode(&self, out: &mut Transcript) {
        out.put(&self.to_le_bytes());
    }
}

impl Value for String {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 4;
    const FLAT: u32 = 2;

    fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        Ok(cx.text(flat)?.to_owned())
    }

    fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let items = Vec::<u8>::lift(cx, bytes)?;
        Self::from_utf8(items).map_err(|_| Exit::Trap(TrapCode::BadArgument))
    }

    fn lower<G: Guest>(&self, guest: &mut G, out: &mut [u8]) -> Result<(), Exit> {
        let (pointer, length) = super::lower_bytes(guest, self.as_bytes())?;
        pointer.lower(guest, layout::field_mut(out, 0, 4)?)?;
        length.lower(guest, layout::field_mut(out, 4, 4)?)
    }

    fn list_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn encode(&self, out: &mut Transcript) {
        encode_bytes(self.as_bytes(), out);
    }
}

/// Reads the discriminant at the start of a variant with `cases` cases.
///
/// # Errors
///
/// `BadArgument` for a number past the last case.
#[inline]
pub fn lift_discriminant(bytes: &[u8], cases: u32) -> Result<u32, Exit> {
    let value = match layout::discriminant_size(cases) {
        1 => u32::from(u8::from_le_bytes(array(bytes)?)),
        2 => u32::from(u16::from_le_bytes(array(bytes)?)),
        _ => u32::from_le_bytes(array(bytes)?),
    };
    if value < cases {
        Ok(value)
    } else {
        Err(Exit::Trap(TrapCode::BadArgument))
    }
}

/// Writes the discriminant of a variant with `cases` cases to the start of `out`.
///
/// # Errors
///
/// A trap when `out` is too short.
#[inline]
pub fn lower_discriminant(out: &mut [u8], cases: u32, value: u32) -> Result<(), Exit> {
    match layout::discriminant_size(cases) {
        1 => put(out, (value as u8).to_le_bytes()),
        2 => put(out, (value as u16).to_le_bytes()),
        _ => put(out, value.to_le_bytes()),
    }
}
