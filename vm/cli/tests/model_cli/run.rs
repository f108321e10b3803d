//! Inputs of every form, and where they are computed.

use serde_json::Value;

use super::{digits, fails, file, image, json, model, npy, path, text};

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
