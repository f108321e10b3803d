//! Topics of indexed aggregates: the hash of all parts one behind the other, each padded to
//! words, without lengths and offsets.

use wasm_encoder::{Instruction, ValType};

use super::Gen;
use super::emit::{Emit, at};
use super::helpers::{Helper, each, element};
use super::runtime::Body;
use crate::ir::*;

impl Gen<'_> {
    /// Replaces the aggregate on the stack by its hash. The heap is left changed.
    pub fn topic_hash(&mut self, f: &mut Emit, ty: &Type) {
        let (value, start, end) = (f.t32(), f.t32(), f.t32());
        f.set(value);
        f.i32(8);
        f.call(self.rt("alloc"));
        f.set(start);
        f.get(value);
        f.get(start);
        f.add32(8);
        let helper = self.helper(Helper::Topic(ty.clone()));
        f.call(helper);
        f.set(end);
        super::codec::close_block(f, start, end);
        f.get(start);
        f.call(self.rt("hash_keccak"));
        f.done32(value);
        f.done32(start);
        f.done32(end);
    }

    /// Pointer in 0, destination in 1; gives the end.
    pub fn write_topic(&mut self, ty: &Type) -> Body {
        let i32 = ValType::I32;
        let name = format!("synq:topic {}", self.world.name(ty));
        let mut f = Emit::new(name, vec![i32, i32], vec![i32]);
        match ty {
            Type::Struct(_) => {
                for (offset, _, field) in self.fields(ty) {
                    self.topic_part(&mut f, 0, offset, &field);
                }
            }
            Type::Array(e, n) => each(
                &mut f,
                |f| f.i32(*n),
                |f, i| {
                    let address = self.step(f, 0, 0, i, e);
                    self.topic_part(f, address, 0, e);
                },
            ),
            _ => {
                let e = element(ty);
                each(
                    &mut f,
                    |f| {
                        f.get(0);
                        f.op(Instruction::I32Load(at(0)));
                    },
                    |f, i| {
                        let address = self.step(f, 0, 8, i, &e);
                        self.topic_part(f, address, 0, &e);
                    },
                );
            }
        }
        f.get(1);
        f.finish()
    }

    fn topic_part(&mut self, f: &mut Emit, pointer: u32, offset: u32, ty: &Type) {
        if ty.is_value() {
            f.get(1);
            f.add32(32);
            f.op(Instruction::I64ExtendI32U);
            f.call(self.rt("reserve"));
            f.get(1);
            self.read_memory(f, pointer, offset, ty);
            self.store_be(f, ty);
            f.get(1);
            f.add32(32);
            f.set(1);
        } else if ty.is_bytes() {
            // The data moves over the length.
            let end = f.t32();
            self.read_memory(f, pointer, offset, ty);
            f.get(1);
            f.call(self.rt("enc_bytes"));
            f.i32(32);
            f.op(Instruction::I32Sub);
            f.set(end);
            f.get(1);
            f.get(1);
            f.add32(32);
            f.get(end);
            f.get(1);
            f.op(Instruction::I32Sub);
            f.op(Instruction::MemoryCopy {
                src_mem: 0,
                dst_mem: 0,
            });
            f.get(end);
            f.set(1);
            f.done32(end);
        } else {
            self.read_memory(f, pointer, offset, ty);
            f.get(1);
            let helper = self.helper(Helper::Topic(ty.clone()));
            f.call(helper);
            f.set(1);
        }
    }
}
