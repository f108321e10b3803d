//! What the host calls: `construct`, `call`, `query`, and the way from a selector to a function.

use wasm_encoder::{Instruction, ValType};

use super::codec::Held;
use super::emit::{Emit, at};
use super::{Gen, INPUT, INPUT_LENGTH, RETURN};
use crate::ir::*;

impl Gen<'_> {
    /// Writes the result of an export: success, and the bytes between two locals.
    pub fn finish_entry(&mut self, f: &mut Emit, start: u32, end: u32) {
        f.i32(0);
        f.i32(0);
        f.op(Instruction::I32Store(at(RETURN)));
        f.i32(0);
        f.get(start);
        f.op(Instruction::I32Store(at(RETURN + 4)));
        f.i32(0);
        f.get(end);
        f.get(start);
        f.op(Instruction::I32Sub);
        f.op(Instruction::I32Store(at(RETURN + 8)));
        f.i32(RETURN);
    }

    fn finish_empty(&mut self, f: &mut Emit) {
        for offset in [0, 4, 8] {
            f.i32(0);
            f.i32(0);
            f.op(Instruction::I32Store(at(RETURN + offset)));
        }
        f.i32(RETURN);
    }

    /// Decodes arguments that begin `skip` bytes into the input, and calls a function.
    fn call_decoded(&mut self, f: &mut Emit, function: usize, skip: u32) {
        let Some(declared) = self.contract.functions.get(function) else {
            return;
        };
        let types: Vec<Type> = declared
            .locals
            .iter()
            .take(declared.params)
            .map(|l| l.ty.clone())
            .collect();
        let (base, end) = (f.local(ValType::I32), f.local(ValType::I32));
        f.get(0);
        f.get(1);
        f.op(Instruction::I32Add);
        f.set(end);
        f.get(0);
        f.add32(skip);
        f.set(base);
        self.decode(f, base, end, &types);
        let id = self.function_id(function);
        f.call(id);
    }

    fn entry(&mut self, entry: &Entry) -> u32 {
        let i32 = ValType::I32;
        let Some(function) = self.contract.functions.get(entry.function) else {
            return self.rt("revert_empty");
        };
        if let Some(captured) = &function.outlined {
            let body = self.outlined(function, captured);
            return self.add_body(body);
        }
        let mut f = Emit::new(
            format!("{}.{}@abi", self.contract.name, entry.name),
            vec![i32, i32],
            vec![i32],
        );
        if !entry.payable {
            f.call(self.rt("no_value"));
        }
        if let Some(limit) = function.gas_limit {
            self.limited(&mut f, limit);
        }
        self.call_decoded(&mut f, entry.function, 4);
        if function.returns.is_empty() {
            self.finish_empty(&mut f);
        } else {
            let mut held: Vec<Held> = Vec::new();
            for ty in function.returns.iter().rev() {
                held.push(super::codec::hold_top(&mut f, ty));
            }
            held.reverse();
            let (start, end) = self.encode(&mut f, &held, 0);
            self.finish_entry(&mut f, start, end);
        }
        let body = f.finish();
        self.add_body(body)
    }

    /// With more gas left than the limit: the same call once more, nested, under the limit.
    fn limited(&mut self, f: &mut Emit, limit: u64) {
        let (start, end) = (f.local(ValType::I32), f.local(ValType::I32));
        f.call(self.host("context", "gas-left"));
        f.i64(limit);
        f.op(Instruction::I64GtU);
        f.if_();
        f.i64(limit);
        f.get(0);
        f.get(1);
        f.call(self.rt("block_from"));
        f.call(self.rt("do_self_call"));
        f.tee(start);
        f.i32(u32::MAX);
        f.op(Instruction::I32Eq);
        f.if_();
        let text = self.literal(b"gas limit exceeded");
        f.i32(text);
        f.call(self.rt("revert_text"));
        f.end();
        f.get(start);
        f.op(Instruction::I32Load(at(0)));
        f.get(start);
        f.add32(8);
        f.tee(start);
        f.op(Instruction::I32Add);
        f.set(end);
        self.finish_entry(f, start, end);
        f.op(Instruction::Return);
        f.end();
    }

    fn construct(&mut self) -> u32 {
        let i32 = ValType::I32;
        let mut f = Emit::new(
            format!("{}.construct", self.contract.name),
            vec![i32, i32],
            vec![i32],
        );
        let payable = self
            .contract
            .constructor
            .as_ref()
            .and_then(|(n, _)| self.contract.functions.get(*n))
            .is_some_and(|c| c.effects.value)
            || self.contract.payable_constructor;
        if !payable {
            f.call(self.rt("no_value"));
        }
        if let Some(initializer) = self.contract.initializer {
            let id = self.function_id(initializer);
            f.call(id);
        }
        if let Some((constructor, _)) = &self.contract.constructor {
            self.call_decoded(&mut f, *constructor, 0);
        }
        self.finish_empty(&mut f);
        let body = f.finish();
        self.add_body(body)
    }

    pub fn exports(&mut self) -> Vec<(&'static str, u32)> {
        let i32 = ValType::I32;
        let contract = self.contract;
        let mut entries: Vec<(u32, u32)> = Vec::new();
        for entry in &contract.entries {
            let id = self.entry(entry);
            entries.push((u32::from_le_bytes(entry.selector), id));
        }
        entries.sort_unstable();
        let mut f = Emit::new(format!("{}.call", contract.name), vec![i32, i32], vec![i32]);
        f.get(0);
        f.op(Instruction::GlobalSet(INPUT));
        f.get(1);
        f.op(Instruction::GlobalSet(INPUT_LENGTH));
        f.get(1);
        f.i32(4);
        f.op(Instruction::I32GeU);
        f.if_();
        let selector = f.local(i32);
        f.get(0);
        f.op(Instruction::I32Load(at(0)));
        f.set(selector);
        search(&mut f, selector, &entries);
        f.end();
        f.call(self.rt("revert_empty"));
        f.op(Instruction::Unreachable);
        let body = f.finish();
        let call = self.add_body(body);
        let construct = self.construct();
        // Nothing to give back: the instance ends with the call.
        let post = Emit::new("cabi_post", vec![i32], vec![]).finish();
        let post = self.add_body(post);
        let realloc = self.rt("cabi_realloc");
        vec![
            ("cabi_realloc", realloc),
            ("construct", construct),
            ("call", call),
            ("query", call),
            ("cabi_post_construct", post),
            ("cabi_post_call", post),
            ("cabi_post_query", post),
        ]
    }
}

/// Finds a selector among sorted ones: a few by comparing each, many by halving.
fn search(f: &mut Emit, selector: u32, entries: &[(u32, u32)]) {
    if entries.len() <= 4 {
        for (value, id) in entries {
            f.get(selector);
            f.i32(*value);
            f.op(Instruction::I32Eq);
            f.if_();
            f.get(0);
            f.get(1);
            f.call(*id);
            f.op(Instruction::Return);
            f.end();
        }
        return;
    }
    let (low, high) = entries.split_at(entries.len() / 2);
    let Some((middle, _)) = high.first() else {
        return;
    };
    f.get(selector);
    f.i32(*middle);
    f.op(Instruction::I32LtU);
    f.if_();
    search(f, selector, low);
    f.else_();
    search(f, selector, high);
    f.end();
}
