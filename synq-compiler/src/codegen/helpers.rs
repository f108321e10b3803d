//! Routines written once for a type: moving aggregates between memory and state.

use wasm_encoder::{Instruction, ValType};

use super::emit::{Emit, at};
use super::places::{Loc, Slot};
use super::runtime::Body;
use super::{Gen, value_types};
use crate::ir::*;

/// Elements of an array that are looked at one by one, without a loop.
const UNROLLED: u32 = 64;

/// A routine for a type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Helper {
    /// State to memory: slot, address. Structures and fixed arrays.
    Load(Type),
    /// State to a new block: slot. Dynamic arrays.
    LoadList(Type),
    /// Memory to state: slot, pointer.
    Store(Type),
    /// Zeroes state: slot.
    Clear(Type),
    /// Tells whether everything at a slot is zero.
    IsNull(Type),
    /// Replaces the pointers at an address by copies of what they point to.
    Deepen(Type),
    /// A copy of a dynamic array: block.
    Clone(Type),
    /// Memory to ABI: pointer, destination; gives the end.
    Encode(Type),
    /// ABI to memory: position, end, address. Structures and fixed arrays.
    Decode(Type),
    /// ABI to a new block: position, end. Dynamic arrays.
    DecodeList(Type),
    /// Index of the first largest element: address, count.
    ArgMax(Type),
    /// Memory to the parts of a topic: pointer, destination; gives the end.
    Topic(Type),
}

/// A loop over `0..count`, the index in a local.
pub(crate) fn each(f: &mut Emit, count: impl FnOnce(&mut Emit), body: impl FnOnce(&mut Emit, u32)) {
    let (i, n) = (f.local(ValType::I32), f.local(ValType::I32));
    count(f);
    f.set(n);
    f.i32(0);
    f.set(i);
    let done = f.block();
    let top = f.loop_();
    f.get(i);
    f.get(n);
    f.op(Instruction::I32GeU);
    f.br_if(done);
    body(f, i);
    f.get(i);
    f.i32(1);
    f.op(Instruction::I32Add);
    f.set(i);
    f.br(top);
    f.end();
    f.end();
}

pub(crate) fn element(ty: &Type) -> Type {
    match ty {
        Type::Array(e, _) | Type::List(e) => Type::clone(e),
        _ => Type::UInt(8),
    }
}

impl Gen<'_> {
    pub fn fields(&self, ty: &Type) -> Vec<(u32, u64, Type)> {
        let Type::Struct(id) = ty else {
            return Vec::new();
        };
        let count = self.world.structs.get(*id).map_or(0, |s| s.fields.len());
        (0..count)
            .filter_map(|i| {
                let (_, field) = self.world.structs.get(*id)?.fields.get(i)?;
                Some((
                    self.world.field_offset(*id, i),
                    self.world.field_slot(*id, i),
                    field.clone(),
                ))
            })
            .collect()
    }

    /// Address of element `i` behind a pointer and an offset.
    pub fn step(&mut self, f: &mut Emit, pointer: u32, offset: u32, i: u32, ty: &Type) -> u32 {
        let address = f.local(ValType::I32);
        f.get(pointer);
        f.add32(offset);
        f.get(i);
        f.i32(self.world.size(ty));
        f.op(Instruction::I32Mul);
        f.op(Instruction::I32Add);
        f.set(address);
        address
    }

    /// Slot of element `i` of the array at a slot.
    fn step_slot(&mut self, f: &mut Emit, base: [u32; 4], i: u32, ty: &Type) -> Slot {
        let low = f.local(ValType::I64);
        f.get(i);
        f.op(Instruction::I64ExtendI32U);
        let stride = self.world.slots(ty);
        if stride != 1 {
            f.i64(stride);
            f.op(Instruction::I64Mul);
        }
        f.get(base[0]);
        f.op(Instruction::I64Add);
        f.set(low);
        Slot::word([low, base[1], base[2], base[3]])
    }

    fn move_in(&mut self, f: &mut Emit, slot: Slot, pointer: u32, offset: u32, ty: &Type) {
        if matches!(ty, Type::Array(..) | Type::Struct(_)) {
            slot.push(f);
            f.get(pointer);
            f.add32(offset);
            let helper = self.helper(Helper::Load(ty.clone()));
            f.call(helper);
            return;
        }
        self.read(f, Loc::Slot(slot), ty);
        self.write(f, Loc::Memory(pointer, offset), ty);
    }

    fn move_out(&mut self, f: &mut Emit, slot: Slot, pointer: u32, offset: u32, ty: &Type) {
        self.read_memory(f, pointer, offset, ty);
        self.write(f, Loc::Slot(slot), ty);
    }

    /// Zeroes a place in state.
    pub fn clear(&mut self, f: &mut Emit, slot: Slot, ty: &Type) {
        match ty {
            Type::Mapping(..) => {}
            Type::Array(..) | Type::Struct(_) | Type::List(_) => {
                slot.push(f);
                let helper = self.helper(Helper::Clear(ty.clone()));
                f.call(helper);
            }
            _ if ty.is_bytes() => {
                slot.push(f);
                f.i32(0);
                f.call(self.rt("sstore_bytes"));
            }
            _ => {
                slot.push(f);
                (0..4).for_each(|_| f.i64(0));
                f.call(self.host("storage", "store"));
            }
        }
    }

    /// Pushes whether a place in state is all zero.
    pub fn is_null(&mut self, f: &mut Emit, slot: Slot, ty: &Type) {
        match ty {
            Type::Mapping(..) => f.i32(1),
            Type::Array(..) | Type::Struct(_) => {
                slot.push(f);
                let helper = self.helper(Helper::IsNull(ty.clone()));
                f.call(helper);
            }
            _ if ty.is_bytes() => {
                slot.push(f);
                f.call(self.rt("shas"));
                f.op(Instruction::I32Eqz);
            }
            _ => {
                slot.push(f);
                f.call(self.rt("sload"));
                (0..3).for_each(|_| f.op(Instruction::I64Or));
                f.op(Instruction::I64Eqz);
            }
        }
    }

    fn list_slots(&mut self, f: &mut Emit, slot: [u32; 4]) -> ([u32; 4], u32) {
        let base = f.word();
        f.get_word(slot);
        f.call(self.rt("array_slot"));
        f.set_word(base);
        let count = f.local(ValType::I32);
        f.get_word(slot);
        f.call(self.rt("sload"));
        (0..3).for_each(|_| f.op(Instruction::Drop));
        f.op(Instruction::I32WrapI64);
        f.set(count);
        (base, count)
    }

    pub fn write_helper(&mut self, helper: &Helper) -> Body {
        let slot = [0, 1, 2, 3];
        let word = vec![ValType::I64; 4];
        let with = |extra: &[ValType]| [word.as_slice(), extra].concat();
        let i32 = ValType::I32;
        let name = |what: &str, ty: &Type, world: &World| format!("synq:{what} {}", world.name(ty));
        match helper {
            Helper::Load(ty) => {
                let mut f = Emit::new(name("load", ty, self.world), with(&[i32]), vec![]);
                match ty {
                    Type::Struct(_) => {
                        for (offset, add, field) in self.fields(ty) {
                            if !matches!(field, Type::Mapping(..)) {
                                self.move_in(&mut f, Slot::word(slot).plus(add), 4, offset, &field);
                            }
                        }
                    }
                    Type::Array(e, n) => {
                        each(
                            &mut f,
                            |f| f.i32(*n),
                            |f, i| {
                                let address = self.step(f, 4, 0, i, e);
                                let from = self.step_slot(f, slot, i, e);
                                self.move_in(f, from, address, 0, e);
                            },
                        );
                    }
                    _ => {}
                }
                f.finish()
            }
            Helper::LoadList(ty) => {
                let e = element(ty);
                let mut f = Emit::new(name("load", ty, self.world), with(&[]), vec![i32]);
                let (base, count) = self.list_slots(&mut f, slot);
                let block = f.local(i32);
                f.get(count);
                f.op(Instruction::I64ExtendI32U);
                f.i32(self.world.size(&e));
                f.call(self.rt("new_block"));
                f.set(block);
                each(
                    &mut f,
                    |f| f.get(count),
                    |f, i| {
                        let address = self.step(f, block, 8, i, &e);
                        let from = self.step_slot(f, base, i, &e);
                        self.move_in(f, from, address, 0, &e);
                    },
                );
                f.get(block);
                f.finish()
            }
            Helper::Store(ty) => {
                let mut f = Emit::new(name("store", ty, self.world), with(&[i32]), vec![]);
                match ty {
                    Type::Struct(_) => {
                        for (offset, add, field) in self.fields(ty) {
                            self.move_out(&mut f, Slot::word(slot).plus(add), 4, offset, &field);
                        }
                    }
                    Type::Array(e, n) => {
                        each(
                            &mut f,
                            |f| f.i32(*n),
                            |f, i| {
                                let address = self.step(f, 4, 0, i, e);
                                let to = self.step_slot(f, slot, i, e);
                                self.move_out(f, to, address, 0, e);
                            },
                        );
                    }
                    _ => {
                        let e = element(ty);
                        let (base, old) = self.list_slots(&mut f, slot);
                        let count = f.local(i32);
                        f.get(4);
                        f.op(Instruction::I32Load(at(0)));
                        f.set(count);
                        each(
                            &mut f,
                            |f| f.get(count),
                            |f, i| {
                                let address = self.step(f, 4, 8, i, &e);
                                let to = self.step_slot(f, base, i, &e);
                                self.move_out(f, to, address, 0, &e);
                            },
                        );
                        // What the old array had more of.
                        each(
                            &mut f,
                            |f| f.get(old),
                            |f, i| {
                                f.get(i);
                                f.get(count);
                                f.op(Instruction::I32GeU);
                                f.if_();
                                let to = self.step_slot(f, base, i, &e);
                                self.clear(f, to, &e);
                                f.end();
                            },
                        );
                        f.get_word(slot);
                        f.get(count);
                        f.op(Instruction::I64ExtendI32U);
                        (0..3).for_each(|_| f.i64(0));
                        f.call(self.host("storage", "store"));
                    }
                }
                f.finish()
            }
            Helper::Clear(ty) => {
                let mut f = Emit::new(name("clear", ty, self.world), with(&[]), vec![]);
                match ty {
                    Type::Struct(_) => {
                        for (_, add, field) in self.fields(ty) {
                            self.clear(&mut f, Slot::word(slot).plus(add), &field);
                        }
                    }
                    Type::Array(e, n) => {
                        each(
                            &mut f,
                            |f| f.i32(*n),
                            |f, i| {
                                let to = self.step_slot(f, slot, i, e);
                                self.clear(f, to, e);
                            },
                        );
                    }
                    _ => {
                        let e = element(ty);
                        let (base, count) = self.list_slots(&mut f, slot);
                        each(
                            &mut f,
                            |f| f.get(count),
                            |f, i| {
                                let to = self.step_slot(f, base, i, &e);
                                self.clear(f, to, &e);
                            },
                        );
                        self.clear(&mut f, Slot::word(slot), &Type::U256);
                    }
                }
                f.finish()
            }
            Helper::IsNull(ty) => {
                let mut f = Emit::new(name("null", ty, self.world), with(&[]), vec![i32]);
                if let Type::Array(e, n) = ty
                    && *n > UNROLLED
                {
                    each(
                        &mut f,
                        |f| f.i32(*n),
                        |f, i| {
                            let part = self.step_slot(f, slot, i, e);
                            self.is_null(f, part, e);
                            f.op(Instruction::I32Eqz);
                            f.if_();
                            f.i32(0);
                            f.op(Instruction::Return);
                            f.end();
                        },
                    );
                    f.i32(1);
                    return f.finish();
                }
                let parts: Vec<(u64, Type)> = match ty {
                    Type::Array(e, n) => (0..u64::from(*n))
                        .map(|i| (i * self.world.slots(e), Type::clone(e)))
                        .collect(),
                    _ => self
                        .fields(ty)
                        .into_iter()
                        .map(|(_, s, t)| (s, t))
                        .collect(),
                };
                for (add, part) in parts {
                    self.is_null(&mut f, Slot::word(slot).plus(add), &part);
                    f.op(Instruction::I32Eqz);
                    f.if_();
                    f.i32(0);
                    f.op(Instruction::Return);
                    f.end();
                }
                f.i32(1);
                f.finish()
            }
            Helper::Deepen(ty) => {
                let mut f = Emit::new(name("deepen", ty, self.world), vec![i32], vec![]);
                match ty {
                    Type::Struct(_) => {
                        for (offset, _, field) in self.fields(ty) {
                            self.deepen(&mut f, 0, offset, &field);
                        }
                    }
                    Type::Array(e, n) => {
                        each(
                            &mut f,
                            |f| f.i32(*n),
                            |f, i| {
                                let address = self.step(f, 0, 0, i, e);
                                self.deepen(f, address, 0, e);
                            },
                        );
                    }
                    _ => {}
                }
                f.finish()
            }
            Helper::Clone(ty) => {
                let e = element(ty);
                let mut f = Emit::new(name("copy", ty, self.world), vec![i32], vec![i32]);
                let (block, bytes) = (f.local(i32), f.local(i32));
                f.get(0);
                f.op(Instruction::I32Load(at(0)));
                f.i32(self.world.size(&e));
                f.op(Instruction::I32Mul);
                f.add32(8);
                f.tee(bytes);
                f.call(self.rt("alloc"));
                f.tee(block);
                f.get(0);
                f.get(bytes);
                f.op(Instruction::MemoryCopy {
                    src_mem: 0,
                    dst_mem: 0,
                });
                if self.world.has_pointers(&e) {
                    each(
                        &mut f,
                        |f| {
                            f.get(block);
                            f.op(Instruction::I32Load(at(0)));
                        },
                        |f, i| {
                            let address = self.step(f, block, 8, i, &e);
                            self.deepen(f, address, 0, &e);
                        },
                    );
                }
                f.get(block);
                f.finish()
            }
            Helper::Encode(ty) => self.write_encode(ty),
            Helper::Decode(ty) => self.write_decode(ty),
            Helper::DecodeList(ty) => self.write_decode_list(ty),
            Helper::ArgMax(ty) => self.write_argmax(ty),
            Helper::Topic(ty) => self.write_topic(ty),
        }
    }

    fn deepen(&mut self, f: &mut Emit, pointer: u32, offset: u32, ty: &Type) {
        if !self.world.has_pointers(ty) {
            return;
        }
        if matches!(ty, Type::Array(..) | Type::Struct(_)) {
            f.get(pointer);
            f.add32(offset);
            let helper = self.helper(Helper::Deepen(ty.clone()));
            f.call(helper);
        } else if matches!(ty, Type::List(_) | Type::Bytes) {
            self.read_memory(f, pointer, offset, ty);
            self.copy_value(f, ty);
            self.write(f, Loc::Memory(pointer, offset), ty);
        }
    }

    fn write_argmax(&mut self, e: &Type) -> Body {
        let i32 = ValType::I32;
        let mut f = Emit::new("synq:argmax", vec![i32; 2], vec![ValType::I64]);
        let mut types = Vec::new();
        value_types(e, &mut types);
        let best: Vec<u32> = types.iter().map(|t| f.local(*t)).collect();
        let value: Vec<u32> = types.iter().map(|t| f.local(*t)).collect();
        let at_best = f.local(i32);
        f.get(1);
        f.op(Instruction::I32Eqz);
        f.if_();
        f.call(self.rt("panic_index"));
        f.end();
        self.read_memory(&mut f, 0, 0, e);
        best.iter().rev().for_each(|l| f.set(*l));
        each(
            &mut f,
            |f| f.get(1),
            |f, i| {
                let address = self.step(f, 0, 0, i, e);
                self.read_memory(f, address, 0, e);
                value.iter().rev().for_each(|l| f.set(*l));
                best.iter().for_each(|l| f.get(*l));
                value.iter().for_each(|l| f.get(*l));
                self.less(f, e);
                f.if_();
                f.get(i);
                f.set(at_best);
                value.iter().for_each(|l| f.get(*l));
                best.iter().rev().for_each(|l| f.set(*l));
                f.end();
            },
        );
        f.get(at_best);
        f.op(Instruction::I64ExtendI32U);
        f.finish()
    }
}
