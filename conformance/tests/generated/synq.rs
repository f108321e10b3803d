//! The language's rules: arithmetic against big integers, and statements against their meaning.

use std::fmt::Write;

use aivm::Word;
use aivm_conformance::action::Message;
use aivm_conformance::outcome::Claim;
use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{I256, U256, U512};

use super::abi::{compiled, error, panic, selector};
use super::draft::*;

/// Whether a comparison holds.
type Holds = fn(std::cmp::Ordering) -> bool;
/// Name, rule, a function, and its calls with what each gives.
type Rule<'a> = (
    &'a str,
    &'a str,
    &'a str,
    &'a [(&'a str, Result<u64, Failure>)],
);

pub fn files() -> Vec<File> {
    vec![arithmetic(), comparisons(), casts(), statements()]
}

/// An integer type: whether it is signed, and its bits.
#[derive(Clone, Copy)]
struct Int(bool, u32);

const TYPES: [Int; 12] = [
    Int(false, 8),
    Int(false, 16),
    Int(false, 32),
    Int(false, 64),
    Int(false, 128),
    Int(false, 256),
    Int(true, 8),
    Int(true, 16),
    Int(true, 32),
    Int(true, 64),
    Int(true, 128),
    Int(true, 256),
];

/// A number that is too large for no type: a sign and a magnitude.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Number {
    negative: bool,
    size: U512,
}

impl Number {
    fn new(negative: bool, size: U512) -> Self {
        Self {
            negative: negative && !size.is_zero(),
            size,
        }
    }
    fn small(v: i64) -> Self {
        Self::new(v < 0, U512::from(v.unsigned_abs()))
    }
    fn add(self, other: Self) -> Self {
        if self.negative == other.negative {
            return Self::new(self.negative, self.size + other.size);
        }
        match self.size >= other.size {
            true => Self::new(self.negative, self.size - other.size),
            false => Self::new(other.negative, other.size - self.size),
        }
    }
    fn negate(self) -> Self {
        Self::new(!self.negative, self.size)
    }
    fn cmp(self, other: Self) -> std::cmp::Ordering {
        match (self.negative, other.negative) {
            (true, false) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
            (false, false) => self.size.cmp(&other.size),
            (true, true) => other.size.cmp(&self.size),
        }
    }
    /// The word that the ABI has for it.
    fn word(self) -> [u8; 32] {
        let low: U256 = self.size.wrapping_to();
        let value = if self.negative {
            U256::ZERO.wrapping_sub(low)
        } else {
            low
        };
        value.to_be_bytes()
    }
}

impl Int {
    fn synq(self) -> String {
        format!("{}{}", if self.0 { "Int" } else { "UInt" }, self.1)
    }
    fn abi(self) -> String {
        self.synq().to_lowercase()
    }
    fn greatest(self) -> Number {
        let bits = self.1 - u32::from(self.0);
        Number::new(false, (U512::from(1) << bits as usize) - U512::from(1))
    }
    fn least(self) -> Number {
        match self.0 {
            false => Number::small(0),
            true => Number::new(true, U512::from(1) << (self.1 - 1) as usize),
        }
    }
    fn holds(self, n: Number) -> bool {
        n.cmp(self.least()).is_ge() && n.cmp(self.greatest()).is_le()
    }
    /// Bits of a word as this type.
    fn truncated(self, word: [u8; 32]) -> Number {
        let value = U256::from_be_bytes(word);
        let mask = if self.1 == 256 {
            U256::MAX
        } else {
            (U256::from(1) << self.1 as usize) - U256::from(1)
        };
        let value = value & mask;
        let negative = self.0 && value.bit(self.1 as usize - 1);
        let wide = U512::from(value);
        match negative {
            false => Number::new(false, wide),
            true => Number::new(true, (U512::from(1) << self.1 as usize) - wide),
        }
    }
    fn samples(self) -> Vec<Number> {
        let one = Number::small(1);
        let mut all = vec![
            Number::small(0),
            one,
            Number::small(2),
            Number::small(7),
            self.greatest(),
            self.greatest().add(one.negate()),
        ];
        let half = Number::new(false, self.greatest().size >> 1);
        all.push(half);
        if self.0 {
            all.extend([
                Number::small(-1),
                Number::small(-2),
                Number::small(-7),
                self.least(),
                self.least().add(one),
            ]);
        } else {
            all.extend([half.add(one), Number::small(100)]);
        }
        all
    }
}

const OPERATORS: [(&str, &str); 10] = [
    ("add", "+"),
    ("sub", "-"),
    ("mul", "*"),
    ("div", "/"),
    ("rem", "%"),
    ("and", "&"),
    ("or", "|"),
    ("xor", "^"),
    ("shl", "<<"),
    ("shr", ">>"),
];

/// What an operator gives, or the code of its panic.
fn evaluate(ty: Int, name: &str, a: Number, b: Number) -> Result<Number, u64> {
    let bits = |f: fn(U256, U256) -> U256| {
        let value = f(U256::from_be_bytes(a.word()), U256::from_be_bytes(b.word()));
        Ok(ty.truncated(value.to_be_bytes()))
    };
    let checked = |n: Number| if ty.holds(n) { Ok(n) } else { Err(0x11) };
    match name {
        "add" => checked(a.add(b)),
        "sub" => checked(a.add(b.negate())),
        "mul" => checked(Number::new(
            a.negative != b.negative,
            a.size.wrapping_mul(b.size),
        )),
        "div" | "rem" if b.size.is_zero() => Err(0x12),
        "div" => checked(Number::new(a.negative != b.negative, a.size / b.size)),
        "rem" => Ok(Number::new(a.negative, a.size % b.size)),
        "and" => bits(|a, b| a & b),
        "or" => bits(|a, b| a | b),
        "xor" => bits(|a, b| a ^ b),
        "shl" => {
            let distance = b.size.to::<u64>() as usize;
            let value = if distance >= 256 {
                U256::ZERO
            } else {
                U256::from_be_bytes(a.word()) << distance
            };
            Ok(ty.truncated(value.to_be_bytes()))
        }
        _ => {
            // Towards minus infinity.
            let distance = b.size.to::<u64>().min(511) as usize;
            let quotient = a.size >> distance;
            let exact = (quotient << distance) == a.size;
            let size = if a.negative && !exact {
                quotient + U512::from(1)
            } else {
                quotient
            };
            Ok(Number::new(a.negative, size))
        }
    }
}

fn data(signature: &str, words: &[[u8; 32]]) -> Vec<u8> {
    [&selector(signature)[..], &words.concat()].concat()
}

const REASON: &str = "The generator computes with a sign and 512 bits, and checks the range of the type; shifts and bits are those of two's complement. Panics are Solidity's: 0x11 overflow, 0x12 division by zero.";

fn arithmetic() -> File {
    let mut file = File::new("synq", "arithmetic", REASON);
    for ty in TYPES {
        let (synq, abi) = (ty.synq(), ty.abi());
        let mut source = String::from("pragma synq ^1.0.0;\ncontract A {\n");
        for (name, symbol) in OPERATORS {
            let right = if symbol.len() == 2 { "UInt16" } else { &synq };
            writeln!(
                source,
                "function {name}_({synq} a, {right} b) public -> {synq} {{ return a {symbol} b; }}"
            )
            .unwrap();
        }
        if ty.0 {
            writeln!(
                source,
                "function neg_({synq} a) public -> {synq} {{ return -a; }}"
            )
            .unwrap();
        }
        writeln!(
            source,
            "function not_({synq} a) public -> {synq} {{ return ~a; }}"
        )
        .unwrap();
        source.push('}');
        file.share(&synq, compiled(&source));
        let samples = ty.samples();
        for (name, symbol) in OPERATORS {
            let shift = symbol.len() == 2;
            let right = if shift { "uint16" } else { &abi };
            let signature = format!("{name}_({abi},{right})");
            let distances: Vec<Number> =
                [0, 1, 7, i64::from(ty.1) - 1, i64::from(ty.1), 255, 256, 300]
                    .into_iter()
                    .map(Number::small)
                    .collect();
            let seconds = if shift { &distances } else { &samples };
            // Every pair once would be much; each first meets one or two seconds.
            let mut draft = Draft::new(
                format!("{synq} {symbol}"),
                format!("`a {symbol} b` on {synq} is exact or reverts."),
            )
            .put(&synq);
            for (i, a) in samples.iter().enumerate() {
                let both = ["add", "sub", "mul", "div", "rem"].contains(&name) || i % 2 == 0;
                for j in [i + 4, i].into_iter().take(1 + usize::from(both)) {
                    let b = seconds[j % seconds.len()];
                    let claim = match evaluate(ty, name, *a, b) {
                        Ok(n) => Claim::returns(n.word()),
                        Err(code) => reverts(panic(code)),
                    };
                    draft = draft.query(&synq, data(&signature, &[a.word(), b.word()]), claim);
                }
            }
            file.push(draft);
        }
        if ty.0 {
            let mut draft = Draft::new(
                format!("{synq} unary -"),
                "Negation of the least number overflows.",
            )
            .put(&synq);
            for a in &samples {
                let claim = match ty.holds(a.negate()) {
                    true => Claim::returns(a.negate().word()),
                    false => reverts(panic(0x11)),
                };
                draft = draft.query(&synq, data(&format!("neg_({abi})"), &[a.word()]), claim);
            }
            file.push(draft);
        }
        let mut draft =
            Draft::new(format!("{synq} ~"), "Every bit of the type is turned over.").put(&synq);
        for a in &samples {
            let value = !U256::from_be_bytes(a.word());
            let claim = Claim::returns(ty.truncated(value.to_be_bytes()).word());
            draft = draft.query(&synq, data(&format!("not_({abi})"), &[a.word()]), claim);
        }
        file.push(draft);
    }
    file
}

fn comparisons() -> File {
    let mut file = File::new(
        "synq",
        "comparisons",
        "The generator compares signs and magnitudes.",
    );
    for ty in TYPES {
        let (synq, abi) = (ty.synq(), ty.abi());
        let operators: [(&str, &str, Holds); 6] = [
            ("eq", "==", |o| o.is_eq()),
            ("ne", "!=", |o| o.is_ne()),
            ("lt", "<", |o| o.is_lt()),
            ("le", "<=", |o| o.is_le()),
            ("gt", ">", |o| o.is_gt()),
            ("ge", ">=", |o| o.is_ge()),
        ];
        let mut source = String::from("pragma synq ^1.0.0;\ncontract C {\n");
        for (name, symbol, _) in operators {
            writeln!(
                source,
                "function {name}_({synq} a, {synq} b) public -> Bool {{ return a {symbol} b; }}"
            )
            .unwrap();
        }
        source.push('}');
        file.share(&synq, compiled(&source));
        let samples = ty.samples();
        for (name, symbol, holds) in operators {
            let mut draft = Draft::new(
                format!("{synq} {symbol}"),
                format!("`a {symbol} b` on {synq} compares numbers, not bits."),
            )
            .put(&synq);
            for (i, a) in samples.iter().enumerate() {
                // With itself, or with another.
                let j = if i % 2 == 0 { i } else { i + 5 };
                let b = samples[j % samples.len()];
                let expected = Number::small(i64::from(holds(a.cmp(b))));
                draft = draft.query(
                    &synq,
                    data(&format!("{name}_({abi},{abi})"), &[a.word(), b.word()]),
                    Claim::returns(expected.word()),
                );
            }
            file.push(draft);
        }
    }
    file
}

fn casts() -> File {
    let mut file = File::new(
        "synq",
        "casts",
        "A cast to fewer bits keeps the lowest; one to the other sign keeps the bits; one to more bits keeps the number.",
    );
    for from in TYPES {
        let mut source = String::from("pragma synq ^1.0.0;\ncontract K {\n");
        let targets: Vec<Int> = TYPES
            .into_iter()
            .filter(|to| to.0 == from.0 || to.1 == from.1)
            .collect();
        for to in &targets {
            writeln!(
                source,
                "function to{}({} a) public -> {} {{ return {}(a); }}",
                to.synq(),
                from.synq(),
                to.synq(),
                to.synq()
            )
            .unwrap();
        }
        source.push('}');
        file.share(&from.synq(), compiled(&source));
        for to in targets {
            let mut draft = Draft::new(
                format!("{} to {}", from.synq(), to.synq()),
                "A cast never fails.",
            )
            .put(&from.synq());
            for a in from.samples() {
                let claim = Claim::returns(to.truncated(a.word()).word());
                draft = draft.query(
                    &from.synq(),
                    data(&format!("to{}({})", to.synq(), from.abi()), &[a.word()]),
                    claim,
                );
            }
            file.push(draft);
        }
    }
    file
}

fn n(v: u64) -> [u8; 32] {
    U256::from(v).to_be_bytes()
}

/// Functions of one contract with what they must give, called in order.
fn statements() -> File {
    let mut file = File::new(
        "synq",
        "statements",
        "Each expected value follows from the function's text and the language's documentation; no expression is larger than a reader can follow.",
    );
    let rules: &[Rule<'_>] = &[
        (
            "if and else",
            "The branch that the condition chooses runs.",
            "function f(UInt256 x) public -> UInt256 { if (x > 5) { return 1; } else if (x > 2) return 2; else { return 3; } }",
            &[
                ("f(uint256) 6", Ok(1)),
                ("f(uint256) 5", Ok(2)),
                ("f(uint256) 2", Ok(3)),
            ],
        ),
        (
            "while",
            "A while loop runs until its condition fails.",
            "function f(UInt256 x) public -> UInt256 { UInt256 s = 0; while (x > 0) { s += x; x -= 1; } return s; }",
            &[("f(uint256) 0", Ok(0)), ("f(uint256) 10", Ok(55))],
        ),
        (
            "for in C style",
            "A for loop has a start, a condition and a step.",
            "function f(UInt256 x) public -> UInt256 { UInt256 s = 0; for (UInt256 i = 0; i < x; i++) { if (i == 3) continue; if (i == 7) break; s += i; } return s; }",
            &[
                ("f(uint256) 3", Ok(3)),
                ("f(uint256) 5", Ok(7)),
                ("f(uint256) 100", Ok(18)),
            ],
        ),
        (
            "for over a range",
            "The upper bound is not reached.",
            "function f(UInt256 x) public -> UInt256 { UInt256 s = 0; for (i in 2..x) { s += i; } return s; }",
            &[
                ("f(uint256) 2", Ok(0)),
                ("f(uint256) 1", Ok(0)),
                ("f(uint256) 5", Ok(9)),
            ],
        ),
        (
            "for over an array",
            "The elements come in order.",
            "function f(UInt256[] a) public -> UInt256 { UInt256 s = 0; for (v in a) { s = s * 10 + v; } return s; }",
            &[
                ("f(uint256[]) 32 3 1 2 3", Ok(123)),
                ("f(uint256[]) 32 0", Ok(0)),
            ],
        ),
        (
            "the conditional operator",
            "Only the chosen side is evaluated.",
            "function f(UInt256 x) public -> UInt256 { return x == 0 ? 7 : 100 / x; }",
            &[("f(uint256) 0", Ok(7)), ("f(uint256) 5", Ok(20))],
        ),
        (
            "and",
            "The right side of && is evaluated only when the left holds.",
            "function f(UInt256 x) public -> UInt256 { if (x != 0 && 10 / x > 2) { return 1; } return 0; }",
            &[
                ("f(uint256) 0", Ok(0)),
                ("f(uint256) 3", Ok(1)),
                ("f(uint256) 5", Ok(0)),
            ],
        ),
        (
            "or",
            "The right side of || is evaluated only when the left does not hold.",
            "function f(UInt256 x) public -> UInt256 { if (x == 0 || 10 / x > 2) { return 1; } return 0; }",
            &[
                ("f(uint256) 0", Ok(1)),
                ("f(uint256) 3", Ok(1)),
                ("f(uint256) 5", Ok(0)),
            ],
        ),
        (
            "precedence",
            "Multiplication binds closer than addition, addition closer than comparison.",
            "function f(UInt256 x) public -> UInt256 { if (1 + x * 2 < 10 - 3) { return 2 + 3 * x - 1; } return (2 + 3) * x; }",
            &[("f(uint256) 2", Ok(7)), ("f(uint256) 3", Ok(15))],
        ),
        (
            "compound assignment",
            "a op= b is a = a op b, checked.",
            "function f(UInt8 x) public -> UInt256 { UInt8 y = x; y += 5; y -= 1; y *= 2; y /= 3; y %= 100; return UInt256(y); }",
            &[
                ("f(uint8) 0", Ok(2)),
                ("f(uint8) 10", Ok(9)),
                ("f(uint8) 124", Err(Failure::Panic(0x11))),
                ("f(uint8) 252", Err(Failure::Panic(0x11))),
            ],
        ),
        (
            "increments",
            "x++ and x-- are checked.",
            "function f(UInt8 x) public -> UInt8 { x++; return x; } function g(UInt8 x) public -> UInt8 { x--; return x; }",
            &[
                ("f(uint8) 254", Ok(255)),
                ("f(uint8) 255", Err(Failure::Panic(0x11))),
                ("g(uint8) 1", Ok(0)),
                ("g(uint8) 0", Err(Failure::Panic(0x11))),
            ],
        ),
        (
            "state variables",
            "What one call stores the next one reads.",
            "UInt256 public x = 5; function add(UInt256 y) public { x += y; }",
            &[
                ("x()", Ok(5)),
                ("add(uint256) 3", Ok(NONE)),
                ("x()", Ok(8)),
                ("add(uint256) 4", Ok(NONE)),
                ("x()", Ok(12)),
            ],
        ),
        (
            "mappings",
            "An entry that was never written is zero.",
            "mapping(UInt256 => UInt256) public m; function set(UInt256 k, UInt256 v) public { m[k] = v; } function del(UInt256 k) public { delete m[k]; }",
            &[
                ("m(uint256) 1", Ok(0)),
                ("set(uint256,uint256) 1 7", Ok(NONE)),
                ("m(uint256) 1", Ok(7)),
                ("m(uint256) 2", Ok(0)),
                ("del(uint256) 1", Ok(NONE)),
                ("m(uint256) 1", Ok(0)),
            ],
        ),
        (
            "mappings of mappings",
            "Keys of each level are apart.",
            "mapping(UInt256 => mapping(UInt256 => UInt256)) m; function set(UInt256 a, UInt256 b, UInt256 v) public { m[a][b] = v; } function get(UInt256 a, UInt256 b) public -> UInt256 { return m[a][b]; }",
            &[
                ("set(uint256,uint256,uint256) 1 2 9", Ok(NONE)),
                ("get(uint256,uint256) 1 2", Ok(9)),
                ("get(uint256,uint256) 2 1", Ok(0)),
            ],
        ),
        (
            "arrays in storage",
            "push, pop, length and index; outside is a panic.",
            "UInt256[] a; function push(UInt256 v) public { a.push(v); } function pop() public { a.pop(); } function at(UInt256 i) public -> UInt256 { return a[i]; } function len() public -> UInt256 { return a.length; } function put(UInt256 i, UInt256 v) public { a[i] = v; }",
            &[
                ("len()", Ok(0)),
                ("pop()", Err(Failure::Panic(0x31))),
                ("push(uint256) 5", Ok(NONE)),
                ("push(uint256) 6", Ok(NONE)),
                ("len()", Ok(2)),
                ("at(uint256) 1", Ok(6)),
                ("at(uint256) 2", Err(Failure::Panic(0x32))),
                ("put(uint256,uint256) 0 9", Ok(NONE)),
                ("at(uint256) 0", Ok(9)),
                ("put(uint256,uint256) 2 9", Err(Failure::Panic(0x32))),
                ("pop()", Ok(NONE)),
                ("len()", Ok(1)),
                ("at(uint256) 1", Err(Failure::Panic(0x32))),
            ],
        ),
        (
            "arrays in memory",
            "An index outside is a panic.",
            "function f(UInt256[3] a, UInt256 i) public -> UInt256 { return a[i]; } function g(UInt256[] a, UInt256 i) public -> UInt256 { return a[i]; }",
            &[
                ("f(uint256[3],uint256) 7 8 9 2", Ok(9)),
                ("f(uint256[3],uint256) 7 8 9 3", Err(Failure::Panic(0x32))),
                ("g(uint256[],uint256) 64 0 1 5", Ok(5)),
                ("g(uint256[],uint256) 64 1 1 5", Err(Failure::Panic(0x32))),
            ],
        ),
        (
            "structs in storage",
            "Fields are apart, and delete makes them zero.",
            "struct P { x: UInt256; y: UInt8; } P p; function set(UInt256 x, UInt8 y) public { p = P(x: x, y: y); } function x() public -> UInt256 { return p.x; } function y() public -> UInt8 { return p.y; } function clear() public { delete p; } function addy() public { p.y += 1; }",
            &[
                ("x()", Ok(0)),
                ("set(uint256,uint8) 5 255", Ok(NONE)),
                ("x()", Ok(5)),
                ("y()", Ok(255)),
                ("addy()", Err(Failure::Panic(0x11))),
                ("clear()", Ok(NONE)),
                ("x()", Ok(0)),
                ("y()", Ok(0)),
                ("addy()", Ok(NONE)),
                ("y()", Ok(1)),
                ("x()", Ok(0)),
            ],
        ),
        (
            "storage locals alias",
            "A storage local is the entry itself; another local is a copy.",
            "struct P { x: UInt256; } mapping(UInt256 => P) m; function alias() public -> UInt256 { P storage p = m[1]; p.x = 5; return m[1].x; } function copy() public -> UInt256 { P memory p = m[1]; p.x = 9; return m[1].x; }",
            &[("alias()", Ok(5)), ("copy()", Ok(5))],
        ),
        (
            "internal functions",
            "A function calls others, and itself.",
            "function fact(UInt256 x) internal -> UInt256 { if (x < 2) { return 1; } return x * fact(x - 1); } function f(UInt256 x) public -> UInt256 { return fact(x); }",
            &[
                ("f(uint256) 0", Ok(1)),
                ("f(uint256) 10", Ok(3_628_800)),
                ("f(uint256) 58", Err(Failure::Panic(0x11))),
            ],
        ),
        (
            "several results",
            "A tuple is taken apart in order.",
            "function two(UInt256 x) internal returns (UInt256, UInt256) { return (x, x + 1); } function f(UInt256 x) public -> UInt256 { let (a, b) = two(x); return a * 100 + b; }",
            &[("f(uint256) 7", Ok(708))],
        ),
        (
            "require",
            "A requirement that fails reverts with its message.",
            "function f(UInt256 x) public -> UInt256 { require(x > 3, \"too small\"); return x; }",
            &[
                ("f(uint256) 4", Ok(4)),
                ("f(uint256) 3", Err(Failure::Message("too small"))),
            ],
        ),
        (
            "a failed call keeps nothing",
            "A revert undoes what the call stored.",
            "UInt256 public x; function f(UInt256 y) public { x = y; require(y < 10, \"late\"); }",
            &[
                ("f(uint256) 5", Ok(NONE)),
                ("x()", Ok(5)),
                ("f(uint256) 11", Err(Failure::Message("late"))),
                ("x()", Ok(5)),
            ],
        ),
        (
            "enums",
            "An enum is its number; one that is too large is a panic.",
            "enum Colour { Red, Green, Blue } function f(UInt8 x) public -> UInt256 { Colour c = Colour(x); if (c == Colour.Blue) { return 100; } return UInt256(UInt8(c)); }",
            &[
                ("f(uint8) 0", Ok(0)),
                ("f(uint8) 1", Ok(1)),
                ("f(uint8) 2", Ok(100)),
                ("f(uint8) 3", Err(Failure::Panic(0x21))),
            ],
        ),
        (
            "constants",
            "Literals may have underscores and exponents.",
            "function f() public -> UInt256 { return 1_000 + 2e3 + 0x10; }",
            &[("f()", Ok(3_016))],
        ),
        (
            "message and block",
            "The caller's block and value are seen.",
            "function f() public -> UInt256 { return block.number * 1000 + block.chainid; } function t() public -> UInt256 { return block.timestamp; }",
            &[("f()", Ok(HEIGHT * 1000 + CHAIN)), ("t()", Ok(TIME))],
        ),
        (
            "strings",
            "A string's length is that of its bytes.",
            "function f(String s) public -> UInt256 { return s.length; }",
            &[(
                "f(string) 32 3 44272513896044530534886400632018943063614484483286318119014498073526398615552",
                Ok(3),
            )],
        ),
        (
            "fixed arrays in storage",
            "A fixed array has its length from the start.",
            "UInt8[4] a; function put(UInt256 i, UInt8 v) public { a[i] = v; } function at(UInt256 i) public -> UInt8 { return a[i]; }",
            &[
                ("at(uint256) 3", Ok(0)),
                ("at(uint256) 4", Err(Failure::Panic(0x32))),
                ("put(uint256,uint8) 3 7", Ok(NONE)),
                ("at(uint256) 3", Ok(7)),
                ("put(uint256,uint8) 4 7", Err(Failure::Panic(0x32))),
                ("at(uint256) 0", Ok(0)),
            ],
        ),
        (
            "boolean state",
            "A flag is stored and turned over.",
            "Bool public on; function flip() public { on = !on; }",
            &[
                ("on()", Ok(0)),
                ("flip()", Ok(NONE)),
                ("on()", Ok(1)),
                ("flip()", Ok(NONE)),
                ("on()", Ok(0)),
            ],
        ),
        (
            "shadowing by blocks",
            "A local ends with its block.",
            "function f(UInt256 x) public -> UInt256 { UInt256 s = 1; { UInt256 t = x; s += t; } { UInt256 t = x * 2; s += t; } return s; }",
            &[("f(uint256) 5", Ok(16))],
        ),
        (
            "nested loops",
            "break and continue belong to the innermost loop.",
            "function f(UInt256 x) public -> UInt256 { UInt256 s = 0; for (i in 0..x) { for (j in 0..x) { if (j > i) break; if (j == 1) continue; s += 1; } } return s; }",
            &[("f(uint256) 4", Ok(7))],
        ),
        (
            "powers of two by shifts",
            "Shifts and addition agree.",
            "function f(UInt256 x) public -> UInt256 { UInt256 s = 0; for (i in 0..x) { s += 1 << i; } return s; }",
            &[("f(uint256) 10", Ok(1023))],
        ),
        (
            "signed loops",
            "Signed numbers go below zero.",
            "function f(Int256 x) public -> UInt256 { Int256 s = 0; UInt256 n = 0; while (s > x) { s -= 3; n++; } return n; }",
            &[("f(int256) 0", Ok(0))],
        ),
    ];
    for (number, (name, rule, body, calls)) in rules.iter().enumerate() {
        let code = format!("s{number}");
        file.share(
            &code,
            compiled(&format!("pragma synq ^1.0.0;\ncontract S {{ {body} }}")),
        );
        let mut draft = Draft::new(*name, *rule).put(&code);
        for (call, expected) in *calls {
            let mut words = call.split(' ');
            let signature = words.next().unwrap();
            let words: Vec<[u8; 32]> = words
                .map(|w| w.parse::<U256>().unwrap().to_be_bytes())
                .collect();
            let claim = match expected {
                Ok(NONE) => Claim::returns([]),
                Ok(value) => Claim::returns(n(*value)),
                Err(Failure::Panic(code)) => reverts(panic(*code)),
                Err(Failure::Message(text)) => reverts(error(text)),
            };
            draft = draft.call(&code, data(signature, &words), claim);
        }
        file.push(draft.storage(&code));
    }
    others(&mut file);
    file
}

/// Stands for a function without a result.
const NONE: u64 = u64::MAX;

#[derive(Clone, Copy)]
enum Failure {
    Panic(u64),
    Message(&'static str),
}

/// What takes more than a number: value, callers, constructors, bytes.
fn others(file: &mut File) {
    file.share("payable", compiled("pragma synq ^1.0.0; contract P { UInt256 public got; function pay() public { got += msg.value; } function free() public -> UInt256 { return 1; } }"));
    let sent = |v: u64| Word::from(v);
    file.push(
        Draft::new(
            "value",
            "A function that reads msg.value takes value; any other reverts when it is sent.",
        )
        .put("payable")
        .send(
            "payable",
            Message::new(ALICE, data("pay()", &[])).with_value(sent(5)),
            Claim::returns([]),
        )
        .call("payable", data("got()", &[]), Claim::returns(n(5)))
        .send(
            "payable",
            Message::new(ALICE, data("free()", &[])).with_value(sent(1)),
            reverts([]),
        )
        .call("payable", data("free()", &[]), Claim::returns(n(1)))
        .balance("payable")
        .storage("payable"),
    );
    file.share("owned", compiled("pragma synq ^1.0.0; contract O { Address public owner; UInt256 public x; constructor(UInt256 y) { owner = msg.sender; x = y; } function set(UInt256 y) public { require(msg.sender == owner, \"not the owner\"); x = y; } }"));
    let alice = DynSolValue::Address(ALICE.0.into()).abi_encode();
    file.push(
        Draft::new(
            "a constructor and an owner",
            "The constructor runs once, with its arguments; msg.sender is who calls.",
        )
        .upload("owned")
        .deploy("owned", "owned", &n(7))
        .call("owned", data("owner()", &[]), Claim::returns(alice))
        .call("owned", data("x()", &[]), Claim::returns(n(7)))
        .send(
            "owned",
            Message::new(BOB, data("set(uint256)", &[n(8)])),
            reverts(error("not the owner")),
        )
        .call("owned", data("set(uint256)", &[n(9)]), Claim::returns([]))
        .call("owned", data("x()", &[]), Claim::returns(n(9)))
        .storage("owned"),
    );
    let minus = I256::MINUS_ONE.into_raw().to_be_bytes::<32>();
    file.share("signed", compiled("pragma synq ^1.0.0; contract G { Int8 public x; function set(Int8 y) public { x = y; } }"));
    file.push(
        Draft::new(
            "a negative number in storage",
            "A signed number comes back with its sign.",
        )
        .put("signed")
        .call("signed", data("set(int8)", &[minus]), Claim::returns([]))
        .call("signed", data("x()", &[]), Claim::returns(minus))
        .storage("signed"),
    );
}
