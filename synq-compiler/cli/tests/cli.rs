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

/// Runs a line of a shell, in which `$synqc` is the binary.
#[cfg(target_os = "linux")]
fn shell(folder: &Path, line: &str) -> Output {
    Command::new("bash")
        .args(["-c", line])
        .env("synqc", env!("CARGO_BIN_EXE_synqc"))
        .current_dir(folder)
        .output()
        .expect("bash starts")
}

/// Names of all that is in a folder, hidden files too.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
#[cfg(target_os = "linux")]
fn a_failed_write_leaves_the_old_file() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("y.synq"), "contract  C{}").expect("written");
    let full = "trap '' XFSZ; ulimit -f 0; ";
    for command in ["fmt y.synq", "build y.synq --out ."] {
        let done = shell(dir.path(), &format!("{full} $synqc {command}"));
        assert_eq!(done.status.code(), Some(3), "{}", err(&done));
        assert!(err(&done).contains("File too large"), "{}", err(&done));
        let text = std::fs::read_to_string(dir.path().join("y.synq")).expect("read");
        assert_eq!(text, "contract  C{}");
        assert_eq!(names(dir.path()), ["y.synq"]);
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_is_rewritten_keeps_its_permissions_and_its_links() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let (file, link) = (dir.path().join("a.synq"), dir.path().join("link.synq"));
    std::fs::write(&file, "contract  C{}").expect("written");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o751)).expect("set");
    std::os::unix::fs::symlink("a.synq", &link).expect("made");
    let done = synqc(dir.path(), &["fmt", "link.synq"]);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    assert_eq!(
        std::fs::read_to_string(&file).expect("read"),
        "contract C {}\n"
    );
    let mode = std::fs::metadata(&file)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o751);
    assert!(link.is_symlink());
    assert_eq!(names(dir.path()), ["a.synq", "link.synq"]);
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_is_lost_is_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(synqc(dir.path(), &["new", "p"]).status.code(), Some(0));
    let project = dir.path().join("p");
    for command in [
        "fmt - < src/Counter.synq",
        "sol src/Counter.synq",
        "abi src/Counter.synq",
        "run src/Counter.synq",
        "test --json",
        "check no.synq --json",
        "completions bash",
        "--help",
        "--version",
    ] {
        let done = shell(&project, &format!("$synqc {command} > /dev/full"));
        assert_eq!(done.status.code(), Some(3), "{command}");
        let said = "error: standard output: No space left on device";
        assert!(err(&done).contains(said), "{command}: {}", err(&done));
    }
    // A reader that has seen enough is no error.
    let done = shell(
        &project,
        "$synqc completions bash | head -n 1 > /dev/null; echo ${PIPESTATUS[0]}",
    );
    assert!(["0\n", "141\n"].contains(&&*out(&done)), "{}", out(&done));
    assert_eq!(err(&done), "");
}

#[test]
#[cfg(target_os = "linux")]
fn links_to_folders_are_not_followed_and_pipes_not_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = shell(
        dir.path(),
        "mkdir lp lp/sub elsewhere; ln -s . lp/a; ln -s . lp/b; mkfifo lp/p.synq
        echo 'contract C {}' > elsewhere/C.synq; ln -s ../elsewhere/C.synq lp/C.synq
        echo 'contract D {}' > lp/sub/D.synq; ln -s ../elsewhere lp/other",
    );
    assert!(made.status.success(), "{}", err(&made));
    let done = shell(dir.path(), "timeout 60 $synqc check lp");
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    assert_eq!(out(&done), "ok: 2 files, 0 errors, 0 warnings\n");
}

#[test]
fn named_folders_without_sources_are_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("empty")).expect("made");
    for command in ["build", "check", "fmt", "test"] {
        let done = synqc(dir.path(), &[command, "empty"]);
        assert_eq!(done.status.code(), Some(2), "{command}");
        assert_eq!(err(&done), "error: there are no .synq files in empty\n");
    }
    assert_eq!(names(dir.path()), ["empty"]);
}

#[test]
fn a_build_that_fails_writes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(synqc(dir.path(), &["new", "p"]).status.code(), Some(0));
    let project = dir.path().join("p");
    assert_eq!(synqc(&project, &["build"]).status.code(), Some(0));
    let read = || {
        ["Counter.wasm", "Counter.abi.json", "manifest.json"]
            .map(|file| std::fs::read(project.join("out").join(file)).expect("written"))
    };
    let before = read();
    let source = project.join("src/Counter.synq");
    let text = std::fs::read_to_string(&source).expect("read");
    let changed = text.replace(
        "contract Counter {",
        "contract Counter {\n    more: UInt256 public;",
    );
    assert_ne!(text, changed);
    std::fs::write(&source, changed).expect("written");
    std::fs::write(project.join("src/Zoo.synq"), BAD).expect("written");
    let done = synqc(&project, &["build"]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(out(&done), "");
    assert!(before == read(), "artifacts of two builds");
    std::fs::remove_file(project.join("src/Zoo.synq")).expect("removed");
    assert_eq!(synqc(&project, &["build"]).status.code(), Some(0));
    assert!(before != read());
    assert_eq!(
        names(&project.join("out")),
        ["Counter.abi.json", "Counter.wasm", "manifest.json"]
    );
}

#[test]
fn fmt_names_what_it_rewrote_beside_a_broken_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let reset = || {
        std::fs::write(dir.path().join("u.synq"), "contract  C{}").expect("written");
        for bad in ["v.synq", "w.synq"] {
            std::fs::write(dir.path().join(bad), BAD).expect("written");
        }
    };
    let files = ["u.synq", "v.synq", "w.synq"];
    reset();
    let done = synqc(dir.path(), &[&["fmt"][..], &files].concat());
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(out(&done), "formatted u.synq\n");
    for place in ["v.synq:1:44", "w.synq:1:44"] {
        assert!(err(&done).contains(place), "{}", err(&done));
    }
    reset();
    let done = synqc(dir.path(), &[&["fmt", "--json"][..], &files].concat());
    assert_eq!(done.status.code(), Some(1));
    let value = json(&done);
    assert_eq!(value["ok"], false);
    assert_eq!(value["changed"], serde_json::json!(["u.synq"]));
    assert_eq!(value["error"], "the source has errors");
    let found = value["diagnostics"].as_array().expect("a list");
    let places: Vec<_> = found.iter().map(|d| &d["place"]["file"]).collect();
    assert_eq!(places, ["v.synq", "w.synq"]);
}

#[test]
fn json_is_one_document_for_formatted_text_and_completions() {
    let dir = tempfile::tempdir().expect("a folder");
    let fmt = |text: &str, args: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_synqc"))
            .args(["fmt", "-", "--json"])
            .args(args)
            .current_dir(dir.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut input = child.stdin.take().expect("piped");
        std::io::Write::write_all(&mut input, text.as_bytes()).expect("read");
        drop(input);
        let done = child.wait_with_output().expect("it ends");
        (done.status.code(), json(&done))
    };
    let (bad, good) = ("contract  C{}", "contract C {}\n");
    let document = |ok: bool, changed: &[&str]| serde_json::json!({ "ok": ok, "changed": changed });
    let mut formatted = document(true, &["-"]);
    formatted["text"] = good.into();
    assert_eq!(fmt(bad, &[]), (Some(0), formatted));
    assert_eq!(fmt(good, &["--check"]), (Some(0), document(true, &[])));
    assert_eq!(fmt(bad, &["--check"]), (Some(1), document(false, &["-"])));

    let plain = out(&synqc(dir.path(), &["completions", "bash"]));
    let value = json(&synqc(dir.path(), &["completions", "bash", "--json"]));
    assert_eq!(value["ok"], true);
    assert_eq!(value["shell"], "bash");
    assert_eq!(
        value["script"].as_str().map(str::trim_end),
        Some(plain.trim_end())
    );
}
