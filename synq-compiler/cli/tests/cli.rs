//! The binary from outside: files, output, exit codes.

use std::path::Path;
use std::process::{Command, Output};

fn synqc(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synqc"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the binary runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", out(output)))
}

const BAD: &str = "contract C { function f() public { let x = ; } }\n";

#[test]
fn a_new_project_builds_and_verifies() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = synqc(dir.path(), &["new", "counter"]);
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    let project = dir.path().join("counter");
    let formatted = synqc(&project, &["fmt", "--check"]);
    assert_eq!(formatted.status.code(), Some(0), "{}", out(&formatted));
    let checked = synqc(&project, &["check", "--deny-warnings"]);
    assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
    let built = synqc(&project, &["build", "--json"]);
    assert_eq!(built.status.code(), Some(0), "{}", out(&built));
    assert_eq!(json(&built)["ok"], true);
    let wasm = std::fs::read(project.join("out/Counter.wasm")).expect("the module");
    assert_eq!(wasm.get(..4), Some(b"\0asm".as_slice()));
    let manifest = std::fs::read_to_string(project.join("out/manifest.json")).expect("written");
    assert!(!manifest.contains(&*dir.path().to_string_lossy()));
    assert!(manifest.contains("src/Counter.synq"));
    let abi = std::fs::read_to_string(project.join("out/Counter.abi.json")).expect("written");
    let abi: serde_json::Value = serde_json::from_str(&abi).expect("JSON");
    let functions: Vec<&str> = abi
        .as_array()
        .expect("a list")
        .iter()
        .filter(|f| f["type"] == "function")
        .filter_map(|f| f["name"].as_str())
        .collect();
    assert_eq!(
        functions,
        ["count", "countOf", "increment", "owner", "reset"]
    );

    let args = [
        "verify",
        "--source",
        "src/Counter.synq",
        "--wasm",
        "out/Counter.wasm",
    ];
    let verified = synqc(&project, &args);
    assert_eq!(verified.status.code(), Some(0), "{}", err(&verified));
    let mut other = wasm;
    let last = other.last_mut().expect("not empty");
    *last ^= 1;
    std::fs::write(project.join("out/Counter.wasm"), other).expect("written");
    let refused = synqc(&project, &args);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("the first difference is at byte"));
}

#[test]
fn builds_are_the_same_everywhere() {
    let (a, b) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    for dir in [&a, &b] {
        assert_eq!(synqc(dir.path(), &["new", "p"]).status.code(), Some(0));
        let built = synqc(&dir.path().join("p"), &["build"]);
        assert_eq!(built.status.code(), Some(0), "{}", err(&built));
    }
    for file in ["Counter.wasm", "Counter.abi.json", "manifest.json"] {
        let read = |dir: &tempfile::TempDir| std::fs::read(dir.path().join("p/out").join(file));
        assert_eq!(read(&a).expect("written"), read(&b).expect("written"));
    }
}

#[test]
fn errors_are_diagnostics_and_exit_codes() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("bad.synq"), BAD).expect("written");
    for command in [
        &["check", "bad.synq"][..],
        &["build", "bad.synq"],
        &["fmt", "bad.synq"],
    ] {
        let output = synqc(dir.path(), command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let text = err(&output);
        assert!(
            text.contains("E0104") && text.contains("bad.synq:1:44"),
            "{text}"
        );
        assert!(!text.contains('\x1b'), "colours without a terminal");
    }
    let output = synqc(dir.path(), &["check", "bad.synq", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value = json(&output);
    assert_eq!(value["ok"], false);
    assert_eq!(value["diagnostics"][0]["code"], "E0104");
    assert_eq!(value["diagnostics"][0]["place"]["line"], 1);
    let coloured = synqc(dir.path(), &["check", "bad.synq", "--color", "always"]);
    assert!(err(&coloured).contains('\x1b'));
    let missing = synqc(dir.path(), &["check", "no.synq"]);
    assert_eq!(missing.status.code(), Some(3));
    assert_eq!(synqc(dir.path(), &["check"]).status.code(), Some(2));
    assert_eq!(synqc(dir.path(), &["nonsense"]).status.code(), Some(2));
}

#[test]
fn fmt_changes_files_and_check_does_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("a.synq");
    let read = || std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, "contract  C{}").expect("written");
    let checked = synqc(dir.path(), &["fmt", "--check", "a.synq"]);
    assert_eq!(checked.status.code(), Some(1));
    assert_eq!(read(), "contract  C{}");
    assert_eq!(synqc(dir.path(), &["fmt", "a.synq"]).status.code(), Some(0));
    assert_eq!(read(), "contract C {}\n");
}

#[test]
fn abi_sol_and_completions_print() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = "contract A { x: UInt256 public; }\ncontract B { x: UInt256 public; }\n";
    std::fs::write(dir.path().join("two.synq"), text).expect("written");
    let several = synqc(dir.path(), &["abi", "two.synq"]);
    assert_eq!(several.status.code(), Some(2));
    assert!(err(&several).contains("A, B"));
    let abi = synqc(dir.path(), &["abi", "two.synq", "--contract", "B"]);
    assert_eq!(json(&abi)[0]["name"], "x");
    let sol = synqc(dir.path(), &["sol", "two.synq", "--contract", "A"]);
    assert!(out(&sol).contains("contract A {"), "{}", out(&sol));
    let script = synqc(dir.path(), &["completions", "bash"]);
    assert!(out(&script).contains("synqc"));
    let help = synqc(dir.path(), &["build", "--help"]);
    assert!(out(&help).contains("Examples:"));
}

#[test]
fn the_grammar_knows_the_words_of_the_language() {
    let text = include_str!("../../editors/synq.tmLanguage.json");
    let grammar: serde_json::Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(grammar["scopeName"], "source.synq");
    for word in ["require_pqc", "model", "UInt(8", "MLDSA", "argmax"] {
        assert!(text.contains(word), "{word}");
    }
}
