//! Model files, what is written about them, and what they compute.

use std::sync::{Arc, LazyLock};

use aivm_nn::kernels::Isa;
use aivm_nn::trace::{Place, TraceFile, dispute, recompute};
use aivm_nn::{
    Backend, ElementType, Manifest, Model, ModelLimits, Reference, Tensor, prepare, run,
};

use crate::bytes::Bytes;

#[path = "../../../nn-backends/tests/common/mod.rs"]
mod common;

static DIGITS: LazyLock<Model> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../nn-backends/models/digits.onnx");
    Model::from_onnx(bytes, &ModelLimits::default()).unwrap()
});

/// Any bytes: a model or a typed error, soon and in little memory. What is a model can be quoted, hashed and run.
pub fn onnx(data: &[u8]) {
    let mut limits = ModelLimits::default();
    limits.elements = 1 << 12;
    limits.memory = 1 << 22;
    limits.folding = 1 << 16;
    let Ok(model) = Model::from_onnx(data, &limits) else {
        return;
    };
    let again = Model::from_onnx(data, &limits).map(|model| model.hash());
    assert_eq!(again, Ok(model.hash()));
    let inputs: Vec<Tensor> = model
        .inputs()
        .iter()
        .filter_map(|info| {
            let n = info.shape.iter().product::<u32>() as usize * info.ty.size();
            Tensor::new(info.ty, info.shape.clone(), vec![0; n]).ok()
        })
        .collect();
    let model = Arc::new(model);
    let expected = run(&model, &Reference, &inputs, &mut ());
    let found = prepare(model.clone(), Backend::default()).and_then(|p| p.run(&inputs));
    assert_eq!(found, expected);
}

/// Random valid graphs: the processor's kernels give the reference's bits.
pub fn graph(data: &[u8]) {
    let Some(case) = common::random::case(data, 14) else {
        return;
    };
    let model = Arc::new(case.model);
    let run = |backend| prepare(model.clone(), backend).and_then(|p| p.run(&case.inputs));
    let expected = run(Backend::Reference);
    for isa in Isa::available() {
        let found = run(Backend::CpuWith { isa, threads: 2 });
        assert_eq!(found, expected, "{} {:?}", isa.name(), case.operators);
    }
}

/// Any bytes are a manifest that can be compared with a model, or refused.
pub fn manifest(data: &[u8]) {
    let Ok(manifest) = Manifest::from_json(data) else {
        return;
    };
    let _ = manifest.check();
    let _ = manifest.compare(&DIGITS);
    if let Ok(bindings) = manifest.to_bindings() {
        let onnx = include_bytes!("../../../nn-backends/models/digits.onnx");
        let _ = Model::from_onnx_with(onnx, &ModelLimits::default(), &bindings);
    }
    let json = serde_json::to_vec(&manifest).unwrap();
    assert_eq!(
        serde_json::to_vec(&Manifest::from_json(&json).unwrap()).unwrap(),
        json
    );
}

/// A type, a rank, dimensions and data: a tensor of just that size, or refused.
pub fn tensor(data: &[u8]) {
    let mut bytes = Bytes(data);
    let Some(ty) = ElementType::from_code(bytes.u8()) else {
        return;
    };
    let rank = bytes.u8();
    let shape: Vec<u32> = (0..rank).map(|_| bytes.u32()).collect();
    if let Ok(tensor) = Tensor::new(ty, shape, bytes.0.to_vec()) {
        let elements: u64 = tensor.shape.iter().map(|d| u64::from(*d)).product();
        assert_eq!(tensor.data.len() as u64, elements * ty.size() as u64);
    }
}

/// Any bytes are a trace that can be disputed and recomputed, or refused.
pub fn trace(data: &[u8]) {
    let genuine = include_bytes!("../seeds/trace/digits");
    let genuine = TraceFile::parse(genuine).unwrap();
    let Ok(found) = TraceFile::parse(data) else {
        return;
    };
    let verified = found.verify().is_ok();
    let _ = dispute(&genuine, &found);
    let fits = found.fits(&DIGITS).is_ok();
    for index in 0..found.entries().len().min(64) {
        let _ = found.tensor(index);
        let Some((entry, data)) = found.get(index) else {
            continue;
        };
        if let Ok(proof) = found.prove(index, 0) {
            assert!(!verified || data.is_none() || proof.holds(&found.root));
        }
        if let (true, Place::Result { node, output }) = (fits, entry.place) {
            let _ = recompute(&DIGITS, &found, node, output, 0);
        }
    }
}
