//! Real models on real inputs, beside onnxruntime's results: magika on files, silero-vad on speech, a text-direction
//! classifier on lines of text. `models/real.py` wrote the inputs and results; `cargo xtask models` fetches the models.

mod common;

use std::path::Path;
use std::sync::Arc;

use aivm_nn::kernels::Isa;
use aivm_nn::{
    Backend, Bindings, ElementType, Model, ModelLimits, Prepared, Profile, Tensor, prepare,
};
use common::tensors::{floats, values};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/real");

fn stored(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(FOLDER).join(name)).unwrap()
}

fn expected() -> Value {
    serde_json::from_slice(&stored("real.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn best(values: &[f32]) -> usize {
    let order = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
    (0..values.len()).max_by(order).unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// The model on every instruction set of this machine, with one thread and with two.
fn everywhere(file: &Path, bindings: &Bindings) -> Vec<Prepared> {
    let bytes = std::fs::read(file).unwrap();
    let model = Model::from_onnx_with(&bytes, &ModelLimits::default(), bindings).unwrap();
    assert_eq!(model.profile(), Profile::StrictF32);
    let model = Arc::new(model);
    let mut all = Vec::new();
    for isa in Isa::available() {
        for threads in [1, 2] {
            let backend = Backend::CpuWith { isa, threads };
            all.push(prepare(model.clone(), backend).unwrap());
        }
    }
    all.push(prepare(model, Backend::Reference).unwrap());
    all
}

/// The outputs, which are the same bits everywhere. The reference, last in the list, takes part if asked to.
fn run(all: &[Prepared], inputs: &[Tensor], reference: bool) -> Vec<Tensor> {
    let first = all[0].run(inputs).unwrap();
    let others = if reference {
        all
    } else {
        &all[..all.len() - 1]
    };
    for other in &others[1..] {
        assert_eq!(other.run(inputs).unwrap(), first);
    }
    first
}

/// `docs/exact-inference.md` states these bounds.
const MAGIKA: f32 = 3.0e-5;
const SILERO: f32 = 3.1e-6;
const CLASSIFIER: f32 = 4.5e-9;

#[test]
fn magika_tells_files_apart_as_onnxruntime_does() {
    let Some(folder) = common::cache::models("magika-1.0.3") else {
        return;
    };
    let mut bindings = Bindings::default();
    bindings.shapes.insert("bytes".into(), vec![1, 2048]);
    let all = everywhere(&folder.join("model.onnx"), &bindings);
    let cases = expected()["magika"].clone();
    let cases = cases.as_array().unwrap();
    let files = stored("files.bin");
    assert_eq!(files.len(), cases.len() * 2048);
    let mut largest = 0.0f32;
    let mut labels = std::collections::BTreeSet::new();
    for (i, (bytes, case)) in files.chunks(2048).zip(cases).enumerate() {
        let data = bytes
            .iter()
            .flat_map(|b| i32::from(*b).to_le_bytes())
            .collect();
        let x = Tensor::new(ElementType::I32, vec![1, 2048], data).unwrap();
        let y = values(&run(&all, &[x], i == 0)[0]);
        let theirs = numbers(&case["output"]);
        assert_eq!(best(&y), best(&theirs), "{}", case["name"]);
        labels.insert(best(&y));
        largest = largest.max(largest_difference(&y, &theirs));
    }
    println!(
        "magika: largest difference {largest:e}, {} kinds of file",
        labels.len()
    );
    assert_eq!(labels.len(), 16, "every file is of another kind");
    assert!(largest <= MAGIKA, "{largest:e}");
}

#[test]
fn silero_hears_speech_where_onnxruntime_does() {
    let Some(folder) = common::cache::models("silero-vad-6.2.3") else {
        return;
    };
    let mut bindings = Bindings::default();
    for (name, shape) in [("input", vec![1, 576]), ("state", vec![2, 1, 128])] {
        bindings.shapes.insert(name.into(), shape);
    }
    let rate = 16_000i64.to_le_bytes().to_vec();
    let rate = Tensor::new(ElementType::I64, vec![], rate).unwrap();
    bindings.constants.insert("sr".into(), rate);
    let all = everywhere(&folder.join("silero_vad_op18_ifless.onnx"), &bindings);
    let sound: Vec<f32> = stored("speech.s16")
        .as_chunks::<2>()
        .0
        .iter()
        .map(|s| f32::from(i16::from_le_bytes(*s)) / 32768.0)
        .collect();
    let expected = expected();
    let theirs = numbers(&expected["silero"]["probabilities"]);
    assert_eq!(sound.len(), theirs.len() * 512);
    let (mut context, mut state) = (vec![0.0; 64], floats(&[2, 1, 128], &[0.0; 256]));
    let mut ours = Vec::new();
    for (i, chunk) in sound.chunks(512).enumerate() {
        let window = [&context[..], chunk].concat();
        context = window[512..].to_vec();
        let inputs = [floats(&[1, 576], &window), state];
        let mut outputs = run(&all, &inputs, i == 20);
        state = outputs.pop().unwrap();
        ours.extend(values(&outputs[0]));
    }
    let spoken = |p: &[f32]| p.iter().map(|p| *p > 0.5).collect::<Vec<_>>();
    assert_eq!(spoken(&ours), spoken(&theirs));
    let count = spoken(&ours).iter().filter(|s| **s).count();
    assert!(
        count > 60 && count < ours.len() - 20,
        "{count} of {}",
        ours.len()
    );
    let largest = largest_difference(&ours, &theirs);
    let of_state = largest_difference(&values(&state), &numbers(&expected["silero"]["state"]));
    println!(
        "silero: largest difference {largest:e}, of the state after the last chunk {of_state:e}"
    );
    assert!(largest <= SILERO, "{largest:e}");
}

#[test]
fn lines_of_text_are_upright_where_onnxruntime_says_so() {
    let Some(folder) = common::cache::models("rapidocr-1.4.4") else {
        return;
    };
    let mut bindings = Bindings::default();
    bindings.shapes.insert("x".into(), vec![1, 3, 48, 192]);
    let file = folder.join("ch_ppocr_mobile_v2.0_cls_infer.onnx");
    let all = everywhere(&file, &bindings);
    let cases = expected()["classifier"].clone();
    let cases = cases.as_array().unwrap();
    let crops = stored("crops.gray");
    assert_eq!(crops.len(), cases.len() * 48 * 192);
    let mut largest = 0.0f32;
    for (i, (pixels, case)) in crops.chunks(48 * 192).zip(cases).enumerate() {
        let plane: Vec<f32> = pixels
            .iter()
            .map(|p| (f32::from(*p) / 255.0 - 0.5) / 0.5)
            .collect();
        let x = floats(&[1, 3, 48, 192], &plane.repeat(3));
        let y = values(&run(&all, &[x], i == 0)[0]);
        let theirs = numbers(&case["output"]);
        let turned = usize::from(case["turned"].as_i64() == Some(180));
        assert_eq!(best(&y), turned, "{}", case["text"]);
        assert_eq!(best(&theirs), turned, "{}", case["text"]);
        largest = largest.max(largest_difference(&y, &theirs));
    }
    println!("classifier: largest difference {largest:e}");
    assert!(largest <= CLASSIFIER, "{largest:e}");
}
