//! Bytes that are no module, and none of a model.

use aivm_conformance::outcome::Claim;

use super::super::draft::{Draft, File};
use super::super::guest::{guest, module};
use super::super::onnx;
use super::plain;

pub fn file() -> File {
    let mut file = File::new(
        "hostile",
        "modules",
        "The bytes are no module, or none that may be instrumented: a fact of WebAssembly's binary format or of docs/gas.md.",
    );
    let good = plain();
    let mut add = |name: String, rule: &str, wasm: Vec<u8>| {
        file.push(Draft::new(name, rule).upload_bytes(wasm, Claim::refused("invalid-module")));
    };
    let cut = "A module that is cut short is refused.";
    for length in [
        0usize,
        1,
        4,
        7,
        9,
        12,
        20,
        40,
        good.len() / 2,
        good.len() - 1,
    ] {
        add(
            format!("the first {length} bytes of a module"),
            cut,
            good[..length].to_vec(),
        );
    }
    for at in [0usize, 3, 4, 7] {
        let mut wasm = good.clone();
        wasm[at] ^= 0x11;
        add(
            format!("byte {at} of the header changed"),
            "A module begins with its magic and version.",
            wasm,
        );
    }
    add(
        "a component".into(),
        "Components are no modules.",
        [&good[..4], &[0x0d, 0, 1, 0]].concat(),
    );
    add("text".into(), "Text is no module.", b"(module)".to_vec());
    for section in [14u8, 99, 255] {
        add(
            format!("a section numbered {section}"),
            "A section that is unknown is refused.",
            [&good[..], &[section, 0]].concat(),
        );
    }
    add(
        "a section longer than the module".into(),
        "A section ends within the module.",
        [&good[..], &[0, 0xff, 0xff, 0x03]].concat(),
    );
    add(
        "a section whose length has no end".into(),
        "A length has at most five bytes.",
        [&good[..], &[0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]].concat(),
    );
    let text = |rest: &str| module(guest(&[], rest));
    add(
        "a start function".into(),
        "A start function would run before gas is set.",
        text("(func $s) (start $s)"),
    );
    for name in [
        "aivm:gas",
        "aivm:stack",
        "aivm:exit",
        "aivm:",
        "aivm:anything",
    ] {
        add(
            format!("an export named {name}"),
            "Names that begin with `aivm:` are the VM's.",
            text(&format!("(func (export {name:?}))")),
        );
    }
    add(
        "an import named aivm:gas".into(),
        "Names that begin with `aivm:` are the VM's.",
        module("(module (import \"aivm:gas\" \"f\" (func)))"),
    );
    file
}

/// Models that are none.
pub fn models() -> File {
    let mut file = File::new(
        "hostile",
        "models",
        "Bytes that are no ONNX file, or one of something that is no model.",
    );
    let mut add = |name: String, bytes: Vec<u8>| {
        let draft = Draft::new(format!("a model: {name}"), "What is no model is refused.");
        file.push(draft.register(bytes, Claim::refused("invalid-model")));
    };
    add("nothing".into(), vec![]);
    add("text".into(), b"not a model".to_vec());
    add("a module".into(), plain());
    for byte in [0u8, 1, 8, 0x3a, 0x7f, 0x80, 0xff] {
        add(format!("sixteen bytes of {byte:#04x}"), vec![byte; 16]);
    }
    let graph = onnx::one("Relu", &[(onnx::F32, &[4])], &[], &[], (onnx::F32, &[4]));
    add(
        "a length beyond the end".into(),
        [&graph[..], &[0x3a, 0xff, 0xff, 0xff, 0x0f]].concat(),
    );
    add(
        "a number without an end".into(),
        [&graph[..], &[0x08, 0x80, 0x80, 0x80]].concat(),
    );
    add("a group".into(), [&graph[..], &[0x0b]].concat());
    file
}
