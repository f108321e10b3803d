//! The runner, used as its user would.

use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_aivm-conformance");

fn vectors() -> String {
    format!("{}/vectors", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn all_vectors_pass_on_the_vm() {
    let output = run(&["run", "--vectors", &vectors()]);
    assert_eq!(text(&output.stdout), "11 passed, 0 failed\n");
    assert!(output.status.success());
}

#[test]
fn all_vectors_pass_through_the_protocol() {
    let adapter = format!("{PROGRAM} serve");
    let output = run(&["run", "--vectors", &vectors(), "--adapter", &adapter]);
    assert_eq!(text(&output.stdout), "11 passed, 0 failed\n");
}

#[test]
fn a_wrong_expectation_is_shown_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}/metering/outcomes.json", vectors());
    let genuine = std::fs::read_to_string(path).unwrap();
    let wrong = genuine.replacen("\"status\": \"revert\"", "\"status\": \"return\"", 1);
    assert_ne!(genuine, wrong);
    std::fs::write(folder.path().join("a.json"), wrong).unwrap();
    let output = run(&["run", "--vectors", path_text(folder.path())]);
    let shown = text(&output.stdout);
    assert!(
        shown.contains("expected  \"return\"\n  found     \"revert\""),
        "{shown}"
    );
    assert!(shown.ends_with("10 passed, 1 failed\n"), "{shown}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_cannot_be_run_is_said_and_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    let run_folder = || run(&["run", "--vectors", path_text(folder.path())]);
    for (content, message) in [
        ("not json", "is not a file of vectors"),
        (
            r#"{"schema":2,"suite":"s","vectors":[]}"#,
            "has format version 2",
        ),
        (
            r#"{"schema":1,"suite":"s","vectors":[]}"#,
            "no vector matches",
        ),
    ] {
        std::fs::write(&file, content).unwrap();
        let output = run_folder();
        assert!(
            text(&output.stderr).contains(message),
            "{}",
            text(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(2));
    }
    let missing = run(&["run", "--vectors", "/nowhere/at/all"]);
    assert!(text(&missing.stderr).contains("cannot read /nowhere/at/all"));
    let adapter = run(&["run", "--vectors", &vectors(), "--adapter", "/nowhere/node"]);
    assert!(text(&adapter.stderr).contains("cannot start the adapter"));
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}
