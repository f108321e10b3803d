//! What a model is, what it costs, and why one is refused.

use super::{chain, chain_named, digits, fails, file, json, model, npy, path, text};

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
    let border = quote["border"].as_u64().unwrap();
    assert_eq!(quote["gas"], base + (milligas + border).div_ceil(1000));

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

/// A binding of a misspelt name would leave open what it was to decide, or freeze nothing.
#[test]
fn bindings_of_names_that_the_model_does_not_have_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = file(&folder, "open.onnx", &chain(&["Relu"], true));
    let constant = file(&folder, "x.npy", &npy(&[0; 64]));
    let frozen = format!("nope={}", path(&constant));
    let dimension = "no symbolic dimension `bacth`; it has `batch`";
    let input = "no input `nope`; it has `x`";
    for (flags, hint) in [
        (&["--dim", "bacth=3"][..], dimension),
        (&["--dim", "batch=3", "--dim", "bacth=3"], dimension),
        (&["--dim", "batch=3", "--shape", "nope=1,2"], input),
        (&["--dim", "batch=3", "--constant", &frozen], input),
    ] {
        for command in ["inspect", "quote", "run"] {
            fails(&[&[command, path(&open)], flags].concat(), &[hint]);
        }
    }
    let fixed = file(&folder, "fixed.onnx", &chain(&["Relu"], false));
    fails(
        &["inspect", path(&fixed), "--dim", "batch=2"],
        &["no symbolic dimension `batch`; it has none"],
    );
}

/// Names of a file are shown with their control characters written out, except in JSON, which has its own form for them.
#[test]
fn names_of_a_model_cannot_do_anything_to_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let behind = "\u{1b}[2J\r\u{9b}1A\nok";
    let shown = "\\u{1b}[2J\\r\\u{9b}1A\\nok";
    let good = file(&folder, "good.onnx", &chain_named(&["Relu"], false, behind));
    let open = file(&folder, "open.onnx", &chain_named(&["Relu"], true, behind));
    let operator = format!("Nothing{behind}");
    let bad = chain_named(&[&operator], false, behind);
    let bad = file(&folder, "bad.onnx", &bad);
    let (good, open, bad) = (path(&good), path(&open), path(&bad));
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let quantized = folder.path().join("quantized.onnx");
    let (a, b, quantized) = (path(&a), path(&b), path(&quantized));
    model(&["trace", good, "--input", "[1, 2]", "-o", a]);
    liar(good, b);
    for (args, name) in [
        (&["inspect", good][..], "node 0"),
        (&["inspect", good], "x"),
        (&["quote", good], "y0"),
        (&["inspect", bad], "Nothing"),
        (&["quote", bad], "node 0"),
        (&["inspect", open], "x"),
        (&["inspect", open, "--dim", "y=1"], "batch"),
        (&["run", good, "--input", "[1, 2]"], "y0"),
        (&["run", good], "x"),
        (
            &["run", good, "--input", "[1, 2]", "--input", "[1, 2]"],
            "x",
        ),
        (
            &["quantize", bad, "--input", "[1, 2]", "-o", quantized],
            "Nothing",
        ),
        (&["dispute", a, b, "--model", good], "node 0"),
    ] {
        let said = text(&model(args));
        assert!(said.contains(&format!("{name}{shown}")), "{args:?}: {said}");
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains(control), "{args:?}: {said:?}");
        assert!(!said.contains("\nok"), "{args:?}: {said:?}");
    }
    let (listed, _) = json(&["inspect", good]);
    assert_eq!(listed["inputs"][0]["name"], format!("x{behind}"));
}

/// Writes a trace of a model of one operation that gives something else.
fn liar(onnx: &str, to: &str) {
    use aivm_nn::{Array, Data, ElementType, Observer, Tensor};
    let onnx = std::fs::read(onnx).unwrap();
    let loaded = aivm_nn::Model::from_onnx(&onnx, &aivm_nn::ModelLimits::default()).unwrap();
    let data = [1.0f32, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let inputs = [Tensor::new(ElementType::F32, vec![2], data).unwrap()];
    let mut tracer = aivm_nn::trace::Tracer::new(&loaded, &inputs, u64::MAX);
    let wrong = Array {
        shape: vec![2],
        data: Data::F32(vec![1.0, 3.0]),
    };
    let nodes = loaded.graph().nodes();
    assert_eq!(nodes.len(), 1);
    tracer.results(0, &nodes[0], &[std::sync::Arc::new(wrong)]);
    std::fs::write(to, tracer.to_file()).unwrap();
}
