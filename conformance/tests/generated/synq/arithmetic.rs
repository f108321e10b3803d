//! Operators on integers, checked.

use std::fmt::Write;

use aivm_conformance::Source;
use aivm_conformance::outcome::Claim;
use alloy_primitives::{U256, U512};

use super::numbers::*;
use crate::abi::panic;
use crate::draft::*;

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
pub fn evaluate(ty: Int, name: &str, a: Number, b: Number) -> Result<Number, u64> {
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

const REASON: &str = "The generator computes with a sign and 512 bits, and checks the range of the type; shifts and bits are those of two's complement. Panics are Solidity's: 0x11 overflow, 0x12 division by zero.";

pub fn file() -> File {
    let mut file = super::file("arithmetic", REASON);
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
        super::share(&mut file, &synq, Source::new("A", source));
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
