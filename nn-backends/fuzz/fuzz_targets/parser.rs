//! Any bytes: a model or a typed error, soon and in little memory. What is a model can be quoted, hashed and run.
#![no_main]

use aivm_nn::{Model, ModelLimits, Reference, Tensor, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut limits = ModelLimits::default();
    limits.elements = 1 << 12;
    limits.memory = 1 << 22;
    limits.folding = 1 << 16;
    let Ok(model) = Model::from_onnx(bytes, &limits) else {
        return;
    };
    let again = Model::from_onnx(bytes, &limits).map(|m| m.hash());
    assert_eq!(again, Ok(model.hash()));
    let inputs: Vec<Tensor> = model
        .inputs()
        .iter()
        .filter_map(|info| {
            let n = info.shape.iter().product::<u32>() as usize * info.ty.size();
            Tensor::new(info.ty, info.shape.clone(), vec![0; n]).ok()
        })
        .collect();
    let _ = run(&model, &Reference, &inputs, &mut ());
});
