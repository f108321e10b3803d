//! How large the types of an ABI may be.

use aivm_abi::calldata::{CalldataError, JsonAbi, parse_abi};

/// Where an ABI has types.
const PLACES: [&str; 7] = [
    "input",
    "output",
    "component",
    "event",
    "part of an event",
    "error",
    "constructor",
];

/// An ABI with a type in one of [`PLACES`].
fn abi_with(place: &str, ty: &str) -> Result<JsonAbi, CalldataError> {
    abi_of(place, &format!(r#""name":"a","type":"{ty}""#))
}

/// As [`abi_with`], with all that describes the parameter but for its braces.
fn abi_of(place: &str, plain: &str) -> Result<JsonAbi, CalldataError> {
    let inner = format!(
        r#""name":"s","type":"tuple","components":[{{{plain}}},{{"name":"b","type":"bool"}}]"#
    );
    let function = r#""type":"function","name":"f","stateMutability":"view""#;
    let event = r#""type":"event","name":"e","anonymous":false"#;
    let item = match place {
        "input" => format!(r#"{function},"inputs":[{{{plain}}}],"outputs":[]"#),
        "output" => format!(r#"{function},"inputs":[],"outputs":[{{{plain}}}]"#),
        "component" => format!(r#"{function},"inputs":[{{{inner}}}],"outputs":[]"#),
        "event" => format!(r#"{event},"inputs":[{{{plain},"indexed":false}}]"#),
        "part of an event" => format!(r#"{event},"inputs":[{{{inner},"indexed":false}}]"#),
        "error" => format!(r#""type":"error","name":"e","inputs":[{{{plain}}}]"#),
        _ => format!(r#""type":"constructor","inputs":[{{{plain}}}],"stateMutability":"payable""#),
    };
    parse_abi(&format!("[{{{item}}}]"))
}

/// A type of a hundred thousand dimensions took all of the stack when it was dropped.
#[test]
fn arrays_have_dimensions_that_can_be_counted() {
    for place in PLACES {
        let with =
            |dimensions: usize| abi_with(place, &format!("uint8{}", "[]".repeat(dimensions)));
        assert!(with(32).is_ok(), "{place}: {:?}", with(32));
        for dimensions in [33, 200_000] {
            let error = with(dimensions).unwrap_err();
            assert!(error.to_string().contains("dimensions"), "{place}: {error}");
        }
    }
}

/// The decoder makes room for all elements of an array of fixed length before it looks at the data.
#[test]
fn types_have_as_many_words_as_a_decoder_may_make_room_for() {
    let refused = |abi: Result<JsonAbi, CalldataError>, what: &str| {
        let expected = "parameters have more than 65536 words".to_owned();
        assert_eq!(abi, Err(CalldataError::Abi(expected)), "{what}");
    };
    for place in PLACES {
        // A struct around the type has a word beside it.
        let beside = usize::from(["component", "part of an event"].contains(&place));
        let most = 65_536 - beside;
        let at = abi_with(place, &format!("uint256[{most}]"));
        assert!(at.is_ok(), "{place}: {at:?}");
        for ty in [
            format!("uint256[{}]", most + 1),
            "uint256[20000000][]".to_owned(),
        ] {
            refused(abi_with(place, &ty), &format!("{place}: {ty}"));
        }
    }
    for (ty, small) in [
        ("uint8[256][256]", true),
        ("uint8[256][257]", false),
        ("uint8[65535][]", true),
        ("uint8[65536][]", false),
        ("string[65536]", true),
        ("string[65537]", false),
        // An array of one, or of variable length, is memory of its own.
        ("uint8[][1][16384]", true),
        ("uint8[][1][1][16384]", true),
        ("uint8[][1][1][16385]", false),
        ("(bool,(bool,bool[2]))[16384]", true),
        ("(bool,(bool,bool[2]))[16385]", false),
        ("(bool)[32768]", true),
        ("(bool)[32769]", false),
        // Products that no integer holds.
        ("bool[4294967296][4294967296]", false),
        ("bool[65536][18446744073709551615]", false),
        (
            "(bool[18446744073709551615],bool[18446744073709551615])",
            false,
        ),
    ] {
        let abi = abi_with("output", ty);
        match small {
            true => assert!(abi.is_ok(), "{ty}: {abi:?}"),
            false => refused(abi, ty),
        }
    }
    let part = |name: &str, ty: &str| format!(r#"{{"name":"{name}","type":"{ty}"}}"#);
    for (length, small) in [(16_384, true), (16_385, false)] {
        let components = [part("x", "bytes32[3]"), part("y", "address")].join(",");
        let ty = format!(r#""name":"a","type":"tuple[{length}]","components":[{components}]"#);
        let abi = abi_of("input", &ty);
        match small {
            true => assert!(abi.is_ok(), "{abi:?}"),
            false => refused(abi, "a tuple of four words"),
        }
    }
    // All parameters of a function are decoded at once.
    for (length, small) in [(32_768, true), (32_769, false)] {
        let inputs = [
            part("x", "uint256[32768]"),
            part("y", &format!("uint256[{length}]")),
        ];
        let abi = parse_abi(&format!(
            r#"[{{"type":"function","name":"f","stateMutability":"view","inputs":[{}],"outputs":[]}}]"#,
            inputs.join(",")
        ));
        match small {
            true => assert!(abi.is_ok(), "{abi:?}"),
            false => refused(abi, "two parameters"),
        }
    }
}
