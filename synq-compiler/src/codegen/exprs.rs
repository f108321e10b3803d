//! Expressions.

use wasm_encoder::{Instruction, ValType};

use super::codec::hold_top;
use super::emit::at;
use super::places::Loc;
use super::{Frame, Gen, push_constant, value_types};
use crate::ir::visit::{Visit, walk_expr};
use crate::ir::*;
use crate::syntax::ast::BinaryOp;

impl Gen<'_> {
    /// Pushes the value of an expression.
    pub fn expr(&mut self, frame: &mut Frame<'_>, e: &Expr) {
        let around = frame.f.at_source(e.span);
        self.expr_here(frame, e);
        frame.f.at_source(around);
    }

    fn expr_here(&mut self, frame: &mut Frame<'_>, e: &Expr) {
        match &e.kind {
            Kind::Error => {
                frame.f.op(Instruction::Unreachable);
                self.zero(&mut frame.f, &e.ty);
            }
            Kind::Const(value) => push_constant(&mut frame.f, value, &e.ty),
            Kind::Number(_, value) => {
                push_constant(
                    &mut frame.f,
                    &alloy_primitives::U256::saturating_from(*value),
                    &Type::U256,
                );
            }
            Kind::Literal(bytes) => {
                let at = self.literal(bytes);
                frame.f.i32(at);
            }
            Kind::Read(place) => {
                let loc = self.resolve(frame, place);
                self.read(&mut frame.f, loc, &place.ty);
            }
            Kind::Slot(place) => {
                if let Loc::Slot(slot) = self.resolve(frame, place) {
                    slot.push(&mut frame.f);
                }
            }
            Kind::Neg(inner, checked) => self.negate(frame, inner, *checked),
            Kind::Not(inner) => {
                self.expr(frame, inner);
                frame.f.op(Instruction::I32Eqz);
            }
            Kind::BitNot(inner) => {
                self.expr(frame, inner);
                let f = &mut frame.f;
                if e.ty.repr() == Repr::I64 {
                    f.i64(u64::MAX);
                    f.op(Instruction::I64Xor);
                    self.truncate(f, &e.ty);
                } else {
                    let word = f.word();
                    f.set_word(word);
                    for limb in word {
                        f.get(limb);
                        f.i64(u64::MAX);
                        f.op(Instruction::I64Xor);
                    }
                    f.done_word(word);
                    self.truncate(f, &e.ty);
                }
            }
            Kind::Arith(op, l, r, checked) => self.arith(frame, *op, l, r, *checked),
            Kind::Compare(op, l, r) => self.compare(frame, *op, l, r),
            Kind::And(l, r) => {
                self.expr(frame, l);
                frame.f.if_value(ValType::I32);
                self.expr(frame, r);
                frame.f.else_();
                frame.f.i32(0);
                frame.f.end();
            }
            Kind::Or(l, r) => {
                self.expr(frame, l);
                frame.f.if_value(ValType::I32);
                frame.f.i32(1);
                frame.f.else_();
                self.expr(frame, r);
                frame.f.end();
            }
            Kind::Convert(inner) => self.convert(frame, inner, &e.ty),
            Kind::Copy(inner) => {
                self.expr(frame, inner);
                self.copy_value(&mut frame.f, &e.ty);
            }
            Kind::Ternary(c, a, b) => self.ternary(frame, c, a, b, &e.ty),
            Kind::Call(number, args) => {
                for arg in args {
                    self.expr(frame, arg);
                }
                let id = self.function_id(*number);
                frame.f.call(id);
            }
            Kind::Builtin(builtin, args) => self.builtin(frame, *builtin, args),
            Kind::Aggregate(values) => self.aggregate(frame, values, &e.ty),
            Kind::New(length) => {
                let element = match &e.ty {
                    Type::List(element) => self.world.size(element),
                    _ => 1,
                };
                self.expr(frame, length);
                frame.f.call(self.rt("index"));
                frame.f.i32(element);
                // A block has up to 2^26 elements.
                let large = element >= 64;
                frame
                    .f
                    .call(self.rt(if large { "new_large" } else { "new_block" }));
            }
            Kind::Assign(place, op, value) => self.assign(frame, place, *op, value),
            Kind::Increment(place, decrement, prefix, checked) => {
                self.increment(frame, place, *decrement, *checked, Some(*prefix));
            }
            Kind::Tuple(parts) => parts.iter().for_each(|part| self.expr(frame, part)),
            Kind::Encode {
                selector,
                packed,
                args,
            } => {
                let selector = selector.as_ref().map(|s| {
                    self.expr(frame, s);
                    hold_top(&mut frame.f, &s.ty)
                });
                let held = self.hold(frame, args);
                let block = if *packed {
                    self.encode_packed(&mut frame.f, &held)
                } else {
                    self.encode_block(&mut frame.f, selector.as_ref(), None, &held)
                };
                frame.f.get(block);
            }
            Kind::Decode(data) => {
                self.expr(frame, data);
                let types = match &e.ty {
                    Type::Tuple(types) => types.clone(),
                    one => vec![one.clone()],
                };
                self.decode_block(&mut frame.f, &types);
            }
            Kind::External { .. } => self.external(frame, e),
            Kind::Extension {
                name,
                args,
                returns,
                ..
            } => {
                let held = self.hold(frame, args);
                let block = self.encode_block(&mut frame.f, None, None, &held);
                let name = self.literal(name.as_bytes());
                frame.f.i32(name);
                frame.f.get(block);
                frame.f.call(self.rt("do_invoke"));
                if returns.is_empty() {
                    frame.f.op(Instruction::Drop);
                } else {
                    self.decode_block(&mut frame.f, returns);
                }
            }
            Kind::Infer(model, args) => self.infer(frame, *model, args),
            Kind::Length(place) => {
                let loc = self.resolve(frame, place);
                match loc {
                    Loc::Slot(slot) if matches!(place.ty, Type::List(_)) => {
                        slot.push(&mut frame.f);
                        frame.f.call(self.rt("sload"));
                    }
                    loc => {
                        self.read(&mut frame.f, loc, &place.ty);
                        frame.f.op(Instruction::I64Load32U(at(0)));
                        (0..3).for_each(|_| frame.f.i64(0));
                    }
                }
            }
            Kind::Push(place, value) => self.push(frame, place, value.as_deref()),
            Kind::Pop(place) => self.pop(frame, place),
            Kind::IsNull(place) => {
                if let Loc::Slot(slot) = self.resolve(frame, place) {
                    self.is_null(&mut frame.f, slot, &place.ty);
                }
            }
        }
    }

    fn negate(&mut self, frame: &mut Frame<'_>, inner: &Expr, checked: bool) {
        let ty = &inner.ty;
        if ty.repr() == Repr::I64 {
            frame.f.i64(0);
            self.expr(frame, inner);
            self.combine(&mut frame.f, BinaryOp::Sub, ty, checked);
            return;
        }
        self.expr(frame, inner);
        frame
            .f
            .call(self.rt(if checked { "neg" } else { "neg_wrap" }));
        if *ty == Type::Int(128) {
            if checked {
                frame.f.call(self.rt("check128s"));
            } else {
                self.truncate(&mut frame.f, ty);
            }
        }
    }

    fn ternary(&mut self, frame: &mut Frame<'_>, c: &Expr, a: &Expr, b: &Expr, ty: &Type) {
        let mut types = Vec::new();
        value_types(ty, &mut types);
        self.expr(frame, c);
        if let [one] = types.as_slice() {
            frame.f.if_value(*one);
            self.expr(frame, a);
            frame.f.else_();
            self.expr(frame, b);
            frame.f.end();
            return;
        }
        let locals: Vec<u32> = types.iter().map(|t| frame.f.hold(*t)).collect();
        frame.f.if_();
        self.expr(frame, a);
        locals.iter().rev().for_each(|l| frame.f.set(*l));
        frame.f.else_();
        self.expr(frame, b);
        locals.iter().rev().for_each(|l| frame.f.set(*l));
        frame.f.end();
        locals.iter().for_each(|l| frame.f.get(*l));
    }

    fn aggregate(&mut self, frame: &mut Frame<'_>, values: &[Expr], ty: &Type) {
        let pointer = frame.f.hold(ValType::I32);
        let held = self.hold(frame, values);
        let mut offset = match ty {
            Type::List(element) => {
                frame.f.i64(values.len() as u64);
                frame.f.i32(self.world.size(element));
                frame.f.call(self.rt("new_block"));
                8
            }
            _ => {
                frame.f.i32(self.world.size(ty));
                frame.f.call(self.rt("alloc"));
                0
            }
        };
        frame.f.set(pointer);
        for value in &held {
            self.store_memory(&mut frame.f, pointer, offset, &value.ty, &value.locals);
            offset += self.world.size(&value.ty);
        }
        frame.f.get(pointer);
    }

    /// Tells whether computing a value can neither fail nor change anything.
    fn plain(e: &Expr) -> bool {
        match &e.kind {
            Kind::Const(_) | Kind::Literal(_) => true,
            Kind::Read(place) => matches!(place.kind, PlaceKind::Local(_)) && !place.storage,
            _ => false,
        }
    }

    fn assign(
        &mut self,
        frame: &mut Frame<'_>,
        place: &Place,
        op: Option<(BinaryOp, bool)>,
        value: &Expr,
    ) {
        let simple = matches!(place.kind, PlaceKind::Local(_) | PlaceKind::State(_));
        let Some((op, checked)) = op else {
            if simple && !(place.storage && matches!(place.kind, PlaceKind::Local(_))) {
                self.expr(frame, value);
                // A value that replaces the parts of a local in place would alias them.
                if let (PlaceKind::Local(id), false) = (&place.kind, place.storage) {
                    frame.set_local(*id);
                } else {
                    let loc = self.resolve(frame, place);
                    self.write(&mut frame.f, loc, &place.ty);
                }
                return;
            }
            // The value first, then the place, as Solidity does.
            let held = if Self::plain(value) && !moves(value, place) {
                None
            } else {
                self.expr(frame, value);
                Some(hold_top(&mut frame.f, &value.ty))
            };
            let loc = self.resolve(frame, place);
            match held {
                Some(held) => held.locals.iter().for_each(|l| frame.f.get(*l)),
                None => self.expr(frame, value),
            }
            self.write(&mut frame.f, loc, &place.ty);
            return;
        };
        let held = if Self::plain(value) && !moves(value, place) {
            None
        } else {
            self.operand(frame, op, value);
            let ty = match op {
                BinaryOp::Shl | BinaryOp::Shr => Type::UInt(64),
                BinaryOp::Pow => Type::U256,
                _ => value.ty.clone(),
            };
            Some(hold_top(&mut frame.f, &ty))
        };
        let loc = self.resolve(frame, place);
        self.read(&mut frame.f, loc, &place.ty);
        match held {
            Some(held) => held.locals.iter().for_each(|l| frame.f.get(*l)),
            None => self.operand(frame, op, value),
        }
        self.combine(&mut frame.f, op, &place.ty, checked);
        self.write(&mut frame.f, loc, &place.ty);
    }

    /// `result` tells whether the new (true) or old (false) value is wanted, if any.
    pub fn increment(
        &mut self,
        frame: &mut Frame<'_>,
        place: &Place,
        decrement: bool,
        checked: bool,
        result: Option<bool>,
    ) {
        let op = if decrement {
            BinaryOp::Sub
        } else {
            BinaryOp::Add
        };
        let ty = &place.ty;
        let loc = self.resolve(frame, place);
        self.read(&mut frame.f, loc, ty);
        let old = (result == Some(false)).then(|| {
            let held = hold_top(&mut frame.f, ty);
            held.locals.iter().for_each(|l| frame.f.get(*l));
            held
        });
        push_constant(&mut frame.f, &alloy_primitives::U256::from(1), ty);
        self.combine(&mut frame.f, op, ty, checked);
        let new = (result == Some(true)).then(|| {
            let held = hold_top(&mut frame.f, ty);
            held.locals.iter().for_each(|l| frame.f.get(*l));
            held
        });
        self.write(&mut frame.f, loc, ty);
        if let Some(held) = old.or(new) {
            held.locals.iter().for_each(|l| frame.f.get(*l));
        }
    }

    fn push(&mut self, frame: &mut Frame<'_>, place: &Place, value: Option<&Expr>) {
        // The place first, as the whole that a call is made on, unless it makes no difference.
        let simple = matches!(place.kind, PlaceKind::Local(_) | PlaceKind::State(_))
            || value.is_none_or(|v| Self::plain(v) && !moves(v, place));
        let found = (!simple).then(|| self.resolve(frame, place));
        let held = value.map(|v| {
            self.expr(frame, v);
            hold_top(&mut frame.f, &v.ty)
        });
        let element = match &place.ty {
            Type::List(e) => Type::clone(e),
            _ => Type::UInt(8),
        };
        let loc = found.unwrap_or_else(|| self.resolve(frame, place));
        let f = &mut frame.f;
        if let (Loc::Slot(slot), Type::List(_)) = (loc, &place.ty) {
            let length = f.hold(ValType::I64);
            slot.push(f);
            f.call(self.rt("sload"));
            (0..3).for_each(|_| f.op(Instruction::Drop));
            f.set(length);
            if let Some(held) = &held {
                let base = f.hold_word();
                slot.push(f);
                f.call(self.rt("array_slot"));
                f.set_word(base);
                f.get(length);
                let stride = self.world.slots(&element);
                if stride != 1 {
                    f.i64(stride);
                    f.op(Instruction::I64Mul);
                }
                f.get(base[0]);
                f.op(Instruction::I64Add);
                f.set(base[0]);
                held.locals.iter().for_each(|l| f.get(*l));
                self.write(f, Loc::Slot(super::places::Slot::word(base)), &element);
            }
            slot.push(f);
            f.get(length);
            f.i64(1);
            f.op(Instruction::I64Add);
            (0..3).for_each(|_| f.i64(0));
            f.call(self.host("storage", "store"));
            return;
        }
        // In memory, or bytes in state: a longer copy takes the old one's place.
        let (block, address) = (f.hold(ValType::I32), f.hold(ValType::I32));
        let size = self.world.size(&element);
        self.read(f, loc, &place.ty);
        f.i32(size);
        f.call(self.rt("grown"));
        f.tee(block);
        f.get(block);
        f.op(Instruction::I32Load(at(0)));
        f.i32(1);
        f.op(Instruction::I32Sub);
        f.i32(size);
        f.op(Instruction::I32Mul);
        f.op(Instruction::I32Add);
        f.set(address);
        if let Some(held) = &held {
            self.store_memory(f, address, 8, &element, &held.locals);
        }
        f.get(block);
        self.write(f, loc, &place.ty);
    }

    fn pop(&mut self, frame: &mut Frame<'_>, place: &Place) {
        let Type::List(element) = &place.ty else {
            return;
        };
        let loc = self.resolve(frame, place);
        let f = &mut frame.f;
        let length = f.hold(ValType::I64);
        let block = f.hold(ValType::I32);
        match loc {
            Loc::Slot(slot) => {
                slot.push(f);
                f.call(self.rt("sload"));
                (0..3).for_each(|_| f.op(Instruction::Drop));
            }
            loc => {
                self.read(f, loc, &place.ty);
                f.tee(block);
                f.op(Instruction::I64Load32U(at(0)));
            }
        }
        f.tee(length);
        f.op(Instruction::I64Eqz);
        f.if_();
        f.i32(0x31);
        f.call(self.rt("panic"));
        f.end();
        f.get(length);
        f.i64(1);
        f.op(Instruction::I64Sub);
        f.set(length);
        match loc {
            Loc::Slot(slot) => {
                let base = f.hold_word();
                slot.push(f);
                f.call(self.rt("array_slot"));
                f.set_word(base);
                f.get(length);
                let stride = self.world.slots(element);
                if stride != 1 {
                    f.i64(stride);
                    f.op(Instruction::I64Mul);
                }
                f.get(base[0]);
                f.op(Instruction::I64Add);
                f.set(base[0]);
                self.clear(f, super::places::Slot::word(base), element);
                slot.push(f);
                f.get(length);
                (0..3).for_each(|_| f.i64(0));
                f.call(self.host("storage", "store"));
            }
            _ => {
                f.get(block);
                f.get(length);
                f.op(Instruction::I64Store32(at(0)));
            }
        }
    }
}

/// Tells whether finding a place may change a local that the value reads.
fn moves(value: &Expr, place: &Place) -> bool {
    struct Find(bool);
    impl Visit for Find {
        fn expr(&mut self, e: &mut Expr) {
            self.0 |= matches!(e.kind, Kind::Increment(..));
            walk_expr(self, e);
        }
    }
    let mut find = Find(false);
    if matches!(value.kind, Kind::Read(_)) {
        find.place(&mut place.clone());
    }
    find.0
}
