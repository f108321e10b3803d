//! A quantised network for handwritten digits, with its quote.

use std::path::Path;

use aivm_conformance::action::{Action, Bytes};
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::onnx::U8;
use super::{inferrer, loaded, quoter, request};

const DIGITS: &str = "../../../nn-backends/models/digits.onnx";

pub fn file() -> File {
    let mut file = File::new(
        "nn",
        "digits",
        "The logits are those that onnxruntime 1.31.1 computes for the same images (nn-backends/models/digits-reference.json, whose script is beside it).",
    );
    file.share_wat("infer", &inferrer());
    file.share_wat("quote", &quoter());
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn-backends/models");
    let onnx = std::fs::read(models.join("digits.onnx")).unwrap();
    let images = std::fs::read(models.join("digits-test.bin")).unwrap();
    let reference: serde_json::Value =
        serde_json::from_slice(&std::fs::read(models.join("digits-reference.json")).unwrap())
            .unwrap();
    let logits = reference["logits"].as_array().unwrap();
    let model = loaded(&onnx);
    let (hash, quote) = (model.hash(), model.quote(&aivm::GasSchedule::v1().nn));
    let register = || Action::RegisterModel {
        model: Bytes::File(DIGITS.to_owned()),
    };
    let images: Vec<&[u8]> = images.chunks_exact(65).map(|image| &image[..64]).collect();
    for (number, (images, logits)) in images.chunks(5).zip(logits.chunks(5)).take(24).enumerate() {
        let mut draft = Draft::new(
            format!("digits {} to {}", 5 * number + 1, 5 * number + images.len()),
            "A quantised network for handwritten digits gives onnxruntime's logits.",
        )
        .step(register(), Claim::accepted())
        .put("infer");
        for (image, logits) in images.iter().zip(logits) {
            let expected: Vec<u8> = logits
                .as_array()
                .unwrap()
                .iter()
                .map(|v| (v.as_i64().unwrap() as i8).cast_unsigned())
                .collect();
            let input = request(&hash, &[((U8, &[1, 64]), image.to_vec())]);
            draft = draft.call(
                "infer",
                input,
                Claim {
                    inference: Some(quote.gas),
                    ..Claim::returns(expected)
                },
            );
        }
        file.push(draft);
    }
    let mut word = hash;
    word.reverse();
    let mut expected = [quote.gas, quote.macs, quote.memory]
        .map(u64::to_le_bytes)
        .concat();
    expected.push(u8::from(quote.profile != aivm_nn::Profile::Integer));
    file.push(
        Draft::new("the quote of the digits", "A quote is what an inference is charged, from shapes alone.")
            .reason("The inference gas of the other vectors of this file is this quote, and both implementations agree; multiply-accumulates are the products of the layers' sizes.")
            .step(register(), Claim::accepted())
            .put("quote")
            .call("quote", word, Claim { inference: Some(0), ..Claim::returns(expected) }),
    );
    file
}
