//! The vectors that people wrote are as the VM computes them, and `AIVM_UPDATE_VECTORS=1` writes
//! them.

use std::path::Path;
use std::process::Command;

const HAND_WRITTEN: &str = "metering/outcomes.json";

#[test]
fn blessing_changes_nothing() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let before = std::fs::read_to_string(vectors.join(HAND_WRITTEN)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("outcomes.json");
    std::fs::write(&copy, &before).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_aivm-conformance"))
        .args(["bless", "--vectors"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let after = std::fs::read_to_string(&copy).unwrap();
    if std::env::var_os("AIVM_UPDATE_VECTORS").is_some() {
        std::fs::write(vectors.join(HAND_WRITTEN), after).unwrap();
    } else {
        assert!(after == before, "`cargo xtask vectors` writes what is new");
    }
}
