//! The digit classifier, loaded from its file.

use aivm_nn::{
    ElementType, Executor, Model, ModelError, ModelLimits, Profile, Reference, RunError, Tensor,
    run,
};

const DIGITS: &[u8] = include_bytes!("../models/digits.onnx");

#[test]
fn the_signature_is_read() {
    let model = Model::from_onnx(DIGITS, &ModelLimits::default()).unwrap();
    assert_eq!(model.inputs().len(), 1);
    assert_eq!(model.inputs()[0].name, "image");
    assert_eq!(model.inputs()[0].ty, ElementType::U8);
    assert_eq!(model.inputs()[0].shape, [1, 64]);
    assert_eq!(model.outputs()[0].name, "logits");
    assert_eq!(model.outputs()[0].ty, ElementType::I8);
    assert_eq!(model.outputs()[0].shape, [1, 10]);
}

#[test]
fn a_file_cut_anywhere_is_a_typed_error() {
    let limits = ModelLimits::default();
    let whole = Model::from_onnx(DIGITS, &limits).unwrap();
    let mut refused = 0;
    for len in 0..DIGITS.len() {
        match Model::from_onnx(&DIGITS[..len], &limits) {
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
            // Cut between fields behind the graph: nothing that counts is missing.
            Ok(model) => assert_eq!(model.hash(), whole.hash()),
        }
    }
    assert!(refused + 2 >= DIGITS.len(), "{refused} of {}", DIGITS.len());
    let half = Model::from_onnx(&DIGITS[..DIGITS.len() / 2], &ModelLimits::default());
    assert!(matches!(half, Err(ModelError::Wire(_))), "{half:?}");
}

/// Image bytes and label.
fn images() -> impl Iterator<Item = (&'static [u8], u8)> {
    include_bytes!("../models/digits-test.bin")
        .chunks(65)
        .map(|row| (&row[..64], row[64]))
}

fn reference_logits() -> Vec<Vec<i8>> {
    let json = include_str!("../models/digits-reference.json");
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    serde_json::from_value(value["logits"].clone()).unwrap()
}

fn classify(executor: &dyn Executor, model: &Model, image: &[u8]) -> Vec<i8> {
    let input = Tensor::new(ElementType::U8, vec![1, 64], image.to_vec()).unwrap();
    let outputs = run(model, executor, &[input], &mut ()).unwrap();
    assert_eq!(outputs[0].shape, [1, 10]);
    outputs[0].data.iter().map(|b| *b as i8).collect()
}

fn argmax(logits: &[i8]) -> usize {
    // The first of equal ones, as onnxruntime's users take it.
    (0..logits.len())
        .max_by_key(|i| (logits[*i], std::cmp::Reverse(*i)))
        .unwrap()
}

#[test]
fn logits_equal_onnxruntime_on_every_held_out_image() {
    let model = Model::from_onnx(DIGITS, &ModelLimits::default()).unwrap();
    assert_eq!(model.profile(), Profile::Integer);
    let expected = reference_logits();
    assert_eq!(expected.len(), 360);
    let mut right = 0;
    let mut differences = Vec::new();
    for ((image, label), expected) in images().zip(&expected) {
        let logits = classify(&Reference, &model, image);
        right += usize::from(argmax(&logits) == usize::from(label));
        assert_eq!(argmax(&logits), argmax(expected));
        for (a, b) in logits.iter().zip(expected) {
            if a != b {
                differences.push(i32::from(*a) - i32::from(*b));
            }
        }
    }
    assert!(differences.is_empty(), "of 3,600 logits: {differences:?}");
    assert!(right * 100 >= 95 * 360, "{right} of 360");
}

#[test]
fn every_operation_is_an_integer_one() {
    let model = Model::from_onnx(DIGITS, &ModelLimits::default()).unwrap();
    let ops: Vec<_> = model.graph().nodes().iter().map(|n| n.op.name()).collect();
    assert_eq!(
        ops,
        [
            "table",
            "reshape",
            "q-conv",
            "q-conv",
            "reshape",
            "q-mat-mul"
        ]
    );
}

#[test]
fn a_changed_weight_changes_the_hash() {
    let limits = ModelLimits::default();
    let model = Model::from_onnx(DIGITS, &limits).unwrap();
    let again = Model::from_onnx(DIGITS, &limits).unwrap();
    assert_eq!(model.hash(), again.hash());
    // A byte inside the raw data of the largest weight, 256 × 10 bytes.
    let mut bytes = DIGITS.to_vec();
    let name = b"w3_quantized";
    let at = bytes.windows(name.len()).rposition(|w| w == name).unwrap();
    bytes[at + name.len() + 100] ^= 1;
    let changed = Model::from_onnx(&bytes, &limits).unwrap();
    assert_ne!(model.hash(), changed.hash());
    assert_eq!(changed.inputs(), model.inputs());
}

#[test]
fn inputs_are_checked() {
    let model = Model::from_onnx(DIGITS, &ModelLimits::default()).unwrap();
    let attempt = |inputs: &[Tensor]| run(&model, &Reference, inputs, &mut ()).unwrap_err();
    assert_eq!(
        attempt(&[]),
        RunError::InputCount {
            expected: 1,
            found: 0
        }
    );
    let tensor = |ty, shape: Vec<u32>, n| Tensor {
        ty,
        shape,
        data: vec![0; n],
    };
    let wrong = [
        tensor(ElementType::U8, vec![64], 64),
        tensor(ElementType::I8, vec![1, 64], 64),
        tensor(ElementType::U8, vec![1, 65], 65),
    ];
    for input in wrong {
        assert_eq!(attempt(&[input]), RunError::Input { index: 0 });
    }
    assert!(matches!(
        attempt(&[tensor(ElementType::U8, vec![1, 64], 63)]),
        RunError::Tensor { index: 0, .. }
    ));
}

#[test]
fn the_quote_counts_what_the_network_does() {
    let model = Model::from_onnx(DIGITS, &ModelLimits::default()).unwrap();
    let prices = aivm_gas::GasSchedule::v1().nn;
    let quote = model.quote(&prices);
    // Convolutions of 8×8×8 outputs with 9 taps and 16×4×4 with 72, a product of 256 × 10.
    assert_eq!(quote.macs, 8 * 64 * 9 + 16 * 16 * 72 + 256 * 10);
    assert_eq!(quote.profile, Profile::Integer);
    let milligas: u64 = quote.per_op.iter().map(|op| op.milligas).sum();
    // 64 bytes in, ten bytes out, and 256 elements for each of the two.
    let border = (64 + 10) * prices.byte_moved_milligas + 2 * 256 * prices.element_int_milligas;
    assert_eq!(quote.border_milligas, border);
    assert_eq!(
        quote.gas,
        prices.infer_base + (milligas + border).div_ceil(1000)
    );
    assert!(quote.memory > model.weight_bytes());
    assert!(quote.memory < 512 << 10, "{}", quote.memory);
}

#[cfg(feature = "cpu")]
#[test]
fn every_instruction_set_and_thread_count_gives_the_reference_bits() {
    use aivm_nn::kernels::Isa;
    use aivm_nn::{Backend, prepare};
    let model = std::sync::Arc::new(Model::from_onnx(DIGITS, &ModelLimits::default()).unwrap());
    for isa in Isa::available() {
        for threads in [1, 2] {
            let prepared = prepare(model.clone(), Backend::CpuWith { isa, threads }).unwrap();
            for ((image, _), expected) in images().zip(reference_logits()) {
                let input = Tensor::new(ElementType::U8, vec![1, 64], image.to_vec()).unwrap();
                let outputs = prepared.run(&[input]).unwrap();
                let logits: Vec<i8> = outputs[0].data.iter().map(|b| *b as i8).collect();
                assert_eq!(logits, expected, "{} with {threads} threads", isa.name());
            }
        }
    }
}
