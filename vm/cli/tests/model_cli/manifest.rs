//! Manifests and their schema.

use serde_json::Value;

use super::{chain, digits, fails, file, json, model, path, text};

#[test]
fn manifests_are_written_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let digits = digits();
    let about = [
        "--id",
        "digits",
        "--model-version",
        "1.0.0",
        "--author",
        "The AIVM developers",
        "--licence",
        "MIT",
    ];
    let output = model(&[&["manifest", &digits], &about[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    let good = file(&folder, "good.json", &output.stdout);
    let (verified, status) = json(&["verify", path(&good), &digits]);
    assert_eq!((status, &verified["valid"]), (0, &Value::Bool(true)));
    assert_eq!(verified["hash"], manifest["hash"]);

    let change = |field: &str, value: Value| {
        let mut changed = manifest.clone();
        *changed.pointer_mut(field).unwrap() = value;
        file(&folder, "changed.json", changed.to_string().as_bytes())
    };
    // What is well formed but not this model's.
    for (field, value, name) in [
        ("/hash", "0".repeat(64).into(), "hash"),
        ("/profile", "strict-f32".into(), "profile"),
        ("/inputs/0/shape", serde_json::json!([64, 1]), "inputs"),
        ("/outputs/0/type", "u8".into(), "outputs"),
        ("/resources/macs", 1.into(), "resources.macs"),
    ] {
        let changed = change(field, value);
        let (verified, status) = json(&["verify", path(&changed), &digits]);
        assert_eq!(status, 1);
        assert_eq!(verified["differences"][0]["field"], name);
        assert_eq!(verified["differences"].as_array().unwrap().len(), 1);
    }
    // What is no manifest.
    for (field, value, hint) in [
        ("/id", "Digits!".into(), "`id`"),
        ("/version", "1.0".into(), "`version`"),
        ("/version", "1.00.0".into(), "`version`"),
        ("/author", " ".into(), "`author`"),
        ("/hash", "abc".into(), "`hash`"),
        ("/profile", "float".into(), "`profile`"),
        ("/inputs/0/type", "f80".into(), "`inputs`"),
        ("/format", 2.into(), "`format`"),
        ("/licence", 7.into(), "not a manifest"),
    ] {
        fails(&["verify", path(&change(field, value)), &digits], &[hint]);
    }
    let mut more = manifest.clone();
    more["note"] = "x".into();
    let more = file(&folder, "more.json", more.to_string().as_bytes());
    fails(&["verify", path(&more), &digits], &["unknown field `note`"]);
    let mut about = about;
    about[1] = "Bad Name";
    fails(&[&["manifest", &digits], &about[..]].concat(), &["`id`"]);
}

/// What a manifest decides is what the file leaves open, and nothing else.
#[test]
fn a_manifest_with_a_misspelt_binding_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = file(&folder, "open.onnx", &chain(&["Relu"], true));
    let about = [
        "--id",
        "a",
        "--model-version",
        "1.0.0",
        "--author",
        "b",
        "--licence",
        "MIT",
    ];
    let with =
        |bind: &str| model(&[&["manifest", path(&open), "--dim", bind], &about[..]].concat());
    let output = with("batch=2");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    let good = file(&folder, "good.json", &output.stdout);
    assert_eq!(json(&["verify", path(&good), path(&open)]).1, 0);
    let mut more = manifest.clone();
    more["bindings"]["dimensions"]["bacth"] = 2.into();
    let more = file(&folder, "more.json", more.to_string().as_bytes());
    let hint = "no symbolic dimension `bacth`; it has `batch`";
    fails(&["verify", path(&more), path(&open)], &[hint]);
    let mut shapes = manifest;
    shapes["bindings"]["shapes"] = serde_json::json!({ "nope": [2] });
    let shapes = file(&folder, "shapes.json", shapes.to_string().as_bytes());
    let hint = "no input `nope`; it has `x`";
    fails(&["verify", path(&shapes), path(&open)], &[hint]);
    let output = with("bacth=2");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

/// The published schema has exactly the fields that manifests have.
#[test]
fn the_schema_describes_what_is_written() {
    let schema = include_str!("../../../../docs/model-manifest.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let open = file(&folder, "open.onnx", &chain(&["Relu"], true));
    let constant = file(&folder, "x.npy", &{
        let mut header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".to_vec();
        header.resize(117, b' ');
        header.push(b'\n');
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header);
        out.extend([0; 8]);
        out
    });
    let frozen = format!("x={}", path(&constant));
    for bind in [
        &["--dim", "batch=2"][..],
        &["--shape", "x=2"],
        &["--constant", &frozen],
    ] {
        let output = model(
            &[
                &["manifest", path(&open)],
                bind,
                &[
                    "--id",
                    "a",
                    "--model-version",
                    "1.2.3",
                    "--author",
                    "b",
                    "--licence",
                    "MIT",
                    "--description",
                    "c",
                ],
            ]
            .concat(),
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
        conforms(&manifest, &schema, &schema);
    }
    // And tells what is none.
    let bad = serde_json::json!({ "format": 1 });
    assert!(std::panic::catch_unwind(|| conforms(&bad, &schema, &schema)).is_err());
}

/// The part of JSON Schema that the file uses.
fn conforms(value: &Value, schema: &Value, root: &Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return conforms(value, target, root);
    }
    let fits = match schema["type"].as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        other => panic!("unexpected type {other}"),
    };
    assert!(fits, "{value} is not a {}", schema["type"]);
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{value} is none of {allowed:?}");
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant);
    }
    if let Some(items) = value.as_array() {
        items
            .iter()
            .for_each(|item| conforms(item, &schema["items"], root));
    }
    if let Some(fields) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(
                fields.contains_key(required.as_str().unwrap()),
                "{required}"
            );
        }
        for (name, field) in fields {
            let known = schema["properties"].get(name);
            let rest = schema
                .get("additionalProperties")
                .filter(|rest| rest.is_object());
            let known = known
                .or(rest)
                .unwrap_or_else(|| panic!("`{name}` is not in the schema"));
            conforms(field, known, root);
        }
    }
}
