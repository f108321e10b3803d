//! Traces, and who of two is right.

use serde_json::Value;

use super::{chain, digits, fails, file, image, json, model, path, text};

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
fn a_model_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(digits()).unwrap();
    let copy = file(&folder, "copy.onnx", &bytes);
    let other = folder.path().join(".").join("copy.onnx");
    let list = serde_json::to_string(&[&image(3).0]).unwrap();
    for to in [&copy, &other] {
        let hints = ["copy.onnx is read by this command", "give another file"];
        let arguments = ["--input", &list, "-o", path(to)];
        fails(&[&["trace", path(&copy)], &arguments[..]].concat(), &hints);
        fails(
            &[&["quantize", path(&copy)], &arguments[..]].concat(),
            &hints,
        );
        assert_eq!(std::fs::read(&copy).unwrap(), bytes);
    }
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

/// Not every system has such names.
#[cfg(target_os = "linux")]
#[test]
fn paths_that_are_no_text_are_shown_as_well_as_they_can_be() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join(OsStr::from_bytes(b"trace\xff"));
    let list = serde_json::to_string(&[&image(3).0]).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_aivm"))
        .args([
            "model",
            "trace",
            &digits(),
            "--input",
            &list,
            "--json",
            "-o",
        ])
        .arg(&to)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["trace"], to.display().to_string());
    assert!(to.exists());
}
