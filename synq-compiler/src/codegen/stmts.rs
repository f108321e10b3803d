//! Statements.

use wasm_encoder::{Instruction, ValType};

use super::codec::Held;
use super::emit::at;
use super::places::{Loc, Slot};
use super::{Frame, Gen, HEAP, TOPICS, value_types};
use crate::ir::*;

/// Data of `Error(string)`.
fn error_data(text: &str) -> Vec<u8> {
    let word = |n: usize| {
        let mut word = [0u8; 32];
        word[24..].copy_from_slice(&(n as u64).to_be_bytes());
        word
    };
    let mut out = vec![0x08, 0xc3, 0x79, 0xa0];
    out.extend(word(32));
    out.extend(word(text.len()));
    out.extend(text.as_bytes());
    while (out.len() - 4) % 32 != 0 {
        out.push(0);
    }
    out
}

/// Slot of the mark that a block under a gas limit leaves for itself.
fn limit_slot() -> Slot {
    let hash = blake3::hash(b"synq.with_gas_limit");
    let limbs = alloy_primitives::U256::from_be_bytes(*hash.as_bytes()).into_limbs();
    Slot {
        limbs: limbs.map(super::places::Limb::Const),
        add: 0,
    }
}

impl Gen<'_> {
    pub fn statements(&mut self, frame: &mut Frame<'_>, list: &[Stmt]) {
        for statement in list {
            let mark = frame.f.mark();
            self.statement(frame, statement);
            frame.f.release(mark);
        }
    }

    fn statement(&mut self, frame: &mut Frame<'_>, statement: &Stmt) {
        match statement {
            Stmt::At(span) => {
                frame.f.at_source(*span);
            }
            Stmt::Block(list) => self.statements(frame, list),
            Stmt::Expr(e) => match &e.kind {
                Kind::Increment(place, decrement, _, checked) => {
                    self.increment(frame, place, *decrement, *checked, None);
                }
                _ => {
                    self.expr(frame, e);
                    self.drop_value(frame, &e.ty);
                }
            },
            Stmt::Let(id, init) => {
                match init {
                    Some(value) => self.expr(frame, value),
                    None => {
                        let ty = frame
                            .function
                            .locals
                            .get(*id)
                            .map_or(Type::VOID, |l| l.ty.clone());
                        self.zero(&mut frame.f, &ty);
                    }
                }
                frame.set_local(*id);
            }
            Stmt::LetMany(ids, value) => {
                self.expr(frame, value);
                let Type::Tuple(types) = &value.ty else {
                    return;
                };
                for (id, ty) in ids.iter().zip(types).rev() {
                    match id {
                        Some(id) => frame.set_local(*id),
                        None => self.drop_value(frame, ty),
                    }
                }
            }
            Stmt::AssignMany(places, value) => {
                self.expr(frame, value);
                let Type::Tuple(types) = &value.ty else {
                    return;
                };
                let mut held: Vec<Held> = types
                    .iter()
                    .rev()
                    .map(|ty| super::codec::hold_top(&mut frame.f, ty))
                    .collect();
                held.reverse();
                // All places are found before one is written, the last first, as solc does.
                let found: Vec<_> = places
                    .iter()
                    .zip(held)
                    .filter_map(|(place, held)| {
                        let place = place.as_ref()?;
                        Some((place, self.resolve(frame, place), held))
                    })
                    .collect();
                for (place, loc, held) in found.into_iter().rev() {
                    held.locals.iter().for_each(|l| frame.f.get(*l));
                    if let (PlaceKind::Local(id), false) = (&place.kind, place.storage) {
                        frame.set_local(*id);
                    } else {
                        self.write(&mut frame.f, loc, &place.ty);
                    }
                }
            }
            Stmt::If(condition, then, otherwise) => {
                self.expr(frame, condition);
                frame.f.if_();
                self.statements(frame, then);
                if !otherwise.is_empty() {
                    frame.f.else_();
                    self.statements(frame, otherwise);
                }
                frame.f.end();
            }
            Stmt::Loop {
                condition,
                late,
                body,
                step,
            } => {
                let done = frame.f.block();
                let top = frame.f.loop_();
                if let (Some(condition), false) = (condition, late) {
                    let mark = frame.f.mark();
                    self.expr(frame, condition);
                    frame.f.op(Instruction::I32Eqz);
                    frame.f.br_if(done);
                    frame.f.release(mark);
                }
                let next = frame.f.block();
                frame.loops.push((done, next, frame.pqc.len()));
                self.statements(frame, body);
                frame.loops.pop();
                frame.f.end();
                self.statements(frame, step);
                match (condition, late) {
                    (Some(condition), true) => {
                        self.expr(frame, condition);
                        frame.f.br_if(top);
                    }
                    _ => frame.f.br(top),
                }
                frame.f.end();
                frame.f.end();
            }
            Stmt::Break | Stmt::Continue => {
                let Some((done, next, open)) = frame.loops.last().copied() else {
                    return;
                };
                for _ in open..frame.pqc.len() {
                    frame.f.call(self.host("journal", "commit"));
                }
                let label = if matches!(statement, Stmt::Break) {
                    done
                } else {
                    next
                };
                frame.f.br(label);
            }
            Stmt::Return(value) => {
                if let Some(value) = value {
                    self.expr(frame, value);
                }
                for _ in 0..frame.pqc.len() {
                    frame.f.call(self.host("journal", "commit"));
                }
                frame.f.op(Instruction::Return);
            }
            Stmt::Emit(event, args) => self.emit(frame, *event, args),
            Stmt::Require(condition, failure) => {
                self.expr(frame, condition);
                frame.f.op(Instruction::I32Eqz);
                if let (Failure::Pq, Some(label)) = (failure, frame.pqc.last().copied()) {
                    frame.f.br_if(label);
                    return;
                }
                frame.f.if_();
                self.fail(frame, failure);
                frame.f.end();
            }
            Stmt::Fail(failure) => self.fail(frame, failure),
            Stmt::Delete(place) => {
                let loc = self.resolve(frame, place);
                match (loc, &place.kind) {
                    (Loc::Slot(slot), _) => self.clear(&mut frame.f, slot, &place.ty),
                    (_, PlaceKind::Local(id)) => {
                        self.zero(&mut frame.f, &place.ty);
                        frame.set_local(*id);
                    }
                    (loc, _) => {
                        self.zero(&mut frame.f, &place.ty);
                        self.write(&mut frame.f, loc, &place.ty);
                    }
                }
            }
            Stmt::RequirePqc(body, otherwise) => {
                let done = frame.f.block();
                let failed = frame.f.block();
                frame.f.call(self.host("journal", "begin"));
                frame.pqc.push(failed);
                self.statements(frame, body);
                frame.pqc.pop();
                frame.f.call(self.host("journal", "commit"));
                frame.f.br(done);
                frame.f.end();
                frame.f.call(self.host("journal", "rollback"));
                self.statements(frame, otherwise);
                frame.f.end();
            }
            Stmt::GasLimit(limit, function, captured) => {
                self.gas_limit(frame, limit, *function, captured);
            }
        }
    }

    fn drop_value(&mut self, frame: &mut Frame<'_>, ty: &Type) {
        let mut types = Vec::new();
        value_types(ty, &mut types);
        types.iter().for_each(|_| frame.f.op(Instruction::Drop));
    }

    fn fail(&mut self, frame: &mut Frame<'_>, failure: &Failure) {
        match failure {
            Failure::Empty => frame.f.call(self.rt("revert_empty")),
            Failure::Text(text) => {
                let data = error_data(text);
                let at = self.raw_data(&data);
                frame.f.i32(at);
                frame.f.i32(data.len() as u32);
                frame.f.call(self.rt("revert"));
            }
            Failure::Computed(text) => {
                self.expr(frame, text);
                frame.f.call(self.rt("revert_text"));
            }
            Failure::Custom(selector, args) => {
                let held = self.hold(frame, args);
                let block = self.encode_block(&mut frame.f, None, Some(*selector), &held);
                frame.f.get(block);
                frame.f.call(self.rt("revert_block"));
            }
            Failure::Panic(code) => {
                frame.f.i32(*code);
                frame.f.call(self.rt("panic"));
            }
            Failure::Pq => match frame.pqc.last().copied() {
                Some(label) => {
                    frame.f.br(label);
                    return;
                }
                None => frame.f.call(self.rt("revert_empty")),
            },
        }
        frame.f.op(Instruction::Unreachable);
    }

    fn emit(&mut self, frame: &mut Frame<'_>, event: usize, args: &[Expr]) {
        let Some(event) = self.contract.events.get(event) else {
            return;
        };
        let heap = frame.f.hold(ValType::I32);
        frame.f.op(Instruction::GlobalGet(HEAP));
        frame.f.set(heap);
        let held = self.hold(frame, args);
        let f = &mut frame.f;
        let mut topics = 0u32;
        let store = |f: &mut super::emit::Emit,
                     topic: u32,
                     limbs: &mut dyn FnMut(&mut super::emit::Emit, usize)| {
            for i in 0..4 {
                f.i32(0);
                limbs(f, i);
                f.op(Instruction::I64Store(at(TOPICS
                    + 32 * topic
                    + 8 * i as u32)));
            }
        };
        let hash = alloy_primitives::U256::from_be_bytes(event.hash).into_limbs();
        store(f, topics, &mut |f, i| {
            f.i64(hash.get(i).copied().unwrap_or(0));
        });
        topics += 1;
        let mut rest = Vec::new();
        for (param, value) in event.params.iter().zip(held) {
            if !param.indexed {
                rest.push(value);
                continue;
            }
            let ty = &value.ty;
            value.locals.iter().for_each(|l| f.get(*l));
            if ty.is_value() {
                self.widen(f, ty);
            } else if ty.is_bytes() {
                f.call(self.rt("hash_keccak"));
            } else {
                self.topic_hash(f, ty);
            }
            let word = f.word();
            f.set_word(word);
            store(f, topics, &mut |f, i| {
                f.get(word.get(i).copied().unwrap_or(0));
            });
            f.done_word(word);
            topics += 1;
        }
        if rest.is_empty() {
            f.i32(TOPICS);
            f.i32(topics);
            f.i32(0);
            f.i32(0);
        } else {
            let (start, end) = self.encode(f, &rest, 0);
            f.i32(TOPICS);
            f.i32(topics);
            f.get(start);
            f.get(end);
            f.get(start);
            f.op(Instruction::I32Sub);
        }
        f.call(self.host("events", "emit"));
        f.get(heap);
        f.op(Instruction::GlobalSet(HEAP));
    }

    /// The locals that travel, as values: a reference to state travels as its slot.
    fn captured(frame: &Frame<'_>, ids: &[usize]) -> Vec<(usize, Held)> {
        ids.iter()
            .filter_map(|id| {
                let local = frame.function.locals.get(*id)?;
                let ty = if local.storage {
                    Type::Bytes32
                } else {
                    local.ty.clone()
                };
                let base = frame.locals.get(*id).copied()?;
                let mut types = Vec::new();
                value_types(&ty, &mut types);
                let locals = (0..types.len() as u32).map(|i| base + i).collect();
                Some((*id, Held { locals, ty }))
            })
            .collect()
    }

    fn gas_limit(
        &mut self,
        frame: &mut Frame<'_>,
        limit: &Expr,
        function: usize,
        captured: &[usize],
    ) {
        let Some(entry) = self
            .contract
            .entries
            .iter()
            .find(|e| e.function == function)
        else {
            return;
        };
        self.expr(frame, limit);
        let limit = super::codec::hold_top(&mut frame.f, &Type::UInt(64));
        let held: Vec<Held> = Self::captured(frame, captured)
            .into_iter()
            .map(|(_, h)| h)
            .collect();
        let types: Vec<Type> = held.iter().map(|h| h.ty.clone()).collect();
        let f = &mut frame.f;
        let block = self.encode_block(f, None, Some(entry.selector), &held);
        // Only we may run the block: it looks for the hash of its own input here.
        let word = f.hold_word();
        f.get(block);
        f.call(self.rt("hash_blake3"));
        f.set_word(word);
        limit_slot().push(f);
        f.get_word(word);
        f.call(self.host("storage", "store"));
        limit.locals.iter().for_each(|l| f.get(*l));
        f.get(block);
        f.call(self.rt("do_self_call"));
        let result = f.hold(ValType::I32);
        f.set(result);
        limit_slot().push(f);
        (0..4).for_each(|_| f.i64(0));
        f.call(self.host("storage", "store"));
        if types.is_empty() {
            return;
        }
        f.get(result);
        f.i32(u32::MAX);
        f.op(Instruction::I32Ne);
        f.if_();
        f.get(result);
        self.decode_block(f, &types);
        for held in held.iter().rev() {
            held.locals.iter().rev().for_each(|l| f.set(*l));
        }
        f.end();
    }

    /// The entry of a block under a gas limit: input and result are the captured locals.
    pub fn outlined(&mut self, function: &Function, captured: &[usize]) -> super::runtime::Body {
        let i32 = ValType::I32;
        let mut frame = Frame {
            function,
            locals: Vec::new(),
            loops: Vec::new(),
            pqc: Vec::new(),
            f: super::emit::Emit::new(
                format!("{}.{}", self.contract.name, function.name),
                vec![i32, i32],
                vec![i32],
            ),
        };
        frame.number_locals();
        let held: Vec<Held> = Self::captured(&frame, captured)
            .into_iter()
            .map(|(_, h)| h)
            .collect();
        let types: Vec<Type> = held.iter().map(|h| h.ty.clone()).collect();
        let f = &mut frame.f;
        f.get(0);
        f.get(1);
        f.call(self.rt("block_from"));
        f.call(self.rt("hash_blake3"));
        limit_slot().push(f);
        f.call(self.rt("sload"));
        f.call(self.rt("eq"));
        f.op(Instruction::I32Eqz);
        f.if_();
        f.call(self.rt("revert_empty"));
        f.end();
        limit_slot().push(f);
        (0..4).for_each(|_| f.i64(0));
        f.call(self.host("storage", "store"));
        let (base, end) = (f.hold(i32), f.hold(i32));
        f.get(0);
        f.get(1);
        f.op(Instruction::I32Add);
        f.set(end);
        f.get(0);
        f.add32(4);
        f.set(base);
        self.decode(f, base, end, &types);
        for held in held.iter().rev() {
            held.locals.iter().rev().for_each(|l| f.set(*l));
        }
        self.statements(&mut frame, &function.body);
        let (start, tail) = self.encode(&mut frame.f, &held, 0);
        self.finish_entry(&mut frame.f, start, tail);
        frame.f.finish()
    }
}
