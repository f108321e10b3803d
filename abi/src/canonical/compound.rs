//! Lists, options, results, tuples.

use super::layout::{align_to, field, field_mut, max};
use super::{Flat, Lifter, Scalar, Value};
use crate::{Exit, Guest, Transcript, TrapCode};

impl<T: Value> Value for Vec<T> {
    const SIZE: u32 = 8;
    const ALIGN: u32 = 4;
    const FLAT: u32 = 2;

    fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        let (pointer, count) = (flat.take_u32(), flat.take_u32());
        T::lift_list(cx, pointer, count)
    }

    fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let pointer = u32::lift(cx, field(bytes, 0, 4)?)?;
        let count = u32::lift(cx, field(bytes, 4, 4)?)?;
        T::lift_list(cx, pointer, count)
    }

    fn lower<G: Guest>(&self, guest: &mut G, out: &mut [u8]) -> Result<(), Exit> {
        let count = u32::try_from(self.len()).map_err(|_| Exit::Trap(TrapCode::TransferLimit))?;
        let pointer = T::lower_list(self, guest)?;
        pointer.lower(guest, field_mut(out, 0, 4)?)?;
        count.lower(guest, field_mut(out, 4, 4)?)
    }

    fn list_bytes(&self) -> u64 {
        let own = (self.len() as u64).saturating_mul(u64::from(T::SIZE));
        self.iter()
            .fold(own, |sum, item| sum.saturating_add(item.list_bytes()))
    }

    fn encode(&self, out: &mut Transcript) {
        out.put(&(self.len() as u32).to_le_bytes());
        T::encode_list(self, out);
    }
}

fn lift_bit(value: u32) -> Result<bool, Exit> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Exit::Trap(TrapCode::BadArgument)),
    }
}

impl<T: Value> Value for Option<T> {
    const SIZE: u32 = align_to(align_to(1, T::ALIGN) + T::SIZE, T::ALIGN);
    const ALIGN: u32 = T::ALIGN;
    const FLAT: u32 = 1 + T::FLAT;

    fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        let some = lift_bit(flat.take_u32())?;
        let mut payload = flat.split(T::FLAT);
        some.then(|| T::lift_flat(cx, &mut payload)).transpose()
    }

    fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let some = lift_bit(u32::from(u8::lift(cx, bytes)?))?;
        some.then(|| T::lift(cx, field(bytes, align_to(1, T::ALIGN), T::SIZE)?))
            .transpose()
    }

    fn lower<G: Guest>(&self, guest: &mut G, out: &mut [u8]) -> Result<(), Exit> {
        match self {
            None => 0u8.lower(guest, out),
            Some(value) => {
                1u8.lower(guest, out)?;
                value.lower(guest, field_mut(out, align_to(1, T::ALIGN), T::SIZE)?)
            }
        }
    }

    fn list_bytes(&self) -> u64 {
        self.as_ref().map_or(0, Value::list_bytes)
    }

    fn encode(&self, out: &mut Transcript) {
        match self {
            None => 0u32.encode(out),
            Some(value) => {
                1u32.encode(out);
                value.encode(out);
            }
        }
    }
}

impl<T: Value, E: Value> Value for Result<T, E> {
    const SIZE: u32 = align_to(
        align_to(1, Self::ALIGN) + max(T::SIZE, E::SIZE),
        Self::ALIGN,
    );
    const ALIGN: u32 = max(T::ALIGN, E::ALIGN);
    const FLAT: u32 = 1 + max(T::FLAT, E::FLAT);

    fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        let failed = lift_bit(flat.take_u32())?;
        let mut payload = flat.split(max(T::FLAT, E::FLAT));
        Ok(if failed {
            Err(E::lift_flat(cx, &mut payload)?)
        } else {
            Ok(T::lift_flat(cx, &mut payload)?)
        })
    }

    fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let offset = align_to(1, Self::ALIGN);
        let failed = lift_bit(u32::from(u8::lift(cx, bytes)?))?;
        Ok(if failed {
            Err(E::lift(cx, field(bytes, offset, E::SIZE)?)?)
        } else {
            Ok(T::lift(cx, field(bytes, offset, T::SIZE)?)?)
        })
    }

    fn lower<G: Guest>(&self, guest: &mut G, out: &mut [u8]) -> Result<(), Exit> {
        let offset = align_to(1, Self::ALIGN);
        match self {
            Ok(value) => {
                0u8.lower(guest, out)?;
                value.lower(guest, field_mut(out, offset, T::SIZE)?)
            }
            Err(value) => {
                1u8.lower(guest, out)?;
                value.lower(guest, field_mut(out, offset, E::SIZE)?)
            }
        }
    }

    fn list_bytes(&self) -> u64 {
        match self {
            Ok(value) => value.list_bytes(),
            Err(value) => value.list_bytes(),
        }
    }

    fn encode(&self, out: &mut Transcript) {
        match self {
            Ok(value) => {
                0u32.encode(out);
                value.encode(out);
            }
            Err(value) => {
                1u32.encode(out);
                value.encode(out);
            }
        }
    }
}

/// `result` without payloads is one flag.
impl Scalar for Result<(), ()> {
    fn to_flat(&self) -> u64 {
        u64::from(self.is_err())
    }
}

/// The payload of a case that has none.
impl Value for () {
    const SIZE: u32 = 0;
    const ALIGN: u32 = 1;
    const FLAT: u32 = 0;

    #[inline]
    fn lift_flat(_: &mut Lifter<'_, '_>, _: &mut Flat<'_>) -> Result<Self, Exit> {
        Ok(())
    }

    #[inline]
    fn lift(_: &mut Lifter<'_, '_>, _: &[u8]) -> Result<Self, Exit> {
        Ok(())
    }

    #[inline]
    fn lower<G: Guest>(&self, _: &mut G, _: &mut [u8]) -> Result<(), Exit> {
        Ok(())
    }

    #[inline]
    fn encode(&self, _: &mut Transcript) {}

    /// No WIT list has such elements.
    fn lift_list(_: &mut Lifter<'_, '_>, _: u32, _: u32) -> Result<Vec<()>, Exit> {
        Err(Exit::Trap(TrapCode::BadArgument))
    }

    fn lower_list<G: Guest>(_: &[()], _: &mut G) -> Result<u32, Exit> {
        Err(Exit::Trap(TrapCode::BadArgument))
    }
}

macro_rules! tuples {
    ($(($($name:ident: $index:tt),+))+) => { $(
        impl<$($name: Value),+> Value for ($($name,)+) {
            const ALIGN: u32 = {
                let mut align = 1;
                $(align = max(align, $name::ALIGN);)+
                align
            };
            const SIZE: u32 = {
                let mut size = 0;
                $(size = align_to(size, $name::ALIGN) + $name::SIZE;)+
                align_to(size, Self::ALIGN)
            };
            const FLAT: u32 = 0 $(+ $name::FLAT)+;

            fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
                Ok(($($name::lift_flat(cx, flat)?,)+))
            }

            fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
                let mut offset = 0;
                Ok(($({
                    let start = align_to(offset, $name::ALIGN);
                    offset = start + $name::SIZE;
                    // The last offset is the end.
                    let _ = offset;
                    $name::lift(cx, field(bytes, start, $name::SIZE)?)?
                },)+))
            }

            fn lower<G: Guest>(&self, guest: &mut G, out: &mut [u8]) -> Result<(), Exit> {
                let mut offset = 0;
                $(
                    let start = align_to(offset, $name::ALIGN);
                    offset = start + $name::SIZE;
                    self.$index.lower(guest, field_mut(out, start, $name::SIZE)?)?;
                )+
                let _ = offset;
                Ok(())
            }

            fn list_bytes(&self) -> u64 {
                0u64 $(.saturating_add(self.$index.list_bytes()))+
            }

            fn encode(&self, out: &mut Transcript) {
                $(self.$index.encode(out);)+
            }
        }
    )+ };
}

tuples! {
    (A: 0)
    (A: 0, B: 1)
    (A: 0, B: 1, C: 2)
    (A: 0, B: 1, C: 2, D: 3)
    (A: 0, B: 1, C: 2, D: 3, E: 4)
    (A: 0, B: 1, C: 2, D: 3, E: 4, F: 5)
}
