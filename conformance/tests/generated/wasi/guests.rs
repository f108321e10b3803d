//! Guests as toolchains make them: the crate `wasi-nn` and bindings of `wasi:nn`, compiled for
//! `wasm32-wasip1` with the standard library, from `sdk-guest/examples/wasi`.

use aivm_conformance::action::{Action, Bytes};
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::Net;

const MODELS: &str = "../../../nn-backends/models";
const FIXTURES: &str = "../../../sdk-guest/examples/fixtures";

/// A guest, and what it says of a model that is not found, of bytes that are no model, and of an image with
/// too few pixels. The first speaks with the crate's words for an error's number, the second with the name
/// and the sentence of the error.
const GUESTS: [(&str, [&str; 3]); 2] = [
    (
        "classifier",
        [
            "Backend Error: WASI-NN Backend Error: Not Found",
            "Backend Error: WASI-NN Backend Error: Invalid Encoding",
            "an image has 64 pixels",
        ],
    ),
    (
        "classifier-wit",
        [
            "ErrorCode::NotFound: the chain has no such model",
            "ErrorCode::InvalidEncoding: the bytes are no model that can be used",
            "an image has 64 pixels",
        ],
    ),
];

fn models(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn-backends/models");
    std::fs::read(folder.join(name)).unwrap()
}

pub fn file() -> File {
    let mut file = File::new(
        "nn",
        "guests",
        "The logits are those that onnxruntime 1.31.1 computes for the same images (nn-backends/models/digits-reference.json). What a guest says of an error are the words of the crate wasi-nn 0.6.0 for its number, or the sentence that docs/rust-contracts.md has. Inference gas is the model's quote.",
    );
    let net = Net::new(models("digits.onnx"));
    let images = models("digits-test.bin");
    let images: Vec<&[u8]> = images.chunks_exact(65).map(|image| &image[..64]).collect();
    let reference: serde_json::Value =
        serde_json::from_slice(&models("digits-reference.json")).unwrap();
    let logits = |number: usize| -> Vec<u8> {
        let logits = reference["logits"][number].as_array().unwrap();
        let signed = logits.iter().map(|v| v.as_i64().unwrap() as i8);
        signed.map(i8::cast_unsigned).collect()
    };
    let digits = net.digits();
    let ways = [
        ("by the chain's name", Vec::new()),
        ("by its content address", format!("n{digits}").into_bytes()),
        (
            "by its tagged content address",
            format!("nblake3:{digits}").into_bytes(),
        ),
        ("from its bytes", [b"m", net.onnx.as_slice()].concat()),
    ];
    for (guest, [nothing, garbage, small]) in GUESTS {
        let draft = |name: String, rule: &str| {
            let code = Action::Upload {
                name: guest.to_owned(),
                code: Bytes::File(format!("{FIXTURES}/{guest}.wasm")),
            };
            Draft::new(format!("{guest}: {name}"), rule)
                .step(code, Claim::accepted())
                .deploy("guest", guest, &[])
        };
        let model = Action::RegisterModel {
            model: Bytes::File(format!("{MODELS}/digits.onnx")),
        };
        for (way, (name, suffix)) in ways.iter().enumerate() {
            let mut all = draft(
                format!("digits with a model {name}"),
                "A guest that was built for WASI classifies as onnxruntime does.",
            )
            .step(model.clone(), Claim::accepted())
            .step(net.name("digits"), Claim::done());
            // One image for the way by bytes, whose call data are long.
            for number in (way..40).step_by(if way == 3 { 40 } else { 8 }) {
                let claim = Claim {
                    inference: Some(net.quote),
                    ..Claim::returns(logits(number))
                };
                let input = [images[number], suffix].concat();
                all = all.call("guest", input.clone(), claim.clone());
                if number == way {
                    all = all.query("guest", input, claim);
                }
            }
            file.push(all);
        }
        let free = |words: &str| Claim {
            inference: Some(0),
            ..reverts(words)
        };
        let image = images[0];
        let nobody = "0".repeat(64);
        let mut all = draft(
            "models that there are not".to_owned(),
            "A guest learns that there is no such model, and decides.",
        );
        for which in [
            Vec::new(),
            b"nnothing".to_vec(),
            b"n\xff".to_vec(),
            format!("n{nobody}").into_bytes(),
            format!("n{digits}").into_bytes(),
        ] {
            all = all.call("guest", [image, &which].concat(), free(nothing));
        }
        let bytes = [image, b"m", net.onnx.as_slice()].concat();
        file.push(all.call("guest", bytes, free(nothing)));
        let all = draft(
            "bytes that are no model, and no image".to_owned(),
            "A guest learns what is wrong, and decides.",
        );
        file.push(
            all.call(
                "guest",
                [image, b"mno model at all"].concat(),
                free(garbage),
            )
            .call("guest", &image[..63], free(small))
            .call("guest", [], free(small)),
        );
    }
    file
}
