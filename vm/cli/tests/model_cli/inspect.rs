//! What a model is, what it costs, and why one is refused.

use super::{chain, digits, fails, file, json, model, path, text};

#[test]
fn inspect_shows_operations_and_quote_their_cost() {
    let (shown, status) = json(&["inspect", &digits()]);
    assert_eq!(status, 0);
    assert_eq!(shown["accepted"], true);
    assert_eq!(shown["profile"], "integer");
    assert_eq!(shown["inputs"][0]["shape"], serde_json::json!([1, 64]));
    let operations = shown["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 6);
    assert_eq!(operations[3]["operation"], "q-conv");
    assert_eq!(operations[3]["counts"]["mac_int8"], 16 * 16 * 72);

    let (quote, status) = json(&["quote", &digits()]);
    assert_eq!(status, 0);
    assert_eq!(quote["gas"], shown["gas"]);
    assert_eq!(quote["macs"], 8 * 64 * 9 + 16 * 16 * 72 + 256 * 10);
    let kinds = quote["kinds"].as_array().unwrap();
    let milligas: u64 = kinds.iter().map(|k| k["milligas"].as_u64().unwrap()).sum();
    let base = quote["base"].as_u64().unwrap();
    assert_eq!(quote["gas"], base + milligas.div_ceil(1000));

    let people = text(&model(&["inspect", &digits()]));
    assert!(
        people.contains("q-conv") && people.contains("i8[1, 10]"),
        "{people}"
    );
    let people = text(&model(&["quote", &digits()]));
    assert!(people.contains("q-mat-mul"), "{people}");
}

#[test]
fn every_refused_node_is_named_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let onnx = chain(
        &["NoSuchThing", "Relu", "RandomNormalLike", "Neither"],
        false,
    );
    let onnx = file(&folder, "model.onnx", &onnx);
    let (shown, status) = json(&["inspect", path(&onnx)]);
    assert_eq!(status, 1);
    assert_eq!(shown["accepted"], false);
    let refused = shown["refused"].as_array().unwrap();
    let listed: Vec<_> = refused
        .iter()
        .map(|r| (r["node"].as_str().unwrap(), r["operator"].as_str().unwrap()))
        .collect();
    assert_eq!(
        listed,
        [
            ("node 0", "NoSuchThing"),
            ("node 2", "RandomNormalLike"),
            ("node 3", "Neither")
        ]
    );
    assert_eq!(
        refused[1]["reason"],
        "random operators have no deterministic result"
    );
    fails(
        &["quote", path(&onnx)],
        &["3 of the model's nodes", "aivm model inspect"],
    );
}

#[test]
fn files_that_are_no_models_and_flags_that_are_none_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let junk = file(&folder, "junk.onnx", b"\xff\xff\xff");
    fails(&["inspect", path(&junk)], &["junk.onnx", "ONNX"]);
    fails(
        &["inspect", "/no/such/model.onnx"],
        &["/no/such/model.onnx"],
    );
    let open = file(&folder, "open.onnx", &chain(&["Relu"], true));
    fails(&["inspect", path(&open)], &["symbolic", "--dim"]);
    fails(
        &["inspect", path(&open), "--dim", "batch"],
        &["NAME=NUMBER"],
    );
    fails(
        &["inspect", path(&open), "--shape", "x=2;3"],
        &["INPUT=1,2,3"],
    );
    let (shown, _) = json(&["inspect", path(&open), "--dim", "batch=7"]);
    assert_eq!(shown["inputs"][0]["shape"], serde_json::json!([7]));
    let (shown, _) = json(&["inspect", path(&open), "--shape", "x=5"]);
    assert_eq!(shown["inputs"][0]["shape"], serde_json::json!([5]));
}
