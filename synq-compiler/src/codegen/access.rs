//! Reading and writing what is at a place.

use wasm_encoder::Instruction;

use super::convert::fill_sign;
use super::emit::{Emit, at};
use super::helpers::Helper;
use super::places::Loc;
use super::{Gen, load_word};
use crate::ir::*;

impl Gen<'_> {
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
                self.state_byte(f, slot, index, block);
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
                fill_sign(f, high, 2);
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
                self.state_byte(f, slot, index, block);
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
