//! Every example of the book that has tests is run with `synqc test`.

use std::path::Path;
use std::process::Command;

/// The blocks of a page that are SynQ and are not to fail: line and text.
fn examples(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(bool, usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let runs = matches!(info, "synq" | "synq,test");
                open = Some((runs, number + 1, String::new()));
            }
            (Some(_), Some(_)) => {
                found.extend(
                    open.take()
                        .filter(|b| b.0)
                        .map(|(_, line, text)| (line, text)),
                );
            }
            (Some(block), None) => block.2 += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

#[test]
fn every_example_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(
        dir.path().join("synq.toml"),
        "[project]\ntests = \"tests\"\n",
    )
    .expect("it is written");
    std::fs::create_dir_all(dir.path().join("tests")).expect("it is made");
    // The examples name models of this repository.
    let models = dir.path().join("tests/models");
    std::fs::create_dir_all(&models).expect("it is made");
    for entry in std::fs::read_dir(root.join("nn-backends/models")).expect("the folder is there") {
        let entry = entry.expect("the entry can be read");
        if entry.path().extension().is_some_and(|e| e == "onnx") {
            std::fs::copy(entry.path(), models.join(entry.file_name())).expect("it is copied");
        }
    }
    let mut pages: Vec<_> = std::fs::read_dir(root.join("docs/book/src/synq"))
        .expect("the book is there")
        .map(|e| e.expect("the entry can be read").path())
        .collect();
    pages.sort();
    let (mut ran, mut without, mut wrong) = (0, Vec::new(), String::new());
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("UTF-8");
        let name = page
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for (line, example) in examples(&text) {
            let place = format!("{name}:{line}");
            std::fs::write(dir.path().join("tests/example.synq"), &example).expect("it is written");
            let done = Command::new(env!("CARGO_BIN_EXE_synqc"))
                .args([
                    "test",
                    "tests/example.synq",
                    "--quiet",
                    "--gas-limit",
                    "2000000000",
                ])
                .current_dir(dir.path())
                .output()
                .expect("synqc starts");
            match done.status.code() {
                Some(0) => ran += 1,
                // Nothing to run; it compiled.
                Some(2) => without.push(place),
                _ => {
                    wrong += &format!(
                        "{place}\n{}{}\n",
                        String::from_utf8_lossy(&done.stdout),
                        String::from_utf8_lossy(&done.stderr)
                    );
                }
            }
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    println!("{ran} examples ran; nothing to run in {without:?}");
    assert!(
        ran >= 16,
        "{ran} examples ran; nothing to run in {without:?}"
    );
}
