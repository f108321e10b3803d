//! Conversions between value types.

use wasm_encoder::Instruction;

use super::emit::{Emit, at};
use super::{Frame, Gen};
use crate::ir::*;

impl Gen<'_> {
    /// Widens the value on the stack to a word.
    pub fn widen(&mut self, f: &mut Emit, ty: &Type) {
        match ty.repr() {
            Repr::Word => {}
            Repr::I32 => {
                f.op(Instruction::I64ExtendI32U);
                (0..3).for_each(|_| f.i64(0));
            }
            Repr::I64 if ty.is_signed() => {
                let value = f.t64();
                f.tee(value);
                fill_sign(f, value, 3);
                f.done64(value);
            }
            Repr::I64 => (0..3).for_each(|_| f.i64(0)),
        }
    }

    /// Narrows the word on the stack, known to be in range, to a type.
    pub fn narrow(&mut self, f: &mut Emit, ty: &Type) {
        match ty.repr() {
            Repr::Word => {}
            Repr::I32 => {
                (0..3).for_each(|_| f.op(Instruction::Drop));
                f.op(Instruction::I32WrapI64);
            }
            Repr::I64 => (0..3).for_each(|_| f.op(Instruction::Drop)),
        }
    }

    /// Cuts the number on the stack to the type's bits.
    pub fn truncate(&mut self, f: &mut Emit, ty: &Type) {
        match ty {
            Type::UInt(64) | Type::Int(64) | Type::UInt(256) | Type::Int(256) => {}
            Type::UInt(128) => {
                f.op(Instruction::Drop);
                f.op(Instruction::Drop);
                f.i64(0);
                f.i64(0);
            }
            Type::Int(128) => {
                let high = f.t64();
                f.op(Instruction::Drop);
                f.op(Instruction::Drop);
                f.tee(high);
                fill_sign(f, high, 2);
                f.done64(high);
            }
            Type::UInt(bits) => {
                f.i64((1u64 << bits) - 1);
                f.op(Instruction::I64And);
            }
            Type::Int(bits) => sign_extend(f, *bits),
            _ => {}
        }
    }

    pub fn convert(&mut self, frame: &mut Frame<'_>, inner: &Expr, to: &Type) {
        self.expr(frame, inner);
        let from = &inner.ty;
        let f = &mut frame.f;
        match (from, to) {
            (a, b) if a == b => {}
            (a, b) if a.is_bytes() && b.is_bytes() => {}
            (Type::Contract(_) | Type::Address, Type::Contract(_) | Type::Address) => {}
            (Type::Bytes32, Type::Bytes) => self.word_bytes(f, 32),
            (Type::Address, Type::Bytes) => self.word_bytes(f, 20),
            (Type::Bytes, Type::Bytes32) => {
                // The first 32 bytes, zeros behind a shorter string.
                let (block, length) = (f.t32(), f.t32());
                f.set(block);
                f.get(block);
                f.op(Instruction::I32Load(at(0)));
                f.tee(length);
                f.i32(32);
                f.get(length);
                f.i32(32);
                f.op(Instruction::I32LtU);
                f.op(Instruction::Select);
                f.set(length);
                f.i32(64);
                f.i64(0);
                f.call(self.rt("store_be64"));
                f.i32(64);
                f.get(block);
                f.add32(8);
                f.get(length);
                f.op(Instruction::MemoryCopy {
                    src_mem: 0,
                    dst_mem: 0,
                });
                f.i32(64);
                f.call(self.rt("load_be"));
                f.done32(block);
                f.done32(length);
            }
            (Type::UInt(bits), Type::Enum(id)) => {
                let members = self.world.enums.get(*id).map_or(1, |e| e.members.len()) as u64;
                if *bits > 64 {
                    f.call(self.rt("index"));
                }
                let value = f.t64();
                f.tee(value);
                f.i64(members);
                f.op(Instruction::I64GeU);
                f.if_();
                f.i32(0x21);
                f.call(self.rt("panic"));
                f.end();
                f.get(value);
                f.done64(value);
            }
            (_, Type::Address | Type::Contract(_)) => {
                self.widen(f, from);
                // The low 160 bits.
                f.op(Instruction::Drop);
                f.i64(0xffff_ffff);
                f.op(Instruction::I64And);
                f.i64(0);
            }
            _ => {
                // Integers, and what counts as one.
                match (from.repr(), to.repr()) {
                    (Repr::Word, Repr::Word) => {}
                    (_, Repr::Word) => self.widen(f, from),
                    (Repr::Word, _) => (0..3).for_each(|_| f.op(Instruction::Drop)),
                    (Repr::I32, _) => f.op(Instruction::I64ExtendI32U),
                    _ => {}
                }
                let widens = match (from, to) {
                    (Type::UInt(a), Type::UInt(b)) | (Type::Int(a), Type::Int(b)) => a <= b,
                    (Type::UInt(a), Type::Int(b)) => a < b,
                    (Type::Bool | Type::Enum(_), _) => true,
                    _ => false,
                };
                if !widens {
                    self.truncate(f, to);
                }
            }
        }
    }

    /// Replaces the word on the stack by a block of its last bytes.
    fn word_bytes(&mut self, f: &mut Emit, count: u32) {
        let word = f.word();
        f.set_word(word);
        f.i32(64);
        f.get_word(word);
        f.call(self.rt("store_be"));
        f.i32(96 - count);
        f.i32(count);
        f.call(self.rt("block_from"));
        f.done_word(word);
    }
}

/// Sign-extends the low bits of an i64.
pub(crate) fn sign_extend(f: &mut Emit, bits: u16) {
    f.op(match bits {
        8 => Instruction::I64Extend8S,
        16 => Instruction::I64Extend16S,
        32 => Instruction::I64Extend32S,
        _ => return,
    });
}

/// Pushes limbs that are all sign of the number in a local.
pub fn fill_sign(f: &mut Emit, number: u32, limbs: u32) {
    for _ in 0..limbs {
        f.get(number);
        f.i64(63);
        f.op(Instruction::I64ShrS);
    }
}
