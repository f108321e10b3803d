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

/// Vectors that there are.
fn all() -> usize {
    let files = aivm_conformance::suite::load(Path::new(&vectors())).unwrap();
    files.iter().map(|(_, file)| file.vectors.len()).sum()
}

#[test]
fn all_vectors_pass_on_the_vm() {
    assert!(all() >= 2_000, "{}", all());
    let output = run(&["run", "--vectors", &vectors(), "--jobs", "2"]);
    assert_eq!(
        text(&output.stdout),
        format!("{} passed, 0 failed\n", all())
    );
    assert!(output.status.success());
}

#[test]
fn all_vectors_pass_on_the_second_implementation_through_the_protocol() {
    let adapter = format!("{PROGRAM} serve --engine wasmi");
    let vectors = vectors();
    let output = run(&[
        "run",
        "--vectors",
        &vectors,
        "--adapter",
        &adapter,
        "--jobs",
        "2",
    ]);
    assert_eq!(
        text(&output.stdout),
        format!("{} passed, 0 failed\n", all())
    );
}

/// A folder with the hand-written vectors.
fn small() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}/metering/outcomes.json", vectors());
    std::fs::copy(path, folder.path().join("a.json")).unwrap();
    folder
}

#[test]
fn the_vm_answers_the_protocol() {
    let folder = small();
    let adapter = format!("{PROGRAM} serve");
    let output = run(&[
        "run",
        "--vectors",
        path_text(folder.path()),
        "--adapter",
        &adapter,
    ]);
    assert_eq!(text(&output.stdout), "11 passed, 0 failed\n");
}

#[test]
fn a_wrong_expectation_is_shown_where_it_is() {
    let folder = small();
    let path = folder.path().join("a.json");
    let genuine = std::fs::read_to_string(&path).unwrap();
    let at = genuine.rfind("\"status\":\"revert\"").unwrap();
    let wrong = [
        &genuine[..at],
        &genuine[at..].replacen("revert", "return", 1),
    ]
    .concat();
    std::fs::write(&path, &wrong).unwrap();
    let folder = path_text(folder.path());
    let output = run(&["run", "--vectors", folder]);
    let shown = text(&output.stdout);
    assert!(
        shown.contains("step 3.receipt.status\n  expected  \"return\"\n  found     \"revert\""),
        "{shown}"
    );
    assert!(shown.ends_with("10 passed, 1 failed\n"), "{shown}");
    assert_eq!(output.status.code(), Some(1));

    let output = run(&["run", "--vectors", folder, "--junit"]);
    let shown = text(&output.stdout);
    assert!(
        shown.contains("<testsuite name=\"metering\" tests=\"11\" failures=\"1\" skipped=\"0\">"),
        "{shown}"
    );
    assert!(
        shown.contains("<failure message=\"step 3.receipt.status\">"),
        "{shown}"
    );
    assert_eq!(output.status.code(), Some(1));

    let output = run(&["run", "--vectors", folder, "--json", "--jobs", "3"]);
    let reports: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reports.len(), 11);
    assert_eq!(reports[0]["name"], "a stored word stays");
    let failed: Vec<_> = reports
        .iter()
        .filter(|r| r["verdict"] == "failed")
        .collect();
    assert_eq!(failed[0]["difference"]["found"], "\"revert\"");

    let output = run(&["run", "--vectors", folder, "--filter", "word stays"]);
    assert_eq!(text(&output.stdout), "1 passed, 0 failed\n");
    assert!(output.status.success());

    // What contradicts a claim is not blessed, and the file stays.
    let claimed = wrong.replacen(
        "\"status\":\"trap:unreachable\"",
        "\"status\":\"return\"",
        1,
    );
    std::fs::write(&path, &claimed).unwrap();
    let output = run(&["bless", "--vectors", folder]);
    let message = text(&output.stderr);
    assert!(message.contains("\"return\" is claimed"), "{message}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), claimed);
    // What is only expected is.
    std::fs::write(&path, &wrong).unwrap();
    assert!(run(&["bless", "--vectors", folder]).status.success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), genuine);
}

#[test]
fn what_cannot_be_run_is_said_and_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    let vector = r#"{"name":"n","rule":"r","steps":[{"action":{"do":"upload","name":"c","code":{"shared":"x"}}}]}"#;
    for (content, message) in [
        ("not json".to_owned(), "is not a file of vectors"),
        (
            r#"{"schema":1,"suite":"s","steps":7}"#.into(),
            "has format version 1",
        ),
        (
            r#"{"schema":3,"suite":"s","vectors":[],"more":1}"#.into(),
            "unknown field `more`",
        ),
        (
            r#"{"schema":3,"suite":"s","vectors":[]}"#.into(),
            "no vector matches",
        ),
        (
            format!(r#"{{"schema":3,"suite":"s","vectors":[{vector}]}}"#),
            "`n` gives no reason",
        ),
        (
            format!(r#"{{"schema":3,"suite":"s","reason":"y","vectors":[{vector},{vector}]}}"#),
            "two vectors of suite `s` have the name `n`",
        ),
        (
            format!(r#"{{"schema":3,"suite":"s","reason":"y","vectors":[{vector}]}}"#),
            "the file shares nothing under the name `x`",
        ),
        (
            format!(
                r#"{{"schema":3,"suite":"s","reason":"y","vectors":[{}]}}"#,
                vector.replace(r#"{"shared":"x"}"#, r#"{"wat":"(modul)"}"#)
            ),
            "vector `n`: ",
        ),
        (
            format!(
                r#"{{"schema":3,"suite":"s","reason":"y","vectors":[{}]}}"#,
                vector.replace(r#"{"shared":"x"}"#, r#"{"hex":"00"}"#)
            ),
            "begins with `0x`",
        ),
        (
            format!(
                r#"{{"schema":3,"suite":"s","reason":"y","vectors":[{}]}}"#,
                vector.replace(r#"{"shared":"x"}"#, r#"{"file":"none.wasm"}"#)
            ),
            "none.wasm",
        ),
    ] {
        std::fs::write(&file, &content).unwrap();
        let output = run(&["run", "--vectors", path_text(folder.path())]);
        let said = text(&output.stderr);
        assert!(said.contains(message), "{content}: {said}");
        assert_eq!(output.status.code(), Some(2), "{content}");
    }
    let missing = run(&["run", "--vectors", "/nowhere/at/all"]);
    assert!(text(&missing.stderr).contains("cannot read /nowhere/at/all"));
    let small = small();
    let small = path_text(small.path());
    let unknown = run(&["run", "--vectors", small, "--suite", "meterring"]);
    assert_eq!(
        text(&unknown.stderr),
        "error: there is no suite `meterring`; there are metering\n"
    );
    assert_eq!(unknown.status.code(), Some(2));
    let filter = run(&["run", "--vectors", small, "--filter", "no such name"]);
    assert!(text(&filter.stderr).contains("no vector matches"));
    let adapter = run(&["run", "--vectors", small, "--adapter", "/nowhere/node"]);
    assert!(text(&adapter.stderr).contains("cannot start the adapter"));
    assert_eq!(adapter.status.code(), Some(2));
    assert_eq!(run(&["run", "--jobs", "0"]).status.code(), Some(2));
}

/// A program for `sh` in a file, as an adapter.
#[cfg(unix)]
fn script(folder: &Path, name: &str, body: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, body).unwrap();
    format!("sh {}", path.display())
}

#[cfg(unix)]
#[test]
fn adapters_that_die_hang_or_talk_nonsense() {
    let folder = small();
    let scripts = tempfile::tempdir().unwrap();
    let vectors = path_text(folder.path());
    let run_script = |name: &str, body: &str| {
        let adapter = script(scripts.path(), name, body);
        run(&[
            "run",
            "--vectors",
            vectors,
            "--adapter",
            &adapter,
            "--timeout",
            "1",
        ])
    };
    for (name, body, message) in [
        ("dies", "exit 3", "ended without an answer"),
        ("dies-later", "read line; exit 3", "ended without an answer"),
        ("hangs", "exec sleep 1000", "no answer within 1 s"),
        (
            "reads-and-hangs",
            "while read line; do :; done; exec sleep 1000",
            "no answer within 1 s",
        ),
        (
            "nonsense",
            "while read line; do echo hello; done",
            "\"hello\"",
        ),
        ("empty", "while read line; do echo; done", "not understood"),
        (
            "another",
            "while read line; do echo '{\"results\":7}'; done",
            "not understood",
        ),
    ] {
        let output = run_script(name, body);
        let said = text(&output.stderr);
        assert!(
            said.contains("gave the adapter up after 3 failures"),
            "{name}: {said}"
        );
        assert!(said.contains(message), "{name}: {said}");
        assert_eq!(output.status.code(), Some(2), "{name}");
        // The vectors at which it failed are named.
        let shown = text(&output.stdout);
        assert!(
            shown.starts_with("FAILED metering / a stored word stays\n"),
            "{name}: {shown}"
        );
        assert!(shown.ends_with("0 passed, 3 failed\n"), "{name}: {shown}");
    }
    // An error is a failure of its vector, and the next one is asked.
    let output = run_script(
        "refuses",
        "while read line; do echo '{\"error\":\"out of cheese\"}'; done",
    );
    let shown = text(&output.stdout);
    assert!(
        shown.contains("the implementation failed: out of cheese"),
        "{shown}"
    );
    assert!(shown.ends_with("0 passed, 11 failed\n"), "{shown}");
    assert_eq!(output.status.code(), Some(1));
    let output = run_script(
        "short",
        "while read line; do echo '{\"results\":{\"outcomes\":[]}}'; done",
    );
    let shown = text(&output.stdout);
    assert!(
        shown.contains("at        the number of outcomes"),
        "{shown}"
    );
    // What supports nothing proves nothing.
    let body = "while read line; do echo '{\"unsupported\":\"no floats\"}'; done";
    let output = run_script("unsupported", body);
    assert!(text(&output.stderr).contains("supports none of these vectors"));
    assert_eq!(output.status.code(), Some(2));
    // One that dies now and then is started again.
    let body =
        format!("for i in 1 2 3; do read line; echo \"$line\" | {PROGRAM} serve; done; exit 1");
    let output = run_script("tired", &body);
    let shown = text(&output.stdout);
    assert!(shown.contains("ended without an answer"), "{shown}");
    assert!(shown.ends_with("9 passed, 2 failed\n"), "{shown}");
}

#[cfg(unix)]
#[test]
fn results_before_an_adapter_is_given_up_are_kept() {
    let folder = small();
    let scripts = tempfile::tempdir().unwrap();
    let started = scripts.path().join("started");
    // It answers twice, ends, and then answers no more.
    let body = format!(
        "[ -e {0} ] && exit 1; : > {0}\n\
         for i in 1 2; do read line; echo \"$line\" | {PROGRAM} serve; done",
        started.display()
    );
    let adapter = script(scripts.path(), "short-lived", &body);
    let vectors = path_text(folder.path());
    let run_as = |form: &[&str]| {
        let _ = std::fs::remove_file(&started);
        let common = ["run", "--vectors", vectors, "--adapter", &adapter];
        let output = run(&[&common[..], form].concat());
        let said = text(&output.stderr);
        assert!(
            said.starts_with("error: gave the adapter up after 3 failures in a row"),
            "{said}"
        );
        assert_eq!(output.status.code(), Some(2));
        text(&output.stdout)
    };
    let shown = run_as(&[]);
    assert!(shown.ends_with("2 passed, 3 failed\n"), "{shown}");
    let shown = run_as(&["--junit"]);
    assert!(
        shown.contains("<testsuite name=\"metering\" tests=\"5\" failures=\"3\" skipped=\"0\">"),
        "{shown}"
    );
    let reports: Vec<serde_json::Value> = serde_json::from_str(&run_as(&["--json"])).unwrap();
    let verdicts: Vec<_> = reports.iter().map(|report| &report["verdict"]).collect();
    assert_eq!(verdicts, ["passed", "passed", "failed", "failed", "failed"]);
    let last = reports[4]["difference"]["found"].as_str().unwrap();
    assert!(last.starts_with("gave the adapter up"), "{last}");
}

#[cfg(unix)]
#[test]
fn an_answer_too_many_belongs_to_no_vector() {
    let folder = small();
    let scripts = tempfile::tempdir().unwrap();
    let body = format!(
        "while read line; do answer=$(echo \"$line\" | {PROGRAM} serve)\n\
         printf '%s\\n%s\\n' \"$answer\" \"$answer\"; done"
    );
    let adapter = script(scripts.path(), "twice", &body);
    let vectors = path_text(folder.path());
    let output = run(&["run", "--vectors", vectors, "--adapter", &adapter]);
    let shown = text(&output.stdout);
    assert!(shown.contains("a line that answers no case: "), "{shown}");
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn long_texts_of_adapters_are_cut() {
    let folder = small();
    let scripts = tempfile::tempdir().unwrap();
    let vectors = path_text(folder.path());
    let long = "é".repeat(3_000);
    let answers = scripts.path().join("answers");
    for (key, start) in [
        ("error", "the implementation failed: "),
        ("results", "the adapter's answer is not understood: "),
    ] {
        let answer = match key {
            "error" => format!("{{\"error\":\"{long}\"}}"),
            _ => format!("{{\"{long}\":1}}"),
        };
        std::fs::write(&answers, answer + "\n").unwrap();
        let body = format!("while read line; do cat {}; done", answers.display());
        let adapter = script(scripts.path(), key, &body);
        let output = run(&["run", "--vectors", vectors, "--adapter", &adapter, "--json"]);
        let reports: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        let found = reports[0]["difference"]["found"].as_str().unwrap();
        assert!(found.starts_with(start), "{found}");
        let length = found.chars().count();
        assert!((1_000..1_200).contains(&length), "{length}");
        assert!(found.contains('…'), "{found}");
    }
}

#[cfg(unix)]
#[test]
fn arguments_of_an_adapter_may_stand_in_quotes() {
    let folder = small();
    let vectors = path_text(folder.path());
    let adapter = format!("sh -c \"exec '{PROGRAM}' serve --engine wasmi\"");
    let output = run(&["run", "--vectors", vectors, "--adapter", &adapter]);
    assert_eq!(text(&output.stdout), "11 passed, 0 failed\n");
    let output = run(&["run", "--vectors", vectors, "--adapter", "sh -c 'exit"]);
    assert_eq!(
        text(&output.stderr),
        "error: cannot start the adapter `sh -c 'exit`: a quote in it does not end\n"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn programs_get_errors_as_json() {
    let small = small();
    let small = path_text(small.path());
    for (arguments, message) in [
        (["--filter", "no such name"], "no vector matches"),
        (
            ["--suite", "none"],
            "there is no suite `none`; there are metering",
        ),
        (
            ["--adapter", "'"],
            "cannot start the adapter `'`: a quote in it does not end",
        ),
    ] {
        let start = ["run", "--vectors", small, "--json"];
        let output = run(&[&start[..], &arguments].concat());
        assert_eq!(
            text(&output.stdout),
            format!("{}\n", serde_json::json!({ "error": message }))
        );
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn counts_have_bounds() {
    let too_many = u64::MAX.to_string();
    for arguments in [
        ["load", "--transactions", &too_many],
        ["load", "--transactions", "0"],
        ["soak", "--transactions", &too_many],
        ["soak", "--blocks", &too_many],
        ["soak", "--replay-threads", "257"],
        ["digest", "--threads", "257"],
    ] {
        let output = run(&arguments);
        let said = text(&output.stderr);
        assert!(said.contains("is not in "), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// A disk without room, and a reader that has gone.
#[cfg(unix)]
#[test]
fn output_that_cannot_be_written() {
    let small = small();
    let small = path_text(small.path());
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        for form in ["--jobs=1", "--json", "--junit"] {
            let output = Command::new(PROGRAM)
                .args(["run", "--vectors", small, form])
                .stdout(full.try_clone().unwrap())
                .output()
                .unwrap();
            let said = text(&output.stderr);
            assert!(
                said.starts_with("error: cannot write to standard output: "),
                "{form}: {said}"
            );
            assert_eq!(output.status.code(), Some(2), "{form}");
        }
    }
    let mut child = Command::new(PROGRAM)
        .args(["run", "--vectors", small])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(141));
}

/// The other side: what `serve` makes of lines that are no cases.
#[test]
fn serve_answers_every_line() {
    use std::io::Write;
    use std::process::Stdio;
    for engine in ["vm", "wasmi"] {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--engine", engine])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let case = r#"{"chain":{},"actions":[{"do":"call","to":"nobody","message":{"from":"syn15xs6rgdp5xs6rgdp5xs6rgdp5xs6rgdp004py9"}}]}"#;
        let bad = r#"{"chain":{"schedules":{"0":{"wasm/no_such":1}}},"actions":[]}"#;
        let read = r#"{"chain":{},"actions":[{"do":"read","what":"receipt","bytes":"0x00"}]}"#;
        let lines = format!("hello\n{{}}\n\n{case}\n{bad}\n{read}\n");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let shown = text(&output.stdout);
        let answers: Vec<&str> = shown.lines().collect();
        assert_eq!(answers.len(), 6, "{engine}: {shown}");
        for answer in &answers[..3] {
            assert!(
                answer.starts_with("{\"error\":\"the case is not understood"),
                "{answer}"
            );
        }
        assert!(answers[3].contains("error"), "{}", answers[3]);
        assert!(
            answers[4].contains("there is no `wasm/no_such`"),
            "{}",
            answers[4]
        );
        assert!(
            answers[5].contains("{\"refused\":\"magic\"}"),
            "{}",
            answers[5]
        );
        assert!(output.status.success());
    }
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}
