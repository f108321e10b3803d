//! Call data: what the Solidity ABI makes of values, through contracts that give back what they get.

use std::fmt::Write;

use aivm_conformance::outcome::Claim;
use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{I256, U256, keccak256};
use synq_compiler::{MemoryLoader, Options, compile};

use super::draft::*;

const REASON: &str = "The bytes are those of the crate alloy-dyn-abi, an implementation of the Solidity ABI that the compiler does not use for this.";

/// Code of the one contract of a source.
pub fn compiled(source: &str) -> Vec<u8> {
    let loader = MemoryLoader::new().with_source("a.synq", source);
    let output =
        compile("a.synq", &loader, &Options::new()).unwrap_or_else(|e| panic!("{source}\n{e:?}"));
    output.contracts[0].wasm.clone()
}

pub fn selector(signature: &str) -> [u8; 4] {
    keccak256(signature.as_bytes())[..4].try_into().unwrap()
}

/// Panic(uint256) with a code.
pub fn panic(code: u64) -> Vec<u8> {
    [
        &selector("Panic(uint256)")[..],
        &U256::from(code).to_be_bytes::<32>(),
    ]
    .concat()
}

/// Error(string).
pub fn error(message: &str) -> Vec<u8> {
    let value = DynSolValue::Tuple(vec![DynSolValue::String(message.to_owned())]);
    [&selector("Error(string)")[..], &value.abi_encode_params()].concat()
}

/// Types: in SynQ, which names the outer dimension first, in the ABI, and values in alloy's own text.
const TYPES: &[(&str, &str, &[&str])] = &[
    ("UInt8", "uint8", &["0", "1", "255"]),
    ("UInt16", "uint16", &["0", "256", "65535"]),
    ("UInt32", "uint32", &["0", "65536", "4294967295"]),
    (
        "UInt64",
        "uint64",
        &["0", "4294967296", "18446744073709551615"],
    ),
    (
        "UInt128",
        "uint128",
        &[
            "0",
            "18446744073709551616",
            "340282366920938463463374607431768211455",
        ],
    ),
    (
        "UInt256",
        "uint256",
        &[
            "0",
            "340282366920938463463374607431768211456",
            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        ],
    ),
    ("Int8", "int8", &["0", "-1", "127", "-128"]),
    ("Int16", "int16", &["-1", "32767", "-32768"]),
    ("Int32", "int32", &["-1", "2147483647", "-2147483648"]),
    (
        "Int64",
        "int64",
        &["-1", "9223372036854775807", "-9223372036854775808"],
    ),
    (
        "Int128",
        "int128",
        &[
            "-1",
            "170141183460469231731687303715884105727",
            "-170141183460469231731687303715884105728",
        ],
    ),
    (
        "Int256",
        "int256",
        &[
            "-1",
            "57896044618658097711785492504343953926634992332820282019728792003956564819967",
            "-57896044618658097711785492504343953926634992332820282019728792003956564819968",
        ],
    ),
    ("Bool", "bool", &["true", "false"]),
    (
        "Address",
        "address",
        &[
            "0x0000000000000000000000000000000000000000",
            "0xffffffffffffffffffffffffffffffffffffffff",
            "0x00112233445566778899aabbccddeeff00112233",
        ],
    ),
    (
        "Bytes32",
        "bytes32",
        &[
            "0x0000000000000000000000000000000000000000000000000000000000000000",
            "0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ],
    ),
    (
        "Bytes",
        "bytes",
        &[
            "0x",
            "0x00",
            "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        ],
    ),
    (
        "String",
        "string",
        &[
            "\"\"",
            "\"a\"",
            "\"thirty-two characters exactly!!!\"",
            "\"Größe 漢字\"",
        ],
    ),
    ("UInt256[]", "uint256[]", &["[]", "[1]", "[1,2,3]"]),
    ("UInt8[]", "uint8[]", &["[]", "[255,0,7]"]),
    ("Bool[3]", "bool[3]", &["[true,false,true]"]),
    ("UInt256[2]", "uint256[2]", &["[1,2]"]),
    ("UInt16[3][2]", "uint16[2][3]", &["[[1,2],[3,4],[5,6]]"]),
    ("UInt256[2][]", "uint256[][2]", &["[[],[]]", "[[1],[2,3]]"]),
    ("UInt256[][2]", "uint256[2][]", &["[]", "[[1,2]]"]),
    ("UInt256[][]", "uint256[][]", &["[]", "[[],[1,2]]"]),
    ("Bytes[]", "bytes[]", &["[]", "[0x,0x01,0x0203]"]),
    ("String[2]", "string[2]", &["[\"a\",\"bcd\"]"]),
    (
        "Address[]",
        "address[]",
        &["[0x00112233445566778899aabbccddeeff00112233]"],
    ),
    (
        "Bytes32[]",
        "bytes32[]",
        &["[0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff]"],
    ),
    ("Int64[]", "int64[]", &["[-1,1]"]),
];

fn call_data(signature: &str, values: &[DynSolValue]) -> Vec<u8> {
    let tuple = DynSolValue::Tuple(values.to_vec());
    [&selector(signature)[..], &tuple.abi_encode_params()].concat()
}

fn output(values: &[DynSolValue]) -> Vec<u8> {
    DynSolValue::Tuple(values.to_vec()).abi_encode_params()
}

pub fn files() -> Vec<File> {
    vec![echo(), malformed(), shapes()]
}

fn value(ty: &str, text: &str) -> DynSolValue {
    let ty: DynSolType = ty.parse().unwrap();
    ty.coerce_str(text)
        .unwrap_or_else(|e| panic!("{ty} {text}: {e}"))
}

/// A contract for some types: `f0`, `f1` ... give back what they get.
fn echo_source(types: &[(&str, &str, &[&str])]) -> String {
    let mut source = String::from("pragma synq ^1.0.0;\ncontract Echo {\n");
    for (i, (ty, _, _)) in types.iter().enumerate() {
        writeln!(
            source,
            "  function f{i}({ty} x) public -> {ty} {{ return x; }}"
        )
        .unwrap();
    }
    source + "}"
}

const GROUP: usize = 6;

fn echo() -> File {
    let mut file = File::new("abi", "values", REASON);
    for (group, types) in TYPES.chunks(GROUP).enumerate() {
        let name = format!("echo{group}");
        file.share(&name, compiled(&echo_source(types)));
        for (i, (_, ty, values)) in types.iter().enumerate() {
            let signature = format!("f{i}({ty})");
            for (number, text) in values.iter().enumerate() {
                let value = value(ty, text);
                let mut label = format!("{ty} {}: {text}", number + 1);
                if label.len() > 60 {
                    label = format!("{}…", label.chars().take(60).collect::<String>());
                }
                let values = [value];
                file.push(
                    Draft::new(label, "A value is decoded from call data and encoded as return data as the ABI says.")
                        .put(&name)
                        .call(&name, call_data(&signature, &values), Claim::returns(output(&values))),
                );
            }
        }
    }
    file
}

/// Call data that is not what the ABI allows: it reverts without data.
fn malformed() -> File {
    let reason = "As Solidity 0.8 does: call data that is too short, values with bits set that their types do not have, and offsets or lengths that lead outside revert without data.";
    let mut file = File::new("abi", "malformed", reason);
    for (group, types) in TYPES.chunks(GROUP).enumerate() {
        let name = format!("echo{group}");
        file.share(&name, compiled(&echo_source(types)));
        for (i, (_, ty, values)) in types.iter().enumerate() {
            let signature = format!("f{i}({ty})");
            let text = values.last().unwrap();
            let good = call_data(&signature, &[value(ty, text)]);
            let mut add = |what: &str, rule: &str, data: Vec<u8>| {
                file.push(Draft::new(format!("{ty}: {what}"), rule).put(&name).call(
                    &name,
                    data,
                    reverts([]),
                ));
            };
            add(
                "no arguments",
                "Missing arguments revert.",
                good[..4].to_vec(),
            );
            add(
                "cut by a word",
                "Missing bytes revert.",
                good[..good.len() - 32].to_vec(),
            );
            add(
                "a byte of the first word",
                "Missing bytes revert.",
                good[..5].to_vec(),
            );
            let dirty = |at: usize, byte: u8| {
                let mut data = good.clone();
                data[at] = byte;
                data
            };
            match *ty {
                "uint8" | "uint16" | "uint32" | "uint64" | "uint128" | "address" => {
                    add(
                        "the highest bit set",
                        "Bits above those of the type revert.",
                        dirty(4, 0x80),
                    );
                }
                "int8" | "int16" | "int32" | "int64" | "int128" => {
                    add(
                        "not sign-extended",
                        "A negative number is sign-extended.",
                        dirty(4, 0x7f),
                    );
                }
                "bool" => {
                    add("two", "A bool is 0 or 1.", dirty(35, 2));
                    add("256", "A bool is 0 or 1.", dirty(34, 1));
                }
                "bytes" | "string" | "uint256[]" | "uint8[]" | "uint256[][]" | "bytes[]"
                | "address[]" => {
                    add(
                        "a huge offset",
                        "An offset beyond the data reverts.",
                        dirty(4, 0xff),
                    );
                    add(
                        "an offset that wraps",
                        "An offset beyond the data reverts.",
                        {
                            let mut data = good.clone();
                            data[4..36].fill(0xff);
                            data
                        },
                    );
                    add("a huge length", "A length beyond the data reverts.", {
                        let mut data = good.clone();
                        data[36..68].fill(0xff);
                        data
                    });
                    add(
                        "a length of one more",
                        "A length beyond the data reverts.",
                        {
                            let mut data = good.clone();
                            data[67] = 200;
                            data
                        },
                    );
                }
                _ => {}
            }
        }
        for (what, data) in [
            ("no selector", vec![]),
            ("three bytes", vec![1, 2, 3]),
            ("an unknown selector", vec![1, 2, 3, 4]),
        ] {
            file.push(
                Draft::new(
                    format!("{name}: {what}"),
                    "A call that names no function reverts.",
                )
                .put(&name)
                .call(&name, data, reverts([])),
            );
        }
    }
    file
}

/// Several arguments and results, structs, events, errors, overloads.
fn shapes() -> File {
    let mut file = File::new("abi", "shapes", REASON);
    let source = r#"pragma synq ^1.0.0;
contract Shapes {
    struct Point { x: UInt256; y: Int64; }
    struct Named { name: String; at: Point; tags: UInt8[]; }
    event Plain(uint: UInt256, flag: Bool)
    event Indexed(who: Address indexed, n: UInt256 indexed, what: UInt8)
    event Texts(text: String indexed, data: Bytes)
    event None()
    error Short(UInt256 have, UInt256 need);
    error Nothing();
    function three(UInt8 a, String b, Bool c) public -> UInt8 { return a; }
    function back(UInt8 a, String b, UInt256[] c) public returns (UInt256[], String, UInt8) { return (c, b, a); }
    function point(Point p) public -> Point { return p; }
    function named(Named n) public -> Named { return n; }
    function points(Point[] p) public -> Point[] { return p; }
    function over(UInt8 a) public -> UInt256 { return 1; }
    function over(UInt256 a) public -> UInt256 { return 2; }
    function over(UInt8 a, UInt8 b) public -> UInt256 { return 3; }
    function plain(UInt256 n, Bool f) public { emit Plain(n, f); }
    function indexed(Address a, UInt256 n, UInt8 w) public { emit Indexed(a, n, w); }
    function texts(String t, Bytes d) public { emit Texts(t, d); }
    function none() public { emit None(); }
    function short(UInt256 a, UInt256 b) public { revert Short(a, b); }
    function nothing() public { revert Nothing(); }
    function message(Bool ok, String text) public { require(ok, "no good"); }
    function plainly() public { revert("because"); }
}"#;
    file.share("shapes", compiled(source));
    let n = |v: i64| DynSolValue::Uint(U256::from(v as u64), 256);
    let byte = |v: u64| DynSolValue::Uint(U256::from(v), 8);
    let text = |t: &str| DynSolValue::String(t.to_owned());
    let point = |x: i64, y: i64| {
        DynSolValue::Tuple(vec![n(x), DynSolValue::Int(I256::try_from(y).unwrap(), 64)])
    };
    let named = DynSolValue::Tuple(vec![
        text("corner"),
        point(5, -6),
        DynSolValue::Array(vec![byte(1), byte(2)]),
    ]);
    let list = DynSolValue::Array(vec![n(9), n(8)]);
    let rule = "Arguments and results lie one behind the other, what is dynamic behind them.";
    for (name, signature, values, results) in [
        (
            "three arguments",
            "three(uint8,string,bool)",
            vec![byte(7), text("x"), DynSolValue::Bool(true)],
            vec![byte(7)],
        ),
        (
            "three results",
            "back(uint8,string,uint256[])",
            vec![byte(7), text("hello"), list.clone()],
            vec![list, text("hello"), byte(7)],
        ),
        (
            "a struct",
            "point((uint256,int64))",
            vec![point(3, -4)],
            vec![point(3, -4)],
        ),
        (
            "a dynamic struct",
            "named((string,(uint256,int64),uint8[]))",
            vec![named.clone()],
            vec![named],
        ),
        (
            "structs in an array",
            "points((uint256,int64)[])",
            vec![DynSolValue::Array(vec![point(1, 2), point(3, -4)])],
            vec![DynSolValue::Array(vec![point(1, 2), point(3, -4)])],
        ),
        (
            "an overload by type: uint8",
            "over(uint8)",
            vec![byte(1)],
            vec![n(1)],
        ),
        (
            "an overload by type: uint256",
            "over(uint256)",
            vec![n(1)],
            vec![n(2)],
        ),
        (
            "an overload by number",
            "over(uint8,uint8)",
            vec![byte(1), byte(1)],
            vec![n(3)],
        ),
    ] {
        file.push(Draft::new(name, rule).put("shapes").call(
            "shapes",
            call_data(signature, &values),
            Claim::returns(output(&results)),
        ));
    }
    let topic = |text: &str| aivm::Word::from_be_bytes(keccak256(text.as_bytes()).0);
    let hex = |data: Vec<u8>| aivm_conformance::action::Hex(data);
    let rule = "Topic 0 is the Keccak-256 of the event's signature; what is indexed follows, by its hash if it is dynamic; the rest is the data.";
    let who = [0x22; 20];
    let mut padded = [0; 32];
    padded[12..].copy_from_slice(&who);
    for (name, signature, values, topics, data) in [
        (
            "an event without topics of its own",
            "plain(uint256,bool)",
            vec![n(5), DynSolValue::Bool(true)],
            vec![topic("Plain(uint256,bool)")],
            output(&[n(5), DynSolValue::Bool(true)]),
        ),
        (
            "an event with indexed values",
            "indexed(address,uint256,uint8)",
            vec![DynSolValue::Address(who.into()), n(6), byte(7)],
            vec![
                topic("Indexed(address,uint256,uint8)"),
                aivm::Word::from_be_bytes(padded),
                aivm::Word::from(6u64),
            ],
            output(&[byte(7)]),
        ),
        (
            "an event with an indexed string",
            "texts(string,bytes)",
            vec![text("hello"), DynSolValue::Bytes(vec![1, 2])],
            vec![topic("Texts(string,bytes)"), topic("hello")],
            output(&[DynSolValue::Bytes(vec![1, 2])]),
        ),
        (
            "an event without anything",
            "none()",
            vec![],
            vec![topic("None()")],
            vec![],
        ),
    ] {
        let claim = Claim {
            events: Some(vec![(topics, hex(data))]),
            ..Claim::returns([])
        };
        file.push(Draft::new(name, rule).put("shapes").call(
            "shapes",
            call_data(signature, &values),
            claim,
        ));
    }
    let rule =
        "Errors are encoded as Solidity's: a selector and arguments; `Error(string)` for messages.";
    for (name, signature, values, data) in [
        (
            "an error with arguments",
            "short(uint256,uint256)",
            vec![n(1), n(2)],
            call_data("Short(uint256,uint256)", &[n(1), n(2)]),
        ),
        (
            "an error without arguments",
            "nothing()",
            vec![],
            selector("Nothing()").to_vec(),
        ),
        (
            "a requirement that fails",
            "message(bool,string)",
            vec![DynSolValue::Bool(false), text("")],
            error("no good"),
        ),
        (
            "a revert with a message",
            "plainly()",
            vec![],
            error("because"),
        ),
    ] {
        file.push(Draft::new(name, rule).put("shapes").call(
            "shapes",
            call_data(signature, &values),
            reverts(data),
        ));
    }
    let good = [DynSolValue::Bool(true), text("fine")];
    file.push(
        Draft::new(
            "a requirement that holds",
            "A requirement that holds does nothing.",
        )
        .put("shapes")
        .call(
            "shapes",
            call_data("message(bool,string)", &good),
            Claim::returns([]),
        ),
    );
    file
}
