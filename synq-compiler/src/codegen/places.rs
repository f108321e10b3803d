//! Reading and writing places.

use wasm_encoder::Instruction;

use super::emit::{Emit, Word, at};
use super::helpers::Helper;
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
    fn check_index(&mut self, f: &mut Emit, index: u32) {
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
                // The key first, as it may itself read state.
                if key.ty.is_bytes() {
                    let pointer = frame.f.t32();
                    self.expr(frame, key);
                    frame.f.set(pointer);
                    let Loc::Slot(slot) = self.resolve(frame, base) else {
                        return Loc::Memory(0, 0);
                    };
                    frame.f.get(pointer);
                    slot.push(&mut frame.f);
                    frame.f.call(self.rt("map_bytes"));
                    frame.f.done32(pointer);
                } else if matches!(base.kind, PlaceKind::State(_) | PlaceKind::Local(_)) {
                    self.expr(frame, key);
                    self.widen(&mut frame.f, &key.ty);
                    if let Loc::Slot(slot) = self.resolve(frame, base) {
                        slot.push(&mut frame.f);
                    }
                    frame.f.call(self.rt("map_word"));
                } else {
                    let Loc::Slot(slot) = self.resolve(frame, base) else {
                        return Loc::Memory(0, 0);
                    };
                    self.expr(frame, key);
                    self.widen(&mut frame.f, &key.ty);
                    slot.push(&mut frame.f);
                    frame.f.call(self.rt("map_word"));
                }
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
                let first = frame.f.local(wasm_encoder::ValType::I64);
                for _ in 0..3 {
                    frame.f.local(wasm_encoder::ValType::I64);
                }
                frame.f.set_word([first, first + 1, first + 2, first + 3]);
                frame.f.i64(32);
                self.check_index(&mut frame.f, at_local);
                Loc::WordByte(first, at_local)
            }
            (Loc::Slot(slot), _) => Loc::StateByte(slot, at_local),
            (Loc::Local(first), Type::Bytes32) => {
                frame.f.i64(32);
                self.check_index(&mut frame.f, at_local);
                Loc::WordByte(first, at_local)
            }
            (Loc::Memory(pointer, offset), Type::Bytes32) => {
                load_word(&mut frame.f, pointer, offset);
                let first = frame.f.local(wasm_encoder::ValType::I64);
                for _ in 0..3 {
                    frame.f.local(wasm_encoder::ValType::I64);
                }
                frame.f.set_word([first, first + 1, first + 2, first + 3]);
                frame.f.i64(32);
                self.check_index(&mut frame.f, at_local);
                Loc::WordByte(first, at_local)
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

    /// Pushes the value at a place. What lies in memory as parts comes as its address.
    pub fn read(&mut self, f: &mut Emit, loc: Loc, ty: &Type) {
        match loc {
            Loc::Local(base) => match ty.repr() {
                Repr::Word => f.get_word([base, base + 1, base + 2, base + 3]),
                _ => f.get(base),
            },
            Loc::Memory(pointer, offset) => self.read_memory(f, pointer, offset, ty),
            Loc::Slot(slot) => match ty {
                Type::Array(..) | Type::Struct(_) => {
                    let pointer = f.t32();
                    f.i32(self.world.size(ty));
                    f.call(self.rt("alloc_zero"));
                    f.set(pointer);
                    slot.push(f);
                    f.get(pointer);
                    let helper = self.helper(Helper::Load(ty.clone()));
                    f.call(helper);
                    f.get(pointer);
                    f.done32(pointer);
                }
                Type::List(_) => {
                    slot.push(f);
                    let helper = self.helper(Helper::LoadList(ty.clone()));
                    f.call(helper);
                }
                _ if ty.is_bytes() => {
                    slot.push(f);
                    f.call(self.rt("sload_bytes"));
                }
                _ => {
                    slot.push(f);
                    f.call(self.rt("sload"));
                    self.narrow(f, ty);
                }
            },
            Loc::StateByte(slot, index) => {
                let block = f.t32();
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
                f.op(Instruction::I64Load8U(at(8)));
                f.done32(block);
            }
            Loc::WordByte(first, index) => {
                f.get_word([first, first + 1, first + 2, first + 3]);
                f.i64(31);
                f.get(index);
                f.op(Instruction::I64Sub);
                f.i64(3);
                f.op(Instruction::I64Shl);
                f.call(self.rt("shr"));
                (0..3).for_each(|_| f.op(Instruction::Drop));
                f.i64(255);
                f.op(Instruction::I64And);
            }
        }
    }

    /// Pushes the value at an address.
    pub fn read_memory(&mut self, f: &mut Emit, pointer: u32, offset: u32, ty: &Type) {
        match ty {
            Type::Array(..) | Type::Struct(_) => {
                f.get(pointer);
                f.add32(offset);
            }
            Type::Bool => {
                f.get(pointer);
                f.op(Instruction::I32Load8U(at(offset)));
            }
            Type::UInt(128) => {
                for i in [0, 8] {
                    f.get(pointer);
                    f.op(Instruction::I64Load(at(offset + i)));
                }
                f.i64(0);
                f.i64(0);
            }
            Type::Int(128) => {
                let high = f.t64();
                f.get(pointer);
                f.op(Instruction::I64Load(at(offset)));
                f.get(pointer);
                f.op(Instruction::I64Load(at(offset + 8)));
                f.tee(high);
                for _ in 0..2 {
                    f.get(high);
                    f.i64(63);
                    f.op(Instruction::I64ShrS);
                }
                f.done64(high);
            }
            _ => match ty.repr() {
                Repr::Word => load_word(f, pointer, offset),
                Repr::I32 => {
                    f.get(pointer);
                    f.op(Instruction::I32Load(at(offset)));
                }
                Repr::I64 => {
                    f.get(pointer);
                    f.op(match ty {
                        Type::UInt(16) => Instruction::I64Load16U(at(offset)),
                        Type::UInt(32) => Instruction::I64Load32U(at(offset)),
                        Type::UInt(64) | Type::Int(64) => Instruction::I64Load(at(offset)),
                        Type::Int(8) => Instruction::I64Load8S(at(offset)),
                        Type::Int(16) => Instruction::I64Load16S(at(offset)),
                        Type::Int(32) => Instruction::I64Load32S(at(offset)),
                        _ => Instruction::I64Load8U(at(offset)),
                    });
                }
            },
        }
    }

    /// Writes the value on the stack to a place.
    pub fn write(&mut self, f: &mut Emit, loc: Loc, ty: &Type) {
        match loc {
            Loc::Local(base) => match ty.repr() {
                Repr::Word => f.set_word([base, base + 1, base + 2, base + 3]),
                _ => f.set(base),
            },
            Loc::Memory(pointer, offset) => match ty.repr() {
                Repr::I32 => {
                    let value = f.t32();
                    f.set(value);
                    self.store_memory(f, pointer, offset, ty, &[value]);
                    f.done32(value);
                }
                Repr::I64 => {
                    let value = f.t64();
                    f.set(value);
                    self.store_memory(f, pointer, offset, ty, &[value]);
                    f.done64(value);
                }
                Repr::Word => {
                    let value = f.word();
                    f.set_word(value);
                    self.store_memory(f, pointer, offset, ty, &value);
                    f.done_word(value);
                }
            },
            Loc::Slot(slot) => match ty {
                Type::Array(..) | Type::Struct(_) | Type::List(_) => {
                    let value = f.t32();
                    f.set(value);
                    slot.push(f);
                    f.get(value);
                    let helper = self.helper(Helper::Store(ty.clone()));
                    f.call(helper);
                    f.done32(value);
                }
                _ if ty.is_bytes() => {
                    let value = f.t32();
                    f.set(value);
                    slot.push(f);
                    f.get(value);
                    f.call(self.rt("sstore_bytes"));
                    f.done32(value);
                }
                _ => {
                    self.widen(f, ty);
                    let value = f.word();
                    f.set_word(value);
                    slot.push(f);
                    f.get_word(value);
                    f.call(self.host("storage", "store"));
                    f.done_word(value);
                }
            },
            Loc::StateByte(slot, index) => {
                let (value, block) = (f.t64(), f.t32());
                f.set(value);
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
                f.get(value);
                f.op(Instruction::I64Store8(at(8)));
                slot.push(f);
                f.get(block);
                f.call(self.rt("sstore_bytes"));
                f.done64(value);
                f.done32(block);
            }
            Loc::WordByte(first, index) => {
                // word = word & ~(255 << s) | value << s
                let (value, shift) = (f.t64(), f.t64());
                f.set(value);
                f.i64(31);
                f.get(index);
                f.op(Instruction::I64Sub);
                f.i64(3);
                f.op(Instruction::I64Shl);
                f.set(shift);
                let (mask, new) = (f.word(), f.word());
                f.i64(255);
                (0..3).for_each(|_| f.i64(0));
                f.get(shift);
                f.call(self.rt("shl"));
                f.set_word(mask);
                f.get(value);
                (0..3).for_each(|_| f.i64(0));
                f.get(shift);
                f.call(self.rt("shl"));
                f.set_word(new);
                for i in 0..4u32 {
                    f.get(first + i);
                    f.get(mask[i as usize]);
                    f.i64(u64::MAX);
                    f.op(Instruction::I64Xor);
                    f.op(Instruction::I64And);
                    f.get(new[i as usize]);
                    f.op(Instruction::I64Or);
                    f.set(first + i);
                }
                f.done_word(mask);
                f.done_word(new);
                f.done64(value);
                f.done64(shift);
            }
        }
    }

    /// Stores a value held in locals at an address.
    pub fn store_memory(
        &mut self,
        f: &mut Emit,
        pointer: u32,
        offset: u32,
        ty: &Type,
        value: &[u32],
    ) {
        let first = value.first().copied().unwrap_or(0);
        match ty {
            Type::Array(..) | Type::Struct(_) => {
                f.get(pointer);
                f.add32(offset);
                f.get(first);
                f.i32(self.world.size(ty));
                f.op(Instruction::MemoryCopy {
                    src_mem: 0,
                    dst_mem: 0,
                });
            }
            Type::UInt(128) | Type::Int(128) => {
                for (local, i) in value.iter().take(2).zip([0, 8]) {
                    f.get(pointer);
                    f.get(*local);
                    f.op(Instruction::I64Store(at(offset + i)));
                }
            }
            _ => match ty.repr() {
                Repr::Word => {
                    for (local, i) in value.iter().zip([0, 8, 16, 24]) {
                        f.get(pointer);
                        f.get(*local);
                        f.op(Instruction::I64Store(at(offset + i)));
                    }
                }
                Repr::I32 => {
                    f.get(pointer);
                    f.get(first);
                    f.op(if *ty == Type::Bool {
                        Instruction::I32Store8(at(offset))
                    } else {
                        Instruction::I32Store(at(offset))
                    });
                }
                Repr::I64 => {
                    f.get(pointer);
                    f.get(first);
                    f.op(match ty {
                        Type::UInt(16) | Type::Int(16) => Instruction::I64Store16(at(offset)),
                        Type::UInt(32) | Type::Int(32) => Instruction::I64Store32(at(offset)),
                        Type::UInt(64) | Type::Int(64) => Instruction::I64Store(at(offset)),
                        _ => Instruction::I64Store8(at(offset)),
                    });
                }
            },
        }
    }

    /// Replaces an aggregate on the stack by a copy of its own.
    pub fn copy_value(&mut self, f: &mut Emit, ty: &Type) {
        match ty {
            Type::Array(..) | Type::Struct(_) => {
                let (from, to) = (f.t32(), f.t32());
                let size = self.world.size(ty);
                f.set(from);
                f.i32(size);
                f.call(self.rt("alloc"));
                f.tee(to);
                f.get(from);
                f.i32(size);
                f.op(Instruction::MemoryCopy {
                    src_mem: 0,
                    dst_mem: 0,
                });
                if self.world.has_pointers(ty) {
                    f.get(to);
                    let helper = self.helper(Helper::Deepen(ty.clone()));
                    f.call(helper);
                }
                f.get(to);
                f.done32(from);
                f.done32(to);
            }
            Type::List(_) => {
                let helper = self.helper(Helper::Clone(ty.clone()));
                f.call(helper);
            }
            Type::Bytes => {
                let from = f.t32();
                f.tee(from);
                f.add32(8);
                f.get(from);
                f.op(Instruction::I32Load(at(0)));
                f.call(self.rt("block_from"));
                f.done32(from);
            }
            _ => {}
        }
    }
}
