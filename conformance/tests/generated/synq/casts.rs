//! Conversions between integer types.

use std::fmt::Write;

use aivm_conformance::Source;
use aivm_conformance::outcome::Claim;

use super::numbers::*;
use crate::draft::*;

pub fn file() -> File {
    let mut file = super::file(
        "casts",
        "A cast to fewer bits keeps the lowest; one to the other sign keeps the bits; one to more bits keeps the number.",
    );
    for from in TYPES {
        let mut source = String::from("pragma synq ^1.0.0;\ncontract K {\n");
        let targets: Vec<Int> = TYPES
            .into_iter()
            .filter(|to| to.0 == from.0 || to.1 == from.1 || to.1 * from.1 == 2048)
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
        super::share(&mut file, &from.synq(), Source::new("K", source));
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
