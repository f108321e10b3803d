//! Quantisation after training.

use super::{chain, digits, fails, file, image, json, model, path, text};

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
