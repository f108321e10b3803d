//! A contract that `synqc` built, at the command line.

mod common;

use std::path::Path;

use common::{aivm, text};
use serde_json::{Value, json};
use synq_compiler::{MemoryLoader, Options, compile};

const SOURCE: &str = r#"pragma synq ^1.0.0;
contract Box {
    UInt256 public size;
    event Filled(String indexed name, UInt256 size, Address indexed by);
    error TooLarge(UInt256 asked, UInt256 most);

    constructor(UInt256 first) {
        require(first < 5, "start small");
        debug("made");
        size = first;
    }

    function when() public view returns (UInt256 height, UInt256 time) {
        return (block.number, block.timestamp);
    }

    function fill(String name, UInt256 n) public -> UInt256 {
        debug(name);
        if (n > 10) {
            revert TooLarge(n, 10);
        }
        size = n;
        emit Filled(name, n, msg.sender);
        return n + 1;
    }
}
"#;

/// Keccak-256 of `hello`.
const HELLO: &str = "1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8";

/// Where `synqc build` would have put the contract.
struct Built {
    folder: tempfile::TempDir,
    wasm: String,
    abi: String,
}

fn build() -> Built {
    let folder = tempfile::tempdir().unwrap();
    let sources = MemoryLoader::new().with_source("src/box.synq", SOURCE);
    let output = compile("src/box.synq", &sources, &Options::new()).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    Built {
        wasm: file("Box.wasm", &output.contracts[0].wasm),
        abi: file(
            "Box.abi.json",
            output.contracts[0].abi_json.to_string().as_bytes(),
        ),
        folder,
    }
}

impl Built {
    /// What a subcommand says about the contract, and its exit code.
    fn says(&self, command: &str, args: &[&str]) -> (String, Option<i32>) {
        let output = aivm(&[&[command, &self.wasm, "--abi", &self.abi], args].concat());
        (text(&output), output.status.code())
    }

    fn json(&self, command: &str, args: &[&str]) -> Value {
        let head = [command, &self.wasm, "--abi", &self.abi, "--json"];
        serde_json::from_slice(&aivm(&[&head[..], args].concat()).stdout).unwrap()
    }
}

#[test]
fn calls_events_errors_and_lines_of_the_log_are_shown() {
    let built = build();
    let (fill, more) = ("fill(\"hello\", 4)", "fill(\"more\\n\", 11)");
    let args = ["--init", "3", "--call", fill, "--call", more];
    let (seen, code) = built.says("run", &args);
    assert_eq!(code, Some(1), "{seen}");
    for line in [
        &format!("\ncall      {fill}\n"),
        "returned  5\n",
        &format!(" Filled(name: 0x{HELLO}, size: 4, by: "),
        " hello\n",
        &format!("\ncall      {more}\n"),
        "reason    TooLarge(asked: 11, most: 10)\n",
        "(src/box.synq:20)\n",
    ] {
        assert!(seen.contains(line), "{line}\n{seen}");
    }
    let json = built.json("run", &args);
    let (first, second) = (&json["calls"][0], &json["calls"][1]);
    assert_eq!(
        (&first["call"], &second["call"]),
        (&json!(fill), &json!(more))
    );
    let results = json!([{"name": "", "type": "uint256", "value": "5"}]);
    assert_eq!(
        (&first["results"], &second["results"]),
        (&results, &Value::Null)
    );
    assert_eq!(first["events"][0]["arguments"][1]["value"], "4");
    assert_eq!(
        first["log"],
        json!([{"contract": json["contract"], "message": "hello"}])
    );
    assert_eq!(second["error"]["name"], "TooLarge");
    assert_eq!(json["deployment"]["log"][0]["message"], "made");
    assert_eq!(json["deployment"]["log"].as_array().unwrap().len(), 1);

    // A transcript runs the last call once more, and its lines come once.
    let transcript = built.folder.path().join("calls");
    let args = [
        "--init",
        "3",
        "--call",
        fill,
        "--transcript",
        transcript.to_str().unwrap(),
    ];
    let json = built.json("run", &args);
    assert_eq!(json["calls"][0]["log"].as_array().unwrap().len(), 1);
    assert_eq!(json["calls"][0]["hash"], first["hash"]);
}

#[test]
fn results_have_names_and_blocks_a_time() {
    let built = build();
    let args = [
        "--init",
        "3",
        "--block",
        "7",
        "--time",
        "1700000000",
        "--call",
        "when",
    ];
    let (seen, _) = built.says("run", &args);
    assert!(
        seen.contains("returned  height: 7, time: 1700000000\n"),
        "{seen}"
    );
    let json = built.json("run", &args);
    assert_eq!(
        json["calls"][0]["results"][1],
        json!({"name": "time", "type": "uint256", "value": "1700000000"})
    );
}

#[test]
fn a_contract_on_a_chain_in_a_file_is_made_once() {
    let built = build();
    let state = built.folder.path().join("chain.redb");
    let state = ["--state", state.to_str().unwrap()];
    let (seen, code) = built.says("run", &state);
    assert_eq!(code, Some(2), "{seen}");
    let why = "`constructor(uint256 first)` takes 1 argument, 0 given; the constructor's arguments are given with --init";
    assert!(seen.contains(why), "{seen}");
    let json = built.json(
        "run",
        &[&state[..], &["--init", "3", "--call", "size"]].concat(),
    );
    assert_eq!(json["deployment"]["receipt"]["status"], "return");
    assert_eq!(json["calls"][0]["returned"], "3");
    // Now there is nothing to construct.
    let json = built.json("run", &[&state[..], &["--call", "fill(\"x\", 9)"]].concat());
    assert_eq!(json["deployment"], Value::Null);
    assert_eq!(json["calls"][0]["log"][0]["message"], "x");
    let (seen, _) = built.says("run", &[&state[..], &["--call", "size"]].concat());
    assert!(seen.contains(", which was there already\n"), "{seen}");
    assert!(seen.contains("returned  9\n"), "{seen}");
}

#[test]
fn mistakes_are_met_with_what_mends_them() {
    let built = build();
    for (args, why) in [
        (
            &["--init", "7"][..],
            "ended with revert: start small\n  at Box.",
        ),
        (&["--init", "7"], "(src/box.synq:8)"),
        (
            &["--init", "3", "--from", "bob"],
            "`bob` is not an address, syn1... or 0x and 40 digits",
        ),
        (&["--init", "3", "--gas", "100"], "; --gas allows more"),
        (
            &["--init", "3", "--call", "fil(1)"],
            "no function `fil`; there is `fill(string,uint256)`",
        ),
        (
            &["--init", "3", "--call", "fill(1"],
            "write it as 'name(argument, ...)'",
        ),
    ] {
        let (seen, code) = built.says("run", args);
        assert_eq!(code, Some(2), "{seen}");
        assert!(seen.contains(why), "{why}\n{seen}");
    }
    // Files that are something else are named.
    for flag in ["--state", "--model"] {
        let (seen, code) = built.says("run", &["--init", "3", flag, &built.wasm]);
        assert_eq!(code, Some(2), "{seen}");
        assert!(seen.contains(&format!("error: {}: ", built.wasm)), "{seen}");
    }
    let without = aivm(&["run", &built.wasm]);
    let hint = "revert: no reason given; if it takes arguments, give them with --init";
    assert!(text(&without).contains(hint), "{}", text(&without));
    let missing = built.folder.path().join("Bx.wasm");
    let output = aivm(&["run", missing.to_str().unwrap(), "--abi", &built.abi]);
    assert!(
        text(&output).contains("Bx.wasm: No such file"),
        "{}",
        text(&output)
    );
    let output = aivm(&["inspect", &built.abi]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output).contains("is neither a Wasm module"),
        "{}",
        text(&output)
    );
}

#[test]
fn profile_names_functions() {
    let built = build();
    let args = ["--init", "3", "--call", "fill(\"hello\", 4)"];
    let (seen, _) = built.says("profile", &args);
    assert!(seen.contains(" call fill(string,uint256) used "), "{seen}");
    let json = built.json("profile", &args);
    assert_eq!(json["calls"][0]["function"], "fill(string,uint256)");
}

/// A module whose functions have no names, one of them imported.
const NAMELESS: &str = r#"(module
  (import "synergy:aivm/context@0.1.0" "gas-left" (func (result i64)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
  (func (param i32 i32) (result i32) (drop (call 0)) (drop (call 0)) (i32.const 16))
  (export "construct" (func 2)) (export "call" (func 2)) (export "query" (func 2)))"#;

#[test]
fn inspect_names_functions_and_lines() {
    let built = build();
    let inspect = |file: &Path| {
        let file = file.to_str().unwrap();
        let json = aivm(&["inspect", file, "--json"]);
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        let people = aivm(&["inspect", file]);
        (json, text(&people), people.status.code())
    };
    let (json, seen, _) = inspect(Path::new(&built.wasm));
    let functions = json["function_bodies"].as_array().unwrap();
    assert_eq!(json["functions"], functions.len(), "{json}");
    let fill = functions.iter().find(|f| f["name"] == "Box.fill");
    let fill = fill.unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!(fill["line"], "src/box.synq:18");
    assert!(fill["bytes"].as_u64().unwrap() > 50, "{fill}");
    assert!(seen.contains("  Box.fill (src/box.synq:18)  "), "{seen}");

    // Without names there are numbers, imports counted.
    let module = built.folder.path().join("module.wasm");
    let nameless = wat::parse_str(NAMELESS).unwrap();
    std::fs::write(&module, &nameless).unwrap();
    let (json, seen, code) = inspect(&module);
    assert_eq!(code, Some(0), "{seen}");
    assert_eq!(
        json["function_bodies"],
        json!([
            {"index": 1, "name": null, "line": null, "bytes": 3},
            {"index": 2, "name": null, "line": null, "bytes": 10},
        ])
    );
    assert!(seen.contains("\n  function 2 "), "{seen}");

    // A custom section: id 0, its length, the length of its name and the name, and what is no table of lines.
    let section = [&[0, 13, 10][..], b"aivm:lines", &[9, 9]].concat();
    std::fs::write(&module, [&nameless[..], &section].concat()).unwrap();
    let (json, seen, code) = inspect(&module);
    assert_eq!(code, Some(0), "{seen}");
    let note = "the section `aivm:lines` is malformed and ignored";
    assert!(seen.contains(&format!("note         {note}")), "{seen}");
    assert!(
        json["notes"][0].as_str().unwrap().starts_with(note),
        "{json}"
    );
    // A table that leads beyond the code, and out of its own files.
    for table in [
        &[1, 1, 1, b'a', 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 5][..],
        &[1, 0, 1, 0, 1, 0],
    ] {
        let length = 11 + table.len() as u8;
        let section = [&[0, length, 10][..], b"aivm:lines", table].concat();
        std::fs::write(&module, [&nameless[..], &section].concat()).unwrap();
        let (json, seen, code) = inspect(&module);
        assert_eq!(code, Some(0), "{seen}");
        assert_eq!(json["function_bodies"][1]["line"], Value::Null);
    }
    std::fs::write(&module, &nameless[..nameless.len() - 1]).unwrap();
    assert_eq!(inspect_code(&module), Some(2));
}

fn inspect_code(file: &Path) -> Option<i32> {
    aivm(&["inspect", file.to_str().unwrap()]).status.code()
}
