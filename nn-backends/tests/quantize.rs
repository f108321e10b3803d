//! Quantisation after training: accuracy on held-out images beside the `f32` model it was made from, and what is refused.

mod common;

use std::sync::Arc;

use aivm_nn::quantize::{
    FloatReason, Outcome, QuantizeError, QuantizeOptions, Quantized, quantize,
};
use aivm_nn::{
    Backend, Bindings, ElementType, Model, ModelError, ModelLimits, Prepared, Profile, Tensor,
    prepare,
};
use common::tensors::{floats, values};

/// The network that `digits.onnx` was made from, in `f32`.
const FLOAT: &[u8] = include_bytes!("../models/digits-f32.onnx");
const INTEGER: &[u8] = include_bytes!("../models/digits.onnx");
/// Images that calibrate; the others are the test.
const CALIBRATION: usize = 100;

/// Pixel bytes and labels of the held-out images.
fn images() -> Vec<(&'static [u8], usize)> {
    include_bytes!("../models/digits-test.bin")
        .chunks(65)
        .map(|row| (&row[..64], usize::from(row[64])))
        .collect()
}

fn pixels(image: &[u8]) -> Tensor {
    let pixels: Vec<f32> = image.iter().map(|p| f32::from(*p)).collect();
    floats(&[1, 64], &pixels)
}

fn samples() -> Vec<Vec<Tensor>> {
    let images = images();
    images[..CALIBRATION]
        .iter()
        .map(|(image, _)| vec![pixels(image)])
        .collect()
}

/// Bytes of pixels are the quantised input: its scale is 1.
fn options() -> QuantizeOptions {
    let mut options = QuantizeOptions::default();
    options.ranges.insert("pixels".into(), (0.0, 255.0));
    options
}

fn best<T: PartialOrd>(list: &[T]) -> usize {
    (0..list.len()).fold(0, |best, i| if list[i] > list[best] { i } else { best })
}

fn prepared(onnx: &[u8], bindings: &Bindings) -> Prepared {
    let model = Model::from_onnx_with(onnx, &ModelLimits::default(), bindings).unwrap();
    prepare(Arc::new(model), Backend::default()).unwrap()
}

/// The class of each image that did not calibrate, by the model in `f32` and by the quantised one.
fn classes(quantized: &Quantized) -> Vec<(usize, usize, usize)> {
    let before = prepared(FLOAT, &Bindings::default());
    let after = prepare(Arc::new(quantized.model.clone()), Backend::default()).unwrap();
    let bytes = quantized.inputs.len() == 1;
    images()[CALIBRATION..]
        .iter()
        .map(|(image, label)| {
            let float = before.run(&[pixels(image)]).unwrap();
            let input = match bytes {
                true => Tensor::new(ElementType::U8, vec![1, 64], image.to_vec()).unwrap(),
                false => pixels(image),
            };
            let output = after.run(&[input]).unwrap();
            let class = match bytes {
                true => best(&output[0].data),
                false => best(&values(&output[0])),
            };
            (*label, best(&values(&float[0])), class)
        })
        .collect()
}

#[test]
fn the_quantised_digits_are_as_accurate_as_those_in_f32() {
    let quantized = quantize(FLOAT, &samples(), &options()).unwrap();
    assert_eq!(quantized.profile, Profile::Integer);
    let input = &quantized.inputs[0];
    assert_eq!(
        (input.name.as_str(), input.scale, input.zero_point),
        ("pixels", 1.0, 0)
    );
    assert_eq!(quantized.outputs[0].name, "scores");
    let list = classes(&quantized);
    let right = |f: fn(&(usize, usize, usize)) -> bool| list.iter().filter(|c| f(c)).count();
    let (float, integer) = (right(|c| c.0 == c.1), right(|c| c.0 == c.2));
    let same = right(|c| c.1 == c.2);
    println!(
        "{float} right in f32, {integer} in integers, {same} the same of {}",
        list.len()
    );
    assert_eq!(list.len(), 260);
    assert!(float * 100 >= 96 * list.len(), "{float}");
    assert!(integer + 2 >= float, "{integer} of {float}");
    assert!(same * 100 >= 99 * list.len(), "{same}");
    // What is stated of the calibration inputs is small beside the range of the scores.
    let difference = &quantized.differences[0];
    let range = difference.range.1 - difference.range.0;
    assert!(difference.largest < 0.03 * range, "{difference:?}");
    assert!(difference.largest > 0.0);
    assert!(quantized.weight_bytes.1 * 3 < quantized.weight_bytes.0);
    assert!(quantized.onnx.len() * 10 < FLOAT.len() * 6);
}

#[test]
fn every_operator_of_the_digits_becomes_an_integer_one() {
    let quantized = quantize(FLOAT, &samples(), &options()).unwrap();
    let nodes: Vec<_> = quantized
        .operators
        .iter()
        .map(|o| (&*o.node, &o.outcome))
        .collect();
    let names = [
        "to_plane", "conv1", "relu1", "conv2", "relu2", "to_row", "dense",
    ];
    assert_eq!(nodes, names.map(|name| (name, &Outcome::Quantized)));
    let graph = quantized.model.graph();
    let ops: Vec<_> = graph.nodes().iter().map(|n| n.op.name()).collect();
    assert_eq!(ops, ["reshape", "q-conv", "q-conv", "reshape", "q-mat-mul"]);
}

#[test]
fn the_same_arguments_give_the_same_bytes_and_the_order_of_inputs_does_not_count() {
    let first = quantize(FLOAT, &samples(), &options()).unwrap();
    let mut turned = samples();
    turned.reverse();
    assert_eq!(
        quantize(FLOAT, &turned, &options()).unwrap().onnx,
        first.onnx
    );
    // Kept by hash: another processor or another release of this library must not write other bytes.
    let hash = aivm_hash(&first.onnx);
    assert_eq!(hash, HASH, "the file that is written has changed");
}

const HASH: &str = "2d88b7e65681b86dc2d54b67aabb33b5bac0133b84928730a6d66857e79aab54";

fn aivm_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[test]
fn inputs_and_outputs_stay_in_f32_where_that_is_asked_for() {
    let mut options = options();
    options.float_boundary = true;
    let quantized = quantize(FLOAT, &samples(), &options).unwrap();
    assert_eq!(quantized.profile, Profile::StrictF32);
    assert!(quantized.inputs.is_empty() && quantized.outputs.is_empty());
    assert_eq!(quantized.model.inputs()[0].ty, ElementType::F32);
    assert_eq!(quantized.model.outputs()[0].ty, ElementType::F32);
    let list = classes(&quantized);
    let integer = quantize(FLOAT, &samples(), &self::options()).unwrap();
    assert_eq!(list, classes(&integer));
    let ops = quantized.model.graph().nodes();
    let float: Vec<_> = ops
        .iter()
        .map(|n| n.op.name())
        .filter(|n| !n.starts_with("q-"))
        .collect();
    assert_eq!(float, ["quantize", "reshape", "reshape", "dequantize"]);
}

/// Batch normalisations go into weights, hard-swish becomes a table, softmax stays.
#[test]
fn the_quantised_text_direction_classifier_decides_as_before() {
    let Some(folder) = common::cache::models("rapidocr-1.4.4") else {
        return;
    };
    let onnx = std::fs::read(folder.join("ch_ppocr_mobile_v2.0_cls_infer.onnx")).unwrap();
    let mut options = QuantizeOptions::default();
    options
        .bindings
        .shapes
        .insert("x".into(), vec![1, 3, 48, 192]);
    let crops = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/models/real/crops.gray"
    ))
    .unwrap();
    let crops: Vec<Tensor> = crops
        .chunks(48 * 192)
        .map(|crop| {
            let plane: Vec<f32> = crop.iter().map(|p| f32::from(*p) / 127.5 - 1.0).collect();
            floats(&[1, 3, 48, 192], &plane.repeat(3))
        })
        .collect();
    let samples: Vec<_> = crops.iter().map(|crop| vec![crop.clone()]).collect();
    let quantized = quantize(&onnx, &samples, &options).unwrap();
    let count =
        |f: &dyn Fn(&Outcome) -> bool| quantized.operators.iter().filter(|o| f(&o.outcome)).count();
    let float: Vec<_> = quantized
        .operators
        .iter()
        .filter(|o| matches!(o.outcome, Outcome::Float(_)))
        .map(|o| (&*o.operator, &o.outcome))
        .collect();
    println!(
        "{} folded, {} in f32: {float:?}",
        count(&|o| matches!(o, Outcome::Folded(_))),
        float.len()
    );
    let softmax = ("Softmax", &Outcome::Float(FloatReason::Operator));
    let behind = ("Identity", &Outcome::Float(FloatReason::Alone));
    assert_eq!(float, [softmax, behind]);
    let convolutions = quantized.operators.iter().filter(|o| o.operator == "Conv");
    assert!(
        convolutions
            .into_iter()
            .all(|o| o.outcome == Outcome::Quantized)
    );
    assert_eq!(count(&|o| matches!(o, Outcome::Folded(_))), 53);
    let before = prepared(&onnx, &options.bindings);
    let after = prepare(Arc::new(quantized.model.clone()), Backend::default()).unwrap();
    let input = &quantized.inputs[0];
    let mut classes = [0; 2];
    for crop in &crops {
        let bytes = values(crop)
            .iter()
            .map(|x| ((x / input.scale).round_ties_even() + f32::from(input.zero_point)) as u8)
            .collect();
        let bytes = Tensor::new(ElementType::U8, crop.shape.clone(), bytes).unwrap();
        let float = best(&values(&before.run(std::slice::from_ref(crop)).unwrap()[0]));
        let integer = best(&values(&after.run(&[bytes]).unwrap()[0]));
        assert_eq!(integer, float);
        classes[float] += 1;
    }
    assert!(classes.iter().all(|n| *n > 0), "{classes:?}");
}

#[test]
fn without_calibration_or_without_a_range_there_is_nothing_to_go_by() {
    let none = quantize(FLOAT, &[], &options());
    assert_eq!(none.unwrap_err(), QuantizeError::NoCalibration);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut inputs = samples()[..2].to_vec();
        let mut pixels = values(&inputs[1][0]);
        pixels[17] = bad;
        inputs[1][0] = floats(&[1, 64], &pixels);
        let error = quantize(FLOAT, &inputs, &QuantizeOptions::default()).unwrap_err();
        let tensor = "pixels".to_owned();
        assert_eq!(error, QuantizeError::NotFinite { tensor, sample: 1 });
    }
    // Finite inputs whose sums are not.
    let huge = vec![vec![floats(&[1, 64], &[3e38; 64])]];
    let error = quantize(FLOAT, &huge, &QuantizeOptions::default()).unwrap_err();
    assert!(
        matches!(error, QuantizeError::NotFinite { sample: 0, .. }),
        "{error}"
    );
    let wrong = vec![vec![floats(&[64], &[0.0; 64])]];
    let error = quantize(FLOAT, &wrong, &QuantizeOptions::default()).unwrap_err();
    assert!(
        matches!(error, QuantizeError::Run { sample: 0, .. }),
        "{error}"
    );
}

#[test]
fn what_is_quantised_already_or_no_model_is_refused() {
    let image = Tensor::new(ElementType::U8, vec![1, 64], images()[0].0.to_vec()).unwrap();
    let error = quantize(INTEGER, &[vec![image]], &QuantizeOptions::default()).unwrap_err();
    assert!(
        matches!(error, QuantizeError::AlreadyQuantized(_)),
        "{error}"
    );
    let again = quantize(FLOAT, &samples(), &options()).unwrap();
    let image = Tensor::new(ElementType::U8, vec![1, 64], images()[0].0.to_vec()).unwrap();
    let error = quantize(&again.onnx, &[vec![image]], &QuantizeOptions::default()).unwrap_err();
    assert!(
        matches!(error, QuantizeError::AlreadyQuantized(_)),
        "{error}"
    );
    for length in [0, 1, 100, 1000, FLOAT.len() / 2, FLOAT.len() - 200] {
        let error = quantize(&FLOAT[..length], &samples(), &options()).unwrap_err();
        assert!(
            matches!(error, QuantizeError::Model(_)),
            "{length}: {error}"
        );
    }
    let mut options = options();
    options.limits.weight_bytes = 100;
    let error = quantize(FLOAT, &samples(), &options).unwrap_err();
    let limit = matches!(error, QuantizeError::Model(ModelError::Limit { .. }));
    assert!(limit, "{error}");
}

#[test]
fn ranges_that_are_none_are_refused() {
    let attempt = |name: &str, low, high| {
        let mut options = QuantizeOptions::default();
        options.ranges.insert(name.to_owned(), (low, high));
        quantize(FLOAT, &samples(), &options).unwrap_err()
    };
    for (low, high) in [
        (1.0, 1.0),
        (2.0, 1.0),
        (f32::NAN, 1.0),
        (0.0, f32::INFINITY),
    ] {
        let error = attempt("pixels", low, high);
        assert!(matches!(error, QuantizeError::Range { .. }), "{error}");
    }
    let unknown = |name: &str| QuantizeError::UnknownTensor(name.to_owned());
    assert_eq!(attempt("pixel", 0.0, 1.0), unknown("pixel"));
    // A weight is no activation.
    assert_eq!(attempt("w1", 0.0, 1.0), unknown("w1"));
}
