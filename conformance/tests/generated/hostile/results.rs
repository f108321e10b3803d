//! What exports return, and segments that do not fit.

use aivm::TrapCode;
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::guest::{call, guest, module};

/// What is wrong or at its edge, the body of `call`, and how it ends.
const RESULTS: &str = "
a pointer that is not aligned | (i32.const 1025) | bad-result
a pointer at the end | (i32.const 131064) | bad-result
the last place | (i32.const 131060) | return
the highest pointer | (i32.const -4) | bad-result
a tag of two | (i32.store8 (i32.const 64) (i32.const 2)) (i32.const 64) | bad-result
a tag of 255 | (i32.store8 (i32.const 64) (i32.const 255)) (i32.const 64) | bad-result
dirt beside the tag | (i32.store (i32.const 64) (i32.const 0xffffff00)) (i32.const 64) | return
data beyond the end | (i32.store (i32.const 68) (i32.const 131072)) (i32.store (i32.const 72) (i32.const 1)) (i32.const 64) | bad-result
no data at the end | (i32.store (i32.const 68) (i32.const 131072)) (i32.const 64) | return
no data beyond the end | (i32.store (i32.const 68) (i32.const 131073)) (i32.const 64) | bad-result
data of 4 GiB | (i32.store (i32.const 72) (i32.const -1)) (i32.const 64) | bad-result
a place and a length that wrap | (i32.store (i32.const 68) (i32.const -8)) (i32.store (i32.const 72) (i32.const 16)) (i32.const 64) | bad-result
all of memory | (i32.store (i32.const 72) (i32.const 131072)) (i32.const 64) | return
";

pub fn file() -> File {
    let mut file = File::new(
        "hostile",
        "results",
        "docs/host-interface.md: an export returns a pointer to a tag, a pointer and a length, aligned to four bytes and within memory.",
    );
    for [name, body, end] in rows(RESULTS) {
        file.push(
            Draft::new(name, "What an export returns is checked before it is read.")
                .install(guest(&[], &call(body)))
                .call("c", [], ends(end)),
        );
    }
    for (name, segment, code) in [
        (
            "a data segment beyond the end",
            "(data (i32.const 131072) \"x\")",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "a data segment that wraps",
            "(data (i32.const -1) \"xy\")",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "a data segment that fits before one that does not",
            "(data (i32.const 0) \"x\") (data (i32.const 131071) \"ab\")",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "a data segment that fits before one that wraps",
            "(data (i32.const 70000) \"x\") (data (i32.const -1) \"ab\")",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "an empty data segment beyond the end",
            "(data (i32.const 70000) \"x\") (data (i32.const 131073) \"\")",
            TrapCode::OutOfBoundsMemory,
        ),
        (
            "an element segment beyond the end",
            "(table 1 funcref) (func $f) (elem (i32.const 1) $f)",
            TrapCode::OutOfBoundsTable,
        ),
    ] {
        let claim = uses_up(900_000, code);
        file.push(
            Draft::new(
                name,
                "A segment that does not fit traps when an instance is made.",
            )
            .upload_bytes(module(guest(&[], segment)), Claim::accepted())
            .deploy_as("c", "code", limited(900_000), claim),
        );
    }
    file
}
