//! Modules that are no contract.

use aivm_conformance::outcome::Claim;

use super::super::draft::{Draft, File};
use super::super::guest::{guest, module};

pub fn file() -> File {
    let mut file = File::new(
        "hostile",
        "contracts",
        "The WIT world in wit/ says what a contract imports and exports.",
    );
    let text = guest(&[], "");
    let mut add = |name: String, rule: &str, text: &str| {
        let claim = Claim::refused("not-a-contract");
        file.push(Draft::new(name, rule).upload_bytes(module(text), claim));
    };
    for export in ["memory", "cabi_realloc", "construct", "call", "query"] {
        let without = text.replace(&format!("(export \"{export}\")"), "");
        // The memory is used under its index.
        add(
            format!("without `{export}`"),
            "An export that the world has must be there.",
            &without,
        );
        let renamed = text.replace(&format!("(export \"{export}\")"), "(export \"other\")");
        add(
            format!("`{export}` under another name"),
            "An export that the world has must be there.",
            &renamed,
        );
    }
    for export in ["construct", "call", "query"] {
        for (name, function) in [
            ("no parameters", "(result i32) (i32.const 0)"),
            (
                "a parameter more",
                "(param i32 i32 i32) (result i32) (i32.const 0)",
            ),
            (
                "a wide parameter",
                "(param i32 i64) (result i32) (i32.const 0)",
            ),
            ("no result", "(param i32 i32)"),
            (
                "a wide result",
                "(param i32 i32) (result i64) (i64.const 0)",
            ),
        ] {
            let wrong = guest(&[], &format!("(func (export \"{export}\") {function})"));
            add(
                format!("`{export}` with {name}"),
                "An export has the type of the world.",
                &wrong,
            );
        }
        let wrong = guest(
            &[],
            &format!("(func (export \"cabi_post_{export}\") (param i64))"),
        );
        add(
            format!("`cabi_post_{export}` of another type"),
            "An export has the type of the world.",
            &wrong,
        );
        let wrong = text
            .replace(&format!("(func (export \"{export}\")"), "(func")
            .replacen(
                "(memory",
                &format!("(global (export \"{export}\") i32 (i32.const 0)) (memory"),
                1,
            );
        add(
            format!("`{export}` is a global"),
            "An export has the type of the world.",
            &wrong,
        );
    }
    for (name, import) in [
        ("an unknown module", "(import \"env\" \"f\" (func))"),
        (
            "an unknown function",
            "(import \"synergy:aivm/storage@0.1.0\" \"erase\" (func))",
        ),
        (
            "another version",
            "(import \"synergy:aivm/storage@0.2.0\" \"load\" (func (param i64 i64 i64 i64 i32)))",
        ),
        (
            "a function of another type",
            "(import \"synergy:aivm/storage@0.1.0\" \"load\" (func (param i64)))",
        ),
        (
            "a result where there is none",
            "(import \"synergy:aivm/context@0.1.0\" \"chain-id\" (func (result i32)))",
        ),
        (
            "a random number",
            "(import \"wasi:random/random@0.2.0\" \"get-random-u64\" (func (result i64)))",
        ),
        ("a global", "(import \"env\" \"g\" (global i32))"),
    ] {
        let wrong = text.replacen("(memory", &format!("{import} (memory"), 1);
        add(
            format!("imports {name}"),
            "A contract imports host functions, with their types.",
            &wrong,
        );
    }
    add(
        "nothing but a module".to_owned(),
        "An export that the world has must be there.",
        "(module)",
    );
    file
}
