//! A guest that is nothing but memory.

use aivm_abi::canonical::{Lifter, Value};
use aivm_abi::{Exit, FuncId, Guest, Meter, TrapCode};

/// How the allocator behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    Honest,
    /// Off by one.
    Misaligned,
    /// Just past what fits.
    PastTheEnd,
    /// At the very end of the address space.
    Wrapping,
    /// Always the same place.
    Overlapping,
    /// Gives nothing.
    Trapping,
}

pub struct MemoryGuest<H> {
    pub memory: Vec<u8>,
    pub host: H,
    pub allocator: Allocator,
    pub next: u32,
    pub allocations: Vec<(u32, u32)>,
}

impl<H: Meter> MemoryGuest<H> {
    pub fn new(host: H) -> Self {
        Self {
            memory: vec![0; 1 << 16],
            host,
            allocator: Allocator::Honest,
            next: 1024,
            allocations: Vec::new(),
        }
    }

    /// Writes a value where a guest could have it; gives its address.
    pub fn place<T: Value>(&mut self, value: &T) -> u32 {
        let mut bytes = vec![0; T::SIZE as usize];
        value
            .lower(self, &mut bytes)
            .expect("the test's own value fits");
        let pointer = self.realloc(T::ALIGN, T::SIZE).expect("honest");
        self.memory[pointer as usize..][..bytes.len()].copy_from_slice(&bytes);
        pointer
    }

    /// Reads a value back.
    pub fn fetch<T: Value>(&mut self, pointer: u32) -> T {
        let memory = self.memory.clone();
        let mut cx = Lifter::new(&memory, &mut self.host, FuncId::new(0));
        let bytes = cx.area(pointer, T::SIZE, T::ALIGN).expect("in bounds");
        T::lift(&mut cx, bytes).expect("well-formed")
    }
}

impl<H: Meter> Guest for MemoryGuest<H> {
    type Host = H;

    fn parts(&mut self) -> Result<(&mut [u8], &mut H), Exit> {
        Ok((&mut self.memory, &mut self.host))
    }

    fn realloc(&mut self, align: u32, size: u32) -> Result<u32, Exit> {
        self.allocations.push((align, size));
        let end = self.memory.len() as u32;
        Ok(match self.allocator {
            Allocator::Honest => {
                let pointer = self.next.next_multiple_of(align);
                self.next = pointer + size;
                pointer
            }
            Allocator::Misaligned => 1025,
            Allocator::PastTheEnd => (end - size + 1).next_multiple_of(align),
            Allocator::Wrapping => !(align - 1),
            Allocator::Overlapping => 64,
            Allocator::Trapping => return Err(TrapCode::Unreachable.into()),
        })
    }
}
