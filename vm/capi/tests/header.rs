//! The header is what the sources say.
//!
//! `AIVM_UPDATE_DOCS=1` writes it anew.

use std::path::Path;

#[test]
fn the_header_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(folder.join("src/error.rs"))
        .with_src(folder.join("src/host.rs"))
        .with_src(folder.join("src/callbacks.rs"))
        .with_src(folder.join("src/optional.rs"))
        .with_src(folder.join("src/block.rs"))
        .with_src(folder.join("src/receipt.rs"))
        .with_src(folder.join("src/vm.rs"))
        .with_src(folder.join("src/storage.rs"))
        .generate()
        .unwrap();
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = String::from_utf8(header).unwrap();
    let path = folder.join("include/aivm.h");
    if std::env::var_os("AIVM_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &header).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == header,
        "include/aivm.h is out of date; run this test with AIVM_UPDATE_DOCS=1"
    );
}
