//! `aivm key` as its users meet it.

use std::path::Path;
use std::process::{Command, Output};

fn aivm(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aivm"))
        .args(args)
        .current_dir(folder)
        .env("AIVM_PASSPHRASE", "correct horse")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

const CALL: [&str; 12] = [
    "--to",
    "0x0707070707070707070707070707070707070707",
    "--input",
    "0x01020304",
    "--chain",
    "9",
    "--network",
    "testnet",
    "--nonce",
    "3",
    "--expires",
    "100",
];
const CHECK: [&str; 8] = [
    "--chain",
    "9",
    "--network",
    "testnet",
    "--height",
    "50",
    "--nonce",
    "3",
];

#[test]
fn keys_sign_and_a_node_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = json(&aivm(folder, &["key", "new", "alice.json", "--json"]));
    let shown = json(&aivm(folder, &["key", "address", "alice.json", "--json"]));
    assert_eq!(made["address"], shown["address"]);
    assert_eq!(shown["keys"][0]["algorithm"], "mldsa65");
    assert_eq!(shown["keys"][0]["key"].as_str().unwrap().len(), 2 * 1952);
    let other = text(&aivm(
        folder,
        &["key", "address", "alice.json", "--prefix", "tsyn"],
    ));
    assert!(other.starts_with("tsyn1"), "{other}");

    let sign = [
        &["key", "sign", "alice.json", "-o", "call.tx", "--json"][..],
        &CALL,
    ]
    .concat();
    let signed = json(&aivm(folder, &sign));
    let verify = [&["key", "verify", "call.tx", "--json"][..], &CHECK].concat();
    let output = aivm(folder, &verify);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let verified = json(&output);
    assert_eq!(verified["valid"], true);
    assert_eq!(verified["id"], signed["id"]);
    assert_eq!(verified["from"], made["address"]);
    assert_eq!(verified["action"]["input"], "0x01020304");

    // A replay, and a byte changed on its way.
    let replay = [&["key", "verify", "call.tx"][..], &CHECK[..7], &["4"]].concat();
    let output = aivm(folder, &replay);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("refused  nonce 3 was used; the next is 4 (code 4)"),
        "{}",
        text(&output)
    );
    let mut bytes = std::fs::read(folder.join("call.tx")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(folder.join("call.tx"), bytes).unwrap();
    let output = aivm(folder, &verify);
    assert_eq!(
        (output.status.code(), json(&output)["code"].as_u64()),
        (Some(1), Some(11))
    );
}

#[test]
fn a_sealed_call_is_read_by_its_recipient_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (file, level) in [("alice.json", "maximum"), ("node.json", "enhanced")] {
        let output = aivm(folder, &["key", "new", file, "--level", level]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    let sign = [
        "key",
        "sign",
        "alice.json",
        "-o",
        "call.tx",
        "--level",
        "maximum",
        "--seal-to",
        "node.json",
    ];
    let output = aivm(folder, &[&sign[..], &CALL].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    let accept = ["--accept", "fndsa512", "--accept", "slhdsa128s"];
    let verify = [&["key", "verify", "call.tx"][..], &CHECK, &accept].concat();
    let shown = text(&aivm(folder, &verify));
    assert!(
        shown.contains("action   sealed") && !shown.contains("01020304"),
        "{shown}"
    );
    let shown = text(&aivm(
        folder,
        &[&verify[..], &["--open", "node.json"]].concat(),
    ));
    assert!(shown.contains("with 0x01020304"), "{shown}");
    let output = aivm(folder, &[&verify[..], &["--open", "alice.json"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output).contains("sealed to the key"),
        "{}",
        text(&output)
    );
    // A chain that takes ML-DSA-65 alone.
    let strict = [&["key", "verify", "call.tx"][..], &CHECK].concat();
    let shown = text(&aivm(folder, &strict));
    assert!(
        shown.contains("refused  the chain does not accept fndsa512 (code 8)"),
        "{shown}"
    );
}

#[test]
fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(aivm(folder, &["key", "new", "alice.json"]).status.success());
    let wrong = |args: &[&str], reason: &str| {
        let output = aivm(folder, args);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(reason), "{}", text(&output));
    };
    wrong(
        &["key", "new", "alice.json"],
        "alice.json: entity already exists",
    );
    wrong(
        &["key", "new", "b.json", "--scheme", "rsa"],
        "there is no scheme `rsa`; known are mldsa44",
    );
    wrong(
        &["key", "address", "nobody.json"],
        "nobody.json: No such file",
    );
    std::fs::write(folder.join("text.json"), "hello").unwrap();
    wrong(&["key", "address", "text.json"], "not a key file");
    std::fs::write(folder.join("other"), "wrong horse\n").unwrap();
    let sign = [
        "key",
        "sign",
        "alice.json",
        "-o",
        "x.tx",
        "--passphrase-file",
        "other",
    ];
    wrong(
        &[&sign[..], &CALL].concat(),
        "the passphrase is wrong, or the file was changed",
    );
    let sealed = [
        "key",
        "sign",
        "alice.json",
        "-o",
        "x.tx",
        "--level",
        "enhanced",
    ];
    wrong(&[&sealed[..], &CALL].concat(), "give --seal-to");
    wrong(
        &[&["key", "verify", "text.json"][..], &CHECK].concat(),
        "text.json is not a signed transaction",
    );
    let output = Command::new(env!("CARGO_BIN_EXE_aivm"))
        .args(["key", "new", "c.json"])
        .current_dir(folder)
        .env_remove("AIVM_PASSPHRASE")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(
        text(&output).contains("set AIVM_PASSPHRASE"),
        "{}",
        text(&output)
    );
}
