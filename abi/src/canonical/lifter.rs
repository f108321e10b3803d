//! Reading guest memory.

use std::collections::BTreeSet;

use super::{Handles, Value};
use crate::{Exit, FuncId, Meter, TrapCode};

/// Reads one call's arguments: checks every pointer, pays for every byte, and keeps the sum
/// of the list contents under the host's limit.
pub struct Lifter<'m, 'h> {
    memory: &'m [u8],
    meter: &'h mut dyn Meter,
    func: FuncId,
    /// List bytes that may still be lifted. The sum is limited, not each list, because many
    /// lists of one argument may point at the same bytes.
    left: u32,
    /// Handles that this call's arguments borrow: they cannot be given away by it too.
    lent: BTreeSet<u32>,
}

impl<'m, 'h> Lifter<'m, 'h> {
    /// Starts to read the arguments of `func`.
    #[inline]
    pub fn new<M: Meter>(memory: &'m [u8], meter: &'h mut M, func: FuncId) -> Self {
        let left = meter.transfer_limit();
        Self {
            memory,
            meter,
            func,
            left,
            lent: BTreeSet::new(),
        }
    }

    fn handles(&mut self) -> Result<&mut Handles, Exit> {
        self.meter.handles().ok_or(Exit::Trap(TrapCode::BadHandle))
    }

    /// Takes a handle from the guest; gives the host's number.
    pub(super) fn take_handle(&mut self, handle: u32, resource: u32) -> Result<u32, Exit> {
        if self.lent.contains(&handle) {
            return Err(TrapCode::BadHandle.into());
        }
        self.handles()?.remove(handle, resource)
    }

    /// Borrows a handle from the guest; gives the host's number.
    pub(super) fn borrow_handle(&mut self, handle: u32, resource: u32) -> Result<u32, Exit> {
        let rep = self.handles()?.get(handle, resource)?;
        self.lent.insert(handle);
        Ok(rep)
    }

    /// The `size` bytes at `pointer`.
    ///
    /// # Errors
    ///
    /// `BadPointer` when it is misaligned or out of bounds.
    #[inline]
    pub fn area(&self, pointer: u32, size: u32, align: u32) -> Result<&'m [u8], Exit> {
        let start = pointer as usize;
        if pointer & (align - 1) != 0 {
            return Err(Exit::Trap(TrapCode::BadPointer));
        }
        start
            .checked_add(size as usize)
            .and_then(|end| self.memory.get(start..end))
            .ok_or(Exit::Trap(TrapCode::BadPointer))
    }

    /// The bytes of a list of `count` elements, paid for.
    ///
    /// # Errors
    ///
    /// `BadPointer`, `TransferLimit`, or out of gas.
    #[inline]
    pub fn list_area(
        &mut self,
        pointer: u32,
        count: u32,
        size: u32,
        align: u32,
    ) -> Result<&'m [u8], Exit> {
        let bytes = count
            .checked_mul(size)
            .ok_or(Exit::Trap(TrapCode::BadPointer))?;
        let area = self.area(pointer, bytes, align)?;
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(Exit::Trap(TrapCode::TransferLimit))?;
        self.meter.charge_bytes(self.func, u64::from(bytes))?;
        Ok(area)
    }

    /// A `list<u8>` argument, not copied.
    ///
    /// # Errors
    ///
    /// As [`list_area`](Self::list_area).
    #[inline]
    pub fn bytes(&mut self, flat: &mut Flat<'_>) -> Result<&'m [u8], Exit> {
        let (pointer, length) = (flat.take_u32(), flat.take_u32());
        self.list_area(pointer, length, 1, 1)
    }

    /// A `string` argument, not copied.
    ///
    /// # Errors
    ///
    /// As [`list_area`](Self::list_area), and `BadArgument` when it is not UTF-8.
    #[inline]
    pub fn text(&mut self, flat: &mut Flat<'_>) -> Result<&'m str, Exit> {
        let bytes = self.bytes(flat)?;
        std::str::from_utf8(bytes).map_err(|_| Exit::Trap(TrapCode::BadArgument))
    }

    /// A `list<u8>` whose pointer and length are in memory.
    ///
    /// # Errors
    ///
    /// As [`list_area`](Self::list_area).
    pub fn bytes_at(&mut self, pair: &[u8]) -> Result<&'m [u8], Exit> {
        let pointer = u32::lift(self, super::field(pair, 0, 4)?)?;
        let length = u32::lift(self, super::field(pair, 4, 4)?)?;
        self.list_area(pointer, length, 1, 1)
    }

    /// A `string` whose pointer and length are in memory.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn text_at(&mut self, pair: &[u8]) -> Result<&'m str, Exit> {
        let bytes = self.bytes_at(pair)?;
        std::str::from_utf8(bytes).map_err(|_| Exit::Trap(TrapCode::BadArgument))
    }

    /// A list of any element type.
    ///
    /// # Errors
    ///
    /// As [`list_area`](Self::list_area) and as the elements.
    pub fn list<T: Value>(&mut self, pointer: u32, count: u32) -> Result<Vec<T>, Exit> {
        let area = self.list_area(pointer, count, T::SIZE, T::ALIGN)?;
        const { assert!(T::SIZE > 0, "no WIT type of list elements is empty") };
        // `count` elements are there, so the allocation is a small multiple of guest memory.
        let mut items = Vec::with_capacity(count as usize);
        for bytes in area.chunks_exact(T::SIZE as usize) {
            items.push(T::lift(self, bytes)?);
        }
        Ok(items)
    }
}

/// Flat core values, each widened to 64 bits; floats by their bits. Widening makes the
/// joined slots of variants easy: every case reads the low bits that it needs.
#[derive(Clone)]
pub struct Flat<'a> {
    values: &'a [u64],
}

impl<'a> Flat<'a> {
    /// All of `values`, in order.
    #[inline]
    pub fn new(values: &'a [u64]) -> Self {
        Self { values }
    }

    /// The next value. The generated code takes as many as there are; past the end it is zero.
    #[inline]
    pub fn take(&mut self) -> u64 {
        match self.values.split_first() {
            Some((first, rest)) => {
                self.values = rest;
                *first
            }
            None => 0,
        }
    }

    /// The next value's low 32 bits.
    #[inline]
    pub fn take_u32(&mut self) -> u32 {
        self.take() as u32
    }

    /// Takes the next `count` values as a sequence of their own.
    #[inline]
    pub fn split(&mut self, count: u32) -> Flat<'a> {
        let (head, tail) = self.values.split_at(self.values.len().min(count as usize));
        self.values = tail;
        Flat { values: head }
    }
}
