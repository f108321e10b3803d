//! One digest whatever the circumstances, load and soak: the commands, used as their user would.

use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_aivm-conformance");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/determinism.md");

/// Runs a command in the folder of the repository.
fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .current_dir(ROOT)
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The digest is the one in the documentation; `AIVM_UPDATE_DOCS=1` writes it there. The table of all circumstances
/// there is made by `cargo xtask matrix --write`.
#[test]
fn circumstances_change_nothing() {
    let matrix = json(&run(&["matrix", "--small", "--json", "--jobs", "2"]));
    let rows = matrix["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(row["digest"], matrix["digest"], "{row}");
    }
    let line = format!(
        "{} vectors and {} transactions: `{}`",
        matrix["vectors"],
        matrix["transactions"],
        matrix["digest"].as_str().unwrap()
    );
    let page = std::fs::read_to_string(PAGE).unwrap();
    if page.contains(&line) {
        return;
    }
    let old = page.lines().find(|line| line.contains(" vectors and "));
    let old = old.expect("the page has a line with the digest");
    assert!(
        std::env::var_os("AIVM_UPDATE_DOCS").is_some(),
        "docs/determinism.md says\n{old}\nand it is\n{line}"
    );
    std::fs::write(PAGE, page.replace(old, &line)).unwrap();
}

/// A workload that comes out differently is found, and named.
#[test]
fn a_difference_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.sh");
    // The program itself, one hash of whose output is another.
    let script = format!(
        "#!/bin/sh\n{PROGRAM} \"$@\" | sed 's/\\(chain 1 . block 3 . transaction 2, [a-z]*\",\"\\)......../\\100000000/; s/\"digest\":\"......../\"digest\":\"00000000/'\n"
    );
    std::fs::write(&other, script).unwrap();
    let also = format!("other=sh {}", path(&other));
    let few = "conformance/vectors/abi";
    let matrix = ["matrix", "--small", "--vectors", few, "--also", &also];
    let output = run(&[&matrix[..], &["--also-parts", "3"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(
        said.contains("`other` differs first at: chain 1 / block 3 / transaction 2"),
        "{said}"
    );
    assert!(text(&output.stdout).contains("| other | another program | **`"));
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_cannot_be_had_is_said_and_is_no_agreement() {
    let refused = |arguments: &[&str], status: i32, message: &str| {
        let output = run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains(message), "{said}");
    };
    refused(
        &["digest", "--inference", "abacus"],
        2,
        "`abacus` is nothing that networks run on: best, reference, scalar",
    );
    let foreign = if cfg!(target_arch = "x86_64") {
        "neon"
    } else {
        "avx2"
    };
    refused(
        &["digest", "--inference", foreign],
        3,
        &format!("not on this machine: the processor has no {foreign}"),
    );
    refused(
        &["digest", "--vectors", "/nowhere"],
        2,
        "cannot read /nowhere",
    );
    refused(
        &["digest", "--root", "/nowhere"],
        2,
        "`--root` names the repository's folder",
    );
    refused(
        &["matrix", "--also", "nothing"],
        2,
        "`nothing` is not NAME=COMMAND",
    );
    refused(&["digest", "--part", "9/8"], 2, "as in 2/8");
    refused(&["matrix", "--jobs", "0"], 2, "number would be zero");
    refused(&["soak", "--minutes=-1"], 2, "minutes are not negative");
    refused(&["soak", "--minutes", "inf"], 2, "minutes are not negative");
}

#[test]
fn a_block_is_timed_and_comes_out_the_same_on_every_host() {
    let figures = json(&run(&["load", "--transactions", "120", "--json"]));
    let [memory, durable, each] = figures.as_array().unwrap().as_slice() else {
        panic!("{figures}")
    };
    assert_eq!(memory["outcome"], durable["outcome"]);
    assert_eq!(memory["outcome"], each["outcome"]);
    let kinds = memory["kinds"].as_array().unwrap();
    let counts: Vec<_> = kinds
        .iter()
        .map(|k| (k["kind"].as_str().unwrap(), k["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        counts,
        [
            ("transfer", 54),
            ("vote", 24),
            ("signature", 18),
            ("inference", 24),
            ("all", 120)
        ]
    );
    // Votes are all good; of the others some are meant to fail.
    assert_eq!(kinds[1]["returned"], 24);
    for kind in kinds {
        let (count, returned) = (kind["count"].as_u64(), kind["returned"].as_u64());
        assert!(returned > count.map(|n| n * 2 / 3), "{kind}");
        assert!(kind["p50_us"].as_f64() <= kind["p99_us"].as_f64(), "{kind}");
    }
    // One verification of ML-DSA-65 and its bytes.
    assert!(kinds[2]["pq_gas"].as_u64() >= Some(35_000), "{}", kinds[2]);
}

/// `AIVM_SOAK_MINUTES` makes it longer.
#[test]
fn chains_with_upgrades_are_replayed_to_the_same_receipts() {
    let minutes = std::env::var("AIVM_SOAK_MINUTES").unwrap_or_else(|_| "0".into());
    let length = ["--chains", "3", "--blocks", "15", "--transactions", "20"];
    let arguments = [&["soak", "--json", "--minutes", &minutes], &length[..]].concat();
    let report = json(&run(&arguments));
    println!("{report:#}");
    assert_eq!(report["differences"], serde_json::json!([]));
    assert!(report["chains"].as_u64() >= Some(3));
    assert!(report["transactions"].as_u64() >= Some(3 * 15 * 20));
    assert!(
        report["evicted"].as_u64() > Some(10),
        "code was dropped on the way"
    );
}
