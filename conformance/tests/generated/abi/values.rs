//! Each type there and back.

use std::fmt::Write;

use aivm_conformance::outcome::Claim;
use alloy_dyn_abi::{DynSolType, DynSolValue};

use super::super::draft::{Draft, File};
use super::{REASON, call_data, compiled, output};

/// A type: in SynQ, which names the outer dimension first, in the ABI, and values in alloy's text.
pub type Type = (&'static str, &'static str, &'static [&'static str]);

const TYPES: &[Type] = &[
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

pub fn value(ty: &str, text: &str) -> DynSolValue {
    let ty: DynSolType = ty.parse().unwrap();
    ty.coerce_str(text)
        .unwrap_or_else(|e| panic!("{ty} {text}: {e}"))
}

/// A contract for some types: `f0`, `f1` ... give back what they get.
fn echo_source(types: &[Type]) -> String {
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

/// Contracts of six types each, which the file shares: names and types.
pub fn echoes(file: &mut File) -> Vec<(String, &'static [Type])> {
    let groups = TYPES.chunks(6).enumerate();
    groups
        .map(|(group, types)| {
            let name = format!("echo{group}");
            file.share(&name, compiled(&echo_source(types)));
            (name, types)
        })
        .collect()
}

pub fn file() -> File {
    let mut file = File::new("abi", "values", REASON);
    for (name, types) in echoes(&mut file) {
        for (i, (_, ty, values)) in types.iter().enumerate() {
            let signature = format!("f{i}({ty})");
            for (number, text) in values.iter().enumerate() {
                let mut label = format!("{ty} {}: {text}", number + 1);
                if label.len() > 60 {
                    label = format!("{}…", label.chars().take(60).collect::<String>());
                }
                let values = [value(ty, text)];
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
