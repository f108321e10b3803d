//! The digit classifier, loaded from its file.

use aivm_nn::{ElementType, Model, ModelError, ModelLimits};

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
    for len in 0..DIGITS.len() {
        let error = Model::from_onnx(&DIGITS[..len], &ModelLimits::default()).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    let half = Model::from_onnx(&DIGITS[..DIGITS.len() / 2], &ModelLimits::default());
    assert!(matches!(half, Err(ModelError::Wire(_))), "{half:?}");
}
