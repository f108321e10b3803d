//! Code in the pages is compiled or run by a test, or says that it is an illustration.

use std::path::Path;

use super::pages::{Block, Page, all, files, root};

/// Who compiles and runs the blocks of a page that are Rust.
const RUST: &[(&str, &str)] = &[
    // Documentation tests of `aivm`.
    ("README.md", "vm/src/lib.rs"),
    ("docs/embedding.md", "vm/src/lib.rs"),
    ("docs/operations.md", "vm/src/lib.rs"),
    // Compared with files that are built and tested.
    (
        "docs/rust-contracts.md",
        "sdk-guest/testing/tests/guests/fixtures.rs",
    ),
];

/// Who runs the commands of a page as they stand.
const COMMANDS: &[(&str, &str)] = &[(
    "docs/quick-start.md",
    "synq-compiler/cli/tests/quick_start_page.rs",
)];

fn tested_by(page: &Page, table: &[(&str, &str)]) -> bool {
    let Some((path, test)) = table.iter().find(|(path, _)| page.path == Path::new(path)) else {
        return false;
    };
    let text = std::fs::read_to_string(root().join(test));
    text.is_ok_and(|text| text.contains(path))
}

/// Whether the block is nothing but files of the repository that are tested where they lie.
fn included(block: &Block) -> bool {
    let mut lines = block.text.lines().filter(|line| !line.trim().is_empty());
    lines.all(|line| line.starts_with("{{#include "))
}

#[test]
fn every_block_is_tested_or_an_illustration() {
    let (mut tested, mut wrong) = (0, String::new());
    for page in all() {
        for block in &page.blocks {
            let marks: Vec<_> = block.marks.iter().map(String::as_str).collect();
            let good = match marks[..] {
                // Shown, not run.
                [] | ["text" | "json" | "toml" | "c" | "go" | "yaml" | "console"] => true,
                [_, "ignore" | "illustration"] => true,
                ["rust"] => tested_by(&page, RUST) || included(block),
                ["rust", "no_run"] => tested_by(&page, RUST),
                ["python"] => included(block),
                ["sh"] => tested_by(&page, COMMANDS) || commands(block, &mut wrong),
                // The tests of the compiler read the language's pages and the README.
                ["synq", ..] => {
                    included(block) || page.path.starts_with("docs/synq") || !page.in_book()
                }
                _ => false,
            };
            tested += usize::from(!marks.is_empty());
            if !good {
                wrong += &format!(
                    "{}:{}: nobody tests ```{}\n",
                    page.path.display(),
                    block.line,
                    marks.join(",")
                );
            }
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    assert!(tested > 60, "{tested} blocks");
}

/// Whether what the commands name exists: examples, tests, benches, chores, subcommands.
fn commands(block: &Block, wrong: &mut String) -> bool {
    for line in block.text.lines() {
        let code = line.split(" # ").next().unwrap_or_default();
        if !code.split("&&").all(known) {
            *wrong += &format!("line {}: `{line}` names nothing that exists\n", block.line);
        }
    }
    true
}

fn known(command: &str) -> bool {
    let words = command.split_whitespace();
    let words: Vec<_> = words.skip_while(|word| word.contains('=')).collect();
    match words[..] {
        [] | ["cd", ..] | ["git", ..] | ["mdbook", "build", ..] => true,
        ["cargo", "xtask", chore, ..] => has_variant("xtask/src/main.rs", chore),
        ["synqc", command, ..] => has_variant("synq-compiler/cli/src/args.rs", command),
        ["aivm", command, ..] => has_variant("vm/cli/src/args.rs", command),
        [
            "cargo",
            "run" | "test" | "bench" | "clippy" | "doc" | "publish",
            ..,
        ] => words.windows(2).all(|pair| match pair {
            ["--example", name] => target("examples", name),
            ["--test", name] => target("tests", name),
            ["--bench", name] => target("benches", name),
            _ => true,
        }),
        [script, ..] => root().join(script).exists(),
    }
}

/// Whether a command line has a subcommand of this name.
fn has_variant(source: &str, name: &str) -> bool {
    let text = std::fs::read_to_string(root().join(source)).unwrap();
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let variant: String = first.into_iter().chain(letters).collect();
    let forms = [",", " {", "("].map(|end| format!("    {variant}{end}"));
    forms.iter().any(|form| text.contains(form))
}

/// Whether some crate has this example, test or bench.
fn target(folder: &str, name: &str) -> bool {
    files("", "rs").iter().any(|path| {
        let mut parts = path.components().rev().map(|part| part.as_os_str());
        let file = parts.next().unwrap_or_default();
        let above = parts.next().unwrap_or_default();
        let again = parts.next().unwrap_or_default();
        (above == folder && file == format!("{name}.rs").as_str())
            || (again == folder && above == name && file == "main.rs")
    })
}

#[test]
fn commands_that_name_nothing_are_found() {
    let block = |text: &str| Block {
        line: 1,
        marks: Vec::new(),
        text: text.to_owned(),
    };
    for (text, good) in [
        ("cargo run --release --example basic_vm", true),
        (
            "AIVM_X=1 cargo test --release --workspace --test docs # this",
            true,
        ),
        ("cargo run --example no_such_thing", false),
        ("cargo xtask guests", true),
        ("cargo xtask gests", false),
        ("cargo bench --bench nothing", false),
        ("synqc new counter && cd counter && synqc test", true),
        ("synqc new counter && synqc tset", false),
        ("aivm model inspect a.onnx", true),
        ("aivm modle", false),
        ("./no-such-script", false),
    ] {
        let mut wrong = String::new();
        commands(&block(text), &mut wrong);
        assert_eq!(wrong.is_empty(), good, "{text}: {wrong}");
    }
}
