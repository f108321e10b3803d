//! Instructions whose price grows with an operand: bytes, pages, elements.

use super::super::draft::*;
use super::{Body, bodies};

const SEGMENT: &str =
    "(data $d \"0123456789012345678901234567890123456789012345678901234567890123456789\")";
const TABLE: &str = "(table $t 100 200 funcref) (func $g) (elem $e func $g $g $g)";

/// `name` of so many pieces, with what stands before the functions, the body and what is paid.
fn body(name: &str, rule: String, before: &'static str, text: String, paid: String) -> Body {
    Body {
        name: name.to_owned(),
        rule,
        before,
        text,
        paid,
        ..Body::default()
    }
}

/// A segment that is dropped.
fn dropped(name: &str, before: &'static str, text: &str) -> Body {
    let rule = format!("{name} costs a reference.");
    body(name, rule, before, text.to_owned(), "1 reference".into())
}

pub fn file() -> File {
    let mut all = Vec::new();
    for pages in [0u64, 1, 2, 15] {
        all.push(body(
            "memory.grow",
            format!("memory.grow pays for each of the {pages} pages that it asks for."),
            "",
            format!("(drop (memory.grow (i32.const {pages})))"),
            format!("1 constant, 1 memory_grow, {pages} memory_page"),
        ));
    }
    for bytes in [0u64, 1, 63, 64, 65, 128, 129, 4_096] {
        let units = bytes.div_ceil(64);
        for (name, operands, before) in [
            ("memory.copy", "(i32.const 0) (i32.const 8192)", ""),
            ("memory.fill", "(i32.const 0) (i32.const 8192)", ""),
            ("memory.init", "$d (i32.const 0) (i32.const 0)", SEGMENT),
        ] {
            // The segment has no more.
            if name == "memory.init" && bytes > 65 {
                continue;
            }
            all.push(body(
                name,
                format!("{name} of {bytes} bytes pays for {units} times 64 bytes begun."),
                before,
                format!("({name} {operands} (i32.const {bytes}))"),
                format!("3 constant, 1 bulk, {units} bulk_per_64_bytes"),
            ));
        }
    }
    all.push(dropped("data.drop", SEGMENT, "(data.drop $d)"));
    for elements in [0u64, 1, 2, 3] {
        all.push(body(
            "table.init",
            format!("table.init pays for each of {elements} elements."),
            TABLE,
            format!("(table.init $t $e (i32.const 0) (i32.const 0) (i32.const {elements}))"),
            format!("3 constant, 1 table_bulk, {elements} table_element"),
        ));
    }
    all.push(dropped("elem.drop", TABLE, "(elem.drop $e)"));
    for elements in [0u64, 1, 7, 64, 100] {
        for (name, granted, text, operands) in [
            (
                "table.fill",
                "",
                format!("(table.fill $t (i32.const 0) (ref.null func) (i32.const {elements}))"),
                "2 constant, 1 reference",
            ),
            (
                "table.copy",
                "",
                format!("(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const {elements}))"),
                "3 constant",
            ),
            (
                "table.grow",
                ", granted or not",
                format!("(drop (table.grow $t (ref.null func) (i32.const {elements})))"),
                "1 constant, 1 reference",
            ),
        ] {
            all.push(body(
                name,
                format!("{name} pays for each of {elements} elements{granted}."),
                TABLE,
                text,
                format!("{operands}, 1 table_bulk, {elements} table_element"),
            ));
        }
    }
    bodies("dynamic", all)
}
