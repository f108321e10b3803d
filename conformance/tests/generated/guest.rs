//! Contracts in the text format.

use std::fmt::Write;

use aivm_abi::IMPORTS;

/// The imports by their keys, such as `storage.load`, each under its key as a name, in which hyphens
/// stand for brackets.
pub fn imports(keys: &[&str]) -> String {
    let mut text = String::new();
    for key in keys {
        let import = IMPORTS.iter().find(|import| import.key == *key);
        let import = import.unwrap_or_else(|| panic!("no import {key}"));
        let types = |types: &[aivm_abi::CoreType]| {
            let names: Vec<String> = types.iter().map(ToString::to_string).collect();
            names.join(" ")
        };
        write!(
            text,
            "(import {:?} {:?} (func ${} (param {}) (result {}))) ",
            import.module,
            import.function,
            key.replace(['[', ']'], "-"),
            types(import.params),
            types(import.results)
        )
        .unwrap();
    }
    text
}

/// Where the first thing that the host hands to a [`guest`] lies: its input.
pub const HEAP: u32 = 8192;

/// A contract: imports, a memory of two pages, an allocator, `$result`, and `rest`. Exports that
/// `rest` leaves out return nothing.
pub fn guest(keys: &[&str], rest: &str) -> String {
    let mut text = format!("(module {}", imports(keys));
    text += r#"(memory (export "memory") 2)"#;
    if !rest.contains("cabi_realloc") {
        write!(
            text,
            r#"(global $heap (mut i32) (i32.const {HEAP}))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
              (local.set $at (i32.and
                (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get 2))))
              (global.set $heap (i32.add (local.get $at) (local.get 3)))
              (local.get $at))"#
        )
        .unwrap();
    }
    text += r#"(func $result (param $tag i32) (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 1024) (local.get $tag))
      (i32.store (i32.const 1028) (local.get $at))
      (i32.store (i32.const 1032) (local.get $length))
      (i32.const 1024))"#;
    text += rest;
    for export in ["construct", "call", "query"] {
        if !rest.contains(&format!("(export \"{export}\")")) {
            write!(
                text,
                "(func (export {export:?}) (param i32 i32) (result i32) {NOTHING})"
            )
            .unwrap();
        }
    }
    text.push(')');
    text
}

/// The export `call` with this body.
pub fn call(body: &str) -> String {
    format!("(func (export \"call\") (param $at i32) (param $length i32) (result i32) {body})")
}

/// Returns nothing.
pub const NOTHING: &str = "(call $result (i32.const 0) (i32.const 0) (i32.const 0))";

/// Pushes a small constant as a word.
pub fn word(value: u64) -> String {
    format!("(i64.const {value}) (i64.const 0) (i64.const 0) (i64.const 0) ")
}

/// Pushes the word at `at` as four limbs.
pub fn push_word(at: &str) -> String {
    (0..4)
        .map(|i| format!("(i64.load offset={} {at}) ", 8 * i))
        .collect()
}

/// A contract whose `call` runs `body` and returns nothing, and whose other exports do nothing. Its
/// frames have less than 64 words.
pub fn frame(before: &str, locals: &str, body: &str) -> String {
    format!(
        "(module {before} (memory (export \"memory\") 1)
         (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
         (func (export \"construct\") (param i32 i32) (result i32) (i32.const 1024))
         (func (export \"query\") (param i32 i32) (result i32) (i32.const 1024))
         (func (export \"call\") (param i32 i32) (result i32) {locals} {body} (i32.const 1024)))"
    )
}

/// The bytes of a module in the text format.
pub fn module(text: impl AsRef<str>) -> Vec<u8> {
    let text = text.as_ref();
    wat::parse_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
