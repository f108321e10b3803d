//! One source a mistake, and what the compiler says about it. `SYNQ_BLESS=1` rewrites the
//! expectations; the difference is then reviewed.

use std::fs;
use std::path::{Path, PathBuf};

use synq_compiler::{Diagnostics, MAX_SOURCE, MemoryLoader, Options, Severity, check, compile};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut list: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "synq"))
        .collect();
    list.sort();
    list
}

/// A case's name, and what the compiler says about it.
fn checked(path: &Path) -> (String, Diagnostics) {
    let name = path.file_name().expect("a name").to_string_lossy();
    let text = fs::read_to_string(path).expect("readable");
    let loader = MemoryLoader::new().with_source(&*name, text);
    let found = check(&name, &loader, &Options::new());
    (name.into_owned(), found)
}

#[test]
fn diagnostics_are_as_expected() {
    let bless = std::env::var_os("SYNQ_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in cases() {
        let (name, found) = checked(&path);
        let rendered = found.render(false);
        let errors = found
            .list
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count();
        if name.starts_with("warn_") {
            assert_eq!(errors, 0, "{name}:\n{rendered}");
        } else {
            assert!(errors > 0, "{name} has no error");
        }
        assert!(!found.list.is_empty(), "{name} says nothing");
        assert!(!rendered.contains("unexpected token"), "{name}");
        let expected = path.with_extension("stderr");
        if bless {
            fs::write(&expected, &rendered).expect("writable");
        } else if fs::read_to_string(&expected).unwrap_or_default() != rendered {
            wrong.push(format!("--- {name}\n{rendered}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases with several mistakes, and how many.
const SEVERAL: &[(&str, usize)] = &[
    ("assign_immutable_tuple.synq", 6),
    ("assign_word_byte.synq", 2),
    ("file_level_names.synq", 3),
    ("modifier_arguments.synq", 2),
];

#[test]
fn one_mistake_is_one_error() {
    let mut wrong = Vec::new();
    for path in cases() {
        let (name, found) = checked(&path);
        let expected = SEVERAL
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(1, |(_, count)| *count);
        if found.list.len() != expected {
            wrong.push(format!(
                "{name}: {} for {expected}\n{}",
                found.list.len(),
                found.render(false)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_enough_cases() {
    assert!(cases().len() >= 120, "{} cases", cases().len());
}

#[test]
fn at_most_twenty_errors() {
    let mut text = String::from("contract C { function f() public {\n");
    for i in 0..100 {
        text.push_str(&format!("x{i} = 1;\n"));
    }
    text.push_str("} }");
    let loader = MemoryLoader::new().with_source("a.synq", text);
    let found = check("a.synq", &loader, &Options::new());
    assert_eq!(found.list.len(), 20);
}

#[test]
fn json_names_the_place() {
    let loader = MemoryLoader::new().with_source("a.synq", "contract C {\n  x: Uint256;\n}");
    let found = check("a.synq", &loader, &Options::new());
    let json = found.to_json();
    assert_eq!(json[0]["code"], "E0203");
    assert_eq!(json[0]["place"]["line"], 2);
    assert_eq!(json[0]["place"]["column"], 6);
    assert_eq!(json[0]["suggestion"]["replacement"], "UInt256");
}

#[test]
fn missing_and_huge_files_are_refused() {
    let loader = MemoryLoader::new();
    let found = compile("none.synq", &loader, &Options::new()).expect_err("no such file");
    assert_eq!(found.list[0].code, "E0601");
    let loader = loader.with_source("big.synq", " ".repeat(MAX_SOURCE + 1));
    let found = compile("big.synq", &loader, &Options::new()).expect_err("too big");
    assert_eq!(found.list[0].code, "E0601");
}
