//! Events, errors and results in the words of an ABI, which may be a lie.

mod common;

use std::path::PathBuf;
use std::process::Output;

use common::{aivm, text};
use serde_json::{Value, json};

/// A contract that tells what it is told. Input: 32 bytes, of which the first is the number of
/// topics and the second not 0 for a revert with the data; the topics, as the VM takes them
/// (least significant byte first); the data.
const TELLER: &str = r#"(module
  (import "synergy:aivm/events@0.1.0" "emit" (func $emit (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $tell (param $at i32) (param $length i32) (result i32)
    (local $data i32)
    (if (i32.lt_u (local.get $length) (i32.const 32)) (then
      (i32.store (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (local.get $at))
      (i32.store (i32.const 24) (local.get $length))
      (return (i32.const 16))))
    (local.set $data (i32.add (local.get $at)
      (i32.add (i32.const 32) (i32.mul (i32.const 32) (i32.load8_u (local.get $at))))))
    (local.set $length
      (i32.sub (i32.add (local.get $at) (local.get $length)) (local.get $data)))
    (i32.store (i32.const 16) (i32.load8_u offset=1 (local.get $at)))
    (i32.store (i32.const 20) (local.get $data))
    (i32.store (i32.const 24) (local.get $length))
    (if (i32.eqz (i32.load (i32.const 16))) (then
      (call $emit (i32.add (local.get $at) (i32.const 32)) (i32.load8_u (local.get $at))
        (local.get $data) (local.get $length))
      (i32.store (i32.const 24) (i32.const 0))))
    (i32.const 16))
  (export "construct" (func $tell)) (export "call" (func $tell)) (export "query" (func $tell)))"#;

const ABI: &str = r#"[
  {"type":"event","name":"Transfer","anonymous":false,"inputs":[
    {"name":"from","type":"address","indexed":true},
    {"name":"to","type":"address","indexed":true},
    {"name":"amount","type":"uint256","indexed":false}]},
  {"type":"event","name":"Note","anonymous":false,"inputs":[
    {"name":"title","type":"string","indexed":true},
    {"name":"body","type":"string","indexed":false},
    {"name":"list","type":"tuple[]","indexed":false,"components":[
      {"name":"a","type":"uint8"},{"name":"b","type":"bool"}]},
    {"name":"n","type":"int16","indexed":false},
    {"name":"tag","type":"bytes4","indexed":false}]},
  {"type":"event","name":"Bad","anonymous":false,"inputs":[
    {"name":"a","type":"uint8","indexed":false},{"name":"b","type":"bool","indexed":false}]},
  {"type":"event","name":"Quiet","anonymous":true,"inputs":[
    {"name":"who","type":"uint256","indexed":true}]},
  {"type":"error","name":"ERC20InsufficientBalance","inputs":[
    {"name":"sender","type":"address"},{"name":"balance","type":"uint256"},
    {"name":"needed","type":"uint256"}]},
  {"type":"error","name":"OwnableInvalidOwner","inputs":[{"name":"","type":"address"}]},
  {"type":"function","name":"feed","stateMutability":"nonpayable","outputs":[],"inputs":[]},
  {"type":"function","name":"add","stateMutability":"nonpayable","inputs":[
    {"name":"n","type":"uint256"}],"outputs":[{"name":"sum","type":"uint256"},{"name":"","type":"bool[]"}]}
]"#;

/// Keccak-256 of `Transfer(address,address,uint256)`, as ERC-20 publishes it.
const TRANSFER: &str = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// Of `Deposit(address,uint256)`, as WETH logs it.
const DEPOSIT: &str = "e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c";
/// Of `Note(string,string,(uint8,bool)[],int16,bytes4)`.
const NOTE: &str = "e8f15b0bb2ae8c18f679f262d6c5864b84b0187cc56a0480568ff58d647eb249";
/// Of `Bad(uint8,bool)`.
const BAD: &str = "ca7d73e99bda71899b8120037237d79b08e92b832f70183f8ba20db294d02f49";
/// Of `hello`.
const HELLO: &str = "1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8";

/// The contract and its ABI in files.
struct Files {
    _folder: tempfile::TempDir,
    wasm: PathBuf,
    abi: PathBuf,
}

impl Files {
    fn new(abi: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Self {
            wasm: folder.path().join("teller.wasm"),
            abi: folder.path().join("teller.abi.json"),
            _folder: folder,
        };
        std::fs::write(&files.wasm, wat::parse_str(TELLER).unwrap()).unwrap();
        std::fs::write(&files.abi, abi).unwrap();
        files
    }

    fn run(&self, args: &[&str]) -> Output {
        let (wasm, abi) = (self.wasm.to_str().unwrap(), self.abi.to_str().unwrap());
        aivm(&[&["run", wasm, "--abi", abi], args].concat())
    }

    /// The call as a person and as a program see it.
    fn call(&self, call: &str) -> (String, Value) {
        let seen = text(&self.run(&["--call", call]));
        let output = self.run(&["--call", call, "--json"]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        (seen, json["calls"][0].clone())
    }
}

fn word(value: u64) -> String {
    format!("{value:064x}")
}

/// A call that tells of an event.
fn event(topics: &[&str], data: &str) -> String {
    let mut call = format!("0x{:02x}{}", topics.len(), "00".repeat(31));
    for topic in topics {
        let mut bytes = hex::decode(topic).unwrap();
        bytes.reverse();
        call += &hex::encode(bytes);
    }
    call + data
}

/// A call that reverts with data.
fn revert(data: &str) -> String {
    format!("0x0001{}{data}", "00".repeat(30))
}

/// Data of the event `Note`.
fn note() -> String {
    [
        word(0x80),
        word(0xc0),
        format!("{}fffe", "ff".repeat(30)),
        format!("deadbeef{}", "00".repeat(28)),
        word(2),
        format!("{}{}", "6869", "00".repeat(30)),
        word(2),
        word(1),
        word(1),
        word(255),
        word(0),
    ]
    .concat()
}

fn bech32m(byte: &str) -> String {
    let address = format!("0x{}", byte.repeat(20));
    address.parse::<aivm::Address>().unwrap().to_string()
}

#[test]
fn events_have_names_and_arguments() {
    let files = Files::new(ABI);
    let (from, to) = (word(0x11), word(0x22));
    let (seen, json) = files.call(&event(&[TRANSFER, &from, &to], &word(1_000)));
    let address = |last: &str| {
        let address = format!("0x{}{last}", "00".repeat(19));
        address.parse::<aivm::Address>().unwrap().to_string()
    };
    let (from, to) = (address("11"), address("22"));
    let line = format!(" Transfer(from: {from}, to: {to}, amount: 1000)\n");
    assert!(seen.contains(&line), "{seen}");
    let told = &json["events"][0];
    assert_eq!(told["contract"], json["receipt"]["contract"], "{json}");
    assert_eq!(told["name"], "Transfer");
    assert_eq!(told["signature"], "Transfer(address,address,uint256)");
    assert_eq!(told["problem"], Value::Null);
    assert_eq!(
        told["arguments"],
        json!([
            {"name": "from", "type": "address", "indexed": true, "hashed": false, "value": from},
            {"name": "to", "type": "address", "indexed": true, "hashed": false, "value": to},
            {"name": "amount", "type": "uint256", "indexed": false, "hashed": false, "value": "1000"},
        ])
    );
    // The log itself is still there.
    assert_eq!(json["receipt"]["events"].as_array().unwrap().len(), 1);

    let (seen, json) = files.call(&event(&[NOTE, HELLO], &note()));
    let line = format!(
        " Note(title: 0x{HELLO}, body: \"hi\", list: [(1, true), (255, false)], n: -2, tag: 0xdeadbeef)\n"
    );
    assert!(seen.contains(&line), "{seen}");
    let arguments = &json["events"][0]["arguments"];
    assert_eq!(
        arguments[0],
        json!({"name": "title", "type": "string", "indexed": true, "hashed": true, "value": format!("0x{HELLO}")})
    );
    let values: Vec<&Value> = arguments
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["value"])
        .collect();
    assert_eq!(
        values[1..],
        [
            &json!("hi"),
            &json!([["1", true], ["255", false]]),
            &json!("-2"),
            &json!("0xdeadbeef")
        ]
    );
    assert_eq!(arguments[2]["type"], "(uint8,bool)[]");
}

#[test]
fn a_constructor_has_events_too() {
    let files = Files::new(ABI);
    let init = event(&[TRANSFER, &word(0), &word(0x22)], &word(7));
    let seen = text(&files.run(&["--init", &init]));
    assert!(seen.contains("\ndeployed "), "{seen}");
    assert!(seen.contains(", amount: 7)\n"), "{seen}");
    let output = files.run(&["--init", &init, "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        json["deployment"]["events"][0]["arguments"][2]["value"],
        "7"
    );
    assert_eq!(json["calls"], json!([]));
}

/// What the ABI does not tell of is shown as it is, with a reason where there is one.
#[test]
fn other_logs_stay_as_they_are() {
    let files = Files::new(ABI);
    let (from, to) = (word(0x11), word(0x22));
    let odd = "11".repeat(32);
    for (topics, data) in [
        (&[odd.as_str()][..], word(1)),                     // an unknown topic
        (&[], word(1)),                                     // anonymous, without topics
        (&[odd.as_str()], String::new()), // `Quiet`, which nothing tells from others
        (&[TRANSFER], [&from, &to, odd.as_str()].concat()), // nothing is indexed
        (&[TRANSFER, &from, &to, &odd], String::new()), // all is indexed, as ERC-721 has it
        (&[HELLO, &from, &to], word(1)),
    ] {
        let (seen, json) = files.call(&event(topics, &data));
        let line = topics.iter().map(|t| format!("0x{t}")).collect::<Vec<_>>();
        let line = format!(" [{}] 0x{data}\n", line.join(", "));
        assert!(seen.contains(&line), "{line}{seen}");
        let told = &json["events"][0];
        assert_eq!(told["name"], Value::Null, "{json}");
        assert_eq!(told["arguments"], Value::Null, "{json}");
        assert_eq!(told["problem"], Value::Null, "{json}");
    }
    for (topics, data) in [
        (&[TRANSFER, &from, &to][..], "00".repeat(31)), // short
        (&[TRANSFER, &from, &to], String::new()),
        (&[TRANSFER, &from, &to], [word(1), word(0)].concat()), // long
        (&[TRANSFER, &odd, &to], word(1)),                      // no address
        (&[BAD], [word(256), word(1)].concat()),                // no uint8
        (&[BAD], [word(1), word(2)].concat()),                  // no bool
        (
            &[NOTE, HELLO],
            note().replacen(&word(0xc0), &word(0xffff_ffff), 1),
        ), // offset
        (
            &[NOTE, HELLO],
            note().replacen(&word(2), &word(u64::MAX), 1),
        ), // length
        (&[NOTE, HELLO], note().replace("fffe", "7ffe")),       // no int16
        (&[NOTE, HELLO], note().replace("6869", "ff69")),       // no text
    ] {
        let (seen, json) = files.call(&event(topics, &data));
        let line = format!("] 0x{data} (data of `");
        assert!(seen.contains(&line), "{line}\n{seen}");
        let told = &json["events"][0];
        assert_eq!(told["arguments"], Value::Null, "{json}");
        let problem = told["problem"].as_str().unwrap();
        assert!(problem.contains("` does not decode: "), "{problem}");
    }
}

/// The ABI says which arguments are indexed; the topic does not.
#[test]
fn an_abi_that_lies_is_found_out_where_the_log_shows_it() {
    let event_of = |to: bool, amount: bool| {
        json!({"type": "event", "name": "Deposit", "anonymous": false, "inputs": [
            {"name": "to", "type": "address", "indexed": to},
            {"name": "amount", "type": "uint256", "indexed": amount}]})
    };
    let large = "ff".repeat(32);
    let call = event(&[DEPOSIT, &word(0x22)], &large);
    let lie = Files::new(&json!([event_of(false, true)]).to_string());
    let (seen, json) = lie.call(&call);
    assert!(
        seen.contains(&format!("] 0x{large} (data of `Deposit(address,uint256)`")),
        "{seen}"
    );
    assert_eq!(json["events"][0]["name"], Value::Null);
    // Beside the truth it does no harm.
    let both = Files::new(&json!([event_of(false, true), event_of(true, false)]).to_string());
    let (_, json) = both.call(&call);
    let arguments = &json["events"][0]["arguments"];
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(
        (&arguments[0]["indexed"], &arguments[1]["value"]),
        (&json!(true), &json!(max))
    );
    // So many topics are no log at all.
    let many = Files::new(&json!([event_of(true, true)]).to_string());
    assert_eq!(many.call(&call).1["events"][0]["problem"], Value::Null);
}

#[test]
fn files_that_are_no_abi_are_refused() {
    let call = event(&[TRANSFER, &word(1), &word(2)], &word(3));
    let nested = |ty: &str| {
        json!([{"type": "event", "name": "Transfer", "anonymous": false, "inputs": [
            {"name": "a", "type": ty, "indexed": false}]}])
        .to_string()
    };
    for abi in [
        "".to_owned(),
        "{}".to_owned(),
        "[{\"type\":\"event\"}]".to_owned(),
        "\u{1b}".to_owned(),
        nested("uint257 x"),
        nested(&"(".repeat(100_000)),
        nested("uint8[4294967295]"),
    ] {
        let output = Files::new(&abi).run(&["--call", &call]);
        let seen = text(&output);
        assert_eq!(output.status.code(), Some(2), "{seen}");
        assert!(seen.contains("teller.abi.json"), "{seen}");
        assert!(!seen.contains('\u{1b}'), "{seen}");
    }
    // A type that no log can have is a matter of its event alone.
    for ty in [
        "uint257".to_owned(),
        "uint8[60000]".to_owned(),
        format!("uint8{}", "[]".repeat(15)),
    ] {
        let (seen, _) = Files::new(&nested(&ty)).call(&call);
        assert!(seen.contains("status    return"), "{seen}");
    }
}

#[test]
fn reverts_have_names_and_arguments() {
    let files = Files::new(ABI);
    let (from, data) = (
        format!("{}{}", "00".repeat(12), "11".repeat(20)),
        "e450d38c",
    );
    let data = [data, &from, &word(3), &word(5)].concat();
    let (seen, json) = files.call(&revert(&data));
    let sender = bech32m("11");
    let reason = format!("ERC20InsufficientBalance(sender: {sender}, balance: 3, needed: 5)");
    assert!(seen.contains(&format!("reason    {reason}\n")), "{seen}");
    assert_eq!(json["reason"], reason);
    assert_eq!(
        json["error"],
        json!({"name": "ERC20InsufficientBalance", "arguments": [
            {"name": "sender", "value": sender},
            {"name": "balance", "value": "3"},
            {"name": "needed", "value": "5"}]})
    );
    let panic = format!("4e487b71{}", word(0x11));
    let (seen, json) = files.call(&revert(&panic));
    assert!(
        seen.contains("reason    arithmetic overflow (panic 0x11)\n"),
        "{seen}"
    );
    assert_eq!(json["error"], Value::Null);
    // A message may not move the cursor or add lines.
    let message = "1b5b324a0a7374617475732020202072657475726e";
    let message = format!(
        "08c379a0{}{}{message}{}",
        word(32),
        word(21),
        "00".repeat(11)
    );
    let (seen, json) = files.call(&revert(&message));
    assert!(
        seen.contains("reason    \\u{1b}[2J\\nstatus    return\n"),
        "{seen}"
    );
    assert!(!seen.contains('\u{1b}'), "{seen}");
    assert_eq!(json["reason"], "\\u{1b}[2J\\nstatus    return");
    // Cut off, and of an error that the ABI does not have.
    for data in [&data[..data.len() - 2], "e450d38d", "e4"] {
        let (seen, json) = files.call(&revert(data));
        assert!(seen.contains(&format!("reason    0x{data}\n")), "{seen}");
        assert_eq!(json["error"], Value::Null);
    }
}

#[test]
fn a_constructor_that_reverts_says_why_and_where() {
    let files = Files::new(ABI);
    let data = format!("1e4fbdf7{}{}", word(0), "00".repeat(28));
    let output = files.run(&["--init", &revert(&data)]);
    let seen = text(&output);
    assert_eq!(output.status.code(), Some(2), "{seen}");
    let reason = format!(
        "the constructor ended with revert: OwnableInvalidOwner({})",
        bech32m("00")
    );
    assert!(seen.contains(&reason), "{seen}");
    // Beyond what there is in memory.
    let trap = format!("0xff{}", "00".repeat(31));
    let seen = text(&files.run(&["--init", &trap]));
    assert!(seen.contains("the constructor ended with trap:"), "{seen}");
    assert!(!seen.contains("no reason given"), "{seen}");
}

/// Names come before hexadecimal, which some of them are.
#[test]
fn names_are_not_taken_for_hexadecimal() {
    let files = Files::new(ABI);
    let input = |call: &str| {
        let (_, json) = files.call(call);
        let output = json["receipt"]["output"].as_str().unwrap().to_owned();
        (output, json)
    };
    // The contract gives back what is shorter than 32 bytes. Keccak-256 of `feed()` begins so.
    let (output, json) = input("feed");
    assert_eq!(output.len(), 2 + 8, "{json}");
    assert_eq!(output, input("feed()").0);
    assert_eq!(input("fee0").0, "0xfee0");
    assert_eq!(input("0xfeed").0, "0xfeed");
    assert_eq!(input("").0, "0x");
    let output = files.run(&["--call", "feed(1)"]);
    assert!(
        text(&output).contains("takes 0 arguments"),
        "{}",
        text(&output)
    );
    let output = files.run(&["--call", "fed(1)"]);
    assert!(
        text(&output).contains("no function `fed`; there is"),
        "{}",
        text(&output)
    );

    let abi = r#"[{"type":"constructor","stateMutability":"nonpayable","inputs":[{"name":"n","type":"uint8"}]}]"#;
    let files = Files::new(abi);
    // The word's first byte is 0 topics, its second no revert: it is told as an event.
    let output = files.run(&["--init", "10", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        json["deployment"]["events"][0]["contract"], json["contract"],
        "{json}"
    );
    for (init, why) in [
        ("", "takes 1 argument, 0 given"),
        ("1000", "argument 1 (`n`: uint8)"),
        ("0x1234", "argument 1 (`n`: uint8)"),
        ("1, 2", "takes 1 argument, 2 given"),
    ] {
        let output = files.run(&["--init", init]);
        assert_eq!(output.status.code(), Some(2), "{init}");
        assert!(text(&output).contains(why), "{init}: {}", text(&output));
    }
    let output = aivm(&["run", files.wasm.to_str().unwrap(), "--call", "f()"]);
    let hint = format!("--abi {}", files.abi.display());
    assert!(text(&output).contains(&hint), "{}", text(&output));
}
