//! From places to where they are: locals, addresses, slots.

use wasm_encoder::Instruction;

use super::emit::{Emit, Word, at};
use super::{Frame, Gen, load_word};
use crate::ir::*;

/// A limb of a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limb {
    Local(u32),
    Const(u64),
}

/// A slot; `add` counts on from the lowest limb.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub limbs: [Limb; 4],
    pub add: u64,
}

impl Slot {
    pub fn constant(slot: u64) -> Self {
        Self {
            limbs: [
                Limb::Const(slot),
                Limb::Const(0),
                Limb::Const(0),
                Limb::Const(0),
            ],
            add: 0,
        }
    }

    pub fn word(word: Word) -> Self {
        Self {
            limbs: word.map(Limb::Local),
            add: 0,
        }
    }

    pub fn push(&self, f: &mut Emit) {
        for (i, limb) in self.limbs.iter().enumerate() {
            let add = if i == 0 { self.add } else { 0 };
            match limb {
                Limb::Local(local) => {
                    f.get(*local);
                    if add != 0 {
                        f.i64(add);
                        f.op(Instruction::I64Add);
                    }
                }
                Limb::Const(value) => f.i64(value.wrapping_add(add)),
            }
        }
    }

    pub fn plus(mut self, add: u64) -> Self {
        self.add = self.add.wrapping_add(add);
        self
    }
}

/// Where a place is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Loc {
    /// Wasm locals from this one on hold the value.
    Local(u32),
    /// In memory, at a pointer plus an offset.
    Memory(u32, u32),
    /// In state.
    Slot(Slot),
    /// A byte of a byte string in state: its slot, and a local with the index.
    StateByte(Slot, u32),
    /// A byte of a Bytes32 in locals from the first on; the second holds the index.
    WordByte(u32, u32),
}

impl Gen<'_> {
    /// Pushes a value of an integer type as an index of one limb; what does not fit becomes the
    /// largest one, which no length reaches.
    fn push_index(&mut self, frame: &mut Frame<'_>, index: &Expr) {
        if let Kind::Const(value) = &index.kind {
            frame.f.i64(u64::try_from(*value).unwrap_or(u64::MAX));
            return;
        }
        if let Kind::Convert(inner) = &index.kind
            && inner.ty.repr() == Repr::I64
            && !inner.ty.is_signed()
        {
            self.expr(frame, inner);
            return;
        }
        self.expr(frame, index);
        if index.ty.repr() == Repr::Word {
            frame.f.call(self.rt("index"));
        }
    }

    /// With an index in a local and a length on the stack: panics unless it is below.
    pub fn check_index(&mut self, f: &mut Emit, index: u32) {
        let length = f.t64();
        f.set(length);
        f.get(index);
        f.get(length);
        f.op(Instruction::I64GeU);
        f.if_();
        f.call(self.rt("panic_index"));
        f.op(Instruction::Unreachable);
        f.end();
        f.done64(length);
    }

    pub fn resolve(&mut self, frame: &mut Frame<'_>, place: &Place) -> Loc {
        match &place.kind {
            PlaceKind::Local(id) => {
                let base = frame.locals.get(*id).copied().unwrap_or(0);
                if place.storage {
                    Loc::Slot(Slot::word([base, base + 1, base + 2, base + 3]))
                } else if matches!(place.ty, Type::Array(..) | Type::Struct(_)) {
                    Loc::Memory(base, 0)
                } else {
                    Loc::Local(base)
                }
            }
            PlaceKind::State(slot) => Loc::Slot(Slot::constant(*slot)),
            PlaceKind::At(call) => {
                self.expr(frame, call);
                let word = frame.f.hold_word();
                frame.f.set_word(word);
                Loc::Slot(Slot::word(word))
            }
            PlaceKind::Temp(expr) => {
                self.expr(frame, expr);
                if expr.ty.repr() == Repr::Word {
                    let first = frame.f.local(wasm_encoder::ValType::I64);
                    for _ in 0..3 {
                        frame.f.local(wasm_encoder::ValType::I64);
                    }
                    frame.f.set_word([first, first + 1, first + 2, first + 3]);
                    return Loc::Local(first);
                }
                let pointer = frame.f.hold(wasm_encoder::ValType::I32);
                frame.f.set(pointer);
                if matches!(place.ty, Type::Array(..) | Type::Struct(_)) {
                    Loc::Memory(pointer, 0)
                } else {
                    Loc::Local(pointer)
                }
            }
            PlaceKind::Field(base, field) => {
                let Type::Struct(id) = base.ty else {
                    return Loc::Memory(0, 0);
                };
                match self.resolve(frame, base) {
                    Loc::Slot(slot) => Loc::Slot(slot.plus(self.world.field_slot(id, *field))),
                    Loc::Memory(pointer, offset) => {
                        Loc::Memory(pointer, offset + self.world.field_offset(id, *field))
                    }
                    other => other,
                }
            }
            PlaceKind::Key(base, key) => {
                // The base first, unless nothing runs to find it.
                let simple = matches!(base.kind, PlaceKind::State(_) | PlaceKind::Local(_));
                let found = (!simple).then(|| self.resolve(frame, base));
                self.expr(frame, key);
                if !key.ty.is_bytes() {
                    self.widen(&mut frame.f, &key.ty);
                }
                let Loc::Slot(slot) = found.unwrap_or_else(|| self.resolve(frame, base)) else {
                    return Loc::Memory(0, 0);
                };
                slot.push(&mut frame.f);
                frame.f.call(self.rt(match key.ty.is_bytes() {
                    true => "map_bytes",
                    false => "map_word",
                }));
                // Kept in locals of their own: the place may be used more than once.
                let word = frame.f.hold_word();
                frame.f.set_word(word);
                Loc::Slot(Slot::word(word))
            }
            PlaceKind::Index(base, index) => self.resolve_index(frame, base, index),
        }
    }

    fn resolve_index(&mut self, frame: &mut Frame<'_>, base: &Place, index: &Expr) -> Loc {
        let element = match &base.ty {
            Type::Array(e, _) | Type::List(e) => Type::clone(e),
            _ => Type::UInt(8),
        };
        let loc = self.resolve(frame, base);
        // An index known to lie inside needs no check.
        if let (Kind::Const(value), Type::Array(_, n)) = (&index.kind, &base.ty)
            && let Ok(i) = u32::try_from(*value)
            && i < *n
        {
            match loc {
                Loc::Slot(slot) => {
                    return Loc::Slot(
                        slot.plus(u64::from(i).wrapping_mul(self.world.slots(&element))),
                    );
                }
                Loc::Memory(pointer, offset) => {
                    return Loc::Memory(pointer, offset + i * self.world.size(&element));
                }
                _ => {}
            }
        }
        let at_local = frame.f.hold(wasm_encoder::ValType::I64);
        self.push_index(frame, index);
        frame.f.set(at_local);
        match (loc, &base.ty) {
            (Loc::Slot(slot), Type::Array(_, n)) => {
                frame.f.i64(u64::from(*n));
                self.check_index(&mut frame.f, at_local);
                self.slot_step(frame, slot, at_local, &element)
            }
            (Loc::Slot(slot), Type::List(_)) => {
                slot.push(&mut frame.f);
                frame.f.call(self.rt("sload"));
                (0..3).for_each(|_| frame.f.op(Instruction::Drop));
                self.check_index(&mut frame.f, at_local);
                slot.push(&mut frame.f);
                frame.f.call(self.rt("array_slot"));
                let word = frame.f.hold_word();
                frame.f.set_word(word);
                self.slot_step(frame, Slot::word(word), at_local, &element)
            }
            (Loc::Slot(slot), Type::Bytes32) => {
                slot.push(&mut frame.f);
                frame.f.call(self.rt("sload"));
                self.word_byte(frame, at_local)
            }
            (Loc::Slot(slot), _) => Loc::StateByte(slot, at_local),
            (Loc::Local(first), Type::Bytes32) => {
                frame.f.i64(32);
                self.check_index(&mut frame.f, at_local);
                Loc::WordByte(first, at_local)
            }
            (Loc::Memory(pointer, offset), Type::Bytes32) => {
                load_word(&mut frame.f, pointer, offset);
                self.word_byte(frame, at_local)
            }
            (Loc::Memory(pointer, offset), Type::Array(_, n)) => {
                frame.f.i64(u64::from(*n));
                self.check_index(&mut frame.f, at_local);
                let address = frame.f.hold(wasm_encoder::ValType::I32);
                frame.f.get(pointer);
                self.memory_step(&mut frame.f, at_local, &element);
                frame.f.set(address);
                Loc::Memory(address, offset)
            }
            (loc, _) => {
                // A block: its pointer is the value of the base.
                let address = frame.f.hold(wasm_encoder::ValType::I32);
                self.read(&mut frame.f, loc, &base.ty);
                frame.f.tee(address);
                frame.f.op(Instruction::I32Load(at(0)));
                frame.f.op(Instruction::I64ExtendI32U);
                self.check_index(&mut frame.f, at_local);
                frame.f.get(address);
                self.memory_step(&mut frame.f, at_local, &element);
                frame.f.set(address);
                Loc::Memory(address, 8)
            }
        }
    }

    /// A byte, whose index is in a local, of the word on the stack.
    fn word_byte(&mut self, frame: &mut Frame<'_>, index: u32) -> Loc {
        let f = &mut frame.f;
        let first = f.local(wasm_encoder::ValType::I64);
        for _ in 0..3 {
            f.local(wasm_encoder::ValType::I64);
        }
        f.set_word([first, first + 1, first + 2, first + 3]);
        f.i64(32);
        self.check_index(f, index);
        Loc::WordByte(first, index)
    }

    /// Loads the bytes under a slot into a block, whose pointer goes to a local, and pushes the
    /// address, less eight, of the byte whose index is in another.
    pub fn state_byte(&mut self, f: &mut Emit, slot: Slot, index: u32, block: u32) {
        slot.push(f);
        f.call(self.rt("sload_bytes"));
        f.tee(block);
        f.op(Instruction::I32Load(at(0)));
        f.op(Instruction::I64ExtendI32U);
        self.check_index(f, index);
        f.get(block);
        f.get(index);
        f.op(Instruction::I32WrapI64);
        f.op(Instruction::I32Add);
    }

    fn memory_step(&mut self, f: &mut Emit, index: u32, element: &Type) {
        f.get(index);
        f.op(Instruction::I32WrapI64);
        let size = self.world.size(element);
        if size != 1 {
            f.i32(size);
            f.op(Instruction::I32Mul);
        }
        f.op(Instruction::I32Add);
    }

    fn slot_step(&mut self, frame: &mut Frame<'_>, slot: Slot, index: u32, element: &Type) -> Loc {
        let low = frame.f.hold(wasm_encoder::ValType::I64);
        frame.f.get(index);
        let stride = self.world.slots(element);
        if stride != 1 {
            frame.f.i64(stride);
            frame.f.op(Instruction::I64Mul);
        }
        match slot.limbs[0] {
            Limb::Local(local) => frame.f.get(local),
            Limb::Const(value) => frame.f.i64(value),
        }
        frame.f.op(Instruction::I64Add);
        frame.f.set(low);
        let mut limbs = slot.limbs;
        limbs[0] = Limb::Local(low);
        Loc::Slot(Slot {
            limbs,
            add: slot.add,
        })
    }
}
