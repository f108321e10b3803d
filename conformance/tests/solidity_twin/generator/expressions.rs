//! Expressions of each type.

use super::{MEMBERS, Maker, Ty, Var, WIDTHS, WORDS};

impl Maker {
    pub(super) fn literal(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Bool => (*self.r.pick(&["true", "false"])).into(),
            Ty::UInt(bits) => {
                let n = match self.r.below(8) {
                    0 => format!("2 ** {bits} - 1"),
                    1 => format!("2 ** {}", bits - 1),
                    2 => format!("2 ** {}", bits / 2),
                    _ => format!("{}", self.r.below(100)),
                };
                format!("UInt{bits}({n})")
            }
            Ty::Int(bits) => {
                let n = match self.r.below(8) {
                    0 => format!("2 ** {} - 1", bits - 1),
                    1 => format!("-2 ** {}", bits - 1),
                    2 => format!("-{}", 1 + self.r.below(100)),
                    _ => format!("{}", self.r.below(100)),
                };
                format!("Int{bits}({n})")
            }
            Ty::Address => format!("Address({})", self.r.below(5)),
            Ty::Bytes32 => format!("keccak256(\"{}\")", self.r.pick(&WORDS)),
            Ty::Bytes => match self.r.below(2) {
                0 => "Bytes(\"00ff10aa\")".into(),
                _ => format!("abi.encode({})", self.literal(&Ty::UInt(256))),
            },
            Ty::Text => format!("\"{}\"", self.r.pick(&WORDS)),
            Ty::Enum => format!("Mood.{}", self.r.pick(&MEMBERS)),
            Ty::Struct => {
                let fields = self.fields.clone();
                let list = fields
                    .iter()
                    .map(|(n, t)| format!("{n}: {}", self.literal(t)));
                let list: Vec<String> = list.collect();
                format!("Item({})", list.join(", "))
            }
            Ty::List(t) => {
                format!("new {}[]({})", t.name(), self.r.below(4))
            }
            Ty::Array(t, n) => {
                let t = t.clone();
                let list: Vec<String> = (0..*n).map(|_| self.literal(&t)).collect();
                format!("[{}]", list.join(", "))
            }
        }
    }

    /// Something to divide by that is seldom zero, and never a zero that a compiler sees.
    pub(super) fn divisor(&mut self, ty: &Ty, depth: usize) -> String {
        let one = format!("{}(1)", ty.name());
        match self.r.below(3) {
            0 => {
                let n = 1 + self.r.below(100);
                format!("{}({n})", ty.name())
            }
            1 => match self.variable(ty) {
                Some(text) => text,
                None => one,
            },
            _ => match self.variable(ty) {
                Some(text) => format!("({text} | {one})"),
                None => self.expr(ty, depth.saturating_sub(1)).replace("(0)", "(3)"),
            },
        }
    }

    pub(super) fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if depth == 0 || self.r.one_in(4) {
            return match self.r.one_in(4) {
                true => self.literal(ty),
                false => self.variable(ty).unwrap_or_else(|| self.literal(ty)),
            };
        }
        let d = depth - 1;
        if self.r.one_in(10) {
            let fit: Vec<_> = self
                .helpers
                .iter()
                .filter(|h| h.2 == *ty)
                .cloned()
                .collect();
            if !fit.is_empty() {
                let (name, params, _) = self.r.pick(&fit).clone();
                let list: Vec<String> = params.iter().map(|p| self.expr(p, d.min(1))).collect();
                return format!("{name}({})", list.join(", "));
            }
        }
        if self.r.one_in(10) {
            let (c, a, b) = (self.expr(&Ty::Bool, d), self.expr(ty, d), self.expr(ty, d));
            if !matches!(ty, Ty::List(_) | Ty::Array(..)) {
                return format!("({c} ? {a} : {b})");
            }
        }
        match ty {
            Ty::Bool => self.condition(d),
            Ty::UInt(_) | Ty::Int(_) => self.arithmetic(ty, d),
            Ty::Address => match self.r.below(3) {
                0 => "msg.sender".into(),
                1 => format!("Address({})", self.expr(&Ty::UInt(64), d)),
                _ => self.variable(ty).unwrap_or_else(|| "this".into()),
            },
            Ty::Bytes32 => match self.r.below(3) {
                0 => format!("Bytes32({})", self.expr(&Ty::UInt(256), d)),
                1 => format!("keccak256({})", self.expr(&Ty::Bytes, d)),
                _ => format!("sha256({})", self.expr(&Ty::Bytes, d)),
            },
            Ty::Bytes => {
                let types: Vec<Ty> = (0..1 + self.r.below(3)).map(|_| self.any_type()).collect();
                let flat = types
                    .iter()
                    .all(|t| t.is_value() || matches!(t, Ty::Bytes | Ty::Text));
                let list: Vec<String> = types.iter().map(|t| self.expr(t, d.min(1))).collect();
                match flat && self.r.one_in(2) {
                    true => format!("abi.encodePacked({})", list.join(", ")),
                    false => format!("abi.encode({})", list.join(", ")),
                }
            }
            Ty::Enum => match self.r.below(2) {
                0 => format!("Mood({} % 4)", self.expr(&Ty::UInt(8), d)),
                _ => self.variable(ty).unwrap_or_else(|| self.literal(ty)),
            },
            Ty::Struct => {
                let fields = self.fields.clone();
                let list = fields
                    .iter()
                    .map(|(n, t)| format!("{n}: {}", self.expr(t, d)));
                let list: Vec<String> = list.collect();
                format!("Item({})", list.join(", "))
            }
            Ty::Text | Ty::List(_) => self.variable(ty).unwrap_or_else(|| self.literal(ty)),
            Ty::Array(t, n) => {
                let t = t.clone();
                let list: Vec<String> = (0..*n).map(|_| self.expr(&t, d)).collect();
                format!("[{}]", list.join(", "))
            }
        }
    }

    pub(super) fn condition(&mut self, d: usize) -> String {
        match self.r.below(6) {
            0 => format!("!{}", self.wrapped(&Ty::Bool, d)),
            1 => {
                let op = *self.r.pick(&["&&", "||"]);
                format!(
                    "({} {op} {})",
                    self.expr(&Ty::Bool, d),
                    self.expr(&Ty::Bool, d)
                )
            }
            2 => {
                let ty = match self.r.below(4) {
                    0 => Ty::Text,
                    1 => Ty::Bytes,
                    _ => self.value_type(),
                };
                let op = *self.r.pick(&["==", "!="]);
                let (a, b) = (self.expr(&ty, d), self.expr(&ty, d));
                format!("({a} {op} {b})")
            }
            _ => {
                let ty = self.number();
                let op = *self.r.pick(&["<", "<=", ">", ">=", "==", "!="]);
                let (a, b) = (self.expr(&ty, d), self.expr(&ty, d));
                format!("({a} {op} {b})")
            }
        }
    }

    pub(super) fn wrapped(&mut self, ty: &Ty, d: usize) -> String {
        format!("({})", self.expr(ty, d))
    }

    pub(super) fn arithmetic(&mut self, ty: &Ty, d: usize) -> String {
        match self.r.below(12) {
            0..=3 => {
                let op = *self.r.pick(&["+", "-", "*", "+", "&", "|", "^"]);
                let (a, b) = (self.expr(ty, d), self.expr(ty, d));
                format!("({a} {op} {b})")
            }
            4 => {
                let op = *self.r.pick(&["/", "%"]);
                let a = self.expr(ty, d);
                format!("({a} {op} {})", self.divisor(ty, d))
            }
            5 => {
                let op = *self.r.pick(&["<<", ">>"]);
                let wide = *self.r.pick(&[8, 8, 64, 256]);
                let by = match self.r.one_in(2) {
                    true => format!("{}", self.r.below(70)),
                    false => self.expr(&Ty::UInt(wide), d),
                };
                format!("({} {op} {by})", self.expr(ty, d))
            }
            6 => {
                let power = self.r.below(4);
                format!("({} ** {power})", self.wrapped(ty, d))
            }
            7 => match ty {
                Ty::Int(_) => format!("-{}", self.wrapped(ty, d)),
                _ => format!("~{}", self.wrapped(ty, d)),
            },
            8 | 9 => {
                // A cast from another number: by way of the same sign, as Solidity has it.
                let Some(text) = self.cast(ty, d) else {
                    return self.expr(ty, d);
                };
                text
            }
            10 if *ty == Ty::UInt(256) => {
                let places = self.places();
                let lists = places
                    .into_iter()
                    .filter(|v| matches!(v.ty, Ty::List(_) | Ty::Bytes));
                let lists: Vec<Var> = lists.collect();
                match lists.is_empty() {
                    true => "block.timestamp".into(),
                    false => format!("{}.length", self.r.pick(&lists).text),
                }
            }
            10 if *ty == Ty::UInt(8) => format!("UInt8({})", self.expr(&Ty::Enum, d)),
            11 if *ty == Ty::UInt(256) => format!("UInt256({})", self.expr(&Ty::Bytes32, d)),
            _ => self.variable(ty).unwrap_or_else(|| self.literal(ty)),
        }
    }

    pub(super) fn cast(&mut self, ty: &Ty, d: usize) -> Option<String> {
        let bits = *self.r.pick(&WIDTHS);
        let (name, same, other) = match ty {
            Ty::UInt(own) => (ty.name(), Ty::UInt(bits), Ty::Int(*own)),
            Ty::Int(own) => (ty.name(), Ty::Int(bits), Ty::UInt(*own)),
            _ => return None,
        };
        let from = match self.r.one_in(2) {
            true => same,
            false => other,
        };
        Some(format!("{name}({})", self.expr(&from, d)))
    }
}
