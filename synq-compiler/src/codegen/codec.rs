//! Encoding lists of values: call data, results, events, errors, packed bytes.

use wasm_encoder::{Instruction, ValType};

use super::emit::{Emit, at};
use super::{Frame, Gen, HEAP, value_types};
use crate::ir::*;

/// A value held in locals.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub locals: Vec<u32>,
    pub ty: Type,
}

impl Gen<'_> {
    /// Computes values into locals.
    pub fn hold(&mut self, frame: &mut Frame<'_>, values: &[Expr]) -> Vec<Held> {
        values
            .iter()
            .map(|value| {
                self.expr(frame, value);
                hold_top(&mut frame.f, &value.ty)
            })
            .collect()
    }

    /// Encodes values at the top of the heap, behind `prefix` bytes left free. Gives locals
    /// with the start and the end; the heap stays where it was.
    pub fn encode(&mut self, f: &mut Emit, values: &[Held], prefix: u32) -> (u32, u32) {
        let (start, tail) = (f.hold(ValType::I32), f.hold(ValType::I32));
        let heads: u32 = values.iter().map(|v| self.world.head_size(&v.ty)).sum();
        f.op(Instruction::GlobalGet(HEAP));
        f.add32(7);
        f.i32(!7);
        f.op(Instruction::I32And);
        f.tee(start);
        f.add32(prefix + heads);
        f.tee(tail);
        f.op(Instruction::I64ExtendI32U);
        f.call(self.rt("reserve"));
        let mut head = prefix;
        for value in values {
            let ty = &value.ty;
            if ty.is_value() {
                f.get(start);
                f.add32(head);
                value.locals.iter().for_each(|l| f.get(*l));
                self.store_be(f, ty);
            } else {
                let dynamic = self.world.is_dynamic(ty);
                if dynamic {
                    f.get(start);
                    f.add32(head);
                    f.get(tail);
                    f.get(start);
                    f.op(Instruction::I32Sub);
                    f.i32(prefix);
                    f.op(Instruction::I32Sub);
                    f.op(Instruction::I64ExtendI32U);
                    f.call(self.rt("store_be64"));
                }
                value.locals.iter().for_each(|l| f.get(*l));
                if dynamic {
                    f.get(tail);
                } else {
                    f.get(start);
                    f.add32(head);
                }
                self.encode_body(f, ty);
                if dynamic {
                    f.set(tail);
                } else {
                    f.op(Instruction::Drop);
                }
            }
            head += self.world.head_size(ty);
        }
        (start, tail)
    }

    /// Encodes values as a block, behind an optional selector whose bytes are the first of a
    /// word held in locals. Gives a local with the block.
    pub fn encode_block(
        &mut self,
        f: &mut Emit,
        selector: Option<&Held>,
        fixed: Option<[u8; 4]>,
        values: &[Held],
    ) -> u32 {
        let four = selector.is_some() || fixed.is_some();
        let prefix = if four { 12 } else { 8 };
        let (start, end) = self.encode(f, values, prefix);
        if let Some(bytes) = fixed {
            f.get(start);
            f.i32(u32::from_le_bytes(bytes));
            f.op(Instruction::I32Store(at(8)));
        }
        if let Some(held) = selector {
            // The top four bytes of the word, in order.
            f.get(start);
            held.locals.iter().skip(3).for_each(|l| f.get(*l));
            f.call(self.rt("bswap"));
            f.op(Instruction::I32WrapI64);
            f.op(Instruction::I32Store(at(8)));
        }
        close_block(f, start, end);
        start
    }

    /// `abi.encodePacked`: a block.
    pub fn encode_packed(&mut self, f: &mut Emit, values: &[Held]) -> u32 {
        let (start, end) = (f.hold(ValType::I32), f.hold(ValType::I32));
        f.i32(8);
        f.call(self.rt("alloc"));
        f.tee(start);
        f.add32(8);
        f.set(end);
        for value in values {
            self.pack(f, value, end);
        }
        close_block(f, start, end);
        start
    }

    fn pack(&mut self, f: &mut Emit, value: &Held, end: u32) {
        let ty = &value.ty;
        let first = value.locals.first().copied().unwrap_or(0);
        if ty.is_value() {
            let width = match ty {
                Type::Bool | Type::Enum(_) => 1,
                Type::UInt(bits) | Type::Int(bits) => u32::from(*bits) / 8,
                Type::Address | Type::Contract(_) => 20,
                _ => 32,
            };
            f.get(end);
            f.i32(32);
            f.op(Instruction::I32Add);
            f.op(Instruction::I64ExtendI32U);
            f.call(self.rt("reserve"));
            // The whole word is put together aside; its last bytes are the packed form.
            f.i32(64);
            value.locals.iter().for_each(|l| f.get(*l));
            self.store_be(f, ty);
            f.get(end);
            f.i32(96 - width);
            f.i32(width);
            f.op(Instruction::MemoryCopy {
                src_mem: 0,
                dst_mem: 0,
            });
            f.get(end);
            f.add32(width);
            f.set(end);
        } else if ty.is_bytes() {
            let length = f.t32();
            f.get(first);
            f.op(Instruction::I32Load(at(0)));
            f.set(length);
            f.get(end);
            f.op(Instruction::I64ExtendI32U);
            f.get(length);
            f.op(Instruction::I64ExtendI32U);
            f.op(Instruction::I64Add);
            f.call(self.rt("reserve"));
            f.get(end);
            f.get(first);
            f.add32(8);
            f.get(length);
            f.op(Instruction::MemoryCopy {
                src_mem: 0,
                dst_mem: 0,
            });
            f.get(end);
            f.get(length);
            f.op(Instruction::I32Add);
            f.set(end);
            f.done32(length);
        } else {
            // Arrays: elements padded to words, without a length.
            let body = f.t32();
            f.get(end);
            f.set(body);
            f.get(first);
            f.get(end);
            self.encode_body(f, ty);
            f.set(end);
            if matches!(ty, Type::List(_)) {
                f.get(body);
                f.get(body);
                f.add32(32);
                f.get(end);
                f.get(body);
                f.op(Instruction::I32Sub);
                f.i32(32);
                f.op(Instruction::I32Sub);
                f.op(Instruction::MemoryCopy {
                    src_mem: 0,
                    dst_mem: 0,
                });
                f.get(end);
                f.i32(32);
                f.op(Instruction::I32Sub);
                f.set(end);
            }
            f.done32(body);
        }
    }

    /// Pushes the values encoded between two locals.
    pub fn decode(&mut self, f: &mut Emit, base: u32, end: u32, types: &[Type]) {
        let heads: u32 = types.iter().map(|t| self.world.head_size(t)).sum();
        if heads > 0 {
            f.get(end);
            f.get(base);
            f.op(Instruction::I32Sub);
            f.i32(heads);
            f.op(Instruction::I32LtU);
            f.if_();
            f.call(self.rt("revert_empty"));
            f.end();
        }
        let mut head = 0;
        for ty in types {
            self.decode_value(f, (base, head), base, end, ty);
            head += self.world.head_size(ty);
        }
    }

    /// Pushes the values encoded in the block on the stack.
    pub fn decode_block(&mut self, f: &mut Emit, types: &[Type]) {
        let (base, end) = (f.hold(ValType::I32), f.hold(ValType::I32));
        f.tee(base);
        f.op(Instruction::I32Load(at(0)));
        f.get(base);
        f.add32(8);
        f.tee(base);
        f.op(Instruction::I32Add);
        f.set(end);
        self.decode(f, base, end, types);
    }
}

/// Moves the value on the stack into new locals.
pub(crate) fn hold_top(f: &mut Emit, ty: &Type) -> Held {
    let mut types = Vec::new();
    value_types(ty, &mut types);
    let locals: Vec<u32> = types.iter().map(|t| f.hold(*t)).collect();
    locals.iter().rev().for_each(|l| f.set(*l));
    Held {
        locals,
        ty: ty.clone(),
    }
}

/// Writes the length of a block that begins at `start` and grew to `end`, and leaves the heap there.
pub fn close_block(f: &mut Emit, start: u32, end: u32) {
    f.get(start);
    f.get(end);
    f.get(start);
    f.op(Instruction::I32Sub);
    f.i32(8);
    f.op(Instruction::I32Sub);
    f.op(Instruction::I64ExtendI32U);
    f.op(Instruction::I64Store(at(0)));
    f.get(end);
    f.op(Instruction::GlobalSet(HEAP));
}
