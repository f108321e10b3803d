//! Operators on integers without checks, powers, and increments.

use std::fmt::Write;

use aivm_conformance::Source;
use aivm_conformance::outcome::Claim;
use alloy_primitives::U512;

use super::arithmetic::evaluate;
use super::numbers::*;
use crate::abi::panic;
use crate::draft::*;

const REASON: &str = "The generator computes with a sign and 512 bits; inside `unchecked` the lowest bits of the result are kept, elsewhere the range of the type is checked. A division by zero fails in both.";

/// The functions of the contract for a type, unchecked and then checked.
const FUNCTIONS: [(&str, &str); 5] = [
    ("add", "a + b"),
    ("sub", "a - b"),
    ("mul", "a * b"),
    ("div", "a / b"),
    ("rem", "a % b"),
];

pub fn file() -> File {
    let mut file = super::file("wrapping", REASON);
    for ty in TYPES {
        let (synq, abi) = (ty.synq(), ty.abi());
        super::share(&mut file, &synq, Source::new("W", source(ty)));
        let samples = ty.samples();
        for (name, text) in FUNCTIONS {
            let mut draft = Draft::new(
                format!("{synq} {text} unchecked"),
                format!("`{text}` on {synq} inside `unchecked` keeps the lowest bits."),
            )
            .put(&synq);
            for (i, a) in samples.iter().enumerate() {
                let b = samples[(i * 5 + 3) % samples.len()];
                let claim = match exact(name, *a, b) {
                    Some(n) => Claim::returns(ty.truncated(n.word()).word()),
                    None => reverts(panic(0x12)),
                };
                let signature = format!("{name}_({abi},{abi})");
                draft = draft.query(&synq, data(&signature, &[a.word(), b.word()]), claim);
            }
            file.push(draft);
        }
        file.push(powers(ty, &synq));
        file.push(steps(ty, &synq));
    }
    file
}

fn source(ty: Int) -> String {
    let synq = ty.synq();
    let mut source = String::from("pragma synq ^1.0.0;\ncontract W {\n");
    for (name, text) in FUNCTIONS {
        writeln!(
            source,
            "function {name}_({synq} a, {synq} b) public -> {synq} {{ unchecked {{ return {text}; }} }}"
        )
        .unwrap();
    }
    writeln!(
        source,
        "function pow_({synq} a, UInt8 b) public -> {synq} {{ return a ** b; }}
function up({synq} a) public -> {synq} {{ a++; return a; }}
function down({synq} a) public -> {synq} {{ a--; return a; }}
function wrapUp({synq} a) public -> {synq} {{ unchecked {{ a++; }} return a; }}
function wrapDown({synq} a) public -> {synq} {{ unchecked {{ --a; }} return a; }}"
    )
    .unwrap();
    if ty.0 {
        writeln!(
            source,
            "function wrapNeg({synq} a) public -> {synq} {{ unchecked {{ return -a; }} }}"
        )
        .unwrap();
    }
    source + "}"
}

/// The result before it is cut to a type; none for a division by zero.
fn exact(name: &str, a: Number, b: Number) -> Option<Number> {
    let product = || Number::new(a.negative != b.negative, a.size.wrapping_mul(b.size));
    match name {
        "add" => Some(a.add(b)),
        "sub" => Some(a.add(b.negate())),
        "mul" => Some(product()),
        _ if b.size.is_zero() => None,
        "div" => Some(Number::new(a.negative != b.negative, a.size / b.size)),
        _ => Some(Number::new(a.negative, a.size % b.size)),
    }
}

/// Powers by multiplying again and again.
fn powers(ty: Int, synq: &str) -> Draft {
    let mut draft = Draft::new(
        format!("{synq} **"),
        format!("`a ** b` on {synq} is exact or reverts; anything to the power of zero is one."),
    )
    .put(synq);
    let least: i64 = if ty.0 { -3 } else { 0 };
    for base in [least, 0, 1, 2, 3, 7, 10] {
        for exponent in [0u32, 1, 2, 5, 7, 8, 63, 64, 127, 255] {
            // Every third pair is enough.
            if (base + i64::from(exponent)).rem_euclid(3) != 0 {
                continue;
            }
            let base = Number::small(base);
            let mut power = Some(Number::small(1));
            for _ in 0..exponent {
                power = power.and_then(|power| {
                    let size = power.size.checked_mul(base.size)?;
                    let next = Number::new(power.negative != base.negative, size);
                    // Beyond 257 bits no type holds it, nor what follows.
                    (next.size >> 257 == U512::ZERO).then_some(next)
                });
            }
            let claim = match power.filter(|power| ty.holds(*power)) {
                Some(power) => Claim::returns(power.word()),
                None => reverts(panic(0x11)),
            };
            let words = [base.word(), Number::small(i64::from(exponent)).word()];
            draft = draft.query(
                synq,
                data(&format!("pow_({},uint8)", ty.abi()), &words),
                claim,
            );
        }
    }
    draft
}

/// Increments and decrements at both ends of a type.
fn steps(ty: Int, synq: &str) -> Draft {
    let mut draft = Draft::new(
        format!("{synq} ++ and --"),
        format!("`++` and `--` on {synq} are checked, and wrap inside `unchecked`."),
    )
    .put(synq);
    let one = Number::small(1);
    for a in [ty.least(), ty.greatest(), ty.least().add(one), one] {
        for (name, operator) in [("up", "add"), ("down", "sub")] {
            let checked = match evaluate(ty, operator, a, one) {
                Ok(n) => Claim::returns(n.word()),
                Err(code) => reverts(panic(code)),
            };
            let mut wraps = "wrap".to_owned();
            wraps += if name == "up" { "Up" } else { "Down" };
            let exact = exact(operator, a, one).expect("no division");
            let wrapped = Claim::returns(ty.truncated(exact.word()).word());
            for (name, claim) in [(name, checked), (&wraps, wrapped)] {
                let signature = format!("{name}({})", ty.abi());
                draft = draft.query(synq, data(&signature, &[a.word()]), claim);
            }
        }
        if ty.0 {
            let claim = Claim::returns(ty.truncated(a.negate().word()).word());
            let signature = format!("wrapNeg({})", ty.abi());
            draft = draft.query(synq, data(&signature, &[a.word()]), claim);
        }
    }
    draft
}
