//! Call data against known encodings and hostile bytes.

use aivm_abi::calldata::{
    CalldataError, DynSolValue, JsonAbi, RevertReason, decode_call, decode_event, decode_output,
    decode_revert, encode_call, encode_constructor, find_function, format_value, parse_abi,
    parse_arguments, parse_call, split_arguments,
};
use aivm_abi::{Address, Word};
use alloy_primitives::U256;
use proptest::prelude::*;

const TOKEN: &str = r#"[
    {"type":"constructor","inputs":[{"name":"supply","type":"uint256"}],"stateMutability":"nonpayable"},
    {"type":"function","name":"transfer","inputs":[{"name":"to","type":"address"},{"name":"amount","type":"uint256"}],"outputs":[{"name":"","type":"bool"}],"stateMutability":"nonpayable"},
    {"type":"function","name":"mint","inputs":[{"name":"amount","type":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
    {"type":"function","name":"mint","inputs":[{"name":"to","type":"address[]"},{"name":"amount","type":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
    {"type":"function","name":"read","inputs":[{"name":"image","type":"uint8[4][2]"}],"outputs":[{"name":"","type":"string"},{"name":"","type":"bytes"}],"stateMutability":"view"},
    {"type":"event","name":"Transfer","inputs":[{"name":"from","type":"address","indexed":true},{"name":"to","type":"address","indexed":true},{"name":"amount","type":"uint256","indexed":false}],"anonymous":false},
    {"type":"error","name":"Short","inputs":[{"name":"have","type":"uint256"},{"name":"need","type":"uint256"}]}
]"#;

const TO: Address = Address([0x11; 20]);

fn abi() -> JsonAbi {
    parse_abi(TOKEN).unwrap()
}

fn uint(value: u64) -> DynSolValue {
    DynSolValue::Uint(U256::from(value), 256)
}

#[test]
fn transfer_encodes_as_solidity_does() {
    let abi = abi();
    let function = find_function(&abi, "transfer").unwrap();
    let arguments = parse_arguments(
        "transfer",
        &function.inputs,
        &[TO.to_string().as_str(), "1_000"],
    )
    .unwrap();
    let data = encode_call(function, &arguments).unwrap();
    assert_eq!(
        hex::encode(&data),
        "a9059cbb\
         0000000000000000000000001111111111111111111111111111111111111111\
         00000000000000000000000000000000000000000000000000000000000003e8"
    );
    let (found, values) = decode_call(&abi, &data).unwrap();
    assert_eq!((found.name.as_str(), values), ("transfer", arguments));
}

#[test]
fn functions_are_found_by_name_signature_and_selector() {
    let abi = abi();
    let signature = |name: &str| find_function(&abi, name).map(|function| function.signature());
    assert_eq!(signature("mint(uint256)").unwrap(), "mint(uint256)");
    assert_eq!(
        signature("0xa9059cbb").unwrap(),
        "transfer(address,uint256)"
    );
    let error = signature("mint").unwrap_err().to_string();
    assert!(
        error.contains("`mint(uint256)`") && error.contains("`mint(address[],uint256)`"),
        "{error}"
    );
    let error = signature("burn").unwrap_err().to_string();
    assert!(
        error.starts_with("no function `burn`") && error.contains("`transfer(address,uint256)`"),
        "{error}"
    );
}

#[test]
fn calls_are_read_as_people_write_them() {
    let abi = abi();
    let read = |text: &str| {
        let (function, values) = parse_call(&abi, text)?;
        let values: Vec<String> = values.iter().map(format_value).collect();
        Ok::<_, CalldataError>(format!("{} <- {}", function.signature(), values.join("; ")))
    };
    assert_eq!(read("mint(5)").unwrap(), "mint(uint256) <- 5");
    // Of several functions, the one that fits.
    let list = format!("mint([{TO}, {TO}], 7)");
    let expected = format!("mint(address[],uint256) <- [{TO}, {TO}]; 7");
    assert_eq!(read(&list).unwrap(), expected);
    assert_eq!(
        read(" mint(uint256)( 1_000 ) ").unwrap(),
        "mint(uint256) <- 1000"
    );
    assert!(matches!(read("mint(5"), Err(CalldataError::BadCall(_))));
    assert!(matches!(read("mint(5)5"), Err(CalldataError::BadCall(_))));
    assert!(matches!(
        read("burn(5)"),
        Err(CalldataError::NoFunction { .. })
    ));
    assert!(matches!(read(""), Err(CalldataError::NoFunction { .. })));
    assert!(matches!(
        read("transfer(5)"),
        Err(CalldataError::ArgumentCount { .. })
    ));
    assert!(matches!(
        read("mint(x)"),
        Err(CalldataError::Argument { .. })
    ));
}

#[test]
fn arguments_split_at_outer_commas() {
    assert_eq!(split_arguments(""), Vec::<String>::new());
    assert_eq!(
        split_arguments("1, [2,3], (4,5), \"a,b\", [\"c\", \"d\"]"),
        ["1", "[2,3]", "(4,5)", "\"a,b\"", "[\"c\", \"d\"]"]
    );
    assert_eq!(
        split_arguments(r#"'a,"b', "c\",", it's, d"#),
        [r#"'a,"b'"#, r#""c\",""#, "it's", "d"]
    );
    assert_eq!(split_arguments("1,"), ["1", ""]);
    assert_eq!(split_arguments(")),(("), ["))", "(("]);
}

#[test]
fn text_arguments_nest() {
    let abi = abi();
    let function = find_function(&abi, "mint(address[],uint256)").unwrap();
    let addresses = format!("[{TO}, 0x2222222222222222222222222222222222222222]");
    let values = parse_arguments("mint", &function.inputs, &[addresses.as_str(), "0x10"]).unwrap();
    assert_eq!(values[1], uint(16));
    assert_eq!(
        format_value(&values[0]),
        format!("[{TO}, {}]", Address([0x22; 20]))
    );
    let function = find_function(&abi, "read").unwrap();
    let values = parse_arguments("read", &function.inputs, &["[[1,2,3,4],[5,6,7,8]]"]).unwrap();
    let data = encode_call(function, &values).unwrap();
    assert_eq!(data.len(), 4 + 8 * 32);
    assert_eq!(decode_call(&abi, &data).unwrap().1, values);
}

const TEXTS: &str = r#"[
    {"type":"function","name":"echo","inputs":[{"name":"text","type":"string"}],"outputs":[],"stateMutability":"view"},
    {"type":"function","name":"all","inputs":[{"name":"list","type":"tuple[]","components":[{"name":"text","type":"string"},{"name":"rest","type":"string[2]"}]},{"name":"last","type":"bytes"}],"outputs":[],"stateMutability":"view"}
]"#;

#[test]
fn text_in_quotes_has_the_escapes_of_solidity() {
    let abi = parse_abi(TEXTS).unwrap();
    let read = |text: &str| {
        let (_, values) = parse_call(&abi, &format!("echo({text})"))?;
        match values.as_slice() {
            [DynSolValue::String(text)] => Ok::<_, CalldataError>(text.clone()),
            other => panic!("{other:?}"),
        }
    };
    for (written, meant) in [
        (r#""a\nb""#, "a\nb"),
        (r#""a\"b""#, "a\"b"),
        (r#""\r\t\\\"\'""#, "\r\t\\\"'"),
        (r#"'"\''"#, "\"'"),
        (r#""\x41\xc3\xa9\x00""#, "Aé\0"),
        (r#""\u00e9\u{e9}\u{1F600}\u{7}1""#, "éé😀\u{7}1"),
        (r#"" a, (b) ""#, " a, (b) "),
        (r#""""#, ""),
        // Without quotes a backslash is a backslash.
        (r"a\nb ", r"a\nb"),
        ("it's", "it's"),
    ] {
        assert_eq!(read(written).unwrap(), meant, "{written}");
    }
    for (written, reason) in [
        (r#""\q""#, r"`\q` is no escape"),
        (r#""\0""#, r"`\0` is no escape"),
        (r#""\x4""#, r#"`\x4"` is no escape"#),
        (r#""\x+4""#, r"`\x+4` is no escape"),
        (r#""\u12""#, r#"`\u12"` is no escape"#),
        (r#""\ud800""#, r"`\ud800` is no escape"),
        (r#""\u{}""#, r"`\u` is no escape"),
        (r#""\u{0000041}""#, r"`\u0000041` is no escape"),
        (r#""\xff""#, "no UTF-8"),
        (r#""a"b"#, "ends with the quote"),
        (r#""a\""#, "ends with the quote"),
        (r#""a"#, "ends with the quote"),
    ] {
        let error = read(written).unwrap_err();
        assert!(
            matches!(&error, CalldataError::Argument { index: 1, reason: r, .. } if r.contains(reason)),
            "{written}: {error}"
        );
    }
    // In lists and tuples too.
    let written = r#"all([("a\"]", ["\n", x]), ( 'b,(' , ["", "\u{41}"])], "0x01")"#;
    let (_, values) = parse_call(&abi, written).unwrap();
    assert_eq!(
        values.iter().map(format_value).collect::<Vec<_>>(),
        [r#"[("a\"]", ["\n", "x"]), ("b,(", ["", "A"])]"#, "0x01"]
    );
    for wrong in [
        "all([(a, [b])], 0x)",
        "all([(a, [b, c, d])], 0x)",
        "all([(a)], 0x)",
        "all([(a, [b,])], 0x)",
        "all([(a, [,b])], 0x)",
        "all([(a, b)], 0x)",
        "all((a, [b, c]), 0x)",
        r#"all([(a, [b, "\q"])], 0x)"#,
    ] {
        let error = parse_call(&abi, wrong).unwrap_err();
        assert!(
            matches!(error, CalldataError::Argument { index: 1, .. }),
            "{wrong}: {error}"
        );
    }
}

#[test]
fn bad_arguments_name_the_parameter() {
    let abi = abi();
    let function = find_function(&abi, "transfer").unwrap();
    let parse =
        |arguments: &[&str]| parse_arguments("transfer", &function.inputs, arguments).unwrap_err();
    assert_eq!(
        parse(&["1"]),
        CalldataError::ArgumentCount {
            signature: "transfer".into(),
            expected: 2,
            given: 1
        }
    );
    assert!(
        matches!(parse(&["0x12", "1"]), CalldataError::Argument { index: 1, name, .. } if name == "to")
    );
    assert!(matches!(
        parse(&[&TO.to_string(), "-1"]),
        CalldataError::Argument { index: 2, .. }
    ));
    let mistyped = TO.to_string().replace("zyg3", "zyg2");
    assert_ne!(mistyped, TO.to_string());
    assert!(parse(&[&mistyped, "1"]).to_string().contains("checksum"));
    let deep = "[".repeat(100_000);
    let mint = find_function(&abi, "mint(address[],uint256)").unwrap();
    assert!(parse_arguments("mint", &mint.inputs, &[deep.as_str(), "1"]).is_err());
    let wrong = encode_call(function, &[uint(1), uint(2)]).unwrap_err();
    assert!(
        matches!(wrong, CalldataError::Argument { index: 1, .. }),
        "{wrong}"
    );
}

#[test]
fn constructors_take_arguments_without_a_selector() {
    let abi = abi();
    assert_eq!(
        encode_constructor(&abi, &[uint(7)]).unwrap(),
        Word::from(7u64).to_be_bytes()
    );
    assert!(encode_constructor(&abi, &[]).is_err());
    let none = parse_abi("[]").unwrap();
    assert_eq!(encode_constructor(&none, &[]), Ok(Vec::new()));
    assert!(encode_constructor(&none, &[uint(1)]).is_err());
    assert!(matches!(parse_abi("{"), Err(CalldataError::Abi(_))));
}

#[test]
fn outputs_decode() {
    let abi = abi();
    let transfer = find_function(&abi, "transfer").unwrap();
    assert_eq!(
        decode_output(transfer, &Word::from(1u64).to_be_bytes()),
        Ok(vec![DynSolValue::Bool(true)])
    );
    assert!(matches!(
        decode_output(transfer, &[0; 31]),
        Err(CalldataError::Data { .. })
    ));
}

#[test]
fn reverts_are_read() {
    let abi = abi();
    let read = |hex: &str| decode_revert(Some(&abi), &hex::decode(hex).unwrap());
    assert_eq!(read(""), RevertReason::Empty);
    let message = "08c379a0\
        0000000000000000000000000000000000000000000000000000000000000020\
        0000000000000000000000000000000000000000000000000000000000000003\
        6f6e650000000000000000000000000000000000000000000000000000000000";
    assert_eq!(read(message), RevertReason::Error("one".into()));
    let panic = format!("4e487b71{:064x}", 0x11);
    assert_eq!(read(&panic).to_string(), "arithmetic overflow (panic 0x11)");
    let selector = hex::encode(abi.error("Short").unwrap()[0].selector());
    let custom = read(&format!("{selector}{:064x}{:064x}", 3, 5));
    assert_eq!(custom.to_string(), "Short(have: 3, need: 5)");
    assert_eq!(
        read("08c379a0ff"),
        RevertReason::Raw(vec![0x08, 0xc3, 0x79, 0xa0, 0xff])
    );
    assert_eq!(read("0102"), RevertReason::Raw(vec![1, 2]));
    assert_eq!(read("01020304").to_string(), "0x01020304");
}

#[test]
fn events_are_read() {
    let abi = abi();
    let selector = Word::from_be_bytes(abi.event("Transfer").unwrap()[0].selector().0);
    let topics = [selector, Address([0x22; 20]).to_word(), TO.to_word()];
    let event = decode_event(&abi, &topics, &Word::from(5u64).to_be_bytes()).unwrap();
    assert_eq!(
        event.to_string(),
        format!(
            "Transfer(from: {}, to: {TO}, amount: 5)",
            Address([0x22; 20])
        )
    );
    assert_eq!(
        event
            .fields
            .iter()
            .map(|field| field.indexed)
            .collect::<Vec<_>>(),
        [true, true, false]
    );
    assert_eq!(
        decode_event(&abi, &topics[..2], &[0; 32]),
        Err(CalldataError::UnknownEvent)
    );
    assert_eq!(
        decode_event(&abi, &[], &[]),
        Err(CalldataError::UnknownEvent)
    );
    assert!(matches!(
        decode_event(&abi, &topics, &[0; 31]),
        Err(CalldataError::Data { .. })
    ));
}

/// Bits that a type does not have, and bytes that no encoding gives, belong to another event.
#[test]
fn a_log_that_its_values_do_not_give_again_is_no_event() {
    let event = |ty: &str| {
        let abi = format!(
            r#"[{{"type":"event","name":"E","anonymous":false,"inputs":[
            {{"name":"a","type":"{ty}","indexed":true}},{{"name":"b","type":"{ty}","indexed":false}}]}}]"#
        );
        let abi = parse_abi(&abi).unwrap();
        let selector = Word::from_be_bytes(abi.event("E").unwrap()[0].selector().0);
        (abi, selector)
    };
    let word = |hex: &str| {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).unwrap();
        Word::from_be_bytes(bytes)
    };
    let (zeros, ones) = ("00", "ff");
    for (ty, good, bad) in [
        (
            "uint8",
            [zeros.repeat(31), ones.into()],
            [zeros.repeat(30), "0100".into()],
        ),
        (
            "int8",
            [ones.repeat(31), "80".into()],
            [ones.repeat(31), "7f".into()],
        ),
        (
            "int8",
            [zeros.repeat(31), "7f".into()],
            [zeros.repeat(31), "80".into()],
        ),
        (
            "int256",
            ["80".into(), zeros.repeat(31)],
            [String::new(), String::new()],
        ),
        (
            "bool",
            [zeros.repeat(31), "01".into()],
            [zeros.repeat(31), "02".into()],
        ),
        (
            "address",
            [zeros.repeat(12), ones.repeat(20)],
            ["01".into(), zeros.repeat(31)],
        ),
        (
            "bytes4",
            ["deadbeef".into(), zeros.repeat(28)],
            ["deadbeef".into(), ones.repeat(28)],
        ),
        (
            "function",
            [ones.repeat(24), zeros.repeat(8)],
            [ones.repeat(24), ones.repeat(8)],
        ),
    ] {
        let (abi, selector) = event(ty);
        let good = word(&good.concat());
        let read = |a: Word, b: Word, rest: &[u8]| {
            let data = [&b.to_be_bytes()[..], rest].concat();
            decode_event(&abi, &[selector, a], &data)
        };
        let decoded = read(good, good, &[]).unwrap();
        assert_eq!(decoded.signature, format!("E({ty},{ty})"));
        let [a, b] = decoded.fields.as_slice() else {
            panic!("{decoded:?}");
        };
        assert_eq!((&a.value, a.ty.as_str(), a.hashed), (&b.value, ty, false));
        assert!(
            matches!(read(good, good, &[0]), Err(CalldataError::Data { .. })),
            "{ty}"
        );
        if !bad.concat().is_empty() {
            let bad = word(&bad.concat());
            assert!(
                matches!(read(bad, good, &[]), Err(CalldataError::Data { .. })),
                "{ty}"
            );
            assert!(
                matches!(read(good, bad, &[]), Err(CalldataError::Data { .. })),
                "{ty}"
            );
        }
    }
    // Indexed, these are hashes, of any bits.
    for ty in ["string", "bytes", "uint8[]", "bool[2]"] {
        let (abi, selector) = event(ty);
        let hash = word(&ones.repeat(32));
        let data = match ty {
            "bool[2]" => vec![0; 64],
            _ => {
                let mut data = vec![0; 64];
                data[31] = 32;
                data
            }
        };
        let decoded = decode_event(&abi, &[selector, hash], &data).unwrap();
        assert!(decoded.fields[0].hashed && !decoded.fields[1].hashed);
        assert_eq!(
            format_value(&decoded.fields[0].value),
            format!("0x{}", ones.repeat(32))
        );
    }
}

#[test]
fn short_and_unknown_call_data_is_refused() {
    let abi = abi();
    assert_eq!(
        decode_call(&abi, &[1, 2, 3]).unwrap_err(),
        CalldataError::TooShort(3)
    );
    assert_eq!(
        decode_call(&abi, &[1, 2, 3, 4]).unwrap_err(),
        CalldataError::UnknownSelector([1, 2, 3, 4])
    );
    let cut = hex::decode("a9059cbb00").unwrap();
    assert!(matches!(
        decode_call(&abi, &cut),
        Err(CalldataError::Data { .. })
    ));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(selector in 0usize..4, tail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let abi = abi();
        let mut data = abi.functions().nth(selector).unwrap().selector().to_vec();
        data.extend(&tail);
        let _ = decode_call(&abi, &data);
        let _ = decode_revert(Some(&abi), &data);
        let _ = decode_revert(Some(&abi), &tail);
        let selector = Word::from_be_bytes(abi.event("Transfer").unwrap()[0].selector().0);
        let topics = [selector, TO.to_word(), TO.to_word()];
        // One word, and nothing else, is this event's data.
        prop_assert_eq!(decode_event(&abi, &topics, &tail).is_ok(), tail.len() == 32);
        for function in abi.functions() {
            let _ = decode_output(function, &tail);
        }
    }

    #[test]
    fn what_is_printed_is_read_again(texts in proptest::collection::vec(".{0,20}|[\"'\\\\,(\\[\\x00-\\x1f\u{301}]{0,12}", 3)) {
        let abi = parse_abi(TEXTS).unwrap();
        let texts: Vec<DynSolValue> = texts.into_iter().map(DynSolValue::String).collect();
        let echoed = format!("echo({})", format_value(&texts[0]));
        prop_assert_eq!(&parse_call(&abi, &echoed).unwrap().1, &texts[..1]);
        let pair = DynSolValue::Tuple(vec![
            texts[0].clone(),
            DynSolValue::FixedArray(texts[1..].to_vec()),
        ]);
        let values = [
            DynSolValue::Array(vec![pair.clone(), pair]),
            DynSolValue::Bytes(vec![1, 2]),
        ];
        let printed: Vec<String> = values.iter().map(format_value).collect();
        let call = format!("all({})", printed.join(", "));
        prop_assert_eq!(&parse_call(&abi, &call).unwrap().1, &values);
    }

    #[test]
    fn any_text_is_a_value_or_an_error(text in "\\PC{0,60}") {
        let abi = abi();
        for function in abi.functions() {
            let arguments = vec![text.as_str(); function.inputs.len()];
            let _ = parse_arguments("f", &function.inputs, &arguments);
        }
    }
}

#[test]
fn a_reason_cannot_do_anything_to_a_terminal() {
    let reason = RevertReason::Error("gone\u{1b}[1A\r\nok: 5 €\u{9b}".to_owned());
    assert_eq!(reason.to_string(), "gone\\u{1b}[1A\\r\\nok: 5 €\\u{9b}");
}
