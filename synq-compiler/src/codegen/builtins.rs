//! The language's own functions, calls of other contracts, inference.

use wasm_encoder::{Instruction, ValType};

use super::codec::{Held, hold_top};
use super::emit::{Emit, at};
use super::helpers::Helper;
use super::{Frame, Gen, INPUT, INPUT_LENGTH, RESULT, push_constant};
use crate::ir::*;

/// What an inference that is refused reverts with, by the host's error number.
const REFUSALS: [&str; 4] = [
    "inference: model not found",
    "inference: invalid model",
    "inference: shape mismatch",
    "inference: memory limit",
];

impl Gen<'_> {
    pub fn builtin(&mut self, frame: &mut Frame<'_>, builtin: Builtin, args: &[Expr]) {
        match builtin {
            Builtin::Verify(scheme) => frame.f.i32(u32::from(scheme)),
            Builtin::Decapsulate(kem) => frame.f.i32(u32::from(kem)),
            Builtin::CallContract => {
                let [target, value, data] = args else { return };
                self.expr(frame, target);
                self.expr(frame, value);
                frame.f.i64(u64::MAX);
                self.expr(frame, data);
                frame.f.call(self.rt("do_call"));
                return;
            }
            Builtin::StaticCall => {
                let [target, data] = args else { return };
                self.expr(frame, target);
                frame.f.i64(u64::MAX);
                self.expr(frame, data);
                frame.f.call(self.rt("do_query"));
                return;
            }
            Builtin::ArgMax => {
                let Some(array) = args.first() else { return };
                self.argmax(frame, array);
                return;
            }
            _ => {}
        }
        for arg in args {
            self.expr(frame, arg);
        }
        let f = &mut frame.f;
        match builtin {
            Builtin::Sender => f.call(self.rt("get_caller")),
            Builtin::Value => f.call(self.rt("get_value")),
            Builtin::Origin => f.call(self.rt("get_origin")),
            Builtin::This => f.call(self.rt("get_self")),
            Builtin::BlockNumber => self.context(f, "block-number"),
            Builtin::Timestamp => self.context(f, "block-timestamp"),
            Builtin::ChainId => self.context(f, "chain-id"),
            Builtin::GasLeft => self.context(f, "gas-left"),
            Builtin::MessageData => {
                f.op(Instruction::GlobalGet(INPUT));
                f.op(Instruction::GlobalGet(INPUT_LENGTH));
                f.call(self.rt("block_from"));
            }
            Builtin::Balance => f.call(self.rt("get_balance")),
            Builtin::Keccak => f.call(self.rt("hash_keccak")),
            Builtin::Sha256 => f.call(self.rt("hash_sha256")),
            Builtin::Sha3 => f.call(self.rt("hash_sha3")),
            Builtin::Blake3 => f.call(self.rt("hash_blake3")),
            Builtin::Concat => f.call(self.rt("concat")),
            Builtin::AddMod => f.call(self.rt("addmod")),
            Builtin::MulMod => f.call(self.rt("mulmod")),
            Builtin::Send => f.call(self.rt("send")),
            Builtin::TrySend => f.call(self.host("accounts", "transfer")),
            Builtin::Verify(_) => f.call(self.rt("do_verify")),
            Builtin::Decapsulate(_) => f.call(self.rt("do_decapsulate")),
            Builtin::ModelGas(model) => {
                self.push_model(frame, model);
                frame.f.call(self.rt("do_quote"));
                (0..3).for_each(|_| frame.f.i64(0));
            }
            Builtin::ModelHash(model) => self.push_model(frame, model),
            Builtin::AllowReentrancy => f.call(self.host("calls", "allow-reentrancy")),
            Builtin::Debug => {
                let block = f.t32();
                f.tee(block);
                f.add32(8);
                f.get(block);
                f.op(Instruction::I32Load(at(0)));
                f.call(self.host("log", "debug"));
                f.done32(block);
            }
            Builtin::CallContract | Builtin::StaticCall | Builtin::ArgMax => {}
        }
    }

    fn argmax(&mut self, frame: &mut Frame<'_>, array: &Expr) {
        self.expr(frame, array);
        let pointer = frame.f.t32();
        frame.f.set(pointer);
        let element = match &array.ty {
            Type::Array(element, n) => {
                frame.f.get(pointer);
                frame.f.i32(*n);
                Type::clone(element)
            }
            Type::List(element) => {
                frame.f.get(pointer);
                frame.f.add32(8);
                frame.f.get(pointer);
                frame.f.op(Instruction::I32Load(at(0)));
                Type::clone(element)
            }
            _ => return,
        };
        let helper = self.helper(Helper::ArgMax(element));
        frame.f.call(helper);
        (0..3).for_each(|_| frame.f.i64(0));
        frame.f.done32(pointer);
    }

    /// A number of the context, as a word.
    fn context(&self, f: &mut Emit, name: &str) {
        f.call(self.host("context", name));
        (0..3).for_each(|_| f.i64(0));
    }

    fn push_model(&mut self, frame: &mut Frame<'_>, model: usize) {
        let hash = self.contract.models.get(model).map_or([0; 32], |m| m.hash);
        let word = alloy_primitives::U256::from_be_bytes(hash);
        push_constant(&mut frame.f, &word, &Type::Bytes32);
    }

    pub fn external(&mut self, frame: &mut Frame<'_>, e: &Expr) {
        let Kind::External {
            target,
            selector,
            args,
            value,
            gas,
            returns,
            readonly,
        } = &e.kind
        else {
            return;
        };
        self.expr(frame, target);
        let target = hold_top(&mut frame.f, &target.ty);
        let value = value.as_ref().map(|v| {
            self.expr(frame, v);
            hold_top(&mut frame.f, &v.ty)
        });
        let gas = gas.as_ref().map(|g| {
            self.expr(frame, g);
            hold_top(&mut frame.f, &g.ty)
        });
        let held = self.hold(frame, args);
        let f = &mut frame.f;
        let block = self.encode_block(f, None, Some(*selector), &held);
        let get = |f: &mut Emit, held: &Held| {
            held.locals.iter().for_each(|l| f.get(*l));
        };
        get(f, &target);
        if !readonly {
            match &value {
                Some(value) => get(f, value),
                None => (0..4).for_each(|_| f.i64(0)),
            }
        }
        match &gas {
            Some(gas) => get(f, gas),
            None => f.i64(u64::MAX),
        }
        f.get(block);
        f.call(self.rt(if *readonly { "do_query" } else { "do_call" }));
        if returns.is_empty() {
            f.op(Instruction::Drop);
        } else {
            self.decode_block(f, returns);
        }
    }

    /// Inputs go to the host where they lie; outputs stay where the host puts them.
    pub fn infer(&mut self, frame: &mut Frame<'_>, model: usize, args: &[Expr]) {
        let Some(signature) = self.contract.models.get(model) else {
            return;
        };
        let held = self.hold(frame, args);
        let tensors = frame.f.hold(ValType::I32);
        let count = signature.inputs.len() as u32;
        frame.f.i32(20 * count);
        frame.f.call(self.rt("alloc"));
        frame.f.set(tensors);
        for (index, (tensor, value)) in signature.inputs.iter().zip(&held).enumerate() {
            let offset = 20 * index as u32;
            let shape: Vec<u8> = tensor.shape.iter().flat_map(|n| n.to_le_bytes()).collect();
            let shape_at = if shape.is_empty() {
                0
            } else {
                self.raw_data(&shape)
            };
            let size = self.world.size(&tensor.ty);
            let f = &mut frame.f;
            f.get(tensors);
            f.i32(u32::from(tensor.element));
            f.op(Instruction::I32Store8(at(offset)));
            f.get(tensors);
            f.i32(shape_at);
            f.op(Instruction::I32Store(at(offset + 4)));
            f.get(tensors);
            f.i32(tensor.shape.len() as u32);
            f.op(Instruction::I32Store(at(offset + 8)));
            let data = f.hold(ValType::I32);
            if tensor.ty.is_value() {
                f.i32(size);
                f.call(self.rt("alloc"));
                f.set(data);
                self.store_memory(f, data, 0, &tensor.ty, &value.locals);
            } else {
                value.locals.iter().for_each(|l| f.get(*l));
                f.set(data);
            }
            f.get(tensors);
            f.get(data);
            f.op(Instruction::I32Store(at(offset + 12)));
            f.get(tensors);
            f.i32(size);
            f.op(Instruction::I32Store(at(offset + 16)));
        }
        self.push_model(frame, model);
        let f = &mut frame.f;
        f.get(tensors);
        f.i32(count);
        f.i32(RESULT);
        f.call(self.host("nn", "infer"));
        f.i32(0);
        f.op(Instruction::I32Load8U(at(RESULT)));
        f.if_();
        for (code, text) in REFUSALS.iter().enumerate() {
            let text = self.literal(text.as_bytes());
            f.i32(0);
            f.op(Instruction::I32Load8U(at(RESULT + 4)));
            f.i32(code as u32);
            f.op(Instruction::I32Eq);
            f.if_();
            f.i32(text);
            f.call(self.rt("revert_text"));
            f.end();
        }
        f.call(self.rt("revert_empty"));
        f.end();
        let list = f.hold(ValType::I32);
        f.i32(0);
        f.op(Instruction::I32Load(at(RESULT + 4)));
        f.set(list);
        // The registered model has the declared hash, and so the checked shapes; a host that
        // breaks this is stopped.
        f.i32(0);
        f.op(Instruction::I32Load(at(RESULT + 8)));
        f.i32(signature.outputs.len() as u32);
        f.op(Instruction::I32Ne);
        f.if_();
        f.op(Instruction::Unreachable);
        f.end();
        for (index, tensor) in signature.outputs.iter().enumerate() {
            let offset = 20 * index as u32;
            f.get(list);
            f.op(Instruction::I32Load(at(offset + 16)));
            f.i32(self.world.size(&tensor.ty));
            f.op(Instruction::I32Ne);
            f.if_();
            f.op(Instruction::Unreachable);
            f.end();
        }
        for (index, tensor) in signature.outputs.iter().enumerate() {
            let offset = 20 * index as u32;
            f.get(list);
            f.op(Instruction::I32Load(at(offset + 12)));
            if tensor.ty.is_value() {
                let pointer = f.hold(ValType::I32);
                f.set(pointer);
                self.read_memory(f, pointer, 0, &tensor.ty);
            }
        }
    }
}
