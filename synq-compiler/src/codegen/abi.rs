//! Routines for one type in the form of the ABI: encoding, decoding.

use wasm_encoder::{Instruction, ValType};

use super::Gen;
use super::emit::{Emit, at};
use super::helpers::{Helper, each, element};
use super::places::Loc;
use super::runtime::Body;
use crate::ir::*;

impl Gen<'_> {
    /// Pointer in 0, destination in 1.
    pub fn write_encode(&mut self, ty: &Type) -> Body {
        let i32 = ValType::I32;
        let mut f = Emit::new(
            format!("synq:encode {}", self.world.name(ty)),
            vec![i32, i32],
            vec![i32],
        );
        let tail = f.local(i32);
        let reserve = |g: &Self, f: &mut Emit| {
            f.get(tail);
            f.op(Instruction::I64ExtendI32U);
            f.call(g.rt("reserve"));
        };
        match ty {
            Type::Struct(_) => {
                f.get(1);
                f.add32(self.world.body_size(ty));
                f.set(tail);
                reserve(self, &mut f);
                let mut head = 0;
                for (offset, _, field) in self.fields(ty) {
                    self.encode_part(&mut f, (0, offset), (1, head), 1, tail, &field);
                    head += self.world.head_size(&field);
                }
            }
            Type::Array(e, n) => {
                f.get(1);
                f.add32(self.world.body_size(ty));
                f.set(tail);
                reserve(self, &mut f);
                self.encode_elements(&mut f, (0, 0), 1, tail, e, |f| f.i32(*n));
            }
            _ => {
                let e = element(ty);
                let base = f.local(i32);
                f.get(1);
                f.i32(64);
                f.op(Instruction::I32Add);
                f.op(Instruction::I64ExtendI32U);
                f.call(self.rt("reserve"));
                f.get(1);
                f.get(0);
                f.op(Instruction::I64Load32U(at(0)));
                f.call(self.rt("store_be64"));
                f.get(1);
                f.add32(32);
                f.tee(base);
                f.get(0);
                f.op(Instruction::I32Load(at(0)));
                f.i32(self.world.head_size(&e));
                f.op(Instruction::I32Mul);
                f.op(Instruction::I32Add);
                f.set(tail);
                reserve(self, &mut f);
                self.encode_elements(&mut f, (0, 8), base, tail, &e, |f| {
                    f.get(0);
                    f.op(Instruction::I32Load(at(0)));
                });
            }
        }
        f.get(tail);
        f.finish()
    }

    fn encode_elements(
        &mut self,
        f: &mut Emit,
        from: (u32, u32),
        base: u32,
        tail: u32,
        e: &Type,
        count: impl FnOnce(&mut Emit),
    ) {
        self.each_part(f, from, base, e, count, |this, f, address, head| {
            this.encode_part(f, (address, 0), (head, 0), base, tail, e);
        });
    }

    /// Runs `part` for each element of a list, with locals that hold its address and that of its
    /// head.
    fn each_part(
        &mut self,
        f: &mut Emit,
        list: (u32, u32),
        base: u32,
        e: &Type,
        count: impl FnOnce(&mut Emit),
        part: impl FnOnce(&mut Self, &mut Emit, u32, u32),
    ) {
        let head_size = self.world.head_size(e);
        each(f, count, |f, i| {
            let address = self.step(f, list.0, list.1, i, e);
            let head = f.local(ValType::I32);
            f.get(i);
            f.i32(head_size);
            f.op(Instruction::I32Mul);
            f.get(base);
            f.op(Instruction::I32Add);
            f.set(head);
            part(self, f, address, head);
        });
    }

    /// Writes one part: its head at a local plus an offset, its tail at `tail`, which moves on.
    fn encode_part(
        &mut self,
        f: &mut Emit,
        from: (u32, u32),
        head: (u32, u32),
        base: u32,
        tail: u32,
        ty: &Type,
    ) {
        if ty.is_value() {
            f.get(head.0);
            f.add32(head.1);
            self.read_memory(f, from.0, from.1, ty);
            self.store_be(f, ty);
            return;
        }
        let dynamic = self.world.is_dynamic(ty);
        if dynamic {
            f.get(head.0);
            f.add32(head.1);
            f.get(tail);
            f.get(base);
            f.op(Instruction::I32Sub);
            f.op(Instruction::I64ExtendI32U);
            f.call(self.rt("store_be64"));
        }
        self.read_memory(f, from.0, from.1, ty);
        if dynamic {
            f.get(tail);
        } else {
            f.get(head.0);
            f.add32(head.1);
        }
        self.encode_body(f, ty);
        if dynamic {
            f.set(tail);
        } else {
            f.op(Instruction::Drop);
        }
    }

    /// With a pointer and a destination on the stack: writes the value, gives the end.
    pub fn encode_body(&mut self, f: &mut Emit, ty: &Type) {
        if ty.is_bytes() {
            f.call(self.rt("enc_bytes"));
        } else {
            let helper = self.helper(Helper::Encode(ty.clone()));
            f.call(helper);
        }
    }

    /// With an address and a value on the stack: writes the value's word.
    pub fn store_be(&mut self, f: &mut Emit, ty: &Type) {
        match ty.repr() {
            Repr::I32 => {
                f.op(Instruction::I64ExtendI32U);
                f.call(self.rt("store_be64"));
            }
            Repr::I64 => f.call(self.rt(if ty.is_signed() {
                "store_be64s"
            } else {
                "store_be64"
            })),
            Repr::Word => f.call(self.rt("store_be")),
        }
    }

    /// Position in 0, end in 1, destination in 2.
    pub fn write_decode(&mut self, ty: &Type) -> Body {
        let i32 = ValType::I32;
        let mut f = Emit::new(
            format!("synq:decode {}", self.world.name(ty)),
            vec![i32; 3],
            vec![],
        );
        match ty {
            Type::Struct(_) => {
                let mut head = 0;
                for (offset, _, field) in self.fields(ty) {
                    self.decode_part(&mut f, (0, head), 0, 1, (2, offset), &field);
                    head += self.world.head_size(&field);
                }
            }
            Type::Array(e, n) => self.decode_elements(&mut f, 0, 1, (2, 0), e, |f| f.i32(*n)),
            _ => {}
        }
        f.finish()
    }

    fn decode_elements(
        &mut self,
        f: &mut Emit,
        base: u32,
        end: u32,
        to: (u32, u32),
        e: &Type,
        count: impl FnOnce(&mut Emit),
    ) {
        self.each_part(f, to, base, e, count, |this, f, address, head| {
            this.decode_part(f, (head, 0), base, end, (address, 0), e);
        });
    }

    fn decode_part(
        &mut self,
        f: &mut Emit,
        head: (u32, u32),
        base: u32,
        end: u32,
        to: (u32, u32),
        ty: &Type,
    ) {
        if matches!(ty, Type::Array(..) | Type::Struct(_)) {
            self.push_position(f, head, base, end, ty);
            f.get(end);
            f.get(to.0);
            f.add32(to.1);
            let helper = self.helper(Helper::Decode(ty.clone()));
            f.call(helper);
            return;
        }
        self.decode_value(f, head, base, end, ty);
        self.write(f, Loc::Memory(to.0, to.1), ty);
    }

    /// Pushes where the body of a value lies.
    fn push_position(&mut self, f: &mut Emit, head: (u32, u32), base: u32, end: u32, ty: &Type) {
        f.get(head.0);
        f.add32(head.1);
        if self.world.is_dynamic(ty) {
            f.get(base);
            f.get(end);
            let need = match ty {
                Type::Array(..) | Type::Struct(_) => self.world.body_size(ty),
                _ => 32,
            };
            f.i32(need);
            f.call(self.rt("dec_offset"));
        }
    }

    /// Pushes the value whose head is at a local plus an offset.
    pub fn decode_value(&mut self, f: &mut Emit, head: (u32, u32), base: u32, end: u32, ty: &Type) {
        match ty {
            Type::Array(..) | Type::Struct(_) => {
                let (to, from) = (f.t32(), f.t32());
                self.push_position(f, head, base, end, ty);
                f.set(from);
                f.i32(self.world.size(ty));
                f.call(self.rt("alloc_zero"));
                f.set(to);
                f.get(from);
                f.get(end);
                f.get(to);
                let helper = self.helper(Helper::Decode(ty.clone()));
                f.call(helper);
                f.get(to);
                f.done32(to);
                f.done32(from);
            }
            Type::List(_) => {
                self.push_position(f, head, base, end, ty);
                f.get(end);
                let helper = self.helper(Helper::DecodeList(ty.clone()));
                f.call(helper);
            }
            _ if ty.is_bytes() => {
                self.push_position(f, head, base, end, ty);
                f.get(end);
                f.call(self.rt("dec_bytes"));
            }
            _ => {
                f.get(head.0);
                f.add32(head.1);
                self.load_be(f, ty);
            }
        }
    }

    /// Replaces an address by the value whose word lies there.
    fn load_be(&mut self, f: &mut Emit, ty: &Type) {
        match ty {
            Type::Bool => {
                f.i64(1);
                f.call(self.rt("load_be64"));
                f.op(Instruction::I32WrapI64);
            }
            Type::Enum(id) => {
                let members = self.world.enums.get(*id).map_or(1, |e| e.members.len());
                f.i64(members.saturating_sub(1) as u64);
                f.call(self.rt("load_be64"));
            }
            Type::UInt(bits) if *bits <= 64 => {
                f.i64(u64::MAX >> (64 - bits));
                f.call(self.rt("load_be64"));
            }
            Type::Int(bits) if *bits <= 64 => {
                f.i64(u64::from(64 - bits));
                f.call(self.rt("load_be64s"));
            }
            Type::UInt(128) => f.call(self.rt("load_be128")),
            Type::Int(128) => f.call(self.rt("load_be128s")),
            Type::Address | Type::Contract(_) => f.call(self.rt("load_be_address")),
            _ => f.call(self.rt("load_be")),
        }
    }

    pub fn write_decode_list(&mut self, ty: &Type) -> Body {
        let i32 = ValType::I32;
        let e = element(ty);
        let mut f = Emit::new(
            format!("synq:decode {}", self.world.name(ty)),
            vec![i32; 2],
            vec![i32],
        );
        let (count, base, block) = (f.local(i32), f.local(i32), f.local(i32));
        f.get(0);
        f.get(1);
        f.i32(self.world.head_size(&e));
        f.call(self.rt("dec_length"));
        f.tee(count);
        f.op(Instruction::I64ExtendI32U);
        f.i32(self.world.size(&e));
        f.call(self.rt("new_block"));
        f.set(block);
        f.get(0);
        f.add32(32);
        f.set(base);
        self.decode_elements(&mut f, base, 1, (block, 8), &e, |f| f.get(count));
        f.get(block);
        f.finish()
    }
}
