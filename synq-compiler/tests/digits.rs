//! The example contract against its model file.

use std::path::Path;

use synq_compiler::{MemoryLoader, Options, compile};

fn loader(source: String) -> MemoryLoader {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = std::fs::read(root.join("nn-backends/models/digits.onnx")).expect("the model");
    MemoryLoader::new()
        .with_source("vm/examples/digits.synq", source)
        .with_model("nn-backends/models/digits.onnx", model)
}

fn source() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join("vm/examples/digits.synq")).expect("the contract")
}

#[test]
fn the_contract_names_its_model() {
    let output = compile(
        "vm/examples/digits.synq",
        &loader(source()),
        &Options::new(),
    );
    let output = output.unwrap_or_else(|d| panic!("{}", d.render(false)));
    assert_eq!(output.contracts.len(), 1);
    assert_eq!(output.contracts[0].models[0].name, "Digits");
    assert!(output.contracts[0].wasm.len() < 24 << 10);
    let again = compile(
        "vm/examples/digits.synq",
        &loader(source()),
        &Options::new(),
    );
    let again = again.unwrap_or_else(|d| panic!("{}", d.render(false)));
    assert_eq!(again.contracts[0].wasm, output.contracts[0].wasm);
}

#[test]
fn a_wrong_shape_is_an_error_that_shows_both() {
    let wrong = source().replace("UInt8[1][64]", "UInt8[1][63]");
    let found = compile("vm/examples/digits.synq", &loader(wrong), &Options::new());
    let found = found.expect_err("the shapes differ").render(false);
    assert!(
        found.contains("UInt8[1][63]") && found.contains("UInt8[1][64]"),
        "{found}"
    );
}
