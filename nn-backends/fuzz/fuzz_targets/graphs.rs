//! Random valid graphs: the processor's kernels give the reference's bits. The same as the test `random_graphs`, for as
//! long as one likes.
#![no_main]

use std::sync::Arc;

use aivm_nn::kernels::Isa;
use aivm_nn::{Backend, prepare};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/mod.rs"]
mod common;

fuzz_target!(|bytes: &[u8]| {
    let Some(case) = common::random::case(bytes, 14) else {
        return;
    };
    let model = Arc::new(case.model);
    let run = |backend| prepare(model.clone(), backend).and_then(|p| p.run(&case.inputs));
    let expected = run(Backend::Reference);
    for isa in Isa::available() {
        assert_eq!(run(Backend::CpuWith { isa, threads: 2 }), expected, "{}", isa.name());
    }
});
