//! The engine of the VM, with its settings.

use std::num::NonZero;

use wasmer::Engine;
use wasmer::sys::{Cranelift, CraneliftOptLevel, EngineBuilder, Features};

/// A new engine.
pub fn engine() -> Engine {
    let mut features = Features::none();
    features
        .bulk_memory(true)
        .multi_value(true)
        .reference_types(true)
        .simd(true);
    let mut compiler = Cranelift::default();
    compiler.canonicalize_nans(true);
    compiler.opt_level(CraneliftOptLevel::Speed);
    compiler.num_threads(NonZero::<usize>::MIN);
    EngineBuilder::new(compiler)
        .set_features(Some(features))
        .engine()
        .into()
}
