//! Every example of the book runs: its tests with `synqc test`, or else the calls below with
//! `synqc run`.

use std::path::Path;
use std::process::Command;

/// For examples without tests: the contract, arguments of `synqc run`, and what the last call
/// gives, or why it fails.
const RUNS: &[(&str, &[&str], &str)] = &[
    (
        "Shop",
        &[
            "--init",
            "0x2222222222222222222222222222222222222222, 5",
            "price()",
        ],
        "5",
    ),
    ("Named", &["--init", "\"Ada\"", "name()"], "\"Ada\""),
    ("Named", &["--init", "\"\""], "a name, please"),
    ("Declared", &["set(1, 2)"], ""),
    ("Door", &["cost()"], "*"),
    ("Door", &["enter(IMAGE)"], "that is not a seven"),
    ("Mailbox", &["--init", "0x00", "put(0x01, 0x02)"], "false"),
    ("Members", &["join((0x01, 0x02, 0x03))"], ""),
    (
        "Members",
        &["join((0x01, 0x02, 0x03))", "rotate(0x04, 0x05, 0x06)"],
        "not signed by the backup key",
    ),
    (
        "TwoKeys",
        &["--init", "0x00, 0x01", "set(1, 0x02, 0x03)"],
        "false",
    ),
    (
        "Guarded",
        &["--init", "0x00", "bump(1, 0x02)"],
        "post-quantum authentication failed",
    ),
    ("Empty", &[], ""),
    ("Counter", &["count(2)", "count(3)"], "5"),
    ("Piggybank", &["save()", "take(0)"], ""),
    (
        "Piggybank",
        &["save()", "take(1)"],
        "TooMuch(asked: 1, saved: 0)",
    ),
    (
        "SignedNote",
        &["--init", "0x00", "write(\"hello\", 0x01)"],
        "not signed by the owner",
    ),
    ("Reader", &["read(IMAGE)"], "*"),
];

/// Runs an example that has no tests; an empty text when all went as it should.
fn run(folder: &Path, contract: &str) -> String {
    let image = format!("[[{}]]", ["0"; 64].join(","));
    let (mut wrong, mut count) = (String::new(), 0);
    for (_, args, expected) in RUNS.iter().filter(|r| r.0 == contract) {
        count += 1;
        let done = Command::new(env!("CARGO_BIN_EXE_synqc"))
            .args(["run", "tests/example.synq", "--json"])
            .args(args.iter().map(|arg| arg.replace("IMAGE", &image)))
            .current_dir(folder)
            .output()
            .expect("synqc starts");
        let json: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        let last = json["calls"]
            .as_array()
            .and_then(|calls| calls.last())
            .cloned();
        let last = last.unwrap_or_default();
        let found = last["reason"].as_str().or(last["returned"].as_str());
        if found.is_none_or(|found| *expected != "*" && found != *expected) {
            wrong += &format!("{contract} {args:?}: {json:#}\n");
        }
    }
    match count {
        0 => format!("{contract} has no tests and is not run\n"),
        _ => wrong,
    }
}

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
    let mut pages: Vec<_> = std::fs::read_dir(root.join("docs/synq"))
        .expect("the book is there")
        .map(|e| e.expect("the entry can be read").path())
        .collect();
    pages.sort();
    let (mut ran, mut wrong) = (0, String::new());
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
                // It compiled and has no tests.
                Some(2) => {
                    let name = example.split("contract ").nth(1).unwrap_or_default();
                    let name = name.split_whitespace().next().unwrap_or_default();
                    let found = run(dir.path(), name);
                    ran += 1;
                    if !found.is_empty() {
                        wrong += &format!("{place}\n{found}");
                    }
                }
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
    assert!(ran >= 28, "{ran} examples ran");
}

/// The block of a page that begins with this line.
fn shown(page: &str, first: &str) -> String {
    let begin = format!("```text\n{first}");
    let at = page
        .find(&begin)
        .unwrap_or_else(|| panic!("no block begins with {first}"));
    let block = page.get(at + "```text\n".len()..).unwrap_or_default();
    block.split("```").next().unwrap_or_default().to_owned()
}

/// Compares what a page shows with what a command prints, up to `…`, and without the time it took.
fn compare(shown: &str, folder: &Path, args: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_synqc"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("synqc starts");
    let printed = String::from_utf8_lossy(&done.stdout);
    let timeless = |line: &str| match line.rsplit_once("; ") {
        Some((rest, time)) if time.ends_with(" ms") => rest.to_owned(),
        _ => line.to_owned(),
    };
    let lines = |text: &str| -> Vec<String> { text.lines().map(timeless).collect() };
    let mut wanted = lines(shown);
    wanted.retain(|line| !line.starts_with("$ "));
    let mut found = lines(&printed);
    if wanted.last().is_some_and(|line| line.trim() == "…") {
        wanted.pop();
        found.truncate(wanted.len());
    }
    assert_eq!(
        wanted.join("\n"),
        found.join("\n"),
        "{args:?} prints\n{printed}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn the_page_on_tests_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/synq/testing.md")).expect("the page");
    let dir = tempfile::tempdir().expect("a folder");
    let made = Command::new(env!("CARGO_BIN_EXE_synqc"))
        .args(["new", "counter"])
        .current_dir(dir.path())
        .status()
        .expect("synqc starts");
    assert!(made.success());
    let project = dir.path().join("counter");

    // The page's example in two files, without the line that expects the failure.
    let (_, example) = examples(&page)
        .into_iter()
        .find(|(_, text)| text.contains("contract VaultTest"))
        .expect("the example");
    let (vault, test) = example.split_once("contract VaultTest").expect("both");
    let expected = "        expectRevertWith(\"too early\");\n";
    assert!(test.contains(expected));
    let test = format!(
        "pragma synq ^1.0.0;\n\nimport \"../src/Vault.synq\";\n\ncontract VaultTest{}",
        test.replace(expected, "")
    );
    std::fs::write(project.join("src/Vault.synq"), vault).expect("written");
    std::fs::write(project.join("tests/Vault.synq"), test).expect("written");

    let calls = ["src/Counter.synq", "increment()", "count()"];
    let [source, increment, _] = calls;
    compare(
        &shown(&page, "VaultTest ("),
        &project,
        &["test", "tests/Vault.synq"],
    );
    compare(
        &shown(&page, "$ synqc run"),
        &project,
        &[&["run"], &calls[..]].concat(),
    );
    compare(&shown(&page, "["), &project, &["trace", source, increment]);
}
