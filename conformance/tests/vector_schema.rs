//! All files of vectors are what `vectors.schema.json` says, which is what others read them by.

use std::path::Path;

use serde_json::{Value, json};

/// Matches the few patterns that the schema has, each against the whole text.
fn matches(pattern: &str, text: &str) -> bool {
    let all = |text: &str, set: fn(char) -> bool| text.chars().all(set);
    let hex = |text: &str| all(text, |c| matches!(c, '0'..='9' | 'a'..='f'));
    let words = |text: &str| !text.is_empty() && all(text, |c| c.is_ascii_lowercase() || c == '-');
    match pattern {
        "^[a-z]+$" => !text.is_empty() && all(text, |c| c.is_ascii_lowercase()),
        "^[0-9]+$" => !text.is_empty() && all(text, |c| c.is_ascii_digit()),
        "^[a-z0-9-]+$" => words(&text.replace(|c: char| c.is_ascii_digit(), "a")),
        "^0x([0-9a-f]{2})*$" => {
            text.strip_prefix("0x").is_some_and(hex) && text.len().is_multiple_of(2)
        }
        "^0x[0-9a-f]{64}$" => text.strip_prefix("0x").is_some_and(hex) && text.len() == 66,
        "^[0-9a-f]{64}$" => hex(text) && text.len() == 64,
        "^syn1[02-9ac-hj-np-z]{38}$" => {
            let data = text.strip_prefix("syn1");
            let known = |c| "qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(c);
            data.is_some_and(|data| data.len() == 38 && data.chars().all(known))
        }
        "^(return|revert|trap:[a-z-]+)$" => {
            matches!(text, "return" | "revert") || text.strip_prefix("trap:").is_some_and(words)
        }
        "^[a-z]+(/[a-z0-9_.-]+)+$" => {
            let (head, rest) = text.split_once('/').unwrap_or_default();
            let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-/".contains(c);
            words(head) && !rest.is_empty() && rest.chars().all(part)
        }
        other => panic!("a pattern that the test does not know: {other}"),
    }
}

/// Where a value is not what the schema says; the parts of JSON Schema that the file uses.
fn fault(value: &Value, schema: &Value, root: &Value, place: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#'));
        return fault(value, target.expect("a definition"), root, place);
    }
    let bad = |why: String| Some(format!("{place}: {why}"));
    if let Some(choices) = schema["oneOf"].as_array() {
        let faults: Vec<String> = choices
            .iter()
            .filter_map(|choice| fault(value, choice, root, place))
            .collect();
        return match choices.len() - faults.len() {
            1 => None,
            0 => bad(format!("none of the cases: {faults:?}")),
            _ => bad("several of the cases".to_owned()),
        };
    }
    if let Some(constant) = schema.get("const") {
        return if value == constant {
            None
        } else {
            bad(format!("not {constant}"))
        };
    }
    if let Some(allowed) = schema["enum"].as_array() {
        return if allowed.contains(value) {
            None
        } else {
            bad("not in the list".into())
        };
    }
    let fits = match schema["type"].as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        other => panic!("a type that the test does not know: {other}"),
    };
    if !fits {
        return bad(format!("no {}", schema["type"]));
    }
    if let Some(text) = value.as_str() {
        if schema["minLength"]
            .as_u64()
            .is_some_and(|min| (text.len() as u64) < min)
        {
            return bad("too short".into());
        }
        if schema["pattern"]
            .as_str()
            .is_some_and(|pattern| !matches(pattern, text))
        {
            return bad(format!("{text} does not match {}", schema["pattern"]));
        }
    }
    if let Some(items) = value.as_array() {
        if schema["minItems"]
            .as_u64()
            .is_some_and(|min| (items.len() as u64) < min)
        {
            return bad("too few items".into());
        }
        let of = schema.get("items")?;
        let mut items = items.iter().enumerate();
        return items.find_map(|(i, item)| fault(item, of, root, &format!("{place}[{i}]")));
    }
    let fields = value.as_object()?;
    for required in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(required.as_str().expect("a name")) {
            return bad(format!("without {required}"));
        }
    }
    for (name, field) in fields {
        if let Some(names) = schema.get("propertyNames")
            && let Some(fault) = fault(&json!(name), names, root, place)
        {
            return Some(fault);
        }
        let place = format!("{place}.{name}");
        match schema["properties"]
            .get(name)
            .or(schema.get("additionalProperties"))
        {
            Some(Value::Bool(true)) => {}
            Some(of @ Value::Object(_)) => {
                if let Some(fault) = fault(field, of, root, &place) {
                    return Some(fault);
                }
            }
            _ => return Some(format!("{place}: not in the schema")),
        }
    }
    None
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../vectors/vectors.schema.json")).unwrap()
}

#[test]
fn every_file_is_what_the_schema_says() {
    let schema = schema();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let (mut files, mut bytes) = (0, 0);
    for (path, _) in aivm_conformance::suite::load(&vectors).unwrap() {
        let text = std::fs::read_to_string(&path).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(fault(&value, &schema, &schema, &name), None);
        let folder = path.parent().unwrap().file_name().unwrap();
        assert_eq!(value["suite"], *folder.to_string_lossy(), "{name}");
        for vector in value["vectors"].as_array().unwrap() {
            for step in vector["steps"].as_array().unwrap() {
                assert!(step.get("expect").is_some(), "{name}: {}", vector["name"]);
            }
        }
        files += 1;
        bytes += text.len();
    }
    println!("{files} files, {bytes} bytes");
    assert!(files > 30, "{files}");
    assert!(bytes < 16 << 20, "{bytes}");
}

#[test]
fn the_schema_refuses_what_the_runner_refuses() {
    let schema = schema();
    let step = json!({"action": {"do": "block", "number": 1, "timestamp": 2}, "expect": "block"});
    let file = json!({"schema": 3, "suite": "s", "vectors": [{"name": "n", "rule": "a rule of some kind", "steps": [step]}]});
    assert_eq!(fault(&file, &schema, &schema, "file"), None);
    let runs =
        |file: &Value| serde_json::from_value::<aivm_conformance::VectorFile>(file.clone()).is_ok();
    assert!(runs(&file));
    for action in [
        json!({"do": "abandon"}),
        json!({"do": "name-model", "name": "n", "model": "00".repeat(32)}),
        json!({"do": "deliver", "id": "00".repeat(32), "to": "c", "source_chain": u64::MAX, "payload": "0x00"}),
        json!({"do": "deliver", "id": "00".repeat(32), "to": "c", "source_chain": 5, "destination": u64::MAX}),
        json!({"do": "prove", "message": "00".repeat(32), "root": "00".repeat(32), "index": 0, "count": 1}),
    ] {
        let mut right = file.clone();
        right["vectors"][0]["steps"] = json!([{"action": action, "expect": "done"}]);
        assert_eq!(fault(&right, &schema, &schema, "file"), None);
        assert!(runs(&right), "{right}");
    }
    let function = json!({"name": "f", "arguments": "0x01", "gas": 7, "answer": {"returns": "0x"}});
    for answer in ["returns", "reverts"] {
        let mut right = file.clone();
        let mut function = function.clone();
        function["answer"] = json!({answer: "0x00"});
        right["chain"] = json!({"chain_id": 7, "extensions": [function]});
        assert_eq!(fault(&right, &schema, &schema, "file"), None);
        assert!(runs(&right), "{right}");
    }
    for (field, value) in [
        ("name", json!(7)),
        ("arguments", json!("00")),
        ("gas", json!(-1)),
        ("answer", json!({"returns": "0x", "reverts": "0x"})),
        ("answer", json!({"traps": "0x"})),
        ("answer", json!("0x")),
        ("more", json!(1)),
    ] {
        let mut wrong = file.clone();
        let mut function = function.clone();
        function[field] = value;
        wrong["chain"] = json!({"extensions": [function]});
        assert!(fault(&wrong, &schema, &schema, "file").is_some(), "{wrong}");
        assert!(!runs(&wrong), "{wrong}");
    }
    for (place, value) in [
        ("/vectors/0/steps/0/action/do", json!("blok")),
        ("/vectors/0/steps/0/action/number", json!(-1)),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "upload", "name": "c", "code": {"hex": "00"}}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "upload", "name": "c", "code": {"hexx": "0x00"}}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "call", "to": "c", "message": {"input": "0x"}}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "abandon", "number": 1}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "name-model", "name": "n", "model": "0x00"}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "deliver", "id": "00".repeat(32), "to": "c"}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "deliver", "id": "00".repeat(31), "to": "c", "source_chain": 5}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "deliver", "id": "00".repeat(32), "to": "c", "source_chain": 5, "destination": "6"}),
        ),
        (
            "/vectors/0/steps/0/action",
            json!({"do": "prove", "message": "00".repeat(32), "root": "00".repeat(32), "index": -1, "count": 1}),
        ),
        ("/vectors/0/steps/0/expect", json!("finished")),
        ("/vectors/0/steps/0/expect", json!({"refused": 7})),
        ("/vectors/0/steps/0", json!({"expect": "block"})),
        (
            "/vectors/0",
            json!({"name": "n", "rule": "a rule of some kind", "steps": [], "more": 1}),
        ),
        ("/vectors", json!({})),
    ] {
        let mut wrong = file.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        assert!(fault(&wrong, &schema, &schema, "file").is_some(), "{wrong}");
        assert!(!runs(&wrong), "{wrong}");
    }
}
