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
/// Alice signs the call, and writes it to `call.tx`.
fn sign(folder: &Path, call: &[&str], more: &[&str]) {
    let sign = ["key", "sign", "alice.json", "-o", "call.tx"];
    let output = aivm(folder, &[&sign[..], more, call].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

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
    assert_eq!(verified["network"], "testnet");
    assert_eq!(verified["expires_at"], 100);

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
    sign(
        folder,
        &CALL,
        &["--level", "maximum", "--seal-to", "node.json"],
    );

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
    // A chain that takes ML-DSA-65 alone. What it refuses is not opened, in either form of output.
    let strict = [
        &["key", "verify", "call.tx", "--open", "node.json"][..],
        &CHECK,
    ]
    .concat();
    let output = aivm(folder, &strict);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output);
    assert!(
        shown.contains("refused  the chain does not accept fndsa512 (code 8)")
            && shown.contains("action   sealed; a refused one is not opened")
            && !shown.contains("01020304"),
        "{shown}"
    );
    let output = aivm(folder, &[&strict[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json(&output)["action"], serde_json::Value::Null);
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

#[test]
fn verify_shows_all_that_was_signed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(aivm(folder, &["key", "new", "alice.json"]).status.success());
    let terms = ["--value", "12345678901234567890", "--gas", "765432"];
    sign(folder, &CALL, &terms);
    let shown = text(&aivm(
        folder,
        &[&["key", "verify", "call.tx"][..], &CHECK].concat(),
    ));
    for line in [
        "network  testnet, chain 9",
        "nonce    3",
        "expires  after height 100",
        "value    12345678901234567890",
        "gas      765432",
        "signed   mldsa65",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    // A stranger's network cannot write lines of its own.
    let mut foreign = CALL;
    foreign[7] = "test\nvalid";
    sign(folder, &foreign, &terms);
    let shown = text(&aivm(
        folder,
        &[&["key", "verify", "call.tx"][..], &CHECK].concat(),
    ));
    assert!(
        shown.starts_with("refused  for network `test\\nvalid`, this is `testnet` (code 2)\n"),
        "{shown}"
    );
    assert!(
        shown.contains("network  test\\nvalid, chain 9\n"),
        "{shown}"
    );
}

#[test]
fn what_would_not_be_protected_as_asked_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (file, level) in [
        ("alice.json", "basic"),
        ("bob.json", "basic"),
        ("node.json", "enhanced"),
    ] {
        let output = aivm(folder, &["key", "new", file, "--level", level]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    let wrong = |options: &[&str], reason: &str| {
        let sign = ["key", "sign", "alice.json", "-o", "call.tx"];
        let output = aivm(folder, &[&sign[..], options, &CALL].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(reason), "{}", text(&output));
        assert!(!folder.join("call.tx").exists());
    };
    wrong(
        &["--seal-to", "node.json"],
        "level basic leaves the action readable by all; to seal it, give --level enhanced or higher",
    );
    wrong(
        &["--level", "enhanced", "--seal-to", "bob.json"],
        "bob.json has no keys that open; `aivm key new --level enhanced` makes some",
    );
    wrong(
        &["--level", "maximum", "--seal-to", "node.json"],
        "level Maximum needs an FN-DSA signature; `aivm key new --level maximum` makes an account",
    );
}

#[test]
fn a_key_file_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for file in ["alice.json", "bob.json"] {
        assert!(aivm(folder, &["key", "new", file]).status.success());
    }
    for file in ["alice.json", "./alice.json", "bob.json"] {
        let before = std::fs::read(folder.join(file)).unwrap();
        let sign = ["key", "sign", "alice.json", "-o", file];
        let output = aivm(folder, &[&sign[..], &CALL].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        let reason = format!("{file} holds keys, which writing to it would destroy");
        assert!(text(&output).contains(&reason), "{}", text(&output));
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), before);
    }
    // Anything else is written over, as a compiler does with what it makes.
    std::fs::write(folder.join("call.tx"), "of yesterday").unwrap();
    let sign = ["key", "sign", "alice.json", "-o", "call.tx"];
    let output = aivm(folder, &[&sign[..], &CALL].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_ne!(
        std::fs::read(folder.join("call.tx")).unwrap(),
        b"of yesterday"
    );
}

/// macOS refuses to make such files.
#[cfg(target_os = "linux")]
#[test]
fn paths_need_not_be_text() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |args: Vec<OsString>| {
        let output = Command::new(env!("CARGO_BIN_EXE_aivm"))
            .args(args)
            .arg("--json")
            .current_dir(folder)
            .env("AIVM_PASSPHRASE", "correct horse")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        json(&output)
    };
    let (keys, call) = (
        OsStr::from_bytes(b"k\xff.json"),
        OsStr::from_bytes(b"c\xff"),
    );
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let made = run([words(&["key", "new"]), vec![keys.into()]].concat());
    assert_eq!(made["file"], "k\u{fffd}.json");
    let sign = [
        words(&["key", "sign"]),
        vec![keys.into(), "-o".into(), call.into()],
        words(&CALL),
    ];
    let signed = run(sign.concat());
    assert_eq!(signed["file"], "c\u{fffd}");
    assert!(folder.join(call).exists());
}
