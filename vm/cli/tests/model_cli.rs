//! `aivm model` as its users meet it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn digits() -> String {
    format!(
        "{}/../../nn-backends/models/digits.onnx",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn model(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aivm"))
        .arg("model")
        .args(args)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a command prints with --json, and its exit status.
fn json(args: &[&str]) -> (Value, i32) {
    let output = model(&[args, &["--json"]].concat());
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
    (value, output.status.code().unwrap())
}

/// The command fails with status 2 and says all of `hints`.
fn fails(args: &[&str], hints: &[&str]) {
    let output = model(args);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    for hint in hints {
        assert!(text(&output).contains(hint), "{hint}: {}", text(&output));
    }
}

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Pixels of a held-out image, and what onnxruntime gives for it.
fn image(n: usize) -> (Vec<u8>, Vec<i64>) {
    let models = format!("{}/../../nn-backends/models", env!("CARGO_MANIFEST_DIR"));
    let images = std::fs::read(format!("{models}/digits-test.bin")).unwrap();
    let reference = std::fs::read(format!("{models}/digits-reference.json")).unwrap();
    let reference: Value = serde_json::from_slice(&reference).unwrap();
    let logits = serde_json::from_value(reference["logits"][n].clone()).unwrap();
    (images[n * 65..n * 65 + 64].to_vec(), logits)
}

fn npy(data: &[u8]) -> Vec<u8> {
    let mut header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 64), }".to_vec();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header);
    out.extend(data);
    out
}

/// A message of protobuf fields: number and bytes, or number and integer.
fn message(fields: &[(u8, &[u8])], numbers: &[(u8, u8)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, value) in numbers {
        out.extend([number << 3, *value]);
    }
    for (number, bytes) in fields {
        out.push(number << 3 | 2);
        let mut n = bytes.len();
        while n >= 0x80 {
            out.push(n as u8 | 0x80);
            n >>= 7;
        }
        out.push(n as u8);
        out.extend(*bytes);
    }
    out
}

/// A model over one `f32[2]`, or over a symbolic dimension, with these nodes in a row.
fn chain(operators: &[&str], symbolic: bool) -> Vec<u8> {
    let dim = match symbolic {
        true => message(&[(2, b"batch")], &[]),
        false => message(&[], &[(1, 2)]),
    };
    let shape = message(&[(1, &dim)], &[]);
    let tensor = message(&[(2, &shape)], &[(1, 1)]);
    let ty = message(&[(1, &tensor)], &[]);
    let value = |name: &str| message(&[(1, name.as_bytes()), (2, &ty)], &[]);
    let mut graph = Vec::new();
    for (i, operator) in operators.iter().enumerate() {
        // All read the input, so that one that is refused hides no other.
        let output = format!("y{i}");
        let node = message(
            &[
                (1, b"x"),
                (2, output.as_bytes()),
                (3, format!("node {i}").as_bytes()),
                (4, operator.as_bytes()),
            ],
            &[],
        );
        graph.extend(message(&[(1, &node)], &[]));
    }
    graph.extend(message(&[(11, &value("x"))], &[]));
    let last = format!("y{}", operators.len() - 1);
    graph.extend(message(&[(12, &value(&last))], &[]));
    let opset = message(&[], &[(2, 17)]);
    message(&[(7, &graph), (8, &opset)], &[(1, 8)])
}

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

#[test]
fn inputs_of_every_form_give_onnxruntimes_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let (digits, (pixels, logits)) = (digits(), image(5));
    let raw = file(&folder, "image.bin", &pixels);
    let numpy = file(&folder, "image.npy", &npy(&pixels));
    let list = serde_json::to_string(&[&pixels]).unwrap();
    let lists = file(&folder, "image.json", list.as_bytes());
    let named = format!("image={}", path(&raw));
    for input in [path(&raw), path(&numpy), path(&lists), &list, &named] {
        for extra in [
            &[][..],
            &["--reference"],
            &["--backend", "cpu"],
            &["--backend", "reference"],
        ] {
            let args = [&["run", &digits, "--input", input], extra].concat();
            let (ran, status) = json(&args);
            assert_eq!(status, 0);
            assert_eq!(ran["outputs"][0]["name"], "logits");
            assert_eq!(ran["outputs"][0]["data"], serde_json::json!(logits));
        }
    }
    let out = folder.path().join("out");
    let output = model(&["run", &digits, "--input", &list, "--outputs", path(&out)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let written = std::fs::read(out.join("logits.npy")).unwrap();
    let expected: Vec<u8> = logits.iter().map(|x| *x as i8 as u8).collect();
    assert!(written.starts_with(b"\x93NUMPY") && written.ends_with(&expected));
}

/// A GPU gives the same; a build or a machine without one says so.
#[test]
fn a_gpu_gives_the_same_or_is_said_to_be_missing() {
    let (pixels, logits) = image(5);
    let list = serde_json::to_string(&[&pixels]).unwrap();
    for backend in ["vulkan", "gl", "metal", "dx12"] {
        let args = [
            "run",
            &digits(),
            "--input",
            &list,
            "--backend",
            backend,
            "--json",
        ];
        let output = model(&args);
        if output.status.success() {
            let ran: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(ran["outputs"][0]["data"], serde_json::json!(logits));
            assert_eq!(ran["operations"], 6);
            assert!(ran["operations_on_gpu"].as_u64().unwrap() >= 3, "{ran}");
        } else {
            assert_eq!(output.status.code(), Some(2));
            let shown = text(&output);
            let said = [
                "feature `wgpu`",
                "not part of this build",
                "device",
                "adapter",
            ];
            assert!(said.iter().any(|part| shown.contains(part)), "{shown}");
        }
    }
    let list = ["run", &digits(), "--input", &list, "--backend", "abacus"];
    fails(&list, &["abacus", "vulkan"]);
}

#[test]
fn wrong_inputs_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let digits = digits();
    let short = file(&folder, "short.bin", &[0; 63]);
    fails(
        &["run", &digits],
        &["takes 1 inputs", "image: u8[1, 64]", "--input"],
    );
    fails(
        &["run", &digits, "--input", path(&short)],
        &["64 bytes, found 63"],
    );
    fails(
        &["run", &digits, "--input", "[1, 2]"],
        &["2 elements", "[1, 64]"],
    );
    let large = serde_json::to_string(&vec![300; 64]).unwrap();
    fails(
        &["run", &digits, "--input", &large],
        &["300 is not of the type u8"],
    );
    fails(&["run", &digits, "--input", "[1,"], &["EOF"]);
    fails(
        &["run", &digits, "--input", "picture=[1]"],
        &["no input `picture`", "image"],
    );
    let twice = serde_json::to_string(&vec![0; 64]).unwrap();
    let named = format!("image={twice}");
    fails(
        &["run", &digits, "--input", &twice, "--input", &named],
        &["given twice"],
    );
    let turned = String::from_utf8_lossy(&npy(&[0; 64])[10..]).replace("(1, 64)", "(64, 1)");
    let mut bytes = npy(&[0; 64])[..10].to_vec();
    bytes.extend(turned.as_bytes());
    let turned = file(&folder, "turned.npy", &bytes);
    fails(
        &["run", &digits, "--input", path(&turned)],
        &["[64, 1]", "[1, 64]"],
    );
}

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

/// The published schema has exactly the fields that manifests have.
#[test]
fn the_schema_describes_what_is_written() {
    let schema = include_str!("../../../docs/model-manifest.schema.json");
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

#[test]
fn traces_are_compared_and_tiles_recomputed() {
    let folder = tempfile::tempdir().unwrap();
    let digits = digits();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let list = serde_json::to_string(&[&image(3).0]).unwrap();
    let (traced, status) = json(&["trace", &digits, "--input", &list, "-o", path(&a)]);
    assert_eq!(status, 0);
    let root = traced["root"].as_str().unwrap().to_owned();
    assert_eq!(traced["outputs"][0]["data"], serde_json::json!(image(3).1));
    let reference = [
        "trace",
        &digits,
        "--input",
        &list,
        "-o",
        path(&b),
        "--reference",
    ];
    let (same, _) = json(&reference);
    assert_eq!(same["root"].as_str(), Some(&*root));
    let (equal, status) = json(&["dispute", path(&a), path(&b)]);
    assert_eq!((status, &equal["equal"]), (0, &Value::Bool(true)));

    for operation in ["2", "3", "5"] {
        let (tile, status) = json(&["verify-tile", &digits, path(&a), "--operation", operation]);
        assert_eq!(status, 0, "{tile}");
        assert_eq!(tile["right"], true);
        assert_eq!(tile["root"].as_str(), Some(&*root));
    }
    let output = model(&[
        "verify-tile",
        &digits,
        path(&a),
        "--operation",
        "3",
        "--root",
        &root,
    ]);
    assert!(
        text(&output).contains("q-conv), tile 0: right"),
        "{}",
        text(&output)
    );

    // Other inputs.
    let other = serde_json::to_string(&[&image(4).0]).unwrap();
    json(&["trace", &digits, "--input", &other, "-o", path(&b)]);
    let (differs, status) = json(&["dispute", path(&a), path(&b)]);
    assert_eq!((status, &differs["input"]), (1, &Value::from(0)));
    let output = model(&["dispute", path(&a), path(&b)]);
    assert!(
        text(&output).contains("different inputs"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_lie_is_found_and_the_honest_side_named() {
    use aivm_nn::trace::Tracer;
    use std::sync::Arc;
    struct Lie(Tracer);
    impl aivm_nn::Observer for Lie {
        fn results(&mut self, index: usize, node: &aivm_nn::Node, results: &[Arc<aivm_nn::Array>]) {
            let mut array = aivm_nn::Array::clone(&results[0]);
            match &mut array.data {
                aivm_nn::Data::U8(data) if index == 2 => data[7] ^= 1,
                aivm_nn::Data::I8(data) if index == 2 => data[7] ^= 1,
                _ => {}
            }
            self.0.results(index, node, &[Arc::new(array)]);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let digits = digits();
    let honest = folder.path().join("honest");
    let (pixels, _) = image(3);
    let list = serde_json::to_string(&[&pixels]).unwrap();
    json(&["trace", &digits, "--input", &list, "-o", path(&honest)]);
    let onnx = std::fs::read(&digits).unwrap();
    let loaded = aivm_nn::Model::from_onnx(&onnx, &aivm_nn::ModelLimits::default()).unwrap();
    let inputs = [aivm_nn::Tensor::new(aivm_nn::ElementType::U8, vec![1, 64], pixels).unwrap()];
    let mut lie = Lie(Tracer::new(&loaded, &inputs, u64::MAX));
    aivm_nn::run(&loaded, &aivm_nn::Reference, &inputs, &mut lie).unwrap();
    let liar = file(&folder, "liar", &lie.0.to_file());

    let (found, status) = json(&["dispute", path(&liar), path(&honest), "--model", &digits]);
    assert_eq!(status, 1, "{found}");
    assert_eq!(found["operation"], 2);
    assert_eq!(found["operation_name"], "q-conv");
    assert_eq!(found["tile"]["element"], 7);
    assert_eq!(found["right"], "b");
    let output = model(&["dispute", path(&honest), path(&liar), "--model", &digits]);
    assert!(
        text(&output).contains("recomputed: a is right"),
        "{}",
        text(&output)
    );
    let output = model(&["verify-tile", &digits, path(&liar), "--operation", "2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("WRONG"), "{}", text(&output));
}

#[test]
fn bad_traces_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let digits = digits();
    let good = folder.path().join("good");
    let list = serde_json::to_string(&vec![0; 64]).unwrap();
    json(&["trace", &digits, "--input", &list, "-o", path(&good)]);
    let bytes = std::fs::read(&good).unwrap();
    let junk = file(&folder, "junk", b"no trace");
    fails(
        &["dispute", path(&good), path(&junk)],
        &["not an inference trace"],
    );
    let cut = file(&folder, "cut", &bytes[..bytes.len() - 1]);
    fails(
        &["dispute", path(&cut), path(&good)],
        &["ends within its tensor"],
    );
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    let changed = file(&folder, "changed", &changed);
    fails(&["dispute", path(&changed), path(&good)], &["digest"]);
    let tile = |more: &[&str]| {
        let args: Vec<String> = ["verify-tile", &digits, path(&good)]
            .iter()
            .chain(more)
            .map(|s| (*s).to_owned())
            .collect();
        args
    };
    for (more, hint) in [
        (&["--operation", "6"][..], "no operation"),
        (&["--operation", "0"], "has no place in a trace"),
        (&["--operation", "3", "--tile", "9"], "no tile"),
        (&["--operation", "3", "--output", "1"], "no output"),
        (&["--operation", "3", "--root", "00"], "has the root"),
    ] {
        let args = tile(more);
        fails(
            &args.iter().map(String::as_str).collect::<Vec<_>>(),
            &[hint],
        );
    }
    // A trace that keeps digests alone.
    let slim = folder.path().join("slim");
    json(&[
        "trace",
        &digits,
        "--input",
        &list,
        "-o",
        path(&slim),
        "--limit",
        "0",
    ]);
    fails(
        &["verify-tile", &digits, path(&slim), "--operation", "3"],
        &["digest of entry"],
    );
    let other = file(&folder, "other.onnx", &chain(&["Relu"], false));
    fails(
        &["verify-tile", path(&other), path(&good), "--operation", "0"],
        &["another model"],
    );
}

/// An .npy file of `f32`.
fn floats(shape: &str, values: impl Iterator<Item = f32>) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    let mut header = header.into_bytes();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header);
    out.extend(values.flat_map(f32::to_le_bytes));
    out
}

fn digits_f32() -> String {
    digits().replace("digits.onnx", "digits-f32.onnx")
}

#[test]
fn a_model_is_quantised_and_reads_the_same_digits() {
    let folder = tempfile::tempdir().unwrap();
    let model_f32 = digits_f32();
    let pixels = (0..50).flat_map(|n| image(n).0).map(f32::from);
    let images = file(&folder, "images.npy", &floats("50, 64", pixels));
    let int8 = folder.path().join("int8.onnx");
    let flags = ["--range", "pixels=0,255", "-o", path(&int8)];
    let args = [
        &["quantize", &model_f32, "--input", path(&images)],
        &flags[..],
    ]
    .concat();
    let (report, status) = json(&args);
    assert_eq!(status, 0, "{report}");
    assert_eq!(report["profile"], "integer");
    assert_eq!(report["calibration_inputs"], 50);
    assert_eq!(report["inputs"][0]["scale"], 1.0);
    let operators = report["operators"].as_array().unwrap();
    assert_eq!(operators.len(), 7);
    assert!(operators.iter().all(|o| o["computed"] == "integer"));
    let before = std::fs::metadata(&model_f32).unwrap().len();
    let written = std::fs::read(&int8).unwrap();
    assert_eq!(report["bytes"]["before"], before);
    assert_eq!(report["bytes"]["after"], written.len());
    let (shown, _) = json(&["inspect", path(&int8)]);
    assert_eq!(shown["hash"], report["hash"]);

    // Images that did not calibrate: the class in f32 is the class in integers.
    let class = |model: &str, input: &str| {
        let (ran, status) = json(&["run", model, "--input", input]);
        assert_eq!(status, 0, "{ran}");
        let data = ran["outputs"][0]["data"].as_array().unwrap().clone();
        let at = |i: &usize| data[*i].as_f64().unwrap();
        (0..10).max_by(|a, b| at(a).total_cmp(&at(b))).unwrap()
    };
    for n in 60..70 {
        let list = serde_json::to_string(&[&image(n).0]).unwrap();
        assert_eq!(
            class(path(&int8), &list),
            class(&model_f32, &list),
            "image {n}"
        );
    }

    // Each image by itself, by name and without, gives the same file.
    let again = folder.path().join("again.onnx");
    let lists: Vec<String> = (0..50)
        .map(|n| {
            let list = serde_json::to_string(&[&image(n).0]).unwrap();
            if n % 2 == 0 {
                list
            } else {
                format!("pixels={list}")
            }
        })
        .collect();
    let mut args = vec![
        "quantize",
        &model_f32,
        "--range",
        "pixels=0,255",
        "-o",
        path(&again),
    ];
    args.extend(lists.iter().flat_map(|list| ["--input", list]));
    let output = model(&args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(std::fs::read(&again).unwrap(), written);
    let shown = text(&output);
    for part in [
        "integer   Conv conv1",
        "real = 1 * (byte - 0)",
        "50 calibration inputs",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn what_cannot_be_quantised_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let (digits, digits_f32) = (digits(), digits_f32());
    let out = folder.path().join("out.onnx");
    let attempt = |model: &str, more: &[&str], hints: &[&str]| {
        let args = [&["quantize", model, "-o", path(&out)], more].concat();
        fails(&args, hints);
        assert!(!out.exists());
    };
    attempt(&digits_f32, &[], &["no calibration inputs", "--input"]);
    let bytes = file(&folder, "image.bin", &image(0).0);
    attempt(
        &digits,
        &["--input", path(&bytes)],
        &["quantised already", "inspect"],
    );
    let nan = floats(
        "1, 64",
        (0..64).map(|i| if i == 9 { f32::NAN } else { 0.0 }),
    );
    let nan = file(&folder, "nan.npy", &nan);
    attempt(
        &digits_f32,
        &["--input", path(&nan)],
        &["`pixels` is NaN", "input 0"],
    );
    let short = file(
        &folder,
        "short.npy",
        &floats("3, 63", (0..189).map(|i| i as f32)),
    );
    attempt(
        &digits_f32,
        &["--input", path(&short)],
        &["f32[3, 63]", "f32[1, 64]"],
    );
    let good = file(
        &folder,
        "good.npy",
        &floats("1, 64", (0..64).map(|i| i as f32)),
    );
    for (range, hint) in [
        ("pixels=5", "TENSOR=LOW,HIGH"),
        ("pixels=5,x", "TENSOR=LOW,HIGH"),
        ("pixels=5,4", "ascending"),
        ("pixel=0,5", "no operator"),
    ] {
        attempt(
            &digits_f32,
            &["--input", path(&good), "--range", range],
            &[hint],
        );
    }
    let relu = file(&folder, "relu.onnx", &chain(&["Relu"], false));
    attempt(
        path(&relu),
        &["--input", "[1, 2]"],
        &["no convolution or matrix product"],
    );
}
