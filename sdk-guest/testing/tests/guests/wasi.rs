//! Guests written for other hosts of neural networks, with crates as they are published: `wasi-nn` and
//! bindings by wit-bindgen for `wasi:nn`.

use aivm_sdk::Address;
use aivm_sdk::testing::{Chain, Failure};
use aivm_sdk_testing::InVm;

use super::digits::{digit, logits, onnx};
use super::{ALICE, BOB, number};

const GUESTS: [&str; 2] = ["classifier", "classifier-wit"];

fn classify(
    chain: &mut InVm,
    guest: Address,
    image: &[u8],
    which: &[u8],
) -> Result<Vec<u8>, Failure> {
    chain.call_raw(BOB, guest, number(0), &[image, which].concat())
}

fn deploy(chain: &mut InVm, guest: &str) -> Address {
    chain.deploy_raw(guest, ALICE, number(0), &[]).unwrap()
}

/// Each guest reads held-out images as onnxruntime does, whichever way it names the model, and the
/// receipt shows the inference that the contract written with the SDK has.
#[test]
fn wasi_nn_guests_read_digits() {
    let mut chain = super::in_vm();
    let model = chain.register_model(&onnx());
    chain.name_model("digits", model);
    let address = format!("n{}", hex::encode(model));
    let tagged = format!("nblake3:{}", hex::encode(model));
    let bytes = [b"m".as_slice(), &onnx()].concat();
    let ways = [&[][..], address.as_bytes(), tagged.as_bytes(), &bytes];
    for guest in GUESTS {
        let address = deploy(&mut chain, guest);
        let mut right = 0;
        for (i, (image, expected)) in logits().iter().take(40).enumerate() {
            let output = classify(&mut chain, address, image, ways[i % ways.len()]).unwrap();
            let output: Vec<i64> = output.iter().map(|&b| i64::from(b.cast_signed())).collect();
            assert_eq!(&output, expected, "{guest}, image {i}");
            right += u64::from(digit(&output) == digit(expected));
            let receipt = chain.receipts().last().unwrap();
            let [inference] = receipt.inferences.as_slice() else {
                panic!("{guest}: one inference");
            };
            assert_eq!(inference.model.0, model);
            assert_eq!(receipt.gas.inference, inference.gas);
        }
        assert_eq!(right, 40);
    }
    // What one pays for the inference does not depend on the interface.
    let paid: Vec<u64> = chain
        .receipts()
        .iter()
        .filter(|receipt| !receipt.inferences.is_empty())
        .map(|receipt| receipt.gas.inference)
        .collect();
    assert!(paid.iter().all(|gas| *gas == paid[0]) && paid.len() == 80);
    insta::assert_snapshot!("wasi_nn_guests", receipts(&chain));
}

/// The first call of each kind.
fn receipts(chain: &InVm) -> String {
    let all = super::receipts(chain);
    let lines = all.lines().enumerate();
    let some = lines.filter(|(i, _)| i % 41 <= 4).map(|(_, line)| line);
    some.collect::<Vec<_>>().join("\n")
}

#[test]
fn wasi_nn_guests_say_what_is_wrong() {
    let mut chain = super::in_vm();
    let (image, _) = &logits()[0];
    for guest in GUESTS {
        let address = deploy(&mut chain, guest);
        let mut refuse = |image: &[u8], which: &[u8], words: &str| {
            let failure = classify(&mut chain, address, image, which).unwrap_err();
            let Failure::Reverted(text) = failure else {
                panic!("{guest}: {failure:?}");
            };
            let text = String::from_utf8(text).unwrap();
            let bare = text.to_lowercase().replace([' ', '_'], "");
            assert!(bare.contains(words), "{guest}: {text}");
        };
        refuse(image, b"", "notfound");
        refuse(image, b"nnothing", "notfound");
        refuse(image, &[b'n', 0xff], "notfound");
        refuse(
            image,
            &[b"n".as_slice(), &b"00".repeat(32)].concat(),
            "notfound",
        );
        refuse(image, b"mno model at all", "invalidencoding");
        refuse(&image[..63], b"", "64pixels");
        // A model that is not registered is not run, though its bytes are all there.
        refuse(image, &[b"m".as_slice(), &onnx()].concat(), "notfound");
    }
    insta::assert_snapshot!("wasi_nn_refusals", super::receipts(&chain));
}
