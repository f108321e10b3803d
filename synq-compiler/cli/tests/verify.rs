//! Every contract of the corpus is rebuilt to the same bytes.

use std::path::Path;
use std::process::{Command, Output};

fn synqc(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synqc"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("synqc starts")
}

#[test]
fn the_corpus_verifies() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    let out = tempfile::tempdir().expect("a folder");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let file = entry.expect("it can be read").file_name();
        let file = file.to_string_lossy().into_owned();
        if !file.ends_with(".synq") {
            continue;
        }
        for flag in [&[][..], &["--no-debug"]] {
            let place = out.path().join(format!("{file}{}", flag.len()));
            let place = place.to_string_lossy().into_owned();
            let mut args = vec!["build", &file, "--out", &place, "--json"];
            args.extend(flag);
            let built = synqc(&folder, &args);
            assert!(built.status.success(), "{file}");
            let manifest =
                std::fs::read(Path::new(&place).join("manifest.json")).expect("it was written");
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
            for (name, contract) in manifest["contracts"].as_object().expect("contracts") {
                assert_eq!(contract["debug"], flag.is_empty());
                let wasm = Path::new(&place).join(format!("{name}.wasm"));
                let wasm = wasm.to_string_lossy().into_owned();
                let mut args = vec![
                    "verify",
                    "--source",
                    &file,
                    "--wasm",
                    &wasm,
                    "--contract",
                    name,
                ];
                args.extend(flag);
                let verified = synqc(&folder, &args);
                assert!(
                    verified.status.success(),
                    "{file} {name}: {}",
                    String::from_utf8_lossy(&verified.stderr)
                );
                count += 1;
                // A changed byte, and the other kind of build, do not verify.
                let mut bytes = std::fs::read(&wasm).expect("it was written");
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
                let broken = Path::new(&place).join("broken.wasm");
                std::fs::write(&broken, &bytes).expect("it is written");
                let broken = broken.to_string_lossy().into_owned();
                let args = [
                    "verify",
                    "--source",
                    &file,
                    "--wasm",
                    &broken,
                    "--contract",
                    name,
                ];
                assert_eq!(
                    synqc(&folder, &args).status.code(),
                    Some(1),
                    "{file} {name}"
                );
            }
        }
    }
    assert_eq!(count, 30);
}
