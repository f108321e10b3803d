//! Comparisons of integers.

use std::fmt::Write;

use aivm_conformance::Source;
use aivm_conformance::outcome::Claim;

use super::numbers::*;
use crate::draft::*;

/// Whether a comparison holds.
type Holds = fn(std::cmp::Ordering) -> bool;

pub fn file() -> File {
    let mut file = super::file(
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
        super::share(&mut file, &synq, Source::new("C", source));
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
