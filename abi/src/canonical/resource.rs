//! Handles of resources that the host owns.

use std::fmt;
use std::marker::PhantomData;

use super::{Flat, Lifter, Value};
use crate::{Exit, Guest, Meter, Transcript, TrapCode};

/// A resource type. The generated types implement it; they have no values.
pub trait Resource {
    /// Number of the type in its world.
    const ID: u32;
    /// Interface and name, such as `wasi:nn.tensor.tensor`.
    const NAME: &'static str;
}

macro_rules! handles {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => { $(
        $(#[doc = $doc])+
        pub struct $name<R> {
            /// The host's own number for the resource. It is the host that made it, so it is
            /// one that the host knows.
            pub rep: u32,
            kind: PhantomData<fn() -> R>,
        }

        impl<R> $name<R> {
            /// A handle of the host's resource `rep`.
            pub const fn new(rep: u32) -> Self {
                Self { rep, kind: PhantomData }
            }
        }

        impl<R> Clone for $name<R> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<R> Copy for $name<R> {}

        impl<R> PartialEq for $name<R> {
            fn eq(&self, other: &Self) -> bool {
                self.rep == other.rep
            }
        }

        impl<R> Eq for $name<R> {}

        impl<R: Resource> fmt::Debug for $name<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {} {}", stringify!($name), R::NAME, self.rep)
            }
        }
    )+ };
}

handles! {
    /// A handle that passes ownership: the guest that gives it away has it no more.
    Own;
    /// A handle for the time of the call.
    Borrow;
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    resource: u32,
    rep: u32,
}

/// The handles that one guest instance holds.
///
/// The guest sees positions in this table, the host its own numbers; so a guest can name only
/// what was given to it, and only as what it is.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    slots: Vec<Option<Slot>>,
    /// Free slots; the one freed last is used first.
    free: Vec<u32>,
    limit: u32,
}

impl Handles {
    /// An empty table for at most `limit` handles at a time.
    pub fn new(limit: u32) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            limit,
        }
    }

    /// Number of handles held.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True when none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The host's numbers of all resources of a type that are held, to end them when the
    /// instance ends.
    pub fn held<R: Resource>(&self) -> impl Iterator<Item = u32> {
        self.slots
            .iter()
            .flatten()
            .filter(|slot| slot.resource == R::ID)
            .map(|slot| slot.rep)
    }

    fn insert(&mut self, resource: u32, rep: u32) -> Result<u32, Exit> {
        let slot = Some(Slot { resource, rep });
        if let Some(index) = self.free.pop()
            && let Some(place) = self.slots.get_mut(index as usize)
        {
            *place = slot;
            return Ok(index + 1);
        }
        // Handle 0 is never given: a forgotten handle must not name anything.
        let handle = u32::try_from(self.slots.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        if handle > self.limit {
            return Err(TrapCode::ResourceLimit.into());
        }
        self.slots.push(slot);
        Ok(handle)
    }

    fn place(&mut self, handle: u32, resource: u32) -> Result<(u32, &mut Option<Slot>), Exit> {
        let index = handle.checked_sub(1).ok_or(TrapCode::BadHandle)?;
        let place = self
            .slots
            .get_mut(index as usize)
            .ok_or(TrapCode::BadHandle)?;
        match place {
            Some(slot) if slot.resource == resource => Ok((index, place)),
            _ => Err(TrapCode::BadHandle.into()),
        }
    }

    pub(super) fn get(&mut self, handle: u32, resource: u32) -> Result<u32, Exit> {
        let (_, place) = self.place(handle, resource)?;
        place
            .map(|slot| slot.rep)
            .ok_or(Exit::Trap(TrapCode::BadHandle))
    }

    pub(super) fn remove(&mut self, handle: u32, resource: u32) -> Result<u32, Exit> {
        let (index, place) = self.place(handle, resource)?;
        let slot = place.take().ok_or(TrapCode::BadHandle)?;
        self.free.push(index);
        Ok(slot.rep)
    }
}

/// Gives a resource to the guest; the result is its handle. For functions that return just
/// that.
///
/// # Errors
///
/// `ResourceLimit` when the guest holds too many.
pub fn lower_handle<M: Meter, R: Resource>(host: &mut M, own: &Own<R>) -> Result<u32, Exit> {
    host.handles()
        .ok_or(TrapCode::BadHandle)?
        .insert(R::ID, own.rep)
}

impl<R: Resource> Value for Own<R> {
    const SIZE: u32 = 4;
    const ALIGN: u32 = 4;
    const FLAT: u32 = 1;

    fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        let handle = flat.take_u32();
        Ok(Self::new(cx.take_handle(handle, R::ID)?))
    }

    fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let handle = u32::lift(cx, bytes)?;
        Ok(Self::new(cx.take_handle(handle, R::ID)?))
    }

    fn lower<G: Guest>(&self, guest: &mut G, out: &mut [u8]) -> Result<(), Exit> {
        let (_, host) = guest.parts()?;
        lower_handle(host, self)?.lower(guest, out)
    }

    fn encode(&self, out: &mut Transcript) {
        self.rep.encode(out);
    }
}

/// Borrowed handles are arguments only: a host that returned one could not take it back.
impl<R: Resource> Value for Borrow<R> {
    const SIZE: u32 = 4;
    const ALIGN: u32 = 4;
    const FLAT: u32 = 1;

    fn lift_flat(cx: &mut Lifter<'_, '_>, flat: &mut Flat<'_>) -> Result<Self, Exit> {
        let handle = flat.take_u32();
        Ok(Self::new(cx.borrow_handle(handle, R::ID)?))
    }

    fn lift(cx: &mut Lifter<'_, '_>, bytes: &[u8]) -> Result<Self, Exit> {
        let handle = u32::lift(cx, bytes)?;
        Ok(Self::new(cx.borrow_handle(handle, R::ID)?))
    }

    fn lower<G: Guest>(&self, _: &mut G, _: &mut [u8]) -> Result<(), Exit> {
        Err(TrapCode::BadHandle.into())
    }

    fn encode(&self, out: &mut Transcript) {
        self.rep.encode(out);
    }
}
