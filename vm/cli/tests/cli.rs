//! The tool as its users meet it.

mod common;

use std::path::{Path, PathBuf};

use aivm_abi::{FuncId, Transcript, TranscriptFile};
use common::{aivm, text};

/// A contract that returns its input, and reverts with it when it begins with 0xff.
const ECHO: &str = r#"(module
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $echo (param i32 i32) (result i32)
    (i32.store (i32.const 16) (i32.and (i32.ne (local.get 1) (i32.const 0))
      (i32.eq (i32.load8_u (local.get 0)) (i32.const 255))))
    (i32.store (i32.const 20) (local.get 0))
    (i32.store (i32.const 24) (local.get 1))
    (i32.const 16))
  (export "construct" (func $echo)) (export "call" (func $echo)) (export "query" (func $echo)))"#;

fn echo(folder: &Path) -> PathBuf {
    let path = folder.join("echo.wasm");
    std::fs::write(&path, wat::parse_str(ECHO).unwrap()).unwrap();
    path
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn run_prints_receipts_and_its_exit_code_says_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let output = aivm(&["run", path(&wasm), "--call", "0x0102", "--call", "03"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).contains("output    0x0102"),
        "{}",
        text(&output)
    );
    let output = aivm(&["run", path(&wasm), "--call", "ff"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("status    revert"));

    let output = aivm(&["run", path(&wasm), "--call", "0x0102", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["calls"][0]["receipt"]["status"], "return");
    assert_eq!(json["calls"][0]["receipt"]["output"], "0x0102");
}

#[test]
fn errors_are_helpful() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let output = aivm(&["run", path(&wasm), "--call", "transfer(1)"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("--abi"), "{}", text(&output));
    let output = aivm(&["run", "/no/such/file.wasm"]);
    assert!(
        text(&output).contains("/no/such/file.wasm"),
        "{}",
        text(&output)
    );
    let source = folder.path().join("source.synq");
    std::fs::write(&source, "contract C {}").unwrap();
    let output = aivm(&["run", path(&source)]);
    assert!(text(&output).contains("`synqc build`"), "{}", text(&output));
    assert_eq!(output.status.code(), Some(2));
    let output = aivm(&["run", path(&wasm), "--call", "00", "--gas", "1"]);
    assert!(text(&output).contains("gas"), "{}", text(&output));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn estimate_profile_inspect_and_cache_work() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let estimate = aivm(&["estimate", path(&wasm), "--call", "00", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&estimate.stdout).unwrap();
    assert!(json["gas_limit"].as_u64().unwrap() > 50_000);

    let (folded, svg) = (
        folder.path().join("folded"),
        folder.path().join("flame.svg"),
    );
    let profile = aivm(&[
        "profile",
        path(&wasm),
        "--call",
        "00",
        "--folded",
        path(&folded),
        "--svg",
        path(&svg),
    ]);
    assert_eq!(profile.status.code(), Some(0), "{}", text(&profile));
    assert!(text(&profile).contains("\nlines "), "{}", text(&profile));
    assert!(text(&profile).contains("\nopcodes "), "{}", text(&profile));
    let profile = aivm(&["profile", path(&wasm), "--call", "00", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&profile.stdout).unwrap();
    let stores = &json["opcodes"]["i32.store"];
    assert!(stores["executed"].as_u64().unwrap() > 0, "{json}");
    assert!(stores["gas"].as_u64().unwrap() > 0, "{json}");
    assert!(std::fs::read_to_string(&folded).unwrap().contains(".call "));
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg"));

    let inspect = aivm(&["inspect", path(&wasm), "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&inspect.stdout).unwrap();
    assert_eq!(json["contract"], true);

    let cache = folder.path().join("cache");
    aivm(&["run", path(&wasm), "--cache", path(&cache)]);
    assert!(text(&aivm(&["cache", path(&cache)])).starts_with("1 module,"));
    assert!(text(&aivm(&["cache", path(&cache), "--clear"])).starts_with("0 modules"));
}

#[test]
fn a_chain_in_a_file_goes_on_and_transcripts_compare() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let state = folder.path().join("chain.redb");
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    for transcript in [&a, &b] {
        let output = aivm(&[
            "run",
            path(&wasm),
            "--state",
            path(&state),
            "--call",
            "01",
            "--transcript",
            path(transcript),
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    let output = aivm(&["bisect", path(&a), path(&b)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).starts_with("equal"));
    let output = aivm(&["bisect", path(&a), path(&wasm)]);
    assert_eq!(output.status.code(), Some(2));
}

/// A transcript of calls of one function, with what each returned.
fn transcript(results: &[u8], kept: usize) -> Vec<u8> {
    let mut transcript = Transcript::retaining(kept);
    for result in results {
        transcript.begin_call(FuncId::new(1));
        transcript.put(&[7, 8]);
        transcript.end();
        transcript.begin_return(FuncId::new(1));
        transcript.put(&[*result]);
        transcript.end();
    }
    transcript.to_file()
}

/// Frames decide a dispute only where they have the hash that the receipt states.
#[test]
fn transcripts_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bytes = transcript(&[1, 2], 1 << 20);
    let good = file("good", &bytes);
    let hash = TranscriptFile::parse(&bytes).unwrap().hash.0;
    let hash = bytes.windows(32).position(|part| part == hash).unwrap();
    for (name, at) in [("frame", bytes.len() - 1), ("hash", hash + 31)] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let bad = file(name, &changed);
        for (a, b) in [(&good, &bad), (&bad, &good), (&bad, &bad)] {
            let output = aivm(&["bisect", path(a), path(b)]);
            let said = text(&output);
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(said.contains(path(&bad)), "{said}");
            assert!(said.contains("do not have the hash"), "{said}");
            let output = aivm(&["bisect", path(a), path(b), "--json"]);
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let said = json["error"].as_str().unwrap();
            assert!(said.contains(path(&bad)), "{said}");
        }
    }
    let other = file("other", &transcript(&[1, 3], 1 << 20));
    let output = aivm(&["bisect", path(&good), path(&other)]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the first 3 frames are equal"), "{said}");
    for side in ["a", "b"] {
        let line = format!("\n{side}: all 4 frames are verified by the hash");
        assert!(said.contains(&line), "{said}");
    }
    // A file that keeps nothing cannot be verified, and is said not to be.
    let short = file("short", &transcript(&[1, 2], 0));
    let output = aivm(&["bisect", path(&good), path(&short)]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("\nb: 0 of 4 frames are kept: not verified"),
        "{said}"
    );
    let output = aivm(&["bisect", path(&good), path(&short), "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = serde_json::json!({
        "a": { "verified": true, "frames": 4, "kept": 4 },
        "b": { "verified": false, "frames": 4, "kept": 0 },
    });
    assert_eq!(json["files"], files);
}

#[test]
fn a_contract_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let before = std::fs::read(&wasm).unwrap();
    for arguments in [
        &["run", path(&wasm), "--call", "01", "--transcript"][..],
        &["profile", path(&wasm), "--call", "01", "--svg"],
        &["profile", path(&wasm), "--call", "01", "--folded"],
    ] {
        let output = aivm(&[arguments, &[path(&wasm)]].concat());
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output);
        assert!(said.contains("is read by this command"), "{said}");
        assert_eq!(std::fs::read(&wasm).unwrap(), before);
    }
}

#[test]
fn a_transcript_or_a_query_is_of_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let transcript = folder.path().join("transcript");
    let output = aivm(&["run", path(&wasm), "--transcript", path(&transcript)]);
    assert_eq!(text(&output), "error: there is no --call to trace\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(!transcript.exists());
    let output = aivm(&["run", path(&wasm), "--query"]);
    assert_eq!(text(&output), "error: there is no --call to query\n");
    assert_eq!(output.status.code(), Some(2));
}

/// A file that cannot be written is found before anything runs.
#[test]
fn nothing_is_committed_when_a_file_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let state = folder.path().join("chain.redb");
    let taken = path(folder.path());
    for (command, flag) in [
        ("run", "--transcript"),
        ("profile", "--folded"),
        ("profile", "--svg"),
    ] {
        let start = [command, path(&wasm), "--state", path(&state)];
        let rest = ["--call", "01", "--call", "02", flag, taken];
        let output = aivm(&[&start[..], &rest].concat());
        assert_eq!(output.status.code(), Some(2), "{flag}");
        let said = text(&output);
        assert!(said.starts_with(&format!("error: {taken}: ")), "{said}");
        assert!(!state.exists(), "{flag}");
    }
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    let whole = std::fs::read(&wasm).unwrap();
    let cut = folder.path().join("cut.wasm");
    std::fs::write(&cut, &whole[..whole.len() - 9]).unwrap();
    let output = aivm(&["inspect", path(&cut)]);
    let said = text(&output);
    let start = format!("error: {}: the module is refused: ", cut.display());
    assert!(said.starts_with(&start), "{said}");
    assert_eq!(output.status.code(), Some(2));
    let output = aivm(&["cache", path(&wasm)]);
    assert_eq!(
        text(&output),
        format!("error: {}: not a directory\n", wasm.display())
    );
    assert_eq!(output.status.code(), Some(2));
    let output = aivm(&["cache", "/no/such/folder"]);
    let said = text(&output);
    assert!(said.starts_with("error: /no/such/folder: "), "{said}");
    assert!(!said.contains("not a directory"), "{said}");
}

/// A disk without room.
#[cfg(unix)]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let wasm = echo(folder.path());
    for arguments in [
        &["run", path(&wasm), "--call", "01"][..],
        &["run", path(&wasm), "--call", "01", "--json"],
        &["run", "/no/such/file.wasm", "--json"],
        &["inspect", path(&wasm)],
        &["completions", "bash"],
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_aivm"))
            .args(arguments)
            .stdout(full.try_clone().unwrap())
            .output()
            .unwrap();
        let said = text(&output);
        assert!(
            said.starts_with("error: cannot write to standard output: "),
            "{arguments:?}: {said}"
        );
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// A contract written for WASI finds the model under its file's name.
#[test]
fn a_guest_written_for_wasi_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wasm = root.join("sdk-guest/examples/fixtures/classifier.wasm");
    let model = root.join("nn-backends/models/digits.onnx");
    let records = std::fs::read(root.join("nn-backends/models/digits-test.bin")).unwrap();
    let call = format!("0x{}", hex::encode(&records[..64]));
    let run = aivm(&[
        "run",
        path(&wasm),
        "--model",
        path(&model),
        "--call",
        &call,
        "--json",
    ]);
    assert!(run.status.success(), "{run:?}");
    let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let reference = std::fs::read(root.join("nn-backends/models/digits-reference.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_slice(&reference).unwrap();
    let logits = reference["logits"][0].as_array().unwrap();
    let logits: Vec<u8> = logits
        .iter()
        .map(|logit| (logit.as_i64().unwrap() as i8).cast_unsigned())
        .collect();
    let output = format!("0x{}", hex::encode(logits));
    assert_eq!(json["calls"][0]["receipt"]["output"], output.as_str());

    let run = aivm(&["run", path(&wasm), "--call", &call, "--json"]);
    assert_eq!(run.status.code(), Some(1), "without the model it reverts");
}
