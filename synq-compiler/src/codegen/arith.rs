//! Arithmetic and comparisons.

use wasm_encoder::Instruction;

use super::convert::sign_extend;
use super::emit::Emit;
use super::{Frame, Gen};
use crate::ir::*;
use crate::syntax::ast::BinaryOp;

impl Gen<'_> {
    fn panic_if(&mut self, f: &mut Emit, code: u32) {
        f.if_();
        if code == 0x11 {
            f.call(self.rt("panic_overflow"));
        } else {
            f.i32(code);
            f.call(self.rt("panic"));
        }
        f.op(Instruction::Unreachable);
        f.end();
    }

    pub fn arith(
        &mut self,
        frame: &mut Frame<'_>,
        op: BinaryOp,
        l: &Expr,
        r: &Expr,
        checked: bool,
    ) {
        self.expr(frame, l);
        self.operand(frame, op, r);
        self.combine(&mut frame.f, op, &l.ty, checked);
    }

    /// Pushes the right side of an operator: shift distances as one limb, exponents as a word.
    pub fn operand(&mut self, frame: &mut Frame<'_>, op: BinaryOp, r: &Expr) {
        self.expr(frame, r);
        match op {
            BinaryOp::Shl | BinaryOp::Shr if r.ty.repr() == Repr::Word => {
                frame.f.call(self.rt("distance"));
            }
            BinaryOp::Pow => self.widen(&mut frame.f, &r.ty),
            _ => {}
        }
    }

    /// With both sides on the stack: the result.
    pub fn combine(&mut self, f: &mut Emit, op: BinaryOp, ty: &Type, checked: bool) {
        match ty.repr() {
            Repr::I32 => f.op(match op {
                BinaryOp::BitAnd => Instruction::I32And,
                BinaryOp::BitOr => Instruction::I32Or,
                _ => Instruction::I32Xor,
            }),
            Repr::I64 => self.combine_narrow(f, op, ty, checked),
            Repr::Word => self.combine_word(f, op, ty, checked),
        }
    }

    fn combine_word(&mut self, f: &mut Emit, op: BinaryOp, ty: &Type, checked: bool) {
        let signed = ty.is_signed();
        let bitwise = match op {
            BinaryOp::BitAnd => Some(Instruction::I64And),
            BinaryOp::BitOr => Some(Instruction::I64Or),
            BinaryOp::BitXor => Some(Instruction::I64Xor),
            _ => None,
        };
        if let Some(instruction) = bitwise {
            let (a, b) = (f.word(), f.word());
            f.set_word(b);
            f.set_word(a);
            for (x, y) in a.iter().zip(b) {
                f.get(*x);
                f.get(y);
                f.op(instruction.clone());
            }
            f.done_word(a);
            f.done_word(b);
            return;
        }
        let name = match (op, signed, checked) {
            (BinaryOp::Add, false, true) => "add",
            (BinaryOp::Add, true, true) => "sadd",
            (BinaryOp::Add, _, false) => "add_wrap",
            (BinaryOp::Sub, false, true) => "sub",
            (BinaryOp::Sub, true, true) => "ssub",
            (BinaryOp::Sub, _, false) => "sub_wrap",
            (BinaryOp::Mul, false, true) => "mul",
            (BinaryOp::Mul, true, true) => "smul",
            (BinaryOp::Mul, _, false) => "mul_wrap",
            (BinaryOp::Div, false, _) => "div",
            (BinaryOp::Div, true, true) => "sdiv",
            (BinaryOp::Div, true, false) => "sdiv_wrap",
            (BinaryOp::Rem, false, _) => "rem",
            (BinaryOp::Rem, true, _) => "srem",
            (BinaryOp::Pow, false, true) => "pow",
            (BinaryOp::Pow, true, true) => "spow",
            (BinaryOp::Pow, _, false) => "pow_wrap",
            (BinaryOp::Shl, _, _) => "shl",
            (_, true, _) => "sar",
            _ => "shr",
        };
        f.call(self.rt(name));
        if matches!(ty, Type::UInt(128) | Type::Int(128)) {
            let cut = !checked || op == BinaryOp::Shl;
            match op {
                BinaryOp::Shr | BinaryOp::Rem => {}
                BinaryOp::Div if !signed => {}
                _ if cut => self.truncate(f, ty),
                _ => f.call(self.rt(if signed { "check128s" } else { "check128" })),
            }
        }
    }

    fn combine_narrow(&mut self, f: &mut Emit, op: BinaryOp, ty: &Type, checked: bool) {
        let (signed, bits) = match ty {
            Type::Int(bits) => (true, *bits),
            Type::UInt(bits) => (false, *bits),
            _ => (false, 8),
        };
        match op {
            BinaryOp::BitAnd => f.op(Instruction::I64And),
            BinaryOp::BitOr => f.op(Instruction::I64Or),
            BinaryOp::BitXor => f.op(Instruction::I64Xor),
            BinaryOp::Shl | BinaryOp::Shr => {
                let n = f.t64();
                let value = f.t64();
                f.set(n);
                f.set(value);
                // Wasm takes the distance mod 64.
                if op == BinaryOp::Shr && signed {
                    f.get(value);
                    f.get(n);
                    f.i64(63);
                    f.get(n);
                    f.i64(63);
                    f.op(Instruction::I64LtU);
                    f.op(Instruction::Select);
                    f.op(Instruction::I64ShrS);
                } else {
                    f.get(value);
                    f.get(n);
                    f.op(if op == BinaryOp::Shl {
                        Instruction::I64Shl
                    } else {
                        Instruction::I64ShrU
                    });
                    f.i64(0);
                    f.get(n);
                    f.i64(64);
                    f.op(Instruction::I64LtU);
                    f.op(Instruction::Select);
                    self.truncate(f, ty);
                }
                f.done64(n);
                f.done64(value);
            }
            BinaryOp::Pow => {
                let word = f.word();
                f.set_word(word);
                self.widen(f, ty);
                f.get_word(word);
                f.done_word(word);
                f.call(self.rt(match (checked, signed) {
                    (false, _) => "pow_wrap",
                    (true, true) => "spow",
                    (true, false) => "pow",
                }));
                if checked {
                    let result = f.word();
                    f.set_word(result);
                    // Back from the narrow value it must be the same.
                    f.get(result[0]);
                    self.truncate(f, ty);
                    self.widen(f, ty);
                    f.get_word(result);
                    f.call(self.rt("eq"));
                    f.op(Instruction::I32Eqz);
                    self.panic_if(f, 0x11);
                    f.get(result[0]);
                    f.done_word(result);
                } else {
                    (0..3).for_each(|_| f.op(Instruction::Drop));
                    self.truncate(f, ty);
                }
            }
            BinaryOp::Div | BinaryOp::Rem => {
                let (a, b) = (f.t64(), f.t64());
                f.set(b);
                f.set(a);
                f.get(b);
                f.op(Instruction::I64Eqz);
                self.panic_if(f, 0x12);
                if signed && op == BinaryOp::Div {
                    // The one quotient that is out of range.
                    f.get(a);
                    f.i64((i64::MIN >> (64 - bits)) as u64);
                    f.op(Instruction::I64Eq);
                    f.get(b);
                    f.i64(u64::MAX);
                    f.op(Instruction::I64Eq);
                    f.op(Instruction::I32And);
                    if checked {
                        self.panic_if(f, 0x11);
                    } else {
                        // Wraps to itself: divide by one instead.
                        f.if_();
                        f.i64(1);
                        f.set(b);
                        f.end();
                    }
                }
                f.get(a);
                f.get(b);
                f.op(match (op, signed) {
                    (BinaryOp::Div, true) => Instruction::I64DivS,
                    (BinaryOp::Div, false) => Instruction::I64DivU,
                    (_, true) => Instruction::I64RemS,
                    _ => Instruction::I64RemU,
                });
                f.done64(a);
                f.done64(b);
            }
            _ if !checked => {
                f.op(match op {
                    BinaryOp::Add => Instruction::I64Add,
                    BinaryOp::Sub => Instruction::I64Sub,
                    _ => Instruction::I64Mul,
                });
                self.truncate(f, ty);
            }
            BinaryOp::Mul if bits == 64 => {
                f.call(self.rt(if signed { "mul64s" } else { "mul64" }));
            }
            _ => {
                let (a, b, result) = (f.t64(), f.t64(), f.t64());
                f.set(b);
                f.tee(a);
                f.get(b);
                f.op(match op {
                    BinaryOp::Add => Instruction::I64Add,
                    BinaryOp::Sub => Instruction::I64Sub,
                    _ => Instruction::I64Mul,
                });
                f.tee(result);
                match (signed, bits) {
                    (true, 64) => {
                        // Overflow when the result's sign fits neither.
                        f.get(a);
                        f.op(Instruction::I64Xor);
                        if op == BinaryOp::Add {
                            f.get(result);
                        } else {
                            f.get(a);
                        }
                        f.get(b);
                        f.op(Instruction::I64Xor);
                        f.op(Instruction::I64And);
                        f.i64(0);
                        f.op(Instruction::I64LtS);
                    }
                    (true, bits) => {
                        f.get(result);
                        sign_extend(f, bits);
                        f.op(Instruction::I64Ne);
                    }
                    (false, 64) if op == BinaryOp::Add => {
                        f.get(b);
                        f.op(Instruction::I64LtU);
                    }
                    (false, _) if op == BinaryOp::Sub => {
                        f.op(Instruction::Drop);
                        f.get(a);
                        f.get(b);
                        f.op(Instruction::I64LtU);
                    }
                    (false, bits) => {
                        f.i64(u64::MAX >> (64 - bits));
                        f.op(Instruction::I64GtU);
                    }
                }
                self.panic_if(f, 0x11);
                f.get(result);
                f.done64(a);
                f.done64(b);
                f.done64(result);
            }
        }
    }

    /// With two values on the stack: whether the first is smaller.
    pub fn less(&mut self, f: &mut Emit, ty: &Type) {
        match ty.repr() {
            Repr::Word => f.call(self.rt(if ty.is_signed() { "slt" } else { "lt" })),
            Repr::I64 => f.op(if ty.is_signed() {
                Instruction::I64LtS
            } else {
                Instruction::I64LtU
            }),
            Repr::I32 => f.op(Instruction::I32LtU),
        }
    }

    pub fn compare(&mut self, frame: &mut Frame<'_>, op: BinaryOp, l: &Expr, r: &Expr) {
        let ty = &l.ty;
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            let zero = |e: &Expr| matches!(&e.kind, Kind::Const(c) if c.is_zero());
            if ty.repr() == Repr::Word && (zero(r) || zero(l)) {
                self.expr(frame, if zero(r) { l } else { r });
                (0..3).for_each(|_| frame.f.op(Instruction::I64Or));
                frame.f.op(Instruction::I64Eqz);
            } else {
                self.expr(frame, l);
                self.expr(frame, r);
                match ty.repr() {
                    _ if ty.is_bytes() => frame.f.call(self.rt("bytes_eq")),
                    Repr::Word => frame.f.call(self.rt("eq")),
                    Repr::I64 => frame.f.op(Instruction::I64Eq),
                    Repr::I32 => frame.f.op(Instruction::I32Eq),
                }
            }
            if op == BinaryOp::Ne {
                frame.f.op(Instruction::I32Eqz);
            }
            return;
        }
        if ty.repr() == Repr::I64 {
            self.expr(frame, l);
            self.expr(frame, r);
            frame.f.op(match (op, ty.is_signed()) {
                (BinaryOp::Lt, true) => Instruction::I64LtS,
                (BinaryOp::Lt, false) => Instruction::I64LtU,
                (BinaryOp::Le, true) => Instruction::I64LeS,
                (BinaryOp::Le, false) => Instruction::I64LeU,
                (BinaryOp::Gt, true) => Instruction::I64GtS,
                (BinaryOp::Gt, false) => Instruction::I64GtU,
                (_, true) => Instruction::I64GeS,
                _ => Instruction::I64GeU,
            });
            return;
        }
        // a > b is b < a; a <= b is its opposite.
        if matches!(op, BinaryOp::Gt | BinaryOp::Le) {
            let a = frame.f.word();
            self.expr(frame, l);
            frame.f.set_word(a);
            self.expr(frame, r);
            frame.f.get_word(a);
            frame.f.done_word(a);
        } else {
            self.expr(frame, l);
            self.expr(frame, r);
        }
        self.less(&mut frame.f, ty);
        if matches!(op, BinaryOp::Le | BinaryOp::Ge) {
            frame.f.op(Instruction::I32Eqz);
        }
    }
}
