//! Writes random SynQ programs: all widths of numbers, checked and unchecked arithmetic, casts,
//! mappings, arrays, structures, enumerations, texts, loops, early returns, internal calls.

use std::fmt::Write as _;

use crate::random::Random;

#[derive(Clone, Debug, PartialEq)]
enum Ty {
    Bool,
    UInt(u32),
    Int(u32),
    Address,
    Bytes32,
    Bytes,
    Text,
    /// The program's own.
    Enum,
    /// The program's own.
    Struct,
    List(Box<Ty>),
    Array(Box<Ty>, usize),
}

impl Ty {
    fn name(&self) -> String {
        match self {
            Self::Bool => "Bool".into(),
            Self::UInt(bits) => format!("UInt{bits}"),
            Self::Int(bits) => format!("Int{bits}"),
            Self::Address => "Address".into(),
            Self::Bytes32 => "Bytes32".into(),
            Self::Bytes => "Bytes".into(),
            Self::Text => "String".into(),
            Self::Enum => "Mood".into(),
            Self::Struct => "Item".into(),
            Self::List(t) => format!("{}[]", t.name()),
            Self::Array(t, n) => format!("{}[{n}]", t.name()),
        }
    }

    fn is_value(&self) -> bool {
        matches!(
            self,
            Self::Bool | Self::UInt(_) | Self::Int(_) | Self::Address | Self::Bytes32 | Self::Enum
        )
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::UInt(_) | Self::Int(_))
    }
}

const WIDTHS: [u32; 6] = [8, 16, 32, 64, 128, 256];
const MEMBERS: [&str; 4] = ["Calm", "Glad", "Sad", "Wild"];
const WORDS: [&str; 5] = [
    "",
    "a",
    "synq",
    "a text that is longer than a single word",
    "url",
];

/// What a name stands for.
#[derive(Clone)]
struct Var {
    text: String,
    ty: Ty,
    /// May be assigned to.
    open: bool,
    state: bool,
}

struct Maker {
    r: Random,
    out: String,
    /// State variables, and mappings as (name, keys, value).
    state: Vec<Var>,
    maps: Vec<(String, Vec<Ty>, Ty)>,
    fields: Vec<(String, Ty)>,
    /// Internal functions: name, parameters, result.
    helpers: Vec<(String, Vec<Ty>, Ty)>,
    events: Vec<Vec<Ty>>,
    error: Vec<Ty>,
    locals: Vec<Var>,
    names: usize,
    depth: usize,
    /// Statements left in this function.
    budget: usize,
    loops: usize,
    results: Vec<Ty>,
}

/// The text of a program with one contract.
pub fn program(name: &str, r: Random) -> String {
    let mut m = Maker {
        r,
        out: String::new(),
        state: Vec::new(),
        maps: Vec::new(),
        fields: Vec::new(),
        helpers: Vec::new(),
        events: Vec::new(),
        error: Vec::new(),
        locals: Vec::new(),
        names: 0,
        depth: 0,
        budget: 0,
        loops: 0,
        results: Vec::new(),
    };
    m.contract(name);
    m.out
}

impl Maker {
    fn number(&mut self) -> Ty {
        // Half of all numbers are words, as in real programs.
        let bits = match self.r.one_in(2) {
            true => 256,
            false => *self.r.pick(&WIDTHS),
        };
        match self.r.one_in(3) {
            true => Ty::Int(bits),
            false => Ty::UInt(bits),
        }
    }

    fn value_type(&mut self) -> Ty {
        match self.r.below(10) {
            0 => Ty::Bool,
            1 => Ty::Address,
            2 => Ty::Bytes32,
            3 => Ty::Enum,
            _ => self.number(),
        }
    }

    fn any_type(&mut self) -> Ty {
        match self.r.below(12) {
            0 => Ty::Bytes,
            1 => Ty::Text,
            2 => Ty::List(Box::new(self.value_type())),
            3 => Ty::Array(Box::new(self.value_type()), 1 + self.r.below(4)),
            4 => Ty::Struct,
            _ => self.value_type(),
        }
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn line(&mut self, text: &str) {
        let pad = "    ".repeat(self.depth);
        let _ = writeln!(self.out, "{pad}{text}");
    }

    fn contract(&mut self, name: &str) {
        self.line("pragma synq ^1.0.0;");
        self.line(&format!("contract {name} {{"));
        self.depth = 1;
        let members = MEMBERS.join(", ");
        self.line(&format!("enum Mood {{ {members} }}"));
        for i in 0..2 + self.r.below(3) {
            let ty = match self.r.below(6) {
                0 => Ty::Text,
                1 => Ty::List(Box::new(self.value_type())),
                2 => Ty::Array(Box::new(self.value_type()), 2),
                _ => self.value_type(),
            };
            self.fields.push((format!("f{i}"), ty));
        }
        let list = self
            .fields
            .iter()
            .map(|(n, t)| format!("{n}: {};", t.name()));
        let list: Vec<String> = list.collect();
        self.line(&format!("struct Item {{ {} }}", list.join(" ")));
        for i in 0..4 + self.r.below(5) {
            let ty = match self.r.below(8) {
                0 => Ty::List(Box::new(Ty::Struct)),
                1 => Ty::List(Box::new(Ty::List(Box::new(self.value_type())))),
                _ => self.any_type(),
            };
            let name = format!("s{i}");
            let public = match ty {
                Ty::Struct => "",
                _ if self.r.one_in(2) => " public",
                _ => "",
            };
            self.line(&format!("{name}: {}{public};", ty.name()));
            self.state.push(Var {
                text: name,
                ty,
                open: true,
                state: true,
            });
        }
        for i in 0..1 + self.r.below(3) {
            let mut keys = vec![self.key_type()];
            if self.r.one_in(3) {
                keys.push(self.key_type());
            }
            let value = self.any_type();
            let name = format!("m{i}");
            let ty = keys
                .iter()
                .rev()
                .fold(value.name(), |v, k| format!("mapping({} => {v})", k.name()));
            self.line(&format!("{name}: {ty};"));
            self.maps.push((name, keys, value));
        }
        for i in 0..2 {
            let types: Vec<Ty> = (0..1 + self.r.below(4)).map(|_| self.any_type()).collect();
            let mut indexed = 0;
            let list = types.iter().enumerate().map(|(n, t)| {
                let word = match indexed < 3 && self.r.one_in(3) {
                    true => {
                        indexed += 1;
                        " indexed"
                    }
                    false => "",
                };
                format!("p{n}: {}{word}", t.name())
            });
            let list: Vec<String> = list.collect();
            self.line(&format!("event E{i}({})", list.join(", ")));
            self.events.push(types);
        }
        self.error = (0..self.r.below(3)).map(|_| self.any_type()).collect();
        let list = self
            .error
            .iter()
            .enumerate()
            .map(|(n, t)| format!("p{n}: {}", t.name()));
        let list: Vec<String> = list.collect();
        self.line(&format!("error Odd({});", list.join(", ")));
        for i in 0..1 + self.r.below(3) {
            let params: Vec<Ty> = (0..self.r.below(3)).map(|_| self.any_type()).collect();
            let result = self.any_type();
            let name = format!("h{i}");
            self.function(&name, &params, vec![result.clone()], false);
            // Known behind its own text alone, so that no call comes back.
            self.helpers.push((name, params, result));
        }
        for i in 0..4 + self.r.below(3) {
            let params: Vec<Ty> = (0..self.r.below(4)).map(|_| self.any_type()).collect();
            let results = (0..self.r.below(3)).map(|_| self.any_type()).collect();
            self.function(&format!("f{i}"), &params, results, true);
        }
        self.depth = 0;
        self.line("}");
    }

    fn key_type(&mut self) -> Ty {
        match self.r.below(6) {
            0 => Ty::Text,
            1 => Ty::Bytes,
            _ => self.value_type(),
        }
    }

    fn function(&mut self, name: &str, params: &[Ty], results: Vec<Ty>, public: bool) {
        self.locals.clear();
        let mut list = Vec::new();
        for (i, ty) in params.iter().enumerate() {
            list.push(format!("a{i}: {}", ty.name()));
            self.locals.push(Var {
                text: format!("a{i}"),
                ty: ty.clone(),
                open: true,
                state: false,
            });
        }
        let types: Vec<String> = results.iter().map(Ty::name).collect();
        let arrow = match types.as_slice() {
            [] => String::new(),
            [one] => format!(" -> {one}"),
            many => format!(" -> ({})", many.join(", ")),
        };
        let word = if public { "@public " } else { "" };
        self.line(&format!(
            "{word}function {name}({}){arrow} {{",
            list.join(", ")
        ));
        self.depth += 1;
        self.budget = 9;
        self.results = results;
        let count = 2 + self.r.below(5);
        self.statements(count);
        self.give_back();
        self.depth -= 1;
        self.line("}");
    }

    fn give_back(&mut self) {
        let results = self.results.clone();
        let values: Vec<String> = results.iter().map(|t| self.expr(t, 2)).collect();
        match values.as_slice() {
            [] => {}
            [one] => self.line(&format!("return {one};")),
            many => self.line(&format!("return ({});", many.join(", "))),
        }
    }

    fn statements(&mut self, count: usize) {
        let known = self.locals.len();
        for _ in 0..count {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            self.statement();
        }
        self.locals.truncate(known);
    }

    fn block(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        let count = 1 + self.r.below(3);
        self.statements(count);
        self.depth -= 1;
    }

    fn statement(&mut self) {
        match self.r.below(22) {
            0..=3 => self.declare(),
            4..=9 => self.assign(),
            10 | 11 => {
                let condition = self.expr(&Ty::Bool, 2);
                self.block(&format!("if ({condition})"));
                if self.r.one_in(2) {
                    self.block("} else");
                }
                self.line("}");
            }
            12 | 13 if self.loops < 2 => self.looped(),
            14 => {
                let condition = self.expr(&Ty::Bool, 2);
                // Most must pass.
                let safe = format!("{condition} || {}", self.expr(&Ty::Bool, 1));
                match self.r.below(4) {
                    0 if self.error.is_empty() => {
                        self.line(&format!("if (!({safe})) revert Odd();"));
                    }
                    0 => {
                        let types = self.error.clone();
                        let list: Vec<String> = types.iter().map(|t| self.expr(t, 1)).collect();
                        self.line(&format!("if (!({safe})) revert Odd({});", list.join(", ")));
                    }
                    1 => self.line(&format!("require({safe}, \"it does not hold\");")),
                    _ => {}
                }
            }
            15 => {
                let event = self.r.below(self.events.len());
                let types = self.events[event].clone();
                let list: Vec<String> = types.iter().map(|t| self.expr(t, 2)).collect();
                self.line(&format!("emit E{event}({});", list.join(", ")));
            }
            16 | 17 => self.lists(),
            18 => {
                if let Some(place) = self.place(|_| true) {
                    self.line(&format!("delete {};", place.text));
                }
            }
            19 => {
                let known = self.locals.len();
                self.line("unchecked {");
                self.depth += 1;
                self.assign();
                self.assign();
                self.depth -= 1;
                self.line("}");
                self.locals.truncate(known);
            }
            20 if self.loops > 0 && self.r.one_in(2) => {
                let word = *self.r.pick(&["break", "continue"]);
                let condition = self.expr(&Ty::Bool, 1);
                self.line(&format!("if ({condition}) {word};"));
            }
            21 if self.r.one_in(2) => {
                let condition = self.expr(&Ty::Bool, 2);
                self.line(&format!("if ({condition}) {{"));
                self.depth += 1;
                match self.results.is_empty() {
                    true => self.line("return;"),
                    false => self.give_back(),
                }
                self.depth -= 1;
                self.line("}");
            }
            _ => self.assign(),
        }
    }

    fn declare(&mut self) {
        // A reference to a structure in state, now and then.
        if self.r.one_in(5) {
            let all: Vec<String> = self
                .maps
                .clone()
                .into_iter()
                .filter(|m| m.2 == Ty::Struct)
                .map(|(name, keys, _)| self.entry(&name, &keys))
                .collect();
            if !all.is_empty() {
                let place = self.r.pick(&all).clone();
                let name = self.fresh("r");
                self.line(&format!("Item storage {name} = {place};"));
                self.locals.push(Var {
                    text: name,
                    ty: Ty::Struct,
                    open: false,
                    state: true,
                });
                return;
            }
        }
        let ty = self.any_type();
        let value = self.expr(&ty, 3);
        let name = self.fresh("v");
        self.line(&format!("let {name}: {} = {value};", ty.name()));
        self.locals.push(Var {
            text: name,
            ty,
            open: true,
            state: false,
        });
    }

    /// An entry of a mapping; keys are simple, or they would lead to entries again.
    fn entry(&mut self, name: &str, keys: &[Ty]) -> String {
        let mut text = name.to_owned();
        for key in keys {
            let fits = |v: &&Var| v.ty == *key;
            let list: Vec<Var> = self.locals.iter().filter(fits).cloned().collect();
            let key = match list.is_empty() || self.r.one_in(3) {
                true => self.literal(key),
                false => self.r.pick(&list).text.clone(),
            };
            let _ = write!(text, "[{key}]");
        }
        text
    }

    /// Everything that has a place, one step inside aggregates too.
    fn places(&mut self) -> Vec<Var> {
        let mut list: Vec<Var> = self.locals.clone();
        list.extend(self.state.clone());
        for (name, keys, value) in self.maps.clone() {
            let text = self.entry(&name, &keys);
            list.push(Var {
                text,
                ty: value,
                open: true,
                state: true,
            });
        }
        let mut inner = Vec::new();
        for var in &list {
            match &var.ty {
                Ty::Struct => {
                    for (field, ty) in &self.fields {
                        inner.push(Var {
                            text: format!("{}.{field}", var.text),
                            ty: ty.clone(),
                            open: true,
                            state: var.state,
                        });
                    }
                }
                Ty::Array(element, n) => {
                    let at = self.r.below(*n);
                    inner.push(Var {
                        text: format!("{}[{at}]", var.text),
                        ty: Ty::clone(element),
                        open: true,
                        state: var.state,
                    });
                }
                Ty::List(element) => {
                    // Mostly inside.
                    let at = match self.r.one_in(12) {
                        true => format!("{}", self.r.below(3)),
                        false => format!("{}.length - 1", var.text),
                    };
                    inner.push(Var {
                        text: format!("{}[{at}]", var.text),
                        ty: Ty::clone(element),
                        open: true,
                        state: var.state,
                    });
                }
                _ => {}
            }
        }
        list.extend(inner);
        list
    }

    fn place(&mut self, fits: impl Fn(&Var) -> bool) -> Option<Var> {
        let list: Vec<Var> = self
            .places()
            .into_iter()
            .filter(|v| v.open && fits(v))
            .collect();
        match list.is_empty() {
            true => None,
            false => Some(self.r.pick(&list).clone()),
        }
    }

    fn assign(&mut self) {
        if self.r.one_in(3)
            && let Some(place) = self.place(|v| v.ty.is_number())
        {
            match self.r.below(4) {
                0 => {
                    let op = *self.r.pick(&["++", "--"]);
                    self.line(&format!("{}{op};", place.text));
                }
                _ => {
                    let op = *self
                        .r
                        .pick(&["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="]);
                    let value = match op {
                        "/=" | "%=" => self.divisor(&place.ty, 1),
                        _ => self.expr(&place.ty, 2),
                    };
                    self.line(&format!("{} {op} {value};", place.text));
                }
            }
            return;
        }
        let values_only = !self.r.one_in(3);
        if let Some(place) = self.place(|v| !values_only || v.ty.is_value()) {
            let value = self.expr(&place.ty, 3);
            self.line(&format!("{} = {value};", place.text));
        }
    }

    fn lists(&mut self) {
        let Some(place) = self.place(|v| matches!(v.ty, Ty::List(_)) && v.state) else {
            return self.assign();
        };
        let Ty::List(element) = &place.ty else { return };
        if self.r.one_in(3) {
            self.line(&format!("if ({0}.length > 1) {0}.pop();", place.text));
        } else if self.r.one_in(12) {
            self.line(&format!("{}.pop();", place.text));
        } else {
            let value = self.expr(element, 2);
            self.line(&format!("{}.push({value});", place.text));
        }
    }

    fn looped(&mut self) {
        self.loops += 1;
        let known = self.locals.len();
        let name = self.fresh("i");
        let end = 1 + self.r.below(5);
        let mut counter = Var {
            text: name.clone(),
            ty: Ty::UInt(256),
            open: false,
            state: false,
        };
        match self.r.below(4) {
            0 => {
                self.locals.push(counter);
                self.block(&format!("for ({name} in 0..{end})"));
            }
            1 => {
                let places = self.places();
                let lists = places.into_iter().filter(|v| match &v.ty {
                    Ty::List(t) | Ty::Array(t, _) => t.is_value(),
                    _ => false,
                });
                let lists: Vec<Var> = lists.collect();
                if lists.is_empty() {
                    self.loops -= 1;
                    return;
                }
                let list = self.r.pick(&lists).clone();
                if let Ty::List(t) | Ty::Array(t, _) = list.ty {
                    counter.ty = *t;
                }
                self.locals.push(counter);
                // The list may not grow for ever inside.
                self.block(&format!("for ({name} in {})", list.text));
            }
            2 => {
                counter.ty = Ty::UInt(64);
                self.locals.push(counter);
                self.block(&format!(
                    "for (UInt64 {name} = 0; {name} < {end}; {name}++)"
                ));
            }
            _ => {
                self.line(&format!("let {name}: UInt256 = 0;"));
                self.locals.push(counter);
                self.line(&format!("while ({name} < {end}) {{"));
                self.depth += 1;
                self.line(&format!("{name} += 1;"));
                let count = 1 + self.r.below(3);
                self.statements(count);
                self.depth -= 1;
            }
        }
        self.line("}");
        self.locals.truncate(known);
        self.loops -= 1;
    }

    fn literal(&mut self, ty: &Ty) -> String {
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
    fn divisor(&mut self, ty: &Ty, depth: usize) -> String {
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

    fn variable(&mut self, ty: &Ty) -> Option<String> {
        let list: Vec<Var> = self.places().into_iter().filter(|v| v.ty == *ty).collect();
        match list.is_empty() {
            true => None,
            false => Some(self.r.pick(&list).text.clone()),
        }
    }

    fn expr(&mut self, ty: &Ty, depth: usize) -> String {
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

    fn condition(&mut self, d: usize) -> String {
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

    fn wrapped(&mut self, ty: &Ty, d: usize) -> String {
        format!("({})", self.expr(ty, d))
    }

    fn arithmetic(&mut self, ty: &Ty, d: usize) -> String {
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

    fn cast(&mut self, ty: &Ty, d: usize) -> Option<String> {
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
