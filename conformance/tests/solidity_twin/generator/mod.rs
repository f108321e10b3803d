//! Writes random SynQ programs: all widths of numbers, checked and unchecked arithmetic, casts,
//! mappings, arrays, structures, enumerations, texts, loops, early returns, internal calls.

mod expressions;
mod places;
mod statements;

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
}
